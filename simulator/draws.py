"""Parameter draws: the rows of a cohort's draws.csv, or of a file of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator import csv_file, fingerprint
from simulator.cohort import cohort_folder, cohorts_folder
from simulator.errors import InputError, within
from simulator.graph import unknown
from simulator.model import resolve
from simulator.pathway import Pathway
from simulator.pathway_file import UNITS, load_pathway
from simulator.scenario import INFORMED, Scenario

if TYPE_CHECKING:
    import pandas as pd

BENEFIT = "marginal_benefit"
BENEFIT_FILE = f"{BENEFIT}.csv"
"""Beside a cohort's draws: what the marginal patient gains under each, as cohorts that treated more inform it."""

MOST = 400
"""Draws that are used unless more are asked for: enough for a 95 % interval."""


def draws_file(pathway: Pathway) -> Path | None:
    """Return the file of a pathway's draws, or None if it names none. Raises InputError."""
    if pathway.draws is None:
        return None
    folder = cohort_folder(pathway)
    return (pathway.file.parent if pathway.file else Path()) / pathway.draws if folder is None else folder / "draws.csv"


def load_draws(pathway: Pathway) -> pd.DataFrame | None:
    """Return a pathway's draws, one a row, a column a parameter; None if it has none. Raises InputError."""
    path = draws_file(pathway)
    return None if path is None else read_draws(path, pathway)


def load_informed_draws(pathway: Pathway) -> pd.DataFrame | None:
    """Return a pathway's draws, with one more column, `INFORMED`, of the marginal benefit where cohorts inform it."""
    path, table = draws_file(pathway), load_draws(pathway)
    if path is None or table is None:
        return None
    benefits = path.with_name(BENEFIT_FILE)
    return table.assign(**{INFORMED: read_benefits(benefits, len(table))}) if benefits.exists() else table


def read_benefits(path: Path, n_draws: int) -> NDArray[np.float64]:
    """Return the marginal benefit of each draw, (n_draws,). Raises InputError naming the file and the line."""
    found = csv_file.read(path, [], [BENEFIT])[BENEFIT]
    wrong = found[~found.between(0.0, 1.0)]
    if len(wrong):
        where = f"{path}: line {wrong.index[0]}, {BENEFIT}"
        raise InputError("not a share", where=where, got=float(wrong.iloc[0]), allowed="0 to 1")
    if len(found) != n_draws:
        raise InputError(
            "not one value a draw", where=str(path), got=len(found), allowed=f"{n_draws} (aftercart validate --refit)"
        )
    return found.to_numpy()


def read_draws(path: Path, pathway: Pathway) -> pd.DataFrame:
    """Return the draws that a file holds, each of them fit for a pathway. Raises InputError naming file and line."""
    written = csv_file.texts(path)
    table = written.drop(columns=fingerprint.COLUMN, errors="ignore")
    for place, name in enumerate(written.columns, start=1):
        if name not in (*pathway.parameters, fingerprint.COLUMN):
            raise unknown("parameter", str(name), pathway.parameters, f"{path}: header, column {place}")
    for name, parameter in pathway.parameters.items():
        if parameter.prior is not None and name not in table.columns:
            raise InputError("a parameter with a prior has no column", where=str(path), got=name)
    if table.empty:
        raise InputError("no draws", where=str(path))
    found = csv_file.numbers(table, table.columns, path)
    for name in found.columns[found.isna().any()]:
        line = found.index[found[name].isna()][0]
        raise InputError("an empty cell", where=f"{path}: line {line}, {name}", allowed="a number in every cell")
    _check_units(found, path, pathway)
    _check_rows(found, path, pathway)
    return found.reset_index(drop=True)


def staleness(pathway: Pathway, path: Path | None = None) -> str | None:
    """Return, in words, that draws or the benefit beside them were fitted to something else than is there; else None.

    path : the file of the draws; None: the pathway's. Draws that do not say what they were fitted to, a user's own, are
    never stale. Raises InputError.
    """
    path = path or draws_file(pathway)
    said = [] if path is None else [stale_draws(pathway, path), _stale_benefit(path)]
    return " ".join(each for each in said if each) or None


