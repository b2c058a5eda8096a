"""The table under a survival curve: the number of a cohort alive at each month, expected and reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.figures import style
from simulator.figures import text as lettering
from simulator.figures.style import Line
from simulator.figures.survival.curve import Curve

ROW = 0.19
"""Inches a row."""


def height(n_rows: int) -> float:
    """Return the inches of a table with its heading."""
    return ROW * (n_rows + 1.1)


def rows_of(curves: Sequence[Curve], reported: pd.DataFrame, n: int) -> list[tuple[str, dict[float, str]]]:
    """Return (label, month -> number alive) a row: the reported counts if there are any, then n S(t) a scenario."""
    rows = []
    if len(reported):
        counts = {float(m): f"{c:.0f}" for m, c in zip(reported["month"], reported["count"], strict=True)}
        rows.append(("reported", {0.0: f"{n}", **counts}))
    for curve in curves:
        alive = {float(m): f"{n * s:.0f}" for m, s in zip(curve.months, curve.survival, strict=True) if np.isfinite(s)}
        rows.append((curve.scenario, alive))
    return rows


def draw(
    sheet: Axes,
    axes: Axes,
    top: float,
    rows: Sequence[tuple[str, Mapping[float, str]]],
    ticks: Sequence[float],
    end: float,
) -> None:
    """Write the numbers below `axes`, at its ticks; `whole` : see style.sheet; top : inches from the figure's foot."""
    left, _, across, _ = _inches(axes)
    for place, (_, alive) in enumerate(rows):
        for month in ticks:
            sheet.text(
                left + across * month / end,
                top - ROW * (place + 1.1),
                alive.get(month, "" if place else "·"),
                ha="center",
                va="center",
                fontsize=style.SMALL + 0.5,
                color=style.INK,
            )


def label(
    sheet: Axes, right: float, top: float, title: str, names: Sequence[str], lines: Mapping[str, Line]
) -> None:
    """Write the table's heading and the rows' names, with a sample of each line, to the left of `right`."""
    sheet.text(style.MARGIN, top, title, fontsize=style.SMALL + 0.5, color=style.QUIET, va="center")
    for place, name in enumerate(names):
        y = top - ROW * (place + 1.1)
        x = style.MARGIN
        if name in lines:
            style.sample(sheet, x, y, lines[name])
        else:
            sheet.plot([x + 0.15], [y], "o", markersize=4.5, markerfacecolor="white", markeredgecolor=style.INK)
        text = lettering.fitted(name, right - x - 0.5, style.SMALL + 0.5)
        sheet.text(x + 0.38, y, text, va="center", fontsize=style.SMALL + 0.5)


def _inches(axes: Axes) -> tuple[float, float, float, float]:
    """Return left, bottom, width, height of axes in inches."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    across, up = figure.get_size_inches()
    place = axes.get_position()
    return place.x0 * across, place.y0 * up, place.width * across, place.height * up
