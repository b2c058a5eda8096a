"""Immortal time: the same histories compared naively, from landmarks, and by Simon & Makuch, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime
from simulator.figures import style
from simulator.figures.picture import Picture
from simulator.figures.survival import panels
from simulator.figures.survival.curve import Curve
from simulator.figures.survival.panels import Panel
from simulator.pathway.outcome_months import in_words
from simulator.wording import virtual_cohorts

FROM_PATHWAY = "From the calibrated pathway"
NAMES = {"naive": "Naive: ever versus never", "simon_makuch": "Simon-Makuch: from entry on"}


def picture(result: ImmortalTime) -> Picture:
    """Return the figure: a row of panels from the default clock, and a row from the decision if there is one."""
    title = "Guarantee time: the same patients, compared in different ways"
    parts = [_panel(result, row) for row in result.analyses.to_dict("records")]
    world = "In this world it neither helps nor harms" if virtual_cohorts.is_milestone(result) else FROM_PATHWAY
    reported = [figure for group in result.groups if (figure := _reported(result, group.label, group.name))]
    caution = [
        f"Reported: {', '.join(reported)}." if reported else "",
        f"Landmark: patients alive in that month. {world}: {result.scenario.name}.",
        _second_row(result),
    ]
    pathway, lines = result.scenario.pathway, style.lines([group.label for group in result.groups])
    across, end = len(parts) // (2 if result.decision else 1), pathway.months.of_panels
    sheet = panels.draw(title, parts, lines, pathway.clock, result.cohort, caution, across=across, end=end)
    return sheet.picture("guarantee_time", _in_words(result))


def _in_words(result: ImmortalTime) -> str:
    sentences = [f"Two groups, {result.groups[0].label} and {result.groups[1].label}, compared in the same patients."]
    for row in result.analyses.to_dict("records"):
        clock = virtual_cohorts.clock_label(row["clock"], result.scenario.pathway)
        name = virtual_cohorts.analysis_label(row["analysis"], row["begins"])
        measured = f"{virtual_cohorts.endpoint(result, row['clock'])} at {virtual_cohorts.month(result)}"
        sentences.append(f"From {clock}, {name}: {_alive(row)} {measured}.")
    return " ".join(sentences)


def _alive(row: Mapping[Any, Any]) -> str:
    return f"{virtual_cohorts.percent(row['entered'])} against {virtual_cohorts.percent(row['other'])} %"


def _second_row(result: ImmortalTime) -> str:
    if result.decision is None:
        return ""
    clock = virtual_cohorts.clock_label(result.decision, result.scenario.pathway)
    return f"Below: only patients in {clock}, {virtual_cohorts.endpoint(result, result.decision)}."


def _reported(result: ImmortalTime, label: str, name: str) -> str:
    rows = pd.DataFrame() if result.cohort is None else result.cohort.reported_survival(name, result.cohort.clock)
    points = [row for row in rows.to_dict("records") if row["month"] == result.scenario.pathway.months.answer]
    return f"{points[0]['value']:g} % with {label}" if points else ""


def _panel(result: ImmortalTime, row: Mapping[Any, Any]) -> Panel:
    clock, kind, begins = row["clock"], row["analysis"], row["begins"]
    rows = result.curves
    rows = rows[(rows["clock"] == clock) & (rows["analysis"] == kind) & (rows["begins"] == begins)]
    curves = [Curve.of(group.label, rows[rows["group"] == group.name]) for group in result.groups]
    default = result.scenario.pathway.clock
    reported = [
        result.cohort.reported_survival(group.name, clock)
        for group in result.groups
        if result.cohort is not None and clock == default and kind == "naive"
    ]
    return Panel(
        NAMES.get(kind, f"Landmark: month {begins:g}"),
        f"at {in_words(result.scenario.pathway.months.answer)}: {_alive(row)}",
        curves,
        pd.concat(reported) if reported else pd.DataFrame(),
        f"Months since {virtual_cohorts.clock_label(clock, result.scenario.pathway)}",
        "Patients alive (%)" if clock == default else "Alive, without failure (%)",
    )
