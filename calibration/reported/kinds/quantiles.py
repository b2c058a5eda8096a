"""Medians and other quantiles of times, with intervals, limits, and quantiles that are not reached."""

from __future__ import annotations

from abc import abstractmethod
from math import inf, isfinite, isnan
from typing import ClassVar

import numpy as np

from calibration.reported.estimates import LATER
from calibration.reported.kinds.events import ToEvent
from calibration.reported.kinds.kind import MONTHS, Kind, NotFitted
from calibration.reported.links import Bound, Number, Populations, at_quantile
from calibration.reported.simulated_cohort import SimulatedCohort
from simulator.arrays import Booleans, Floats
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway

NOT_REACHED, AT_LEAST, AT_MOST = LIMITS = ("not_reached", "at_least", "at_most")


class Quantile(Kind):
    """A time by which a share of patients have had an event. limit : at least or at most the value, or not reached."""

    units = MONTHS
    unit_of_figure = "months"
    is_skewed = True
    is_open = True
    dated = "value"

    @property
    def reported(self) -> float:
        return inf if self.limit == NOT_REACHED else self.value

    @property
    @abstractmethod
    def what(self) -> str:
        """What it is a quantile of: survival, an end point, or the time to a state."""

    @property
    def share(self) -> float:
        """The share of patients by which it is reached."""
        return 0.5 if isnan(self.quantile) else self.quantile / 100.0

    def compared(self, simulated: Floats) -> Floats:
        """Return simulated quantiles as far as the limit says anything of them: those beyond it count as the limit."""
        if self.limit == AT_LEAST:
            return np.minimum(simulated, self.value)
        return np.maximum(simulated, self.value) if self.limit == AT_MOST else simulated

    @property
    def earliest_and_latest(self) -> tuple[float, float]:
        """The months between which it lies, as printed: 0 and inf where a limit leaves it open."""
        earliest, latest = (inf, inf) if self.limit == NOT_REACHED else self.range_of("value")
        return 0.0 if self.limit == AT_MOST else earliest, inf if self.limit == AT_LEAST else latest

    def check(self, cohort: Cohort, pathway: Pathway) -> None:
        super().check(cohort, pathway)
        at, needed = self.where, "months above 0"
        if self.limit and self.limit not in LIMITS:
            raise UnknownNameError("limit", self.limit, LIMITS, f"{at}, limit")
        if (self.limit == NOT_REACHED) != isnan(self.value):
            allowed = 'a `value`; or `limit` = "not_reached" and no `value`'
            got = self.printed["value"] or "blank"
            raise InputError("a time that is reached, or that is not", where=f"{at}, value", got=got, allowed=allowed)
        if self.value <= 0:
            raise InputError("not a time", where=f"{at}, value", got=self.printed["value"], allowed=needed)
        if isfinite(self.quantile) and not 0.0 <= self.quantile <= 100.0:
            got, allowed = f"{self.quantile:g}", "percent of patients with the event, 0 to 100"
            raise InputError("not a quantile", where=f"{at}, quantile", got=got, allowed=allowed)

    def in_words(self) -> str:
        of = "median" if self.share == 0.5 else f"quantile {self.quantile:g} %"
        limit = {AT_LEAST: "at least ", AT_MOST: "at most "}.get(self.limit, "")
        value = f"{self.printed['value']} months" if self.printed["value"] else "not reached"
        return f"{of} of {limit}{value} ({self.of_patients}; {self.what})"


class SurvivalQuantile(NotFitted, ToEvent, Quantile):
    kind = "survival_quantile"
    meaning = "month by which `quantile` % have died, or had the end point, by the Kaplan-Meier estimate"
    needs: ClassVar[tuple[str, ...]] = ("quantile",)
    fitted = "no: with censoring, no count of patients gives its law"
    reads = (*ToEvent.of_events, "limit", "value", "n", "lower", "upper")
    sign = 1.0

    @property
    def what(self) -> str:
        return self.survival

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        return self.kaplan_meier(cohort, patients).quantile(self.share)

    def bounds(self, populations: Populations) -> list[Bound]:
        """Before the printed time survival is 1 - share or more, after it 1 - share or less."""
        body, line, (earliest, latest) = populations.body(self), self.line, self.earliest_and_latest
        before, after = (Number("alive", body, self.end_point, month) for month in (earliest, latest))
        kept, later = {Number("size", body): self.share - 1.0}, f"{LATER}{self.share:g}"
        bounds = list[Bound]()
        if earliest > 0.0:
            bounds += [Bound({before: 1} | kept, line=line), Bound({before._replace(what=later): 1}, 1, 1, line)]
        if latest < inf:
            bounds += [Bound({after: 1} | kept, -inf, 0, line), Bound({after._replace(what=later): 1}, 0, 0, line)]
        return bounds


class MedianSurvival(SurvivalQuantile):
    kind = "median_survival"
    meaning = "median survival, or median time to an end point, by the Kaplan-Meier estimate"
    needs = ()


class TimeQuantile(NotFitted, Quantile):
    kind = "time_quantile"
    meaning = (
        "median, or `quantile` % (0: shortest, 100: longest), of the time to `state` of `n` patients who came there"
    )
    needs = ("state",)
    reads = ("attribute", "from", "limit", "quantile", "value", "n", "lower", "upper")
    fitted = "no: only patients who entered the state have a time"
    of_entered = True

    @property
    def what(self) -> str:
        return f"time to {self.state}{f' from {self.since}' if self.since else ''}"

    def bounds(self, populations: Populations) -> list[Bound]:
        """Of the times and, from the cohort's clock, of who came by then; unless an entry before the clock counts."""
        came, n, line = populations.came(self, self.state), self.n, self.line
        bounds = [Bound({came: 1}, n, line=line)] if isfinite(n) else []
        if self.limit == NOT_REACHED:
            return bounds
        months = self.earliest_and_latest
        time = Number("time", came.body, f"{self.since} to {self.state}", 100.0 * self.share)
        if not self.since and self.state not in populations.before_clock:
            bounds += at_quantile(came, self.share, months, line)
        return [*bounds, Bound({time: 1}, *months, line)]

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        observed = cohort.observed(self.since, [[self.state]])
        times = observed.seen[patients & observed.came]
        return float(np.quantile(times, self.share)) if times.size else np.nan
