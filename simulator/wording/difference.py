"""A difference between scenarios in words, and whether it is clear."""

from __future__ import annotations

import math
from typing import NamedTuple

from simulator.wording import rounding
from simulator.wording.intervals import Row

EQUAL = "as many"
AGREED = 0.9
"""Share of the parameter sets that agree on the sign of a clear difference, if its 95 % interval contains 0."""


class Difference(NamedTuple):
    """A difference, its 95 % interval, and the share of the parameter sets with its sign. unit : of the table"""

    value: float
    lower: float = math.nan
    upper: float = math.nan
    same_sign: float = math.nan
    unit: str = "probability"

    @classmethod
    def of_row(cls, row: Row) -> Difference:
        """Return the difference of a row of outcomes."""
        value, lower, upper = (row[f"difference{part}"] for part in ("", "_lower", "_upper"))
        # Runs of earlier versions have no such column.
        return cls(value, lower, upper, row.get("difference_same_sign", math.nan))

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves 0 out, or the parameter sets agree on the sign; of one of them, always.

        Simulation noise that hides the interval makes the sets disagree. One set has neither an interval nor a share;
        an interval that contains 0 next to an unknown share is not clear.
        """
        if math.isnan(self.same_sign):
            return not self._may_be_0 or math.isnan(self.lower)
        return not self._may_be_0 or self.same_sign >= AGREED

    @property
    def _may_be_0(self) -> bool:
        """Whether the interval contains 0, or is not known."""
        return not (self.lower > 0.0 or self.upper < 0.0)

    @property
    def more_or_fewer(self) -> str:
        """The difference, of probabilities per 100 patients: "26 more", "2.1 fewer", "as many"."""
        number = rounding.number(self.value, self.unit)
        return EQUAL if number == "0" else f"{number.removeprefix(rounding.MINUS)} {self._direction}"

    @property
    def _direction(self) -> str:
        return "more" if self.value > 0 else "fewer"

    def __str__(self) -> str:
        """Return "26 more (95 % interval 12 to 38)", or "no clear difference (1.0 fewer; 95 % interval ...)"."""
        if self.is_clear:
            return self.words
        return f"no clear difference ({'; '.join(filter(None, [self.more_or_fewer, self.details]))})"

    @property
    def words(self) -> str:
        """The difference as a sentence states it that is led by whether it is clear: see `lead`.

        "26 more (95 % interval 12 to 38)"; an interval across zero names both directions. Where it is not clear: "1.0
        fewer (95 % interval 9.0 fewer to 7.0 more; fewer in 58 of 100 parameter sets)". The share stands wherever it
        decides, so that readers see why a difference is clear.
        """
        return self.more_or_fewer + self.in_brackets

    @property
    def in_brackets(self) -> str:
        """The details as they follow the difference, after a space; empty where there are none."""
        return f" ({self.details})" if self.details else ""

    @property
    def details(self) -> str:
        """The interval, if it can be seen, and how many parameter sets agree on the sign, if that decides."""
        decides = self._may_be_0 and (self.interval or math.isnan(self.lower))
        interval = self.interval and f"95 % interval {self.interval}"
        return "; ".join(filter(None, [interval, self._agreed if decides else ""]))

    @property
    def _agreed(self) -> str:
        """How many parameter sets have the sign of their mean, which a few may decide; empty where it is not known."""
        if math.isnan(self.same_sign):
            return ""
        sets = f"{rounding.number(self.same_sign, 'probability')} of 100 parameter sets"
        if self.same_sign < 0.5 and self.more_or_fewer != EQUAL:
            return f"{self._direction} on average, but in only {sets}"
        return f"{self._direction} in {sets}"

    @property
    def interval(self) -> str:
        """The ends of the interval; empty where none can be seen."""
        ends = rounding.interval(self.lower, self.upper, self.unit, self.value)
        if ends is None:
            return ""
        lower, upper = (end.removeprefix(rounding.MINUS) for end in ends)
        if self.lower < 0.0 < self.upper and "0" not in ends:
            return f"{lower} fewer to {upper} more"
        if self.more_or_fewer == EQUAL:
            return f"0 to {f'{lower} fewer' if upper == '0' else f'{upper} more'}"
        low, high = sorted((lower, upper), key=float)
        return f"{low} to {high}"

    def led(self, words: str) -> str:
        """Return words of a title that have the difference, led by that it is not clear where it is not."""
        return words if self.is_clear else f"no clear difference, {words}"

    def lead(self, sentence: str) -> str:
        """Return a sentence that has the difference, led by that it is not clear where it is not."""
        return sentence if self.is_clear else f"No clear difference: {sentence[0].lower()}{sentence[1:]}"
