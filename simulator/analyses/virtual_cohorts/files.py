"""The files of a run of virtual cohorts: tidy tables, and the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from simulator.analyses.virtual_cohorts.settings import Settings
from simulator.experiment import manifest
from simulator.experiment.results import DIGITS
from simulator.experiment.settings import Settings as RunSettings
from simulator.files import csv
from simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime
    from simulator.analyses.virtual_cohorts.power import VirtualCohorts

ENGINE = "simulated patients are counted as a cohort's are"


def write_cohorts(result: VirtualCohorts, folder: Path) -> None:
    """Write cohorts.csv, curves.csv, spread.csv, power.csv where policies are compared, and manifest.json."""
    tables = {"cohorts": result.cohorts, "curves": result.curves, "spread": pd.DataFrame([result.variation])}
    if result.power is not None:
        tables["power"] = result.power
    _write(tables, _manifest(result.scenarios, result.settings, result.n_draws, {}), folder)


def write_immortal_time(result: ImmortalTime, folder: Path) -> None:
    """Write analyses.csv, curves.csv and manifest.json."""
    more = {
        "groups": [group.name for group in result.groups],
        "decision": result.decision,
        "failure": list(result.failure),
        "reported_difference": result.reported,
    }
    contents = _manifest([result.scenario], result.settings, result.n_draws, more)
    _write({"analyses": result.analyses, "curves": result.curves}, contents, folder)


def _manifest(
    scenarios: Sequence[Scenario], settings: Settings, n_draws: int, more: Mapping[str, Any]
) -> dict[str, Any]:
    run = RunSettings(seed=settings.seed, horizon=settings.horizon)
    run_manifest = manifest.manifest(scenarios, run, settings.simulator, ENGINE, n_draws)
    # Patients, replications and overload belong to another kind of run.
    kept = {key: value for key, value in run_manifest.items() if key not in ("patients", "replications", "overload")}
    counts = {"n": settings.n, "cohorts": settings.cohorts, "seed": settings.seed, "horizon": settings.horizon}
    return {**kept, **counts, **more}


def _write(tables: Mapping[str, pd.DataFrame], contents: Mapping[str, Any], folder: Path) -> None:
    for name, table in tables.items():
        csv.write(table, folder / f"{name}.csv", DIGITS)
    manifest.write(contents, folder)
