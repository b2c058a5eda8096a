"""A sweep's answer in a sentence or two: the effect of one more bed, or the best and the worst cell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from simulator.analyses.sweep.run import Sweep
from simulator.arrays import Floats
from simulator.outcomes.uncertainty import Summary, of_means, read_off
from simulator.wording import resources, rounding
from simulator.wording.headline import difference_in_words, nothing_to_show, of_100
from simulator.wording.intervals import in_brackets
from simulator.wording.sweep_rows import displayed, lead


def answer(sweep: Sweep) -> str:
    """Return the plain-language answer, for `all` patients."""
    if sweep.lead is None or not np.isfinite(sweep.draws).any():
        return nothing_to_show(sweep.scenario.pathway)
    if len(sweep.grid) == 1:
        return f"{_of_100(sweep)}, {_number(_means(sweep)[0])} are alive {_when(sweep)} with {sweep.grid.label(0)}."
    resource = next((p for p, axis in enumerate(sweep.grid.axes) if _is_resource(sweep, p)), None)
    return _extremes(sweep) if resource is None else _one_more(sweep, resource)


def _is_resource(sweep: Sweep, place: int) -> bool:
    axis = sweep.grid.axes[place]
    return axis.table == "capacity" and len(axis.values) > 1


def _means(sweep: Sweep) -> Floats:
    """Return the lead outcome of every cell from the table : (n_cells,), per 100 patients."""
    outcome = lead(sweep)
    assert outcome is not None
    return outcome.values(sweep)[0].ravel()


def _extremes(sweep: Sweep) -> str:
    means = np.round(_means(sweep), 6)
    best, worst = int(np.nanargmax(means)), int(np.nanargmin(means))
    high, low, width = (_number(value) for value in (means[best], means[worst], means[best] - means[worst]))
    patients, when = _of_100(sweep), _when(sweep)
    if width == "0":
        return f"{patients}, {_number(means[0])} are alive {when} in every cell: what varies makes no difference."
    return (
        f"{patients}, {high} are alive {when} at best ({sweep.grid.label(best)}) and {low} at worst "
        f"({sweep.grid.label(worst)}): a difference of {width}{_interval(_difference(sweep, best, worst))}."
    )


def _one_more(sweep: Sweep, place: int) -> str:
    """Return the effect of a resource's second value against its first, in the slice with most losses while waiting."""
    axis = sweep.grid.axes[place]
    order = np.argsort(axis.values)
    fewer, more = int(order[0]), int(order[1])
    lost, wait = (_of_resource(sweep, axis.key, name) for name in ("lost_while_waiting", "wait_mean"))
    shape = [len(axis.values) for axis in sweep.grid.axes]
    most_lost = int(np.argmax(np.nan_to_num(_slice(lost, place, fewer))))
    at = list(np.unravel_index(most_lost, shape[:place] + shape[place + 1 :]))
    cells = [int(np.ravel_multi_index([*at[:place], index, *at[place:]], shape)) for index in (fewer, more)]
    others = [other for other in range(len(shape)) if other != place]
    where = ", ".join(sweep.grid.axes[other].label(sweep.grid.values(cells[0])[other]) for other in others)
    label = resources.label(sweep.scenario.pathway.resources[axis.key], int(axis.values[fewer]))
    difference = _difference(sweep, cells[1], cells[0])
    # "1.2 more (95 % interval 0.4 to 2.6) are", or "as many are".
    are = f"{difference_in_words(*(float(value) / 100.0 for value in difference[:3]))} are"
    losses, waits = ([outcome.flat[cell] for cell in cells] for outcome in (lost, wait))
    return (
        f"{_of_100(sweep)}, {are} alive {_when(sweep)} with {axis.values[more]:g} instead of "
        f"{axis.values[fewer]:g} {label}{f' ({where})' if where else ''}. {_waiting(losses, waits)}"
        f"{_saturation(sweep, place, [100.0 * sweep.draws.mean(axis=1).reshape(shape), np.nan_to_num(lost)])}"
    )


def _waiting(losses: Sequence[float], waits: Sequence[float]) -> str:
    """Return the losses and the mean wait; values : with fewer units and with more, NaN where nobody asks."""
    if np.isnan(losses).all():
        return "No patient requests one."
    lost = f"Of 100 patients who request one, {_instead(losses, ' are lost while waiting')}"
    if np.isnan(waits).all():
        return f"{lost}; none is served."
    return f"{lost}; the mean wait of patients served is {_instead(waits, ' days')}."


def _instead(values: Sequence[float], words: str) -> str:
    """Return "3 instead of 8 are lost", or "3 are lost either way"; values : with fewer units and with more."""
    before, after = ("none" if np.isnan(value) else _number(value) for value in values)
    return f"{after}{words} either way" if before == after else f"{after} instead of {before}{words}"


def _of_resource(sweep: Sweep, resource: str, outcome: str) -> Floats:
    row = next(row for row in displayed(sweep) if (row.resource, row.outcome) == (resource, outcome))
    return row.values(sweep)[0]


def _slice(values: Floats, place: int, index: int) -> Floats:
    return np.asarray(np.take(values, index, axis=place))


def _saturation(sweep: Sweep, place: int, outcomes: list[Floats]) -> str:
    """Return above which number of units no displayed outcome changes, in any slice of the grid."""
    axis = sweep.grid.axes[place]
    order = [int(index) for index in np.argsort(axis.values)]
    # The table and the figures display survival in whole patients per 100.
    rounded = [np.round(outcome) for outcome in outcomes]
    alike = [
        all(np.array_equal(_slice(values, place, before), _slice(values, place, after)) for values in rounded)
        for before, after in pairwise(order)
    ]
    enough = len(alike)
    while enough and alike[enough - 1]:
        enough -= 1
    if enough == len(alike):
        return ""
    count = int(axis.values[order[enough]])
    label = resources.label(sweep.scenario.pathway.resources[axis.key], count)
    more = f"More than {resources.number(count)} {label} {'changes' if count == 1 else 'change'}"
    return f" {more} no result by as much as one patient in 100."


def _of_100(sweep: Sweep) -> str:
    return of_100(sweep.scenario.pathway)


def _when(sweep: Sweep) -> str:
    outcome = lead(sweep)
    assert outcome is not None
    return outcome.label.removeprefix("alive ").removesuffix(", %")


def _difference(sweep: Sweep, cell: int, other: int) -> Summary:
    """Return the difference between two cells, per 100 patients."""
    difference = read_off(lambda one, two: 100.0 * (one - two), sweep.leading[cell], sweep.leading[other])
    return of_means(difference.values, difference.noise**2)



def _interval(difference: Summary) -> str:
    estimate, lower, upper = (float(end) for end in difference[:3])
    return in_brackets(lower, upper, "%", estimate)


def _number(value: float) -> str:
    return rounding.number(value, "%")
