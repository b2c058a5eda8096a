"""A chart of rows: names and meanings at the left, marks on a common scale at the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.figures import style
from simulator.figures import text as lettering

HEIGHT, LEFT, FOOT, KEY = 0.37, 4.35, 0.55, 0.26


@dataclass(frozen=True)
class Row:
    """name : in bold; meaning : a line below the name, cut if it does not fit; light : in grey."""

    name: str
    meaning: str = ""
    light: bool = False


@dataclass(frozen=True)
class Heading:
    title: str
    subtitle: str
    footing: str
    scale: str


def draw(
    heading: Heading,
    rows: Sequence[Row],
    paint: Callable[[Axes], None],
    key: Callable[[Axes, float], None] | None = None,
) -> Figure:
    """Return the figure. paint : draws on axes with row i at -i; key : draws on the sheet, at a height in inches."""
    with style.applied():
        foot = lettering.footing_height(heading.footing)
        head = lettering.heading_height(heading.subtitle) + (KEY if key else 0.0) + 0.1
        across, height = style.WIDTH - LEFT - 0.45, HEIGHT * len(rows)
        below = FOOT + 0.16 * (len(lettering.wrap(heading.scale, across)) - 1)
        figure = style.canvas(style.WIDTH, head + height + below + foot)
        lettering.heading(figure, heading.title, heading.subtitle)
        lettering.footing(figure, heading.footing)
        axes = style.axes(figure, LEFT, foot + below, across, height)
        axes.set_ylim(-len(rows) + 0.5, 0.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=style.HAIR, linewidth=0.6, zorder=0)
        axes.set_axisbelow(True)
        axes.set_xlabel("\n".join(lettering.wrap(heading.scale, across)))
        paint(axes)
        sheet = style.sheet(figure)
        top = foot + below + height
        for place, row in enumerate(rows):
            _name(sheet, row, top - HEIGHT * (place + 0.5))
        if key is not None:
            key(sheet, top + 0.5 * KEY)
    return figure


def _name(sheet: Axes, row: Row, middle: float) -> None:
    colour = style.QUIET if row.light else style.INK
    lift = 0.075 if row.meaning else 0.0
    weight = "normal" if row.light else "bold"
    room = LEFT - style.MARGIN - 0.2
    name = lettering.fitted(row.name, room, style.TEXT, "bold")
    sheet.text(LEFT - 0.2, middle + lift, name, ha="right", va="center", color=colour, fontweight=weight)
    if row.meaning:
        meaning = _cut(row.meaning, room)
        sheet.text(
            LEFT - 0.2, middle - 0.075, meaning, ha="right", va="center", color=style.QUIET, fontsize=style.SMALL
        )


def _cut(text: str, room: float) -> str:
    """Return the text before a semicolon in one line, with dots if it is cut."""
    first, *more = lettering.wrap(text.split(";")[0], room - 0.25, style.SMALL)
    return f"{first} ..." if more else first


def zero_line(axes: Axes, at: float) -> None:
    """Mark the start of the bars."""
    axes.axvline(at, color=style.INK, linewidth=0.9, zorder=2)


def whisker(axes: Axes, row: float, low: float, high: float, colour: str) -> None:
    """Draw an interval of a row, with caps."""
    axes.plot([low, high], [-row, -row], color=colour, linewidth=1.4, zorder=3)
    for end in (low, high):
        axes.plot([end, end], [-row - 0.12, -row + 0.12], color=colour, linewidth=1.4, zorder=3)
