"""A sweep over two names as heat maps: a field a cell with its number; the main outcome first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from simulator.analyses.sweep.axis import Axis
from simulator.analyses.sweep.run import Sweep
from simulator.arrays import Floats
from simulator.figures import style
from simulator.figures import text as lettering
from simulator.figures.analyses import sweep_text
from simulator.wording import rounding
from simulator.wording.numbers import capital
from simulator.wording.sweep_rows import Displayed

TALLEST, FIELD = 4.2, 0.52
"""Inches of a map, and of a field if there are few."""

LEFT, GAP, TITLE, FOOT, LINE = 0.75, 0.9, 0.34, 0.62, 0.16
MOST_TICKS = 12

COLOURS = (style.BLUE, style.VERMILLION)
"""Of the first map, which is good, and of the second, which is bad."""


def draw(sweep: Sweep, outcomes: Sequence[Displayed], footing: str) -> Figure:
    """Return the figure of one or two outcomes over the first name (across) and the second (up)."""
    with style.applied():
        across, up = sweep.grid.axes[:2]
        subtitle = sweep_text.subtitle(sweep)
        foot = lettering.footing_height(footing)
        height = min(max(FIELD * len(up.values), 1.2), TALLEST)
        side = sweep_text.broken(up.name, height)
        height = max(height, *(lettering.width(line) for line in side))
        left = LEFT + LINE * (len(side) - 1)
        head = lettering.heading_height(subtitle) + TITLE
        figure = style.canvas(style.WIDTH, head + height + FOOT + foot)
        lettering.heading(figure, sweep_text.title(sweep), subtitle)
        lettering.footing(figure, footing)
        width = (style.WIDTH - left - style.MARGIN - GAP * (len(outcomes) - 1)) / len(outcomes)
        width = min(width, 1.4 * len(across.values) + 0.5)
        for place, outcome in enumerate(outcomes):
            axes = style.axes(figure, left + place * (width + GAP), foot + FOOT, width, height)
            _fill(axes, outcome, sweep, COLOURS[place], (width, height))
            axes.set_ylabel("" if place else "\n".join(side))
    return figure


def _fill(axes: Axes, outcome: Displayed, sweep: Sweep, colour: str, size: tuple[float, float]) -> None:
    across, up = sweep.grid.axes[:2]
    values = sweep_text.plane(outcome.values(sweep)[0]).T
    colours = LinearSegmentedColormap.from_list("own", [style.shade(colour, 1.93), style.shade(colour, 0.8)])
    low, high = _range(values)
    axes.imshow(values, origin="lower", aspect="auto", cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    axes.set_title(capital(outcome.label), fontsize=style.TEXT, fontweight="bold", loc="left")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    _ticks(axes, across, up)
    _write_numbers(axes, values, outcome.unit, size, lambda value: _ink(colours((value - low) / (high - low))))


def _range(values: Floats) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    # A map spans at least 2, so that small differences look small.
    spare = max(2.0 - (high - low), 0.0)
    return low - spare / 2, high + spare / 2


def _ticks(axes: Axes, across: Axis, up: Axis) -> None:
    axes.set_xlabel(across.name)
    for axis, put in ((across, axes.set_xticks), (up, axes.set_yticks)):
        places = _some(len(axis.values))
        put(places, [f"{axis.values[place]:.10g}" for place in places])


def _some(count: int) -> list[int]:
    """Return the places of ticks, all if there are few."""
    return list(range(0, count, -(-count // MOST_TICKS)))


def _ink(field: tuple[float, float, float, float]) -> str:
    """Return the text colour with more contrast on a field (WCAG 2.2: relative luminance)."""
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in field[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "white" if luminance < 0.183 else style.INK


def _write_numbers(
    axes: Axes, values: Floats, unit: str, size: tuple[float, float], ink: Callable[[float], str]
) -> None:
    """Write each field's number if there is room, else the ends of the scale above the map."""
    rows, columns = values.shape
    texts = [[rounding.number(value, unit) for value in row] for row in values]
    needed = max(lettering.width(text, style.TEXT) for row in texts for text in row) + 0.1
    if size[0] / columns < needed or size[1] / rows < 0.17:
        known = values[np.isfinite(values)]
        if known.size:
            lightest, darkest = (rounding.number(end, unit) for end in (known.min(), known.max()))
            scale = f"lightest {lightest}, darkest {darkest}"
            axes.set_title(scale, fontsize=style.SMALL, color=style.QUIET, loc="right")
        return
    for row in range(rows):
        for column in range(columns):
            value = values[row, column]
            colour = ink(value) if np.isfinite(value) else style.INK
            axes.text(column, row, texts[row][column], ha="center", va="center", color=colour)


def alt_text(sweep: Sweep, outcomes: Sequence[Displayed]) -> str:
    """Return the figure in words with numbers."""
    across, up = sweep.grid.axes[:2]
    sentences = [f"{sweep.scenario.name} by {across.name} and {up.name}.{sweep_text.fixed_sentence(sweep)}"]
    sentences += [sweep_text.ends(sweep, outcome) for outcome in outcomes]
    return " ".join(sentences)
