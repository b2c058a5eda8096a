"""Capacity: how many units of a resource there are and when, how they are handed out, and which patients come first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from simulator.calendar import instant
from simulator.errors import InputError, UnknownNameError
from simulator.files.toml import Table, refusal
from simulator.pathway.pathway import LONGEST_WAY, Pathway, State, reachable

Number = Annotated[float, Field(allow_inf_nan=False)]
STATE = "state"
"""The key of a priority by the state that patients wait in."""

MOST_UNITS = 100_000
CALENDAR = "[{ from_month = 0, units = 2 }, { from_month = 12, units = 3 }]"


class Step(Table):
    """From a month on there are so many units."""

    from_month: Annotated[Number, Field(le=LONGEST_WAY)] = Field(description="calendar month, 0 first")
    units: Number = Field(description="a whole number up to 100,000; 0 closes the resource")


def _as_steps(value: Any) -> Any:
    if isinstance(value, list):
        return value
    if _is_number(value):
        return [{"from_month": 0.0, "units": value}]
    raise refusal("not a number of units", allowed=f"a whole number of units, or a calendar: {CALENDAR}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class CapacityTable(Table):
    """A limited resource. A number alone is its units."""

    units: Annotated[list[Step], BeforeValidator(_as_steps, json_schema_input_type=float | list[Step])] = Field(
        description="how many, or a calendar of steps; patients keep their unit when the number falls"
    )
    offered_every_months: Annotated[Number, Field(ge=0.01, le=LONGEST_WAY)] | None = Field(
        None, description="months between offers of units (0.01 or more), from month 0; unused units are lost"
    )
    priority: dict[str, list[str]] | None = Field(
        None,
        description="served first, in order: attribute = levels, or state = states; the rest last; ties by request",
    )


def _as_table(value: Any) -> Any:
    if isinstance(value, dict | CapacityTable):
        return value
    if isinstance(value, list):
        raise refusal("a calendar without the key 'units'", allowed=f"{{ units = {CALENDAR} }}")
    if _is_number(value):
        return {"units": value}
    keys = ", ".join(CapacityTable.model_fields)
    raise refusal("not a number of units", allowed=f"a whole number of units, or a table with {keys}")


Told = Annotated[CapacityTable, BeforeValidator(_as_table, json_schema_input_type=float | CapacityTable)]


@dataclass(frozen=True)
class Capacity:
    """A limited resource. `calendar` : (from month, units), the first from month 0.

    `offered_every` : None where a unit is held and given back; else months between offers of all units.
    `ranks` : attribute, or "state", and the levels or states that come first, in this order.
    """

    calendar: tuple[tuple[float, int], ...]
    offered_every: float | None = None
    ranks: tuple[str, tuple[str, ...]] | None = None

    @property
    def units(self) -> int:
        """How many there are when they are always as many."""
        return self.calendar[0][1]

    @property
    def is_constant(self) -> bool:
        return len(self.calendar) == 1

    def mean_units(self, first: float, last: float) -> float:
        """Return the mean number of units between two months, or of units offered a month."""
        edges = [month for month, _ in self.calendar[1:] if first < month < last]
        total = 0.0
        for begin, end in zip([first, *edges], [*edges, last], strict=True):
            total += (end - begin) * self.units_a_month(begin)
        return total / (last - first)

    def units_a_month(self, month: float) -> float:
        """Return how many units there are at a month, or are offered a month then."""
        return self.at(month) / (self.offered_every or 1.0)

    def offers(self, first: float, last: float) -> int:
        """Return how many units are offered between two months, the first included."""
        assert self.offered_every is not None
        begin, end = (math.ceil(month / self.offered_every - 1e-9) for month in (first, last))
        return sum(self.at(number * self.offered_every) for number in range(begin, end))

    def at(self, month: float) -> int:
        """Return how many units there are at a month."""
        now = instant(month)
        return next((units for begin, units in reversed(self.calendar) if instant(begin) <= now), self.calendar[0][1])


def read(
    pathway: Pathway, tables: Mapping[str, CapacityTable], where: str, base: Mapping[str, Capacity]
) -> dict[str, Capacity]:
    """Return the capacities of a scenario's file over its base's. Raises InputError naming the key at fault."""
    capacities = dict(base)
    for resource, table in tables.items():
        place = f"{where}: [capacity] {resource}"
        if resource not in pathway.resources:
            raise UnknownNameError("resource", resource, pathway.resources, place)
        calendar = _calendar(table.units, place)
        ranks = None if table.priority is None else _ranks(pathway, resource, table.priority, f"{place} priority")
        capacities[resource] = replace(capacities.get(resource, Capacity(calendar)), calendar=calendar)
        if table.offered_every_months is not None:
            capacities[resource] = replace(capacities[resource], offered_every=table.offered_every_months)
        if ranks is not None:
            capacities[resource] = replace(capacities[resource], ranks=ranks)
        if pathway.states[pathway.start].holds == resource:
            raise InputError(f"patients start in '{pathway.start}', which holds it: they cannot wait", where=place)
    for resource, limits in capacities.items():
        # A base's priority may be of another pathway.
        if limits.ranks is not None and resource in pathway.resources:
            by, order = limits.ranks
            _ranks(pathway, resource, {by: order}, f"{where}: [capacity] {resource} priority")
    return capacities


def _calendar(steps: Sequence[Step], where: str) -> tuple[tuple[float, int], ...]:
    if not steps or steps[0].from_month != 0.0:
        got = steps[0].from_month if steps else "nothing"
        raise InputError("the calendar does not start at month 0", where=where, got=got, allowed="from_month = 0 first")
    for before, after in pairwise(steps):
        if after.from_month <= before.from_month:
            raise InputError(
                "the calendar is out of order",
                where=where,
                got=f"from_month {after.from_month:g} after {before.from_month:g}",
                allowed="every from_month later than the one before",
            )
    for step in steps:
        if step.units > MOST_UNITS:
            allowed = f"up to {MOST_UNITS:,}; for no limit, leave the resource out of [capacity]"
            raise InputError("too many units", where=where, got=step.units, allowed=allowed)
        if step.units < (0 if len(steps) > 1 else 1) or step.units != int(step.units):
            least = "0, 1, 2, ..." if len(steps) > 1 else "1, 2, 3, ..., or no entry: no limit"
            raise InputError("not a whole number above zero", where=where, got=step.units, allowed=least)
    if not any(step.units for step in steps):
        raise InputError("never open", where=where, got=0, allowed="a number of units above zero in some month")
    return tuple((float(step.from_month), int(step.units)) for step in steps)


def _ranks(
    pathway: Pathway, resource: str, priority: Mapping[str, Sequence[str]], where: str
) -> tuple[str, tuple[str, ...]]:
    if len(priority) != 1:
        what = "more than one priority" if priority else "no priority"
        raise InputError(what, where=where, got=", ".join(priority) or None, allowed=f"one: {STATE}, or an attribute")
    (by, order), *_ = priority.items()
    if by != STATE and by not in pathway.attributes:
        raise UnknownNameError("attribute", by, (STATE, *pathway.attributes), where)
    known = waiting_for(pathway, resource) if by == STATE else pathway.attributes[by].levels
    if not order:
        raise InputError("no patients are given priority", where=f"{where} {by}", got=[], allowed=", ".join(known))
    for value in order:
        if by == STATE and value in pathway.states and value not in known:
            raise InputError(
                f"no patients wait for this resource in '{value}'", where=where, got=value, allowed=", ".join(known)
            )
        if value not in known:
            raise UnknownNameError("state" if by == STATE else f"level of {by}", value, known, where)
        if order.count(value) > 1:
            raise InputError(f"'{value}' is listed twice", where=where, got=list(order), allowed="each once")
    return by, tuple(order)


def waiting_for(pathway: Pathway, resource: str) -> list[str]:
    """Return the states in which patients can wait for a resource."""

    def asks(state: State) -> bool:
        onward = (pathway.states[transition.to].holds for transition in state.transitions)
        return state.holds != resource and resource in onward

    return [name for name, state in pathway.states.items() if asks(state)]


def beyond_microsim(pathway: Pathway, capacity: Mapping[str, Capacity]) -> str | None:
    """Return why only the des engine can run these limits; None if microsim's queues can."""
    for resource, limits in capacity.items():
        if limits.ranks is not None:
            return f"[capacity] {resource} has a priority"
        if not limits.is_constant:
            return f"[capacity] {resource} has a calendar"
        if not limits.units:
            return f"[capacity] {resource} has no units"
        if limits.offered_every is not None:
            return f"[capacity] {resource} is offered at intervals"
    limited = {name for name, state in pathway.states.items() if state.holds in capacity}
    before_milestone = pathway.times_carried_forward
    for name, state in pathway.states.items():
        onward = [way.to for way in state.transitions if way.to in limited]
        requested = [to for to in onward if pathway.states[to].holds != state.holds]
        if len(requested) > 1:
            return f"patients in '{name}' may request two units at once"
        if requested and name in before_milestone:
            return f"patients may wait in '{name}', and a milestone after it ends when it would without the wait"
        if requested and name in limited:
            return f"patients in '{name}' hold one unit while they wait for another"
    return None


