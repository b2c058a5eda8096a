"""The answer in a sentence or two: how many more are alive. Terminal and report say the same words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from simulator.scenario import Scenario

MONTHS = (12, 6, 24, 60)
"""The OS that answers, in this order: the first that the horizon reaches."""

Row = Mapping[Any, Any]


class _NoSurvival(LookupError):
    """The table has no OS at any of `MONTHS`: a short horizon, or a clock that nobody starts."""


def answer(outcomes: pd.DataFrame, scenarios: Sequence[Scenario]) -> str:
    """Return the plain-language answer of a run, for `all` patients.

    outcomes : the run's outcomes table (scenario, clock, population, outcome, estimate, lower, upper, ...)
    scenarios : as shown, NAME and NAME@0.5 apart; the first is the one that the others are compared with
    """
    first, *others = policies(scenarios)
    try:
        if not others:
            return " ".join(_alone(outcomes, each, first[0]) for each in first)
        return " ".join(_compared(outcomes, each, policy[0], first[0]) for policy in others for each in policy)
    except _NoSurvival:
        return f"No overall survival to tell: that takes a horizon of {min(MONTHS)} months, and patients."


def policies(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    """Return the scenarios by policy: NAME and NAME@0.5 are one, told for two marginal benefits."""
    together: dict[str, list[Scenario]] = {}
    for each in scenarios:
        together.setdefault(each.name.partition("@")[0], []).append(each)
    return list(together.values())


def _alone(outcomes: pd.DataFrame, scenario: Scenario, first: Scenario) -> str:
    clock = first.leads_with or first.pathway.clock
    month, row = _os(outcomes, scenario, clock)
    alive = f"{_per_100(row['estimate'])}{_interval(row['lower'], row['upper'])}"
    if scenario is not first:
        return f"{_if_others_gain(scenario)}, {alive}."
    return f"{_who(scenario)}, {alive} are alive {_when(scenario, clock, month)} under {scenario.name}."


def _compared(outcomes: pd.DataFrame, scenario: Scenario, told_first: Scenario, first: Scenario) -> str:
    default = scenario.pathway.clock
    clock = scenario.leads_with or default
    month, row = _os(outcomes, scenario, clock)
    if scenario is not told_first:
        return f"{_if_others_gain(scenario)}, {_difference(row)}."
    before = _per_100(_os(outcomes, first, clock)[1]["estimate"])
    sentence = (
        f"{_who(scenario)}, {_difference(row)} {_are(row)} alive {_when(scenario, clock, month)} "
        f"under {scenario.name}: {_per_100(row['estimate'])} instead of {before} under {first.name}."
    )
    if clock != default:
        month, row = _os(outcomes, scenario, default)
        sentence += f" At {month} months after {default}, {_difference(row)}."
    return sentence


def _os(outcomes: pd.DataFrame, scenario: Scenario, clock: str) -> tuple[int, Row]:
    """Return the month that answers, and its row of the table."""
    of_all = (outcomes["clock"] == clock) & (outcomes["population"] == "all")
    table = outcomes[of_all & (outcomes["scenario"] == scenario.name)]
    rows = {row["outcome"]: row for row in table.to_dict("records")}
    for month in MONTHS:
        row = rows.get(f"os_{month}")
        if row is not None and math.isfinite(row["estimate"]):
            return month, row
    raise _NoSurvival(scenario.name, clock)


def _who(scenario: Scenario) -> str:
    return "Of 100 patients who relapse" if scenario.pathway.clock == "relapse" else "Of 100 patients"


def _when(scenario: Scenario, clock: str, month: int) -> str:
    return f"at {month} months" if clock == scenario.pathway.clock else f"{month} months after {clock}"


def _if_others_gain(scenario: Scenario) -> str:
    benefit = scenario.marginal_benefit
    share = {0.0: "none", 0.5: "only half", 1.0: "all"}.get(benefit, f"{100 * benefit:.0f} %")
    return f"If {share} of those whom it treats in addition gain from it (an assumption)"


def _are(row: Row) -> str:
    return "is" if abs(round(100 * row["difference"])) == 1 else "are"


def _per_100(probability: float) -> str:
    return f"{abs(round(100 * probability))}"


def _interval(lower: float, upper: float) -> str:
    """Return the 95 % interval in words; nothing where there is one draw only."""
    return f" (95 % interval {_per_100(lower)} to {_per_100(upper)})" if lower < upper else ""


def _difference(row: Row) -> str:
    """Return "26 more (95 % interval 12 to 38)"; an interval across zero names both directions."""
    if not math.isfinite(row["difference"]):
        raise _NoSurvival(row["scenario"])
    more = round(100 * row["difference"])
    words = "as many" if more == 0 else f"{abs(more)} {'more' if more > 0 else 'fewer'}"
    if not row["difference_lower"] < row["difference_upper"]:
        return words
    lower, upper = (round(100 * row[f"difference_{end}"]) for end in ("lower", "upper"))
    if lower == upper:
        return words
    if lower < 0 < upper or more == 0:
        return f"{words} (95 % interval {-lower} fewer to {upper} more)"
    least, most = sorted((abs(lower), abs(upper)))
    return f"{words} (95 % interval {least} to {most})"
