"""The discrete-event engine: SimPy, one process a patient, which reads as the patient's story.

The clock counts instants (`ward.INSTANTS` a month), whole numbers, so that what happens at once is told apart from what
does not; each patient's own months stay as precise as they are. A limited resource is a `Ward`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence

import numpy as np
import simpy
from numpy.typing import NDArray

from simulator.calendar import instant
from simulator.engines.des.resources import Alarm, Desk, Request, Ward
from simulator.engines.des.sampling import Chances, Way
from simulator.engines.model import Exit, Model
from simulator.engines.requests import Intake, Requests, book
from simulator.engines.trajectories import MOMENT, Block
from simulator.pathway.pathway import longest_way_to_clock, states_before_clock
from simulator.randomness import Uniforms
from simulator.scenario.capacity import lasting

MOST_RETURNS = 1_000
"""Visits to one state, after which nobody is followed beyond the horizon: where patients block one another's units,
those who wait may go round without end."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Story = Generator[simpy.Event, object, None]


def simulate(
    model: Model, uniforms: Uniforms, intake: Intake, *, horizon: float, before: Model | None = None
) -> tuple[Block, Requests]:
    """Return what happened to all patients of an intake, and the wards' book. Models must be of a single draw.

    `before` : the model of patients who are not under the policy.
    """
    centre = Centre(model, uniforms, intake, horizon, before)
    centre.run()
    return centre.block(), centre.book()


class Centre:
    """Everybody's surroundings: the clock, the wards, and what the uniforms have in store."""

    def __init__(
        self, model: Model, uniforms: Uniforms, intake: Intake, horizon: float, before: Model | None
    ) -> None:
        self.model, self.intake, self.horizon, self.pathway = model, intake, horizon, model.pathway
        self.longest = longest_way_to_clock(self.pathway)
        self.env = simpy.Environment(initial_time=min(map(instant, intake.origin.tolist()), default=0))
        self.chances = Chances(model, uniforms, intake.patients)
        self.chances_before = self.chances if before is None else Chances(before, uniforms, intake.patients)
        self.lasting = {
            chances: lasting(self.pathway, chances.model.onward, model.scenario.capacity)
            for chances in (self.chances, self.chances_before)
        }
        desk = Desk(self.env)
        self.wards = {
            resource: Ward(desk, capacity, place)
            for place, (resource, capacity) in enumerate(model.scenario.capacity.items())
        }
        self.patients = [Patient(self, place) for place in range(intake.patients.size)]

    def run(self) -> None:
        """Run until nothing is to come: whoever is still waiting then waits for ever."""
        for ward in self.wards.values():
            ward.open()
        for patient in self.patients:
            self.env.process(patient.story())
        self.env.run()

    def ward_of(self, state: str) -> Ward | None:
        """Return the ward of a state that holds a limited resource."""
        holds = self.pathway.states[state].holds
        return None if holds is None else self.wards.get(holds)

    def book(self) -> Requests:
        """Return every request, with the patients' numbers."""
        found = book([request.row() for ward in self.wards.values() for request in ward.requests])
        return Requests(self.intake.patients[found.patients], *found.columns[1:])

    @property
    def levels(self) -> dict[str, Integers]:
        """Attribute -> level, (n_patients,): by the mix under which each patient came."""
        own, before = self.chances.levels, self.chances_before.levels
        return {name: np.where(self.intake.under_policy, own[name], before[name]) for name in own}

    def block(self) -> Block:
        """Return everybody's events until their follow-up ends, as one block."""
        everybody = self.patients
        block = Block(
            self.intake.patients,
            self.levels,
            np.array([each.clock for each in everybody]),
            np.array([each.death if each.sees(each.death) else np.inf for each in everybody]),
            np.array([each.follow_up_end for each in everybody]),
        )
        early = states_before_clock(self.pathway)
        for state in self.pathway.states:
            events = [(p.place, *told) for p in everybody for told in p.entries.get(state, ()) if p.sees(told[0])]
            if events:
                who, month, order, before = (np.array(each) for each in zip(*events, strict=True))
                block.entered[state], block.order[state] = [(who, month)], [order]
                block.early |= {state: [before]} if state in early else {}
            exits = [(p.place, month) for p in everybody for month in p.exits.get(state, ()) if p.sees(month)]
            if exits:
                who, month = (np.array(each) for each in zip(*exits, strict=True))
                block.left[state] = [(who, month)]
        return block


