"""Small multiples of a sweep: a panel an outcome, over the first name; a line a value of the second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex

from simulator.analyses.sweep.run import Sweep
from simulator.figures import style, text
from simulator.figures.analyses import sweep_text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Grid, Sample, Sheet, line_sample, title_panel
from simulator.figures.style import Line
from simulator.plain_text import capital
from simulator.wording import rounding, sweep_axes, sweep_titles
from simulator.wording.sweep_rows import Displayed
from simulator.wording.sweep_titles import plane

MOST_LINES = 5
"""Values of the second name that are drawn; if there are more, so many from the first to the last."""

MOST_BANDS = 2
"""With more lines, bands would hide one another: then the first and the last line have them."""

HUE = LinearSegmentedColormap.from_list("values", [style.shade(style.BLUE, 1.45), style.shade(style.BLUE, 0.5)])
"""Values in their order, from light to dark."""

MARKS: Mapping[str, Line] = {"today": Line(style.INK, (0.0, (1.2, 1.8)))}
SCENARIO = Line(style.VERMILLION, (0.0, (5.0, 1.6)))
"""Upright lines of today and of the scenario."""

Lines = dict[int | None, Line]
"""Drawn place on the second axis -> its line; None if one name varies."""


@style.applied()
def picture(
    sweep: Sweep,
    outcomes: Sequence[Displayed],
    footing: Sequence[str],
    name: str,
    *,
    size: Mapping[str, float] | None = None,
    width: float = style.WIDTH,
) -> Picture:
    """Return the figure, a panel for each outcome that moves. size : of a panel, if not the usual (see Grid)."""
    pathway, axis = sweep.scenario.pathway, sweep.grid.axes[0]
    moving = [outcome for outcome in outcomes if sweep_titles.moves(sweep, outcome)]
    panels, lines = moving or list(outcomes), _lines(sweep)
    names = _names(sweep, lines)
    room = max((text.width(words) + 0.1 for words in names.values()), default=0.0)
    across = 2 if width < style.WIDTH else 4 if len(panels) in (4, 7, 8) else 3
    usual = {"above": 0.5, "gap": 0.5 + room, "aside": 0.2 + room, "sheet": width}
    grid = Grid(len(panels), across, **{**usual, **(size or {})})
    label = sweep_text.broken(sweep_axes.label(axis, pathway), grid.width)
    titles = [text.wrap(capital(outcome.label), grid.width + room, style.TEXT, "bold") for outcome in panels]
    above = 0.16 + 0.16 * max(map(len, titles))
    grid = replace(grid, below=0.55 + 0.15 * (len(label) - 1), above=above)
    places = sweep_axes.places(sweep, axis)
    key = _key(sweep, lines, places)
    title = sweep_titles.of_outcome(sweep, outcomes[0])
    if len(outcomes) > 1 or name == "outcomes":
        title = sweep_titles.of_outcomes(sweep, outcomes, moving)
    still = sweep_titles.still(sweep, [outcome for outcome in outcomes if outcome not in panels])
    subtitle = f"{sweep_text.subtitle(sweep, _drawn(sweep))}{still}"
    sheet = Sheet(title, subtitle, footing, grid.height, key=key, width=width)
    for axes, outcome, words in zip(sheet.panels(grid, one_scale=False), panels, titles, strict=True):
        _fill(axes, outcome, sweep, lines)
        _name(axes, sweep, outcome, names, grid.plot)
        for mark, _, at in places:
            line = MARKS.get(mark, SCENARIO)
            axes.axvline(at, color=line.colour, linestyle=line.dash, linewidth=1.1, zorder=2)
        axes.set_xlabel("\n".join(label))
        title_panel(axes, "\n".join(words))
    return sheet.picture(name)


def _lines(sweep: Sweep) -> Lines:
    """Return the lines of the drawn values, evenly from the first to the last, darker as they rise."""
    if len(sweep.grid.axes) == 1:
        return {None: Line(style.BLUE, "solid")}
    values = sweep.grid.axes[1].values
    count = min(len(values), MOST_LINES)
    drawn = sorted({round(place) for place in np.linspace(0, len(values) - 1, count)})
    rising = sorted(drawn, key=lambda place: values[place])
    return {place: Line(to_hex(HUE(rising.index(place) / max(len(drawn) - 1, 1))), "solid") for place in drawn}


def _names(sweep: Sweep, lines: Lines) -> dict[int, str]:
    """Return what is written at the end of a line: its value of the second name."""
    pathway = sweep.scenario.pathway
    return {
        place: sweep_axes.with_unit(sweep.grid.axes[1], pathway, sweep.grid.axes[1].values[place])
        for place in lines
        if place is not None
    }


def _key(sweep: Sweep, lines: Lines, places: Sequence[tuple[str, str, float]]) -> list[Sample]:
    """Return the entries of the upright lines, and of what the numbers at the lines are."""
    pathway = sweep.scenario.pathway
    key = [line_sample(f"{name}: {words}", MARKS.get(name, SCENARIO), 1.1) for name, words, _ in places]
    if None not in lines:
        words = f"at the lines: {sweep_axes.label(sweep.grid.axes[1], pathway).partition(',')[0].lower()}"
        key.append(line_sample(words, list(lines.values())[-1]))
    return key


def _fill(axes: Axes, outcome: Displayed, sweep: Sweep, lines: Lines) -> None:
    estimate, lower, upper = (plane(value) for value in outcome.values(sweep))
    axis, pathway = sweep.grid.axes[0], sweep.scenario.pathway
    x = np.array([sweep_axes.displayed(axis, pathway, value) for value in axis.values])
    order = np.argsort(x)
    ends = list(lines)
    banded = set(ends) if len(ends) <= MOST_BANDS else {ends[0], ends[-1]}
    marker = "o" if x.size <= 8 else ""
    for place, line in lines.items():
        mean, low, high = ((table if place is None else table[:, place])[order] for table in (estimate, lower, upper))
        axes.plot(
            x[order], mean, color=line.colour, linestyle=line.dash, linewidth=1.8, marker=marker, markersize=3.5,
            zorder=3,
        )  # fmt: skip
        if place in banded and np.any(high > low):
            axes.fill_between(x[order], low, high, color=line.colour, alpha=0.15, linewidth=0, zorder=1)
    highest = axes.get_ylim()[1]
    # Room for the numbers above the line.
    axes.set_ylim(0.0, 106.0 if outcome.unit == "%" and highest > 95.0 else 1.06 * max(highest, 1.0))
    axes.grid(axis="y", zorder=0)
    if x.size <= 8:
        axes.set_xticks(x, [sweep_axes.number(axis, pathway, value) for value in axis.values])


def _name(axes: Axes, sweep: Sweep, outcome: Displayed, names: Mapping[int, str], plot: float) -> None:
    """Write every line's value at its right end, and with one line its two numbers."""
    axis, pathway = sweep.grid.axes[0], sweep.scenario.pathway
    values = plane(outcome.values(sweep)[0])
    last = int(np.argmax(axis.values))
    if not names:
        _number_ends(axes, sweep, outcome)
        return
    low, high = axes.get_ylim()
    ends = {place: values[last, place] for place in names if np.isfinite(values[last, place])}
    if len({rounding.number(value, outcome.unit) for value in ends.values()}) == 1 and len(names) > 1:
        ends, names = dict(list(ends.items())[:1]), dict.fromkeys(names, "all")
    inches = [plot * (value - low) / (high - low) for value in ends.values()]
    at = sweep_axes.displayed(axis, pathway, axis.values[last])
    for place, up in zip(ends, text.label_places(inches, 0.15, 0.0, plot), strict=True):
        wanted = low + (high - low) * up / plot
        axes.annotate(
            names[place], (at, wanted), (6, 0), textcoords="offset points", va="center", annotation_clip=False,
            fontweight="bold", color=style.INK,
        )  # fmt: skip


