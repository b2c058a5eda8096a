"""A chart of rows: names and meanings at the left, marks on a common scale at the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from simulator.figures import style, text
from simulator.figures.sheet import Sample, Sheet

HEIGHT, LEFT, BELOW = 0.37, 4.35, 0.55
"""Inches of a row, left of the scale, and of the scale's ticks and label."""


ACROSS = style.WIDTH - LEFT - 0.45
"""Inches of the scale."""


@dataclass(frozen=True)
class Row:
    """name : in bold; meaning : a line below the name, cut if it does not fit; light : in grey."""

    name: str
    meaning: str = ""
    light: bool = False


def chart(
    title: str, subtitle: str, notes: Iterable[str], rows: Sequence[Row], scale: str, key: Sequence[Sample] = ()
) -> tuple[Sheet, Axes]:
    """Return a sheet with the rows' names, and the axes for their marks, with row i at -i and a label of the scale."""
    sheet = Sheet(title, subtitle, notes, height(rows, scale) + 0.1, key=key, key_left=LEFT)
    return sheet, fill(sheet, sheet.bottom, rows, scale)


def height(rows: Sequence[Row], scale: str) -> float:
    """Return the inches of rows with their scale and its label."""
    return HEIGHT * len(rows) + BELOW + 0.16 * (len(text.wrap(scale, ACROSS)) - 1) - 0.05


def fill(sheet: Sheet, bottom: float, rows: Sequence[Row], scale: str) -> Axes:
    """Write the rows' names from a place up, and return the axes for their marks."""
    foot = bottom + height(rows, scale) - HEIGHT * len(rows)
    axes = rows_of(sheet, LEFT, foot, ACROSS, len(rows), HEIGHT)
    axes.set_xlabel("\n".join(text.wrap(scale, ACROSS)))
    for place, row in enumerate(reversed(rows)):
        _name(sheet.page, row, foot + HEIGHT * (place + 0.5))
    return axes


def rows_of(sheet: Sheet, left: float, bottom: float, across: float, count: int, height: float) -> Axes:
    """Return axes for a number of rows, of which row i is at -i."""
    axes = sheet.axes(left, bottom, across, height * count)
    axes.set(ylim=(-count + 0.5, 0.5), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", zorder=0)
    return axes


def _name(page: Axes, row: Row, middle: float) -> None:
    lift, right, room = 0.075 if row.meaning else 0.0, LEFT - 0.2, LEFT - style.MARGIN - 0.2
    colour, weight = (style.QUIET, "normal") if row.light else (style.INK, "bold")
    name = text.fitted(row.name, room, style.TEXT, "bold")
    page.text(right, middle + lift, name, ha="right", va="center", color=colour, fontweight=weight)
    # The text before a semicolon, in one line.
    words = row.meaning.split(";")[0]
    if text.width(words, style.SMALL) > room:
        words = f"{text.wrap(words, room - 0.25, style.SMALL)[0]} ..."
    page.text(right, middle - lift, words, ha="right", va="center", color=style.QUIET, fontsize=style.SMALL)


def zero_line(axes: Axes, at: float) -> None:
    """Mark the start of the bars."""
    axes.axvline(at, color=style.INK, linewidth=0.9, zorder=2)


def point(
    axes: Axes, row: float, at: float, low: float, high: float, mark: str = "o", colour: str = style.BLUE,
    face: str = style.BLUE,
) -> None:  # fmt: skip
    """Draw an estimate of a row with its interval."""
    whisker(axes, row, low, high, colour)
    axes.plot(at, -row, mark, color=colour, markerfacecolor=face, markersize=4.8, zorder=4)


def whisker(axes: Axes, row: float, low: float, high: float, colour: str) -> None:
    """Draw an interval of a row, with caps."""
    axes.errorbar(
        (low + high) / 2, -row, xerr=(high - low) / 2, fmt="none", ecolor=colour, elinewidth=1.4, capsize=3.2,
        capthick=1.4, zorder=3,
    )  # fmt: skip
