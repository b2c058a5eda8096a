"""Numbers in words, short enough for a line of 80 columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from simulator.answer import around, told_difference

WHOLE = ("probability", "%", "patients")
"""Units whose numbers are told without decimals."""

Row = Mapping[Any, Any]


def estimate(row: Row) -> str:
    """Return "34 (25-44)"; "-" where there is nothing, and no interval where there is one draw."""
    value, lower, upper = (_scale(row) * row[each] for each in ("estimate", "lower", "upper"))
    return _told(value, lower, upper, _decimals(row), sign="")


def difference(row: Row, before: Row) -> str:
    """Return "+26 (12-38)" or "+2 (-1 to 5)", what the estimates told are apart; empty where nothing is compared."""
    if not math.isfinite(row["difference"]):
        return ""
    scale, decimals = _scale(row), min(_decimals(row), _decimals(before))
    told = told_difference(scale * row["estimate"], scale * before["estimate"], scale * row["difference"], decimals)
    lower, upper = around(told, scale * row["difference_lower"], scale * row["difference_upper"], decimals)
    return _told(told, lower, upper, decimals, sign="+")


def difference_alone(row: Row, before: Row) -> str:
    """Return "+26", without its interval."""
    return difference({**row, "difference_lower": math.nan, "difference_upper": math.nan}, before)


def difference_told(row: Row) -> str:
    """Return "+18 (-2 to 38)" of a row whose estimate is itself a difference."""
    value, *ends = (_scale(row) * row[each] for each in ("estimate", "lower", "upper"))
    return _told(value, *around(round(value), *ends), 0, sign="+") if math.isfinite(value) else "-"


def _decimals(row: Row) -> int:
    """Return the decimals of an estimate, which its interval has too."""
    return 0 if row["unit"] in WHOLE or abs(row["estimate"]) >= 10 else 1


def _scale(row: Row) -> float:
    return 100.0 if row["unit"] == "probability" else 1.0


def _told(value: float, lower: float, upper: float, decimals: int, *, sign: str) -> str:
    if not math.isfinite(value):
        return "-"
    # z: what rounds to zero has no minus.
    form = f"z.{decimals}f"
    told = f"{value:{sign}{form}}"
    if math.isfinite(lower) and not math.isfinite(upper):
        # A median that is not reached in some draws has no upper end.
        return f"{told} ({lower:{form}} or more)"
    if not lower < upper:
        return told
    between = " to " if lower < 0 else "-"
    return f"{told} ({lower:{form}}{between}{upper:{form}})"


def reported(row: Row) -> str:
    """Return a reported figure as printed: "63 % (5 of 8)", "17 of 37", "10.3 months (n = 37)"."""
    counted = math.isfinite(row["count"])
    of = f"{row['count']:.0f} of {row['n']:.0f}" if counted else f"n = {row['n']:.0f}"
    if row["unit"] == "patients" and counted:
        return of
    figure = f"{math.floor(row['reported'] + 0.5)}" if row["unit"] in WHOLE else f"{row['reported']:.1f}"
    return f"{figure} {row['unit']} ({of})"
