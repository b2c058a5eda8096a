"""The figures of a sensitivity analysis: a chart of rows a part, with its alternative text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from simulator.analyses.sensitivity.alternatives import LEAST_EFFECTIVE
from simulator.analyses.sensitivity.run import Sensitivity
from simulator.analyses.sensitivity.structural import WITH_CURE, through
from simulator.evidence.cohort import Cohort
from simulator.figures import style
from simulator.figures.analyses import row_chart
from simulator.figures.analyses.row_chart import Heading, Row
from simulator.figures.gallery import Picture
from simulator.figures.survival import survival
from simulator.pathway.outcome_months import OutcomeMonths
from simulator.wording.sensitivity import TITLES, factor, measured, number, sentence

MOST = 15
"""Rows; the table has the rest."""

BAR = 0.3
"""Half the height of a bar, where rows are 1 apart."""

Paint = Callable[[Axes], None]


def pictures(analysis: Sensitivity, cohort: Cohort | None = None) -> list[Picture]:
    """Return a picture a part. cohort : the cohort that calibrates the pathway, whose size and source are printed."""
    drawing = {
        "tornado": _tornado,
        "prcc": _prcc,
        "sobol": _sobol,
        "structure": _alternatives,
        "priors": _alternatives,
        "evppi": _evppi,
    }
    rows = {part: _drawn(part, table) for part, table in analysis.tables.items()}
    return [
        Picture(part, _title(analysis, part), _sentences(analysis, part), drawing[part](analysis, part, table, cohort))
        for part, table in rows.items()
        if len(table)
    ]


def _drawn(part: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return the drawn rows: rows with numbers; of the value of information, only positive values."""
    if part == "evppi":
        return table[(table["value"] > 0.0) | (table.index == 0)].head(MOST)
    required = {"tornado": "swing", "prcc": "prcc", "sobol": "total"}
    return (table[table[required[part]].notna()] if part in required else table).head(MOST)


def _sentences(analysis: Sensitivity, part: str) -> str:
    blank = analysis.inputs.blank_in_words if "parameter" in analysis.tables[part] else ""
    return f"{sentence(analysis, part)} {blank}".strip()


def _title(analysis: Sensitivity, part: str) -> str:
    names = " against ".join(option.name for option in reversed(analysis.question.options))
    return f"{TITLES[part]}: {names}"


def _draw(
    analysis: Sensitivity,
    part: str,
    table: pd.DataFrame,
    cohort: Cohort | None,
    scale: str,
    notes: list[str],
    paint: Paint,
    key: Callable[[Axes, float], None] | None = None,
) -> Figure:
    silent = [name in analysis.inputs.silent for name in table.get("parameter", pd.Series(dtype=str))]
    if any(silent) and cohort is not None:
        notes.append(
            f"In grey: not informed by the {cohort.n} patients; the value rests on the prior or on an assumption."
        )
    if analysis.inputs.benefit_in_words:
        notes.append(analysis.inputs.benefit_in_words)
    rest = len(analysis.tables[part]) - len(table)
    if rest:
        notes.append(f"{rest} more in {part}.csv.")
    notes.append(survival.source_in_words(cohort))
    heading = Heading(_title(analysis, part), _sentences(analysis, part), " ".join(notes), scale)
    return row_chart.draw(heading, _rows(analysis, table), paint, key)


def _rows(analysis: Sensitivity, table: pd.DataFrame) -> list[Row]:
    if "parameter" not in table:
        return [Row(name.replace(" ", ", ") if value else name, value) for name, value in
                zip(table["alternative"], table["told"], strict=True)]  # fmt: skip
    together = table.get("together", pd.Series("", index=table.index))
    rows = []
    for name, siblings in zip(table["parameter"], together, strict=True):
        if name not in analysis.inputs.names:
            rows.append(Row(name, "perfect information on every parameter"))
            continue
        others = ", ".join(siblings.split()[1:])
        meaning = f"with {others}" if others else analysis.inputs.meaning(name)
        rows.append(Row(name, meaning, name in analysis.inputs.silent))
    return rows


