"""The sheet of every figure: heading and key above, panels between, footing below; all places in inches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D

from simulator.figures import style, text
from simulator.figures.picture import Picture
from simulator.figures.style import INK, MARGIN, QUIET, SMALL, TEXT, TITLE, WIDTH, Line
from simulator.wording.table import Table

SAMPLE, WORDS, NEXT, KEY_ROW = 0.3, 0.36, 0.3, 0.22
"""Inches of a sample in a key, from its start to its words, between its words and the next sample, and of a row."""


HALO = withStroke(linewidth=2.5, foreground="white")
"""Around words that a curve or a stream may cross."""

LINES, COMPACT_LINES = 4, 7
"""Lines of a title at most."""


@dataclass(frozen=True)
class Sample:
    """An entry of a key: words, and an artist that is drawn `WORDS` to their left, from (0, 0) to the right."""

    words: str
    artist: Artist
    colour: str = INK
    weight: str = "normal"
    size: float = TEXT

    @property
    def width(self) -> float:
        """The inches of the sample and its words."""
        return WORDS + text.width(self.words, self.size, self.weight)


def line_sample(words: str, line: Line, width: float = 1.8) -> Sample:
    """Return a key's entry of a line, in its colour."""
    artist = Line2D([0, SAMPLE], [0, 0], color=line.colour, linestyle=line.dash, linewidth=width)
    return Sample(words, artist, line.dark, "bold")


def marker_sample(words: str, marker: str, colour: str, face: str, size: float = 4.5) -> Sample:
    """Return a key's entry of a marker."""
    artist = Line2D([0.5 * SAMPLE], [0], marker=marker, color=colour, markerfacecolor=face, markersize=size)
    return Sample(words, artist)


