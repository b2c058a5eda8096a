"""Percentages of patients who may be censored: survival, also from a landmark, and cumulative incidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import ClassVar

import numpy as np

from calibration.reported import percentages, population_sizes
from calibration.reported.estimates import CAUSE
from calibration.reported.figure import Figure
from calibration.reported.kinds.events import ToEvent, causes_of
from calibration.reported.kinds.kind import COMPARE, DECIMALS, PERCENT, NotFitted
from calibration.reported.links import Body, Bound, Number, Populations
from calibration.reported.percentages import Percentage
from calibration.reported.simulated_cohort import SimulatedCohort
from simulator.arrays import Booleans
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.cohort import Cohort
from simulator.outcomes.cumulative_incidence import cumulative_incidence
from simulator.pathway.pathway import Pathway

LEAST_WORTH = 0.9
"""Of the patients that a standard error is worth: errors by other formulas than Greenwood's differ by less."""


class Share(ToEvent):
    """A percentage of patients at a month, worth a binomial."""

    needs: ClassVar[tuple[str, ...]] = ("month", "value")
    reads: ClassVar[tuple[str, ...]] = (*ToEvent.of_events, "n", "standard_error", "lower", "upper")
    units = PERCENT
    unit_of_figure, factor = "%", 100.0
    dated = "month"

    @property
    def is_percentage(self) -> bool:
        return True

    def check_printed(self, cohort: Cohort) -> None:
        percentages.check_counted(self, cohort)
        self.percentage(cohort)

    def check_fitted(self, cohort: Cohort, pathway: Pathway, mix: Mapping[str, Figure]) -> None:
        if self.attribute not in ("", population_sizes.of_figure(cohort, self)):
            what = f"{self.kind} by an attribute of an arm cannot be fitted"
            raise InputError(what, where=self.where, got=self.attribute, allowed=COMPARE)
        super().check_fitted(cohort, pathway, mix)

    def percentage(self, cohort: Cohort) -> Percentage:
        """Return the binomial that the figure is worth. Raises InputError."""
        return replace(percentages.read(self, cohort), end_point=self.end_point, cause=self.cause)

    def warnings(self, cohort: Cohort) -> list[str]:
        return [self.percentage(cohort).warning, *super().warnings(cohort)]

    @property
    def shares(self) -> tuple[float, float]:
        """The lowest and the highest share, 0 to 1, that the printed percentage can mean."""
        low, high = (min(max(percent / 100.0, 0.0), 1.0) for percent in self.range_of("value"))
        return low, high

    def is_followed(self, cohort: Cohort) -> bool:
        """Return whether nobody is taken as censored before its month: by last follow-up, or for want of an error."""
        without_error = not np.isfinite([self.standard_error, self.lower]).any()
        return self.month <= cohort.follow_up[0] if cohort.follow_up else without_error

    def of_value(self, part: Number, whole: Number) -> list[Bound]:
        """Return that a number is the printed percentage of another one."""
        low, high = self.shares
        return [
            Bound({part: 1, whole: -low}, 0.0, line=self.line),
            Bound({part: 1, whole: -high}, -inf, 0.0, self.line),
        ]


class Survival(Share):
    kind = "survival"
    meaning = "Kaplan-Meier survival, without death or another end point, at `month`"
    reads = (*Share.reads, "curve")
    fitted = "as a binomial of as many patients as its error is worth; points of a `curve` as grouped data"
    sign = 1.0

    @property
    def left_out_with(self) -> str:
        return self.curve or (f"survivors at month {self.month:g}" if self.is_plain else self.name)

    @property
    def is_start(self) -> bool:
        return self.month == 0.0 and self.value == 100.0

    def check_printed(self, cohort: Cohort) -> None:
        if self.curve:
            percentages.check_share(self)
        else:
            super().check_printed(cohort)

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        return float(self.kaplan_meier(cohort, patients).at(self.month))

    def reprinted(self, cohort: SimulatedCohort, n: int) -> dict[str, float]:
        """A percentage and its standard error have a decimal each."""
        curve = self.kaplan_meier(cohort, cohort.patients_of(self))
        estimate = 100.0 * np.array([curve.at(self.month), curve.standard_error(self.month)])
        value, error = np.round(estimate, DECIMALS).tolist()
        return {"value": value, "standard_error": error or np.nan}

    def warnings(self, cohort: Cohort) -> list[str]:
        return [] if self.curve else [*super().warnings(cohort), percentages.at_risk_warning(self, cohort)]

    def bounds(self, populations: Populations) -> list[Bound]:
        """As printed, and as far above the share without a death as censoring allows.

        Of n patients D are seen to die: S <= 1 - D / n, and 1 - D / n - S <= (1 - S) (1 - m / n), where the estimate is
        worth m = S (1 - S) / SE^2 patients by Greenwood's SE: censoring loses less to each death than it takes of them.
        """
        if self.curve:
            return []
        body, line, cohort, month = populations.body(self), self.line, populations.cohort, self.month
        size, alive = Number("size", body), Number("alive", body, self.end_point, month)
        bounds = self.of_value(alive, size)
        if self.since:
            return bounds
        states = [state for of_cause in populations.causes(self.end_point).values() for state in of_cause]
        dead = {Number("entered", body, state, month): 1.0 for state in states}
        low, high = self.shares
        if month <= cohort.no_censoring_before:
            bounds.append(Bound({alive: 1, size: -1} | dead, line=line))
        elif self.is_followed(cohort):
            # No count need print it.
            bounds.append(Bound({alive: 1, size: -1} | dead, -1.0, line=line))
        elif np.isfinite(self.n) and self.error > 0.0 and low < high:
            worth = LEAST_WORTH * percentages.least_worth(self) / self.n
            lost = (1.0 - low) * (1.0 - min(max(worth, 0.0), 1.0))
            bounds.append(Bound({alive: 1, size: lost - 1.0} | dead, line=line))
        return bounds

    def in_words(self) -> str:
        alive = "alive" if self.is_plain else self.survival
        return f"{self.as_printed} ({self.of_patients}) {alive} at month {self.month:g}"


