"""A sweep's answer in a sentence or two: what one more bed buys, or its best and its worst cell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from simulator.analyses.sweep.run import Sweep
from simulator.arrays import Floats
from simulator.outcomes.uncertainty import Summary, of_means, read_off
from simulator.wording import resources, rounding
from simulator.wording.headline import more_or_fewer, nothing_to_show, of_100
from simulator.wording.sweep_rows import Shown, lead, shown


def answer(sweep: Sweep) -> str:
    """Return the plain-language answer, for `all` patients."""
    if sweep.lead is None or not np.isfinite(sweep.draws).any():
        return nothing_to_show(sweep.scenario.pathway)
    if len(sweep.grid) == 1:
        return f"{_who(sweep)}, {_number(_means(sweep)[0])} are alive {_when(sweep)} with {sweep.grid.told(0)}."
    resource = next((p for p, axis in enumerate(sweep.grid.axes) if _is_resource(sweep, p)), None)
    return _extremes(sweep) if resource is None else _one_more(sweep, resource)


def _is_resource(sweep: Sweep, place: int) -> bool:
    axis = sweep.grid.axes[place]
    return axis.table == "capacity" and len(axis.values) > 1


def _means(sweep: Sweep) -> Floats:
    """Return the lead outcome of every cell : (n_cells,), of 100 patients, as the table has it."""
    found = lead(sweep)
    assert found is not None
    return found.values(sweep)[0].ravel()


def _extremes(sweep: Sweep) -> str:
    means = np.round(_means(sweep), 6)
    best, worst = int(np.nanargmax(means)), int(np.nanargmin(means))
    apart = means[best] - means[worst]
    if _number(apart) == "0":
        return f"{_who(sweep)}, {_number(means[0])} are alive {_when(sweep)} whatever varies: it does not matter here."
    high, low = (_number(means[cell]) for cell in (best, worst))
    difference = _apart(sweep, best, worst)
    return (
        f"{_who(sweep)}, {high} are alive {_when(sweep)} at best ({sweep.grid.told(best)}) and {low} at worst "
        f"({sweep.grid.told(worst)}): {_number(apart)} apart{_interval(difference)}."
    )


def _one_more(sweep: Sweep, place: int) -> str:
    """Return what the second value of a resource brings over the first, where most are lost while they wait."""
    axis = sweep.grid.axes[place]
    order = np.argsort(axis.values)
    fewer, more = int(order[0]), int(order[1])
    lost, wait = (_of_resource(sweep, axis.key, name) for name in ("lost_while_waiting", "wait_mean"))
    shape = [len(axis.values) for axis in sweep.grid.axes]
    at = list(np.unravel_index(int(np.argmax(np.nan_to_num(_slice(lost, place, fewer)))), _without(shape, place)))
    cells = [int(np.ravel_multi_index([*at[:place], index, *at[place:]], shape)) for index in (fewer, more)]
    others = [each for each in range(len(shape)) if each != place]
    where = ", ".join(sweep.grid.axes[each].told(sweep.grid.values(cells[0])[each]) for each in others)
    label = resources.label(sweep.scenario.pathway.resources[axis.key], int(axis.values[fewer]))
    gained = _more(_apart(sweep, cells[1], cells[0]))
    losses, waits = ([each.flat[cell] for cell in cells] for each in (lost, wait))
    return (
        f"{_who(sweep)}, {gained} alive {_when(sweep)} with {axis.values[more]:g} instead of "
        f"{axis.values[fewer]:g} {label}{f' ({where})' if where else ''}. {_waiting(losses, waits)}"
        f"{_enough(sweep, place, [100.0 * sweep.draws.mean(axis=1).reshape(shape), np.nan_to_num(lost)])}"
    )


def _waiting(losses: Sequence[float], waits: Sequence[float]) -> str:
    """Return how many are lost and how long the others wait; values : as of `_instead`, NaN of nobody."""
    if np.isnan(losses).all():
        return "Nobody asks for one."
    lost = f"Of 100 who ask for one, {_instead(losses, ' are lost while they wait')}"
    if np.isnan(waits).all():
        return f"{lost}; nobody is served."
    return f"{lost}; of those served the mean wait is {_instead(waits, ' days')}."


def _instead(values: Sequence[float], what: str) -> str:
    """Return "3 instead of 8 are lost", or "3 are lost either way"; values : with fewer units, and with more."""
    before, after = ("none" if np.isnan(value) else _number(value) for value in values)
    return f"{after}{what} either way" if before == after else f"{after} instead of {before}{what}"


def _of_resource(sweep: Sweep, resource: str, outcome: str) -> Floats:
    found: Shown = next(each for each in shown(sweep) if (each.resource, each.outcome) == (resource, outcome))
    return np.asarray(found.values(sweep)[0])


def _slice(values: Floats, place: int, index: int) -> Floats:
    return np.asarray(np.take(values, index, axis=place))


def _without(shape: list[int], place: int) -> tuple[int, ...]:
    return tuple(size for each, size in enumerate(shape) if each != place)


def _enough(sweep: Sweep, place: int, outcomes: list[Floats]) -> str:
    """Return from how many units on nothing that shows is gained, in any slice of the grid."""
    axis = sweep.grid.axes[place]
    order = [int(each) for each in np.argsort(axis.values)]
    # As whole patients of 100, which is how the table and the figures tell survival.
    shown = [np.round(outcome) for outcome in outcomes]
    alike = [
        all(np.array_equal(_slice(each, place, before), _slice(each, place, after)) for each in shown)
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
    return f" {more} nothing that shows in whole numbers of 100 patients."


def _who(sweep: Sweep) -> str:
    return of_100(sweep.scenario.pathway)


def _when(sweep: Sweep) -> str:
    found = lead(sweep)
    assert found is not None
    return found.label.removeprefix("alive ").removesuffix(", %")


def _apart(sweep: Sweep, cell: int, other: int) -> Summary:
    """Return how far two cells are apart, of 100 patients."""
    found = read_off(lambda one, two: 100.0 * (one - two), sweep.leading[cell], sweep.leading[other])
    return of_means(found.values, found.noise**2)


def _more(difference: Summary) -> str:
    """Return "1.2 more (95 % interval +0.4 to +2.6) are", or "as many are"."""
    return f"{more_or_fewer(float(difference.estimate) / 100.0)}{_interval(difference, sign='+')} are"


def _interval(difference: Summary, *, sign: str = "") -> str:
    estimate, lower, upper = (float(each) for each in difference[:3])
    ends = rounding.interval(lower, upper, "%", estimate, sign=sign)
    return "" if ends is None else f" (95 % interval {ends[0]} to {ends[1]})"


def _number(value: float) -> str:
    return rounding.number(value, "%")
