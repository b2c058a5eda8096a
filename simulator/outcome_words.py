"""Outcomes in words, short enough for a line of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.outcome_months import worded

if TYPE_CHECKING:
    from simulator.pathway import Pathway

WORDS = {
    "os": "alive at {months}, %",
    "median_os": "median survival, months",
    "rmst": "mean survival to month {month}, months",
    "break_even": "must gain for {margin} more alive at {months}, %",
    "draws_with": "draws with at least {margin} more alive at {months}, %",
    "survivors_gained": "survivors at {months} per 10 more treated",
}


def label(outcome: str, pathway: Pathway) -> str:
    """Return an outcome in words: "alive at 12 months, %"."""
    if said := worded(outcome, WORDS):
        return said
    count = pathway.counts.get(outcome)
    if count is None:
        return outcome.replace("_", " ")
    _, per, what = count.unit.partition(" per ")
    return f"{count.label}{per}{what}"


def until(pathway: Pathway, horizon: float) -> str:
    """Return what a table says of its counts: "; counts to month 120", empty where the pathway has none."""
    return f"; counts to month {horizon:g}" if pathway.counts else ""
