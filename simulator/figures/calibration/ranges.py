"""Reported figures of cohorts whose share treated is unknown, and the predictions at each share: a panel a figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.figures import style, text
from simulator.figures.picture import Picture, in_two_widths
from simulator.figures.sheet import Grid, Sheet
from simulator.plain_text import capital
from simulator.wording.validation import ranges_title


def picture(table: pd.DataFrame, sizes: Mapping[str, int], source: str) -> Picture:
    """Return the figure. table : see `calibration.validation.over_range.table`

    sizes : cohort, by its short name -> n
    """
    return in_two_widths(partial(_picture, table, sizes, source))


@style.applied()
def _picture(table: pd.DataFrame, sizes: Mapping[str, int], source: str, *, width: float = style.WIDTH) -> Picture:
    panels = list(table.groupby(["cohort_label", "label"], sort=False))
    levers = " and ".join(dict.fromkeys(map(_in_words, table["lever"])))
    subtitle = (
        f"The cohorts do not report {levers}. Line and band: predicted at every value of it, with the 95 % predictive "
        "interval for a cohort of that size. Dashed: reported."
    )
    grid = Grid(len(panels), 4 if width >= style.WIDTH else 2, plot=1.5, gap=0.62, sheet=width)
    small = style.small(width)
    titles = [
        text.balanced(
            f"{cohort} (n = {sizes[str(cohort)]}): {label}, {rows['unit'].iloc[0]}", grid.width + 0.3, small, "bold"
        )
        for (cohort, label), rows in panels
    ]
    grid = replace(grid, above=0.2 + 0.15 * max(map(len, titles)))
    sheet = Sheet(ranges_title(table), subtitle, [source], grid.height, width=width)
    for axes, (_, of_figure), words in zip(sheet.panels(grid, one_scale=False), panels, titles, strict=True):
        _fill(axes, of_figure)
        axes.set_title("\n".join(words), fontsize=sheet.small)
    return sheet.picture("validation_ranges")


def _fill(axes: Axes, rows: pd.DataFrame) -> None:
    across, unit = 100.0 * rows["setting"], str(rows["unit"].iloc[0])
    reported = float(rows["reported"].iloc[0])
    finite = [value for value in (*rows["predicted"], *rows["upper"], reported) if np.isfinite(value)]
    top = 100.0 if unit == "%" else 1.15 * max(finite)
    upper = rows["upper"].clip(upper=2.0 * top)
    axes.fill_between(across, rows["lower"], upper, color=style.BLUE, alpha=0.18, linewidth=0)
    axes.plot(across, rows["predicted"].clip(upper=2.0 * top), color=style.BLUE, linewidth=1.8)
    axes.axhline(reported, color=style.INK, linestyle="--", linewidth=1.2)
    lever = capital(_in_words(rows["lever"].iloc[0]))
    axes.set(xlim=(across.min(), across.max()), ylim=(0, top), xlabel=f"{lever}, %")


def _in_words(lever: str) -> str:
    return lever.replace("_", " ")
