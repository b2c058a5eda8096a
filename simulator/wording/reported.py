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


WORDS = {
    "patients": "{patients}",
    "entered": "{state}{by}: {patients}",
    "deaths": "{state}{by}: {patients}",
    "survivors": "Alive at {month}: {patients}",
    "survival": "{Survival} at {month}: {patients}",
    "landmark_survival": "{Survival} at {month}, of those at month {landmark}: {patients}",
    "incidence": "{cause}{by} ({survival}): {patients}",
    "at_risk": "At risk at {month} ({survival}): {patients}",
    "median_survival": "Median {survival}: {patients}",
    "survival_quantile": "{quantile} % quantile of {survival}: {patients}",
    "restricted_mean": "Mean {survival} to month {number}: {patients}",
    "hazard_ratio": "Hazard ratio, {survival}: {patients}, to {versus}",
    "time_quantile": "{quantile} % quantile of the time to {to}{since}: {patients}",
    "patient_times": "{Survival} at {month}, of single patients: {patients}",
    "median_follow_up": "Median time to death or last follow-up: {patients}",
    "median": "Median time to {to}: {patients}",
    "minimum": "Minimum time to {to}: {patients}",
    "maximum": "Maximum time to {to}: {patients}",
}
"""Kind of figure -> its name."""


def target(row: Row, pathway: Pathway) -> str:
    """Return a reported figure in words. row : of a cohort's targets"""
    patients = population(row["population"], pathway)
    if row["attribute"] and row["attribute"] != row["population"]:
        level = population(row["attribute"], pathway)
        patients = level if row["population"] == "all" else f"{patients}, {level}"
    month, quantile = row["month"], row.get("quantile", math.nan)
    state, origin = (_state(str(row.get(column, "")), pathway) for column in ("state", "from"))
    since = f" from {origin}" if origin else ""
    survival = f"{_words(str(row.get('end_point', ''))) or 'survival'}{since}"
    words = WORDS.get(row["kind"], "{patients}").format(
        patients=patients,
        state=capital(state) or "Deaths",
        to=state,
        by=f" by month {month:g}" if math.isfinite(month) else "",
        month=in_words(month) if math.isfinite(month) else "",
        number=f"{month:g}",
        landmark=f"{row.get('landmark', math.nan):g}",
        survival=survival,
        Survival=capital(survival),
        since=since,
        cause=capital(_words(str(row.get("cause", "")))),
        versus=population(str(row.get("versus", "")), pathway),
        quantile=f"{quantile if math.isfinite(quantile) else 50.0:g}",
    )
    return capital(words)


def _state(name: str, pathway: Pathway) -> str:
    return pathway.states[name].label if name in pathway.states else _words(name)


def reported(figure: Row, target: Row) -> str:
    """Return a reported figure as printed: "63 \N{PLUS-MINUS SIGN} 17 % (5 of 8)", "17 of 40", "10.3 months (n = 40)".

    figure : of a cohort's predictive table; target : its row of the targets
    """
    count, n, unit = figure["count"], figure["n"], figure["unit"]
    of = "" if not math.isfinite(n) else f"{count:g} of {n:g}" if math.isfinite(count) else f"n = {n:g}"
    if unit == "patients" and math.isfinite(count):
        return of
    # Papers round a half upwards.
    if not math.isfinite(figure["reported"]):
        return "not reached"
    printed = target["value"] if math.isfinite(target["value"]) else math.floor(figure["reported"] + 0.5)
    error = f" \N{PLUS-MINUS SIGN} {target['standard_error']:g}" if math.isfinite(target["standard_error"]) else ""
    return " ".join(filter(None, [f"{printed:g}{error}", unit, of and f"({of})"]))


def digits(value: float, unit: str) -> str:
    """Return a parameter's value: a probability to a hundredth, others to a tenth, or two digits below one."""
    if not math.isfinite(value):
        return rounding.NONE
    if unit == "probability":
        return f"{value:.2f}"
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def _words(name: str) -> str:
    return name.replace("_", " ")
