"""The figures of a sensitivity analysis: a chart of rows a part, with its alternative text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.analyses.sensitivity.alternatives import LEAST_EFFECTIVE
from simulator.analyses.sensitivity.run import Sensitivity
from simulator.analyses.sensitivity.structural import WITH_CURE, through
from simulator.evidence.cohort import Cohort
from simulator.figures import notes, row_chart, style
from simulator.figures.picture import Picture
from simulator.figures.row_chart import Row
from simulator.figures.sheet import Sample, Sheet, area, marker_sample
from simulator.outcomes.labels import label
from simulator.pathway.outcome_months import OutcomeMonths
from simulator.wording.sensitivity import TITLES, factor, measured, number, sentence

MOST = 15
"""Rows; the table has the rest."""

BAR = 0.3
"""Half the height of a bar, where rows are 1 apart."""

SOBOL: Mapping[str, tuple[str, float, str, str, str]] = {
    "first_order": ("alone", 0.14, "o", style.BLUE, style.BLUE),
    "total": ("with interactions", -0.14, "D", style.VERMILLION, "white"),
}
"""Column -> meaning, lift above the middle of the row, marker, colour and face."""


@style.applied()
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
        drawing[part](analysis, part, table, cohort).picture(part, _sentences(analysis, part))
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


def _chart(
    analysis: Sensitivity,
    part: str,
    table: pd.DataFrame,
    cohort: Cohort | None,
    scale: str,
    note: str,
    key: Sequence[Sample] = (),
) -> tuple[Sheet, Axes]:
    """Return the sheet of a part, with its rows' names, and the axes for their marks."""
    sentences = [note]
    if cohort is not None and any(name in analysis.inputs.silent for name in table.get("parameter", ())):
        sentences.append(
            f"In grey: not informed by the {cohort.n} patients; the value rests on the prior or on an assumption."
        )
    sentences.append(analysis.inputs.benefit_in_words)
    rest = len(analysis.tables[part]) - len(table)
    if rest:
        sentences.append(f"{rest} more in {part}.csv.")
    sentences.append(notes.source_in_words(cohort))
    title = f"{TITLES[part]}: {' against '.join(option.name for option in reversed(analysis.question.options))}"
    return row_chart.chart(title, _sentences(analysis, part), sentences, _rows(analysis, table), scale, key)


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


def _tornado(analysis: Sensitivity, part: str, table: pd.DataFrame, cohort: Cohort | None) -> Sheet:
    note = (
        "Each parameter at both ends of its 95 % interval, the others at their medians; the other shares of a choice "
        "change in proportion. Parameters are correlated, so the bars do not add up to an interval."
    )
    meanings = ("parameter at its low end", "at its high end; its value next to the bar")
    looks = zip(meanings, ENDS, strict=True)
    key = [Sample(words, area(height=0.1, **look), size=style.SMALL) for words, look in looks]
    sheet, axes = _chart(analysis, part, table, cohort, measured(analysis.question), note, key)
    scale = factor(analysis.question)
    centre = scale * float(table["outcome_at_centre"].iloc[0])
    ends = scale * table[["outcome_at_low", "outcome_at_high"]].to_numpy()
    for place, (row, (low, high)) in enumerate(zip(table.to_dict("records"), ends, strict=True)):
        bars = [(low, ENDS[0]), (high, ENDS[1])]
        for end, look in sorted(bars, key=lambda bar: -abs(bar[0] - centre)):
            axes.barh(-place, end - centre, height=2 * BAR, left=centre, zorder=2.5, **look)
        for at, other, value in ((low, high, row["low"]), (high, low, row["high"])):
            # If both ends lie on one side, the nearer end has no place next to its bar.
            outside = abs(at - centre) >= abs(other - centre) or (at - centre) * (other - centre) < 0
            if outside and abs(at - centre) > 1e-9:
                _name_end(axes, place, at, value, right=at > centre)
    row_chart.zero_line(axes, centre)
    extent = max(float(np.ptp(np.append(ends, centre))), 1e-9)
    axes.set_xlim(min(ends.min(), centre) - 0.13 * extent, max(ends.max(), centre) + 0.13 * extent)
    return sheet


ENDS: tuple[dict[str, Any], dict[str, Any]] = (
    {"facecolor": style.shade(style.ORANGE, 1.35), "edgecolor": style.shade(style.ORANGE, 0.7), "hatch": "//////",
     "linewidth": 0.0},
    {"facecolor": style.BLUE, "linewidth": 0.0},
)  # fmt: skip
"""The look of the low end's bar, light and hatched, and of the high end's, dark and plain."""


def _name_end(axes: Axes, row: int, at: float, value: float, *, right: bool) -> None:
    """Write the parameter's value next to the end of its bar."""
    axes.annotate(
        "<0.01" if 0 < value < 0.01 else f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}",
        (at, -row), xytext=(3 if right else -3, 0), textcoords="offset points", ha="left" if right else "right",
        va="center", fontsize=style.SMALL, color=style.QUIET,
    )  # fmt: skip


