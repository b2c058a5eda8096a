"""The table under a survival curve: the number of a cohort alive at each month, expected and reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from simulator.figures import style
from simulator.figures.sheet import Sheet, line_sample, marker_sample
from simulator.figures.style import Line
from simulator.figures.survival.curve import Curve

ROW, NAME_LINE, AFTER = 0.19, 0.135, 0.2
"""Inches a row, a further line of its name, and from the end of a panel to the name."""

SIZE = style.SMALL + 0.5
"""Points of its letters."""

REPORTED = "reported"


def height(names: Sequence[str]) -> float:
    """Return the inches of a table with its heading. names : of its rows, broken into lines"""
    return ROW * (len(names) + 1.1) + NAME_LINE * sum(name.count("\n") for name in names)


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
    names: Mapping[str, str],
    lines: Mapping[str, Line],
) -> None:
    """Write the rows: a sample of the line, the numbers below every panel at its ticks, the name after the first panel.

    top : inches from the sheet's foot to the title of the table; names : of the rows, broken into lines
    """
    page = sheet.page
    page.text(style.MARGIN, top, title, fontsize=SIZE, color=style.QUIET, va="center")
    right = panels[0].get_position().x1 * sheet.figure.get_figwidth() + AFTER
    y = top - 0.1 * ROW
    for place, (scenario, alive) in enumerate(rows):
        more = NAME_LINE * names[scenario].count("\n")
        y -= ROW + more / 2
        circle = marker_sample("", "o", style.INK, "white")
        sheet.sample(line_sample("", lines[scenario]) if scenario in lines else circle, style.MARGIN, y)
        page.text(right, y, names[scenario], fontsize=SIZE, va="center", linespacing=1.1)
        for axes in panels:
            below = blended_transform_factory(axes.transData, page.transData)
            for month in axes.get_xticks():
                number = alive.get(float(month), "" if place else "·")
                page.text(month, y, number, transform=below, ha="center", va="center", fontsize=SIZE)
        y -= more / 2
