"""First come, first served: everybody's requests for limited resources, through one time-ordered heap.

Each request takes the unit that is free first, unless another risk comes before (the servers' workloads of Kiefer &
Wolfowitz 1955, Trans Am Math Soc 78, 1, with impatience). That needs to know, when a unit is granted, when it will be
given back; where it depends on another wait, only the des engine can say.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.arrays import Booleans, Floats, Integers
from simulator.calendar import INSTANTS, instant
from simulator.engines.requests import Arrivals, Requests

HALF = 0.5 / INSTANTS
NEVER = float("nan")


@dataclass(frozen=True)
class SegmentTable:
    """Segments of patients' lives, in months since each begins; what follows a row comes after it. Arrays : (n_rows,).

    place : the patient's place in the arrivals; begins : whether it is the patient's first
    requested, resource, expiry : the request that ends it, and when another risk ends the wait; inf if there is none
    granted_row, reneged_row : the segment that follows; -1 if none
    release : when the unit that it begins with is given back; inf if never
    ends : the death of a patient without benefit, where the row settles it; inf otherwise
    """

    place: Integers
    resource: Integers
    begins: Booleans
    requested: Floats
    expiry: Floats
    release: Floats
    ends: Floats
    granted_row: Integers
    reneged_row: Integers


@dataclass(frozen=True)
class Served:
    """By row, months since the patient's entry: its start, and what became of its request. NaN: it never happened."""

    rows: SegmentTable
    start: Floats
    granted: Floats
    reneged: Floats
    released: Floats

    def requests(self, arrivals: Arrivals) -> Requests:
        """Return the request log, in calendar months."""
        made = np.flatnonzero(~(np.isnan(self.granted) & np.isnan(self.reneged)))
        place = self.rows.place[made]
        requested = arrivals.origin[place] + (self.start[made] + self.rows.requested[made])
        order = np.lexsort((self.rows.resource[made], place, np.rint(requested * INSTANTS)))
        made, place, requested = made[order], place[order], requested[order]

        def calendar(month: Floats) -> Floats:
            known = ~np.isnan(month[made])
            return np.where(known, arrivals.origin[place] + month[made], np.inf)

        return Requests(
            arrivals.patients[place],
            self.rows.resource[made],
            requested,
            calendar(self.granted),
            calendar(self.reneged),
            calendar(self.released),
        )


Request = tuple[int, int, int, float, float, float, float]
"""Its instant, the patient's place, its row among those that ask, the patient's origin, and in months since then: when
it is made, when another risk ends the wait, and when the patient dies, treated without benefit."""

Following = tuple[int, float, float, float] | None
"""A row's number among those that ask (-1 if it does not), and its request, expiry and end.

None if it changes nothing for the queues."""


def serve(rows: SegmentTable, origin: Floats, units: Sequence[int]) -> Served:
    """Return when every row begins, and how every request ends. `units` : how many each resource has."""
    asking = np.flatnonzero(np.isfinite(rows.requested))
    granted_row, reneged_row = rows.granted_row[asking], rows.reneged_row[asking]
    stay, resource = rows.release[granted_row].tolist(), rows.resource[asking].tolist()
    if_granted, if_reneged = _following(rows, asking, granted_row), _following(rows, asking, reneged_row)
    granted, released = [NEVER] * asking.size, [NEVER] * asking.size
    reneged, left = dict[int, float](), dict[int, float]()
    free = [[-np.inf] * unit for unit in units]
    replace = heapq.heapreplace
    later: list[Request] = []
    for _, place, row, zero, at, until, last in _in_order(_first(rows, asking, origin), later):
        beds = free[resource[row]]
        if beds[0] > zero + at + HALF:
            at = beds[0] - zero
            ends = until if until < last else last
            if at >= ends - HALF:
                reneged[row] = ends
                if until <= last - HALF and until < np.inf:
                    left[row] = until
                    _begin(later, if_reneged[row], place, zero, until, last)
                continue
        granted[row] = at
        following = if_granted[row]
        if following is not None:
            last = _begin(later, following, place, zero, at, last)
        back = at + stay[row]
        if back > last:
            back = last
        released[row] = back
        replace(beds, zero + back)
    return _served(rows, asking, granted, released, reneged, left)


def _following(rows: SegmentTable, asking: Integers, following: Integers) -> list[Following]:
    """Return what follows each request, (n_asking,); `following` : rows, -1 if none."""
    times = [column[following] for column in (rows.requested, rows.expiry, rows.ends)]
    matters = np.flatnonzero((following >= 0) & (np.isfinite(times[0]) | np.isfinite(times[2])))
    number = np.where(np.isfinite(times[0][matters]), np.searchsorted(asking, following[matters]), -1)
    next_rows: list[Following] = [None] * asking.size
    columns = zip(number.tolist(), *(time[matters].tolist() for time in times), strict=True)
    for row, column in zip(matters.tolist(), columns, strict=True):
        next_rows[row] = column
    return next_rows


def _begin(later: list[Request], row: Following, place: int, zero: float, month: float, last: float) -> float:
    """Begin what follows a request, and push what it asks for in its turn; return when the patient dies for certain."""
    if row is None:
        return last
    number, requested, expiry, ends = row
    if month + ends < last:
        last = month + ends
    at = month + requested
    if number >= 0 and at <= last - HALF:
        heapq.heappush(later, (instant(zero + at), place, number, zero, at, month + expiry, last))
    return last


def _first(rows: SegmentTable, asking: Integers, origin: Floats) -> Iterator[Request]:
    """Return the requests of everybody's first row, in order."""
    first = np.flatnonzero(rows.begins[asking] & (rows.requested[asking] <= rows.ends[asking] - HALF))
    row = asking[first]
    place = rows.place[row]
    zero = origin[place]
    instants = np.rint((zero + rows.requested[row]) * INSTANTS).astype(np.int64)
    order = np.lexsort((place, instants))
    row = row[order]
    columns = (instants[order], place[order], first[order], zero[order])
    times = (column[row] for column in (rows.requested, rows.expiry, rows.ends))
    return zip(*(column.tolist() for column in (*columns, *times)), strict=True)


def _in_order(first: Iterator[Request], later: list[Request]) -> Iterator[Request]:
    """Yield the first requests and those, pushed to a heap meanwhile, that come of them, by instant and patient."""
    for request in first:
        while later and later[0] < request:
            yield heapq.heappop(later)
        yield request
    while later:
        yield heapq.heappop(later)


def _served(
    rows: SegmentTable,
    asking: Integers,
    granted: list[float],
    released: list[float],
    reneged: dict[int, float],
    left: dict[int, float],
) -> Served:
    """Return what became of all rows from what became of those that ask; left : when another risk led on."""
    start = np.where(rows.begins, 0.0, NEVER)

    def of_all(those: Integers, months: Iterable[float], following: Integers | None = None) -> Floats:
        by_row = np.full(rows.requested.size, NEVER)
        by_row[those] = known = np.fromiter(months, np.float64, those.size)
        if following is not None:
            begun = ~np.isnan(known) & (following[those] >= 0)
            start[following[those[begun]]] = known[begun]
        return by_row

    had_reneged, had_left = (asking[np.fromiter(by_place, np.int64, len(by_place))] for by_place in (reneged, left))
    of_all(had_left, left.values(), rows.reneged_row)
    return Served(
        rows,
        start,
        of_all(asking, granted, rows.granted_row),
        of_all(had_reneged, reneged.values()),
        of_all(asking, released),
    )
