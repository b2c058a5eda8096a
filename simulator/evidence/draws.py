"""Parameter draws: the rows of a cohort's draws.csv, or of a user's file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simulator.arrays import Floats
from simulator.engines.model import resolve
from simulator.errors import InputError, UnknownNameError
from simulator.evidence import fingerprint, structures
from simulator.evidence.cohort import cohort_folder, cohorts_folder, draws_path
from simulator.evidence.practice import at_reference, check_declared
from simulator.evidence.prior_draws import N_DRAWS, prior_draws
from simulator.evidence.replaced import replaced
from simulator.files import csv
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import FROM_PRIORS, Pathway
from simulator.pathway.units import UNITS, check_unit
from simulator.scenario.scenario import INFORMED, PRIOR_ALONE, Scenario

if TYPE_CHECKING:
    import pandas as pd


BENEFIT = "marginal_benefit"
BENEFIT_PRIOR = "prior_alone"
BENEFIT_FILE = f"{BENEFIT}.csv"
"""Next to a cohort's draws: the marginal benefit under every draw, as cohorts that treated more inform it."""

MOST = 400
"""Draws that are used by default at most: enough for a 95 % interval."""


def draws_file(pathway: Pathway) -> Path | None:
    """Return the file of a pathway's draws, or None if it names none. Raises InputError."""
    if pathway.draws in (None, FROM_PRIORS):
        return None
    folder = cohort_folder(pathway)
    return draws_path(pathway) if folder is None else folder / "draws.csv"


def load_draws(pathway: Pathway) -> pd.DataFrame | None:
    """Return a pathway's draws for a run: one a row, a column a parameter, the uptake at the reference of practice.

    None if it has none. Raises InputError.
    """
    return _for_run(pathway, _columns(pathway))


def load_informed_draws(pathway: Pathway) -> pd.DataFrame | None:
    """Return `load_draws` with one more column, `INFORMED`, of the marginal benefit where cohorts inform it."""
    return _for_run(pathway, informed_draws(pathway))


def _for_run(pathway: Pathway, draws: Mapping[str, Floats] | None) -> pd.DataFrame | None:
    import pandas as pd

    if draws is None:
        check_declared(pathway)
        return None
    return pd.DataFrame(at_reference(pathway, draws))


def fitted_draws(pathway: Pathway) -> pd.DataFrame | None:
    """Return a pathway's draws as they were fitted; None if it has none. Raises InputError."""
    import pandas as pd

    columns = _columns(pathway)
    return None if columns is None else pd.DataFrame(columns)


def read_draws(path: Path, pathway: Pathway) -> pd.DataFrame:
    """Return the draws in a file, checked against a pathway. Raises InputError naming file and line."""
    import pandas as pd

    return pd.DataFrame(draws_of(path, pathway))


def informed_draws(pathway: Pathway) -> dict[str, Floats] | None:
    """Return the fitted draws and `INFORMED` by column: `check` starts fast, without importing pandas."""
    columns, benefits = _columns(pathway), benefit_file(pathway)
    if columns is not None and benefits is not None:
        columns |= read_benefits(benefits, n_draws(columns))
    return columns


def benefit_file(pathway: Pathway) -> Path | None:
    """Return the file of the benefit under a pathway's draws; None if there is none, or it is of laws it replaces."""
    path = draws_file(pathway)
    file = None if path is None else path.with_name(BENEFIT_FILE)
    return None if file is None or not file.exists() or replaced(pathway).bears_on_benefit else file


def _columns(pathway: Pathway) -> dict[str, Floats] | None:
    """Return a pathway's draws by column, from its file or its priors; None if it has none."""
    if pathway.draws == FROM_PRIORS:
        return prior_draws(pathway, N_DRAWS)
    path = draws_file(pathway)
    return None if path is None else draws_of(path, pathway)


def n_draws(table: Mapping[str, Floats]) -> int:
    """Return the number of draws in columns."""
    return len(next(iter(table.values())))


