"""How a number is shown: one rounding for the terminal, the report, the figures and every sentence.

    months : a tenth;   of 100, days : whole from 10 on, a tenth below;   what is counted : a hundredth below 1, too
"""

from __future__ import annotations

import math

NONE = "-"
"""Where there is no number: a median that is not reached, a group that is empty."""


def factor(unit: str) -> float:
    """Return by what a value of a table is multiplied to be shown: probabilities are shown of 100."""
    return 100.0 if unit == "probability" else 1.0


def decimals(value: float, unit: str) -> int:
    """Return the decimals of a value of a table, which the ends of its interval have too."""
    if unit == "months":
        return 1
    size = abs(factor(unit) * value)
    if not math.isfinite(size) or round(size, 1) >= 10.0:
        return 0
    return 1 if unit in ("probability", "%", "days") or round(size, 2) >= 1.0 else 2


def number(value: float, unit: str, *, sign: str = "", end_of: float | None = None) -> str:
    """Return a value of a table as it is shown, a probability of 100; `NONE` where there is none.

    sign : "+" to show it above zero, too; end_of : the estimate, of an end of its interval
    """
    if not math.isfinite(value):
        return NONE
    places = decimals(value if end_of is None else end_of, unit)
    text = f"{factor(unit) * value:{sign}z.{places}f}"
    # What cannot be told from zero has neither a sign nor decimals.
    return "0" if float(text) == 0.0 else text


def interval(
    lower: float, upper: float, unit: str, estimate: float, *, sign: str = ""
) -> tuple[str, str] | None:
    """Return both ends as they are shown beside their estimate; None where no interval can be seen."""
    low, high = (number(each, unit, sign=sign, end_of=estimate) for each in (lower, upper))
    return None if low == high else (low, high)
