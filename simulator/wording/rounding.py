"""One rounding and one spelling of numbers for the terminal, the report, the figures and every sentence.

months : a tenth;   per 100, days : whole from 10 on, a tenth below;   counts : a hundredth below 1, too
Only CSV and JSON have a hyphen for a minus.
"""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
"""For a missing number: a median that is not reached, a group that is empty."""


def factor(unit: str) -> float:
    """Return the factor from a table's value to its display: probabilities are displayed per 100."""
    return 100.0 if unit == "probability" else 1.0


def decimals(value: float, unit: str) -> int:
    """Return the decimals of a table's value and of the ends of its interval."""
    if unit == "months":
        return 1
    size = abs(factor(unit) * value)
    if not math.isfinite(size) or round(size, 1) >= 10.0:
        return 0
    return 1 if unit in ("probability", "%", "days") or round(size, 2) >= 1.0 else 2


def number(value: float, unit: str, *, sign: str = "", end_of: float | None = None) -> str:
    """Return a table's value rounded, a probability per 100; `NONE` for a missing value.

    sign : "+" marks positive values; end_of : the estimate, if the value is an end of its interval
    """
    return fixed(factor(unit) * value, decimals(value if end_of is None else end_of, unit), sign=sign)


def fixed(value: float, places: int, *, sign: str = "") -> str:
    """Return a number as displayed, with so many decimals; `NONE` for a missing value. sign : see `number`"""
    if not math.isfinite(value):
        return NONE
    text = f"{value:{sign}z.{places}f}"
    # A value that rounds to zero has neither a sign nor decimals.
    return "0" if float(text) == 0.0 else text.replace("-", MINUS)


def interval(lower: float, upper: float, unit: str, estimate: float, *, sign: str = "") -> tuple[str, str] | None:
    """Return both ends, rounded like their estimate; None where no interval can be seen."""
    low, high = (number(end, unit, sign=sign, end_of=estimate) for end in (lower, upper))
    return None if low == high else (low, high)
