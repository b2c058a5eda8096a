"""Wards: limited resources of the des engine, with a waiting list; grants come last in every instant."""

from __future__ import annotations

import heapq
import math
from collections.abc import Generator

import simpy
from simpy.events import EventPriority

from simulator.capacity import Capacity
from simulator.ward import instant

GRANTS, LATE = 2, 3
"""SimPy's priorities within an instant, after those of what happens to patients (0 and 1)."""


class Alarm(simpy.Event):
    """An event at an instant, in its turn within it."""

    def __init__(self, env: simpy.Environment, at: int, *, late: bool = False, grants: bool = False) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        priority = GRANTS if grants else LATE if late else 1
        # SimPy's own priorities are a type of their own, but any whole number orders events.
        env.schedule(self, EventPriority(priority), max(at - int(env.now), 0))


class Request:
    """A patient's request for a unit, in calendar months; inf for what has not happened.

    `month` : when it was asked for in the patient's own months.
    """

    def __init__(self, ward: Ward, patient: int, asked: float, to: str) -> None:
        self.ward, self.patient, self.asked, self.to = ward, patient, asked, to
        self.granted = self.gone = self.released = self.month = math.inf
        self.event = ward.env.event()

    @property
    def is_granted(self) -> bool:
        return self.granted < math.inf

    def withdraw(self, month: float) -> None:
        """Leave the waiting list."""
        self.gone = month

    def give_back(self, month: float) -> None:
        """Free the unit."""
        self.released = month
        self.ward.freed(month)

    def row(self) -> tuple[float, ...]:
        """Return the request as a row of the book."""
        return self.patient, self.ward.place, self.asked, self.granted, self.gone, self.released


class Ward:
    """A limited resource: units, and who waits for one. `place` : among the scenario's resources."""

    def __init__(self, env: simpy.Environment, capacity: Capacity, place: int) -> None:
        self.env, self.capacity, self.place = env, capacity, place
        self.in_use = 0
        self.waiting: list[tuple[int, int, int, int, Request]] = []
        self.requests: list[Request] = []
        self.reviewed = -math.inf
        self.since = 0.0

    def open(self) -> None:
        """Begin the calendar, or the offers."""
        if self.capacity.offered_every is not None:
            self.env.process(self._offers(self.capacity.offered_every))
            return
        for month, _ in self.capacity.calendar[1:]:
            alarm = Alarm(self.env, instant(month), grants=True)
            alarm.callbacks.append(lambda _, month=month: self._grant(month))  # type: ignore[misc]

    def ask(self, patient: int, asked: float, to: str, rank: int) -> Request:
        """Return a new request, which is on the waiting list until it is granted or withdrawn."""
        request = Request(self, patient, asked, to)
        self.requests.append(request)
        heapq.heappush(self.waiting, (rank, instant(asked), patient, len(self.requests), request))
        if self.capacity.offered_every is None:
            self._review(asked)
        return request

    def freed(self, month: float) -> None:
        """A unit has come back."""
        self.in_use -= 1
        if self.capacity.offered_every is None:
            self._review(month)

    def _review(self, month: float) -> None:
        """See who can be served, when all that happens in this instant has happened."""
        self.since = month
        if self.reviewed != self.env.now:
            self.reviewed = float(self.env.now)
            alarm = Alarm(self.env, int(self.env.now), grants=True)
            alarm.callbacks.append(lambda _: self._reviewing())

    def _reviewing(self) -> None:
        self.reviewed = -math.inf
        self._grant(self.since)

    def _grant(self, month: float) -> None:
        """Grant a unit to who comes first; the next unit when they have withdrawn what else they asked for."""
        if self.waiting and self.in_use < self._units() and self._next(month):
            alarm = Alarm(self.env, int(self.env.now), grants=True)
            alarm.callbacks.append(lambda _: self._grant(month))

    def _next(self, month: float) -> bool:
        """Grant a unit to the first on the list; return whether there was anybody."""
        while self.waiting:
            *_, request = heapq.heappop(self.waiting)
            if request.gone == math.inf:
                self.in_use += 1
                request.granted = month if instant(month) > instant(request.asked) else request.asked
                request.event.succeed()
                return True
        return False

    def _units(self) -> int:
        now = self.env.now
        return next(n for month, n in reversed(self.capacity.calendar) if instant(month) <= now or month == 0.0)

    def _offers(self, every: float) -> Generator[simpy.Event, object, None]:
        """Offer the units at every interval from month 0 on; they are lost if nobody waits."""
        number = max(math.ceil(self.env.now / instant(every) - 1e-12), 0)
        while True:
            month = number * every
            yield Alarm(self.env, instant(month), grants=True)
            for _ in range(self._units()):
                if not self._next(month):
                    break
                yield Alarm(self.env, instant(month), grants=True)
            number += 1
