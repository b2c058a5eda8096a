"""A sweep over two names as heat maps: a field a cell with its number; the main outcome first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from simulator.analyses.sweep.run import Sweep
from simulator.arrays import Floats
from simulator.figures import style, text
from simulator.figures.analyses import sweep_text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Grid, Sample, Sheet, area
from simulator.plain_text import capital
from simulator.wording import rounding
from simulator.wording.sweep_rows import Displayed

FRAMES: Sequence[Mapping[str, Any]] = (
    {"fill": False, "edgecolor": style.INK, "linewidth": 1.8},
    {"fill": False, "edgecolor": style.INK, "linewidth": 1.8, "linestyle": (0.0, (3.0, 1.4))},
)
"""Of the cell of the scenario and of the cell of today."""

TALLEST, FIELD = 4.2, 0.52
"""Inches of a map, and of a field if there are few."""

MOST_TICKS = 12

COLOURS = (style.BLUE, style.VERMILLION)
"""Of the first map, which is good, and of the second, which is bad: there the palest is 0."""

LEAST, ERRORS = 2.0, 4.0
"""A map spans at least so much, and so many of its Monte Carlo errors: small differences and noise look small."""


@style.applied()
def picture(sweep: Sweep, outcomes: Sequence[Displayed], footing: Sequence[str]) -> Picture:
    """Return the figure of one or two outcomes over the first name (across) and the second (up)."""
    across, up = sweep.grid.axes[:2]
    height = min(max(FIELD * len(up.values), 1.2), TALLEST)
    side = sweep_text.broken(up.name, height)
    height = max(height, *(text.width(line) for line in side))
    left, widest = 0.75 + 0.16 * (len(side) - 1), 1.4 * len(across.values) + 0.5
    grid = Grid(len(outcomes), 2, plot=height, above=0.34, below=0.57, left=left, gap=0.9, widest=widest)
    marks = sweep_text.marks(sweep)
    key = [Sample(words, area(height=0.14, **FRAMES[place])) for place, (words, _) in enumerate(marks)]
    sheet = Sheet(sweep_text.title(sweep), sweep_text.subtitle(sweep), footing, grid.height, key=key)
    for axes, outcome, colour in zip(sheet.panels(grid, one_scale=False), outcomes, COLOURS, strict=False):
        _fill(axes, outcome, sweep, colour, (grid.width, height))
        axes.set_ylabel("\n".join(side))
        for (_, (x, y)), look in zip(marks, FRAMES, strict=False):
            axes.add_patch(Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, **look))
    sentences = [f"{sweep.scenario.name} by {across.name} and {up.name}.{sweep_text.fixed_sentence(sweep)}"]
    return sheet.picture("heat_map", " ".join([*sentences, *(sweep_text.ends(sweep, outcome) for outcome in outcomes)]))


def _fill(axes: Axes, outcome: Displayed, sweep: Sweep, colour: str, size: tuple[float, float]) -> None:
    across, up = sweep.grid.axes[:2]
    values = sweep_text.plane(outcome.values(sweep)[0]).T
    colours = LinearSegmentedColormap.from_list(outcome.outcome, [style.shade(colour, 1.93), style.shade(colour, 0.8)])
    bad = colour != COLOURS[0]
    low, high = scale(values, sweep_text.plane(outcome.errors(sweep)), from_zero=bad)
    axes.imshow(values, origin="lower", aspect="auto", cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    axes.set_title(capital(outcome.label))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel(across.name)
    for axis, put in ((across, axes.set_xticks), (up, axes.set_yticks)):
        count = len(axis.values)
        places = range(0, count, -(-count // MOST_TICKS))
        put(places, [f"{axis.values[place]:.10g}" for place in places])
    _write_numbers(axes, values, outcome.unit, size, lambda value: _ink(colours((value - low) / (high - low))))


def scale(values: Floats, errors: Floats, *, from_zero: bool) -> tuple[float, float]:
    """Return the values of the palest and the darkest colour of a map.

    errors : Monte Carlo standard errors, NaN of one replication; from_zero : whether the palest is 0
    """
    known, noise = values[np.isfinite(values)], errors[np.isfinite(errors)]
    if not known.size:
        return 0.0, 1.0
    low, high = 0.0 if from_zero else float(known.min()), float(known.max())
    spare = max(LEAST, ERRORS * float(noise.max(initial=0.0))) - (high - low)
    below = 0.0 if from_zero else max(spare, 0.0) / 2
    return low - below, high + max(spare, 0.0) - below


def _ink(field: tuple[float, float, float, float]) -> str:
    """Return the text colour with more contrast on a field."""
    return "white" if style.luminance(field) < 0.183 else style.INK


def _write_numbers(
    axes: Axes, values: Floats, unit: str, size: tuple[float, float], ink: Callable[[float], str]
) -> None:
    """Write each field's number if there is room, else the ends of the scale above the map."""
    rows, columns = values.shape
    numbers = [[rounding.number(value, unit) for value in row] for row in values]
    needed = max(text.width(number) for row in numbers for number in row) + 0.1
    if size[0] / columns < needed or size[1] / rows < 0.17:
        known = values[np.isfinite(values)]
        if known.size:
            lightest, darkest = (rounding.number(end, unit) for end in (known.min(), known.max()))
            scale = f"lightest {lightest}, darkest {darkest}"
            axes.set_title(scale, fontsize=style.SMALL, fontweight="normal", color=style.QUIET, loc="right")
        return
    for (row, column), value in np.ndenumerate(values):
        colour = ink(value) if np.isfinite(value) else style.INK
        axes.text(column, row, numbers[row][column], ha="center", va="center", color=colour)
