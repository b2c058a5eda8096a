"""First come, first served: everybody's requests for limited resources, through one time-ordered heap.

Each request takes the unit that is free first, unless another risk or the end of follow-up comes before (the servers'
workloads of Kiefer & Wolfowitz 1955, Trans Am Math Soc 78, 1, with impatience). That needs to know, when a unit is
granted, when it will be given back; where it depends on another wait, only the des engine can say.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.ward import INSTANTS, Intake, Requests, instant

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HALF = 0.5 / INSTANTS
NEVER = float("nan")


@dataclass(frozen=True)
class Rows:
    """Stretches of patients' lives, in months since each begins. Sequences : (n_rows,).

    place : the patient's place in the intake; begins : whether it is the patient's first
    asked, resource, expiry : the request that ends it, and when another risk ends the wait; inf if there is none
    granted_row, gone_row : the stretch that follows; -1 if none
    release : when the unit that it begins with is given back; ends : when the patient's follow-up, settled in it, ends
    latest : until when anything can happen to the patient, by the same
    """

    place: Integers
    resource: Integers
    begins: NDArray[np.bool_]
    asked: Sequence[float]
    expiry: Sequence[float]
    release: Sequence[float]
    ends: Sequence[float]
    latest: Sequence[float]
    granted_row: Sequence[int]
    gone_row: Sequence[int]


@dataclass(frozen=True)
class Served:
    """By row, months since the patient's entry: its start, and what became of its request. NaN: it never happened."""

    rows: Rows
    start: Floats
    granted: Floats
    gone: Floats
    released: Floats

    def requests(self, intake: Intake) -> Requests:
        """Return the wards' book, in calendar months."""
        made = np.flatnonzero(~(np.isnan(self.granted) & np.isnan(self.gone)))
        place = self.rows.place[made]
        asked = intake.origin[place] + (self.start[made] + np.asarray(self.rows.asked)[made])
        order = np.lexsort((self.rows.resource[made], place, np.rint(asked * INSTANTS)))
        made, place, asked = made[order], place[order], asked[order]

        def calendar(month: Floats) -> Floats:
            known = ~np.isnan(month[made])
            return np.where(known, intake.origin[place] + month[made], np.inf)

        return Requests(
            intake.patients[place],
            self.rows.resource[made],
            asked,
            calendar(self.granted),
            calendar(self.gone),
            calendar(self.released),
        )


def serve(rows: Rows, origin: Floats, units: Sequence[int]) -> Served:
    """Return when every row begins, and how every request ends. `units` : how many each resource has."""
    n = len(rows.asked)
    start, granted, gone, released = ([NEVER] * n for _ in range(4))
    end, latest = [np.inf] * origin.size, [np.inf] * origin.size
    origins, places, resources = origin.tolist(), rows.place.tolist(), rows.resource.tolist()
    asked, expiry, release, ends, granted_row = rows.asked, rows.expiry, rows.release, rows.ends, rows.granted_row
    limits, push, pop, replace, never = rows.latest, heapq.heappush, heapq.heappop, heapq.heapreplace, np.inf
    free = [[-np.inf] * each for each in units]
    instants, waiting, asking = _first(rows, origin, start, end, latest)
    later: list[tuple[int, int, int]] = []

    def begin(row: int, month: float) -> None:
        place = places[row]
        start[row] = month
        if ends[row] + month < end[place]:
            end[place] = ends[row] + month
        if limits[row] + month < latest[place]:
            latest[place] = limits[row] + month
        at = month + asked[row]
        if at <= latest[place] and at < never:
            push(later, (instant(origins[place] + at), place, row))

    number, known = 0, len(asking)
    while number < known or later:
        if later and (number == known or later[0] < (instants[number], waiting[number])):
            _, place, row = pop(later)
        else:
            place, row = waiting[number], asking[number]
            number += 1
        begun, zero, last = start[row], origins[place], end[place]
        at = begun + asked[row]
        beds = free[resources[row]]
        if beds[0] > zero + at + HALF:
            at = beds[0] - zero
            until = begun + expiry[row]
            if at >= (until if until < last else last) - HALF:
                gone[row] = min(until, last)
                if until <= latest[place] and rows.gone_row[row] >= 0:
                    begin(rows.gone_row[row], until)
                continue
        following = granted_row[row]
        granted[row] = at
        begin(following, at)
        back = at + release[following]
        released[row] = back = back if back < end[place] else end[place]
        replace(beds, zero + back)
    return Served(rows, *(np.array(each, dtype=np.float64) for each in (start, granted, gone, released)))


def _first(
    rows: Rows, origin: Floats, start: list[float], end: list[float], latest: list[float]
) -> tuple[list[int], list[int], list[int]]:
    """Begin everybody's first row, and return their requests in order: instants, places in the intake, rows."""
    begins = np.flatnonzero(rows.begins)
    places = rows.place[begins]
    start[:] = np.where(rows.begins, 0.0, NEVER).tolist()
    for theirs, told in ((end, rows.ends), (latest, rows.latest)):
        found = np.full(origin.size, np.inf)
        found[places] = np.asarray(told)[begins]
        theirs[:] = found.tolist()
    asked = np.asarray(rows.asked)[begins]
    asks = np.flatnonzero((asked <= np.asarray(rows.latest)[begins]) & np.isfinite(asked))
    instants = np.rint((origin[places[asks]] + asked[asks]) * INSTANTS).astype(np.int64)
    order = np.lexsort((places[asks], instants))
    chosen = asks[order]
    return instants[order].tolist(), places[chosen].tolist(), begins[chosen].tolist()
