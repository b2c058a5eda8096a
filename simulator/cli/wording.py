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
WHOLE = ("probability", "%", "patients")
"""Units whose numbers are told without decimals."""

Row = Mapping[Any, Any]


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


def estimate(row: Row) -> str:
    """Return "34 (25-44)"; "-" where there is nothing, and no interval where there is one draw."""
    return _told(row["estimate"], row["lower"], row["upper"], row["unit"], sign="")


def difference(row: Row) -> str:
    """Return "+26 (12-38)" or "+2 (-1 to 5)"; empty where nothing is compared."""
    if not math.isfinite(row["difference"]):
        return ""
    lower, upper = row["difference_lower"], row["difference_upper"]
    return _told(row["difference"], lower, upper, row["unit"], sign="+")


def difference_alone(row: Row) -> str:
    """Return "+26", without its interval."""
    return difference({**row, "difference_lower": math.nan, "difference_upper": math.nan})


def _told(value: float, lower: float, upper: float, unit: str, *, sign: str) -> str:
    if not math.isfinite(value):
        return "-"
    scale = 100.0 if unit == "probability" else 1.0
    # The interval has as many decimals as its estimate. z: what rounds to zero has no minus.
    form = "z.0f" if unit in WHOLE or abs(value) >= 10 else "z.1f"
    told = f"{scale * value:{sign}{form}}"
    if math.isfinite(lower) and not math.isfinite(upper):
        # A median that is not reached in some draws has no upper end.
        return f"{told} ({scale * lower:{form}} or more)"
    if not lower < upper:
        return told
    between = " to " if lower < 0 else "-"
    return f"{told} ({scale * lower:{form}}{between}{scale * upper:{form}})"


def reported(row: Row) -> str:
    """Return a reported figure as printed: "63 % (5 of 8)", "17 of 37", "10.3 months (n = 37)"."""
    counted = math.isfinite(row["count"])
    of = f"{row['count']:.0f} of {row['n']:.0f}" if counted else f"n = {row['n']:.0f}"
    if row["unit"] == "patients" and counted:
        return of
    figure = f"{math.floor(row['reported'] + 0.5)}" if row["unit"] in WHOLE else f"{row['reported']:.1f}"
    return f"{figure} {row['unit']} ({of})"
