"""Limited resources of the discrete-event engine: each has a waiting list, and one allocator grants."""

from __future__ import annotations

import heapq
import math

import simpy
from simpy.events import EventPriority

from simulator.calendar import INSTANTS, instant
from simulator.scenario.capacity import Capacity

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

    def __init__(self, resource: LimitedResource, patient: int, requested: float, to: str) -> None:
        self.resource, self.patient, self.requested, self.to = resource, patient, requested, to
        self.granted = self.reneged = self.released = self.month = math.inf
        self.event = resource.env.event()

    @property
    def is_granted(self) -> bool:
        return self.granted < math.inf

    def withdraw(self, month: float) -> None:
        """Leave the waiting list."""
        self.reneged = month

    def give_back(self, month: float) -> None:
        """Free the unit."""
        self.released = month
        self.resource.freed(month)

    def row(self) -> tuple[float, ...]:
        """Return the request as a row of the request log."""
        return self.patient, self.resource.place, self.requested, self.granted, self.reneged, self.released


class Allocator:
    """Grants the units of all resources, last in every instant and one at a time, by priority, time and patient.

    After each grant come the patient's next steps in the same instant, which may free a unit or ask for another.
    """

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.resources: list[LimitedResource] = []
        self.requests = 0
        self.reviewing = -math.inf

    def review(self) -> None:
        """See who can be served, when all that happens in this instant has happened."""
        if self.reviewing != self.env.now:
            self.reviewing = float(self.env.now)
            alarm = Alarm(self.env, int(self.env.now), grants=True)
            alarm.callbacks.append(lambda _: self._grant())

    def _grant(self) -> None:
        self.reviewing = -math.inf
        firsts = [resource.first for resource in self.resources if resource.is_free and resource.first is not None]
        if firsts:
            request = min(firsts)[-1]
            request.resource.grant(request)
            self.review()


Queued = tuple[int, int, int, int, Request]
"""A request on a waiting list: its rank, instant, patient and number, in the order in which they are served."""


class LimitedResource:
    """A limited resource: units, and the patients waiting for one. `place` : among the scenario's resources."""

    def __init__(self, allocator: Allocator, capacity: Capacity, place: int) -> None:
        self.allocator, self.env, self.capacity, self.place = allocator, allocator.env, capacity, place
        self.in_use = 0
        self.waiting: list[Queued] = []
        self.requests: list[Request] = []
        self.since = 0.0
        self.offered = -math.inf, 0
        self.is_awaited = False
        allocator.resources.append(self)

    def open(self) -> None:
        """Begin the calendar."""
        for month, _ in self.capacity.calendar[1:] if self.capacity.offered_every is None else ():
            alarm = Alarm(self.env, instant(month))
            alarm.callbacks.append(lambda _, month=month: self._review(month))  # type: ignore[misc]

    def ask(self, patient: int, month: float, to: str, rank: int) -> Request:
        """Return a new request, which is on the waiting list until it is granted or withdrawn."""
        request = Request(self, patient, month, to)
        self.requests.append(request)
        self.allocator.requests += 1
        heapq.heappush(self.waiting, (rank, instant(month), patient, self.allocator.requests, request))
        self._review(month)
        return request

    def freed(self, month: float) -> None:
        """A unit has come back."""
        self.in_use -= 1
        self._review(month)

    def _review(self, month: float) -> None:
        if self.capacity.offered_every is None:
            self.since = month
        else:
            self._await_offer(self.capacity.offered_every)
        self.allocator.review()

    @property
    def first(self) -> Queued | None:
        """Who is served next."""
        while self.waiting and self.waiting[0][-1].reneged < math.inf:
            heapq.heappop(self.waiting)
        return self.waiting[0] if self.waiting else None

    @property
    def is_free(self) -> bool:
        """Whether there is a unit to grant in this instant."""
        if self.capacity.offered_every is None:
            return self.in_use < self._units()
        at, units = self.offered
        return at == self.env.now and units > 0

    def grant(self, request: Request) -> None:
        """Grant a unit to the next patient."""
        heapq.heappop(self.waiting)
        self.in_use += 1
        at, units = self.offered
        self.offered = at, units - 1
        request.granted = self.since if instant(self.since) > instant(request.requested) else request.requested
        request.event.succeed()

    def _units(self) -> int:
        return self._units_at(self.env.now)

    def _units_at(self, now: float) -> int:
        return next(n for month, n in reversed(self.capacity.calendar) if instant(month) <= now or month == 0.0)

    def _await_offer(self, every: float) -> None:
        """Have the next offer of units made if somebody waits; others are lost."""
        if self.is_awaited or self.first is None:
            return
        number = max(math.floor(self.env.now / INSTANTS / every) - 1, 0)
        while instant(number * every) < self.env.now or self.offered[0] == instant(number * every):
            number += 1
        month = number * every
        if not self._units_at(instant(month)):
            later = [begin for begin, units in self.capacity.calendar if units and instant(begin) > instant(month)]
            if not later:
                return
            month = math.ceil(later[0] / every - 1e-9) * every
        self.is_awaited = True
        alarm = Alarm(self.env, instant(month))
        alarm.callbacks.append(lambda _: self._offer(month))

    def _offer(self, month: float) -> None:
        self.is_awaited = False
        self.since, self.offered = month, (float(self.env.now), self._units())
        self._review(month)