def _tornado(analysis: Sensitivity, part: str, table: pd.DataFrame, cohort: Cohort | None) -> Figure:
    question, scale = analysis.question, factor(analysis.question)
    centre = scale * float(table["outcome_at_centre"].iloc[0])
    notes = [
        "Each parameter at both ends of its 95 % interval, the others at their medians; the other shares of a choice "
        "change in proportion. Parameters are correlated, so the bars do not add up to an interval."
    ]

    def paint(axes: Axes) -> None:
        ends = scale * table[["outcome_at_low", "outcome_at_high"]].to_numpy()
        for place, (row, (low, high)) in enumerate(zip(_records(table), ends, strict=True)):
            for end in sorted((low, high), key=lambda value: -abs(value - centre)):
                axes.add_patch(_bar(place, centre, end, is_high=end == high))
            sides = [(low, row["low"]), (high, row["high"])]
            for side, ((at, value), other) in enumerate(zip(sides, (high, low), strict=True)):
                # If both ends lie on one side, the nearer end has no place next to its bar.
                outside = abs(at - centre) >= abs(other - centre) or (at - centre) * (other - centre) < 0
                if outside and abs(at - centre) > 1e-9:
                    _end(axes, place, at, value, right=at > centre if at != centre else bool(side))
        row_chart.zero_line(axes, centre)
        extent = max(float(np.ptp(np.append(ends, centre))), 1e-9)
        axes.set_xlim(min(ends.min(), centre) - 0.13 * extent, max(ends.max(), centre) + 0.13 * extent)

    return _draw(analysis, part, table, cohort, measured(question), notes, paint, _tornado_key)


def _bar(row: int, centre: float, end: float, *, is_high: bool) -> Rectangle:
    """Return one end's bar: the high end dark and plain, the low end light and hatched."""
    return _patch(min(centre, end), -row - BAR, abs(end - centre), 2 * BAR, is_high=is_high)


def _patch(left: float, low: float, width: float, height: float, *, is_high: bool) -> Rectangle:
    colour = style.BLUE if is_high else style.shade(style.ORANGE, 1.35)
    return Rectangle(
        (left, low), width, height, facecolor=colour, edgecolor="white" if is_high else style.shade(style.ORANGE, 0.7),
        hatch=None if is_high else "//////", linewidth=0.0, zorder=2.5,
    )  # fmt: skip


def _end(axes: Axes, row: int, at: float, value: float, *, right: bool) -> None:
    """Write the parameter's value next to the end of its bar."""
    axes.annotate(
        "<0.01" if 0 < value < 0.01 else f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}",
        (at, -row), xytext=(3 if right else -3, 0), textcoords="offset points", ha="left" if right else "right",
        va="center", fontsize=style.SMALL, color=style.QUIET,
    )  # fmt: skip


def _tornado_key(sheet: Axes, height: float) -> None:
    x = row_chart.LEFT
    for is_high, label in ((False, "parameter at its low end"), (True, "at its high end; its value next to the bar")):
        sheet.add_patch(_patch(x, height - 0.05, 0.3, 0.1, is_high=is_high))
        sheet.text(x + 0.37, height, label, va="center", fontsize=style.SMALL)
        x += 2.0


def _prcc(analysis: Sensitivity, part: str, table: pd.DataFrame, cohort: Cohort | None) -> Figure:
    def paint(axes: Axes) -> None:
        for place, row in enumerate(_records(table)):
            row_chart.whisker(axes, place, row["lower"], row["upper"], style.BLUE)
            axes.plot(row["prcc"], -place, "o", color=style.BLUE, markersize=5, zorder=4)
        axes.set_xlim(-1.05, 1.05)
        row_chart.zero_line(axes, 0.0)

    notes = [
        "Circles with 95 % intervals. Correlations of ranks, with all parameters held but those of the same choice."
    ]
    scale = f"Partial rank correlation with: {measured(analysis.question)}"
    return _draw(analysis, part, table, cohort, scale, notes, paint)


