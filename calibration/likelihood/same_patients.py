"""Rows of the same patients that enter the likelihood as if they were independent: said, never silent.

Two rows are independent given their n if they have no patient in common, or if all patients of one row (or none) are
counted by the other: 6 of the 11 responders, next to 11 responders of 18.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, groupby, product

from calibration.likelihood.branchings import Branching, Event, Order
from calibration.likelihood.targets import Targets, event_of
from calibration.reported.consistency import where
from calibration.reported.kinds import COUNTED, PERCENTAGE, counted_as
from simulator.engines.model import resolve
from simulator.pathway.pathway import is_part

EVERYBODY = "all"


@dataclass(frozen=True)
class _Row:
    """A fitted row of patients in some arms. belongs : the arms whose size it counts; factor : of the likelihood."""

    line: int
    arms: frozenset[str]
    belongs: frozenset[str]
    event: Event
    factor: Hashable


@dataclass(frozen=True)
class SamePatients:
    """The patients that fitted rows of a cohort have in common."""

    targets: Targets

    @cached_property
    def order(self) -> Order:
        return Order.of(resolve(self.targets.scenario))

    def sentences(self) -> list[str]:
        """Return a sentence for every set of rows that share patients and enter as if they did not."""
        linked_rows: list[set[_Row]] = []
        advice: dict[Hashable, str] = {}
        for one, other in combinations(self._rows(), 2):
            if one.factor == other.factor or self._independent(one, other):
                continue
            for row, sizes in ((one, other), (other, one)):
                if group := self._group_of(row, sizes):
                    advice[row.factor] = f"count line {row.line} among the {group} whom line {sizes.line} counts"
            # One factor may count several arms, whose rows share no patients.
            pair = {(row.factor, row.arms) for row in (one, other)}
            linked = [rows for rows in linked_rows if any((row.factor, row.arms) in pair for row in rows)]
            linked_rows = [rows for rows in linked_rows if rows not in linked]
            linked_rows.append({one, other}.union(*linked))
        return [self._sentence(rows, advice) for rows in linked_rows]

    def _sentence(self, rows: set[_Row], advice: dict[Hashable, str]) -> str:
        factors = {row.factor for row in rows}
        lines = sorted(sorted(row.line for row in rows if row.factor == factor) for factor in factors)
        named = [_in_words(line) for line in lines]
        # Of several rows together, it may not do to count one otherwise.
        pair = [advice[factor] for factor in factors if factor in advice] if len(rows) == 2 else []
        instead = "".join(f", or {remedy} (its name as `population`, its size as `n`)" for remedy in pair)
        return (
            f"{self.targets.folder / 'targets.csv'}: {', '.join(named[:-1])} and {named[-1]} count the same patients, "
            "but enter the fit as if they were independent, so that its intervals may be wrong. Give "
            f'{"one of them" if len(lines) == 2 else "all but one of them"} use = "predictive"{instead}.'
        )

    def _group_of(self, row: _Row, sizes: _Row) -> str | None:
        """Return the group of all patients of an `entered` row, if another row counts its size."""
        if not isinstance(row.factor, Branching) or row.belongs:
            return None
        for name, group in self.targets.pathway.groups.items():
            includes = not group.not_entered and self.order.inside(row.event, Event(group.entered))
            if includes and sizes.belongs == {name} and name in self.targets.cohort.arms:
                return name
        return None

    def _rows(self) -> Iterator[_Row]:
        targets, nobody = self.targets, frozenset[str]()
        table = {equation.where for equation in targets.tables.equations} if targets.tables else set()
        sizes = {cell.arm for cell in targets.sizes.cells} if targets.sizes else nobody
        branchings = {event.line: branching for branching in targets.branchings for event in branching.events}
        rows = targets.cohort.targets
        for line, row in rows[rows["use"] == "likelihood"].iterrows():
            kind = counted_as(row.to_dict(), targets.pathway)
            arms = frozenset(targets.cohort.arms.get(row["population"], ()))
            is_size = kind == "patients"
            if kind not in (*COUNTED, "entered", PERCENTAGE) or not arms or (is_size and arms <= sizes):
                continue
            in_table = where(targets.folder, line) in table
            factor: Hashable = "table" if in_table else branchings.get(line) or ("percentage", line)
            of, belongs = (frozenset({EVERYBODY}), arms) if is_size else (arms, nobody)
            yield _Row(int(str(line)), of, belongs, event_of(row, targets.pathway, line), factor)

    def _independent(self, one: _Row, other: _Row) -> bool:
        given = _is_given(one, other) or _is_given(other, one)
        return given or self._exclusive(one.arms, other.arms) or self._settles(one, other) or self._settles(other, one)

    def _settles(self, one: _Row, other: _Row) -> bool:
        """Return whether a row counts all patients of another one, or none of them."""
        if one.belongs:
            return self._part(other.arms, one.belongs) or self._exclusive(other.arms, one.belongs)
        if EVERYBODY in other.arms:
            return False
        groups = [self.targets.pathway.groups[arm] for arm in other.arms]
        order, states = self.order, one.event.states
        none = all(order.exclude(group.entered, states) or set(states) <= set(group.not_entered) for group in groups)
        return none or all(order.inside(Event(group.entered), one.event) for group in groups)

    def _part(self, arms: frozenset[str], others: frozenset[str]) -> bool:
        """Return whether all patients of some arms are of others."""
        return EVERYBODY in others or all(any(self._arm_is_part(arm, other) for other in others) for arm in arms)

    def _arm_is_part(self, arm: str, other: str) -> bool:
        pathway = self.targets.pathway
        return arm == other or (arm != EVERYBODY and is_part(pathway.groups[arm], pathway.groups[other], pathway))

    def _exclusive(self, arms: frozenset[str], others: frozenset[str]) -> bool:
        """Return whether some arms have no patient in common with others."""
        return not any(
            EVERYBODY in pair or self._arm_is_part(*pair) or self._arm_is_part(*pair[::-1])
            for pair in product(arms, others)
        )


def _is_given(one: _Row, other: _Row) -> bool:
    """Return whether a row's events are counted given another row of the same patients."""
    given = one.factor.given if isinstance(one.factor, Branching) and one.arms == other.arms else ()
    return any((event.states, event.month) == (other.event.states, other.event.month) for event in given)


def _in_words(lines: list[int]) -> str:
    """Return "line 3", "lines 5 to 7 and 9"."""
    runs = [list(run) for _, run in groupby(enumerate(lines), key=lambda place: place[1] - place[0])]
    spans = [f"{run[0][1]} to {run[-1][1]}" if len(run) > 1 else f"{run[0][1]}" for run in runs]
    several = "lines" if len(lines) > 1 else "line"
    return f"{several} {' and '.join([', '.join(spans[:-1]), spans[-1]]) if spans[1:] else spans[0]}"
