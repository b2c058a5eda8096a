"""Outcomes, reported figures and numbers in words, for the page."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from simulator.pathway import Pathway

_OUTCOMES = {
    r"os_(\d+)": ("Alive at {} months", "%"),
    r"median_os": ("Median survival", "months"),
    r"rmst_(\d+)": ("Mean survival within {} months", "months"),
    r"survivors_(\d+)_gained_per_10_more_treated": ("Survivors at {} months gained per 10 more treated", ""),
}

USES = {
    "likelihood": "Fitted",
    "predictive": "Only compared with",
    "case_mix": "The case mix, as drawn",
}
"""What a target is used for, in words."""


def outcome(name: str, unit: str, pathway: Pathway) -> tuple[str, str]:
    """Return an outcome in words, and the unit that its numbers are shown in."""
    for pattern, (words, shown) in _OUTCOMES.items():
        found = re.fullmatch(pattern, name)
        if found:
            return words.format(*found.groups()), shown
    count = pathway.counts.get(name)
    return (count.label if count is not None else _words(name)), unit


def population(name: str, pathway: Pathway) -> str:
    """Return a population in words: everybody, a group, or a level of an attribute."""
    if name in pathway.groups:
        return pathway.groups[name].label
    attribute, _, level = name.partition("=")
    if level and attribute in pathway.attributes:
        return pathway.attributes[attribute].labels.get(level, _words(level))
    return "all patients" if name == "all" else _words(name)


def target(row: Mapping[str, Any], pathway: Pathway) -> str:
    """Return a reported figure in words. row : of a cohort's targets."""
    who = population(row["population"], pathway)
    if row["attribute"] and row["attribute"] != row["population"]:
        level = population(row["attribute"], pathway)
        who = level if row["population"] == "all" else f"{who}, {level}"
    state = pathway.states[row["state"]].label if row["state"] in pathway.states else _words(row["state"])
    if row["kind"] == "survivors":
        return f"Alive at {row['month']:g} months: {who}"
    if row["kind"] == "deaths":
        return f"{_capital(state) if row['state'] else 'Deaths'}: {who}"
    if row["kind"] == "entered":
        return f"{_capital(state)}: {who}"
    if row["kind"] == "median_follow_up":
        return f"Median time to death or last follow-up: {who}"
    if row["kind"] in ("median", "minimum", "maximum"):
        return f"{_capital(row['kind'])} time to {state}: {who}"
    return _capital(who)


def number(value: float, unit: str, *, sign: str = "") -> str:
    """Return a number as read: a probability per 100, months to a tenth; a dash where there is none.

    sign : "+" to show it on what is above zero too
    """
    if not math.isfinite(value):
        return "\N{EN DASH}"
    shown = 100 * value if unit == "probability" else value
    places = 0 if unit in ("probability", "%") or (abs(shown) >= 20 and unit != "months") else 1
    return f"{shown:{sign}z.{places}f}".replace("-", "\N{MINUS SIGN}")


def digits(value: float) -> str:
    """Return a parameter's value to three digits."""
    if not math.isfinite(value):
        return "\N{EN DASH}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def interval(lower: float, upper: float, unit: str) -> str:
    """Return "44 to 71"; nothing where there is no interval, a dash for an end that is not reached."""
    if math.isnan(lower) and math.isnan(upper) or lower == upper:
        return ""
    return f"{number(lower, unit)} to {number(upper, unit)}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