def _sobol(analysis: Sensitivity, part: str, table: pd.DataFrame, cohort: Cohort | None) -> Figure:
    kinds = (("first_order", 0.14, "o", style.BLUE, style.BLUE), ("total", -0.14, "D", style.VERMILLION, "white"))

    def paint(axes: Axes) -> None:
        for place, row in enumerate(_records(table)):
            for name, lift, mark, colour, face in kinds:
                row_chart.whisker(axes, place - lift, row[f"{name}_lower"], row[f"{name}_upper"], colour)
                axes.plot(row[name], -place + lift, mark, color=colour, markerfacecolor=face, markersize=4.5, zorder=4)
        row_chart.zero_line(axes, 0.0)

    def key(sheet: Axes, height: float) -> None:
        x = row_chart.LEFT
        for (_, _, mark, colour, face), label in zip(kinds, ("alone", "with interactions"), strict=True):
            sheet.plot(x + 0.08, height, mark, color=colour, markerfacecolor=face, markersize=4.5)
            sheet.text(x + 0.22, height, label, va="center", fontsize=style.SMALL)
            x += 1.2

    notes = ["Sobol indices with 95 % intervals. Inputs are assumed independent; the shares of a choice are one input."]
    scale = f"Share of the variance of: {measured(analysis.question)}"
    return _draw(analysis, part, table, cohort, scale, notes, paint, key)


def _alternatives(analysis: Sensitivity, part: str, table: pd.DataFrame, cohort: Cohort | None) -> Figure:
    scale = factor(analysis.question)
    months = analysis.question.scenario.pathway.months
    notes = {
        "structure": "Means and 95 % intervals over parameter sets. Log-normal times match the declared times in "
        f"median and ratio of quartiles; times {_matched(table, months)}. Parameters are not refitted.",
        "priors": "Means and 95 % intervals. One prior at a time is made flat (probabilities) or twice as wide, by "
        "reweighting the parameter sets.",
    }

    def paint(axes: Axes) -> None:
        for place, row in enumerate(_records(table)):
            if row["effective_draws"] < LEAST_EFFECTIVE:
                label = f"unknown: the reweighted parameter sets are worth {row['effective_draws']:.0f}"
                axes.text(0.02, -place, label, transform=axes.get_yaxis_transform(), va="center", fontsize=style.SMALL)
                continue
            row_chart.whisker(axes, place, scale * row["lower"], scale * row["upper"], style.BLUE)
            axes.plot(scale * row["estimate"], -place, "o", color=style.BLUE, markersize=5, zorder=4)
            label = number(analysis.question, row["estimate"])
            axes.annotate(
                label, (scale * row["estimate"], -place), xytext=(0, 5), textcoords="offset points", ha="center",
                fontsize=style.SMALL, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip
        first = scale * float(table["estimate"].iloc[0])
        axes.axvline(first, color=style.FAINT, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)

    return _draw(analysis, part, table, cohort, measured(analysis.question), [notes[part]], paint)


def _matched(table: pd.DataFrame, months: OutcomeMonths) -> str:
    """Return the points that times with, or without, a cured fraction share with the declared times."""
    if set(table["alternative"]) & set(WITH_CURE):
        return "to death with 10 % of patients cured (an assumption) match in lower quartile and median"
    first, last = through(months)
    return f"without a cured fraction match in survival at {first:g} and {last:g} months"


def _evppi(analysis: Sensitivity, part: str, table: pd.DataFrame, cohort: Cohort | None) -> Figure:
    def paint(axes: Axes) -> None:
        for place, row in enumerate(_records(table)):
            colour = style.BLACK if place == 0 else style.BLUE
            axes.barh(-place, row["value"], height=2 * BAR, color=style.shade(colour, 1.5), zorder=2)
            error = 1.96 * row["standard_error"]
            row_chart.whisker(axes, place, max(row["value"] - error, 0.0), row["value"] + error, colour)
        axes.set_xlim(0, max(1.0, 1.08 * float((table["value"] + 1.96 * table["standard_error"]).max())))

    decision = analysis.question.decision
    assert decision is not None
    notes = [
        f"Net life-months: mean survival to month {decision.month:g}, minus the stated costs (assumptions). Bars: "
        "with 95 % intervals of the estimation error. Knowing one parameter also informs those correlated with it."
    ]
    scale = "Value of knowing the parameter before choosing, life-months per 100 patients"
    return _draw(analysis, part, table, cohort, scale, notes, paint)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
