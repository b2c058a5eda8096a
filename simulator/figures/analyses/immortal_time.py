"""Guarantee time: the same histories compared naively, from landmarks, and by Simon & Makuch, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime
from simulator.figures.gallery import Picture
from simulator.figures.survival import panels
from simulator.figures.survival.curve import Curve
from simulator.figures.survival.panels import Panel
from simulator.wording import virtual_cohorts

NAMES = {"naive": "Naive: ever against never", "simon_makuch": "Simon-Makuch: from entry on"}


def picture(found: ImmortalTime) -> Picture:
    """Return the figure: a row of panels from the default clock, and one from the decision if there is one."""
    title = "Guarantee time: the same patients, compared in different ways"
    return Picture("guarantee_time", title, alt_text(found), _draw(found, title))


def alt_text(found: ImmortalTime) -> str:
    """Return what the figure says, in words with numbers."""
    said = [f"Two groups, {found.groups[0].label} and {found.groups[1].label}, compared on the same histories."]
    for row in found.analyses.to_dict("records"):
        clock = virtual_cohorts.clock_label(row["clock"], found.scenario.pathway)
        told = f"{virtual_cohorts.percent(row['entered'])} against {virtual_cohorts.percent(row['other'])} %"
        name = virtual_cohorts.analysis_label(row["analysis"], row["begins"])
        measured = f"{virtual_cohorts.endpoint(found, row['clock'])} at {virtual_cohorts.month(found)}"
        said.append(f"From {clock}, {name}: {told} {measured}.")
    return " ".join(said)


def _draw(found: ImmortalTime, title: str) -> Figure:
    shown = [_panel(found, row) for row in found.analyses.to_dict("records")]
    without_effect = virtual_cohorts.is_milestone(found)
    world = "In this world nobody gains or loses by it" if without_effect else "By the calibrated pathway"
    reported = [told for group in found.groups if (told := _reported(found, group.label, group.name))]
    caution = f"Reported: {', '.join(reported)}. " if reported else ""
    caution += f"Landmark: of those alive in that month. {world}: {found.scenario.name}. {_second_row(found)}"
    across = len(shown) // (2 if found.decision else 1)
    labels = [group.label for group in found.groups]
    pathway = found.scenario.pathway
    return panels.draw(
        title, shown, labels, pathway.clock, found.cohort, caution, across=across, end=pathway.months.of_panels
    )


def _second_row(found: ImmortalTime) -> str:
    if found.decision is None:
        return ""
    clock = virtual_cohorts.clock_label(found.decision, found.scenario.pathway)
    return f"Below: of those in {clock} only, {virtual_cohorts.endpoint(found, found.decision)}."


def _reported(found: ImmortalTime, label: str, name: str) -> str:
    rows = pd.DataFrame() if found.cohort is None else found.cohort.reported_survival(name, found.cohort.clock)
    told = [row for row in rows.to_dict("records") if row["month"] == found.scenario.pathway.months.answer]
    return f"{told[0]['value']:g} % with {label}" if told else ""


def _panel(found: ImmortalTime, row: Mapping[Any, Any]) -> Panel:
    clock, kind, begins = row["clock"], row["analysis"], row["begins"]
    rows = found.curves
    rows = rows[(rows["clock"] == clock) & (rows["analysis"] == kind) & (rows["begins"] == begins)]
    curves = []
    for group in found.groups:
        own = rows[rows["group"] == group.name]
        columns = [own[each].to_numpy(dtype=float) for each in ("month", "survival", "lower", "upper")]
        curves.append(Curve(group.label, *columns))
    default = found.scenario.pathway.clock
    reported = [
        found.cohort.reported_survival(group.name, clock)
        for group in found.groups
        if found.cohort is not None and clock == default and kind == "naive"
    ]
    told = " against ".join(virtual_cohorts.percent(row[each]) for each in ("entered", "other"))
    return Panel(
        NAMES.get(kind, f"Landmark: month {begins:g}"),
        f"at {found.scenario.pathway.months.answer:g}: {told} %",
        curves,
        pd.concat(reported) if reported else pd.DataFrame(),
        f"Months since {virtual_cohorts.clock_label(clock, found.scenario.pathway)}",
        "Patients alive (%)" if clock == default else "Alive, without failure (%)",
    )
