"""Quantiles of lifetimes: where survival falls below a level, between months and at the very times of death.

A path is what is known of S near a month: times and the share alive, lines between them, a step where a time stands
twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from simulator.arrays import Booleans, Floats, Integers

Path = tuple[Floats, Floats]
Lifetimes = Callable[[tuple[str, str], Integers], Sequence[Path | None]]
"""(clock, population) and a month's place a draw, (n_draws,) -> the paths that lead to these months; None at place 0,
and where lines from month to month are fine enough."""

ROUNDING = 1e-6
"""By how much survival must fall below a level: a plateau at the level is left where survival falls again, and the
damped transform leaves no more digits at the end of a fine lattice."""


def place_below(survival: Floats, levels: Floats) -> Integers:
    """Return the first place at which survival : (n_draws, n) is below each draw's level; n where there is none."""
    below = is_below(survival, levels[:, None])
    return np.asarray(np.where(below.any(axis=1), below.argmax(axis=1), survival.shape[1]))


def is_below(survival: Floats, level: Floats | float) -> Booleans:
    """Return where survival is below a level, by more than rounding."""
    return np.asarray(survival < level - ROUNDING)


def least_below(times: Floats, survival: Floats, levels: Floats, place: Integers) -> Floats:
    """Return the time at which a line leads to each place : (n_draws,) and below the level; inf where there is none."""
    after, draw = np.where((place > 0) & (place < times.size), place, 1), np.arange(len(survival))
    return on_line(times, survival[draw, after - 1], survival[draw, after], levels, place)


def on_line(times: Floats, high: Floats, low: Floats, levels: Floats | float, place: Integers) -> Floats:
    """Return the same of survival before each place and at it."""
    inside = (place > 0) & (place < times.size)
    after = np.where(inside, place, 1)
    part = np.divide(high - levels, high - low, out=np.zeros(place.shape), where=inside & (high > low))
    crossed = times[after - 1] + np.clip(part, 0.0, 1.0) * (times[after] - times[after - 1])
    return np.where(inside, crossed, np.where(place == 0, times[0], np.inf))


def least_of_path(path: Path, level: float) -> float:
    """Return the least time from which on a path is below a level; its end if it is nowhere."""
    times, alive = path
    below = is_below(alive, level)
    place = int(below.argmax())
    if place == 0:
        return float(times[0] if below[0] else times[-1])
    high, low = alive[place - 1], alive[place]
    part = min(max((high - level) / (high - low), 0.0), 1.0) if high > low else 0.0
    return float(times[place - 1] + part * (times[place] - times[place - 1]))


def average(paths: Sequence[Path], weights: Sequence[float]) -> Path:
    """Return the path of a mixture of patients."""
    times = np.unique(np.concatenate([months for months, _ in paths]))
    left, right = np.zeros(times.size), np.zeros(times.size)
    for (months, alive), weight in zip(paths, weights, strict=True):
        first, last = np.searchsorted(months, times, "left"), np.searchsorted(months, times, "right") - 1
        first, last = np.minimum(first, months.size - 1), np.maximum(last, 0)
        # Between two points of its own a path is a line; at one, it has what comes before and what comes after.
        width = np.where(months[first] > months[last], months[first] - months[last], 1.0)
        part = np.clip((times - months[last]) / width, 0.0, 1.0)
        line = alive[last] + part * (alive[first] - alive[last])
        at_point = months[last] == times
        left += weight * np.where(at_point, alive[first], line)
        right += weight * np.where(at_point, alive[last], line)
    return np.repeat(times, 2), np.column_stack([left, right]).ravel()
