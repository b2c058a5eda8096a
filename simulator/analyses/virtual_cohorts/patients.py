"""The patients of virtual cohorts: who reaches the default clock, seen until death or the end of follow-up.

Each one's follow-up ends at lower + (upper - lower) u months after the clock's start, whatever becomes of them:
uniform, as the cohort's file says (an assumption), and not beyond the horizon.
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
"""The address of each patient's own; no state, transition or attribute can have it."""

FEWEST = 1_000
"""Patients among whom one at least must reach the clock."""


@dataclass(frozen=True)
class Patients:
    """Patients from the default clock's start on. Arrays : (n_patients,), months.

    seen : until death or the end of follow-up; died : which it was
    entered : by state, when it was entered first; inf if never
    """

    seen: Floats
    died: Booleans
    entered: dict[str, Floats]

    def first(self, states: Sequence[str]) -> Floats:
        """Return when any of some states was entered first."""
        return np.asarray(np.minimum.reduce([self.entered[state] for state in states]))

    def courses(self, states: Sequence[str], since: Floats, failure: Sequence[str] = ()) -> Courses:
        """Return everybody's course from a month of their own, and when they entered any of some states.

        failure : states whose entry ends a course as death does
        """
        fails = self.first(failure) if failure else np.full(self.seen.size, np.inf)
        ends = np.minimum(self.seen, fails)
        return Courses(ends - since, self.died | (fails <= self.seen), self.first(states) - since)

    def eligible(self, joins: Sequence[str], since: Floats, past: Sequence[str] = ()) -> Booleans:
        """Return who is seen at a month of their own, has by then joined, and has no past: (n_patients,).

        joins : states of which one is to be entered; past : states none of which was entered before the month
        """
        origin = np.maximum(self.first(joins), since)
        new = self.first(past) >= since if past else np.ones(self.seen.size, dtype=bool)
        return np.isfinite(since) & (origin <= self.seen) & new

    def alive(self, chosen: slice) -> Episodes:
        """Return what is seen of some patients, all in one group."""
        nobody = np.full(self.seen[chosen].size, np.inf)
        return whole(Courses(self.seen[chosen], self.died[chosen], nobody), np.zeros(nobody.size, dtype=bool))


@dataclass(frozen=True)
class Hospital:
    """Where patients come from: a scenario, its draws, and how they are followed. `states` : whose entries are kept."""

    scenario: Scenario
    table: pd.DataFrame | None
    follow_up: FollowUp
    horizon: float
    seed: int
    engine: str
    states: frozenset[str] = frozenset()

    def patients(self, n: int, draw: int, replication: int = 0) -> Patients:
        """Return the first n patients who reach the default clock, under draw number `draw`, from 1. Raises InputError.

        Different replications have different patients, independent of one another.
        """
        model = resolve(self.scenario, single(self.table, draw - 1))
        uniforms = Uniforms(self.seed, draw, replication)
        parts: list[Patients] = []
        numbers, wanted = 0, n
        while wanted > 0:
            more = max(wanted, FEWEST)
            found = [
                self._seen(block, uniforms) for block in self._blocks(model, uniforms, range(numbers, numbers + more))
            ]
            numbers += more
            size = sum(each.seen.size for each in found)
            if not size:
                clock = self.scenario.pathway.clock
                raise InputError(f"nobody of {more:,} comes to the clock '{clock}'", where=self.scenario.where)
            parts, wanted = parts + found, wanted - size
        return _joined(parts, n)

    def _blocks(self, model: Model, uniforms: Uniforms, numbers: range) -> Iterator[Trajectories]:
        end = self.horizon if self.follow_up is None else min(self.horizon, self.follow_up[1])
        if self.engine == "des":
            yield des.simulate(model, uniforms, together(numbers), horizon=end)[0]
        else:
            yield from microsim.simulate(model, uniforms, numbers, horizon=end, keep=self.states)

    def _seen(self, block: Trajectories, uniforms: Uniforms) -> Patients:
        here = np.flatnonzero(np.isfinite(block.clock_month))
        death = block.death_month[here] - block.clock_month[here]
        ends = np.full(here.size, self.horizon)
        if self.follow_up is not None:
            lower, upper = self.follow_up
            u = uniforms.at(FOLLOW_UP, block.patients[here])
            ends = np.minimum(ends, lower + (upper - lower) * u)
        entered = {}
        for state in self.states:
            first = np.full(block.patients.size, np.inf)
            for who, since in block.on_the_clock(state):
                np.minimum.at(first, who, since)
            entered[state] = first[here]
        return Patients(np.minimum(death, ends), death <= ends, entered)


def _joined(parts: Sequence[Patients], n: int) -> Patients:
    entered = {state: np.concatenate([part.entered[state] for part in parts])[:n] for state in parts[0].entered}
    seen, died = (np.concatenate([getattr(part, name) for part in parts])[:n] for name in ("seen", "died"))
    return Patients(seen, died, entered)
