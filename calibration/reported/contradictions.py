"""Rows of a cohort's targets that cannot all be right, though every one of them can.

Every row bounds a number of patients: how many a population has, how many of them are dead or have entered a state by a
month. Facts of any cohort link these numbers (`links`). Rows contradict one another if no whole numbers satisfy all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import coo_array

from calibration.reported import estimates, hazard_ratios, links
from calibration.reported.figure import where
from calibration.reported.kinds.kind import Kind
from calibration.reported.links import Body, Bound, Number, Populations
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway

T = TypeVar("T")

WHOLE = ("size", "known", "entered")
"""Numbers that are whole: the others are times and estimates."""
TOLERANCE = 1e-6
"""Of HiGHS, for whole numbers and for bounds."""
CANNOT_BE = "a figure that no cohort of this size and follow-up can have"
HOW_MANY = {2: "two", 3: "three", 4: "four"}


def check_reported_once(figures: Sequence[Kind]) -> None:
    """Refuse a row without a name, and two of one name or level of the case mix. Raises InputError with the line."""
    names: dict[str, int] = {}
    levels: dict[str, int] = {}
    for figure in figures:
        at, level, name = figure.where, figure.attribute, figure.name
        if figure.use == "case_mix":
            if level in levels:
                allowed = f"one case_mix row for it: line {levels[level]} is one"
                raise InputError("a level has more than one row", where=at, got=level, allowed=allowed)
            levels[level] = figure.line
        if not name.strip():
            raise InputError("a row without a name", where=at, allowed="a name that no other row has")
        if name in names:
            allowed = f"another name: line {names[name]} has this one"
            raise InputError("two rows have one name", where=at, got=name, allowed=allowed)
        names[name] = figure.line


def check(figures: Sequence[Kind], cohort: Cohort, pathway: Pathway, onward: Mapping[str, Sequence[str]]) -> list[str]:
    """Refuse rows that contradict one another, and return sentences on those that hardly agree.

    onward : state -> the next ones. Raises InputError naming the lines.
    """
    populations = Populations.of(cohort, pathway, figures)
    bounds = [bound for figure in figures for bound in (*figure.bounds(populations), *populations.whole(figure))]
    bounds += estimates.of(bounds, populations)
    bounds += [*_arms(figures, populations), *links.of(bounds, populations, onward)]
    doubts = hazard_ratios.doubts(figures, populations)
    if _can_be(bounds):
        return doubts
    certain = [bound for bound in bounds if bound.is_certain]
    can_be = _can_be(certain)
    lines = _conflict_of(bounds if can_be else certain)
    at = where(cohort.folder, *lines)
    words = "; ".join(figure.in_words() for figure in figures if figure.line in lines)
    if can_be:
        return [f"{at}: {words}: possible only if some patients are followed for longer than others", *doubts]
    raise InputError(
        f"{HOW_MANY.get(len(lines), len(lines))} rows contradict one another" if lines[1:] else CANNOT_BE,
        where=at,
        got=words,
        allowed="figures possible for the same patients; check kind, population, month and n in the source",
    )


def _conflict_of(bounds: Sequence[Bound]) -> list[object]:
    """Return lines whose bounds no numbers satisfy, none of which can be spared."""
    lines = list(dict.fromkeys(bound.line for bound in bounds if bound.line is not None))
    return conflict(lines, lambda kept: _can_be([bound for bound in bounds if bound.line in (None, *kept)]))


def _arms(figures: Sequence[Kind], populations: Populations) -> list[Bound]:
    """Return that the arms of the cohort add up to it, if rows report the size of every one of them."""
    cohort = populations.cohort
    of_all = [figure for figure in figures if figure.counts_sizes and not figure.attribute and figure.n == cohort.n]
    counted = {populations.named(figure.population) for figure in of_all}
    arms = {populations.named(name) for name in cohort.arms.get("all", ())}
    if not arms or not arms <= counted:
        return []
    return [Bound({Number("size", Body(arm)): 1 for arm in arms}, cohort.n, cohort.n)]


def _can_be(bounds: Sequence[Bound]) -> bool:
    """Return whether numbers of patients, whole but for estimates, satisfy all bounds."""
    place = {number: i for i, number in enumerate(dict.fromkeys(term for bound in bounds for term in bound.terms))}
    entries = [(r, place[number], c) for r, bound in enumerate(bounds) for number, c in bound.terms.items()]
    if not entries:
        return True
    rows, columns, values = zip(*entries, strict=True)
    matrix = coo_array((values, (rows, columns)), shape=(len(bounds), len(place))).tocsr()
    scale = 0.1 / np.maximum(abs(matrix).sum(axis=1), 1.0)
    # Unscaled, or presolved, a solution can be a hair outside when its whole numbers are rounded: HiGHS prints as much.
    solution = milp(
        np.zeros(len(place)),
        integrality=np.array([number.what in WHOLE for number in place], dtype=np.int64),
        constraints=LinearConstraint(
            matrix.multiply(scale[:, None]).tocsr(),
            np.array([bound.lower for bound in bounds]) * scale - TOLERANCE,
            np.array([bound.upper for bound in bounds]) * scale + TOLERANCE,
        ),
        options={"presolve": False},
    )
    return solution.status != 2


def conflict(names: Sequence[T], fit: Callable[[Sequence[T]], bool]) -> list[T]:
    """Return names that contradict one another, none of which can be spared (Chinneck & Dravnieks 1991).

    Later ones are spared first. Many are tried at once: those that can be spared together can be one by one.
    """
    kept, waiting = list(names), [list(names[: len(names) // 2]), list(names[len(names) // 2 :])]
    while waiting:
        some = waiting.pop()
        rest = [name for name in kept if name not in some]
        if not fit(rest):
            kept = rest
        elif len(some) > 1:
            waiting += [some[: len(some) // 2], some[len(some) // 2 :]]
    return kept
