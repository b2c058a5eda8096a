"""Outcomes and numbers in words, short enough for a line of 80 columns."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.pathway import Pathway

WORDS = {
    r"os_(\d+)": "alive at {} months, %",
    r"median_os": "median survival, months",
    r"rmst_(\d+)": "mean survival to month {}, months",
    r"survivors_(\d+)_gained_per_10_more_treated": "survivors at {} months per 10 more treated",
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


def number(value: float, unit: str, sign: str = "") -> str:
    """Return a number as read: a probability per 100, months to a tenth; "-" where there is none.

    sign : "+" to show it on what is not negative too
    """
    if not math.isfinite(value):
        return "-"
    shown = 100 * value if unit == "probability" else value
    places = 0 if unit in ("probability", "%") or (abs(shown) >= 20 and unit != "months") else 1
    # z: what rounds to zero has no sign to its left.
    return f"{shown:{sign}z.{places}f}"


def estimate(row: Mapping[Any, Any]) -> str:
    """Return "34 (25-44)"; without an interval where there is one draw."""
    told = number(row["estimate"], row["unit"])
    if not row["lower"] < row["upper"]:
        return told
    lower, upper = (number(row[end], row["unit"]) for end in ("lower", "upper"))
    return f"{told} ({lower}-{upper})"


def difference(row: Mapping[Any, Any]) -> str:
    """Return "+26 (12 to 38)"; empty where nothing is compared."""
    if not math.isfinite(row["difference"]):
        return ""
    told = number(row["difference"], row["unit"], "+")
    if not row["difference_lower"] < row["difference_upper"]:
        return told
    lower, upper = (number(row[f"difference_{end}"], row["unit"]) for end in ("lower", "upper"))
    return f"{told} ({lower} to {upper})"
