"""Rows of the same patients that enter the likelihood as if they were independent: said, never silent.

Two rows are independent given how many they are of if they have no patient in common, or if all patients of one row
(or none) are counted by the other: 6 of the 11 who responded, next to 11 of 18 who did.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, groupby

import pandas as pd

from calibration.likelihood.branchings import Branching, Event, Order
from calibration.likelihood.targets import Targets, event_of
from calibration.reported.consistency import where
from calibration.reported.kinds import COUNTED, PERCENTAGE, counted_as
from simulator.engines.model import resolve
from simulator.pathway.pathway import is_part

EVERYBODY = "all"


@dataclass(frozen=True)
class _Row:
    """A fitted row. arms : of whose patients; belongs : the arms whose size it counts; factor : of the likelihood."""

    line: int
    arms: frozenset[str]
    belongs: frozenset[str]
    event: Event
    factor: Hashable


@dataclass(frozen=True)
class SamePatients:
    """What the fitted rows of a cohort have in common."""

    targets: Targets

    @cached_property
    def order(self) -> Order:
        ways = {name: [to for _, to in each] for name, each in resolve(self.targets.scenario).open_ways}
        return Order(self.targets.pathway.clock_state, ways)

    def sentences(self) -> list[str]:
        """Return a sentence for each set of rows that share patients and enter as if they did not."""
        together: list[set[_Row]] = []
        advice: dict[Hashable, str] = {}
        for one, other in combinations(self._rows(), 2):
            if one.factor == other.factor or self._independent(one, other):
                continue
            for row, sizes in ((one, other), (other, one)):
                if group := self._group_of(row, sizes):
                    advice[row.factor] = f"count line {row.line} among the {group} whom line {sizes.line} counts"
            # One factor may count several arms, whose rows share no patients.
            pair = {(each.factor, each.arms) for each in (one, other)}
            linked = [rows for rows in together if any((row.factor, row.arms) in pair for row in rows)]
            together = [rows for rows in together if rows not in linked]
            together.append({one, other}.union(*linked))
        return [self._sentence(rows, advice) for rows in together]

    def _sentence(self, rows: set[_Row], advice: dict[Hashable, str]) -> str:
        factors = {row.factor for row in rows}
        lines = sorted(sorted(row.line for row in rows if row.factor == factor) for factor in factors)
        named = [_in_words(line) for line in lines]
        # Of several rows together, it may not do to count one otherwise.
        pair = [advice[factor] for factor in factors if factor in advice] if len(rows) == 2 else []
        instead = "".join(f", or {each} (its name as `population`, its size as `n`)" for each in pair)
        return (
            f"{self.targets.folder / 'targets.csv'}: {', '.join(named[:-1])} and {named[-1]} count the same patients, "
            "but enter the fit as if they were independent, so that its intervals may be wrong. Give "
            f'{"one of them" if len(lines) == 2 else "all but one of them"} use = "predictive"{instead}.'
        )

    def _group_of(self, row: _Row, sizes: _Row) -> str | None:
        """Return the group that holds all patients of a row of who `entered`, and whose size another row counts."""
        if not isinstance(row.factor, Branching) or row.belongs:
            return None
        for name, group in self.targets.pathway.groups.items():
            held = not group.not_entered and self.order.inside(row.event, Event(group.entered))
            if held and sizes.belongs == {name} and name in self.targets.cohort.arms:
                return name
        return None

    def _rows(self) -> Iterator[_Row]:
        targets = self.targets
        table = {equation.where for equation in targets.tables.equations} if targets.tables else set()
        rows = targets.cohort.targets
        for line, row in rows[rows["use"] == "likelihood"].iterrows():
            kind = counted_as(row.to_dict(), targets.pathway)
            arms = frozenset(targets.cohort.arms.get(row["population"], ()))
            if kind not in (*COUNTED, "entered", PERCENTAGE) or not arms:
                continue
            event = event_of(row, targets.pathway, line)
            sizes = kind == "patients"
            if sizes and targets.sizes and arms <= {cell.arm for cell in targets.sizes.cells}:
                continue
            in_table = where(targets.folder, line) in table
            factor: Hashable = "table" if in_table else self._branching(row, line) or ("percentage", line)
            yield _Row(
                int(str(line)), frozenset({EVERYBODY}) if sizes else arms, arms if sizes else frozenset(), event, factor
            )

    def _branching(self, row: pd.Series, line: object) -> Branching | None:
        found = (
            branching for branching in self.targets.branchings if any(event.line == line for event in branching.events)
        )
        return next(found, None)

    def _independent(self, one: _Row, other: _Row) -> bool:
        given = _is_given(one, other) or _is_given(other, one)
        return given or self._apart(one.arms, other.arms) or self._settles(one, other) or self._settles(other, one)

    def _settles(self, one: _Row, other: _Row) -> bool:
        """Return whether a row counts all patients of another one, or none of them."""
        if one.belongs:
            return self._part(other.arms, one.belongs) or self._apart(other.arms, one.belongs)
        groups = [self.targets.pathway.groups[arm] for arm in other.arms if arm != EVERYBODY]
        if len(groups) < len(other.arms):
            return False
        states = one.event.states
        every = all(self.order.inside(Event(group.entered), one.event) for group in groups)
        none = all(
            self.order.exclude(group.entered, states) or set(states) <= set(group.not_entered) for group in groups
        )
        return every or none

    def _part(self, arms: frozenset[str], others: frozenset[str]) -> bool:
        """Return whether all patients of some arms are of others."""
        return EVERYBODY in others or all(any(self._arm_is_part(arm, other) for other in others) for arm in arms)

    def _arm_is_part(self, arm: str, other: str) -> bool:
        pathway = self.targets.pathway
        return arm == other or (arm != EVERYBODY and is_part(pathway.groups[arm], pathway.groups[other], pathway))

    def _apart(self, arms: frozenset[str], others: frozenset[str]) -> bool:
        """Return whether some arms have no patient in common with others."""
        return not any(
            EVERYBODY in (arm, other) or self._arm_is_part(arm, other) or self._arm_is_part(other, arm)
            for arm in arms
            for other in others
        )


def _is_given(one: _Row, other: _Row) -> bool:
    """Return whether a row's events are counted given another row of the same patients."""
    given = one.factor.given if isinstance(one.factor, Branching) and one.arms == other.arms else ()
    return any((each.states, each.month) == (other.event.states, other.event.month) for each in given)


def _in_words(lines: list[int]) -> str:
    """Return "line 3", "lines 5 to 7 and 9"."""
    runs = [list(run) for _, run in groupby(enumerate(lines), key=lambda each: each[1] - each[0])]
    spans = [f"{run[0][1]} to {run[-1][1]}" if len(run) > 1 else f"{run[0][1]}" for run in runs]
    several = "lines" if len(lines) > 1 else "line"
    return f"{several} {' and '.join([', '.join(spans[:-1]), spans[-1]]) if spans[1:] else spans[0]}"
