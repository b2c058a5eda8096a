"""A sweep over two names as heat maps: a field a cell with its number; the main outcome first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from simulator.analyses.sweep.run import Sweep
from simulator.arrays import Booleans, Floats
from simulator.figures import style, text
from simulator.figures.analyses import sweep_text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Grid, Sample, Sheet, area, line_sample
from simulator.figures.style import Line
from simulator.plain_text import capital
from simulator.wording import sweep_axes, sweep_titles
from simulator.wording.intervals import Estimate, rounded
from simulator.wording.sweep_rows import Displayed
from simulator.wording.sweep_titles import plane

FRAMES: Sequence[Mapping[str, Any]] = (
    {"fill": False, "edgecolor": style.INK, "linewidth": 1.8},
    {"fill": False, "edgecolor": style.INK, "linewidth": 1.8, "linestyle": (0.0, (3.0, 1.4))},
)
"""Of the cell of the scenario and of the cell of today."""

TALLEST, FIELD = 4.2, 0.52
"""Inches of a map, and of a field if there are few."""

MOST_TICKS = 12

MIDDLE = 0.179
"""Luminance to which white and black have the same contrast, 4.6."""

GOOD, BAD = style.BLUE, style.VERMILLION
"""Colours of an outcome, and of a harm: there the palest is 0."""

LEAST, ERRORS = 2.0, 4.0
"""A map spans at least so much, and so many of its Monte Carlo errors: small differences and noise look small."""

CONTOUR = Line(style.INK, (0.0, (1.0, 0.8)))
"""Around the cells that are the margin or more above today's."""


@style.applied()
def picture(
    sweep: Sweep, outcomes: Sequence[Displayed], footing: Sequence[str], *, width: float = style.WIDTH
) -> Picture:
    """Return the figure of one or two outcomes over the first name (across) and the second (up)."""
    up, pathway = sweep.grid.axes[1], sweep.scenario.pathway
    height = min(max(FIELD * len(up.values), 1.2), TALLEST)
    side = sweep_text.broken(sweep_axes.label(up, pathway), height)
    left = 0.75 + 0.16 * (len(side) - 1)
    columns = 1 if width < style.WIDTH else 2
    grid = Grid(len(outcomes), columns, height, 0.34, 0.57, left, 0.9, widest=width, sheet=width)
    marks, level = sweep_text.marks(sweep), _level(sweep, outcomes[0])
    key = [Sample(words, area(height=0.14, **FRAMES[place])) for place, (words, _) in enumerate(marks)]
    if level is not None:
        key.append(line_sample(f"{sweep.manifest['margin']:g} more than today, or better", CONTOUR, 2.4))
    title, subtitle = sweep_titles.of_outcome(sweep, outcomes[0]), sweep_text.subtitle(sweep, _drawn(sweep, outcomes))
    sheet = Sheet(title, subtitle, footing, grid.height, key=key, width=width)
    for axes, outcome in zip(sheet.panels(grid, one_scale=False), outcomes, strict=True):
        _fill(axes, outcome, sweep, (grid.width, height), sheet.small)
        axes.set_ylabel("\n".join(side))
        for (_, (x, y)), look in zip(marks, FRAMES, strict=False):
            axes.add_patch(Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, **look))
        if level is not None and outcome is outcomes[0]:
            values = plane(outcome.values(sweep)[0]).T
            _contour(axes, values >= level)
    return sheet.picture("heat_map")


def _drawn(sweep: Sweep, outcomes: Sequence[Displayed]) -> str:
    has_noise = any(np.isfinite(outcome.errors(sweep)).any() for outcome in outcomes)
    where = f"where there is room{' and simulation noise allows one' * has_noise}"
    intervals = f", with 95 % intervals {where}" if sweep.manifest["draws"] > 1 else ""
    return f"All patients; {sweep_titles.uncertainty(sweep)}{intervals}."


