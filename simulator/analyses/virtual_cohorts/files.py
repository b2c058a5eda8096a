"""The files of a run of virtual cohorts: tidy tables, and the manifest that says how they came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
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
    from simulator.analyses.virtual_cohorts.immortal_time import Guarantee
    from simulator.analyses.virtual_cohorts.power import VirtualCohorts

ENGINE = "simulated patients are counted as a cohort's are"


def write_cohorts(found: VirtualCohorts, folder: Path) -> None:
    """Write cohorts.csv, curves.csv, spread.csv, power.csv where policies are compared, and manifest.json."""
    tables = {"cohorts": found.cohorts, "curves": found.curves, "spread": pd.DataFrame([found.spread])}
    if found.power is not None:
        tables["power"] = found.power
    _write(tables, _manifest(found.scenarios, found.settings, found.n_draws, {}), folder)


def write_guarantee(found: Guarantee, folder: Path) -> None:
    """Write analyses.csv, curves.csv and manifest.json."""
    more = {
        "groups": [group.name for group in found.groups],
        "decision": found.decision,
        "failure": list(found.failure),
        "reported_difference": found.reported,
    }
    told = _manifest([found.scenario], found.settings, found.n_draws, more)
    _write({"analyses": found.analyses, "curves": found.curves}, told, folder)


def _manifest(
    scenarios: Sequence[Scenario], settings: Settings, n_draws: int, more: Mapping[str, Any]
) -> dict[str, Any]:
    run = RunSettings(seed=settings.seed, horizon=settings.horizon)
    told = manifest.manifest(scenarios, run, settings.simulator, ENGINE, n_draws)
    own = {key: value for key, value in asdict(settings).items() if key in ("n", "cohorts", "seed", "horizon")}
    # Patients, replications and overload are of another kind of run.
    kept = {key: value for key, value in told.items() if key not in ("patients", "replications", "overload")}
    return {**kept, **own, **more}


def _write(tables: Mapping[str, pd.DataFrame], told: Mapping[str, Any], folder: Path) -> None:
    for name, table in tables.items():
        csv.write(table, folder / f"{name}.csv", DIGITS)
    manifest.write(told, folder)
