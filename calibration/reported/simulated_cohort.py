"""A simulated cohort, followed up as the reported one was: what happened to its patients, and who belongs where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from simulator.arrays import Booleans, Floats, Integers
from simulator.engines.trajectories import MOMENT, Trajectories
from simulator.outcomes.cumulative_incidence import CENSORED
from simulator.outcomes.episodes import Courses, Episodes, whole

if TYPE_CHECKING:
    from calibration.denominators import Denominator
    from calibration.likelihood.targets import Targets
    from calibration.reported.kinds.kind import Kind


@dataclass(frozen=True)
class Observed:
    """The first events of some patients. Arrays : (n,), months from a state or a clock.

    seen : until the event or the end of follow-up; cause : its place, or CENSORED; known : who came there at all
    """

    seen: Floats
    cause: Integers
    known: Booleans

    @property
    def came(self) -> Booleans:
        """Who are seen to have the event, (n,)."""
        return np.asarray(self.known & (self.cause != CENSORED))

    def episodes(self, patients: Booleans) -> Episodes:
        """Return an episode for each of some patients, (n,), who are known."""
        chosen = patients & self.known
        courses = Courses(self.seen[chosen], self.cause[chosen] != CENSORED, np.full(chosen.sum(), np.inf))
        return whole(courses, courses.ever)


@dataclass(frozen=True)
class SimulatedCohort:
    """One simulated cohort: its patients, and how long each is followed from the start of its clock.

    entry : (n,) their order: a patient in place of one who never starts the clock has that one's; None as they stand
    """

    targets: Targets
    block: Trajectories
    follow_up: Floats
    entry: Integers | None = None
    _members: dict[str, Booleans] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def start(self) -> Floats:
        """Months from entry to the start of the cohort's clock, (n,)."""
        on_default = self.targets.cohort.clock == self.targets.pathway.clock
        return self.block.clock_month if on_default else np.zeros(self.follow_up.size)

    @cached_property
    def died(self) -> Floats:
        """Months from the cohort's clock to death, inf if alive at last follow-up, (n,)."""
        since = self.block.death_month - self.start
        return np.where(since <= self.follow_up, since, np.inf)

    def months_to(self, states: Sequence[str], since: Floats | None = None) -> Floats:
        """Return months from the cohort's clock to the first entry into any of some states, inf if never, (n,).

        since : (n,) months from which on entries count
        """
        earliest = np.full(self.follow_up.size, np.inf)
        begun = np.zeros(self.follow_up.size) if since is None else since
        on_default = self.targets.cohort.clock == self.targets.pathway.clock
        for state in states:
            for patients, month in self.block.on_the_clock(state) if on_default else self.block.entered.get(state, ()):
                counts = month >= begun[patients] - MOMENT
                np.minimum.at(earliest, patients[counts], month[counts])
        return earliest

    def observed(self, since: str, causes: Sequence[Sequence[str]]) -> Observed:
        """Return when patients are seen to have the first event of some causes. since : a state, or "" for the clock"""
        origin = self.months_to([since]) if since else np.zeros(self.follow_up.size)
        months = np.array([self.months_to(states, origin) for states in causes])
        first = months.min(axis=0)
        followed = np.isfinite(origin) & (origin <= self.follow_up)
        seen = np.where(followed, np.minimum(first, self.follow_up) - np.where(followed, origin, 0.0), np.nan)
        return Observed(seen, np.where(first <= self.follow_up, months.argmin(axis=0), CENSORED), followed)

    def members(self, population: str) -> Booleans:
        """Return which patients belong to an arm or a level of an attribute, (n,)."""
        if population not in self._members:
            self._members[population] = self._find(population)
        return self._members[population]

    def _find(self, population: str) -> Booleans:
        pathway = self.targets.pathway
        if "=" in population:
            attribute, level = population.split("=", 1)
            return np.asarray(self.block.levels[attribute] == list(pathway.attributes[attribute].levels).index(level))
        if population in pathway.groups:
            group = pathway.groups[population]
            came = np.all([self._joined(states) for states in group.ways_in], axis=0)
            return np.asarray(came & ~self._joined(group.not_entered))
        arms = self.targets.cohort.arms[population]
        if "all" in arms:
            return np.ones(self.follow_up.size, dtype=bool)
        return np.asarray(np.any([self.members(arm) for arm in arms], axis=0))

    def entered(self, states: Sequence[str], by: float = np.inf) -> Booleans:
        """Return which patients entered any of `states` by a month and before their last follow-up, (n,)."""
        entered = np.zeros(self.follow_up.size, dtype=bool)
        for state in states:
            for patients, month in self.block.entered.get(state, []):
                end = np.minimum(self.follow_up[patients], by)
                entered[patients[month - self.start[patients] <= end]] = True
        return entered

    def _joined(self, states: Sequence[str]) -> Booleans:
        """Return which patients entered any of `states` within the pathway's window and their follow-up, (n,)."""
        window, later = self.targets.pathway.group_window + MOMENT, self.block.clock_month - self.start
        joined = np.zeros(self.follow_up.size, dtype=bool)
        for state in states:
            for patients, since in self.block.on_the_clock(state):
                seen = since + later[patients] <= self.follow_up[patients]
                joined[patients[(since <= window) & seen]] = True
        return joined

    def patients_of(self, figure: Kind) -> Booleans:
        """Return the patients of a reported figure, (n,)."""
        patients = np.asarray(np.any([self.members(population) for population in figure.populations], axis=0))
        return patients & self.members(figure.attribute) if figure.attribute else patients

    def first(self, denominator: Denominator) -> Booleans | None:
        """Return the first n patients of a kind, (n_patients,); None if there are not so many."""
        belong = np.ones(self.follow_up.size, dtype=bool)
        for population in denominator.patients:
            belong &= self.members(population)
        if denominator.state:
            belong &= self.observed(denominator.since, [[denominator.state]]).came
        patients = np.flatnonzero(belong)
        if patients.size < denominator.n:
            return None
        if self.entry is not None:
            patients = patients[np.argsort(self.entry[patients])]
        chosen = np.zeros(self.follow_up.size, dtype=bool)
        chosen[patients[: denominator.n]] = True
        return chosen

    def figure(self, figure: Kind, among: Booleans | None = None) -> float:
        """Return a reported figure, among some patients or all; NaN for a share or a median of nobody."""
        patients = self.patients_of(figure) if among is None else self.patients_of(figure) & among
        return float(figure.simulated(self, patients)) if patients.any() or figure.is_count else np.nan
