"""A figure with its name, its title, its alternative text and its numbers; and its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from textwrap import shorten
from typing import TypeVar

from matplotlib.figure import Figure

from simulator.figures import style
from simulator.files import whole
from simulator.wording.added import IN_THE_MODEL
from simulator.wording.table import Table

LONGEST = 250
"""Characters of an alternative text: a screen reader reads it in one go."""


@dataclass(frozen=True)
class Picture:
    """A figure; `name` is its file's, without the ending.

    point : a sentence more of the alternative text, where the title does not say what the figure shows
    numbers : what is drawn, for a page; None where the run's own tables have it
    narrow : draws the same at a second width; None if there is only one
    """

    name: str
    title: str
    figure: Figure
    point: str = ""
    numbers: Table | None = None
    narrow: Callable[[], Figure | None] | None = None

    @cached_property
    def compact(self) -> Figure | None:
        """The same at a second width, for half a slide, a column or a phone, drawn when it is read; None without."""
        return None if self.narrow is None else self.narrow()

    @property
    def alt(self) -> str:
        """The alternative text: the title and the point, or what of them has less than `LONGEST` characters."""
        title = self.title if self.title[-1:] in ".?" else f"{self.title}."
        both = f"{title} {self.point}".strip()
        return both if len(both) < LONGEST else shorten(title, LONGEST - 1, placeholder=" \N{HORIZONTAL ELLIPSIS}")

    def with_point(self, point: str) -> Picture:
        """Return this picture with a point, if neither its title nor a point of its own says what it shows."""
        return self if self.point or self.title.startswith(IN_THE_MODEL) else replace(self, point=point)

    @cached_property
    def svg(self) -> str:
        """The figure as SVG, drawn once for its file and for the page."""
        return style.svg(self.figure, title=self.title, alt=self.alt)

    @cached_property
    def compact_svg(self) -> str:
        """The second width as SVG; empty if there is none."""
        return "" if self.compact is None else style.svg(self.compact, title=self.title, alt=self.alt)

    @cached_property
    def png(self) -> bytes:
        """The figure as PNG."""
        return style.png(self.figure)

    @cached_property
    def compact_png(self) -> bytes:
        """The second width as PNG; empty if there is none."""
        return b"" if self.compact is None else style.png(self.compact)

    def _repr_html_(self) -> str:
        """Return what a notebook shows. The report stands above and is found by name."""
        drawing = import_module("simulator.report.elements").drawing
        return str(drawing(self.svg, self.compact_svg, self.alt))

    def finished(self) -> Picture:
        """Return this picture with its files made, and without the figures: so it goes from one process to another."""
        made = {name: getattr(self, name) for name in ("svg", "png", "compact_svg", "compact_png")}
        files = copy(self)
        vars(files).update(made, figure=None, compact=None, narrow=None)
        return files


Drawn = TypeVar("Drawn", Picture, Picture | None)


def in_two_widths(draw: Callable[..., Drawn]) -> Drawn:
    """Return what draws itself at any `width`, wide and compact; None if there is nothing to draw."""
    wide = draw()
    if wide is None:
        return wide

    def narrow() -> Figure | None:
        compact = draw(width=style.COMPACT)
        return None if compact is None else compact.figure

    return replace(wide, narrow=narrow)


def save(pictures: Sequence[Picture], folder: Path) -> None:
    """Write every picture as NAME.svg and NAME.png, a second width as NAME_compact, each whole. Raises OSError."""
    for picture in pictures:
        whole.write(folder / f"{picture.name}.svg", picture.svg.encode())
        whole.write(folder / f"{picture.name}.png", picture.png)
        if picture.compact_svg:
            whole.write(folder / f"{picture.name}_compact.svg", picture.compact_svg.encode())
            whole.write(folder / f"{picture.name}_compact.png", picture.compact_png)
