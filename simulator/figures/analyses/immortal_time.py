"""Immortal time: what naive, landmark and Simon & Makuch comparisons of the same histories show, next to the truth."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime
from simulator.figures import row_chart, style
from simulator.figures.picture import Picture, in_two_widths
from simulator.figures.row_chart import Layout, Row
from simulator.figures.survival import panels
from simulator.figures.survival.curve import Curve
from simulator.figures.survival.panels import Panel
from simulator.pathway.outcome_months import in_words
from simulator.plain_text import capital
from simulator.wording import intervals, rounding, virtual_cohorts

ABOVE = 0.2
"""Inches between the differences and the curves."""
NAMES = {"naive": "Naive: ever versus never", "simon_makuch": "Simon-Makuch: from entry on"}


def picture(result: ImmortalTime) -> Picture:
    """Return the figure: the differences by method next to the truth, and below them the curves that they come from."""
    return in_two_widths(partial(_picture, result))


@style.applied()
def _picture(result: ImmortalTime, *, width: float = style.WIDTH) -> Picture:
    analyses = result.analyses.to_dict("records")
    layout = Layout([_row(result, row) for row in analyses], _scale(result), width)
    parts = [_panel(result, row) for row in analyses]
    reported = [figure for group in result.groups if (figure := _reported(result, group.label, group.name))]
    caution = [
        f"Reported: {', '.join(reported)}." if reported else "",
        f"Landmark: patients alive in that month. Scenario: {result.scenario.name}.",
        _second_row(result),
    ]
    pathway, lines = result.scenario.pathway, style.lines([group.label for group in result.groups])
    across, end = len(parts) // (2 if result.decision else 1), pathway.months.of_panels
    head = layout.height + ABOVE
    title, subtitle = virtual_cohorts.immortal_time_title(result), _subtitle(result)
    sheet = panels.draw(
        title, parts, lines, pathway.clock, result.cohort, caution, across=across, end=end, subtitle=subtitle,
        head=head, width=width, plot=1.2,
    )  # fmt: skip
    _differences(row_chart.fill(sheet, sheet.top - head, layout), result, sheet.small)
    return sheet.picture("guarantee_time", _point(result))


def _subtitle(result: ImmortalTime) -> str:
    seen = np.isfinite(result.analyses["difference_upper"]).all()
    hidden = "" if seen else ", where simulation noise does not hide it"
    truth = "; the bold line is the truth, 0" if virtual_cohorts.is_milestone(result) else ""
    return (
        f"The same patients, compared in different ways. Dots: difference at {virtual_cohorts.month(result)} with its "
        f"95 % interval over {intervals.sets(result.n_draws)}{hidden}{truth}. Below: the curves."
    )


def _scale(result: ImmortalTime) -> str:
    entered, others = (group.label for group in result.groups)
    return f"Difference at {virtual_cohorts.month(result)}, {entered} minus {others} (percentage points)"


def _row(result: ImmortalTime, row: Mapping[Any, Any]) -> Row:
    """Return the name of a comparison, and of the patients who are compared."""
    pathway, clock = result.scenario.pathway, row["clock"]
    name = capital(virtual_cohorts.analysis_label(row["analysis"], row["begins"]))
    label = virtual_cohorts.clock_label(clock, pathway)
    return Row(
        name, f"all in either group, from {label}" if clock == pathway.clock else f"only those in {label}, from then on"
    )


def _differences(axes: Axes, result: ImmortalTime, small: float) -> None:
    """Draw a dot with its interval a comparison, the reported difference, and the truth where it is known."""
    axes.axvline(0.0, color=style.INK, linewidth=2.4 if virtual_cohorts.is_milestone(result) else 0.9, zorder=2)
    for place, row in enumerate(result.analyses.to_dict("records")):
        at, low, high = (100 * row[f"difference{end}"] for end in ("", "_lower", "_upper"))
        if not np.isfinite(at):
            continue
        low, high = (low, high) if np.isfinite(low) else (at, at)
        row_chart.point(axes, place, at, low, high)
        number = rounding.number(at / 100, "probability", sign="+")
        axes.annotate(number, (high, -place), (5, 0), textcoords="offset points", va="center", fontweight="bold")
    if result.reported is not None:
        at, words = 100 * result.reported, f"reported: {virtual_cohorts.points(result.reported)}"
        up = row_chart.half_bar(axes)
        axes.plot(at, up, "s", color=style.INK, markerfacecolor="white", markersize=4.5, zorder=5)
        axes.annotate(words, (at, up), (-6, 0), textcoords="offset points", ha="right", va="center", size=small)


def _point(result: ImmortalTime) -> str:
    """Return the two groups next to each other, compared naively."""
    row = result.analyses.iloc[0].to_dict()
    measured = f"{virtual_cohorts.endpoint(result, row['clock'])} at {virtual_cohorts.month(result)}"
    return (
        f"Compared naively, {_alive(row)} are {measured}: {' against '.join(group.label for group in result.groups)}."
    )


def _alive(row: Mapping[Any, Any]) -> str:
    return f"{virtual_cohorts.percent(row['entered'])} % against {virtual_cohorts.percent(row['other'])} %"


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
    rows = result.curves.assign(draws=result.n_draws)
    rows = rows[(rows["clock"] == clock) & (rows["analysis"] == kind) & (rows["begins"] == begins)]
    curves = [Curve.of(group.label, rows[rows["group"] == group.name]) for group in result.groups]
    default = result.scenario.pathway.clock
    lines = style.lines([group.label for group in result.groups])
    reported = [
        result.cohort.reported_survival(group.name, clock).assign(colour=lines[group.label].colour)
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
