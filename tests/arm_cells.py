"""Cells of a table of arms, causes of death and months, and the counts of rows as equations over them.

A spelling of its own, for tests of the table's probability: the likelihood finds its cells by the courses of patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from calibration.likelihood.cells import Equation

ANY = ""
"""A cause that is not reported."""
ALIVE = None
ELSEWHERE = ""
"""The arm of patients of no arm with a row."""


class Cell(NamedTuple):
    """Patients of an arm who died of a cause, or entered a state, in the months (start, end]; cause None: others."""

    arm: str
    cause: str | None
    start: float
    end: float


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
    """Return the cells: an arm's deaths are split by cause only where a row reports a cause.

    Where a row counts entries of a state, causes without a row count as alive: they may come after it. Arms without a
    row are one cell, with patients of no arm, unless `all` consists of arms with rows.
    """
    months = sorted({row.month for row in rows if row.kind != "patients" and np.isfinite(row.month)})
    intervals = list(zip([0.0, *months], [*months, np.inf], strict=True))
    cells: list[Cell] = []
    known = {arm for row in rows for arm in members[row.population]}
    for arm in [arm for arm in arms if arm in known]:
        arm_rows = [row for row in rows if arm in members[row.population]]
        reported = list(dict.fromkeys(row.state for row in arm_rows if row.kind == "deaths" and row.state))
        states = dict.fromkeys(row.state for row in arm_rows if row.kind == "entered")
        of_any = any(row.kind == "survivors" or (row.kind == "deaths" and not row.state) for row in arm_rows)
        deaths = (reported if states and not of_any else causes) if reported else [ANY]
        for cause in [*deaths, *states]:
            cells.extend(Cell(arm, cause, start, end) for start, end in intervals)
        cells.append(Cell(arm, ALIVE, np.inf, np.inf))
    if "all" not in members or not known.issuperset(members["all"]):
        cells.append(Cell(ELSEWHERE, ALIVE, np.inf, np.inf))
    return tuple(cells)


def equations(
    rows: Sequence[Row], cells: Sequence[Cell], members: Mapping[str, Sequence[str]], n: int, where: str
) -> tuple[Equation, ...]:
    """Return the equations of the rows. n : patients of the cohort, who fix the cell elsewhere; where : its place"""
    elsewhere = any(cell.arm == ELSEWHERE for cell in cells)
    equations = [Equation(frozenset(range(len(cells))), n, where)] if elsewhere else []
    entered = {row.state for row in rows if row.kind == "entered"}
    for row in rows:
        everybody = frozenset(i for i, cell in enumerate(cells) if cell.arm in members[row.population])
        if row.kind == "patients":
            equations.append(Equation(everybody, row.count, row.where))
            continue
        left = {i for i in everybody if cells[i].cause is not ALIVE}
        counted = left if row.kind == "entered" else {i for i in left if cells[i].cause not in entered}
        by_month = frozenset(i for i in counted if cells[i].end <= row.month and row.state in ("", cells[i].cause))
        count = row.n - row.count if row.kind == "survivors" else row.count
        equations += [Equation(everybody, row.n, row.where), Equation(by_month, count, row.where)]
    return tuple(equations)