def _prcc(analysis: Sensitivity, part: str, table: pd.DataFrame, cohort: Cohort | None) -> Sheet:
    note = "Circles with 95 % intervals. Correlations of ranks, with all parameters held but those of the same choice."
    scale = f"Partial rank correlation with: {measured(analysis.question)}"
    sheet, axes = _chart(analysis, part, table, cohort, scale, note)
    for place, row in enumerate(table.to_dict("records")):
        row_chart.point(axes, place, row["prcc"], row["lower"], row["upper"])
    axes.set_xlim(-1.05, 1.05)
    row_chart.zero_line(axes, 0.0)
    return sheet


def _sobol(analysis: Sensitivity, part: str, table: pd.DataFrame, cohort: Cohort | None) -> Sheet:
    note = "Sobol indices with 95 % intervals. Inputs are assumed independent; the shares of a choice are one input."
    scale = f"Share of the variance of: {measured(analysis.question)}"
    key = [
        replace(marker_sample(words, mark, colour, face), size=style.SMALL)
        for words, _, mark, colour, face in SOBOL.values()
    ]
    sheet, axes = _chart(analysis, part, table, cohort, scale, note, key)
    for place, row in enumerate(table.to_dict("records")):
        for name, (_, lift, mark, colour, face) in SOBOL.items():
            ends = (row[f"{name}_lower"], row[f"{name}_upper"])
            row_chart.point(axes, place - lift, row[name], *ends, mark, colour, face)
    row_chart.zero_line(axes, 0.0)
    return sheet


def _alternatives(analysis: Sensitivity, part: str, table: pd.DataFrame, cohort: Cohort | None) -> Sheet:
    months = analysis.question.scenario.pathway.months
    meanings = {
        "structure": "Means and 95 % intervals over parameter sets. Log-normal times match the declared times in "
        f"median and ratio of quartiles; times {_matched(table, months)}. Parameters are not refitted.",
        "priors": "Means and 95 % intervals. One prior at a time is made flat (probabilities) or twice as wide, by "
        "reweighting the parameter sets.",
    }
    sheet, axes = _chart(analysis, part, table, cohort, measured(analysis.question), meanings[part])
    scale = factor(analysis.question)
    for place, row in enumerate(table.to_dict("records")):
        if row["effective_draws"] < LEAST_EFFECTIVE:
            label = f"unknown: the reweighted parameter sets are worth {row['effective_draws']:.0f}"
            axes.text(0.02, -place, label, transform=axes.get_yaxis_transform(), va="center", fontsize=style.SMALL)
            continue
        estimate, lower, upper = (scale * row[name] for name in ("estimate", "lower", "upper"))
        row_chart.point(axes, place, estimate, lower, upper)
        axes.annotate(
            number(analysis.question, row["estimate"]), (estimate, -place), xytext=(0, 5), textcoords="offset points",
            ha="center", fontsize=style.SMALL, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )  # fmt: skip
    first = scale * float(table["estimate"].iloc[0])
    axes.axvline(first, color=style.FAINT, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    return sheet


def _matched(table: pd.DataFrame, months: OutcomeMonths) -> str:
    """Return the points that times with, or without, a cured fraction share with the declared times."""
    if set(table["alternative"]) & set(WITH_CURE):
        return "to death with 10 % of patients cured (an assumption) match in lower quartile and median"
    first, last = through(months)
    return f"without a cured fraction match in survival at {first:g} and {last:g} months"


def _evppi(analysis: Sensitivity, part: str, table: pd.DataFrame, cohort: Cohort | None) -> Sheet:
    decision = analysis.question.decision
    assert decision is not None
    note = (
        f"Net {decision.unit}s: {label(decision.outcome, analysis.question.scenario.pathway)}, minus the stated costs "
        "(assumptions). Bars: with 95 % intervals of the estimation error. Knowing one parameter also informs those "
        "correlated with it."
    )
    scale = f"Value of knowing the parameter before choosing, {decision.unit}s per 100 patients"
    sheet, axes = _chart(analysis, part, table, cohort, scale, note)
    upper = table["value"] + 1.96 * table["standard_error"]
    for place, row in enumerate(table.to_dict("records")):
        colour = style.BLACK if place == 0 else style.BLUE
        axes.barh(-place, row["value"], height=2 * BAR, color=style.shade(colour, 1.5), zorder=2)
        error = 1.96 * row["standard_error"]
        row_chart.whisker(axes, place, max(row["value"] - error, 0.0), row["value"] + error, colour)
    axes.set_xlim(0, max(decision.worth, 1.08 * float(upper.max())))
    return sheet