def stale_draws(pathway: Pathway, path: Path | None = None) -> str | None:
    """Return `staleness` of the draws alone, as where the benefit beside them is fitted anew."""
    path = path or draws_file(pathway)
    if path is None:
        return None
    told = csv_file.texts(path).get(fingerprint.COLUMN)
    if told is None:
        return None
    # What a scenario makes a milestone, the pathway's file declares as it was fitted.
    declared = load_pathway(pathway.file) if pathway.milestones and pathway.file else pathway
    fitted = told.str.partition("-")
    changed = [f"pathway {declared.name}"] if (fitted[0] != fingerprint.of_pathway(declared)).any() else []
    cohort = path.parent
    in_a_cohort = (cohort / "cohort.toml").exists()
    if in_a_cohort and (fitted[2] != fingerprint.of_cohort(cohort)).any():
        changed.append(f"cohort {cohort.resolve().name}")
    if not changed:
        return None
    shown = cohort.name if cohort.parent == cohorts_folder() else str(cohort) if in_a_cohort else "COHORT"
    return (
        f"These draws were fitted to another version of {' and '.join(changed)}: results mix the two. "
        f"Refit with `aftercart calibrate {shown}`."
    )


def _stale_benefit(path: Path) -> str | None:
    file = path.with_name(BENEFIT_FILE)
    told = csv_file.texts(file).get(fingerprint.COLUMN) if file.exists() else None
    changed = [] if told is None else fingerprint.changed_since(told.iloc[0], path)
    if not changed:
        return None
    return (
        f"The marginal benefit beside these draws ({BENEFIT_FILE}) was fitted to another version of "
        f"{' and '.join(changed)}. Refit with `aftercart validate --refit`."
    )


def _check_units(table: pd.DataFrame, path: Path, pathway: Pathway) -> None:
    for name in map(str, table.columns):
        unit = pathway.parameters[name].unit
        lowest, highest = UNITS[unit]
        outside = table[name][~table[name].between(lowest, highest)]
        if len(outside):
            raise InputError(
                f"value outside its unit ({unit})",
                where=f"{path}: line {outside.index[0]}, {name}",
                got=float(outside.iloc[0]),
                allowed=within(lowest, highest, float(outside.iloc[0])),
            )


def _check_rows(table: pd.DataFrame, path: Path, pathway: Pathway) -> None:
    """Refuse draws that make no model: shares that do not sum to one, a shape of 0."""
    bare = Scenario(name=pathway.name, pathway=pathway, file=pathway.file)
    try:
        resolve(bare, values(table, slice(None)))
    except InputError:
        for row in range(len(table)):
            try:
                resolve(bare, single(table, row))
            except InputError as error:
                where = f"{path}: line {table.index[row]}, in {error.where}"
                raise InputError(error.what, where=where, got=error.got, allowed=error.allowed) from None
        raise


def choose(table: pd.DataFrame | None, wanted: int | None, pathway: Pathway) -> int:
    """Return how many draws to use. Raises InputError if fewer exist than are wanted."""
    there = 1 if table is None else len(table)
    if wanted is None:
        return min(there, MOST)
    if wanted < 1 or wanted > there:
        what = "without draws of its own, a pathway has one" if table is None else "not that many draws"
        raise InputError(what, where="--draws", got=wanted, allowed=f"1 to {there} ({pathway.name})")
    return wanted


def values(table: pd.DataFrame | None, rows: slice) -> dict[str, NDArray[np.float64]]:
    """Return some draws as the values of a model: parameter -> (n_draws, 1)."""
    if table is None:
        return {}
    return {str(name): table[name].to_numpy(dtype=float)[rows, None] for name in table.columns}


def single(table: pd.DataFrame | None, row: int) -> dict[str, float]:
    """Return one draw as the values of a model: parameter -> number."""
    return {} if table is None else {str(name): float(table[name].iloc[row]) for name in table.columns}
