"""A chart of rows: names and marks on a common scale, side by side, or one above the other on a narrow sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from matplotlib.axes import Axes

from simulator.figures import style, text
from simulator.figures.sheet import Sample, Sheet

LEFT, RIGHT, BELOW = 4.35, 0.45, 0.5
"""Inches left of the scale on a wide sheet, right of it, and of its ticks and its label's first line."""
HEIGHT, MARKS, LINE = 0.37, 0.3, 0.15
"""Inches of a row at least, of its marks where its name stands above them, and of a line of text."""
HALF_BAR = 0.11
"""Inches of half a bar."""


@dataclass(frozen=True)
class Row:
    """name : in bold; below : a line below the name, small and grey."""

    name: str
    below: str = ""


@dataclass(frozen=True)
class Layout:
    """The places of rows on a sheet of a width, in inches.

    scale : the label of the scale, empty for none; rest : of the rows that are left out, a line below the names
    """

    rows: Sequence[Row]
    scale: str
    width: float = style.WIDTH
    rest: str = ""

    @property
    def is_narrow(self) -> bool:
        return self.width < style.WIDTH

    @property
    def left(self) -> float:
        return 3 * style.MARGIN if self.is_narrow else LEFT

    @property
    def across(self) -> float:
        """The inches of the scale."""
        return self.width - self.left - (3 * style.MARGIN if self.is_narrow else RIGHT)

    @property
    def room(self) -> float:
        """The inches of a name."""
        return self.width - 2 * style.MARGIN if self.is_narrow else LEFT - style.MARGIN - 0.2

    @cached_property
    def names(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """The lines of every row's name, and of what is below it."""
        small = style.small(self.width)
        return [(text.balanced(row.name, self.room, style.TEXT, "bold"), text.wrap(row.below, self.room, small))
                for row in self.rows]  # fmt: skip

    @cached_property
    def lines(self) -> int:
        return max(len(name) + len(below) for name, below in self.names)

    @property
    def row(self) -> float:
        """The inches of a row: all have those of the tallest."""
        name = LINE * self.lines + 0.07
        return name + MARKS if self.is_narrow else max(HEIGHT, name)

    @cached_property
    def label(self) -> tuple[str, ...]:
        return text.wrap(self.scale, self.across)

    @property
    def below(self) -> float:
        """The inches of the ticks and the label; none without a label."""
        rest = LINE if self.rest and self.is_narrow else 0.0
        return BELOW + 0.16 * (len(self.label) - 1) + rest if self.scale else 0.0

    @property
    def height(self) -> float:
        return self.row * len(self.rows) + self.below


def chart(
    title: str,
    subtitle: str,
    notes: Iterable[str],
    rows: Sequence[Row],
    scale: str,
    key: Sequence[Sample] = (),
    *,
    width: float = style.WIDTH,
    rest: str = "",
    above: float = 0.0,
) -> tuple[Sheet, Axes]:
    """Return a sheet with the rows' names, and the axes for their marks, with row i at -i and a label of the scale.

    rest : see `Layout`; above : inches that are kept free above the rows
    """
    layout = Layout(rows, scale, width, rest)
    sheet = Sheet(title, subtitle, notes, layout.height + 0.1 + above, key=key, width=width)
    return sheet, fill(sheet, sheet.bottom + 0.05, layout)


def fill(sheet: Sheet, bottom: float, layout: Layout) -> Axes:
    """Write the rows' names from a place up, and return the axes for their marks."""
    foot, count = bottom + layout.below, len(layout.rows)
    axes = rows_of(sheet, layout.left, foot, layout.across, count, layout.row)
    if layout.is_narrow:
        # Row i is still at -i, in the middle of its marks below its name.
        half = MARKS / 2 / layout.row
        axes.set(ylim=(1 - count - half, 1 - half), facecolor="none")
        axes.grid(visible=False)
    axes.set_xlabel("\n".join(layout.label))
    for place, names in enumerate(layout.names):
        _name(sheet, axes, layout, names, foot + layout.row * (count - place))
    if layout.rest:
        _write(sheet, axes, layout, layout.rest, bottom + 0.08 if layout.is_narrow else foot - 0.1, color=style.QUIET)
    return axes


def rows_of(sheet: Sheet, left: float, bottom: float, across: float, count: int, height: float) -> Axes:
    """Return axes for a number of rows, of which row i is at -i."""
    axes = sheet.axes(left, bottom, across, height * count)
    axes.set(ylim=(-count + 0.5, 0.5), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", zorder=0)
    return axes


def _name(sheet: Sheet, axes: Axes, layout: Layout, names: tuple[tuple[str, ...], tuple[str, ...]], top: float) -> None:
    """Write a row's name and what is below it: in the middle of the row, or down to its marks."""
    name, below = names
    used = LINE * (len(name) + len(below))
    top -= layout.row - MARKS - used if layout.is_narrow else (layout.row - used) / 2
    for number, line in enumerate((*name, *below)):
        look = {"weight": "bold"} if number < len(name) else {"color": style.QUIET, "fontsize": sheet.small}
        _write(sheet, axes, layout, line, top - LINE * (number + 0.5), **look)


def _write(sheet: Sheet, axes: Axes, layout: Layout, words: str, middle: float, **look: Any) -> None:
    """Write a line of the names, in front of the lines of the scale."""
    place, side = (style.MARGIN, "left") if layout.is_narrow else (LEFT - 0.2, "right")
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axes.text(place, middle, words, transform=sheet.page.transData, ha=side, va="center", zorder=6, bbox=box, **look)


def rows_an_inch(axes: Axes) -> float:
    """Return how many rows an inch is."""
    low, high = axes.get_ylim()
    return (high - low) / (axes.get_position().height * axes.figure.get_figheight())  # type: ignore[union-attr]


def half_bar(axes: Axes) -> float:
    """Return half the height of a bar, in rows."""
    return HALF_BAR * rows_an_inch(axes)


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
