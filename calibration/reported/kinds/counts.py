"""Figures that count patients: all counts that are fitted are one table, see `calibration.likelihood.courses`."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import ClassVar

import numpy as np

from calibration.reported import percentages
from calibration.reported.kinds.kind import Kind
from calibration.reported.links import ANY, Body, Bound, Number, Populations
from calibration.reported.simulated_cohort import SimulatedCohort
from simulator.arrays import Booleans
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Group, Pathway

Levels = frozenset[str]
"""Of attributes, such as "sex=f"; none for a patient of any level."""


@dataclass(frozen=True)
class Row:
    """A reported count: of `patients`, of `survivors` at a month, of `deaths` (of a state) or `entered` a state by one.

    groups : the patients are of one of these, or everybody (None); month : inf for deaths or entries by the end
    states : any of which counts; none for any death
    """

    kind: str
    population: str
    groups: tuple[Group, ...] | None
    levels: Levels
    states: tuple[str, ...]
    month: float
    count: int
    n: int
    where: str


def row_of(figure: Kind, counted_as: str, cohort: Cohort, pathway: Pathway) -> Row:
    """Return a figure as a count of patients; of 0 patients where it has none."""
    population, (count, n) = figure.population, np.nan_to_num([figure.count, figure.n])
    levels = frozenset(name for name in (population, figure.attribute) if "=" in name)
    arms = () if cohort.is_everybody(population) or population in levels else cohort.arms[population]
    groups = tuple(pathway.groups[arm] for arm in arms) or None
    states = cohort.states_of(figure.state) if figure.state else ()
    return Row(counted_as, population, groups, levels, states, figure.by, int(count), int(n), figure.where)


class Count(Kind):
    """counted_as : the kind of its row in the table"""

    needs: ClassVar[tuple[str, ...]] = ("count", "n")
    is_count = True
    fitted = "in one table of all counts"
    counted_as: ClassVar[str]

    def row(self, cohort: Cohort, pathway: Pathway) -> Row:
        """Return the figure as it is in the table of all counts."""
        return row_of(self, self.counted_as, cohort, pathway)

    @property
    def reported(self) -> float:
        return self.count

    @property
    def counted(self) -> str:
        """ "20 of 60"."""
        return f"{self.count:g} of {self.n:g}"

    @property
    def by_when(self) -> str:
        return f"by month {self.month:g}" if isfinite(self.month) else "by last follow-up"

    def check_printed(self, cohort: Cohort) -> None:
        if isfinite(self.count) and isfinite(self.value):
            percentages.check_value(self)

    def _entered(self, populations: Populations, coefficient: float) -> dict[Number, float]:
        """Return those it counts, or who died, by its month, as a sum."""
        body, states = populations.body(self), populations.cohort.states_of(self.state)
        return {Number("entered", body, state, self.by): coefficient for state in states}


class Patients(Count):
    kind = "patients"
    meaning = "number of patients in a population"
    reads = ("attribute", "value")
    counts_sizes = True
    counted_as = "patients"

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        return float(patients.sum())

    @property
    def left_out_with(self) -> str:
        return "patients of each arm"

    def whole(self, cohort: SimulatedCohort) -> int:
        """An arm is counted among the whole cohort, and a level among its population."""
        return int(cohort.members(self.population).sum()) if self.attribute else cohort.targets.cohort.n

    def bounds(self, populations: Populations) -> list[Bound]:
        """An arm has as many as its row counts; so has a level, if the row is of all patients; otherwise at least."""
        body = Body(populations.patients(self))
        size = populations.sizes.get(populations.named(self.population), inf)
        is_arm = not self.attribute and "=" not in self.population
        number = Number("size", body) if is_arm or self.n >= size else Number("known", body, ANY, self.n)
        return [Bound({number: 1}, self.count, self.count, self.line)]

    def in_words(self) -> str:
        return f"{self.counted} are {self.of_patients}"


class Events(Count):
    """Patients to whom something happened."""

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        targets = cohort.targets
        states = targets.cohort.states_of(self.state) if self.state else targets.pathway.deaths
        return float((cohort.entered(states, self.by) & patients).sum())

    def bounds(self, populations: Populations) -> list[Bound]:
        return [Bound(self._entered(populations, 1), self.count, self.count, self.line)]


class Entered(Events):
    kind = "entered"
    meaning = "number of patients who entered a state, by `month` or ever"
    counted_as = "entered"
    needs = ("state", "count", "n")
    reads = ("attribute", "month", "value")

    @property
    def left_out_with(self) -> str:
        return ""

    def in_words(self) -> str:
        return f"{self.counted} ({self.of_patients}) entered {self.state} {self.by_when}"


class Deaths(Events):
    kind = "deaths"
    meaning = "number of patients who died, of the death `state` or of any, by `month` or ever"
    reads: ClassVar[tuple[str, ...]] = ("state", "attribute", "month", "value")
    what_state = "death"
    counted_as = "deaths"
    sign = -1.0

    @property
    def left_out_with(self) -> str:
        return f"survivors at month {self.month:g}" if isfinite(self.month) else "deaths by the end"

    def states(self, pathway: Pathway) -> tuple[str, ...]:
        return pathway.deaths

    def in_words(self) -> str:
        of = f" of {self.state}" if self.state else ""
        return f"{self.counted} ({self.of_patients}) dead{of} {self.by_when}"


class EnteredDeath(Deaths):
    """Patients who entered a death, reported as such: fitted as deaths are."""

    kind, meaning, needs, reads = Entered.kind, Entered.meaning, Entered.needs, Entered.reads
    sign = 0.0

    def in_words(self) -> str:
        return f"{self.counted} ({self.of_patients}) entered {self.state} {self.by_when}"


class Survivors(Count):
    kind = "survivors"
    meaning = "number of patients not known to have died by `month`"
    counted_as = "survivors"
    needs = ("month", "count", "n")
    reads = ("attribute", "value", "standard_error", "lower", "upper")
    is_count = False
    unit_of_figure, factor, sign = "%", 100.0, 1.0

    @property
    def reported(self) -> float:
        return 100.0 * self.count / self.n

    @property
    def left_out_with(self) -> str:
        return f"survivors at month {self.month:g}"

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        return float((cohort.died[patients] > self.month).mean())

    def reprinted(self, cohort: SimulatedCohort, n: int) -> dict[str, float]:
        return {"count": float(np.rint(np.nan_to_num(cohort.figure(self)) * n))}

    def check_printed(self, cohort: Cohort) -> None:
        percentages.check_counted(self, cohort)
        super().check_printed(cohort)

    def bounds(self, populations: Populations) -> list[Bound]:
        alive = {Number("size", populations.body(self)): 1.0, **self._entered(populations, -1)}
        return [Bound(alive, self.count, self.count, self.line)]

    def in_words(self) -> str:
        return f"{self.counted} ({self.of_patients}) alive at month {self.month:g}"