def read_benefits(path: Path, wanted: int) -> dict[str, Floats]:
    """Return `INFORMED` and, where the file has it, `PRIOR_ALONE` of every draw, (n_draws,) each.

    Raises InputError naming the file and the line.
    """
    cells = csv.cells(path)
    columns = {INFORMED: BENEFIT} | ({PRIOR_ALONE: BENEFIT_PRIOR} if BENEFIT_PRIOR in cells.columns else {})
    benefits = {name: np.array(cells.floats([column])[column]) for name, column in columns.items()}
    for name, benefit in benefits.items():
        for row in np.flatnonzero(~((benefit >= 0.0) & (benefit <= 1.0))):
            where = f"{path}: line {cells.lines[row]}, {columns[name]}"
            raise InputError("not a share", where=where, got=float(benefit[row]), allowed="0 to 1")
    if len(cells.lines) != wanted:
        raise InputError(
            "the number of values differs from the number of draws",
            where=str(path),
            got=len(cells.lines),
            allowed=f"{wanted} (aftercart validate --refit)",
        )
    return benefits


def draws_of(path: Path, pathway: Pathway) -> dict[str, Floats]:
    """Return `read_draws` by column: parameter -> (n_draws,). What a pathway adds to another's is from its priors."""
    columns = _checked(_cells(path), pathway.fitted)
    if pathway.fitted is pathway:
        return columns
    drawn = prior_draws(pathway, n_draws(columns)) if pathway.from_priors else {}
    kept = {
        name: column
        for name, column in columns.items()
        if pathway.parameters.get(name) == pathway.fitted.parameters[name]
    }
    return kept | {name: drawn[name] for name in pathway.from_priors}


def check_draws(table: pd.DataFrame, pathway: Pathway, where: str) -> None:
    """Check a table of draws as a file's is, its rows counted from 1. Raises InputError."""
    columns = {
        str(name): tuple("" if value != value else str(value) for value in column.tolist())
        for name, column in table.items()
        if name not in (INFORMED, PRIOR_ALONE)
    }
    _checked(csv.Cells(Path(where), tuple(range(1, len(table) + 1)), columns), pathway)


def _checked(cells: csv.Cells, pathway: Pathway) -> dict[str, Floats]:
    """Return the columns of numbers, parameter -> (n_draws,), of draws of a pathway. Raises InputError."""
    path = cells.path
    for place, name in enumerate(cells.columns, start=1):
        if name not in (*pathway.parameters, fingerprint.COLUMN):
            raise UnknownNameError("parameter", name, pathway.parameters, f"{path}: header, column {place}")
    for name, parameter in pathway.parameters.items():
        if parameter.prior is not None and name not in cells.columns:
            allowed = "a column for every parameter that has a prior"
            raise InputError("a parameter with a prior is missing", where=str(path), got=name, allowed=allowed)
    values = cells.floats(name for name in cells.columns if name != fingerprint.COLUMN)
    if not cells.lines or not values:
        raise InputError("no draws", where=str(path), allowed="a row for every parameter set, of a number a parameter")
    columns = {name: np.array(value) for name, value in values.items()}
    for name, column in columns.items():
        for row in np.flatnonzero(np.isnan(column)):
            where = f"{path}: line {cells.lines[row]}, {name}"
            raise InputError("an empty cell", where=where, allowed="a number in every cell")
    _check_units(columns, cells, pathway)
    _check_rows(columns, cells, pathway)
    return columns


def _cells(path: Path) -> csv.Cells:
    """Return the cells of a file of draws. Raises InputError, with the command that fits a cohort without draws."""
    if not path.exists() and (path.parent / "cohort.toml").is_file():
        allowed = f"draws; `aftercart calibrate {path.parent}` writes them"
        raise InputError("the cohort is not fitted yet (no draws.csv)", where=str(path), allowed=allowed)
    return csv.cells(path)


def staleness(pathway: Pathway, path: Path | None = None) -> str | None:
    """Return, in words, that the files have changed since what stands next to the draws was fitted to them; else None.

    path : the file of the draws; None: the pathway's. A user's draws, without a fingerprint, are never stale. Raises
    InputError.
    """
    file_of_pathway = draws_file(pathway)
    path = path or file_of_pathway
    sentences = [] if path is None else [stale_draws(pathway, path) or structures.stale(path), _stale_benefit(path)]
    sentences.append(_of_replaced_laws(pathway) if path == file_of_pathway else None)
    return " ".join(sentence for sentence in sentences if sentence) or None


def _of_replaced_laws(pathway: Pathway) -> str | None:
    """Return, in words, that draws and benefit are of laws that a pathway replaces after its clock; else None."""
    laws, path = replaced(pathway), draws_file(pathway)
    if not laws.bears_on_benefit:
        return None
    sentence = (
        f"The parameter sets are those of {pathway.fitted.name}, in which {pathway.name} replaces {laws}: the others "
        "were fitted together with what is replaced."
    )
    if path is None or not path.with_name(BENEFIT_FILE).exists():
        return sentence
    return f"{sentence} So was the marginal benefit that other cohorts suggest, and it is not used."


