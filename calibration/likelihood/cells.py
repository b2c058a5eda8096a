"""The table of patients that a cohort's counts leave open: arm x cause of death x interval, plus alive.

Every reported count of patients, survivors or deaths is a linear equation over the cells. So is a count of who entered
a state after which nobody can be counted dead: whoever goes that way has gone, as by a cause of death.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import LinearConstraint, OptimizeResult, milp

from simulator.arrays import Floats
from simulator.errors import InputError

ANY = ""
"""A cause that is not told."""
ALIVE = None
ELSEWHERE = ""
"""The arm of patients of no arm that a row tells of."""


class Cell(NamedTuple):
    """Patients of an arm who died of a cause, or entered a state, in the months (start, end]; cause None: others."""

    arm: str
    cause: str | None
    start: float
    end: float


@dataclass(frozen=True)
class Equation:
    """The cells that a reported count adds up."""

    cells: frozenset[int]
    count: int
    where: str


@dataclass(frozen=True)
class Row:
    """A reported count: of `patients`, of `survivors` at a month, of `deaths` (of a state) or `entered` a state by one.

    month : inf for deaths or entries by the end
    """

    kind: str
    population: str
    state: str
    month: float
    count: int
    n: int
    where: str


def cells_of(
    rows: Sequence[Row], arms: Sequence[str], members: Mapping[str, Sequence[str]], causes: Sequence[str]
) -> tuple[Cell, ...]:
    """Return the cells: an arm's deaths are told by cause only where a row asks for it.

    Where a row tells who entered a state, causes that no row tells are left to the others: they may come after it.
    Arms that no row tells of are one cell, with patients of no arm, unless `all` consists of arms that rows tell of.
    """
    months = sorted({row.month for row in rows if row.kind != "patients" and np.isfinite(row.month)})
    intervals = list(zip([0.0, *months], [*months, np.inf], strict=True))
    found: list[Cell] = []
    known = {arm for row in rows for arm in members[row.population]}
    for arm in [arm for arm in arms if arm in known]:
        own = [row for row in rows if arm in members[row.population]]
        told = list(dict.fromkeys(row.state for row in own if row.kind == "deaths" and row.state))
        states = dict.fromkeys(row.state for row in own if row.kind == "entered")
        of_any = any(row.kind == "survivors" or (row.kind == "deaths" and not row.state) for row in own)
        deaths = (told if states and not of_any else causes) if told else [ANY]
        for cause in [*deaths, *states]:
            found.extend(Cell(arm, cause, start, end) for start, end in intervals)
        found.append(Cell(arm, ALIVE, np.inf, np.inf))
    if "all" not in members or not known.issuperset(members["all"]):
        found.append(Cell(ELSEWHERE, ALIVE, np.inf, np.inf))
    return tuple(found)


def equations(
    rows: Sequence[Row], cells: Sequence[Cell], members: Mapping[str, Sequence[str]], n: int, where: str
) -> tuple[Equation, ...]:
    """Return what the rows say of the cells. Raises InputError for more than there are.

    n : patients of the cohort, and `where` that is said: they count who is elsewhere
    """
    elsewhere = any(cell.arm == ELSEWHERE for cell in cells)
    found = [Equation(frozenset(range(len(cells))), n, where)] if elsewhere else []
    entered = {row.state for row in rows if row.kind == "entered"}
    for row in rows:
        if not 0 <= row.count <= row.n:
            raise InputError("more than the total", where=row.where, got=row.count, allowed=f"0 to {row.n}")
        everybody = {i for i, cell in enumerate(cells) if cell.arm in members[row.population]}
        gone = {i for i in everybody if cells[i].cause is not ALIVE}
        dead = {i for i in gone if cells[i].cause not in entered}
        if row.kind == "patients":
            found.append(Equation(frozenset(everybody), row.count, row.where))
            continue
        found.append(Equation(frozenset(everybody), row.n, row.where))
        if row.kind == "survivors":
            before = {i for i in dead if cells[i].end <= row.month}
            found.append(Equation(frozenset(before), row.n - row.count, row.where))
        else:
            asked = dead if row.kind == "deaths" else gone
            caused = {i for i in asked if cells[i].end <= row.month and row.state in ("", cells[i].cause)}
            found.append(Equation(frozenset(caused), row.count, row.where))
    return tuple(found)


def check_equations(told: Sequence[Equation], cells: Sequence[Cell], where: str) -> None:
    """Refuse counts that no table of whole patients fits, naming their rows, and cells of which no count says anything.

    where : the file of the rows
    """
    _check_consistent(told)
    for i, cell in enumerate(cells):
        if not any(i in each.cells for each in told):
            raise InputError(f"no count includes cell {cell}", where=where)
    if not _table(told, len(cells), np.zeros(len(cells))).success:
        places = ", ".join(_conflict(told, len(cells)))
        raise InputError("no table of whole patients fits the counts: they contradict one another", where=places)


def settles(told: Sequence[Equation], asked: Equation, n_cells: int) -> bool:
    """Return whether every table of whole patients that fits some counts fits one more."""
    sums = np.array([float(i in asked.cells) for i in range(n_cells)])
    least, most = _table(told, n_cells, sums), _table(told, n_cells, -sums)
    return bool(least.success and most.success and round(least.fun) == round(-most.fun) == asked.count)


def _check_consistent(told: Sequence[Equation]) -> None:
    """Refuse two rows that say different things of the same cells."""
    known: dict[frozenset[int], Equation] = {}
    for each in told:
        before = known.setdefault(each.cells, each)
        if before.count != each.count:
            raise InputError(
                "two rows contradict each other: both are fitted and count the same patients",
                where=f"{before.where} and {each.where}",
                got=f"{before.count} and {each.count}",
                allowed="one number; a row of assessed patients can only be compared (predictive)",
            )


def _conflict(told: Sequence[Equation], n_cells: int) -> list[str]:
    """Return rows that contradict one another, none of which can be spared (Chinneck & Dravnieks 1991)."""
    kept = list(dict.fromkeys(each.where for each in told))
    for place in reversed(kept):
        rest = [each for each in kept if each != place]
        if not _table([each for each in told if each.where in rest], n_cells, np.zeros(n_cells)).success:
            kept = rest
    return kept


def _table(told: Sequence[Equation], n_cells: int, least: Floats) -> OptimizeResult:
    """Find the table of whole patients that fits some counts and of which a sum, `least` : (n_cells,), is least."""
    adds = np.array([[float(i in each.cells) for i in range(n_cells)] for each in told]).reshape(len(told), n_cells)
    counts = np.array([each.count for each in told], dtype=np.float64)
    whole = np.ones(n_cells, dtype=np.int64)
    return milp(least, integrality=whole, constraints=LinearConstraint(adds, counts, counts))
