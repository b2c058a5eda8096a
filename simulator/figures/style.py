"""The look of every figure: colours with redundant line styles, type, sizes; and reproducible files."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from io import BytesIO
from itertools import chain, cycle
from types import MappingProxyType
from typing import Any, Literal

from matplotlib import style as sheets
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import is_color_like, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from simulator.errors import InputError, UnknownNameError
from simulator.figures.glyphs import FAMILY, families
from simulator.figures.markup import shortened
from simulator.scenario.scenario import split_name

# Okabe & Ito 2008, Color Universal Design: distinct for every colour vision.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"

INK, QUIET, FAINT, HAIR = "#1a1a1a", "#595959", "#9a9a9a", "#e4e4e4"

WIDTH = 10.0
"""Inches; the report shows a figure about 1,040 pixels wide, so that 8.5 points are 12 pixels."""

COMPACT = 5.0
"""Inches of a figure's second width: half a slide, a column, or a phone."""

TEXT, SMALL, TITLE = 8.5, 7.5, 11.0
COMPACT_SMALL = 8.0
"""Points of small text on a compact figure: a page does not enlarge it."""

MARGIN = 0.12
"""Inches between a figure's edge and its text."""

NO_FONT = "Boxes: letters that no font of this machine has. The tables have them."

Colour = str | tuple[float, float, float, float]
Dash = Literal["solid"] | tuple[float, tuple[float, ...]]
SPARSE: Dash = (0.0, (2.0, 3.5))

POLICIES = (VERMILLION, BLUE, GREEN, PURPLE, ORANGE, SKY)
"""Colours of policies alone: `state_looks` has those of states."""

# Each repeats within the sample of a key.
_DASHED: tuple[Dash, ...] = (
    (0.0, (6.0, 1.3)),
    (0.0, (1.2, 1.2)),
    (0.0, (5.0, 1.3, 1.2, 1.3)),
    (0.0, (5.0, 1.1, 1.1, 1.1, 1.1, 1.1)),
    (0.0, (3.0, 1.6)),
    (0.0, (6.0, 3.2)),
    (0.0, (3.0, 1.2, 3.0, 1.2, 1.2, 1.2)),
    (0.0, (1.2, 2.6)),
)

_SHEET = {
    "font.family": FAMILY,
    "font.size": TEXT,
    "text.color": INK,
    "axes.labelsize": TEXT,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.7,
    "axes.titlelocation": "left",
    "axes.titlesize": TEXT,
    "axes.titleweight": "bold",
    # On the axes, as no tick stands above them: matplotlib need not measure what it might touch.
    "axes.titley": 1.0,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "grid.color": HAIR,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.5,
    "text.parse_math": False,
    # Letters stand where `text.width` measures them, at whatever resolution.
    "text.hinting": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "aftercart",
}


@dataclass(frozen=True)
class Line:
    """The colour and dash of a scenario in every figure of a run."""

    colour: str
    dash: Dash

    @property
    def dark(self) -> str:
        """The colour for text, with a contrast of 4.5 to white (WCAG 2.2); a line needs less."""
        return shade(self.colour, 0.65)


@contextmanager
def applied() -> Iterator[None]:
    """Draw and save with this style; the user's matplotlib settings come back afterwards."""
    with sheets.context(["default", _SHEET]), warnings.catch_warnings():
        # `_settle_letters` writes the warning on the figure.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


_COLOURS: ContextVar[Mapping[str, str]] = ContextVar("colours", default=MappingProxyType({}))


@contextmanager
def coloured(colours: Mapping[str, str], scenarios: Collection[str]) -> Iterator[None]:
    """Draw scenarios in colours that matplotlib knows, instead of the house's. Raises InputError."""
    for name, colour in colours.items():
        if name not in scenarios:
            raise UnknownNameError("scenario", name, scenarios, "colours")
        if not is_color_like(colour):
            allowed = 'a colour of matplotlib, as "#117733" or "navy"'
            raise InputError("not a colour", where=f"colours: {name}", got=colour, allowed=allowed)
    token = _COLOURS.set({name: to_hex(colour) for name, colour in colours.items()})
    try:
        yield
    finally:
        _COLOURS.reset(token)


def lines(scenarios: Sequence[str]) -> dict[str, Line]:
    """Return the line of each scenario of a run: only the first is solid and black, NAME and NAME@0.5 share a colour.

    Nine curves have nine dashes. Policies share a colour if there are more than six; then their dashes differ.
    """
    colours = dict(zip(dict.fromkeys(map(family, scenarios)), chain([BLACK], cycle(POLICIES)), strict=False))
    colours |= {name: colour for name, colour in _COLOURS.get().items() if name in colours}
    lines: dict[str, Line] = {name: Line(colours[family(name)], "solid") for name in scenarios[:1]}
    for place, name in enumerate(scenarios[1:]):
        dashes = (_DASHED[(place + step) % len(_DASHED)] for step in range(len(_DASHED)))
        looks = [Line(colours[family(name)], dash) for dash in dashes]
        lines[name] = next((look for look in looks if look not in lines.values()), looks[0])
    return lines


def family(scenario: str) -> str:
    """Return NAME of NAME@0.5."""
    return split_name(scenario)[0]


def shade(colour: str, factor: float) -> str:
    """Return a colour darker (factor below 1), or mixed with white (above 1: 1.8 is four fifths white)."""
    red, green, blue = (factor * c if factor <= 1 else 1 - (2 - factor) * (1 - c) for c in to_rgb(colour))
    return to_hex((red, green, blue))


def luminance(colour: Colour) -> float:
    """Return the relative luminance of a colour, from 0 (black) to 1 (WCAG 2.2)."""
    linear = [
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in to_rgb(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def small(width: float) -> float:
    """Return the points of small text on a sheet of a width in inches."""
    return SMALL if width >= WIDTH else COMPACT_SMALL


def canvas(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, that belongs to no pyplot state."""
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def svg(figure: Figure, *, title: str = "", alt: str = "") -> str:
    """Return a figure as short SVG text, without dates; title and alternative text as its metadata."""
    described = {key: value for key, value in (("Title", title), ("Description", alt)) if value}
    return shortened(_saved(figure, format="svg", metadata={"Date": None, "Creator": None, **described}).decode())


def png(figure: Figure) -> bytes:
    """Return a figure as PNG, without dates or versions."""
    return _saved(figure, format="png", dpi=160, metadata={"Software": None}, pil_kwargs={"compress_level": 3})


def _saved(figure: Figure, **options: Any) -> bytes:
    stream = BytesIO()
    with applied():
        _settle_letters(figure)
        figure.savefig(stream, **options)
    return stream.getvalue()


def _settle_letters(figure: Figure) -> None:
    """Set fonts that have the letters of a figure's texts, and write on it if some letters have no font."""
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]
    fonts, missing = families(frozenset("".join(text.get_text() for text in texts)) - {"\n"})
    if len(fonts) > 1:
        for text in texts:
            text.set_fontfamily(fonts)
    if missing and all(text.get_text() != NO_FONT for text in texts):
        across, up = figure.get_size_inches()
        place = (1 - MARGIN / across, 1 - 0.005 / up)
        figure.text(*place, NO_FONT, color=QUIET, fontsize=small(across), ha="right", va="top")
