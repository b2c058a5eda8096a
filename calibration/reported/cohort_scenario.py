"""The pathway set to a cohort: which patients were treated, and how, by cohort.toml and the rows of its targets.

A lever is a number, or the name of the row of targets.csv that reports it. Other levers stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from calibration.reported import population_sizes
from calibration.reported.consistency import where
from calibration.reported.eligible_shares import Levers, among_eligible
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort
from simulator.pathway.checks import unknown
from simulator.pathway.pathway import Attribute, Pathway
from simulator.scenario.scenario import LEVERS, Scenario, check


def scenario_of(cohort: Cohort, pathway: Pathway, declared: Mapping[str, Any], folder: Path) -> Scenario:
    """Return the scenario that sets a pathway to a cohort. Raises InputError naming the file and the key."""
    file = folder / "cohort.toml"
    benefit = declared.get("marginal_benefit", 1.0)
    tables: dict[str, Any] = {
        lever: {key: _value(got, cohort, f"{file}: [{lever}] {key}") for key, got in declared.get(lever, {}).items()}
        for lever in (*LEVERS, "hazard_ratio")
    }
    mix = mix_of(cohort, pathway, folder)
    rows = {name: _row(entry, cohort, "") for name, entry in declared.get("set", {}).items() if not _is_number(entry)}
    start = pathway.clock_state if cohort.clock == pathway.clock else pathway.start
    tables["set"] = among_eligible(Levers(tables["set"], rows, f"{file}: [set]", start), pathway, mix)
    scenario = Scenario(cohort.name, pathway, marginal_benefit=float(benefit), population=mix, file=file, **tables)
    check(scenario)
    return scenario


def _value(declared: Any, cohort: Cohort, at: str) -> float:
    """Return a lever's number; of the row that it names, the count over n, or the percentage."""
    if _is_number(declared):
        return float(declared)
    row = _row(declared, cohort, at)
    if np.isfinite(row["count"]) and row["n"] > 0:
        return float(row["count"] / _patients(row, cohort))
    if not np.isfinite(row["value"]):
        raise InputError("a row without a count and without a value", where=at, got=declared)
    return float(row["value"] / 100.0 if row["unit"] == "%" else row["value"])


def _patients(row: pd.Series, cohort: Cohort) -> float:
    """Return the patients whose share a row prints: n, or all of its population where n is larger."""
    size = cohort.sizes.get(population_sizes.of_row(cohort, row))
    if size is None or row["kind"] == "patients":
        return float(row["n"])
    return float(min(row["n"], size))


def _row(named: Any, cohort: Cohort, at: str) -> pd.Series:
    rows: pd.DataFrame = cohort.targets[cohort.targets["name"] == named]
    if rows.empty:
        raise unknown("row of targets.csv", str(named), list(cohort.targets["name"]), at)
    return next(row for _, row in rows.iterrows())


def _is_number(declared: Any) -> bool:
    return isinstance(declared, int | float) and not isinstance(declared, bool)


def mix_of(cohort: Cohort, pathway: Pathway, folder: Path) -> dict[str, dict[str, float]]:
    """Return attribute -> level -> patients, from the case_mix rows; one level without a row has the rest of n."""
    rows = cohort.targets[(cohort.targets["use"] == "case_mix") & (cohort.targets["kind"] == "patients")]
    mix: dict[str, dict[str, float]] = {}
    of: dict[str, float] = {}
    for index, row in rows.iterrows():
        attribute, _, level = str(row["attribute"]).partition("=")
        if row["n"] != of.setdefault(attribute, row["n"]):
            what = f"the levels of {attribute} have different values of n"
            raise InputError(what, where=where(folder, index), got=int(row["n"]), allowed=f"{of[attribute]:g}")
        mix.setdefault(attribute, {})[level] = float(row["count"])
    for attribute, levels in mix.items():
        _complete(levels, of[attribute], pathway.attributes[attribute], folder)
    return mix


def _complete(levels: dict[str, float], n: float, attribute: Attribute, folder: Path) -> None:
    """Give the rest of n to the one level that has no row."""
    at = f"{folder / 'targets.csv'}: case_mix of {attribute.name}"
    missing = [level for level in attribute.levels if level not in levels]
    if len(missing) > 1:
        raise InputError("more than one level has no row", where=at, got=", ".join(missing))
    left = n - sum(levels.values())
    if left < 0:
        what = "the levels count more patients than n"
        raise InputError(what, where=at, got=f"{n - left:g}", allowed=f"up to {n:g}")
    levels |= dict.fromkeys(missing, left)
