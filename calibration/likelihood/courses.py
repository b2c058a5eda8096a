"""The courses that patients can take, as far as counted rows tell them apart, and the cells that they fill.

A course is what a patient has entered by last follow-up (the marks of the exact engine), how they left those alive, and
their levels of the attributes that rows ask for. A cell is all courses, in all months, that count in the same rows:
every row adds up some cells, and no patient is in two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from math import inf
from typing import NamedTuple

import numpy as np

from calibration.likelihood.cells import Equation, settled
from calibration.reported.kinds.counts import Levels, Row
from simulator.engines.exact.history_graph import Marking, Node, entered
from simulator.pathway.joint import Joint
from simulator.pathway.pathway import Group, Pathway

ALIVE = ""


class Course(NamedTuple):
    """The marks of a patient, the state in which they left those alive (or ALIVE), and their levels."""

    marks: frozenset[str]
    end: str
    levels: Levels


class Indistinguishable(NamedTuple):
    """Courses that no row tells apart: nodes, and the levels of patients there; the state of a node is "" if alive.

    cells : by the months at which patients left those alive (`ended`), or one
    """

    cells: tuple[int, ...]
    ended: bool
    courses: tuple[tuple[tuple[Node, ...], tuple[Levels, ...]], ...]


@dataclass(frozen=True)
class Courses:
    """The courses of a cohort's patients. Months count from the cohort's clock.

    nodes : of the solved model; joints : of the case mix
    chance : what is decided by chance alone -> the shares of its levels
    """

    rows: tuple[Row, ...]
    pathway: Pathway
    n: int
    where: str
    nodes: tuple[Node, ...]
    joints: tuple[Joint, ...]
    chance: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @cached_property
    def levels_of(self) -> dict[str, list[str]]:
        """Attribute that rows ask for -> its levels."""
        names = dict.fromkeys(level.split("=")[0] for row in self.rows for level in sorted(row.levels))
        declared = self.pathway.attributes
        return {name: list(self.chance[name] if name in self.chance else declared[name].levels) for name in names}

    @cached_property
    def months(self) -> list[float]:
        """The months by which rows count who left those alive, ascending, and inf."""
        by = {row.month for row in self.rows if row.kind != "patients" and self._is_end(row)}
        return sorted({*by, inf})

    @cached_property
    def ends(self) -> frozenset[str]:
        """The states in which patients are followed no further and that rows may count."""
        return frozenset(name for name, state in self.pathway.states.items() if state.is_absorbing)

    def _is_end(self, row: Row) -> bool:
        return row.kind != "entered" or not self.ends.isdisjoint(row.states)

    @cached_property
    def every(self) -> list[Course]:
        """Every course; who has left those alive may have done so in any month."""
        named = [[f"{name}={level}" for level in levels] for name, levels in self.levels_of.items()]
        marked = dict.fromkeys((node.marks, node.state if node.state in self.ends else ALIVE) for node in self.nodes)
        marked |= dict.fromkeys((marks, ALIVE) for marks, _ in marked)
        return [Course(*ended, frozenset(levels)) for ended in marked for levels in product(*named)]

    def includes(self, row: Row, course: Course) -> bool:
        """Return whether a patient is of a row's population."""
        if not row.levels <= course.levels:
            return False
        states = entered(course.marks, self.pathway.group_window)
        return row.groups is None or any(group.includes(states) for group in row.groups)

    def counts(self, row: Row, course: Course, month: float) -> bool:
        """Return whether a row counts a patient of its population, who left those alive by a month, or never: inf."""
        if row.kind == "patients":
            return True
        if not self._is_end(row):
            return not entered(course.marks, row.month).isdisjoint(row.states)
        return course.end in (row.states or self.pathway.deaths) and month <= row.month

    def in_common(self, one: Row, other: Row) -> bool:
        """Return whether two rows have patients in common."""
        return any(self.includes(one, course) and self.includes(other, course) for course in self.every)

    def exclude(self, one: Row, other: Row) -> bool:
        """Return whether two rows of entries count no patient in common."""
        return not any(self._in_count(one, course) and self._in_count(other, course) for course in self.every)

    def _in_count(self, row: Row, course: Course, month: float = inf) -> bool:
        return self.includes(row, course) and self.counts(row, course, month)

    def settles(self, row: Row, others: Row) -> bool:
        """Return whether a row counts all patients of another one, or none of them."""
        counted = {
            self._in_count(row, course, month)
            for course in self.every
            if self.includes(others, course)
            for month in (self.months if course.end else [inf])
        }
        return len(counted) < 2

    @cached_property
    def _cells(self) -> tuple[dict[frozenset[int], int], dict[Course, tuple[int, ...]]]:
        """Return rows -> cell, as their places twice: for their n, and for their count; and course -> cells."""
        cells: dict[frozenset[int], int] = {}
        of_course: dict[Course, tuple[int, ...]] = {}
        for course in self.every:
            rows = [(place, row) for place, row in enumerate(self.rows) if self.includes(row, course)]
            sizes = {2 * place for place, _ in rows}
            counted = [
                frozenset(sizes | {2 * place + 1 for place, row in rows if self.counts(row, course, month)})
                for month in (self.months if course.end else [inf])
            ]
            of_course[course] = tuple(cells.setdefault(key, len(cells)) for key in counted)
        return cells, of_course

    @cached_property
    def indistinguishable(self) -> list[Indistinguishable]:
        """All courses, those together that count in the same rows."""
        levels: dict[tuple[bool, tuple[int, ...]], dict[Node, set[Levels]]] = {}
        for course, cells in self.of_course.items():
            of_nodes = levels.setdefault((bool(course.end), cells), {})
            of_nodes.setdefault(Node(course.end, course.marks), set()).add(course.levels)
        groups = []
        for (ended, cells), of_nodes in levels.items():
            nodes: dict[frozenset[Levels], list[Node]] = {}
            for node, of_node in of_nodes.items():
                nodes.setdefault(frozenset(of_node), []).append(node)
            groups.append(
                Indistinguishable(
                    cells, ended, tuple((tuple(some), tuple(combinations)) for combinations, some in nodes.items())
                )
            )
        return groups

    def share(self, levels: Mapping[str, str]) -> float:
        """Return the share of patients with some levels of attributes that decide nothing."""
        shares = [self.chance[name][level] for name, level in levels.items() if name in self.chance]
        for joint in self.joints:
            of = [
                {levels[name]} if name in levels else all_levels
                for name, all_levels in zip(joint.of, joint.levels, strict=True)
            ]
            if not levels.keys().isdisjoint(joint.of):
                cells = (dict(zip(joint.of, cell, strict=True)) for cell in product(*of))
                shares.append(sum(joint.share(cell) for cell in cells))
        return float(np.prod(shares))

    @property
    def n_cells(self) -> int:
        return len(self._cells[0])

    @property
    def cells(self) -> dict[frozenset[int], int]:
        """The rows that count a patient -> cell: twice the place of a row for its n, and one more for its count."""
        return self._cells[0]

    @property
    def of_course(self) -> dict[Course, tuple[int, ...]]:
        """The cell of each course, by the months at which patients left those alive; of who did not, one."""
        return self._cells[1]

    @cached_property
    def _cells_of(self) -> dict[int, frozenset[int]]:
        """Place of a row, twice as in `_cells` -> the cells that it includes."""
        included: dict[int, set[int]] = {}
        for key, cell in self._cells[0].items():
            for place in key:
                included.setdefault(place, set()).add(cell)
        return {place: frozenset(cells) for place, cells in included.items()}

    def _in(self, place: int) -> frozenset[int]:
        return self._cells_of.get(place, frozenset())

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """What the rows report, and how many patients there are; the n of `entered` rows is in `conditioned_on`."""
        return self._without(frozenset())

    def _without(self, patients: frozenset[int]) -> tuple[Equation, ...]:
        """Return the same without entries of some patients."""
        reported = [Equation(frozenset(range(self.n_cells)), self.n, self.where)]
        for place, row in enumerate(self.rows):
            of_row, counted = self._in(2 * place), self._in(2 * place + 1)
            if row.kind in ("survivors", "deaths") or self._is_by_chance(row):
                reported.append(Equation(of_row, row.n, row.where))
            if row.kind != "entered" or of_row != patients:
                count = row.n - row.count if row.kind == "survivors" else row.count
                reported.append(Equation(counted, count, row.where))
        return tuple(dict.fromkeys(reported))

    def _is_by_chance(self, row: Row) -> bool:
        """Return whether the n of a row are those of its patients who were assessed: its probability is a constant."""
        return any(level.split("=")[0] in self.chance for level in row.levels)

    @cached_property
    def _assessed(self) -> dict[frozenset[int], int | None]:
        """The patients of `entered` rows -> how many they are by rows of others, or None if these leave it open."""
        patients = {self._in(2 * place) for place, row in enumerate(self.rows) if row.kind == "entered"}
        return {cells: settled(self._without(cells), cells, self.n_cells) for cells in patients}

    @cached_property
    def conditioned_on(self) -> tuple[Equation, ...]:
        """The n of `entered` rows, where other rows do not settle it: no evidence on how many belong to an arm."""
        sizes = [
            Equation(cells, row.n, row.where)
            for place, row in enumerate(self.rows)
            if row.kind == "entered" and not self._is_by_chance(row)
            if self._assessed[cells := self._in(2 * place)] != row.n
        ]
        return tuple({equation.cells: equation for equation in reversed(sizes)}.values())

    def of_assessed(self) -> Courses:
        """Return the courses where an `entered` row with fewer patients than its population counts some by chance.

        Whether a patient is among those assessed is an attribute of its own, independent of all others.
        """
        chance, rows = dict(self.chance), list(self.rows)
        for place, row in enumerate(self.rows):
            size = self._assessed[self._in(2 * place)] if row.kind == "entered" else None
            if size is not None and size > row.n:
                name = f"assessed {row.population} {' '.join(sorted(row.levels)).replace('=', ' ')} {row.n}"
                chance[name] = {"yes": row.n / size, "no": 1.0 - row.n / size}
                rows[place] = replace(row, levels=row.levels | {f"{name}=yes"})
        return replace(self, rows=tuple(rows), chance=chance) if len(chance) > len(self.chance) else self


def marking_of(rows: Iterable[Row], groups: Sequence[Group], pathway: Pathway, end: float) -> Marking:
    """Return the states that rows and groups ask for, and the months, before the `end`, that tell entries apart."""
    states = {state for group in groups for state in group.states}
    months = {state: {pathway.group_window} for state in states}
    for row in rows:
        for state in row.states if row.kind == "entered" else ():
            if not pathway.states[state].is_absorbing:
                months.setdefault(state, set()).add(row.month)
    cuts = {state: tuple(sorted(month for month in by if month < end)) for state, by in months.items()}
    return Marking(frozenset(cuts), cuts=tuple((state, by) for state, by in sorted(cuts.items()) if by))
