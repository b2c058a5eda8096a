"""The targets of a simulated cohort, printed as coarsely as those of the reported one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from calibration.likelihood.targets import Targets, with_rows
from calibration.reported.kinds.kind import DECIMALS, Kind
from calibration.reported.simulated_cohort import SimulatedCohort
from simulator.evidence.cohort import TARGETS


def simulated_targets(cohort: SimulatedCohort) -> Targets:
    """Return the targets that a simulated cohort would be fitted to, with its case mix in the same rows.

    Raises InputError as for a reported cohort: on printed times that are 0.0 or equal.
    """
    reported = cohort.targets
    # Sizes of groups are read from rows of patients, whatever their use.
    read = [
        figure for figure in reported.figures if figure.is_fitted or figure.use == "case_mix" or figure.counts_sizes
    ]
    rows = reported.cohort.targets.loc[[figure.line for figure in read]].copy()
    printed = pd.DataFrame([_printed(cohort, figure) for figure in read], index=rows.index)
    rows[printed.columns] = printed
    return with_rows(reported, rows)


def _printed(cohort: SimulatedCohort, figure: Kind) -> dict[str, object]:
    n = figure.whole(cohort)
    numbers = dict.fromkeys(("value", "count", "standard_error", "lower", "upper"), np.nan)
    numbers |= figure.reprinted(cohort, n)
    return {**numbers, **{f"printed_{name}": _text(numbers[name]) for name in TARGETS["printed"]}, "n": float(n)}


def _text(number: float) -> str:
    return "" if np.isnan(number) else f"{number:.{DECIMALS}f}"
