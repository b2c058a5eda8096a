"""The pathway set to a cohort: what cohort.toml and the rows of its targets say of who was treated, and how.

A lever is a number, or the name of the row of targets.csv that reports it. What is not reported stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from calibration.reported import population_sizes
from calibration.reported.consistency import where
from calibration.reported.eligible_shares import Told, among_eligible
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort
from simulator.pathway.checks import unknown
from simulator.pathway.pathway import Attribute, Pathway
from simulator.scenario.scenario import LEVERS, Scenario, check


def scenario_of(cohort: Cohort, pathway: Pathway, told: Mapping[str, Any], folder: Path) -> Scenario:
    """Return the scenario that sets a pathway to a cohort. Raises InputError naming the file and the key."""
    file = folder / "cohort.toml"
    benefit = told.get("marginal_benefit", 1.0)
    tables: dict[str, Any] = {
        lever: {name: _value(each, cohort, f"{file}: [{lever}] {name}") for name, each in told.get(lever, {}).items()}
        for lever in (*LEVERS, "hazard_ratio")
    }
    mix = mix_of(cohort, pathway, folder)
    rows = {name: _row(each, cohort, "") for name, each in told.get("set", {}).items() if not _is_number(each)}
    start = pathway.clock_state if cohort.clock == pathway.clock else pathway.start
    tables["set"] = among_eligible(Told(tables["set"], rows, f"{file}: [set]", start), pathway, mix)
    found = Scenario(cohort.name, pathway, marginal_benefit=float(benefit), population=mix, file=file, **tables)
    check(found)
    return found


def _value(told: Any, cohort: Cohort, at: str) -> float:
    """Return a lever's number; that of the row it names: its count over n, or its percentage."""
    if _is_number(told):
        return float(told)
    row = _row(told, cohort, at)
    if np.isfinite(row["count"]) and row["n"] > 0:
        return float(row["count"] / _patients(row, cohort))
    if not np.isfinite(row["value"]):
        raise InputError("a row without a count and without a value", where=at, got=told)
    return float(row["value"] / 100.0 if row["unit"] == "%" else row["value"])


def _patients(row: pd.Series, cohort: Cohort) -> float:
    """Return of how many a row is a share: of its own population, where it prints a share of more than that has."""
    own = population_sizes.told(cohort).get(population_sizes.of_row(cohort, row))
    if own is None or row["kind"] == "patients":
        return float(row["n"])
    return float(min(row["n"], own.patients))


def _row(named: Any, cohort: Cohort, at: str) -> pd.Series:
    rows: pd.DataFrame = cohort.targets[cohort.targets["name"] == named]
    if rows.empty:
        raise unknown("row of targets.csv", str(named), list(cohort.targets["name"]), at)
    return next(row for _, row in rows.iterrows())


def _is_number(told: Any) -> bool:
    return isinstance(told, int | float) and not isinstance(told, bool)


def mix_of(cohort: Cohort, pathway: Pathway, folder: Path) -> dict[str, dict[str, float]]:
    """Return attribute -> level -> patients, from the case_mix rows; one level that is not told has who are left."""
    told = cohort.targets[(cohort.targets["use"] == "case_mix") & (cohort.targets["kind"] == "patients")]
    found: dict[str, dict[str, float]] = {}
    of: dict[str, float] = {}
    for index, row in told.iterrows():
        attribute, _, level = str(row["attribute"]).partition("=")
        at = where(folder, index)
        if not level:
            raise InputError("a case_mix row without an attribute", where=at, got=row["name"], allowed="NAME=LEVEL")
        if level in found.setdefault(attribute, {}):
            raise InputError("a level has more than one row", where=at, got=row["attribute"], allowed="once")
        if row["n"] != of.setdefault(attribute, row["n"]):
            what = f"the levels of {attribute} have different values of n"
            raise InputError(what, where=at, got=int(row["n"]), allowed=f"{of[attribute]:g}")
        found[attribute][level] = float(row["count"])
    for attribute, levels in found.items():
        _complete(levels, of[attribute], pathway.attributes[attribute], folder)
    return found


def _complete(levels: dict[str, float], n: float, attribute: Attribute, folder: Path) -> None:
    """Add who are left of n to the one level that is not told."""
    at = f"{folder / 'targets.csv'}: case_mix of {attribute.name}"
    missing = [level for level in attribute.levels if level not in levels]
    if len(missing) > 1:
        raise InputError("more than one level has no row", where=at, got=", ".join(missing))
    left = n - sum(levels.values())
    if left < 0:
        what = "the levels count more patients than n"
        raise InputError(what, where=at, got=f"{n - left:g}", allowed=f"up to {n:g}")
    levels |= dict.fromkeys(missing, left)
