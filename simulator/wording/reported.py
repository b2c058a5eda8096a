"""Populations, reported figures and parameters in words."""

from __future__ import annotations

import math

from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import Pathway
from simulator.plain_text import capital
from simulator.wording import rounding
from simulator.wording.intervals import Row


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
        return f"Alive at {in_words(row['month'])}: {patients}"
    if row["kind"] == "survival":
        return f"Survival at {in_words(row['month'])}: {patients}"
    if row["kind"] == "median_survival":
        return f"Median survival: {patients}"
    by = f" by month {row['month']:g}" if math.isfinite(row["month"]) else ""
    if row["kind"] in ("deaths", "entered"):
        return f"{capital(state) or 'Deaths'}{by}: {patients}"
    if row["kind"] == "median_follow_up":
        return f"Median time to death or last follow-up: {patients}"
    if row["kind"] in ("median", "minimum", "maximum"):
        return f"{capital(row['kind'])} time to {state}: {patients}"
    return capital(patients)


def reported(figure: Row, target: Row) -> str:
    """Return a reported figure as printed: "63 \N{PLUS-MINUS SIGN} 17 % (5 of 8)", "17 of 40", "10.3 months (n = 40)".

    figure : of a cohort's predictive table; target : its row of the targets
    """
    count, n, unit = figure["count"], figure["n"], figure["unit"]
    of = "" if not math.isfinite(n) else f"{count:g} of {n:g}" if math.isfinite(count) else f"n = {n:g}"
    if unit == "patients" and math.isfinite(count):
        return of
    # Papers round a half upwards.
    printed = target["value"] if math.isfinite(target["value"]) else math.floor(figure["reported"] + 0.5)
    error = f" \N{PLUS-MINUS SIGN} {target['standard_error']:g}" if math.isfinite(target["standard_error"]) else ""
    return f"{printed:g}{error} {unit}{f' ({of})' if of else ''}"


def digits(value: float, unit: str) -> str:
    """Return a parameter's value: a probability to a hundredth, others to a tenth, or two digits below one."""
    if not math.isfinite(value):
        return rounding.NONE
    if unit == "probability":
        return f"{value:.2f}"
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def _words(name: str) -> str:
    return name.replace("_", " ")
