"""What the laws share: every shipped policy, and a reference that follows one patient at a time.

A test that asks for `policy` is run for every shipped pathway as it is declared and for scenarios that differ in kind;
with `-m slow` for every shipped scenario, one that raises uptake also at marginal benefits 0.5 and 0, so that a new one
comes under every law by itself. `follow` is the microsimulation as slow and plain as possible: one patient, one step at
a time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from worlds import policies_of_the_default_suite

import scenarios
from simulator.engines.curves import Curves
from simulator.engines.des import engine as des
from simulator.engines.exact import engine as exact
from simulator.engines.exits import Exit
from simulator.engines.microsim import engine as microsim
from simulator.engines.microsim import queueing
from simulator.engines.model import Model, marginal, resolve
from simulator.engines.requests import Arrivals, Requests
from simulator.engines.trajectories import Trajectories
from simulator.outcomes import event_log
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.randomness import Uniforms, uniform
from simulator.scenario.scenario import Scenario, load_scenario

TOLERANCE = 1e-9
"""Months within which two times are one."""


def policies() -> list[str]:
    """Return every shipped policy that every engine runs: pathways as `pathway:NAME`, scenarios as NAME or
    NAME@benefit. Limited resources have laws of their own (queues), and so have milestones."""
    names = [f"pathway:{name}" for name in shipped.names()]
    for name in scenarios.names():
        if load_scenario(name).is_limited or load_scenario(name).pathway.milestones:
            continue
        of = marginal(load_scenario(name))
        raised = of is not None and of.raised
        names += [name, f"{name}@0.5", f"{name}@0"] if raised else [name]
    return names


def as_declared(name: str) -> Scenario:
    """Return the scenario that a name of `policies` stands for."""
    if name.startswith("pathway:"):
        pathway = load_pathway(name.removeprefix("pathway:"))
        return Scenario(name=pathway.name, pathway=pathway)
    return load_scenario(name)


@pytest.fixture(scope="session", params=policies_of_the_default_suite(policies()))
def policy(request: pytest.FixtureRequest) -> Scenario:
    return as_declared(request.param)


@pytest.fixture(scope="session")
def model(policy: Scenario) -> Model:
    return resolve(policy)


@pytest.fixture(scope="session")
def solved(model: Model) -> Curves:
    """The exact curves of a policy to 120 months at the default step."""
    return exact.curves(model, 120.0)


@pytest.fixture(scope="session")
def simulated(model: Model) -> Curves:
    """The curves of 200,000 simulated patients of a policy."""
    return microsim.curves(model, 120.0, patients=200_000, uniforms=Uniforms(seed=20240680))


@pytest.fixture(scope="session")
def events() -> Callable[..., pd.DataFrame]:
    """The event table of simulated patients: patient, event, month, state."""

    def simulated(
        model: Model, patients: range, *, horizon: float = 120.0, seed: int = 1, draw: int = 1
    ) -> pd.DataFrame:
        return event_log.table(microsim.simulate(model, Uniforms(seed, draw), patients, horizon=horizon))

    return simulated


@pytest.fixture(scope="session")
def alike() -> Callable[..., tuple[pd.DataFrame, Requests]]:
    """The events and the request log, the same in both engines with queues, or the test fails."""

    def ran(
        model: Model, arrivals: Arrivals, *, horizon: float = 120.0, before: Model | None = None, seed: int = 1
    ) -> tuple[pd.DataFrame, Requests]:
        """Run both, and compare histories, exits, clocks, deaths and the book of requests."""
        block, book = queueing.simulate(model, Uniforms(seed), arrivals, horizon=horizon, before=before)
        other, other_book = des.simulate(model, Uniforms(seed), arrivals, horizon=horizon, before=before)
        for trajectories in (block, other):
            event_log.check(event_log.table([trajectories]), model.pathway)
        pd.testing.assert_frame_equal(_whole(block), _whole(other), rtol=0.0, atol=TOLERANCE)
        pd.testing.assert_frame_equal(_exits(block), _exits(other), rtol=0.0, atol=TOLERANCE)
        for name in ("clock_month", "death_month", "follow_up_end"):
            np.testing.assert_allclose(getattr(block, name), getattr(other, name), rtol=0, atol=TOLERANCE)
        assert {name: list(level) for name, level in block.levels.items()} == {
            name: list(level) for name, level in other.levels.items()
        }
        for mine, theirs in zip(book.columns, other_book.columns, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=TOLERANCE)
        return event_log.table([block]), book

    return ran


def _whole(block: Trajectories) -> pd.DataFrame:
    """The event table, with whether each event lies before the default clock."""
    early = {
        (block.patients[place], event)
        for state, early_flags in block.early.items()
        for (who, _), order, flags in zip(block.entered[state], block.order[state], early_flags, strict=True)
        for place, event, flag in zip(who, order, flags, strict=True)
        if flag
    }
    table = event_log.table([block])
    return table.assign(early=[pair in early for pair in zip(table["patient"], table["event"], strict=True)])


def _exits(block: Trajectories) -> pd.DataFrame:
    rows = [
        (int(block.patients[place]), float(month), state)
        for state, exits in block.left.items()
        for who, months in exits
        for place, month in zip(who, months, strict=True)
    ]
    names = {state: place for place, state in enumerate(sorted(block.left))}
    rows.sort(key=lambda row: (row[0], names[row[2]], row[1]))
    return pd.DataFrame(rows, columns=["patient", "month", "state"])


@pytest.fixture(scope="session")
def fair() -> Callable[..., None]:
    """What must hold of one ward's book, whoever wrote it: first come, first served, by so many units.

    whole : the book of all wards, by which a request comes after an instant's grants if its patient left another list
    in the instant in which they had joined it: each list gets its grants before anybody leaves it so soon.
    """

    def checked(book: Requests, units: int, whole: Requests | None = None) -> None:
        asked, granted, gone, released = book.requested, book.granted, book.reneged, book.released
        served = np.isfinite(granted)
        # Patients who hold one unit each while they wait for the other's may block one another for ever.
        for_ever = np.sum(served & np.isinf(released))
        assert np.all(served | np.isfinite(gone)) or for_ever == units, "somebody waits for ever for a free unit"
        assert not np.any(served & np.isfinite(gone))
        assert np.all(book.waited >= -TOLERANCE)
        assert np.all(released[served] >= granted[served] - TOLERANCE)
        for month in np.concatenate([granted[served] + 2 * TOLERANCE, np.minimum(granted, gone) - 2 * TOLERANCE]):
            in_use = np.sum((granted <= month) & (released > month))
            waits = np.sum((asked <= month) & (np.minimum(granted, gone) > month))
            assert in_use <= units, f"{in_use} of {units} in use in month {month}"
            assert in_use == units or not waits, f"somebody waits in month {month} although a unit is free"
        instants = np.rint(asked / TOLERANCE)
        late = _after_the_grants(book, whole) if whole is not None else np.zeros(asked.size, dtype=bool)
        turn = np.lexsort((book.patients, late, instants))
        for place, first in enumerate(turn):
            if not served[first]:
                continue
            before = turn[:place]
            passed = before[np.minimum(granted, gone)[before] > granted[first] + TOLERANCE]
            assert not passed.size, f"patient {book.patients[first]} passed {book.patients[passed]}"

    return checked


def _after_the_grants(book: Requests, whole: Requests) -> np.ndarray:
    """Whether each request is of a patient who left another list, unserved, in the instant of joining it."""

    def at(chosen: np.ndarray, months: np.ndarray) -> set[tuple[int, float]]:
        return set(zip(whole.patients[chosen].tolist(), np.rint(months[chosen] / TOLERANCE).tolist(), strict=True))

    left = at(whole.waited <= TOLERANCE, whole.reneged) - at(np.isfinite(whole.granted), whole.granted)
    asked = zip(book.patients.tolist(), np.rint(book.requested / TOLERANCE).tolist(), strict=True)
    late = np.array([request in left for request in asked], dtype=bool)
    # The list that was left so soon had been joined before.
    return late & (book.reneged - book.requested > TOLERANCE)


@pytest.fixture(scope="session")
def follow() -> Callable[..., list[tuple[float, str]]]:
    """The events (month, state) of one patient of a model, by the reference."""

    def followed(
        model: Model, patient: int, *, horizon: float = 120.0, seed: int = 1, draw: int = 1, replication: int = 0
    ) -> list[tuple[float, str]]:
        def u(name: str, visit: int = 0) -> float:
            return uniform(seed, draw, replication, patient, name, visit)

        return Patient(model, u).live(horizon)

    return followed


@dataclass
class Patient:
    """One patient of a model, who asks for a uniform by the name of what it decides and the visit."""

    model: Model
    u: Callable[..., float]
    untreated_death: tuple[float, str] | None = None
    events: list[tuple[float, str]] = field(default_factory=list)
    to_come: dict[str, float] = field(default_factory=dict)

    def live(self, horizon: float) -> list[tuple[float, str]]:
        """Return the months and states entered, from the start to `horizon` months after the default clock."""
        pathway = self.model.pathway
        self.cell = self._cell()
        visits: Counter[str] = Counter()
        # Whoever goes round and never comes to the clock is let go in the end.
        month, state, end, began = 0.0, pathway.start, pathway.longest_way_to_clock, False
        while True:
            self.events.append((month, state))
            if state == pathway.clock_state and not began:
                end, began = month + horizon, True
            if pathway.states[state].is_absorbing:
                return self.events
            visit, visits[state] = visits[state], visits[state] + 1
            if pathway.states[state].is_choice:
                leaves, goes_to = month, self._choose(state, month, visit)
            else:
                leaves, goes_to = self._stay(state, month, visit)
            if leaves == math.inf or leaves > end + TOLERANCE:
                return self.events
            month, state = leaves, goes_to

    def _cell(self) -> int:
        levels: dict[str, str] = {}
        for name, attribute in self.model.pathway.attributes.items():
            u, reached = self.u(f"@{name}"), 0.0
            joint = next(joint for joint in self.model.scenario.joints if name in joint.of)
            alike = joint.share(levels)
            for level in attribute.levels:
                reached += joint.share({**levels, name: level}) / alike
                levels[name] = level
                if u < reached:
                    break
        return self.model.cells.index(tuple(levels[name] for name in self.model.attributes))

    def _choose(self, state: str, month: float, visit: int) -> str:
        exits = self.model.exits[state]
        rule = self.model.pathway.marginal
        if self.untreated_death is not None:
            without_benefit = [exit for exit in exits if rule is not None and exit.to == rule.no_benefit]
            return self._race(state, without_benefit or self._onward(exits), visit).to
        taken = self._race(state, list(exits), visit)
        treated = rule is not None and (state, taken.name, visit) == (rule.decision, rule.branch, 0)
        if treated and rule is not None and self._treated_without_benefit(state):
            waits, death = self._leave(rule.otherwise, list(self.model.exits[rule.otherwise]), 0)
            self.untreated_death = (month + waits, death.to)
        return taken.to

    def _treated_without_benefit(self, state: str) -> bool:
        marginal, rule = self.model.marginal, self.model.pathway.marginal
        assert marginal is not None
        assert rule is not None
        practice_share = self._of_cell(marginal.practice_share)
        exits = self.model.exits[state]
        shares = {exit.name: practice_share if exit.name == rule.branch else 1.0 - practice_share for exit in exits}
        would_be_treated = self._race(state, list(exits), 0, shares).name == rule.branch
        return not would_be_treated and self.u("marginal_benefit") >= marginal.benefit

    def _stay(self, state: str, month: float, visit: int) -> tuple[float, str]:
        exits = list(self.model.exits[state])
        if self.untreated_death is None:
            waits, taken = self._leave(state, exits, visit, month)
            return month + waits, taken.to
        rule = self.model.pathway.marginal
        assert rule is not None
        open_to = self._onward(exits, rule.harm)
        if not open_to or state == rule.no_benefit:
            return self.untreated_death
        waits, taken = self._leave(state, open_to, visit, month)
        return self.untreated_death if self.untreated_death[0] <= month + waits else (month + waits, taken.to)

    def _onward(self, exits: Iterable[Exit], harm: tuple[str, ...] = ()) -> list[Exit]:
        """Return the exits on which a patient lives on, or dies of treatment: without benefit no other is taken."""
        return [exit for exit in exits if not self.model.pathway.states[exit.to].is_absorbing or exit.to in harm]

    def _leave(self, state: str, exits: list[Exit], visit: int, month: float = 0.0) -> tuple[float, Exit]:
        """Return how long the patient stays, and the exit they take.

        In a milestone, what was to come in the state before comes when it would have come there.
        """
        if exits[0].probability is None:
            times = [
                self.to_come.get(exit.name, math.inf) - month
                if exit.carried_forward
                else self._time(exit, self.u(f"{state}/{exit.name}", visit))
                for exit in exits
            ]
            self.to_come = {exit.name: month + time for exit, time in zip(exits, times, strict=True)}
            earliest = times.index(min(times))
            return times[earliest], exits[earliest]
        taken = self._race(state, exits, visit)
        return self._time(taken, self.u(f"{state}/{taken.name}/time", visit)), taken

    def _race(self, state: str, exits: list[Exit], visit: int, shares: dict[str, float] | None = None) -> Exit:
        """Return the branch with the least -log(u) / p. A branch that nothing else competes with is taken."""
        if len(exits) == 1:
            return exits[0]
        ranks = []
        for exit in exits:
            p = self._of_cell(exit.probability) if shares is None else shares[exit.name]
            u = self.u(f"{state}/{self._drawn_as(state, exit.name)}", visit)
            ranks.append(-math.log(u) / p if p > 0.0 else math.inf)
        return exits[ranks.index(min(ranks))]

    def _drawn_as(self, state: str, branch: str) -> str:
        """Return a branch's name; a treatment and the one that it replaces have changed theirs."""
        names = {str(way.probability): way.name for way in self.model.pathway.states[state].transitions}
        for pair in self.model.scenario.replace.items():
            if branch in (swapped := [names.get(share) for share in pair]):
                return str(swapped[1 - swapped.index(branch)])
        return branch

    def _time(self, way: Exit, u: float) -> float:
        assert way.time is not None
        return self._of_cell(way.time.inverse_cumulative_hazard(-math.log(u)))

    def _of_cell(self, values: object) -> float:
        """Return this patient's value of a number, or of an array of one a cell."""
        array = np.asarray(values, dtype=float)
        return float(array if array.ndim == 0 else array[self.cell])
