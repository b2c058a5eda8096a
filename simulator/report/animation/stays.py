"""Where every patient is, month by month: stays in states, each at a place of its box, and waits for resources."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import pandas as pd

from simulator.engines.trajectories import MOMENT
from simulator.experiment.events import Histories
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario


@dataclass
class Stay:
    """A patient's stay in a state, in months from the page's start; slot : the place in the box, the lowest free."""

    patient: int
    state: str
    since: float
    until: float
    slot: int = 0


@dataclass(frozen=True)
class Wait:
    """A patient's wait for a unit of a resource; `until` is infinite where it does not end."""

    patient: int
    resource: str
    since: float
    until: float


def stays_of(pathway: Pathway, clock: str | None, one: Histories, horizon: float) -> list[Stay]:
    """Return the stays that last, to the horizon, by patient and time.

    clock : months count from its start, and what is before it is left out; None: calendar months
    """
    starts: dict[Any, float] = {}
    if clock is not None:
        at_start = one.events[one.events["state"] == pathway.clocks[clock]]
        starts = at_start.groupby("patient")["month"].min().to_dict()
    stays = []
    number: Any
    for number, events in one.events.groupby("patient", sort=True):
        if clock is not None and number not in starts:
            continue
        column = "month" if clock is not None else "calendar_month"
        months = (events[column] - starts.get(number, 0.0)).tolist()
        for state, since, until in zip(events["state"], months, [*months[1:], inf], strict=True):
            # No time passes at a choice.
            if until - since > MOMENT and since <= horizon and (clock is None or until > MOMENT):
                stays.append(Stay(int(number), str(state), since, until))
    _give_places(stays)
    return stays


def _give_places(stays: Sequence[Stay]) -> None:
    """Give every stay the lowest place of its state's box that is free when it begins."""
    by_state: dict[str, list[Stay]] = {}
    for stay in sorted(stays, key=lambda stay: (stay.since, stay.patient)):
        by_state.setdefault(stay.state, []).append(stay)
    for of_state in by_state.values():
        free: list[int] = []
        leaving: list[tuple[float, int]] = []
        most = 0
        for stay in of_state:
            while leaving and leaving[0][0] <= stay.since:
                heapq.heappush(free, heapq.heappop(leaving)[1])
            if free:
                stay.slot = heapq.heappop(free)
            else:
                stay.slot, most = most, most + 1
            heapq.heappush(leaving, (stay.until, stay.slot))


def waits_of(one: Histories, horizon: float) -> Iterator[Wait]:
    """Yield the waits for limited resources that last, in calendar months to the horizon."""
    for row in [] if one.requests is None else one.requests.to_dict("records"):
        until = min((row[end] for end in ("granted", "gone") if not pd.isna(row[end])), default=inf)
        if until - row["asked"] > MOMENT and row["asked"] <= horizon and until > 0.0:
            yield Wait(int(row["patient"]), str(row["resource"]), float(row["asked"]), float(until))


def most_at_once(stays: Sequence[Stay], states: Sequence[str]) -> dict[str, int]:
    """Return the number of places of every state's box."""
    most = dict.fromkeys(states, 0)
    for stay in stays:
        most[stay.state] = max(most[stay.state], stay.slot + 1)
    return most


def most_waiting(waits: Sequence[Wait]) -> int:
    """Return the most patients who wait at one time."""
    changes = sorted([(wait.since, 1) for wait in waits] + [(wait.until, -1) for wait in waits])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def ways(of_scenarios: Sequence[Sequence[Stay]], start: str | None) -> list[tuple[str, str]]:
    """Return the arrows between states that anybody takes. start : where all come from, None: where they first stay"""
    taken: dict[tuple[str, str], None] = {}
    for stays in of_scenarios:
        before = Stay(-1, "", 0.0, 0.0)
        for stay in stays:
            source = before.state if stay.patient == before.patient else start
            if source is not None and source != stay.state:
                taken[source, stay.state] = None
            before = stay
    return list(taken)


def calendar(scenario: Scenario, resource: str) -> list[tuple[float, int]]:
    """Return from which months on a scenario has how many units; none where they are unlimited, or offered and lost."""
    capacity = scenario.capacity.get(resource)
    return [] if capacity is None or capacity.offered_every is not None else list(capacity.calendar)
