"""Times of single patients, as a table or a swimmer plot of a paper gives them, in patients.csv of the cohort's folder.

    log L = sum over events of log(S(a) - S(b)) + sum over the others of log S(t)

[a, b) are the months that are printed as an event's time: to a tenth of a month, 3.4 is 3.35 to 3.45.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from calibration.reported import population_sizes
from calibration.reported.figure import FileRow, digit
from calibration.reported.kinds.events import ToEvent
from calibration.reported.kinds.kind import COMPARE
from calibration.reported.links import ANY, Bound, Number, Populations
from calibration.reported.simulated_cohort import SimulatedCohort
from simulator.arrays import Booleans, Floats
from simulator.errors import InputError
from simulator.evidence.cohort import PATIENTS_FILE, Cohort
from simulator.outcomes.episodes import Courses, whole
from simulator.outcomes.kaplan_meier import KaplanMeier, kaplan_meier
from simulator.pathway.pathway import Pathway


@dataclass(frozen=True)
class Times:
    """Times of patients of a population. lower, upper : of events, printed as one; censored : of the others."""

    name: str
    population: str
    end_point: str
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    censored: tuple[float, ...]

    @property
    def months(self) -> tuple[float, ...]:
        return (*self.lower, *self.upper, *self.censored)

    @property
    def n(self) -> float:
        return float(len(self.lower) + len(self.censored))

    def log_likelihood(self, survival: Floats) -> Floats:
        """Return the log-likelihood, (n_draws,), of survival at the months, (n_draws, n_months)."""
        lower, upper, censored = np.split(survival, np.cumsum([len(self.lower), len(self.upper)]), axis=1)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.maximum(lower - upper, 0.0)).sum(axis=1) + np.log(censored).sum(axis=1))


class PatientTimes(ToEvent):
    kind = "patient_times"
    meaning = "time and event of every patient, in patients.csv; compared as Kaplan-Meier survival at `month`"
    needs = ("month", "n")
    reads = ("attribute", "end_point")
    units = ("%",)
    unit_of_figure, factor, sign = "%", 100.0, 1.0
    fitted = "each event by the months that are printed as its time, each other patient by survival"

    @property
    def reported(self) -> float:
        return 100.0 * float(self._curve(0.0).at(self.month))

    def _curve(self, side: float) -> KaplanMeier:
        """Return the estimate if every time is as late (1) or as early (-1) as it can be rounded from."""
        seen = np.array([max(row.month + side * row.half, 0.0) for row in self.rows])
        courses = Courses(seen, np.array([row.event for row in self.rows]), np.full(seen.size, np.inf))
        return kaplan_meier(whole(courses, courses.ever))

    @property
    def months(self) -> list[float]:
        return [self.month, *(row.month + row.half for row in self.rows)]

    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        return float(self.kaplan_meier(cohort, patients).at(self.month))

    def reprinted(self, cohort: SimulatedCohort, n: int) -> dict[str, float]:
        what = "patients cannot be simulated and read again: check-calibration reads targets.csv only"
        raise InputError(what, where=self.where, got=self.kind, allowed=COMPARE)

    def check(self, cohort: Cohort, pathway: Pathway) -> None:
        super().check(cohort, pathway)
        if len(self.rows) != self.n:
            of = f"of {self.population}" + (f" and {self.end_point}" if self.end_point else "")
            what = f"n is not the number of rows {of} in {PATIENTS_FILE}"
            raise InputError(what, where=f"{self.where}, n", got=f"{self.n:g}", allowed=str(len(self.rows)))

    def bounds(self, populations: Populations) -> list[Bound]:
        """Deaths, and survival to half a patient, as times are rounded: around every event, and where others count."""
        body, events, line = populations.body(self), [row for row in self.rows if row.event], self.line
        size, early, late = Number("size", body), self._curve(-1.0), self._curve(1.0)
        bounds = [Bound({size: 1}, self.n, self.n, line)]
        around = {row.month + 2.0 * side for row in events for side in (-row.half, row.half)}
        for month in sorted({*populations.months, *(month for month in around if month > 0.0)}):
            alive = Number("alive", body, self.end_point, month)
            bounds.append(Bound({alive: 1, size: -float(early.at(month))}, -0.5, line=line))
            bounds.append(Bound({alive: 1, size: -float(late.at(month))}, -inf, 0.5, line))
            if not self.end_point and month in populations.months:
                fewest, most = (sum(row.month + side * row.half <= month for row in events) for side in (1.0, -1.0))
                bounds.append(Bound({Number("entered", body, ANY, month): 1}, fewest, most, line))
        return bounds

    def times(self, cohort: Cohort) -> Times:
        """Return the times as they are fitted."""
        events, others = ([row for row in self.rows if row.event is event] for event in (True, False))
        lower = tuple(max(row.month - row.half, 0.0) for row in events)
        upper, censored = tuple(row.month + row.half for row in events), tuple(row.month for row in others)
        population = population_sizes.of_figure(cohort, self)
        return Times(self.name, population, self.end_point, lower, upper, censored)

    def in_words(self) -> str:
        return f"times of {self.n:g} patients ({self.of_patients})"


def check_reported(cohort: Cohort) -> None:
    """Refuse patients of patients.csv whom no row of targets.csv is of. Raises InputError naming the line."""
    if cohort.patients is None:
        return
    rows = cohort.targets[cohort.targets["kind"] == PatientTimes.kind].to_dict("records")
    reported = dict.fromkeys(_key(row) for row in rows)
    for line, row in zip(cohort.patients.index, cohort.patients.to_dict("records"), strict=True):
        if _key(row) not in reported:
            where, allowed = f"{cohort.folder / PATIENTS_FILE}: line {line}", ", ".join(map(_in_words, reported))
            what = f"no row of kind {PatientTimes.kind} is of this patient"
            raise InputError(what, where=where, got=_in_words(_key(row)), allowed=allowed)


def _key(row: Mapping[Any, Any]) -> tuple[str, str]:
    """Return the population and the end point of a row of patients.csv, or of targets.csv."""
    return str(row["population"]), str(row.get("end_point", "")).strip()


def _in_words(key: tuple[str, str]) -> str:
    """Return "treated", or "treated (efs)"."""
    population, end_point = key
    return f"{population} ({end_point})" if end_point else population


def rows_of(cohort: Cohort) -> dict[tuple[str, str], tuple[FileRow, ...]]:
    """Return population and end point -> its patients, of patients.csv. Raises InputError naming the line.

    Columns: population, month, event (0 or 1) and, if not all are deaths, end_point.
    """
    path, table = cohort.folder / PATIENTS_FILE, cohort.patients
    if table is None:
        raise InputError("no times of patients", where=str(path), allowed="columns population, month, event, end_point")
    rows: dict[tuple[str, str], list[FileRow]] = {}
    for line, row in zip(table.index, table.to_dict("records"), strict=True):
        at = f"{path}: line {line}"
        if not row["month"] > 0.0:
            raise InputError("not a time", where=f"{at}, month", got=row["printed_month"], allowed="months above 0")
        if row["event"] not in (0.0, 1.0):
            got, allowed = f"{row['event']:g}", "1 for an event, 0 for the end of follow-up"
            raise InputError("not an event", where=f"{at}, event", got=got, allowed=allowed)
        patient = FileRow(float(row["month"]), 0.5 * digit(row["printed_month"]), row["event"] == 1.0)
        rows.setdefault(_key(row), []).append(patient)
    return {key: tuple(patients) for key, patients in rows.items()}
