"""The table of patients that a cohort's counts leave open: arm x cause of death x interval, plus alive.

Every reported count of patients, survivors or deaths is a linear equation over the cells; all tables of whole numbers
that solve them are enumerated, and each carries its multinomial coefficient (n! / prod k!).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import lgamma
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, milp

from simulator.errors import InputError

Floats = NDArray[np.float64]

ANY = ""
"""A cause that is not told."""
ALIVE = None
MOST_TABLES = 100_000


class Cell(NamedTuple):
    """Patients of an arm who died of a cause in the months (start, end], or are alive at the end (cause None)."""

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
    """A reported count: of `patients`, of `survivors` at a month, or of `deaths` (of a state) by one.

    month : inf for deaths by the end
    """

    kind: str
    population: str
    state: str
    month: float
    count: int
    n: int
    where: str


@dataclass(frozen=True)
class Tables:
    """cells; counts : (n_tables, n_cells); log_coefficients : (n_tables,)."""

    cells: tuple[Cell, ...]
    counts: NDArray[np.int64]
    log_coefficients: Floats

    def log_likelihood(self, probabilities: Floats) -> Floats:
        """Return log sum over tables of n! prod p^k / k!, (n_draws,), for probabilities : (n_draws, n_cells)."""
        with np.errstate(divide="ignore"):
            log_p = np.maximum(np.log(probabilities), -1e8)
        terms = log_p @ self.counts.T + self.log_coefficients
        highest = terms.max(axis=1)
        total = highest + np.log(np.exp(terms - highest[:, None]).sum(axis=1))
        return np.asarray(np.where(highest < -1e7, -np.inf, total))


def cells_of(
    rows: Sequence[Row], arms: Sequence[str], members: Mapping[str, Sequence[str]], causes: Sequence[str]
) -> tuple[Cell, ...]:
    """Return the cells: an arm's deaths are told by cause only where a row asks for it."""
    months = sorted({row.month for row in rows if row.kind != "patients" and np.isfinite(row.month)})
    intervals = list(zip([0.0, *months], [*months, np.inf], strict=True))
    found: list[Cell] = []
    for arm in arms:
        told = any(row.kind == "deaths" and row.state and arm in members[row.population] for row in rows)
        for cause in causes if told else [ANY]:
            found.extend(Cell(arm, cause, start, end) for start, end in intervals)
        found.append(Cell(arm, ALIVE, np.inf, np.inf))
    return tuple(found)


def equations(rows: Iterable[Row], cells: Sequence[Cell], members: Mapping[str, Sequence[str]]) -> list[Equation]:
    """Return what the rows say of the cells. Raises InputError for more than there are."""
    found = []
    for row in rows:
        if not 0 <= row.count <= row.n:
            raise InputError("more than there are", where=row.where, got=row.count, allowed=f"0 to {row.n}")
        everybody = {i for i, cell in enumerate(cells) if cell.arm in members[row.population]}
        dead = {i for i in everybody if cells[i].cause is not ALIVE}
        if row.kind == "patients":
            found.append(Equation(frozenset(everybody), row.count, row.where))
            continue
        found.append(Equation(frozenset(everybody), row.n, row.where))
        if row.kind == "survivors":
            before = {i for i in dead if cells[i].end <= row.month}
            found.append(Equation(frozenset(before), row.n - row.count, row.where))
        else:
            caused = {i for i in dead if cells[i].end <= row.month and row.state in ("", cells[i].cause)}
            found.append(Equation(frozenset(caused), row.count, row.where))
    return found


def enumerate_tables(cells: Sequence[Cell], told: Sequence[Equation], where: str) -> Tables:
    """Return every table of whole numbers that solves the equations. Raises InputError if there is none."""
    _check_consistent(told)
    every = told
    told = list({(each.cells, each.count): each for each in told}.values())
    found: list[tuple[int, ...]] = []
    left = [each.count for each in told]
    mine = [[e for e, each in enumerate(told) if i in each.cells] for i in range(len(cells))]
    last = [max(each.cells, default=-1) for each in told]
    table = [0] * len(cells)

    def fill(i: int) -> None:
        if i == len(cells):
            found.append(tuple(table))
            if len(found) > MOST_TABLES:
                raise InputError(f"the counts leave more than {MOST_TABLES} tables open", where=where)
            return
        if not mine[i]:
            raise InputError(f"no count says anything of cell {cells[i]}", where=where)
        highest = min(left[e] for e in mine[i])
        ends = [left[e] for e in mine[i] if last[e] == i]
        for k in range(max(ends, default=0), highest + 1) if len(set(ends)) <= 1 else ():
            if ends and k != ends[0]:
                break
            table[i] = k
            for e in mine[i]:
                left[e] -= k
            fill(i + 1)
            for e in mine[i]:
                left[e] += k
        table[i] = 0

    fill(0)
    if not found:
        places = ", ".join(_conflict(every, len(cells)))
        raise InputError("no table of whole patients fits the counts: they contradict one another", where=places)
    counts = np.array(found, dtype=np.int64)
    n = int(counts[0].sum())
    coefficients = [lgamma(n + 1) - sum(lgamma(k + 1) for k in row) for row in counts.tolist()]
    return Tables(tuple(cells), counts, np.array(coefficients))


def _check_consistent(told: Sequence[Equation]) -> None:
    """Refuse two rows that say different things of the same cells."""
    known: dict[frozenset[int], Equation] = {}
    for each in told:
        before = known.setdefault(each.cells, each)
        if before.count != each.count:
            raise InputError(
                "two rows contradict each other",
                where=f"{before.where} and {each.where}",
                got=(before.count, each.count),
            )


def _conflict(told: Sequence[Equation], n_cells: int) -> list[str]:
    """Return rows that contradict one another, none of which can be spared (Chinneck & Dravnieks 1991)."""
    kept = list(dict.fromkeys(each.where for each in told))
    for place in reversed(kept):
        rest = [each for each in kept if each != place]
        if not _has_solution([each for each in told if each.where in rest], n_cells):
            kept = rest
    return kept


def _has_solution(told: Sequence[Equation], n_cells: int) -> bool:
    if not told:
        return True
    adds = np.array([[float(i in each.cells) for i in range(n_cells)] for each in told])
    counts = np.array([each.count for each in told], dtype=np.float64)
    found = milp(
        np.zeros(n_cells),
        integrality=np.ones(n_cells, dtype=np.int64),
        constraints=LinearConstraint(adds, counts, counts),
    )
    return bool(found.success)
