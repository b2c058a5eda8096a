"""Survival that is printed as a percentage without a count, as Kaplan-Meier curves with censoring are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from calibration.reported import percentages, population_sizes
from calibration.reported.figure import Figure
from calibration.reported.kinds.kind import DECIMALS, PERCENT, Kind
from calibration.reported.links import ANY, Bound, Number, Populations
from calibration.reported.percentages import Percentage
from calibration.reported.simulated_cohort import SimulatedCohort
from simulator.arrays import Booleans
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway

LEAST_WORTH = 0.9
"""Of the patients that a standard error is worth: errors by other formulas than Greenwood's differ by less."""


class Survival(Kind):
    kind = "survival"
    meaning = "Kaplan-Meier survival at `month`"
    needs = ("month", "value")
    reads = ("attribute", "n", "standard_error", "lower", "upper")
    units = PERCENT
    unit_of_figure, factor, sign = "%", 100.0, 1.0
    dated = "month"

    @property
    def is_percentage(self) -> bool:
        return True

    @property
    def left_out_with(self) -> str:
        return f"survivors at month {self.month:g}"

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        return float(cohort.kaplan_meier(patients).at(self.month))

    def reprinted(self, cohort: SimulatedCohort, n: int) -> dict[str, float]:
        """A percentage and its standard error have a decimal each."""
        curve = cohort.kaplan_meier(cohort.patients_of(self))
        estimate = 100.0 * np.array([curve.at(self.month), curve.standard_error(self.month)])
        value, error = np.round(estimate, DECIMALS).tolist()
        return {"value": value, "standard_error": error or np.nan}

    def check_printed(self, cohort: Cohort) -> None:
        percentages.check_counted(self, cohort)
        self.percentage(cohort)

    def check_fitted(self, cohort: Cohort, pathway: Pathway, mix: Mapping[str, Figure]) -> None:
        if self.attribute not in ("", population_sizes.of_figure(cohort, self)):
            what = "survival by an attribute of an arm cannot be fitted"
            raise InputError(what, where=self.where, got=self.attribute, allowed='use = "predictive"')

    def percentage(self, cohort: Cohort) -> Percentage:
        """Return the binomial that the figure is worth. Raises InputError."""
        return percentages.read(self, cohort)

    def warnings(self, cohort: Cohort) -> list[str]:
        return [self.percentage(cohort).warning, *super().warnings(cohort), percentages.at_risk_warning(self, cohort)]

    def bounds(self, populations: Populations) -> list[Bound]:
        """As printed, and as far above the share without a death as censoring allows.

        Of n patients D are seen to die: S <= 1 - D / n, and 1 - D / n - S <= (1 - S) (1 - m / n), where the estimate is
        worth m = S (1 - S) / SE^2 patients by Greenwood's SE: censoring loses less to each death than it takes of them.
        """
        body, line, cohort, month = populations.body(self), self.line, populations.cohort, self.month
        size, dead, alive = Number("size", body), Number("entered", body, ANY, month), Number("alive", body, ANY, month)
        low, high = (min(max(percent / 100.0, 0.0), 1.0) for percent in self.range_of("value"))
        bounds = [Bound({alive: 1, size: -low}, line=line), Bound({alive: 1, size: -high}, -np.inf, 0.0, line)]
        without_error = not np.isfinite([self.standard_error, self.lower]).any()
        followed = month <= cohort.follow_up[0] if cohort.follow_up else without_error
        if month <= cohort.no_censoring_before:
            bounds.append(Bound({alive: 1, size: -1, dead: 1}, line=line))
        elif followed:
            # By last follow-up, or for want of an error, nobody is taken as censored; no count need print it.
            bounds.append(Bound({alive: 1, size: -1, dead: 1}, -1.0, line=line))
        elif np.isfinite(self.n) and low < high:
            worth = LEAST_WORTH * percentages.least_worth(self) / self.n
            lost = (1.0 - low) * (1.0 - min(max(worth, 0.0), 1.0))
            bounds.append(Bound({alive: 1, size: lost - 1.0, dead: 1}, line=line))
        return bounds

    def in_words(self) -> str:
        return f"{self.as_printed} ({self.of_patients}) alive at month {self.month:g}"
