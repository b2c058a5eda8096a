"""The reported figures of cohorts next to the model's predictions: a figure a line, with its 95 % interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.figures import row_chart, style, text
from simulator.figures.picture import Picture, in_two_widths
from simulator.figures.sheet import Sheet
from simulator.wording.validation import as_extreme, rounded, title

LEFT, LINE, AXIS, GAP = 3.4, 0.15, 0.42, 0.3
"""Inches of the names on a wide sheet, of a line of text, of a scale with its label, and above a part."""
REPORTED, PREDICTED, PREDICTED_IN_LINES, EXTREME = 0.82, 1.85, 1.0, 0.92
"""Inches of the columns of numbers; on a narrow sheet an interval stands below its prediction."""

INDENT = 0.15
Row = Mapping[Any, Any]


@dataclass(frozen=True)
class _Places:
    """The inches of a row, left of its bar, and of its bar; names stand above the bars on a narrow sheet."""

    width: float

    @property
    def is_narrow(self) -> bool:
        return self.width < style.WIDTH

    @property
    def row(self) -> float:
        return (2 if self.is_narrow else 0) * LINE + 0.3

    @property
    def left(self) -> float:
        return 2 * style.MARGIN if self.is_narrow else LEFT

    @property
    def across(self) -> float:
        return self.columns[0] - self.left - 0.1

    @property
    def columns(self) -> tuple[float, float, float]:
        """Where the reported, the predicted and the share as extreme begin."""
        last = self.width - EXTREME
        second = last - (PREDICTED_IN_LINES if self.is_narrow else PREDICTED)
        return second - REPORTED, second, last

    @property
    def room(self) -> float:
        return self.width - 2 * style.MARGIN if self.is_narrow else LEFT - 2 * style.MARGIN


def picture(
    table: pd.DataFrame, sizes: Mapping[str, int], source: str, longest: float, titles: Mapping[str, str] | None = None
) -> Picture:
    """Return the figure. table : see `calibration.validation.external.table`; source : the model's

    sizes, titles : cohort, by its short name -> n, and its patients in words
    longest : months on the axis at least: a median that simulated cohorts do not reach has no end
    """
    return in_two_widths(partial(_picture, table, sizes, source, longest, titles or {}))


@style.applied()
def _picture(
    table: pd.DataFrame,
    sizes: Mapping[str, int],
    source: str,
    longest: float,
    titles: Mapping[str, str],
    *,
    width: float = style.WIDTH,
) -> Picture:
    parts = [part for unit in ("%", "months") if len(part := table[table["unit"] == unit])]
    centred = " *: a prior is centred on the figure." if (table["centred_on"] != "").any() else ""
    subtitle = (
        "Predicted without refitting. Circles and bars: predicted, with the 95 % predictive interval for a cohort of "
        "that size. Diamonds: reported; a miss is orange, with a hollow diamond. As extreme: share of simulated "
        f"cohorts at least as far out.{centred}"
    )
    places = _Places(width)
    body = places.row * sum(map(_rows, parts)) + (AXIS + GAP) * len(parts)
    sheet = Sheet(title(table), subtitle, [source], body, width=width)
    foot = sheet.top
    for part in parts:
        foot -= GAP + places.row * _rows(part)
        axes = row_chart.rows_of(sheet, places.left, foot, places.across, _rows(part), places.row)
        if places.is_narrow:
            # A row's bar is at its foot, below its name.
            axes.set_ylim(*(end + LINE / places.row for end in axes.get_ylim()))
            axes.grid(visible=False)
        _fill(_Part(sheet, axes, places), part, sizes, titles, longest)
        foot -= AXIS
    return sheet.picture("validation")


def _rows(part: pd.DataFrame) -> int:
    return len(part) + part["cohort_label"].nunique()


@dataclass(frozen=True)
class _Part:
    """The figures of one unit: their axes on the sheet, in which row i is at -i."""

    sheet: Sheet
    axes: Axes
    places: _Places

    def write(self, row: float, across: float, words: str, **look: Any) -> None:
        """Write from a place across, in inches, next to the bar of a row."""
        place = (across - self.places.left) / self.places.across
        self.axes.text(place, row, words, transform=self.axes.get_yaxis_transform(), va="center", zorder=6, **look)

    def name(self, row: float, name: str) -> None:
        """Write a row's name, left of its bar or above it."""
        lines = _lines(name, self.places.room - INDENT, "normal")
        self.write(row + self.lift, style.MARGIN + INDENT, "\n".join(lines), linespacing=1.05)

    def head(self, row: float, name: str) -> None:
        """Write a cohort's name in a row of its own, which has no bar."""
        room = self.places.width - 2 * style.MARGIN if self.places.is_narrow else self.places.columns[0] - 0.3
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        self.write(row, style.MARGIN, "\n".join(_lines(name, room, "bold")), weight="bold", linespacing=1.05, bbox=box)

    @property
    def lift(self) -> float:
        """How far above a bar its name stands, in rows."""
        return (0.15 + LINE) / self.places.row if self.places.is_narrow else 0.0


