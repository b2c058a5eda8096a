"""The discrete-event engine: SimPy, one process a patient, which reads as the patient's story.

The clock counts instants (`calendar.INSTANTS` a month), whole numbers, so that what happens at one instant is known;
each patient's own months stay as precise as they are. A limited resource is a `LimitedResource`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from math import nextafter

import numpy as np
import simpy

from simulator.arrays import Integers
from simulator.calendar import instant
from simulator.engines.des.resources import Alarm, Allocator, LimitedResource, Request
from simulator.engines.des.sampling import PatientSampler
from simulator.engines.exits import Exit
from simulator.engines.model import Model
from simulator.engines.no_benefit import untreated
from simulator.engines.requests import Arrivals, Requests, request_log
from simulator.engines.trajectories import MOMENT, Trajectories
from simulator.randomness import Uniforms
from simulator.scenario.capacity import lasting

MOST_RETURNS = 1_000
"""Visits to one state, after which nobody is followed beyond the horizon: where patients block one another's units,
waiting patients may go round without end."""

Story = Generator[simpy.Event, object, None]


def simulate(
    model: Model, uniforms: Uniforms, arrivals: Arrivals, *, horizon: float, before: Model | None = None
) -> tuple[Trajectories, Requests]:
    """Return what happened to all patients who arrive, and the request log. Models must be of a single draw.

    `before` : the model of patients who are not under the policy.
    """
    centre = Centre(model, uniforms, arrivals, horizon, before)
    centre.run()
    return centre.trajectories(), centre.request_log()


class Centre:
    """Everybody's surroundings: the clock, the resources, and what the uniforms have in store."""

    def __init__(
        self, model: Model, uniforms: Uniforms, arrivals: Arrivals, horizon: float, before: Model | None
    ) -> None:
        self.model, self.arrivals, self.horizon, self.pathway = model, arrivals, horizon, model.pathway
        self.longest = self.pathway.longest_way_to_clock
        self.times_carried_forward = self.pathway.times_carried_forward
        self.env = simpy.Environment(initial_time=min(map(instant, arrivals.origin.tolist()), default=0))
        self.sampler = PatientSampler(model, uniforms, arrivals.patients)
        self.sampler_before = self.sampler if before is None else PatientSampler(before, uniforms, arrivals.patients)
        self.lasting = {
            sampler: lasting(self.pathway, sampler.model.onward, model.scenario.capacity)
            for sampler in (self.sampler, self.sampler_before)
        }
        allocator = Allocator(self.env)
        self.resources = {
            resource: LimitedResource(allocator, capacity, place)
            for place, (resource, capacity) in enumerate(model.scenario.capacity.items())
        }
        self.patients = [Patient(self, place) for place in range(arrivals.patients.size)]

    def run(self) -> None:
        """Run until nothing is to come: whoever is still waiting then waits for ever."""
        for resource in self.resources.values():
            resource.open()
        for patient in self.patients:
            self.env.process(patient.story())
        self.env.run()

    def resource_of(self, state: str) -> LimitedResource | None:
        """Return the limited resource that a state holds."""
        holds = self.pathway.states[state].holds
        return None if holds is None else self.resources.get(holds)

    def request_log(self) -> Requests:
        """Return every request, with the patients' numbers."""
        log = request_log([request.row() for resource in self.resources.values() for request in resource.requests])
        return Requests(self.arrivals.patients[log.patients], *log.columns[1:])

    @property
    def levels(self) -> dict[str, Integers]:
        """Attribute -> level, (n_patients,): by the mix under which each patient came."""
        policy, before = self.sampler.levels, self.sampler_before.levels
        return {name: np.where(self.arrivals.under_policy, policy[name], before[name]) for name in policy}

    def trajectories(self) -> Trajectories:
        """Return everybody's events until their follow-up ends, as one block."""
        everybody = self.patients
        block = Trajectories(
            self.arrivals.patients,
            self.levels,
            np.array([patient.clock for patient in everybody]),
            np.array([patient.death if patient.sees(patient.death) else np.inf for patient in everybody]),
            np.array([patient.follow_up_end for patient in everybody]),
        )
        early = self.pathway.states_before_clock
        for state in self.pathway.states:
            events = [(p.place, *entry) for p in everybody for entry in p.entries.get(state, ()) if p.sees(entry[0])]
            if events:
                who, month, order, before = (np.array(column) for column in zip(*events, strict=True))
                block.entered[state], block.order[state] = [(who, month)], [order]
                block.early |= {state: [before]} if state in early else {}
            exits = [(p.place, month) for p in everybody for month in p.exits.get(state, ()) if p.sees(month)]
            if exits:
                who, month = (np.array(column) for column in zip(*exits, strict=True))
                block.left[state] = [(who, month)]
        return block


