"""Small multiples of a sweep: a panel an outcome, over the first name; a line a value of the second."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.analyses.sweep.axis import Axis
from simulator.analyses.sweep.run import Sweep
from simulator.arrays import Floats
from simulator.figures import style, text
from simulator.figures.analyses import sweep_text
from simulator.figures.style import Line
from simulator.wording.numbers import capital
from simulator.wording.sweep_rows import Displayed

MOST_LINES = 5
"""Values of the second name that are drawn; if there are more, so many from the first to the last."""

MOST_BANDS = 2
"""With more lines, bands would hide one another: then the first and the last line have them."""

PLOT = 1.85
TITLE, FOOT, LEFT, GAP, WIDEST = 0.42, 0.55, 0.62, 0.5, 3.2

Lines = dict[int | None, Line]
"""Drawn place on the second axis -> its line; None if one name varies."""


def draw(
    sweep: Sweep, outcomes: Sequence[Displayed], footing: str, *, plot: float = PLOT, widest: float = WIDEST
) -> Figure:
    """Return the figure, a panel for each outcome."""
    with style.applied():
        lines = _lines(sweep)
        across = min(len(outcomes), 4 if len(outcomes) in (4, 7, 8) else 3)
        width = min(widest, (style.WIDTH - LEFT - style.MARGIN - GAP * (across - 1)) / across)
        below = "\n".join(sweep_text.broken(sweep.grid.names[0], width))
        room = FOOT + 0.15 * below.count("\n")
        down = -(-len(outcomes) // across)
        subtitle = sweep_text.subtitle(sweep)
        keys = 0.3 if len(sweep.grid.axes) > 1 else 0.0
        head = text.heading_height(subtitle) + keys
        foot = text.footing_height(footing) + 0.05
        figure = style.canvas(style.WIDTH, head + down * (TITLE + plot + room) + foot)
        text.heading(figure, sweep_text.title(sweep), subtitle)
        text.footing(figure, footing)
        up = figure.get_size_inches()[1]
        if keys:
            _write_key(style.sheet(figure), up - head + 0.16, sweep.grid.axes[1], lines)
        for place, outcome in enumerate(outcomes):
            row, column = divmod(place, across)
            bottom = up - head - (row + 1) * (TITLE + plot + room) + room
            axes = style.axes(figure, LEFT + column * (width + GAP), bottom, width, plot)
            _fill(axes, outcome, sweep, lines, width)
            axes.set_xlabel(below)
    return figure


def _lines(sweep: Sweep) -> Lines:
    if len(sweep.grid.axes) == 1:
        return {None: style.lines(["only"])["only"]}
    places = _drawn(sweep.grid.axes[1])
    styles = style.lines([str(place) for place in places])
    return {place: styles[str(place)] for place in places}


def _drawn(axis: Axis) -> list[int]:
    """Return the places of the drawn values, evenly from the first to the last."""
    count = len(axis.values)
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, MOST_LINES))})


def _fill(axes: Axes, outcome: Displayed, sweep: Sweep, lines: Lines, width: float) -> None:
    estimate, lower, upper = (sweep_text.plane(value) for value in outcome.values(sweep))
    axis = sweep.grid.axes[0]
    x = np.array(axis.values, dtype=float)
    order = np.argsort(x)
    ends = list(lines)
    banded = set(ends) if len(ends) <= MOST_BANDS else {ends[0], ends[-1]}
    for place, line in lines.items():
        line_values = [values if place is None else values[:, place] for values in (estimate, lower, upper)]
        _plot(axes, x[order], [values[order] for values in line_values], line, band=place in banded)
    axes.set_ylim(bottom=0.0)
    low, high = axes.get_ylim()
    axes.set_ylim(low, 100.0 if outcome.label.endswith("%") and high > 95.0 else max(high, 1.0))
    axes.grid(axis="y", color=style.HAIR, linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    if x.size <= 8:
        axes.set_xticks(x, [f"{value:.10g}" for value in axis.values])
    title = "\n".join(text.wrap(capital(outcome.label), width, style.TEXT, "bold")[:2])
    axes.set_title(title, fontsize=style.TEXT, fontweight="bold", loc="left", pad=6)


def _plot(axes: Axes, x: Floats, values: list[Floats], line: Line, *, band: bool) -> None:
    estimate, lower, upper = values
    marker = "o" if x.size <= 8 else ""
    axes.plot(
        x, estimate, color=line.colour, linestyle=line.dash, linewidth=1.6, marker=marker, markersize=3.5, zorder=3
    )
    if band and np.any(upper > lower):
        axes.fill_between(x, lower, upper, color=line.colour, alpha=0.12, linewidth=0, zorder=1)


def _write_key(sheet: Axes, y: float, axis: Axis, lines: Lines) -> None:
    """Write the second name, and a sample of each line with its value."""
    x = style.MARGIN
    sheet.text(x, y, f"{axis.name}:", va="center")
    x += text.width(f"{axis.name}:", style.TEXT) + 0.15
    for place, line in lines.items():
        assert place is not None
        value = f"{axis.values[place]:.10g}"
        style.sample(sheet, x, y, line)
        sheet.text(x + 0.36, y, value, va="center", color=line.dark, fontweight="bold")
        x += 0.66 + text.width(value, style.TEXT, "bold")


def note(sweep: Sweep) -> str:
    """Return the meaning of the bands, and the drawn values, for the footing."""
    sentences = []
    lines = 1 if len(sweep.grid.axes) == 1 else len(sweep.grid.axes[1].values)
    if sweep.manifest["draws"] > 1:
        banded = " (of the first and the last line)" if lines > MOST_BANDS else ""
        sentences.append(f"Bands: 95 % interval over the parameter sets{banded}. All values share the parameter sets,")
        sentences.append("so differences are more certain than the bands (sweep.csv).")
    if lines > MOST_LINES:
        sentences.append(f"{MOST_LINES} of {lines} values of {sweep.grid.names[1]} are shown.")
    return " ".join(sentences)


def alt_text(sweep: Sweep, outcomes: Sequence[Displayed]) -> str:
    """Return the figure in words with numbers."""
    names = " and ".join(sweep.grid.names[:2])
    sentences = [f"Small multiples of {sweep.scenario.name} by {names}.{sweep_text.fixed_sentence(sweep)}"]
    sentences += [sweep_text.ends(sweep, outcome) for outcome in outcomes]
    return " ".join(sentences)
