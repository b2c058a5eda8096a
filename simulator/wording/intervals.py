"""Estimates with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Any

from simulator.outcomes.uncertainty import FEWEST
from simulator.wording import rounding

Row = Mapping[Any, Any]
"""A row of a table, by column."""

MORE_THAN_ALL = "more than all"
"""Instead of a share of patients above 1."""


@dataclass(frozen=True)
class Estimate:
    """A number as displayed: rounded, with its unit, the ends of its interval, and its Monte Carlo error."""

    value: str
    ends: tuple[str, str] | None = None
    error: str = ""
    unit: str = ""

    def __str__(self) -> str:
        """Return "34 % (25 to 44)", "4.1 (2.5 to 5.7) \N{PLUS-MINUS SIGN} 0.15", in one line."""
        return " ".join(filter(None, [self.value, self.unit, self.interval])) + self._error

    @property
    def lines(self) -> str:
        """The value with its error, and its interval in a line below."""
        return f"{self.value}{self._error}{f'{chr(10)}{self.interval}' if self.interval else ''}"

    @property
    def narrow_lines(self) -> str:
        """As `lines`, with the interval without brackets and the error in a line of its own."""
        parts = (self.value, self._error.strip(), self.interval.strip("()"))
        return "\n".join(filter(None, parts))

    @property
    def interval(self) -> str:
        """The interval in brackets; without an upper end if some parameter sets do not reach the median."""
        if self.ends is None or self.value == rounding.NONE:
            return ""
        lower, upper = self.ends
        return f"({lower} or more)" if upper == rounding.NONE else f"({lower} to {upper})"

    @property
    def _error(self) -> str:
        return f" \N{PLUS-MINUS SIGN} {self.error}" if self.error else ""


def rounded(value: float, lower: float, upper: float, unit: str, *, sign: str = "") -> Estimate:
    """Return a value of a table with its interval, both rounded for display; no interval where none can be seen."""
    return Estimate(rounding.number(value, unit, sign=sign), rounding.interval(lower, upper, unit, value))


def estimate(row: Row) -> Estimate:
    """Return the estimate of a row with its interval; of patients who must benefit, between none and all."""
    value, lower, upper, unit = (row[column] for column in ("estimate", "lower", "upper", "unit"))
    if not str(row.get("outcome", "")).startswith("break_even"):
        return rounded(value, lower, upper, unit)
    share = rounded(value, max(lower, 0.0), upper, unit)
    if share.ends is None or not upper > 1.0:
        return share
    return replace(share, ends=(share.ends[0], MORE_THAN_ALL))


def error(row: Row) -> str:
    """Return the Monte Carlo error of a row in two digits; empty where it is not known."""
    return f"{row['monte_carlo_se']:.2g}" if math.isfinite(row["monte_carlo_se"]) else ""


def with_error(row: Row) -> Estimate:
    """Return the estimate of a row with its interval and its Monte Carlo error."""
    return replace(estimate(row), error=error(row))


def difference(row: Row) -> Estimate | str:
    """Return "+26 (12 to 38)", the difference of a row with its interval; empty where nothing is compared."""
    value, lower, upper = (row[column] for column in ("difference", "difference_lower", "difference_upper"))
    return rounded(value, lower, upper, row["unit"], sign="+") if math.isfinite(value) else ""


def in_brief(row: Row) -> Estimate | str:
    """Return "+26", the difference without its interval; "75", the estimate, of an outcome that has no difference."""
    alone = {**row, **dict.fromkeys(("lower", "upper", "difference_lower", "difference_upper"), math.nan)}
    has_difference = math.isfinite(row["difference"]) or not math.isfinite(row["estimate"])
    return difference(alone) if has_difference else estimate(alone)


def over_draws(draws: int) -> str:
    """Return the end of a heading: "; 95 % intervals over 1000 parameter sets"."""
    return f"; 95 % intervals over {draws} parameter sets" if draws > 1 else "; one parameter set, so no intervals"


def sets(draws: int) -> str:
    """Return what an interval is over: "the parameter sets"; "2 parameter sets only", of too few for its ends."""
    return "the parameter sets" if draws >= FEWEST else f"{draws} parameter sets only"


def unseen(draws: int, replications: int = 0) -> str:
    """Return that no interval is shown, and why. replications : if there are any"""
    few = "One replication" if replications == 1 else "Too few runs"
    return f"{'One parameter set' if draws == 1 else few}: uncertainty is not shown."


def kinds() -> Iterator[str]:
    """Yield what a sentence calls its intervals: the first is named, whichever number has one."""
    return chain(["95 % interval "], repeat(""))


def in_brackets(lower: float, upper: float, unit: str, estimate: float, *, sign: str = "", of: str = "") -> str:
    """Return " (95 % interval 12 to 38)"; empty where no interval can be seen. of : what varies, " of noise" """
    ends = rounding.interval(lower, upper, unit, estimate, sign=sign)
    return "" if ends is None else f" (95 % interval{of} {ends[0]} to {ends[1]})"
