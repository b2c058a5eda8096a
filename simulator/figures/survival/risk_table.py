"""The table under a survival curve: the number of a cohort alive at each month, expected and reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from simulator.figures import style, text
from simulator.figures.sheet import Sheet, line_sample, marker_sample
from simulator.figures.style import Line
from simulator.figures.survival.curve import Curve
from simulator.wording.headline import scenario_in_words

ROW = 0.19
"""Inches a row."""

SIZE = style.SMALL + 0.5
"""Points of its letters."""

REPORTED = "reported"


def height(n_rows: int) -> float:
    """Return the inches of a table with its heading."""
    return ROW * (n_rows + 1.1)


def rows_of(curves: Sequence[Curve], reported: pd.DataFrame, n: int) -> list[tuple[str, dict[float, str]]]:
    """Return (scenario or REPORTED, month -> number alive) a row: any reported counts, then n S(t) a scenario."""
    rows = []
    if len(reported):
        counts = {float(m): f"{c:.0f}" for m, c in zip(reported["month"], reported["count"], strict=True)}
        rows.append((REPORTED, {0.0: f"{n}", **counts}))
    for curve in curves:
        alive = {float(m): f"{n * s:.0f}" for m, s in zip(curve.months, curve.survival, strict=True) if np.isfinite(s)}
        rows.append((curve.scenario, alive))
    return rows


def write(
    sheet: Sheet,
    panels: Sequence[Axes],
    top: float,
    title: str,
    rows: Sequence[tuple[str, Mapping[float, str]]],
    lines: Mapping[str, Line],
) -> None:
    """Write the rows' names at the left, and the numbers below every panel at its ticks.

    top : inches from the sheet's foot to the title of the table
    """
    page = sheet.page
    page.text(style.MARGIN, top, title, fontsize=SIZE, color=style.QUIET, va="center")
    left = panels[0].get_position().x0 * sheet.figure.get_figwidth()
    for place, (name, _) in enumerate(rows):
        y = top - ROW * (place + 1.1)
        short = text.fitted(scenario_in_words(name), left - style.MARGIN - 0.5, SIZE)
        circle = marker_sample(short, "o", style.INK, "white")
        sample = line_sample(short, lines[name]) if name in lines else circle
        sheet.sample(replace(sample, colour=style.INK, weight="normal", size=SIZE), style.MARGIN, y)
    for axes in panels:
        below = blended_transform_factory(axes.transData, page.transData)
        for place, (_, alive) in enumerate(rows):
            for month in axes.get_xticks():
                number = alive.get(float(month), "" if place else "·")
                y = top - ROW * (place + 1.1)
                page.text(month, y, number, transform=below, ha="center", va="center", fontsize=SIZE)
