"""A sweep's answer in a sentence or two: the effect of one more bed, or the best and the worst cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.analyses.sweep.run import Sweep
from simulator.arrays import Floats
from simulator.outcomes.uncertainty import of_means, read_off, same_sign
from simulator.wording import resources, rounding
from simulator.wording.difference import Difference
from simulator.wording.headline import nothing_to_show, of_100
from simulator.wording.sweep_rows import displayed, lead


def answer(sweep: Sweep) -> str:
    """Return the plain-language answer, for `all` patients."""
    outcome = lead(sweep)
    if outcome is None or not np.isfinite(sweep.draws).any():
        return nothing_to_show(sweep.scenario.pathway)
    alive, means = outcome.label.removesuffix(", %"), outcome.values(sweep)[0].ravel()
    if len(sweep.grid) == 1:
        return f"{of_100(sweep.scenario.pathway)}, {_number(means[0])} are {alive} with {sweep.grid.label(0)}."
    axes = sweep.grid.axes
    varied = [place for place, axis in enumerate(axes) if axis.table == "capacity" and len(axis.values) > 1]
    return _one_more(sweep, varied[0], alive) if varied else _extremes(sweep, means, alive)


def _extremes(sweep: Sweep, means: Floats, alive: str) -> str:
    """Return the best and the worst cell. means : (n_cells,) per 100 patients"""
    patients, means = of_100(sweep.scenario.pathway), np.round(means, 6)
    best, worst = int(np.nanargmax(means)), int(np.nanargmin(means))
    high, low, width = (_number(value) for value in (means[best], means[worst], means[best] - means[worst]))
    if width == "0":
        return f"{patients}, {_number(means[0])} are {alive} in every cell: what varies makes no difference."
    difference = between_cells(sweep, best, worst)
    return difference.lead(
        f"{patients}, {high} are {alive} at best ({sweep.grid.label(best)}) and {low} at worst "
        f"({sweep.grid.label(worst)}): a difference of {width}{difference.in_brackets}."
    )


def _one_more(sweep: Sweep, place: int, alive: str) -> str:
    """Return the effect of a resource's second value against its first, in the slice with most losses while waiting."""
    axes, axis = sweep.grid.axes, sweep.grid.axes[place]
    fewer, more = np.sort(axis.values)[:2]
    rows = {row.outcome: row for row in displayed(sweep) if row.resource == axis.key}
    lost, wait = (rows[name].values(sweep)[0] for name in ("lost_while_waiting", "wait_mean"))
    numbers = np.arange(len(sweep.grid), dtype=float)
    cells, lost, wait = (_by_units(sweep, place, values) for values in (numbers, lost, wait))
    most_lost = int(np.argmax(np.nan_to_num(lost[0])))
    before, after = (int(cell) for cell in cells[:2, most_lost])
    others = zip(axes, sweep.grid.values(before), strict=True)
    where = ", ".join(other.label(value) for other, value in others if other is not axis)
    label = sweep.scenario.pathway.resources[axis.key].labelled(int(fewer))
    difference = between_cells(sweep, after, before)
    survival = _by_units(sweep, place, 100.0 * sweep.draws.mean(axis=1))
    with_more = (
        f"{difference.words} are {alive} with {more:g} instead of {fewer:g} {label}{f' ({where})' if where else ''}"
    )
    return (
        f"{difference.lead(f'{of_100(sweep.scenario.pathway)}, {with_more}')}. "
        f"{_waiting(lost[:2, most_lost], wait[:2, most_lost])}"
        f"{_saturation(sweep, place, [survival, np.nan_to_num(lost)])}"
    )


def _by_units(sweep: Sweep, place: int, values: Floats) -> Floats:
    """Return the values of cells : (n_units, n_slices), by an axis' values as they rise, and by those of all others."""
    by_axes = values.reshape([len(axis.values) for axis in sweep.grid.axes])
    order = np.argsort(sweep.grid.axes[place].values)
    rising: Floats = np.moveaxis(by_axes, place, 0)[order].reshape(len(order), -1)
    return rising


def _waiting(losses: Floats, waits: Floats) -> str:
    """Return the losses and the mean wait; values : with fewer units and with more, NaN if no patient requests one."""
    if np.isnan(losses).all():
        return "No patient requests one."
    lost = f"Of 100 patients who request one, {_instead(losses, ' are lost while waiting')}"
    if np.isnan(waits).all():
        return f"{lost}; none is served."
    return f"{lost}; the mean wait of patients served is {_instead(waits, ' days')}."


def _instead(values: Floats, words: str) -> str:
    """Return "3 instead of 8 are lost", or "3 are lost either way"; values : with fewer units and with more."""
    before, after = ("none" if np.isnan(value) else _number(value) for value in values)
    return f"{after}{words} either way" if before == after else f"{after} instead of {before}{words}"


def _saturation(sweep: Sweep, place: int, outcomes: Sequence[Floats]) -> str:
    """Return above which number of units no displayed outcome changes, in any slice. outcomes : see `_by_units`"""
    # The table and the figures display survival in whole patients per 100.
    rounded = np.round(outcomes)
    changes = np.flatnonzero((rounded[:, 1:] != rounded[:, :-1]).any(axis=(0, 2)))
    enough = int(changes[-1]) + 1 if len(changes) else 0
    axis = sweep.grid.axes[place]
    if enough == len(axis.values) - 1:
        return ""
    count = int(np.sort(axis.values)[enough])
    label = sweep.scenario.pathway.resources[axis.key].labelled(count)
    more = f"More than {resources.number(count)} {label} {'changes' if count == 1 else 'change'}"
    return f" {more} no result by as much as one patient in 100."


def between_cells(sweep: Sweep, cell: int, other: int) -> Difference:
    """Return the difference between two cells."""
    difference = read_off(lambda one, two: one - two, sweep.leading[cell], sweep.leading[other])
    estimate, lower, upper, _ = of_means(difference.values, difference.noise**2)
    return Difference(float(estimate), float(lower), float(upper), float(same_sign(difference.values, estimate)))


def _number(value: float) -> str:
    return rounding.number(value, "%")
