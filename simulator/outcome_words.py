"""Outcomes in words, short enough for a line of 80 columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.pathway import Pathway

WORDS = {
    r"os_([\d.]+)": "alive at {} months, %",
    r"median_os": "median survival, months",
    r"rmst_([\d.]+)": "mean survival to month {}, months",
    r"break_even_for_([\d.]+)_more_at_([\d.]+)": "must gain for {} more alive at {} months, %",
    r"draws_with_([\d.]+)_more_at_([\d.]+)": "draws with at least {} more alive at {} months, %",
    r"survivors_([\d.]+)_gained_per_10_more_treated": "survivors at {} months per 10 more treated",
}


def label(outcome: str, pathway: Pathway) -> str:
    """Return an outcome in words: "alive at 12 months, %"."""
    for pattern, words in WORDS.items():
        found = re.fullmatch(pattern, outcome)
        if found:
            return words.format(*found.groups())
    count = pathway.counts.get(outcome)
    if count is None:
        return outcome.replace("_", " ")
    _, per, what = count.unit.partition(" per ")
    return f"{count.label}{per}{what}"