class Patient:
    """One patient. Months count from the patient's entry."""

    def __init__(self, centre: Centre, place: int) -> None:
        self.centre, self.place = centre, place
        self.origin = float(centre.arrivals.origin[place])
        self.sampler = centre.sampler if centre.arrivals.under_policy[place] else centre.sampler_before
        self.visits: Counter[str] = Counter()
        self.clock = self.death = np.inf
        self.follow_up_end = centre.longest
        self.without_benefit = False
        self.holds: Request | None = None
        self.latent: dict[str, float] = {}
        self.events = 0
        self.entries: dict[str, list[tuple[float, int, bool]]] = {}
        self.exits: dict[str, list[float]] = {}

    def story(self) -> Story:
        """From entry to death, or beyond the end of follow-up until the patient can keep nobody else waiting."""
        yield self.until(0.0)
        state: str | None = self.centre.pathway.start
        month = 0.0
        while state is not None and (self.sees(month) or self.keeps_others_waiting(state)):
            visit = self.enter(state, month)
            declared = self.centre.pathway.states[state]
            if declared.is_absorbing:
                state = None
            elif declared.is_choice:
                state = self.choose(state, month, visit)
            else:
                state, month = yield from self.stay(state, month, visit)
        if self.holds is not None and state is not None:
            self.holds.give_back(self.origin + month)

    def keeps_others_waiting(self, state: str) -> bool:
        """Whether the patient may hold or ask for a limited unit from a state on, and does not go round for ever."""
        may_ask = self.without_benefit or state in self.centre.lasting[self.sampler]
        return may_ask and self.visits[state] < MOST_RETURNS

    def sees(self, month: float) -> bool:
        """Whether follow-up has not ended before a month."""
        return month <= self.follow_up_end + MOMENT

    def enter(self, state: str, month: float) -> int:
        """Write down an entry, and return how often the patient was there before."""
        pathway = self.centre.pathway
        if state == pathway.clock_state and self.clock == np.inf:
            self.clock, self.follow_up_end = month, month + self.centre.horizon
        if pathway.states[state].kind == "death":
            self.death = month
        self.entries.setdefault(state, []).append((month, self.events, self.clock == np.inf))
        self.events += 1
        self.visits[state] += 1
        return self.visits[state] - 1

    def choose(self, state: str, month: float, visit: int) -> str:
        """Take a branch. A patient treated only under the policy may be without benefit from now on."""
        branch = self.sampler.branch(state, self.place, visit, self.without_benefit)
        rule, marginal = self.centre.pathway.marginal, self.sampler.model.marginal
        if rule is not None and marginal is not None and marginal.raised and not self.without_benefit:
            treated = state == rule.decision and branch.name == rule.branch
            if treated and not self.sampler.treated_today(self.place, visit) and not self.sampler.benefits(self.place):
                self.without_benefit = True
                for months, death in self.sampler.timed_exits(rule.otherwise, self.place, 0):
                    self.latent[untreated(rule.otherwise, death)] = month + months
        return branch.to

    def stay(self, state: str, month: float, visit: int) -> Generator[simpy.Event, object, tuple[str | None, float]]:
        """Stay until the first risk strikes; asking for a limited resource, wait for it while the others go on."""
        asking: list[Request] = []
        for at, way in self.risks(state, month, visit):
            resource = self.centre.resource_of(way.to)
            is_request = resource is not None and self.centre.resource_of(state) is not resource
            # Who asks for two units in one instant asks for both before either is granted.
            if not (is_request and self.asks_in_an_instant(asking, at)):
                granted = yield from self.wait(asking, at)
                if granted is not None:
                    return self.take(state, granted, asking)
                if at == np.inf:
                    break
            if not is_request:
                return self.leave(state, way.to, at, asking)
            assert resource is not None
            asking.append(resource.ask(self.place, self.origin + at, way.to, self._rank(resource, state)))
            asking[-1].month = at
        granted = yield from self.wait(asking, np.inf)
        if granted is not None:
            return self.take(state, granted, asking)
        return None, np.inf

    def asks_in_an_instant(self, asking: list[Request], month: float) -> bool:
        """Whether the last request was made in the very instant of a month."""
        if not asking or month == np.inf:
            return False
        return instant(asking[-1].requested) == instant(self.origin + month)

    def risks(self, state: str, month: float, visit: int) -> list[tuple[float, Exit]]:
        """Return when each risk strikes, soonest first, the first declared at ties. Some are carried forward."""
        risks = [
            (self.latent.get(way.name, np.inf) if way.carried_forward else month + months, way)
            for months, way in self.sampler.timed_exits(state, self.place, visit, self.without_benefit)
        ]
        self.carry_forward(self.centre.times_carried_forward.get(state, ()), risks)
        return sorted(risks, key=lambda risk: risk[0])

    def carry_forward(self, names: Sequence[str], risks: Sequence[tuple[float, Exit]]) -> None:
        """Keep the latent times that go on in a milestone. At a tie the first declared here is the first there."""
        self.latent |= dict.fromkeys(names, np.inf)
        first = np.inf
        for at, way in risks:
            if way.name in names:
                self.latent[way.name] = nextafter(at, np.inf) if at == first else at
                first = min(first, at)

    def wait(self, asking: list[Request], month: float) -> Generator[simpy.Event, object, Request | None]:
        """Wait until a month, or a grant; return the request that was granted."""
        alarm = [self.until(month, late=asking)] if month < np.inf else []
        if not asking:
            # Where nothing ends the stay there is nothing left to wait for.
            if alarm:
                yield alarm[0]
            return None
        yield simpy.AnyOf(self.centre.env, [*alarm, *(request.event for request in asking)])
        return next((request for request in asking if request.is_granted), None)

    def until(self, month: float, late: Sequence[Request] = ()) -> Alarm:
        """Return an event at a month; one that comes in the instant of a request comes after the grants."""
        at = instant(self.origin + month)
        return Alarm(self.centre.env, at, late=any(instant(request.requested) == at for request in late))

    def take(self, state: str, granted: Request, asking: list[Request]) -> tuple[str, float]:
        """Move into the state that a unit was granted for."""
        # Granted at once: in the patient's own month, for there and back through the calendar time could run back.
        month = granted.month if granted.granted == granted.requested else granted.granted - self.origin
        asking.remove(granted)
        to, _ = self.leave(state, granted.to, month, asking)
        self.holds = granted
        return to, month

    def leave(self, state: str, to: str, month: float, asking: list[Request]) -> tuple[str, float]:
        """Leave a state for another: withdraw what was asked for, and give back what is not needed there."""
        for request in asking:
            request.withdraw(self.origin + month)
        self.exits.setdefault(state, []).append(month)
        if self.holds is not None and self.centre.resource_of(to) is not self.holds.resource:
            self.holds.give_back(self.origin + month)
            self.holds = None
        return to, month

    def _rank(self, resource: LimitedResource, state: str) -> int:
        if resource.capacity.ranks is None:
            return 0
        by, order = resource.capacity.ranks
        rank_by = state
        if by != "state":
            rank_by = list(self.centre.pathway.attributes[by].levels)[self.sampler.levels[by][self.place]]
        return order.index(rank_by) if rank_by in order else len(order)
