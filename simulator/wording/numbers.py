"""Outcomes, reported figures and numbers in words, for the page."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

from simulator.pathway.outcome_months import worded
from simulator.pathway.pathway import Pathway
from simulator.wording import rounding

_OUTCOMES = {
    "os": "Alive at {months}",
    "median_os": "Median survival",
    "rmst": "Mean survival within {months}",
    "break_even": "Must gain for {margin} more alive at {months}",
    "draws_with": "Draws with at least {margin} more alive at {months}",
    "survivors_gained": "Survivors at {months} gained per 10 more treated",
}
_SHOWN = {"probability": "%", "survivors": ""}
"""Unit -> what numbers of it are shown in; others as they are."""

Row = Mapping[Hashable, Any]
"""A row of a table, by column."""

NONE = "\N{EN DASH}"
"""Where there is no number: a median that is not reached, a group that is empty."""

USES = {
    "likelihood": "Fitted",
    "predictive": "Only compared with",
    "case_mix": "The case mix, as drawn",
}
"""What a target is used for, in words."""


def outcome(name: str, unit: str, pathway: Pathway) -> tuple[str, str]:
    """Return an outcome in words, and the unit that its numbers are shown in."""
    if said := worded(name, _OUTCOMES):
        return said, _SHOWN.get(unit, unit)
    count = pathway.counts.get(name)
    if count is None:
        return _capital(_words(name)), unit
    what, per, whom = count.unit.rpartition("per ")
    said_already = what.strip().lower() in count.label.lower()
    return _capital(count.label), f"{per}{whom}" if said_already else unit


def population(name: str, pathway: Pathway) -> str:
    """Return a population in words: everybody, a group, or a level of an attribute."""
    if name in pathway.groups:
        return pathway.groups[name].label
    attribute, _, level = name.partition("=")
    if level and attribute in pathway.attributes:
        return pathway.attributes[attribute].labels.get(level, _words(level))
    return "all patients" if name == "all" else _words(name)


def target(row: Row, pathway: Pathway) -> str:
    """Return a reported figure in words. row : of a cohort's targets."""
    who = population(row["population"], pathway)
    if row["attribute"] and row["attribute"] != row["population"]:
        level = population(row["attribute"], pathway)
        who = level if row["population"] == "all" else f"{who}, {level}"
    state = pathway.states[row["state"]].label if row["state"] in pathway.states else _words(row["state"])
    if row["kind"] == "survivors":
        return f"Alive at {row['month']:g} month{'' if row['month'] == 1 else 's'}: {who}"
    by = f" by month {row['month']:g}" if math.isfinite(row["month"]) else ""
    if row["kind"] == "deaths":
        return f"{_capital(state) if row['state'] else 'Deaths'}{by}: {who}"
    if row["kind"] == "entered":
        return f"{_capital(state)}{by}: {who}"
    if row["kind"] == "median_follow_up":
        return f"Median time to death or last follow-up: {who}"
    if row["kind"] in ("median", "minimum", "maximum"):
        return f"{_capital(row['kind'])} time to {state}: {who}"
    return _capital(who)


def number(value: float, unit: str, *, sign: str = "") -> str:
    """Return a number as it is shown, with a minus of its own; a dash where there is none."""
    return NONE if not math.isfinite(value) else _minus(rounding.number(value, unit, sign=sign))


def interval(lower: float, upper: float, unit: str, estimate: float) -> str:
    """Return "44 to 71", a dash for an end that is not reached; nothing where there is no interval to see."""
    ends = rounding.interval(lower, upper, unit, estimate)
    return "" if ends is None else " to ".join(NONE if each == rounding.NONE else _minus(each) for each in ends)


def _minus(shown: str) -> str:
    return shown.replace("-", "\N{MINUS SIGN}")


def digits(value: float, unit: str) -> str:
    """Return a parameter's value: a probability to a hundredth, else a tenth, or two digits below one."""
    if not math.isfinite(value):
        return NONE
    if unit == "probability":
        return f"{value:.2f}"
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