class LandmarkSurvival(NotFitted, Share):
    kind = "landmark_survival"
    meaning = "Kaplan-Meier survival at `month` of patients without the event, and followed, at month `landmark`"
    needs = ("month", "landmark", "value")
    fitted = "no: patients at the landmark are a selected part of others that are counted"
    sign = 1.0

    def check(self, cohort: Cohort, pathway: Pathway) -> None:
        super().check(cohort, pathway)
        if not 0.0 <= self.landmark < self.month:
            got, allowed = f"{self.landmark:g}", f"a month from 0 on, before {self.month:g}"
            raise InputError("a landmark after its month", where=f"{self.where}, landmark", got=got, allowed=allowed)
        percentages.check_share(self)

    def check_printed(self, cohort: Cohort) -> None:
        """No surer than if nobody of the whole population was lost before the landmark."""
        if self.error > 0.0 and 0.0 < self.value < 100.0:
            percentages.check_not_surer(self, population_sizes.most(cohort, population_sizes.of_figure(cohort, self)))

    def bounds(self, populations: Populations) -> list[Bound]:
        """Its n may be of those at the landmark: the curve is that of the whole population."""
        curve = Number("alive", Body(populations.patients(self), since=self.since), self.end_point, self.month)
        return self.of_value(curve, curve._replace(month=self.landmark))

    def warnings(self, cohort: Cohort) -> list[str]:
        return []

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        """S(month) / S(landmark) is the estimate of those at risk at the landmark."""
        curve = self.kaplan_meier(cohort, patients)
        alive, at_landmark = float(curve.at(self.month)), float(curve.at(self.landmark))
        return alive / at_landmark if at_landmark > 0.0 else np.nan

    def in_words(self) -> str:
        return f"{self.as_printed} ({self.of_patients}) {self.survival} at month {self.month:g} from {self.landmark:g}"


class Incidence(Share):
    kind = "incidence"
    meaning = "cumulative incidence of one `cause` of an end point by `month`, its other causes competing"
    needs = ("end_point", "cause", "month", "value")
    reads = ("attribute", "from", "n", "standard_error", "lower", "upper")
    fitted = "as a binomial of as many patients as its error is worth"

    def check(self, cohort: Cohort, pathway: Pathway) -> None:
        super().check(cohort, pathway)
        causes = causes_of(self.end_point, cohort, pathway)
        if self.cause not in causes:
            raise UnknownNameError(f"cause of {self.end_point}", self.cause, causes, f"{self.where}, cause")

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        causes = list(causes_of(self.end_point, cohort.targets.cohort, cohort.targets.pathway))
        observed = self.observed(cohort)
        chosen = patients & observed.known
        if not chosen.any():
            return np.nan
        place = causes.index(self.cause)
        return cumulative_incidence(observed.seen[chosen], observed.cause[chosen], place, self.month)

    def reprinted(self, cohort: SimulatedCohort, n: int) -> dict[str, float]:
        """A percentage with a decimal, worth its n patients: its error is as if nobody were censored before."""
        return {"value": round(100.0 * cohort.figure(self), DECIMALS)}

    def bounds(self, populations: Populations) -> list[Bound]:
        body = populations.body(self)
        number = Number(CAUSE + self.cause, body, self.end_point, self.month)
        bounds, is_certain = self.of_value(number, Number("size", body)), self.is_exact(populations.cohort)
        if not self.since and (is_certain or self.is_followed(populations.cohort)):
            states = populations.causes(self.end_point)[self.cause]
            entered = {Number("entered", body, state, self.month): 1.0 for state in states}
            bounds.append(Bound({number: -1} | entered, is_certain - 1.0, line=self.line, is_certain=is_certain))
        return bounds

    def in_words(self) -> str:
        return f"{self.as_printed} ({self.of_patients}) {self.cause} ({self.survival}) by month {self.month:g}"