def _lines(name: str, room: float, weight: str) -> Sequence[str]:
    first, *rest = text.wrap(name, room, style.TEXT, weight)
    return [first, text.fitted(" ".join(rest), room, style.TEXT, weight)] if rest else [first]


def _fill(
    part: _Part, table: pd.DataFrame, sizes: Mapping[str, int], titles: Mapping[str, str], longest: float
) -> None:
    unit, axes = str(table["unit"].iloc[0]), part.axes
    end = 100.0 if unit == "%" else max(longest, 1.1 * float(table["reported"].replace(float("inf"), longest).max()))
    axes.set(xlim=(0, end), xlabel=unit)
    for at, words in zip(part.places.columns, ("reported", "predicted", "as extreme"), strict=True):
        part.write(
            part.lift if part.places.is_narrow else 0.75, at, words, color=style.QUIET, fontsize=part.sheet.small
        )
    place = 0
    for cohort, rows in table.groupby("cohort_label", sort=False):
        size = sizes[str(cohort)]
        patients = titles.get(str(cohort), "").removeprefix(f"{size} ")
        part.head(place, f"{cohort} (n = {size}){patients and f': {patients}'}")
        for row in rows.to_dict("records"):
            place -= 1
            part.name(place, row["label"] + " *" * bool(row["centred_on"]))
            _plot(part, place, row, end)
        place -= 1


def _plot(part: _Part, place: float, row: Row, end: float) -> None:
    predicted, lower, upper, reported = (float(row[name]) for name in ("predicted", "lower", "upper", "reported"))
    axes, is_hit = part.axes, row["inside"] != "no"
    colour, dash, face = (style.BLUE, "-", style.INK) if is_hit else (style.VERMILLION, "--", "white")
    axes.plot([lower, min(upper, end)], [place, place], color=colour, linewidth=2.2, linestyle=dash)
    if upper > end:
        axes.plot(end, place, ">", color=colour, markersize=6, clip_on=False)
    if predicted <= end:
        axes.plot(predicted, place, "o", color=colour, markerfacecolor="white", markersize=6)
    axes.plot(min(reported, end), place, "D", color=style.INK, markerfacecolor=face, markersize=6, clip_on=False)
    figures = rounded(row)
    gap = "\n" if part.places.is_narrow else " "
    ends = f"{gap}({figures[2]}{f' to {figures[3]}' if np.isfinite(upper) else ' or more'})"
    predictions = f"{figures[1]}{ends}" if row["inside"] else "not simulated"
    look = {} if is_hit else {"color": style.shade(style.VERMILLION, 0.65), "weight": "bold"}
    words = (figures[0], predictions, f"{as_extreme(row)}{'' if is_hit else ' miss'}".strip())
    for at, cell in zip(part.places.columns, words, strict=True):
        part.write(place, at, cell, **look)