def _number_ends(axes: Axes, sweep: Sweep, outcome: Displayed) -> None:
    """Write the numbers of both ends above the line."""
    axis, pathway = sweep.grid.axes[0], sweep.scenario.pathway
    values = outcome.values(sweep)[0]
    for place, side in ((int(np.argmin(axis.values)), "left"), (int(np.argmax(axis.values)), "right")):
        if np.isfinite(values[place]):
            at = sweep_axes.displayed(axis, pathway, axis.values[place]), values[place]
            axes.annotate(
                rounding.number(values[place], outcome.unit), at, (0, 5), textcoords="offset points", ha=side,
                va="bottom", fontweight="bold", zorder=5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip


def _drawn(sweep: Sweep) -> str:
    """Return the meaning of lines and bands, and the drawn values."""
    sentence = f"All patients; {sweep_titles.uncertainty(sweep)}."
    lines = 1 if len(sweep.grid.axes) == 1 else len(sweep.grid.axes[1].values)
    if sweep.manifest["draws"] > 1:
        banded = " (of the first and the last line)" if lines > MOST_BANDS else ""
        sentence += f" Bands: 95 % intervals{banded}; differences are more certain than they look (sweep.csv)."
    if lines > MOST_LINES:
        sentence += f" {MOST_LINES} of {lines} lines are shown."
    return sentence
