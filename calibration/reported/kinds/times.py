"""Times in months: from entry to the first clock, whose order statistics are fitted, and medians of follow-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from calibration.reported import population_sizes
from calibration.reported.figure import Figure
from calibration.reported.kinds.kind import COMPARE, DECIMALS, MONTHS, Kind, NotFitted
from calibration.reported.links import Bound, Number, Populations, at_quantile
from calibration.reported.simulated_cohort import SimulatedCohort
from simulator.arrays import Booleans
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway


def printed(months: float) -> float:
    """Return a time to one decimal; to its first digit where that would be 0.0, which nobody prints."""
    return round(months, DECIMALS) or float(f"{months:.0e}")


class Time(Kind):
    """A time in months."""

    needs = ("value",)
    reads: ClassVar[tuple[str, ...]] = ("attribute", "n")
    units = MONTHS
    unit_of_figure = "months"

    def check(self, cohort: Cohort, pathway: Pathway) -> None:
        if self.value <= 0:
            got, allowed = self.printed["value"], "months above 0"
            raise InputError("not a time", where=f"{self.where}, value", got=got, allowed=allowed)

    def bounds(self, populations: Populations) -> list[Bound]:
        return [Bound({Number(self.kind, populations.body(self)): 1}, *self.range_of("value"), self.line)]

    def in_words(self) -> str:
        return f"{self.kind.replace('_', ' ')} of {self.printed['value']} months ({self.of_patients})"


class ToClock(Time):
    """An order statistic of the time from entry to the first clock."""

    reads = ("state", "attribute", "n")
    fitted = "as an order statistic of the times of all patients"
    adds_up = False

    def bounds(self, populations: Populations) -> list[Bound]:
        """Of the times and, where the cohort's months count from entry, of who came to the clock by then."""
        bounds, state = super().bounds(populations), populations.pathway.clock_state
        if self.kind == "median" or populations.cohort.clock == populations.pathway.clock:
            return bounds
        months = self.range_of("value")
        return bounds + at_quantile(populations.came(self, state), float(self.kind == "maximum"), months, self.line)

    def check(self, cohort: Cohort, pathway: Pathway) -> None:
        if self.state not in ("", pathway.clock_state):
            what = f"kind '{self.kind}' is of the time from entry to {pathway.clock_state}"
            allowed = f"{pathway.clock_state}, or blank"
            raise InputError(what, where=f"{self.where}, state", got=self.state, allowed=allowed)
        super().check(cohort, pathway)

    def reprinted(self, cohort: SimulatedCohort, n: int) -> dict[str, float]:
        return {"value": printed(cohort.figure(self))}

    def check_fitted(self, cohort: Cohort, pathway: Pathway, mix: Mapping[str, Figure]) -> None:
        population = population_sizes.of_figure(cohort, self)
        of_all = cohort.is_everybody(population)
        if not of_all and (self.kind != "median" or "=" not in population):
            what = "only a median can be reported for a level, and no time for an arm"
            raise InputError(what, where=self.where, got=f"{self.kind} of {population}")
        attribute, _, level = population.partition("=")
        sizes = population_sizes.of_levels(mix, cohort, pathway, attribute) if level else {}
        most = sizes.get(level, population_sizes.most(cohort, population))
        if self.n < most:
            what = f"a time of some of the {most} patients of {population} cannot be fitted"
            raise InputError(what, where=f"{self.where}, n", got=int(self.n), allowed=f"{most}, or {COMPARE}")


class Median(ToClock):
    kind = "median"
    meaning = "median time from entry to the first clock; fitted if one exit leads there"

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        return float(np.median(cohort.block.clock_month[patients]))


class Minimum(ToClock):
    kind = "minimum"
    meaning = "shortest time from entry to the first clock"

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        return float(cohort.block.clock_month[patients].min())


class Maximum(ToClock):
    kind = "maximum"
    meaning = "longest time from entry to the first clock"

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        return float(cohort.block.clock_month[patients].max())


class MedianFollowUp(NotFitted, Time):
    kind = "median_follow_up"
    meaning = "median time to death or last follow-up"
    fitted = "no: follow-up is an assumption of [follow_up]"
    dated = "value"

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        return float(np.median(np.minimum(cohort.died, cohort.follow_up)[patients]))
