"""The files of a run of virtual cohorts: tidy tables, and the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.analyses.virtual_cohorts.settings import Settings
from simulator.experiment import manifest
from simulator.experiment.results import write_files
from simulator.experiment.settings import Settings as RunSettings
from simulator.scenario.scenario import Scenario

ENGINE = "simulated patients are counted as a cohort's are"
LEFT_OUT = ("patients", "replications", "overload")
"""Keys of the manifest that belong to another kind of run."""


def write(
    tables: Mapping[str, pd.DataFrame | None],
    scenarios: Sequence[Scenario],
    settings: Settings,
    n_draws: int,
    more: Mapping[str, Any],
    folder: Path,
) -> None:
    """Write NAME.csv for every table, and manifest.json with some more keys."""
    run = RunSettings(seed=settings.seed, horizon=settings.horizon)
    contents = manifest.manifest(scenarios, run, settings.simulator, ENGINE, n_draws)
    counts = {"n": settings.n, "cohorts": settings.cohorts, "seed": settings.seed, "horizon": settings.horizon}
    kept = {key: value for key, value in contents.items() if key not in LEFT_OUT}
    write_files(tables, {**kept, **counts, **more}, folder)
