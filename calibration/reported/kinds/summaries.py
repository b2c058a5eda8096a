"""Restricted means, hazard ratios and numbers at risk: summaries of follow-up, which are compared."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from calibration.reported.figure import Figure
from calibration.reported.kinds.events import ToEvent
from calibration.reported.kinds.kind import COMPARE, MONTHS, NotFitted
from calibration.reported.links import Bound, Number, Populations
from calibration.reported.simulated_cohort import SimulatedCohort
from simulator.arrays import Booleans
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.cohort import Cohort
from simulator.outcomes.hazard_ratio import hazard_ratio
from simulator.pathway.pathway import Pathway


class RestrictedMean(NotFitted, ToEvent):
    kind = "restricted_mean"
    meaning = "restricted mean survival time, without death or another end point, to `month`"
    needs = ("month", "value")
    reads = (*ToEvent.of_events, "n", "standard_error", "lower", "upper")
    units = MONTHS
    unit_of_figure = "months"
    dated = "month"
    sign = 1.0

    def check(self, cohort: Cohort, pathway: Pathway) -> None:
        super().check(cohort, pathway)
        if not 0.0 <= self.value <= self.month:
            got, allowed = self.printed["value"], f"0 to {self.month:g} months"
            raise InputError("not a mean to its month", where=f"{self.where}, value", got=got, allowed=allowed)

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        return self.kaplan_meier(cohort, patients).mean_to(self.month)

    def bounds(self, populations: Populations) -> list[Bound]:
        body, (low, high) = populations.body(self), self.range_of("value")
        months, size = Number("mean", body, self.end_point, self.month), Number("size", body)
        return [Bound({months: 1, size: -low}, line=self.line), Bound({months: 1, size: -high}, -inf, 0.0, self.line)]

    def in_words(self) -> str:
        return f"mean {self.survival} of {self.printed['value']} months to month {self.month:g} ({self.of_patients})"


class HazardRatio(NotFitted, ToEvent):
    kind = "hazard_ratio"
    meaning = "hazard ratio of the population to the one in `versus`, by proportional hazards"
    needs = ("versus", "value")
    reads = (*ToEvent.of_events, "lower", "upper")
    units = ("",)
    unit_of_figure = ""
    is_skewed = True
    fitted = "no: it is a summary of two curves, whose hazards need not be proportional"

    @property
    def populations(self) -> tuple[str, ...]:
        return (self.population, self.versus)

    def check(self, cohort: Cohort, pathway: Pathway) -> None:
        super().check(cohort, pathway)
        levels = [f"{name}={level}" for name, attribute in pathway.attributes.items() for level in attribute.levels]
        others = [name for name in (*cohort.arms, *levels) if name != self.population]
        if self.versus not in others:
            raise UnknownNameError("population", self.versus, others, f"{self.where}, versus")
        if self.value <= 0.0:
            got = self.printed["value"]
            raise InputError("not a hazard ratio", where=f"{self.where}, value", got=got, allowed="above 0")

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        observed = self.observed(cohort)
        return hazard_ratio(*(observed.episodes(patients & cohort.members(name)) for name in self.populations))

    def in_words(self) -> str:
        return f"hazard ratio of {self.printed['value']} ({self.of_patients}, to {self.versus}; {self.survival})"


class AtRisk(ToEvent):
    kind = "at_risk"
    meaning = "number of patients still at risk at `month`: without the event, and followed"
    needs = ("month", "count", "n")
    reads = (*ToEvent.of_events, "curve")
    is_count = True
    dated = "month"
    fitted = "with the points of its `curve`, as grouped data"

    @property
    def reported(self) -> float:
        return self.count

    def check_fitted(self, cohort: Cohort, pathway: Pathway, mix: Mapping[str, Figure]) -> None:
        if not self.curve:
            what, allowed = "numbers at risk without their curve", f"the `curve` of points of survival, or {COMPARE}"
            raise InputError(what, where=self.where, got=self.name, allowed=allowed)
        super().check_fitted(cohort, pathway, mix)

    @property
    def is_start(self) -> bool:
        return self.month == 0.0 and self.count == self.n

    @property
    def left_out_with(self) -> str:
        return self.curve or self.name

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        observed = self.observed(cohort)
        return float((observed.seen[patients & observed.known] >= self.month).sum())

    def bounds(self, populations: Populations) -> list[Bound]:
        at_risk = Number("at_risk", populations.body(self), self.end_point, self.month)
        return [Bound({at_risk: 1}, self.count, self.count, self.line)]

    def in_words(self) -> str:
        return f"{self.count:g} of {self.n:g} ({self.of_patients}) at risk at month {self.month:g}"
