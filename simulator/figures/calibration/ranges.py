"""Reported figures of cohorts whose share treated is unknown, and the predictions at each share: a panel a figure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.figures import style
from simulator.figures.picture import Picture
from simulator.figures.sheet import Grid, Sheet
from simulator.wording.validation import in_words, ranges_caption


@style.applied()
def picture(table: pd.DataFrame, sizes: Mapping[str, int], source: str) -> Picture:
    """Return the figure. table : see `calibration.validation.over_range.table`

    sizes : cohort, by its short name -> n
    """
    panels = list(table.groupby(["cohort_label", "label"], sort=False))
    subtitle = (
        "Line and band: predicted, with the 95 % predictive interval for a cohort of that size. Dashed: reported."
    )
    grid = Grid(len(panels), 4, plot=1.5, gap=0.62)
    footing = [f"{ranges_caption(table)} as on the horizontal axis, in %.", source]
    sheet = Sheet("External validation: where the share treated is unknown", subtitle, footing, grid.height)
    sentences = ["Predictions over a share that a cohort does not report."]
    for axes, ((cohort, label), of_figure) in zip(sheet.panels(grid, one_scale=False), panels, strict=True):
        records = of_figure.to_dict("records")
        _fill(axes, of_figure)
        axes.set_title(f"{cohort} (n = {sizes[str(cohort)]})\n{label}, {records[0]['unit']}", fontsize=style.SMALL)
        ends = [f"at {100 * row['setting']:.0f} %, {in_words(row)}" for row in (records[0], records[-1])]
        sentences.append(f"{cohort}: {label}, {'; '.join(ends)}.")
    return sheet.picture("validation_ranges", " ".join(sentences))


def _fill(axes: Axes, rows: pd.DataFrame) -> None:
    across, unit = 100.0 * rows["setting"], str(rows["unit"].iloc[0])
    reported = float(rows["reported"].iloc[0])
    finite = [value for value in (*rows["predicted"], *rows["upper"], reported) if np.isfinite(value)]
    top = 100.0 if unit == "%" else 1.15 * max(finite)
    upper = rows["upper"].clip(upper=2.0 * top)
    axes.fill_between(across, rows["lower"], upper, color=style.BLUE, alpha=0.18, linewidth=0)
    axes.plot(across, rows["predicted"].clip(upper=2.0 * top), color=style.BLUE, linewidth=1.8)
    axes.axhline(reported, color=style.INK, linestyle="--", linewidth=1.2)
    lever = str(rows["lever"].iloc[0]).replace("_", " ")
    axes.set(xlim=(across.min(), across.max()), ylim=(0, top), xlabel=f"{lever}, %")