def _level(sweep: Sweep, outcome: Displayed) -> float | None:
    """Return the value at the margin above today's cell, of survival; None where no line of it crosses the map."""
    today = sweep_text.cells(sweep).get("today")
    values = plane(outcome.values(sweep)[0])
    if outcome.is_harm or today is None or min(values.shape) < 2 or not np.isfinite(values).all():
        return None
    level = float(values[today]) + float(sweep.manifest["margin"])
    return level if values.min() < level < values.max() else None


def _contour(axes: Axes, inside: Booleans) -> None:
    """Draw a line between the fields inside and those outside, along their edges, where no number stands."""
    look: dict[str, Any] = {"color": CONTOUR.colour, "linestyle": CONTOUR.dash, "linewidth": 2.4, "zorder": 3}
    for row, column in np.argwhere(inside[:, 1:] != inside[:, :-1]):
        axes.plot([column + 0.5] * 2, [row - 0.5, row + 0.5], **look)
    for row, column in np.argwhere(inside[1:] != inside[:-1]):
        axes.plot([column - 0.5, column + 0.5], [row + 0.5] * 2, **look)


def _fill(axes: Axes, outcome: Displayed, sweep: Sweep, size: tuple[float, float], small: float) -> None:
    across, up = sweep.grid.axes[:2]
    values, lower, upper = (plane(table).T for table in outcome.values(sweep))
    colour = BAD if outcome.is_harm else GOOD
    colours = LinearSegmentedColormap.from_list(outcome.outcome, [style.shade(colour, 1.93), style.shade(colour, 0.8)])
    low, high = scale(values, plane(outcome.errors(sweep)), from_zero=outcome.is_harm)
    axes.imshow(values, origin="lower", aspect="auto", cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    axes.set_title(capital(outcome.label))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel(sweep_axes.label(across, sweep.scenario.pathway))
    for axis, put in ((across, axes.set_xticks), (up, axes.set_yticks)):
        places = range(0, len(axis.values), -(-len(axis.values) // MOST_TICKS))
        put(places, [sweep_axes.number(axis, sweep.scenario.pathway, axis.values[place]) for place in places])
    tables = zip(values.ravel().tolist(), lower.ravel().tolist(), upper.ravel().tolist(), strict=True)
    numbers = [rounded(value, least, most, outcome.unit) for value, least, most in tables]
    _write_numbers(axes, values, numbers, size, small, lambda value: _ink(colours((value - low) / (high - low))))


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
    return "white" if style.luminance(field) < MIDDLE else style.BLACK


def _write_numbers(
    axes: Axes, values: Floats, numbers: Sequence[Estimate], size: tuple[float, float], small: float,
    ink: Callable[[float], str],
) -> None:  # fmt: skip
    """Write each field's number, and its interval below, if there is room; else the ends of the scale above the map."""
    rows, columns = values.shape
    room, height = size[0] / columns - 0.08, size[1] / rows
    intervals = [number.interval for number in numbers]
    needed = max(text.width(number.value) for number in numbers)
    has_intervals = height > 0.32 and max(text.width(interval, small) for interval in intervals) <= room
    if needed > room or height < 0.17:
        known = values[np.isfinite(values)]
        if known.size:
            lightest, darkest = (numbers[int(place)].value for place in (np.nanargmin(values), np.nanargmax(values)))
            words = f"lightest {lightest}, darkest {darkest}"
            axes.set_title(words, fontsize=small, fontweight="normal", color=style.QUIET, loc="right")
        return
    for (row, column), number, interval in zip(np.ndindex(rows, columns), numbers, intervals, strict=True):
        colour = ink(float(values[row, column])) if np.isfinite(values[row, column]) else style.INK
        below = interval if has_intervals else ""
        axes.annotate(
            number.value, (column, row), (0, 1 if below else 0), textcoords="offset points", ha="center",
            va="bottom" if below else "center", fontweight="bold", color=colour,
        )  # fmt: skip
        axes.annotate(
            below, (column, row), (0, -1), textcoords="offset points", ha="center", va="top", fontsize=small,
            color=colour,
        )  # fmt: skip
