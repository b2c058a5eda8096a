"""Outcomes in words, short enough for a line of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.pathway.outcome_months import KINDS, worded, written

if TYPE_CHECKING:
    from simulator.pathway.pathway import Pathway

WORDS = {
    "os": "alive at {months}, %",
    "median_os": "median survival, months",
    "rmst": "mean survival to month {month}, months",
    "break_even": "share that must benefit for {margin} more alive at {months}, %",
    "draws_with": "probability of at least {margin} more alive at {months}, %",
    "os_by_prior": "alive at {months} by the prior of the benefit alone, %",
    "draws_by_prior": "probability of at least {margin} more alive at {months} by the prior of the benefit alone, %",
    "survivors_gained": "additional survivors at {months} per 10 more treated",
}


def label(outcome: str, pathway: Pathway) -> str:
    """Return an outcome in words: "alive at 12 months, %", "courses per 100 patients"."""
    return with_unit(*words_and_unit(outcome, pathway))


def words_and_unit(outcome: str, pathway: Pathway) -> tuple[str, str]:
    """Return an outcome in words, and the unit of its display: ("courses", "per 100 patients")."""
    if described := pathway.end_point_outcomes.get(outcome):
        return described.words, described.display
    if text := worded(outcome, WORDS):
        words, _, unit = text.partition(", ")
        return words, unit
    count = pathway.counts.get(outcome)
    if count is None:
        return outcome.replace("_", " "), ""
    _, per, patients = count.unit.rpartition("per ")
    return count.label, per + patients


def with_unit(words: str, unit: str) -> str:
    """Return words with the unit of their numbers; empty units have no comma."""
    return f"{words} {unit}" if unit.startswith("per ") else f"{words}, {unit}" if unit else words


WHOLE_STAYS = "whole stays"
"""The follow-up of waits and of use, which no horizon ends."""


def follow_up(outcome: str, horizon: float, pathway: Pathway | None = None) -> str:
    """Return the follow-up of an outcome: "to month 12" from its name, or "to month 120"."""
    described = pathway and pathway.end_point_outcomes.get(outcome)
    if described and described.month is not None:
        return f"to month {written(described.month)}"
    kinds = {kind: "to month {month}" for kind, pattern in KINDS.items() if "<month>" in pattern}
    return worded(outcome, kinds) or f"to month {horizon:g}"


def until(pathway: Pathway, horizon: float) -> str:
    """Return a table's note on counts: "; counts to month 120"; empty where the pathway has none."""
    return f"; counts to month {horizon:g}" if pathway.counts else ""
