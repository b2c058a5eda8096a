"""Small multiples of a sweep: a panel an outcome, over the first name; a line a value of the second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes

from simulator.analyses.sweep.run import Sweep
from simulator.figures import style, text
from simulator.figures.analyses import sweep_text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Grid, Sheet, line_sample, title_panel
from simulator.figures.style import Line
from simulator.plain_text import capital
from simulator.wording.sweep_rows import Displayed

MOST_LINES = 5
"""Values of the second name that are drawn; if there are more, so many from the first to the last."""

MOST_BANDS = 2
"""With more lines, bands would hide one another: then the first and the last line have them."""

Lines = dict[int | None, Line]
"""Drawn place on the second axis -> its line; None if one name varies."""


@style.applied()
def picture(sweep: Sweep, outcomes: Sequence[Displayed], footing: Sequence[str], name: str, **size: float) -> Picture:
    """Return the figure, a panel for each outcome. size : of a panel, if not the usual (see Grid)."""
    lines = _lines(sweep)
    grid = Grid(len(outcomes), 4 if len(outcomes) in (4, 7, 8) else 3, **{"above": 0.42, "gap": 0.5, **size})
    label = sweep_text.broken(sweep.grid.names[0], grid.width)
    grid = replace(grid, below=0.55 + 0.15 * (len(label) - 1))
    lead, key = "", []
    if len(sweep.grid.axes) > 1:
        axis = sweep.grid.axes[1]
        lead = f"{axis.name}:"
        key = [line_sample(f"{axis.values[place]:.10g}", line) for place, line in lines.items() if place is not None]
    key_left = style.MARGIN + text.width(lead) + 0.15
    footing = [_bands_in_words(sweep), *footing]
    title, subtitle = sweep_text.title(sweep), sweep_text.subtitle(sweep)
    sheet = Sheet(title, subtitle, footing, grid.height, key=key, key_left=key_left)
    sheet.page.text(style.MARGIN, sheet.top + 0.15, lead, va="center")
    for axes, outcome in zip(sheet.panels(grid, one_scale=False), outcomes, strict=True):
        _fill(axes, outcome, sweep, lines, grid.width)
        axes.set_xlabel("\n".join(label))
    names = " and ".join(sweep.grid.names[:2])
    sentences = [f"Small multiples of {sweep.scenario.name} by {names}.{sweep_text.fixed_sentence(sweep)}"]
    return sheet.picture(name, " ".join([*sentences, *(sweep_text.ends(sweep, outcome) for outcome in outcomes)]))


def _lines(sweep: Sweep) -> Lines:
    """Return the lines of the drawn values, evenly from the first to the last."""
    if len(sweep.grid.axes) == 1:
        return {None: style.lines(["only"])["only"]}
    count = len(sweep.grid.axes[1].values)
    places = sorted({round(place) for place in np.linspace(0, count - 1, min(count, MOST_LINES))})
    return dict(zip(places, style.lines([str(place) for place in places]).values(), strict=True))


def _fill(axes: Axes, outcome: Displayed, sweep: Sweep, lines: Lines, width: float) -> None:
    estimate, lower, upper = (sweep_text.plane(value) for value in outcome.values(sweep))
    axis = sweep.grid.axes[0]
    x = np.array(axis.values, dtype=float)
    order = np.argsort(x)
    ends = list(lines)
    banded = set(ends) if len(ends) <= MOST_BANDS else {ends[0], ends[-1]}
    marker = "o" if x.size <= 8 else ""
    for place, line in lines.items():
        mean, low, high = ((table if place is None else table[:, place])[order] for table in (estimate, lower, upper))
        axes.plot(
            x[order], mean, color=line.colour, linestyle=line.dash, linewidth=1.6, marker=marker, markersize=3.5,
            zorder=3,
        )  # fmt: skip
        if place in banded and np.any(high > low):
            axes.fill_between(x[order], low, high, color=line.colour, alpha=0.12, linewidth=0, zorder=1)
    highest = axes.get_ylim()[1]
    axes.set_ylim(0.0, 100.0 if outcome.label.endswith("%") and highest > 95.0 else max(highest, 1.0))
    axes.grid(axis="y", zorder=0)
    if x.size <= 8:
        axes.set_xticks(x, [f"{value:.10g}" for value in axis.values])
    title_panel(axes, "\n".join(text.wrap(capital(outcome.label), width, style.TEXT, "bold")[:2]))


def _bands_in_words(sweep: Sweep) -> str:
    """Return the meaning of the bands, and the drawn values."""
    sentences = []
    lines = 1 if len(sweep.grid.axes) == 1 else len(sweep.grid.axes[1].values)
    if sweep.manifest["draws"] > 1:
        banded = " (of the first and the last line)" if lines > MOST_BANDS else ""
        sentences.append(f"Bands: 95 % interval over the parameter sets{banded}. All values share the parameter sets,")
        sentences.append("so differences are more certain than the bands (sweep.csv).")
    if lines > MOST_LINES:
        sentences.append(f"{MOST_LINES} of {lines} values of {sweep.grid.names[1]} are shown.")
    return " ".join(sentences)
