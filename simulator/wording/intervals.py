"""Estimates with their intervals, short enough for a line of 80 columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from simulator.wording import rounding

Row = Mapping[Any, Any]
"""A row of a table, by column."""


def estimate(row: Row, *, sign: str = "") -> str:
    """Return "34 (25-44)"; "-" without an estimate, and no interval with one draw."""
    return with_interval(row["estimate"], row["lower"], row["upper"], row["unit"], sign=sign)


def difference(row: Row) -> str:
    """Return "+26 (12-38)" or "+2.1 (-1.3 to 5.2)" from the table; empty where nothing is compared."""
    value, lower, upper = (row[column] for column in ("difference", "difference_lower", "difference_upper"))
    return with_interval(value, lower, upper, row["unit"], sign="+") if math.isfinite(value) else ""


def difference_alone(row: Row) -> str:
    """Return "+26", without its interval."""
    return difference({**row, "difference_lower": math.nan, "difference_upper": math.nan})


def with_interval(value: float, lower: float, upper: float, unit: str, *, sign: str = "") -> str:
    """Return a value of a table with its interval, both rounded for display."""
    text = rounding.number(value, unit, sign=sign)
    ends = None if text == rounding.NONE else rounding.interval(lower, upper, unit, value)
    if ends is None:
        return text
    if ends[1] == rounding.NONE:
        # If some draws do not reach the median, the interval has no upper end.
        return f"{text} ({ends[0]} or more)"
    return f"{text} ({ends[0]}{' to ' if ends[0].startswith('-') else '-'}{ends[1]})"


def over_draws(draws: int) -> str:
    """Return the end of a heading: "; 95 % intervals over 1000 parameter sets"."""
    return f"; 95 % intervals over {draws} parameter sets" if draws > 1 else "; one parameter set, so no intervals"


def in_brackets(lower: float, upper: float, unit: str, estimate: float, *, sign: str = "") -> str:
    """Return " (95 % interval 12 to 38)"; empty where no interval can be seen."""
    ends = rounding.interval(lower, upper, unit, estimate, sign=sign)
    return "" if ends is None else f" (95 % interval {ends[0]} to {ends[1]})"


def reported(row: Row) -> str:
    """Return a reported figure as printed: "63 % (5 of 8)", "17 of 40", "10.3 months (n = 40)"; "45 %" without n."""
    counted = math.isfinite(row["count"])
    size = f"n = {row['n']:.0f}" if math.isfinite(row["n"]) else ""
    of = f"{row['count']:.0f} of {row['n']:.0f}" if counted else size
    if row["unit"] == "patients" and counted:
        return of
    # Papers print whole percents, and round a half upwards.
    value = math.floor(row["reported"] + 0.5) if row["unit"] == "%" else row["reported"]
    figure = f"{value}" if row["unit"] == "%" else rounding.number(value, row["unit"])
    return f"{figure} {row['unit']}{of and f' ({of})'}"
