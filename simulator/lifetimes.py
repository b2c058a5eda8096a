"""Quantiles of lifetimes: where survival falls below a level, between months and at the very times of death.

A path is what is known of S near a month: times and the share alive, lines between them, a step where a time stands
twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Path = tuple[Floats, Floats]
Lifetimes = Callable[[tuple[str, str], int, int], Path]
"""(clock, population), draw and place of a month -> the path that leads to that month."""

ROUNDING = 1e-6
"""By how much survival must fall below a level: a plateau at the level is left where survival falls again, and the
damped transform leaves no more digits at the end of a fine lattice."""


def place_below(survival: Floats, level: float) -> int | None:
    """Return the place of the first month at which survival : (n_months,) is below a level; None if there is none."""
    below = survival < level - ROUNDING
    return int(np.argmax(below)) if below.any() else None


def least_below(path: Path, level: float) -> float:
    """Return the least time from which on a path is below a level; its end if it is nowhere."""
    times, alive = path
    after = place_below(alive, level)
    if after is None or after == 0:
        return float(times[-1 if after is None else 0])
    high, low = alive[after - 1], alive[after]
    part = np.clip((high - level) / (high - low), 0.0, 1.0)
    return float(times[after - 1] + part * (times[after] - times[after - 1]))


def average(paths: Sequence[Path], weights: Sequence[float]) -> Path:
    """Return the path of a mixture of patients."""
    times = np.unique(np.concatenate([each for each, _ in paths]))
    left, right = np.zeros(times.size), np.zeros(times.size)
    for (own, alive), weight in zip(paths, weights, strict=True):
        first, last = np.searchsorted(own, times, "left"), np.searchsorted(own, times, "right") - 1
        first, last = np.minimum(first, own.size - 1), np.maximum(last, 0)
        # Between two points of its own a path is a line; at one, it has what comes before and what comes after.
        width = np.where(own[first] > own[last], own[first] - own[last], 1.0)
        part = np.clip((times - own[last]) / width, 0.0, 1.0)
        line = alive[last] + part * (alive[first] - alive[last])
        at_point = own[last] == times
        left += weight * np.where(at_point, alive[first], line)
        right += weight * np.where(at_point, alive[last], line)
    return np.repeat(times, 2), np.column_stack([left, right]).ravel()
