"""Counts of the same patients as linear equations over cells, and whether some table of whole patients fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import LinearConstraint, OptimizeResult, milp

from calibration.reported.contradictions import conflict
from simulator.arrays import Floats
from simulator.errors import InputError


@dataclass(frozen=True)
class Equation:
    """The cells that a reported count adds up."""

    cells: frozenset[int]
    count: int
    where: str


def check_equations(equations: Sequence[Equation], n_cells: int, where: str) -> None:
    """Refuse counts that no table of whole patients fits, naming their rows, and cells that no count includes.

    where : the file of the rows
    """
    known: dict[frozenset[int], Equation] = {}
    for equation in equations:
        before = known.setdefault(equation.cells, equation)
        if before.count != equation.count:
            raise InputError(
                "two rows contradict each other: both are fitted and count the same patients",
                where=f"{before.where} and {equation.where}",
                got=f"{before.count} and {equation.count}",
                allowed="one number; a row of assessed patients can only be compared (predictive)",
            )
    for cell in range(n_cells):
        if not any(cell in equation.cells for equation in equations):
            raise InputError(f"no count includes cell {cell}", where=where)

    def fit(places: Sequence[str]) -> bool:
        kept = [equation for equation in equations if equation.where in places]
        return bool(_table(kept, np.zeros(n_cells)).success)

    places = list(dict.fromkeys(equation.where for equation in equations))
    if not fit(places):
        what = "no table of whole patients fits the counts: they contradict one another"
        raise InputError(what, where=", ".join(conflict(places, fit)))


def settled(equations: Sequence[Equation], cells: frozenset[int], n_cells: int) -> int | None:
    """Return the patients in some cells, if they are as many in every table that fits the counts; else None."""
    sums = np.array([float(cell in cells) for cell in range(n_cells)])
    least, most = _table(equations, sums), _table(equations, -sums)
    if not (least.success and most.success and round(least.fun) == round(-most.fun)):
        return None
    return round(float(least.fun))


def incidence(equations: Sequence[Equation], cells: Sequence[int]) -> Floats:
    """Return 1 where a count includes a cell, else 0, (n_equations, n_cells)."""
    counted = [[float(cell in equation.cells) for cell in cells] for equation in equations]
    return np.array(counted).reshape(len(equations), len(cells))


def _table(equations: Sequence[Equation], least: Floats) -> OptimizeResult:
    """Find the table of whole patients that fits some counts and of which a sum, `least` : (n_cells,), is least."""
    counts = np.array([equation.count for equation in equations], dtype=np.float64)
    added_up = LinearConstraint(incidence(equations, range(least.size)), counts, counts)
    return milp(least, integrality=np.ones(least.size, dtype=np.int64), constraints=added_up)
