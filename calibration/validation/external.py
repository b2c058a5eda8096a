"""External validation (ISPOR-SMDM): a cohort's reported figures next to predictions of the model, not refitted.

The pathway is set to the cohort's uptake and mix, and simulated cohorts of its size take their parameters from the
frozen posterior draws: an interval includes parameter uncertainty and the sampling of n patients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from calibration import predictive
from calibration.likelihood.targets import Targets
from calibration.predictive import SimulatedCohort
from calibration.reported.consistency import HORIZON, where
from calibration.reported.kinds import COUNTS
from calibration.validation.denominators import Patients, assessed, denominators, members
from simulator import execution
from simulator.arrays import Floats, slices
from simulator.errors import InputError
from simulator.evidence.cohort import cohorts_folder, read_cohort, shipped_cohorts
from simulator.outcomes.uncertainty import central

USE = "validation"


def shipped() -> list[str]:
    """Return the shipped cohorts that have figures to predict."""
    return [name for name in shipped_cohorts() if (read_cohort(cohorts_folder() / name).targets["use"] == USE).any()]


def to_validate(targets: Targets) -> Targets:
    """Return only the targets of a cohort that are predicted. Raises InputError if none can be, naming a bad row."""
    rows = targets.cohort.targets
    chosen = rows[rows["use"] == USE]
    if chosen.empty:
        file, allowed = str(targets.folder / "targets.csv"), f'a row with use = "{USE}"'
        raise InputError("nothing to validate", where=file, allowed=allowed)
    denominators(targets, chosen)
    return replace(targets, cohort=replace(targets.cohort, targets=chosen))


def notes(targets: Targets) -> list[str]:
    """Return notes on a cohort's predictions, with their lines."""
    rows = targets.cohort.targets[targets.cohort.targets["use"] == USE]
    alike = "are treated as the assessed patients, similar to the rest"
    selected = "a selected group, as responders, has no meaning here"
    sentences = [(index, f"{part} {alike}; {selected}") for index, part in assessed(targets, rows).items()]
    if targets.cohort.follow_up is None:
        until = f"no [follow_up] in cohort.toml, so deaths are predicted until month {HORIZON:g}"
        sentences += [(index, until) for index in rows.index[(rows["kind"] == "deaths") & rows["month"].isna()]]
    return [f"{where(targets.folder, index)}: {sentence}" for index, sentence in sentences]


@dataclass(frozen=True)
class _Simulated:
    """Cohorts to simulate. patients_of_n : index of a counted row -> the patients that its count is divided by."""

    targets: Targets
    draws: pd.DataFrame | None
    patients_of_n: Mapping[object, Patients]

    def figures(self, rows: slice) -> Floats:
        return predictive.simulate_figures(self.targets, self.draws, rows, figure=self.share)

    def share(self, cohort: SimulatedCohort, row: pd.Series) -> float:
        """Return the figure that a cohort would print for a row, a count as a share of its patients; NaN of nobody."""
        figure = cohort.figure(row)
        if row["kind"] not in COUNTS:
            return figure
        n = int(members(cohort, self.patients_of_n[row.name]).sum())
        return figure / n if n else np.nan


def validate(
    targets: Targets,
    draws: pd.DataFrame | None,
    *,
    jobs: int = 1,
    wanted: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Return reported and predicted, a row a target, from `wanted` simulated cohorts (1000). Raises InputError.

    draws : of the pathway's parameters; None, its declared values
    """
    chosen, wanted = to_validate(targets), wanted or predictive.DRAWS
    patients_of_n = denominators(targets, chosen.cohort.targets)
    work = _Simulated(chosen, draws, patients_of_n).figures
    figures = execution.map(work, slices(wanted, 50), jobs=jobs, progress=progress)
    return table(chosen, np.concatenate(list(figures)))


def table(targets: Targets, figures: Floats) -> pd.DataFrame:
    """Return the table from simulated figures : (n_cohorts, n_targets).

    predicted : mean, or of months the median
    at_most, at_least : the shares of simulated cohorts whose figure is at most, or at least, the reported one
    """
    rows = [
        _row(targets, row, figures_of_row)
        for (_, row), figures_of_row in zip(targets.cohort.targets.iterrows(), figures.T, strict=True)
    ]
    return pd.DataFrame(rows)


def _row(targets: Targets, row: pd.Series, simulated: Floats) -> dict[str, object]:
    reported, unit, factor = predictive.reported_figure(row)
    if row["kind"] in COUNTS:
        reported, unit, factor = 100.0 * row["count"] / row["n"], "%", 100.0
    known = factor * simulated[~np.isnan(simulated)]
    lower, upper = central(known)
    centre = predictive.median if unit == "months" else predictive.mean
    return {
        "cohort": targets.cohort.name,
        "target": row["name"],
        "kind": row["kind"],
        "population": row["population"],
        "month": row["month"],
        "unit": unit,
        "reported": reported,
        "standard_error": row["standard_error"],
        "n": row["n"],
        "predicted": centre(known),
        "lower": lower,
        "upper": upper,
        "at_most": (known <= reported + 1e-9).mean() if known.size else np.nan,
        "at_least": (known >= reported - 1e-9).mean() if known.size else np.nan,
        "inside": "yes" if lower - 1e-9 <= reported <= upper + 1e-9 else "no",
        "place": row["place"],
        "note": row["note"],
    }