def area(width: float = SAMPLE, height: float = 0.12, **look: object) -> Rectangle:
    """Return a piece of an area, as an artist of a key's entry."""
    return Rectangle((0, -height / 2), width, height, **look)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Grid:
    """Panels of one size, in rows, each with `above` for its title and `below` for its axis.

    across : panels in a row at most, fewer where the last row would be emptier; widest : of a panel
    aside : kept free at the right; sheet : width of the sheet
    """

    count: int
    across: int
    plot: float = 1.85
    above: float = 0.5
    below: float = 0.5
    left: float = 0.62
    gap: float = 0.28
    widest: float = 3.2
    aside: float = MARGIN
    sheet: float = WIDTH

    @property
    def rows(self) -> int:
        return -(-self.count // self.across)

    @property
    def columns(self) -> int:
        return -(-self.count // self.rows)

    @property
    def width(self) -> float:
        """The width of a panel's plot."""
        return min(self.widest, (self.sheet - self.left - self.aside - self.gap * (self.columns - 1)) / self.columns)

    @property
    def height(self) -> float:
        """The height of all rows."""
        return self.rows * (self.above + self.plot + self.below)


class Sheet:
    """A figure of a title, a subtitle, a key, a body between `bottom` and `top`, and notes; `page` : axes over all.

    width : in inches; `small` : points of its small text

    key : samples, from `key_left` on; all in inches
    """

    def __init__(
        self,
        title: str,
        subtitle: str,
        notes: Iterable[str],
        body: float,
        *,
        key: Sequence[Sample] = (),
        key_left: float = MARGIN,
        width: float = WIDTH,
    ) -> None:
        room = width - 2 * MARGIN
        heading = text.wrap(subtitle, room)
        small = self.small = style.small(width)
        footing = text.wrap(" ".join(note for note in notes if note), room, small)
        rows = key_rows(key, width - MARGIN - key_left)
        self.title, self.width = title, width
        self.bottom = 0.19 + 0.148 * small / SMALL * len(footing)
        self.top = self.bottom + body
        below_heading = self.top + (0.08 + KEY_ROW * len(rows) if rows else 0.0)
        lines = title_lines(title, room, LINES if width >= WIDTH else COMPACT_LINES)
        more = 0.2 * (len(lines) - 1)
        height = below_heading + 0.42 + more + 0.165 * len(heading)
        self.figure = style.canvas(width, height)
        self.page = self.drawing(0.0)
        write = self.page.text
        write(MARGIN, height - 0.12, "\n".join(lines), fontsize=TITLE, fontweight="bold", va="top", linespacing=1.3)
        write(MARGIN, height - 0.38 - more, "\n".join(heading), color=QUIET, va="top", linespacing=1.3)
        write(MARGIN, 0.1, "\n".join(footing), color=QUIET, fontsize=small, va="bottom", linespacing=1.35)
        for place, row in enumerate(rows):
            self.write_key(row, key_left, below_heading - 0.15 - KEY_ROW * place)

    def axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Return axes at a place."""
        across, up = self.figure.get_size_inches()
        return self.figure.add_axes((left / across, bottom / up, width / across, height / up))

    def drawing(self, foot: float) -> Axes:
        """Return invisible axes over the whole sheet, in inches from its left and above a height."""
        width, height = self.figure.get_size_inches()
        drawing = self.axes(0.0, 0.0, width, height)
        drawing.set(xlim=(0, width), ylim=(-foot, height - foot), xticks=[], yticks=[])
        drawing.set_axis_off()
        return drawing

    def write_key(self, key: Sequence[Sample], x: float, y: float) -> None:
        """Draw the entries of a key in a row, from a place to its right."""
        for sample in key:
            self.sample(sample, x, y)
            x += sample.width + NEXT

    def sample(self, sample: Sample, x: float, y: float) -> None:
        """Draw an entry of a key from a place to its right."""
        sample.artist.set_transform(Affine2D().translate(x, y) + self.page.transData)
        self.page.add_artist(sample.artist)
        self.page.text(
            x + WORDS, y, sample.words, va="center", color=sample.colour, fontweight=sample.weight, fontsize=sample.size
        )

    def panels(self, grid: Grid, *, one_scale: bool = True, head: float = 0.0) -> Iterator[Axes]:
        """Yield the axes of a grid `head` below the top of the body; the first column has the names of the axes up.

        one_scale : whether it has their numbers, too, alone
        """
        for place in range(grid.count):
            row, column = divmod(place, grid.columns)
            bottom = self.top - head - (row + 1) * (grid.above + grid.plot + grid.below) + grid.below
            axes = self.axes(grid.left + column * (grid.width + grid.gap), bottom, grid.width, grid.plot)
            yield axes
            if column:
                axes.set_ylabel("")
                axes.tick_params(axis="y", labelleft=not one_scale)

    def picture(self, name: str, point: str = "", numbers: Table | None = None) -> Picture:
        """Return the sheet as a picture with its title. point, numbers : see `Picture`"""
        return Picture(name, self.title, self.figure, point, numbers)


def title_lines(title: str, room: float, most: int) -> list[str]:
    """Return a title in lines of a width in inches, at most so many: of a longer one, the last ends in an ellipsis."""
    lines = [text.fitted(line, room, TITLE, "bold") for line in text.balanced(title, room, TITLE, "bold")]
    if len(lines) > most:
        last = lines[most - 1]
        while text.width(f"{last}{text.CUT}", TITLE, "bold") > room or last[-1] in " -,;:":
            last = last[:-1]
        lines[most - 1 :] = [f"{last}{text.CUT}"]
    return lines


def key_rows(key: Sequence[Sample], room: float) -> list[list[Sample]]:
    """Return the entries of a key in rows that fit."""
    rows: list[list[Sample]] = []
    used = 0.0
    for sample in key:
        if not rows or used + sample.width > room:
            rows.append([])
            used = 0.0
        rows[-1].append(sample)
        used += sample.width + NEXT
    return rows


def title_panel(axes: Axes, title: str, note: str = "", *, free: int = 0) -> None:
    """Write a panel's title above it, and the lines of its note between. free : lines that are kept free below"""
    axes.set_title(title, pad=6 + 11 * (len(note.splitlines()) + free))
    small = style.small(axes.get_figure(root=True).get_figwidth())  # type: ignore[union-attr]
    up = 4 + 1.3 * small * free
    axes.annotate(note, (0, 1), (0, up), "axes fraction", "offset points", fontsize=small, color=QUIET, va="bottom")
