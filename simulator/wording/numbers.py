"""Outcomes, reported figures and numbers in words, for the page."""

from __future__ import annotations

import math

from simulator.pathway.outcome_months import worded
from simulator.pathway.pathway import Pathway
from simulator.wording import rounding
from simulator.wording.intervals import Row

_OUTCOMES = {
    "os": "Alive at {months}",
    "median_os": "Median survival",
    "rmst": "Mean survival within {months}",
    "break_even": "Share of additional patients who must benefit for {margin} more alive at {months}",
    "draws_with": "Probability of at least {margin} more alive at {months}",
    "survivors_gained": "Additional survivors at {months} per 10 more treated",
}
_UNITS = {"probability": "%", "survivors": ""}
"""Unit of the table -> displayed unit; other units stay."""

NONE = "\N{EN DASH}"
"""For a missing number: a median that is not reached, a group that is empty."""

USES = {
    "likelihood": "Used for fitting",
    "predictive": "Compared only, not fitted",
    "case_mix": "Case mix, as simulated",
}
"""What a target is used for, in words."""


def outcome(name: str, unit: str, pathway: Pathway) -> tuple[str, str]:
    """Return an outcome in words, and the displayed unit of its numbers."""
    if text := worded(name, _OUTCOMES):
        return text, _UNITS.get(unit, unit)
    count = pathway.counts.get(name)
    if count is None:
        return capital(_words(name)), unit
    events, per, patients = count.unit.rpartition("per ")
    in_label = events.strip().lower() in count.label.lower()
    return capital(count.label), f"{per}{patients}" if in_label else unit


def population(name: str, pathway: Pathway) -> str:
    """Return a population in words: all patients, a group, or a level of an attribute."""
    if name in pathway.groups:
        return pathway.groups[name].label
    attribute, _, level = name.partition("=")
    if level and attribute in pathway.attributes:
        return pathway.attributes[attribute].labels.get(level, _words(level))
    return "all patients" if name == "all" else _words(name)


def target(row: Row, pathway: Pathway) -> str:
    """Return a reported figure in words. row : of a cohort's targets."""
    patients = population(row["population"], pathway)
    if row["attribute"] and row["attribute"] != row["population"]:
        level = population(row["attribute"], pathway)
        patients = level if row["population"] == "all" else f"{patients}, {level}"
    state = pathway.states[row["state"]].label if row["state"] in pathway.states else _words(row["state"])
    if row["kind"] == "survivors":
        return f"Alive at {row['month']:g} month{'' if row['month'] == 1 else 's'}: {patients}"
    by = f" by month {row['month']:g}" if math.isfinite(row["month"]) else ""
    if row["kind"] == "deaths":
        return f"{capital(state) if row['state'] else 'Deaths'}{by}: {patients}"
    if row["kind"] == "entered":
        return f"{capital(state)}{by}: {patients}"
    if row["kind"] == "median_follow_up":
        return f"Median time to death or last follow-up: {patients}"
    if row["kind"] in ("median", "minimum", "maximum"):
        return f"{capital(row['kind'])} time to {state}: {patients}"
    return capital(patients)


def number(value: float, unit: str, *, sign: str = "") -> str:
    """Return a number as the page displays it, with a minus sign; a dash for a missing number."""
    return NONE if not math.isfinite(value) else _minus(rounding.number(value, unit, sign=sign))


def interval(lower: float, upper: float, unit: str, estimate: float) -> str:
    """Return "44 to 71", with a dash for an end that is not reached; empty where no interval can be seen."""
    ends = rounding.interval(lower, upper, unit, estimate)
    return "" if ends is None else " to ".join(NONE if end == rounding.NONE else _minus(end) for end in ends)


def _minus(number: str) -> str:
    return number.replace("-", "\N{MINUS SIGN}")


def digits(value: float, unit: str) -> str:
    """Return a parameter's value: a probability to a hundredth, others to a tenth, or two digits below one."""
    if not math.isfinite(value):
        return NONE
    if unit == "probability":
        return f"{value:.2f}"
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def capital(words: str) -> str:
    """Return words with their first letter as a capital."""
    return words[:1].upper() + words[1:]
