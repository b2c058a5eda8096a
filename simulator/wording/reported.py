"""Cohorts, populations, reported figures and parameters in words."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from simulator.evidence.cohort import Cohort
from simulator.outcomes.labels import population_in_words
from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import Pathway
from simulator.plain_text import capital
from simulator.wording import rounding
from simulator.wording.intervals import Row


def parameter(name: str, pathway: Pathway) -> str:
    """Return a parameter's name in words, with the pathway's spelling of abbreviations: "ICU wait median"."""
    words = _words(name)
    for abbreviation in pathway.abbreviations:
        spelled = re.escape(abbreviation.replace("-", " ").replace("_", " "))
        words = re.sub(rf"\b{spelled}\b", abbreviation.replace("\\", r"\\"), words, flags=re.IGNORECASE)
    return words


WORDS = {
    "patients": "{patients}",
    "entered": "{state}{by}: {patients}",
    "deaths": "{state}{by}: {patients}",
    "survivors": "alive at {month}{since}: {patients}",
    "survival": "{survival} at {month}{since}: {patients}",
    "landmark_survival": "{survival} at {month}{since}, of those at month {landmark}: {patients}",
    "incidence": "{cause}{by}{since} ({survival}): {patients}",
    "at_risk": "at risk at {month}{since} ({survival}): {patients}",
    "median_survival": "median {survival}{since}: {patients}",
    "survival_quantile": "{quantile} {survival}{since}: {patients}",
    "restricted_mean": "mean {survival} to month {number}{since}: {patients}",
    "hazard_ratio": "hazard ratio, {survival}{since}: {patients}, to {versus}",
    "time_quantile": "{quantile} time to {to}{since}: {patients}",
    "patient_times": "{survival} at {month}{since}, of single patients: {patients}",
    "median_follow_up": "median time to death or last follow-up: {patients}",
    "median": "median time to {to}: {patients}",
    "minimum": "minimum time to {to}: {patients}",
    "maximum": "maximum time to {to}: {patients}",
}
"""Kind of figure -> its name."""
QUANTILES = {0.0: "shortest", 50.0: "median", 100.0: "longest"}
"""Percent of patients -> the word for the time by which they have the event."""
SHORT = re.compile(r"^([^,.;:]{1,30}): |^(\w[\w'-]*) [A-Z]{1,3}\b.*?\b((?:19|20)\d\d)\b")
"""A citation's own short name, "FELIX 2024: ...", or its first author and its year, "Bader P, ... 2023;7(11)"."""


def cohort(of: Cohort) -> str:
    """Return a cohort's short name, by its citation; the name of its folder where the citation has none."""
    match = SHORT.match(of.citation)
    return of.name if match is None else match[1] or f"{match[2]} {match[3]}"


def with_end_points(pathway: Pathway, of: Cohort) -> Pathway:
    """Return a pathway with the end points that only a cohort names."""
    return replace(pathway, end_points={**pathway.end_points, **of.end_points})


def target(row: Row, pathway: Pathway) -> str:
    """Return a reported figure in words, with a capital. row : of a cohort's targets"""
    return capital(figure(row, pathway))


def figure(row: Row, pathway: Pathway) -> str:
    """Return a reported figure in words, for a sentence.

    row : of a cohort's targets, perhaps with the `clock` that its months count from
    """
    patients = population_in_words(row["population"], pathway)
    if row["attribute"] and row["attribute"] != row["population"]:
        level = population_in_words(row["attribute"], pathway)
        patients = level if row["population"] == "all" else f"{patients}, {level}"
    month, quantile, end_point = row["month"], row.get("quantile", math.nan), str(row.get("end_point", ""))
    state, origin = (_state(str(row.get(column, "")), pathway) for column in ("state", "from"))
    origin = origin or _words(str(row.get("clock", "")))
    return WORDS.get(row["kind"], "{patients}").format(
        patients=patients,
        state=state or "deaths",
        # Blank: the time from entry to the first clock.
        to=state or _state(pathway.clock_state, pathway),
        by=f" by month {month:g}" if math.isfinite(month) else "",
        month=in_words(month) if math.isfinite(month) else "",
        number=f"{month:g}",
        landmark=f"{row.get('landmark', math.nan):g}",
        survival=pathway.end_points[end_point].label if end_point else "survival",
        since=f" from {origin}" if origin else "",
        cause=_words(str(row.get("cause", ""))),
        versus=population_in_words(str(row.get("versus", "")), pathway),
        quantile=QUANTILES.get(quantile if math.isfinite(quantile) else 50.0, f"{quantile:g} % quantile of"),
    )


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
    return " ".join(filter(None, [limit(target), f"{printed:g}{error}", unit, of and f"({of})"]))


def limit(row: Row) -> str:
    """Return "at most" or "at least" where a reported time is a limit, else ""."""
    return _words(str(row.get("limit", "")))


def digits(value: float, unit: str) -> str:
    """Return a parameter's value: a probability to a hundredth, others to a tenth, or two digits below one."""
    if not math.isfinite(value):
        return rounding.NONE
    if unit == "probability":
        return f"{value:.2f}"
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def _words(name: str) -> str:
    return name.replace("_", " ")
