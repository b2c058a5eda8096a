"""The months at which outcomes are read off: those that a pathway declares, or half a year, one, two and five years."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from simulator.errors import InputError

MONTHS_A_YEAR = 12.0
_MONTH, _MARGIN = r"(?P<month>[\d.]+)", r"(?P<margin>[\d.]+)"
BY_PRIOR = "_by_the_prior_alone"
"""How outcomes end in which additional patients benefit as the prior of the benefit alone has it."""
KINDS = {
    "os": f"os_{_MONTH}",
    "median_os": "median_os",
    "rmst": f"rmst_{_MONTH}",
    "break_even": f"break_even_for_{_MARGIN}_more_at_{_MONTH}",
    "draws_with": f"draws_with_{_MARGIN}_more_at_{_MONTH}",
    "os_by_prior": f"os_{_MONTH}{BY_PRIOR}",
    "draws_by_prior": f"draws_with_{_MARGIN}_more_at_{_MONTH}{BY_PRIOR}",
    "survivors_gained": f"survivors_{_MONTH}_gained_per_10_more_treated",
}
"""Kind of outcome -> what its names look like."""


@dataclass(frozen=True)
class OutcomeMonths:
    """survival : months at which survival is shown, as they rise; answer : the one of them that the answer is about."""

    survival: tuple[float, ...]
    answer: float

    @property
    def in_order(self) -> tuple[float, ...]:
        """The answer's month, then the others: what answers is the first that the horizon reaches."""
        return (self.answer, *(month for month in self.survival if month != self.answer))

    @property
    def means(self) -> tuple[float, ...]:
        """The months of mean survival and of survivors gained: that of the answer, and the last."""
        return tuple(dict.fromkeys((self.answer, self.survival[-1])))

    @property
    def early(self) -> float:
        """Twice the answer's month: to then curves are drawn large and OS is given by the year of arrival."""
        return 2.0 * self.answer

    @property
    def of_panels(self) -> float:
        """Three times the answer's month: as far as small panels of survival go."""
        return 3.0 * self.answer


UNDECLARED = OutcomeMonths(tuple(MONTHS_A_YEAR * years for years in (0.5, 1.0, 2.0, 5.0)), MONTHS_A_YEAR)
"""Of a pathway that declares no months."""


def outcome_months(declared: Sequence[float] | None, answer: float | None, where: str) -> OutcomeMonths:
    """Return the months that a pathway declares; None: `UNDECLARED`. Raises InputError naming `where`.

    answer : the month of the answer; None: the middle one, of an even number the lower
    """
    if declared is not None and not declared:
        allowed = f"one or more; without the key {', '.join(map(written, UNDECLARED.survival))}"
        raise InputError("no month", where=f"{where}: survival_months", got=declared, allowed=allowed)
    months = UNDECLARED.survival if declared is None else tuple(sorted(declared))
    if months[0] <= 0.0:
        raise InputError("no month", where=f"{where}: survival_months", got=months[0], allowed="months above 0")
    if len({written(month) for month in months}) < len(months):
        raise InputError(
            "a month is listed twice", where=f"{where}: survival_months", got=list(months), allowed="each once"
        )
    if answer is None:
        answer = months[(len(months) - 1) // 2]
    elif answer not in months:
        allowed = f"one of survival_months: {', '.join(map(written, months))}"
        what = "survival is not shown at this month"
        raise InputError(what, where=f"{where}: answer_month", got=answer, allowed=allowed)
    return OutcomeMonths(months, answer)


def written(month: float) -> str:
    """Return a month as it is written in an outcome's name: "12", "0.5"."""
    return f"{month:g}"


def alive_at(month: float) -> str:
    """Return the outcome's name: "os_12"."""
    return f"os_{written(month)}"


def mean_to(month: float) -> str:
    """Return the outcome's name: "rmst_12"."""
    return f"rmst_{written(month)}"


def in_words(month: float | str) -> str:
    """Return "1 month", "12 months"."""
    return f"{float(month):g} month{'' if float(month) == 1.0 else 's'}"


def kind_of(outcome: str) -> str | None:
    """Return the kind in `KINDS` of an outcome's name; None where it is none of them."""
    return next((kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, outcome)), None)


def worded(outcome: str, words: Mapping[str, str]) -> str | None:
    """Return an outcome in the words of its kind; None where there are none.

    words : kind of `KINDS` -> words, with `{month}`, `{margin}`, and `{months}` for "12 months"
    """
    for kind, pattern in KINDS.items():
        if (match := re.fullmatch(pattern, outcome)) and kind in words:
            groups = match.groupdict()
            return words[kind].format(**groups, months=in_words(groups.get("month", 0)))
    return None


def names(months: Iterable[float]) -> list[str]:
    """Return the names of survival at some months, in their order."""
    return [alive_at(month) for month in months]