def stale_draws(pathway: Pathway, path: Path | None = None) -> str | None:
    """Return `staleness` of the draws alone, as where the benefit is fitted anew."""
    path = path or draws_file(pathway)
    if path is None:
        return None
    fingerprints = set(_cells(path).columns.get(fingerprint.COLUMN, ()))
    if not fingerprints:
        return None
    # A scenario may have made milestones, or a cohort named populations; the pathway's file is as it was fitted.
    fitted = pathway.fitted
    declared = load_pathway(fitted.file) if fitted.file else fitted
    pathways, cohorts = zip(*(text.partition("-")[::2] for text in fingerprints), strict=True)
    changed = [f"pathway {declared.name}"] if {*pathways} != {fingerprint.of_pathway(declared)} else []
    cohort = path.parent
    in_a_cohort = (cohort / "cohort.toml").exists()
    if in_a_cohort and {*cohorts} != {fingerprint.of_cohort(cohort)}:
        changed.append(f"cohort {cohort.resolve().name}")
    if not changed:
        return None
    name = cohort.name if cohort.parent == cohorts_folder() else str(cohort) if in_a_cohort else "COHORT"
    return (
        f"These draws were fitted to another version of {' and '.join(changed)}: results mix the two. "
        f"Refit with `aftercart calibrate {name}`."
    )


def _stale_benefit(path: Path) -> str | None:
    file = path.with_name(BENEFIT_FILE)
    texts = csv.cells(file).columns.get(fingerprint.COLUMN) if file.exists() else None
    changed = fingerprint.changed_since(texts[0], path) if texts else []
    if not changed:
        return None
    return (
        f"The marginal benefit next to these draws ({BENEFIT_FILE}) was fitted to another version of "
        f"{' and '.join(changed)}. Refit with `aftercart validate --refit`."
    )


def _check_units(table: Mapping[str, Floats], cells: csv.Cells, pathway: Pathway) -> None:
    for name, column in table.items():
        unit = pathway.parameters[name].unit
        lowest, highest = UNITS[unit]
        for row in np.flatnonzero(~((column >= lowest) & (column <= highest))):
            check_unit(column[row], unit, f"{cells.path}: line {cells.lines[row]}, {name}")


def _check_rows(table: Mapping[str, Floats], cells: csv.Cells, pathway: Pathway) -> None:
    """Refuse draws without a model: shares that do not sum to one, a shape of 0."""
    bare = Scenario(name=pathway.name, pathway=pathway, file=pathway.file)
    try:
        resolve(bare, levels(table))
    except InputError:
        for row, line in enumerate(cells.lines):
            try:
                resolve(bare, {name: float(column[row]) for name, column in table.items()})
            except InputError as error:
                where = f"{cells.path}: line {line}, in {error.where}"
                raise InputError(error.what, where=where, got=error.got, allowed=error.allowed) from None
        raise


def choose(table: pd.DataFrame | None, wanted: int | None, pathway: Pathway) -> int:
    """Return how many draws to use. Raises InputError if fewer than `wanted` exist."""
    available = 1 if table is None else len(table)
    if wanted is None:
        return min(available, MOST)
    if wanted < 1 or wanted > available:
        many = "few" if wanted < 1 else "many"
        what = "1: this pathway has no fitted draws" if table is None else f"too {many} draws are requested"
        raise InputError(what, where="--draws", got=wanted, allowed=f"1 to {available} ({pathway.name})")
    return wanted


def levels(table: Mapping[str, Floats] | None) -> dict[str, Floats]:
    """Return all draws as the values of a model: parameter -> (n_draws, 1)."""
    return {} if table is None else {name: column[:, None] for name, column in table.items()}


def values(table: pd.DataFrame | None, rows: slice) -> dict[str, Floats]:
    """Return some draws as the values of a model: parameter -> (n_draws, 1)."""
    if table is None:
        return {}
    return {str(name): table[name].to_numpy(dtype=float)[rows, None] for name in table.columns}


def single(table: pd.DataFrame | None, row: int) -> dict[str, float]:
    """Return one draw as the values of a model: parameter -> number."""
    return {} if table is None else {str(name): float(value) for name, value in table.iloc[row].items()}
