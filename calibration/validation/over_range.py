"""Predictions for a cohort whose paper does not say how many were treated: over a range of that share.

cohort.toml has the range of a lever in [unreported]; at each of SHARES of it, the cohort is predicted as if it were
reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from calibration.likelihood.targets import Targets
from calibration.validation.external import Prediction, validate
from calibration.validation.provenance import declared
from simulator.engines.model import resolve
from simulator.scenario.scenario import check

POINTS = 4
COHORTS = 250
"""Simulated cohorts at each of them."""


def has_range(targets: Targets) -> bool:
    """Return whether a cohort is predicted over a range of a lever."""
    return bool(declared(targets).unreported)


def at_each(
    targets: Targets,
    draws: pd.DataFrame | None,
    *,
    jobs: int = 1,
    wanted: int = COHORTS,
    progress: Callable[[int, int], None] | None = None,
) -> list[Prediction]:
    """Return the predictions at POINTS settings, from the lower to the upper ends of all ranges. Raises InputError."""
    ranges = declared(targets).unreported
    lower, upper = (np.array(ends) for ends in zip(*ranges.values(), strict=True))
    scenarios = [
        replace(targets.scenario, set={**targets.scenario.set, **dict(zip(ranges, settings, strict=True))})
        for settings in np.linspace(lower, upper, POINTS).tolist()
    ]
    # What is wrong with an end is said of the number that the file has.
    for scenario in (scenarios[0], scenarios[-1]):
        check(scenario)
        resolve(scenario)
    predictions = []
    for place, scenario in enumerate(scenarios, start=1):
        predictions.append(validate(replace(targets, scenario=scenario), draws, jobs=jobs, wanted=wanted))
        if progress is not None:
            progress(place, POINTS)
    return predictions


def table(targets: Targets, predictions: list[Prediction]) -> pd.DataFrame:
    """Return a row a figure and setting: as `Prediction.table`, with `setting`, and `better` as `external.together`.

    setting : a value of the first lever with a range, whose name is the column `lever`
    """
    lever, *_ = declared(targets).unreported
    tables = [prediction.table().assign(setting=prediction.targets.scenario.set[lever]) for prediction in predictions]
    better = [prediction.better for prediction in predictions]
    parts = [table.assign(lever=lever, better=share) for table, share in zip(tables, better, strict=True)]
    return pd.concat(parts, ignore_index=True)
