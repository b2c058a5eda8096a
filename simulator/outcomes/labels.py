"""Outcomes in words, short enough for a line of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simulator.outcomes import resource_use
from simulator.pathway.outcome_months import KINDS, worded, written

if TYPE_CHECKING:
    import pandas as pd

    from simulator.pathway.pathway import Pathway

WORDS = {
    "os": "alive at {months}, %",
    "median_os": "median survival, months",
    "rmst": "mean survival to month {month}, months",
    "break_even": "share that must benefit for {margin} more alive at {months}, %",
    "draws_with": "probability of at least {margin} more alive at {months}, %",
    "os_by_prior": "alive at {months} by the prior of the benefit alone, %",
    "draws_by_prior": "probability of at least {margin} more alive at {months} by the prior of the benefit alone, %",
    "survivors_gained": "additional survivors at {months} per 10 more treated",
}


def label(outcome: str, pathway: Pathway) -> str:
    """Return an outcome in words: "alive at 12 months, %", "courses per 100 patients"."""
    return with_unit(*words_and_unit(outcome, pathway))


def words_and_unit(outcome: str, pathway: Pathway) -> tuple[str, str]:
    """Return an outcome in words, and the unit of its display: ("courses", "per 100 patients")."""
    if described := pathway.end_point_outcomes.get(outcome):
        return described.words, described.display
    if text := worded(outcome, WORDS):
        words, _, unit = text.partition(", ")
        return words, unit
    count = pathway.counts.get(outcome)
    if count is None:
        return outcome.replace("_", " "), ""
    _, per, patients = count.unit.rpartition("per ")
    return count.label, per + patients


def with_unit(words: str, unit: str) -> str:
    """Return words with the unit of their numbers; empty units have no comma."""
    return f"{words} {unit}" if unit.startswith("per ") else f"{words}, {unit}" if unit else words


WHOLE_STAYS = "whole stays"
"""The follow-up of waits and of use, which no horizon ends."""


def follow_up(outcome: str, horizon: float, pathway: Pathway | None = None) -> str:
    """Return the follow-up of an outcome: "to month 12" from its name, or "to month 120"."""
    described = pathway and pathway.end_point_outcomes.get(outcome)
    if described and described.month is not None:
        return f"to month {written(described.month)}"
    kinds = {kind: "to month {month}" for kind, pattern in KINDS.items() if "<month>" in pattern}
    return worded(outcome, kinds) or f"to month {horizon:g}"


def until(pathway: Pathway, horizon: float) -> str:
    """Return a table's note on counts: "; counts to month 120"; empty where the pathway has none."""
    return f"; counts to month {horizon:g}" if pathway.counts else ""


def population_in_words(name: str, pathway: Pathway) -> str:
    """Return a population in words: all patients, a group, or a level of an attribute."""
    if name in pathway.groups:
        return pathway.groups[name].label
    attribute, _, level = name.partition("=")
    if level and attribute in pathway.attributes:
        return pathway.attributes[attribute].labels.get(level, level.replace("_", " "))
    return "all patients" if name == "all" else name.replace("_", " ")


KEYS = ("population", "resource", "end_point", "cause", "outcome", "state")
"""Columns whose names a label puts into words; the other keys, such as a month, are read as they are."""


def labelled(table: pd.DataFrame, pathway: Pathway) -> pd.DataFrame:
    """Return a table with a column `label` after its keys: a reader's words for each row.

    A table without such a key, or with a label already, is unchanged.
    """
    keys = [name for name in table.columns if name in KEYS]
    if not keys or "label" in table:
        return table
    names = list(zip(*(table[key].tolist() for key in keys), strict=True))
    words = {name: _words(dict(zip(keys, name, strict=True)), pathway) for name in dict.fromkeys(names)}
    made = table.copy(deep=False)
    last = max(place for place, name in enumerate(table.columns) if name in keys)
    made.insert(last + 1, "label", [words[name] for name in names])
    return made


def _words(row: Mapping[str, str], pathway: Pathway) -> str:
    """Return "all patients", "alive at 12 months", "beds: wait over 30 days, of requests"."""
    resource = pathway.resources.get(row.get("resource", ""))
    outcome, patients = row.get("outcome", ""), row.get("population", "")
    parts = [resource.label if resource else ""]
    if outcome:
        parts.append(resource_use.label(outcome) if resource else words_and_unit(outcome, pathway)[0])
    if end_point := pathway.end_points.get(row.get("end_point", "")):
        cause = row["cause"].replace("_", " ")
        parts.append(f"{cause} as first event ({end_point.label})" if cause else end_point.label)
    if state := pathway.states.get(row.get("state", "")):
        parts.append(state.label)
    # All patients are named where nothing else is.
    if patients and (patients != "all" or not any(parts)):
        parts.insert(0, population_in_words(patients, pathway))
    return ": ".join(filter(None, parts))
