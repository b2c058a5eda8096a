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

PARTS = 8
"""Lines that stand for a bent curve within a cell of the lattice: they miss it by 0.001 of its fall at most."""


def place_below(survival: Floats, levels: Floats) -> Integers:
    """Return the first place at which survival : (n_draws, n) is below each draw's level; n where there is none."""
    below = is_below(survival, levels[:, None])
    return np.asarray(np.where(below.any(axis=1), below.argmax(axis=1), survival.shape[1]))


def is_below(survival: Floats, level: Floats | float) -> Booleans:
    """Return where survival is below a level, by more than rounding."""
    return np.asarray(survival < level - ROUNDING)


def least_below(times: Floats, survival: Floats, means: Floats, levels: Floats, place: Integers) -> Floats:
    """Return the times at which curves lead to places : (n_draws,) and below the level; inf where there is none."""
    after, draw = np.where((place > 0) & (place < times.size), place, 1), np.arange(len(survival))
    around = survival[draw, after - 1], survival[draw, after], means[draw, after - 1]
    return on_curve(times, *around, levels, place)


def on_curve(times: Floats, high: Floats, low: Floats, mean: Floats, levels: Floats | float, place: Integers) -> Floats:
    """Return the same of survival before each place and at it, and its mean between.

    A density on a slope has that mean. In the part x of a cell, with a moment e, at most a sixth of the mass m, die

        m x - 6 e x (1 - x)
    """
    inside = (place > 0) & (place < times.size)
    after = np.where(inside, place, 1)
    dead, mass, moment = high - levels, high - low, _moment(high, low, mean)
    start = mass - 6.0 * moment
    root = start + np.sqrt(np.clip(start**2 + 24.0 * moment * dead, 0.0, None))
    part = np.divide(2.0 * dead, root, out=np.zeros(place.shape), where=inside & (mass > 0.0) & (root > 0.0))
    crossed = times[after - 1] + np.clip(part, 0.0, 1.0) * (times[after] - times[after - 1])
    return np.where(inside, crossed, np.where(place == 0, times[0], np.inf))


def path_of_cell(ends: Floats, alive: Floats, mean: float) -> Path:
    """Return the same curve as a path. ends, alive : (2,) the cell's months, and survival at them"""
    part = np.linspace(0.0, 1.0, PARTS + 1)
    high, low = alive
    dead = (high - low) * part - 6.0 * _moment(high, low, mean) * part * (1.0 - part)
    return ends[0] + part * (ends[1] - ends[0]), high - dead


def _moment(high: Floats, low: Floats, mean: Floats | float) -> Floats:
    """Return deaths times how far after the middle of their cell they are, in cells, as a line can have it."""
    most = (high - low) / 6.0
    return np.asarray(np.clip(mean - 0.5 * (high + low), -most, most))


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