def load_is_unknown(pathway: Pathway, capacity: Mapping[str, Capacity]) -> str | None:
    """Return why loads below 1 do not show that queues stay bounded; None if they do."""
    states = pathway.states
    requested = {
        name: {states[transition.to].holds for transition in state.transitions} & set(capacity) - {state.holds}
        for name, state in states.items()
    }
    if blocking := [f"'{name}'" for name, state in states.items() if requested[name] and state.holds in capacity]:
        return f"patients in {' and '.join(blocking)} hold one unit while they wait for another"
    if two := [f"'{name}'" for name in states if len(requested[name]) > 1]:
        return f"patients in {' and '.join(two)} may request two units at once"
    if len(capacity) > 1 and any(limits.ranks is not None for limits in capacity.values()):
        return "there are several resources, and a priority"
    return None


def lasting(pathway: Pathway, ways: Mapping[str, Sequence[str]], capacity: Mapping[str, Capacity]) -> frozenset[str]:
    """Return the states that hold a limited resource, or from which patients may come to one.

    There patients are followed beyond the horizon: they keep others waiting. `ways` : state -> where it may lead
    """
    limited = {name for name, state in pathway.states.items() if state.holds in capacity}
    before = {name: [state for state in ways if name in ways[state]] for name in ways}
    return frozenset(reachable(limited, before.__getitem__))


def doubles(pathway: Pathway, ways: Mapping[str, Sequence[str]], capacity: Mapping[str, Capacity]) -> str | None:
    """Return in which state waits double what microsim must simulate beforehand; None if there is none.

    There both ways out of a wait, by a grant and by another risk, may lead back to it.
    ways : state -> where it may lead
    """
    states = pathway.states
    for name in ways:
        back = [to for to in ways[name] if states[name].kind == "sojourn" and name in reachable([to], ways.__getitem__)]
        requests = [states[to].holds in capacity and states[to].holds != states[name].holds for to in back]
        if any(requests) and not all(requests):
            return f"patients return to '{name}' even if they are not granted a unit there"
    return None
