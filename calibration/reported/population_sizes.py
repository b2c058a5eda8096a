"""How many patients a population of a cohort can have: what rows of `patients` tell of it, and what they leave for it.

Arms that are listed together, as `all = ["treated", "untreated"]`, have no patient in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway


class Size(NamedTuple):
    """Patients of a population, and the line that tells so."""

    patients: int
    line: int


def told(cohort: Cohort) -> dict[str, Size]:
    """Return population, an arm or a level of an attribute -> its size, from the first row that tells it."""
    found: dict[str, Size] = {}
    for line, row in cohort.targets.iterrows():
        if row["kind"] != "patients" or row["state"] or not np.isfinite(row["count"]):
            continue
        everybody = is_everybody(cohort, row["population"])
        name = row["attribute"] if everybody else row["population"]
        if name and row["attribute"] in ("", name) and (row["n"] == cohort.n or not everybody):
            found.setdefault(name, Size(int(row["count"]), int(str(line))))
    return found


def is_everybody(cohort: Cohort, population: str) -> bool:
    """Return whether an arm is the whole cohort."""
    return population == "all" or "all" in cohort.arms.get(population, ())


def are_whole(cohort: Cohort, pathway: Pathway) -> bool:
    """Return whether groups are of whoever enters their states by last follow-up: their window is open as long.

    Where no follow-up is reported it is taken to end by then, unless the window is shorter than it is by default.
    """
    return pathway.group_window >= (cohort.follow_up[1] if cohort.follow_up else Pathway.group_window)


def of_row(cohort: Cohort, row: pd.Series) -> str:
    """Return the population of a row: the level that it tells of everybody, or its own."""
    attribute = str(row.get("attribute", ""))
    return attribute if attribute and is_everybody(cohort, row["population"]) else str(row["population"])


def most(cohort: Cohort, population: str, sizes: Mapping[str, Size] | None = None) -> int:
    """Return the most patients that a population can have, by its own size and by what others leave. sizes : `told`."""
    sizes = told(cohort) if sizes is None else sizes
    members = cohort.arms.get(population, ())
    single = {cohort.arms[name][0]: sizes[name].patients for name in sizes if len(cohort.arms.get(name, ())) == 1}
    of_parts = sum(single[member] for member in members) if all(member in single for member in members) else cohort.n
    own = sizes[population].patients if population in sizes else of_parts if members else cohort.n
    return min(own, left(cohort, population, sizes))


def left(cohort: Cohort, population: str, sizes: Mapping[str, Size]) -> int:
    """Return how many patients the sizes of others leave for an arm: of each arm that holds it, who is in no other."""
    mine, found = set(cohort.arms.get(population, ())), cohort.n
    for whole, members in cohort.arms.items():
        if whole != population and mine and mine <= set(members):
            size = sizes[whole].patients if whole in sizes else cohort.n
            found = min(found, size - parts(cohort, set(members) - mine, sizes))
    return found


def parts(cohort: Cohort, members: Iterable[str], sizes: Mapping[str, Size]) -> int:
    """Return how many patients are told of arms that consist of some of `members` and have none in common."""
    left_over, found = set(members), 0
    inside = [name for name in cohort.arms if name in sizes]
    for name in sorted(inside, key=lambda name: -sizes[name].patients):
        if set(cohort.arms[name]) <= left_over:
            left_over -= set(cohort.arms[name])
            found += sizes[name].patients
    return found
