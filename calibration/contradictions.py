"""Rows of a cohort's targets that cannot all be so: each may be on its own, not beside the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from calibration import population_sizes
from calibration.percentages import half_a_digit
from calibration.population_sizes import Size
from calibration.target_checks import where
from simulator.cohort import Cohort
from simulator.errors import InputError
from simulator.pathway import Pathway, is_part, reachable

SAME = ["kind", "population", "state", "attribute", "month", "n"]
"""Rows that agree in these tell the same figure."""


def check(cohort: Cohort, pathway: Pathway, folder: Path) -> None:
    """Refuse rows that contradict one another. Raises InputError naming file and lines."""
    _check_told_once(cohort.targets, folder)
    _check_same(cohort.targets, folder)
    _check_sizes(cohort, folder)
    _check_held(cohort, pathway, folder)
    _check_nobody_rises(cohort, folder)


def _check_told_once(targets: pd.DataFrame, folder: Path) -> None:
    names: dict[str, object] = {}
    levels: dict[str, object] = {}
    for line, row in targets.iterrows():
        if row["use"] == "case_mix":
            level = row["attribute"]
            if level in levels:
                allowed = f"one case_mix row for it: line {levels[level]} is one"
                raise InputError("a level is told twice", where=where(folder, line), got=level, allowed=allowed)
            levels[level] = line
        if row["name"] in names:
            allowed = f"a name of its own: line {names[row['name']]} has this one"
            raise InputError("two rows of one name", where=where(folder, line), got=row["name"], allowed=allowed)
        names[row["name"]] = line


def _check_same(targets: pd.DataFrame, folder: Path) -> None:
    """Rows that are fitted are compared with one another where they are fitted."""
    for _, rows in targets[np.isfinite(targets["count"])].groupby(SAME, dropna=False, sort=False):
        for (line, row), (other_line, other) in combinations(rows.iterrows(), 2):
            if row["count"] != other["count"] and {row["use"], other["use"]} != {"likelihood"}:
                got = f"{row['count']:g} and {other['count']:g} of {row['n']:g}"
                raise InputError("two rows contradict one another", where=where(folder, line, other_line), got=got)


def _check_sizes(cohort: Cohort, folder: Path) -> None:
    """Each arm's size is held against those of the lines before."""
    before: dict[str, Size] = {}
    sizes = population_sizes.told(cohort)
    for name, size in sorted(sizes.items(), key=lambda each: each[1].line):
        most = population_sizes.left(cohort, name, before)
        if size.patients > most:
            what = f"more patients in {name} than the lines before leave for it"
            raise InputError(what, where=where(folder, size.line), got=size.patients, allowed=f"up to {most}")
        least = population_sizes.parts(cohort, cohort.arms.get(name, ()), before)
        if size.patients < least:
            what = f"fewer patients in {name} than the lines before say are of it"
            raise InputError(what, where=where(folder, size.line), got=size.patients, allowed=f"{least} or more")
        before[name] = size


def _check_held(cohort: Cohort, pathway: Pathway, folder: Path) -> None:
    """Whoever comes to an arm through another is of that one too: no more had a second line than a first."""
    sizes = {name: size for name, size in population_sizes.told(cohort).items() if name in cohort.arms}
    for name, size in sizes.items():
        for whole, larger in sizes.items():
            if size.patients > larger.patients and _holds(cohort, pathway, whole, name):
                what = f"more patients in {name} than in {whole}, which they all are of"
                at = where(folder, *sorted((size.line, larger.line)))
                raise InputError(what, where=at, got=f"{size.patients} of {larger.patients}")


def _holds(cohort: Cohort, pathway: Pathway, whole: str, part: str) -> bool:
    groups = pathway.groups
    return all(
        any(is_part(groups[one], groups[other], pathway) for other in cohort.arms[whole] if other in groups)
        for one in cohort.arms[part]
        if one in groups
    )


def _check_nobody_rises(cohort: Cohort, folder: Path) -> None:
    """A count and an estimate are of the same patients only where nobody is censored."""
    rows = cohort.targets[cohort.targets["kind"].isin(["survivors", "survival"])].sort_values("month", kind="stable")
    for _, same in rows.groupby(["population", "attribute"], sort=False):
        for (line, row), (later_line, later) in combinations(same.iterrows(), 2):
            alike = row["kind"] == later["kind"] or later["month"] <= cohort.no_censoring_before
            alike &= row["n"] == later["n"] or np.isnan(row["n"]) or np.isnan(later["n"])
            if alike and row["month"] < later["month"] and _share(later)[0] > _share(row)[1] + 1e-9:
                raise InputError(
                    f"more are alive at month {later['month']:g} than at month {row['month']:g}",
                    where=where(folder, line, later_line),
                    got=f"{np.mean(_share(later)):.3g} and {np.mean(_share(row)):.3g} %",
                )


def _share(row: pd.Series) -> tuple[float, float]:
    """Return the lowest and the highest percentage that a row of survival can mean: a printed one is rounded."""
    if np.isfinite(row["count"]):
        return (100.0 * row["count"] / max(row["n"], 1.0),) * 2
    half = half_a_digit(row, "value")
    return row["value"] - half, row["value"] + half


def check_entered(cohort: Cohort, ways: Mapping[str, Sequence[str]], folder: Path) -> None:
    """Refuse more patients in states that exclude one another than there are. ways : state -> where it leads.

    Raises InputError naming the file and the line of the one too many.
    """
    rows = cohort.targets[cohort.targets["kind"] == "entered"]
    after = {name: reachable(ways[name], ways.__getitem__) for name in rows["state"]}
    for _, told in rows.groupby(["population", "attribute", "n"], sort=False):
        n = int(told["n"].iloc[0])
        counts: dict[str, int] = {}
        for line, row in told.iterrows():
            counts[row["state"]] = int(row["count"])
            apart: list[str] = []
            for state in reversed(counts):
                if not any(state in after[other] or other in after[state] for other in apart):
                    apart.append(state)
            total = sum(counts[state] for state in apart)
            if total > n:
                what = f"{', '.join(reversed(apart))} add up to more than there are"
                raise InputError(what, where=where(folder, line), got=total, allowed=f"up to {n}")
