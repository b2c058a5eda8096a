"""The kinds of figure that a row of targets.csv can report: the columns that a kind needs and reads, and its units.

Declared once: the checks refuse rows by this table, and the guide prints it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.pathway.pathway import Pathway

BY_KIND = ("state", "attribute", "month", "count", "n", "value", "standard_error", "lower", "upper")
"""Columns that only some kinds read; all kinds read the other columns."""
PATIENTS, PERCENT, MONTHS = ("%", "patients"), ("%",), ("months",)


@dataclass(frozen=True)
class Kind:
    """meaning : what is reported; needs, reads : columns of BY_KIND; units : allowed for its `value`"""

    meaning: str
    needs: tuple[str, ...]
    reads: tuple[str, ...]
    units: tuple[str, ...] = PATIENTS


KINDS = {
    "patients": Kind("number of patients in a population", ("count", "n"), ("attribute", "value")),
    "entered": Kind(
        "number of patients who entered a state, by `month` or ever",
        ("state", "count", "n"),
        ("attribute", "month", "value"),
    ),
    "deaths": Kind(
        "number of patients who died, of the death `state` or of any, by `month` or ever",
        ("count", "n"),
        ("state", "attribute", "month", "value"),
    ),
    "survivors": Kind(
        "number of patients not known to have died by `month`",
        ("month", "count", "n"),
        ("attribute", "value", "standard_error", "lower", "upper"),
    ),
    "survival": Kind(
        "Kaplan-Meier survival at `month`",
        ("month", "value"),
        ("attribute", "n", "standard_error", "lower", "upper"),
        PERCENT,
    ),
    "median_survival": Kind("median survival, compared and never fitted", ("value",), ("attribute", "n"), MONTHS),
    "median_follow_up": Kind(
        "median time to death or last follow-up, compared and never fitted", ("value",), ("attribute", "n"), MONTHS
    ),
    "median": Kind(
        "median time from entry to the first clock; fitted if one exit leads there",
        ("value",),
        ("state", "attribute", "n"),
        MONTHS,
    ),
    "minimum": Kind("shortest time from entry to the first clock", ("value",), ("state", "attribute", "n"), MONTHS),
    "maximum": Kind("longest time from entry to the first clock", ("value",), ("state", "attribute", "n"), MONTHS),
}
COUNTS = ("patients", "deaths", "entered")
"""Kinds whose figure is a number of patients, which is 0 in an empty group."""
COUNTED = ("patients", "survivors", "deaths")
"""Kinds that count patients, next to `entered`."""
TIMED = ("median", "minimum", "maximum")
MEDIANS = ("median_follow_up", "median_survival")
PERCENTAGE = "survival"


def by_month(month: float) -> float:
    """Return the month by which a row counts its patients, from its cell; inf if blank: by their last follow-up."""
    return math.inf if math.isnan(month) else float(month)


def counted_as(row: Mapping[Any, Any], pathway: Pathway) -> str:
    """Return a row's kind as it is fitted: patients who enter a death are deaths."""
    return "deaths" if row["kind"] == "entered" and row["state"] in pathway.deaths else str(row["kind"])


def readers(column: str) -> list[str]:
    """Return the kinds that read a column."""
    return [name for name, kind in KINDS.items() if column in (*kind.needs, *kind.reads)]


def guide() -> str:
    """Return the table of kinds and columns that the guide prints, in Markdown."""
    lines = [f"| `kind` | what it reports | {' | '.join(f'`{column}`' for column in BY_KIND)} | `unit` |"]
    lines.append("|---" * (len(BY_KIND) + 3) + "|")
    for name, kind in KINDS.items():
        marks = ["needed" if column in kind.needs else "read" if column in kind.reads else "" for column in BY_KIND]
        lines.append(f"| `{name}` | {kind.meaning} | {' | '.join(marks)} | {', '.join(kind.units)} |")
    return "\n".join(lines)
