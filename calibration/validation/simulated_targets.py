"""The targets of a simulated cohort, printed as coarsely as the reported one's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from calibration.likelihood.targets import Targets, with_rows
from calibration.predictive import SimulatedCohort
from calibration.reported.kinds import PERCENTAGE, TIMED
from simulator.evidence.cohort import TARGETS

DECIMALS = 1
"""Of a printed time in months, or of a percentage without a count.

A count out of 50 patients or fewer is known from its whole percentage.
"""


def simulated_targets(cohort: SimulatedCohort) -> Targets:
    """Return the targets that a simulated cohort would be fitted to, its case mix given as the reported one's is.

    Raises InputError on what the calibration refuses of a reported cohort too: printed times that are 0.0 or equal.
    """
    reported = cohort.targets
    rows = reported.cohort.targets
    # Sizes of groups are read from rows of patients, whatever their use.
    read = rows[rows["use"].isin(["likelihood", "case_mix"]) | (rows["kind"] == "patients")]
    return with_rows(reported, read.apply(lambda row: _printed(cohort, row), axis=1))


def _printed(cohort: SimulatedCohort, row: pd.Series) -> pd.Series:
    n = float(_whole(cohort, row))
    figure = cohort.figure(row)
    told: dict[str, float]
    if row["kind"] in TIMED:
        told = {"value": printed(figure), "count": np.nan}
    elif row["kind"] == PERCENTAGE:
        told = {**_percentage(cohort, row), "count": np.nan}
    elif row["kind"] == "survivors":
        told = {"value": np.nan, "count": np.rint(np.nan_to_num(figure) * n)}
    else:
        told = {"value": np.nan, "count": figure}
    numbers = {"standard_error": np.nan, "lower": np.nan, "upper": np.nan, **told}
    texts = {f"printed_{name}": _text(numbers[name]) for name in TARGETS["printed"]}
    return pd.Series({**row, **numbers, **texts, "n": n})


def _text(number: float) -> str:
    return "" if np.isnan(number) else f"{number:.{DECIMALS}f}"


def _percentage(cohort: SimulatedCohort, row: pd.Series) -> dict[str, float]:
    """Return a Kaplan-Meier percentage and its standard error, with a decimal each."""
    curve = cohort.kaplan_meier(cohort.told_of(row))
    told = 100.0 * np.array([curve.at(row["month"]), curve.standard_error(row["month"])])
    value, error = np.round(told, DECIMALS).tolist()
    return {"value": value, "standard_error": error or np.nan}


def printed(months: float) -> float:
    """Return a time to one decimal; to its first digit where that would be 0.0, which nobody prints of an event."""
    return round(months, DECIMALS) or float(f"{months:.0e}")


def _whole(cohort: SimulatedCohort, row: pd.Series) -> int:
    """Return how many patients a figure is of: an arm is counted among the whole cohort."""
    if row["kind"] == "patients" and not row["attribute"]:
        return cohort.targets.cohort.n
    who = cohort.members(row["population"])
    if row["kind"] != "patients" and row["attribute"]:
        who = who & cohort.members(row["attribute"])
    return int(who.sum())
