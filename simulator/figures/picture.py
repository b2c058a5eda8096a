"""A figure with its name, its title and its alternative text; and its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from matplotlib.figure import Figure

from simulator.figures import style
from simulator.files import whole


@dataclass(frozen=True)
class Picture:
    """A figure; `name` is its file's, without the ending, and `alt` its alternative text."""

    name: str
    title: str
    alt: str
    figure: Figure

    @cached_property
    def svg(self) -> str:
        """The figure as SVG, drawn once for its file and for the page."""
        return style.svg(self.figure, title=self.title, alt=self.alt)


def save(pictures: Sequence[Picture], folder: Path) -> None:
    """Write every picture as NAME.svg and NAME.png into an existing folder, each whole. Raises OSError."""
    for picture in pictures:
        whole.write(folder / f"{picture.name}.svg", picture.svg.encode())
        whole.write(folder / f"{picture.name}.png", style.png(picture.figure))
