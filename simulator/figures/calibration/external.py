"""The reported figures of cohorts next to the model's predictions: a figure a line, with its 95 % interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.figures import row_chart, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Sheet
from simulator.wording.validation import in_words, rounded

LEFT, RIGHT = 3.3, 2.8
"""Inches for the names of the figures, and for their numbers."""
ROW, AXIS, GAP = 0.3, 0.42, 0.3
Row = Mapping[Any, Any]


@style.applied()
def picture(table: pd.DataFrame, sizes: Mapping[str, int], source: str, longest: float) -> Picture:
    """Return the figure. table : see `calibration.validation.external.table`; source : the model's

    sizes : cohort, by its short name -> n
    longest : months on the axis at least: a median that simulated cohorts do not reach has no end
    """
    parts = [part for unit in ("%", "months") if len(part := table[table["unit"] == unit])]
    subtitle = (
        "Circles and bars: predicted, with the 95 % predictive interval for a cohort of that size. "
        "Diamonds: reported; a miss is orange, with a hollow diamond. *: a prior is centred on the figure."
    )
    body = ROW * sum(map(_lines, parts)) + (AXIS + GAP) * len(parts)
    title, footing = "External validation: reported and predicted", ["Predicted without refitting.", source]
    sheet = Sheet(title, subtitle, footing, body)
    foot = sheet.top
    for part in parts:
        foot -= GAP + ROW * _lines(part)
        across = style.WIDTH - LEFT - RIGHT
        _fill(row_chart.rows_of(sheet, LEFT, foot, across, _lines(part), ROW), part, sizes, longest)
        foot -= AXIS
    sentences = ["Reported figures next to the model's predictions."]
    for row in table.to_dict("records"):
        name = row["cohort_label"]
        sentences.append(f"{name} (n = {sizes[name]}): {row['label']}, {in_words(row)}.")
    return sheet.picture("validation", " ".join(sentences))


def _lines(part: pd.DataFrame) -> int:
    return len(part) + part["cohort_label"].nunique()


def _fill(axes: Axes, part: pd.DataFrame, sizes: Mapping[str, int], longest: float) -> None:
    unit = str(part["unit"].iloc[0])
    end = 100.0 if unit == "%" else max(longest, 1.1 * float(part["reported"].replace(float("inf"), longest).max()))
    axes.set(xlim=(0, end), xlabel=unit)
    _write(axes, 0.75, f"reported; predicted, {unit}", color=style.QUIET)
    place = 0
    for cohort, rows in part.groupby("cohort_label", sort=False):
        _name(axes, place, f"{cohort} (n = {sizes[str(cohort)]})", weight="bold")
        for row in rows.to_dict("records"):
            place -= 1
            _name(axes, place, row["label"] + " *" * bool(row["centred_on"]), indent=0.15)
            _plot(axes, place, row, end)
        place -= 1


def _name(axes: Axes, place: float, name: str, *, weight: str = "normal", indent: float = 0.0) -> None:
    """Write a row's name left of the axes, in two lines at most."""
    across, room = -(LEFT - style.MARGIN - indent) / (style.WIDTH - LEFT - RIGHT), LEFT - 2 * style.MARGIN - indent
    words = text.in_two_lines(name, room, weight)
    look: dict[str, Any] = {"fontweight": weight, "linespacing": 1.0}
    axes.text(across, place, words, transform=axes.get_yaxis_transform(), va="center", **look)


def _write(axes: Axes, place: float, words: str, **look: str) -> None:
    """Write right of the axes."""
    axes.text(1.02, place, words, transform=axes.get_yaxis_transform(), va="center", **look)  # type: ignore[arg-type]


def _plot(axes: Axes, place: float, row: Row, end: float) -> None:
    predicted, lower, upper, reported = (float(row[name]) for name in ("predicted", "lower", "upper", "reported"))
    is_hit = row["inside"] != "no"
    colour, dash, face = (style.BLUE, "-", style.INK) if is_hit else (style.VERMILLION, "--", "white")
    axes.plot([lower, min(upper, end)], [place, place], color=colour, linewidth=2.2, linestyle=dash)
    if upper > end:
        axes.plot(end, place, ">", color=colour, markersize=6, clip_on=False)
    if predicted <= end:
        axes.plot(predicted, place, "o", color=colour, markerfacecolor="white", markersize=6)
    axes.plot(min(reported, end), place, "D", color=style.INK, markerfacecolor=face, markersize=6, clip_on=False)
    figures = rounded(row)
    words = (
        f"{figures[0]}; {figures[1]} ({figures[2]}{f' to {figures[3]}' if np.isfinite(upper) else ' or more'})"
        if row["inside"]
        else f"{figures[0]}; not simulated"
    )
    if is_hit:
        _write(axes, place, words)
    else:
        _write(axes, place, f"{words}  miss", color=style.shade(style.VERMILLION, 0.75), fontweight="bold")
