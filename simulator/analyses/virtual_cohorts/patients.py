"""The patients of virtual cohorts: they reach the default clock, and are seen until death or the end of follow-up.

A patient's follow-up ends at lower + (upper - lower) u months after the clock's start, independent of the outcome:
u is uniform, an assumption of the cohort's file, and follow-up ends by the horizon.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator.arrays import Booleans, Floats
from simulator.engines.des import engine as des
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import Model, resolve
from simulator.engines.requests import together
from simulator.engines.trajectories import Trajectories
from simulator.errors import InputError
from simulator.evidence.draws import single
from simulator.outcomes.episodes import Courses, Episodes, whole
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario

FollowUp = tuple[float, float] | None

FOLLOW_UP = "follow-up"
"""The address of a patient's uniform for follow-up; no state, transition or attribute can have it."""

FEWEST = 1_000
"""Patients of whom at least one must reach the clock."""


@dataclass(frozen=True)
class Patients:
    """Patients from the default clock's start on. Arrays : (n_patients,), months.

    seen : until death or the end of follow-up; died : whether until death
    entered : state -> month of its first entry; inf if never
    """

    seen: Floats
    died: Booleans
    entered: dict[str, Floats]

    def first(self, states: Sequence[str]) -> Floats:
        """Return the month of the first entry into any of some states : (n_patients,)."""
        return np.asarray(np.minimum.reduce([self.entered[state] for state in states]))

    def courses(self, states: Sequence[str], since: Floats, failure: Sequence[str] = ()) -> Courses:
        """Return the patients' courses from a month of each, and when they entered any of some states.

        since : (n_patients,); failure : states whose entry ends a course as death does
        """
        fails = self.first(failure) if failure else np.full(self.seen.size, np.inf)
        ends = np.minimum(self.seen, fails)
        return Courses(ends - since, self.died | (fails <= self.seen), self.first(states) - since)

    def eligible(self, joins: Sequence[str], since: Floats, past: Sequence[str] = ()) -> Booleans:
        """Return which patients are seen at a month of each, have joined by then, and have no past : (n_patients,).

        joins : states, one of which must be entered; past : states, none of which may be entered before the month
        """
        origin = np.maximum(self.first(joins), since)
        new = self.first(past) >= since if past else np.ones(self.seen.size, dtype=bool)
        return np.isfinite(since) & (origin <= self.seen) & new

    def alive(self, chosen: slice) -> Episodes:
        """Return the episodes of some patients, all in one group."""
        nobody = np.full(self.seen[chosen].size, np.inf)
        return whole(Courses(self.seen[chosen], self.died[chosen], nobody), np.zeros(nobody.size, dtype=bool))


@dataclass(frozen=True)
class Hospital:
    """The source of patients: a scenario, its draws, and the follow-up. states : their entries are kept"""

    scenario: Scenario
    table: pd.DataFrame | None
    follow_up: FollowUp
    horizon: float
    seed: int
    engine: str
    states: frozenset[str] = frozenset()

    def patients(self, n: int, draw: int, replication: int = 0) -> Patients:
        """Return the first n patients who reach the default clock, under draw number `draw`, from 1. Raises InputError.

        Replications have different, independent patients.
        """
        model = resolve(self.scenario, single(self.table, draw - 1))
        uniforms = Uniforms(self.seed, draw, replication)
        parts: list[Patients] = []
        numbers, wanted = 0, n
        while wanted > 0:
            more = max(wanted, FEWEST)
            simulated = self._blocks(model, uniforms, range(numbers, numbers + more))
            blocks = [self._seen(trajectories, uniforms) for trajectories in simulated]
            numbers += more
            size = sum(block.seen.size for block in blocks)
            if not size:
                clock = self.scenario.pathway.clock
                raise InputError(f"none of {more:,} patients starts the clock '{clock}'", where=self.scenario.where)
            parts, wanted = parts + blocks, wanted - size
        return _joined(parts, n)

    def _blocks(self, model: Model, uniforms: Uniforms, numbers: range) -> Iterator[Trajectories]:
        end = self.horizon if self.follow_up is None else min(self.horizon, self.follow_up[1])
        if self.engine == "des":
            yield des.simulate(model, uniforms, together(numbers), horizon=end)[0]
        else:
            yield from microsim.simulate(model, uniforms, numbers, horizon=end, keep=self.states)

    def _seen(self, trajectories: Trajectories, uniforms: Uniforms) -> Patients:
        on_clock = np.flatnonzero(np.isfinite(trajectories.clock_month))
        death = trajectories.death_month[on_clock] - trajectories.clock_month[on_clock]
        ends = np.full(on_clock.size, self.horizon)
        if self.follow_up is not None:
            lower, upper = self.follow_up
            u = uniforms.at(FOLLOW_UP, trajectories.patients[on_clock])
            ends = np.minimum(ends, lower + (upper - lower) * u)
        entered = {}
        for state in self.states:
            first = np.full(trajectories.patients.size, np.inf)
            for places, since in trajectories.on_the_clock(state):
                np.minimum.at(first, places, since)
            entered[state] = first[on_clock]
        return Patients(np.minimum(death, ends), death <= ends, entered)


def _joined(parts: Sequence[Patients], n: int) -> Patients:
    entered = {state: np.concatenate([part.entered[state] for part in parts])[:n] for state in parts[0].entered}
    seen, died = (np.concatenate([getattr(part, name) for part in parts])[:n] for name in ("seen", "died"))
    return Patients(seen, died, entered)
