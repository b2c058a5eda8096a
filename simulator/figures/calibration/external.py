"""The reported figures of cohorts next to the model's predictions: a figure a line, with its 95 % interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.figures import style
from simulator.figures import text as lettering
from simulator.pathway import outcome_months
from simulator.wording.validation import in_words, rounded

LEFT, RIGHT = 3.1, 2.3
"""Inches for the names of the figures, and for their numbers."""
ROW, AXIS, GAP = 0.3, 0.42, 0.3
Row = Mapping[Any, Any]
HIT, MISS = style.BLUE, style.VERMILLION


def draw(table: pd.DataFrame, sizes: Mapping[str, int], source: str, longest: float) -> Figure:
    """Return the figure. table : see `calibration.validation.external.table`; sizes : cohort -> n; source : the model's

    longest : months on the axis at least: a median that simulated cohorts do not reach has no end
    """
    with style.applied():
        parts = [part for unit in ("%", "months") if len(part := table[table["unit"] == unit])]
        subtitle = "Circles and bars: predicted, with the 95 % predictive interval for a cohort of that size. "
        subtitle += "Diamonds: reported; a miss is orange, with a hollow diamond."
        footing = f"Predicted without refitting. {source}"
        head, foot = lettering.heading_height(subtitle), lettering.footing_height(footing)
        heights = [ROW * _lines(part) for part in parts]
        up = head + sum(heights) + (AXIS + GAP) * len(parts) + foot
        figure = style.canvas(style.WIDTH, up)
        lettering.heading(figure, "External validation: reported and predicted", subtitle)
        lettering.footing(figure, footing)
        top = up - head - GAP
        for part, height in zip(parts, heights, strict=True):
            axes = style.axes(figure, LEFT, top - height, style.WIDTH - LEFT - RIGHT, height)
            _fill(axes, part, sizes, longest)
            top -= height + AXIS + GAP
        return figure


def alt_text(table: pd.DataFrame, sizes: Mapping[str, int]) -> str:
    """Return the figure in words with numbers."""
    rows = table.to_dict("records")
    sentences = [f"{row['cohort']} (n = {sizes[row['cohort']]}): {_label(row)}, {in_words(row)}." for row in rows]
    return " ".join(["Reported figures next to the model's predictions.", *sentences])


def _label(row: Row) -> str:
    population, month = str(row["population"]), float(row["month"])
    name = str(row["target"]).replace("_", " ")
    if np.isfinite(month):
        is_alive = row["kind"] in ("survival", "survivors")
        name = f"alive at {outcome_months.in_words(month)}" if is_alive else f"{name} by month {month:g}"
    return name if population == "all" else f"{name}, {population.replace('_', ' ')}"


def _lines(part: pd.DataFrame) -> int:
    return len(part) + part["cohort"].nunique()


def _fill(axes: Axes, part: pd.DataFrame, sizes: Mapping[str, int], longest: float) -> None:
    unit = str(part["unit"].iloc[0])
    end = 100.0 if unit == "%" else max(longest, 1.1 * float(part["reported"].max()))
    lines = _lines(part)
    axes.set_xlim(0, end)
    axes.set_ylim(lines, 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=style.HAIR, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("%" if unit == "%" else "months")
    across = axes.get_yaxis_transform()
    axes.text(1.02, -0.25, f"reported; predicted, {unit}", transform=across, va="center", color=style.QUIET)
    place = 0.5
    for cohort, rows in part.groupby("cohort", sort=False):
        _write(axes, place, f"{cohort} (n = {sizes[str(cohort)]})", weight="bold")
        for row in rows.to_dict("records"):
            place += 1.0
            _write(axes, place, _label(row), indent=0.15)
            _plot(axes, place, row, end)
        place += 1.0


def _write(axes: Axes, place: float, text: str, *, weight: str = "normal", indent: float = 0.0) -> None:
    across = -(LEFT - style.MARGIN - indent) / (style.WIDTH - LEFT - RIGHT)
    line = lettering.fitted(text, LEFT - 2 * style.MARGIN, style.TEXT, weight)
    axes.text(across, place, line, transform=axes.get_yaxis_transform(), va="center", fontweight=weight)


def _plot(axes: Axes, place: float, row: Row, end: float) -> None:
    predicted, lower, upper, reported = _places(row)
    hit = row["inside"] == "yes"
    colour = HIT if hit else MISS
    axes.plot([lower, min(upper, end)], [place, place], color=colour, linewidth=2.2, linestyle="-" if hit else "--")
    if upper > end:
        axes.plot([end], [place], marker=">", color=colour, markersize=6, clip_on=False)
    if predicted <= end:
        axes.plot([predicted], [place], marker="o", color=colour, markerfacecolor="white", markersize=6)
    face = style.INK if hit else "white"
    at = min(reported, end)
    axes.plot([at], [place], marker="D", color=style.INK, markerfacecolor=face, markersize=6, clip_on=False)
    figures = rounded(row)
    label = f"{figures[0]}; {figures[1]} ({figures[2]} to {figures[3]})"
    axes.text(
        1.02,
        place,
        label + ("" if hit else "  miss"),
        transform=axes.get_yaxis_transform(),
        va="center",
        color=style.INK if hit else style.shade(MISS, 0.75),
        fontweight="normal" if hit else "bold",
    )


def _places(row: Row) -> Sequence[float]:
    return [float(row[column]) for column in ("predicted", "lower", "upper", "reported")]