class Patient:
    """One patient. Months count from the patient's entry."""

    def __init__(self, centre: Centre, place: int) -> None:
        self.centre, self.place = centre, place
        self.origin = float(centre.intake.origin[place])
        self.chances = centre.chances if centre.intake.under_policy[place] else centre.chances_before
        self.visits: Counter[str] = Counter()
        self.clock = self.death = self.doom = np.inf
        self.follow_up_end = centre.longest
        self.doomed_way: Way | None = None
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
        while state is not None and (self.sees(month) or self.in_vain or self.keeps_others_waiting(state)):
            visit = self.enter(state, month)
            told = self.centre.pathway.states[state]
            if told.is_absorbing:
                state = None
            elif told.is_choice:
                state = self.choose(state, month, visit)
            else:
                state, month = yield from self.stay(state, month, visit)
        if self.holds is not None and state is not None:
            self.holds.give_back(self.origin + month)

    def keeps_others_waiting(self, state: str) -> bool:
        """Whether the patient may hold or ask for a limited unit from a state on, and does not go round for ever."""
        return state in self.centre.lasting[self.chances] and self.visits[state] < MOST_RETURNS

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
        """Take a branch; who is treated only under the policy, and gains nothing, is treated in vain from now on."""
        branch = self.chances.branch(state, self.place, visit, self.in_vain)
        told, marginal = self.centre.pathway.marginal, self.chances.model.marginal
        if told is not None and marginal is not None and marginal.raised and not self.in_vain:
            treated = state == told.decision and branch.name == told.branch
            if treated and not self.chances.treated_before(self.place, visit) and not self.chances.gains(self.place):
                self.doomed_way = self.chances.ways(told.otherwise, self.place, 0)[0]
                self.doom = month + self.doomed_way.months
        return branch.to

    @property
    def in_vain(self) -> bool:
        return self.doomed_way is not None

    def stay(self, state: str, month: float, visit: int) -> Generator[simpy.Event, object, tuple[str | None, float]]:
        """Stay until the first risk strikes; asking for a limited resource, wait for it while the others go on."""
        asking: list[Request] = []
        for at, way in self.risks(state, month, visit):
            ward = self.centre.ward_of(way.to)
            is_request = ward is not None and self.centre.ward_of(state) is not ward
            # Who asks for two units in one instant asks for both before either is granted.
            if not (is_request and self.asks_in_an_instant(asking, at)):
                granted = yield from self.wait(asking, at)
                if granted is not None:
                    return self.take(state, granted, asking)
                if self.is_over_by(at):
                    break
            if not is_request:
                return self.leave(state, way.to, at, asking)
            assert ward is not None
            asking.append(ward.ask(self.place, self.origin + at, way.to, self._rank(ward, state)))
            asking[-1].month = at
        granted = yield from self.wait(asking, np.inf)
        if granted is not None:
            return self.take(state, granted, asking)
        return self.end(state, asking)

    def asks_in_an_instant(self, asking: list[Request], month: float) -> bool:
        """Whether the last request was made in the very instant of a month."""
        if not asking or self.is_over_by(month):
            return False
        return instant(asking[-1].asked) == instant(self.origin + month)

    def risks(self, state: str, month: float, visit: int) -> list[tuple[float, Exit]]:
        """Return when each risk strikes, soonest first; in a milestone those of the state before go on."""
        ways = self.chances.ways(state, self.place, visit, self.in_vain)
        found = [(self.latent.get(way.name, np.inf) if way.goes_on else month + months, way) for months, way in ways]
        # At ties the first declared; of what goes on, the first declared in the state before.
        before = {name: place for place, name in enumerate(self.latent)}
        found.sort(key=lambda risk: (risk[0], before.get(risk[1].name, 0) if risk[1].goes_on else 0))
        self.latent = {way.name: at for at, way in found}
        return found

    def is_over_by(self, month: float) -> bool:
        """Whether the patient is dead, having been treated in vain, by a month; or the month never comes."""
        return self.doom <= month or month == np.inf

    def wait(self, asking: list[Request], month: float) -> Generator[simpy.Event, object, Request | None]:
        """Wait until a month, a death in vain, or a grant; return the request that was granted."""
        until = min(month, self.doom)
        alarm = [self.until(until, late=asking)] if until < np.inf else []
        if not asking:
            # Where nothing ends the stay there is nothing left to wait for.
            if alarm:
                yield alarm[0]
            return None
        yield simpy.AnyOf(self.centre.env, [*alarm, *(each.event for each in asking)])
        return next((each for each in asking if each.is_granted), None)

    def until(self, month: float, late: Sequence[Request] = ()) -> Alarm:
        """Return an event at a month; one that comes in the instant of a request comes after the grants."""
        at = instant(self.origin + month)
        return Alarm(self.centre.env, at, late=any(instant(each.asked) == at for each in late))

    def take(self, state: str, granted: Request, asking: list[Request]) -> tuple[str, float]:
        """Move into the state that a unit was granted for."""
        # Granted at once: in the patient's own month, for there and back through the calendar time could run back.
        month = granted.month if granted.granted == granted.asked else granted.granted - self.origin
        asking.remove(granted)
        to, _ = self.leave(state, granted.to, month, asking)
        self.holds = granted
        return to, month

    def leave(self, state: str, to: str, month: float, asking: list[Request]) -> tuple[str, float]:
        """Leave a state for another: withdraw what was asked for, and give back what is not needed there."""
        for each in asking:
            each.withdraw(self.origin + month)
        self.exits.setdefault(state, []).append(month)
        if self.holds is not None and self.centre.ward_of(to) is not self.holds.ward:
            self.holds.give_back(self.origin + month)
            self.holds = None
        return to, month

    def end(self, state: str, asking: list[Request]) -> tuple[str | None, float]:
        """Die, having been treated in vain; or stay for ever."""
        if self.doomed_way is not None and self.doom < np.inf:
            return self.leave(state, self.doomed_way.exit.to, self.doom, asking)
        return None, np.inf

    def _rank(self, ward: Ward, state: str) -> int:
        if ward.capacity.ranks is None:
            return 0
        by, order = ward.capacity.ranks
        told = state
        if by != "state":
            told = list(self.centre.pathway.attributes[by].levels)[self.chances.levels[by][self.place]]
        return order.index(told) if told in order else len(order)
