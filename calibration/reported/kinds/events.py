"""Figures of the time to a first event: to death, or to an end point that the cohort or the pathway declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from calibration.reported.figure import Figure
from calibration.reported.kinds.kind import COMPARE, Kind
from calibration.reported.simulated_cohort import Observed, SimulatedCohort
from simulator.arrays import Booleans
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.cohort import Cohort
from simulator.outcomes.kaplan_meier import KaplanMeier, kaplan_meier
from simulator.pathway.pathway import Pathway

Causes = Mapping[str, tuple[str, ...]]
"""Cause -> its states."""


def causes_of(end_point: str, cohort: Cohort, pathway: Pathway) -> Causes:
    """Return the causes of an end point that a cohort or the pathway declares; of "", death."""
    if not end_point:
        return {"death": pathway.deaths}
    return {**pathway.end_points, **cohort.end_points}[end_point].causes


class ToEvent(Kind):
    """A figure of first events. Months count from the cohort's clock, or from the first entry into `from`."""

    of_events: ClassVar[tuple[str, ...]] = ("attribute", "from", "end_point")

    def asks(self, cohort: Cohort, pathway: Pathway) -> set[str]:
        return super().asks(cohort, pathway).union(*causes_of(self.end_point, cohort, pathway).values())

    def observed(self, cohort: SimulatedCohort) -> Observed:
        """Return when simulated patients are seen to have the event."""
        causes = causes_of(self.end_point, cohort.targets.cohort, cohort.targets.pathway)
        return cohort.observed(self.since, list(causes.values()))

    def kaplan_meier(self, cohort: SimulatedCohort, patients: Booleans) -> KaplanMeier:
        """Return the estimate of survival without the event of some simulated patients, (n,)."""
        return kaplan_meier(self.observed(cohort).episodes(patients))

    @property
    def survival(self) -> str:
        """The end point, "survival" for death, and the state its months count from."""
        return f"{self.end_point or 'survival'}{f' from {self.since}' if self.since else ''}"

    def check(self, cohort: Cohort, pathway: Pathway) -> None:
        declared = {**pathway.end_points, **cohort.end_points}
        if self.end_point and self.end_point not in declared:
            raise UnknownNameError("end point", self.end_point, declared, f"{self.where}, end_point")
        super().check(cohort, pathway)
        if self.since and cohort.is_everybody(self.population) and not self.attribute and self.n < cohort.n:
            raise InputError(
                f"n counts patients who entered {self.since}, and the population is everybody",
                where=f"{self.where}, n",
                got=f"{self.n:g}",
                allowed=f"{cohort.n}, blank, or the population of those who entered it, as in [populations]",
            )

    def check_fitted(self, cohort: Cohort, pathway: Pathway, mix: Mapping[str, Figure]) -> None:
        if self.since:
            what = "months from a state cannot be fitted: the likelihood follows patients from the cohort's clock"
            raise InputError(what, where=f"{self.where}, from", got=self.since, allowed=COMPARE)
