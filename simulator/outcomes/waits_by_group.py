"""Who waits for a resource, and who is lost: by the state they wait in, their attributes and their priority class.

A request belongs to the state that its patient entered last, of those in which patients wait for the resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from simulator.arrays import Booleans, Floats, Integers
from simulator.engines.requests import Requests
from simulator.engines.trajectories import Trajectories
from simulator.outcomes.resource_use import LATE, Values, of_resource
from simulator.pathway.pathway import Pathway
from simulator.scenario.capacity import STATE, Capacity, waiting_for

PRIORITY, REST = "priority", "the rest"
"""Group of the classes of a capacity's priority; those who are in none of its levels come last."""
OUTCOMES = ("requests_per_year", "wait_mean", "wait_90th_percentile", "lost_while_waiting", "lost_per_year")
"""Outcomes of a group, next to the shares that wait for longer than so many days."""
SAME_INSTANT = 1e-6
"""Months by which a request may seem to come before the entry into its state, by rounding."""

Group = tuple[str, str]
"""What patients are grouped by (a state, an attribute, a priority), and the state, level or class."""


def of_groups(
    requests: Requests,
    block: Trajectories,
    origin: Floats,
    pathway: Pathway,
    resource: str,
    capacity: Capacity,
    first: float,
    last: float,
    wait_days: Iterable[int] = (),
) -> dict[Group, Values]:
    """Return the outcomes of the requests of every group, made in calendar months from `first` to `last`.

    requests : for the resource; origin : (n_patients,) calendar month of entry
    """
    days = tuple(wait_days)
    outcomes: dict[Group, Values] = {}
    for group, members in _groups(requests, block, origin, pathway, resource, capacity):
        values = of_resource(requests.only(members), capacity, first, last, days)
        outcomes[group] = {name: value for name, value in values.items() if name in OUTCOMES or LATE.fullmatch(name)}
    return outcomes


def _groups(
    requests: Requests, block: Trajectories, origin: Floats, pathway: Pathway, resource: str, capacity: Capacity
) -> Iterator[tuple[Group, Booleans]]:
    """Yield every group, and which requests belong to it. There is no group of states where there is one state."""
    order = np.argsort(block.patients)
    place = order[np.searchsorted(block.patients[order], requests.patients)]
    states = waiting_for(pathway, resource)
    groups: dict[str, dict[str, Booleans]] = {}
    if len(states) > 1:
        waited_in = _waited_in(requests, place, block, origin, states)
        groups[STATE] = {state: waited_in == number for number, state in enumerate(states)}
    for name, attribute in pathway.attributes.items():
        level = block.levels[name][place]
        groups[name] = {value: level == number for number, value in enumerate(attribute.levels)}
    if capacity.ranks is not None and capacity.ranks[0] in groups:
        by, ranked = capacity.ranks
        rest = np.logical_and.reduce([~groups[by][value] for value in ranked])
        groups[PRIORITY] = {**{value: groups[by][value] for value in ranked}, REST: rest}
    for by, members in groups.items():
        for value, chosen in members.items():
            yield (by, value), chosen


def _waited_in(requests: Requests, place: Integers, block: Trajectories, origin: Floats, states: list[str]) -> Integers:
    """Return the number of the state in which the patient of every request waits : (n_requests,)."""
    entries = [
        (who, origin[who] + month, np.full(who.size, number))
        for number, state in enumerate(states)
        for who, month in block.entered.get(state, ())
    ]
    asked = (place, requests.requested + SAME_INSTANT, np.full(place.size, -1))
    who, month, state = (np.concatenate(columns) for columns in zip(*entries, asked, strict=True))
    order = np.lexsort((state < 0, month, who))
    latest = np.maximum.accumulate(np.where(state[order] >= 0, np.arange(order.size), 0))
    waited_in = np.empty(order.size, dtype=np.int64)
    waited_in[order] = state[order][latest]
    return waited_in[order.size - place.size :]
