"""The targets of a simulated cohort, printed as coarsely as those of the reported one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from calibration.likelihood.targets import Targets, with_rows
from calibration.predictive import SimulatedCohort
from calibration.reported.kinds import PERCENTAGE, TIMED
from simulator.evidence.cohort import TARGETS

DECIMALS = 1
"""Of a printed time in months, or of a percentage without a count.

A whole percentage determines a count out of 50 patients or fewer.
"""


def simulated_targets(cohort: SimulatedCohort) -> Targets:
    """Return the targets that a simulated cohort would be fitted to, with its case mix in the same rows.

    Raises InputError as for a reported cohort: on printed times that are 0.0 or equal.
    """
    reported = cohort.targets
    rows = reported.cohort.targets
    # Sizes of groups are read from rows of patients, whatever their use.
    read = rows[rows["use"].isin(["likelihood", "case_mix"]) | (rows["kind"] == "patients")]
    return with_rows(reported, read.apply(lambda row: _printed(cohort, row), axis=1))


def _printed(cohort: SimulatedCohort, row: pd.Series) -> pd.Series:
    n = float(_whole(cohort, row))
    figure = cohort.figure(row)
    numbers = dict.fromkeys(("value", "count", "standard_error", "lower", "upper"), np.nan)
    if row["kind"] in TIMED:
        numbers["value"] = printed(figure)
    elif row["kind"] == PERCENTAGE:
        numbers |= _percentage(cohort, row)
    else:
        numbers["count"] = np.rint(np.nan_to_num(figure) * n) if row["kind"] == "survivors" else figure
    texts = {f"printed_{name}": _text(numbers[name]) for name in TARGETS["printed"]}
    return pd.Series({**row, **numbers, **texts, "n": n})


def _text(number: float) -> str:
    return "" if np.isnan(number) else f"{number:.{DECIMALS}f}"


def _percentage(cohort: SimulatedCohort, row: pd.Series) -> dict[str, float]:
    """Return a Kaplan-Meier percentage and its standard error, with a decimal each."""
    curve = cohort.kaplan_meier(cohort.patients_of(row))
    estimate = 100.0 * np.array([curve.at(row["month"]), curve.standard_error(row["month"])])
    value, error = np.round(estimate, DECIMALS).tolist()
    return {"value": value, "standard_error": error or np.nan}


def printed(months: float) -> float:
    """Return a time to one decimal; to its first digit where that would be 0.0, which nobody prints."""
    return round(months, DECIMALS) or float(f"{months:.0e}")


def _whole(cohort: SimulatedCohort, row: pd.Series) -> int:
    """Return the n of a figure: an arm is counted among the whole cohort, and a level among its population."""
    if row["kind"] == "patients" and not row["attribute"]:
        return cohort.targets.cohort.n
    is_level = row["kind"] == "patients"
    return int((cohort.members(row["population"]) if is_level else cohort.patients_of(row)).sum())
