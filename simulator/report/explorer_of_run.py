"""The explorer of a run, next to its report: of the same scenarios and parameter sets, or none."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from simulator.errors import InputError
from simulator.experiment.manifest import ROOT
from simulator.experiment.results import Results
from simulator.scenario.scenario import Scenario
from simulator.wording.headline import policies

NAME = "explorer.html"


def write(results: Results, folder: Path) -> Path:
    """Write the explorer of a run into its folder; return its path.

    Raises InputError if a file of the run has changed since, or if a page cannot serve its scenarios.
    """
    # Most reports have none, and need not wait for its imports.
    from simulator.explorer import making

    files = {ROOT / record["file"]: record for record in results.manifest.get("files", ())}
    for path, record in files.items():
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != record["sha256"]:
            what = f"this file has changed since the run ({record['what']}), and with it the numbers"
            raise InputError(what, where=str(path), allowed="a new run")
    declared = {path.stem: path for path, record in files.items() if record["what"] == "scenario"}

    def with_file(scenario: Scenario) -> Scenario:
        return replace(scenario, file=declared.get(scenario.policy, scenario.file))

    scenarios = [with_file(policy[0]) for policy in policies(results.scenarios)]
    settings = results.manifest
    making.make(scenarios, folder / NAME, draws=settings["draws"], horizon=settings["horizon"], seed=settings["seed"])
    return folder / NAME
