"""Numbers at risk as a table: how many of a cohort are expected to be alive, as under the survival curves.

number = n S(t);   every half of the answer's month to twice that month, then every answer's month
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.evidence.cohort import Cohort
from simulator.experiment.results import Results
from simulator.figures.survival import curve
from simulator.outcomes.summaries import PER

FILE = "numbers_at_risk"


def size(survival: pd.DataFrame, cohort: Cohort | None) -> int:
    """Return how many patients the numbers are of: the cohort's, on a clock that the run has, or 100."""
    return cohort.n if cohort is not None and (survival["clock"] == cohort.clock).any() else PER


def table(results: Results, cohort: Cohort | None) -> pd.DataFrame:
    """Return the numbers by scenario, clock, population and month; next to those of all patients, reported ones.

    n : the cohort's patients of all patients, 100 of a group
    """
    survival, months = results.survival, results.scenarios[0].pathway.months
    step = np.where(survival["month"] <= months.early, 0.5 * months.answer, months.answer)
    rows = survival[np.abs(survival["month"] / step - np.rint(survival["month"] / step)) < 1e-9].reset_index(drop=True)
    n = np.where(rows["population"] == "all", size(survival, cohort), PER)
    keys = ["scenario", "clock", "population", "month"]
    numbers = {
        name: n * rows[column] for name, column in {"at_risk": "survival", "lower": "lower", "upper": "upper"}.items()
    }
    made = rows[keys].assign(n=n, **numbers)
    made["reported"] = np.nan
    for clock in made["clock"].unique():
        reported = curve.reported_survival(cohort, "all", clock)
        if not len(reported):
            continue
        for month, count in zip(reported["month"], reported["count"], strict=True):
            alike = (made["clock"] == clock) & (made["population"] == "all") & np.isclose(made["month"], month)
            made.loc[alike, "reported"] = count
    return results.marked(made)
