"""The texts of a figure as they stand on it: their places, their sizes, and the colours behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from unittest import mock

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from simulator.figures import style

DPI = 160


@dataclass(frozen=True)
class Lettering:
    """A text of a figure : its words, its box in pixels at `DPI`, and its artist."""

    words: str
    box: Bbox
    artist: Text


def texts_of(figure: Figure) -> list[Lettering]:
    """Return a figure's texts in their final place, as in its PNG file, without arrows that lead from them."""
    canvas, drawn = figure.canvas, list[Text]()
    assert isinstance(canvas, FigureCanvasAgg)
    draw = Text.draw

    def noted(text: Text, *arguments: object, **more: object) -> None:
        drawn.append(text)
        draw(text, *arguments, **more)

    with style.applied():
        style._settle_letters(figure)
        figure.set_dpi(DPI)
        # Only drawing says which ticks of an axis are drawn.
        with mock.patch.object(Text, "draw", noted):
            figure.draw_without_rendering()
        renderer = canvas.get_renderer()
        visible = [text for text in dict.fromkeys(drawn) if text.get_text().strip() and text.get_visible()]
        return [Lettering(text.get_text(), Text.get_window_extent(text, renderer), text) for text in visible]


def outside(figure: Figure, texts: Sequence[Lettering]) -> list[str]:
    """Return the texts that are not wholly on the sheet, by a pixel."""
    page = figure.bbox.padded(1.0)
    return [text.words for text in texts if not (page.contains(*text.box.min) and page.contains(*text.box.max))]


def collisions(texts: Sequence[Lettering]) -> list[tuple[str, str]]:
    """Return the pairs of texts that overlap: boxes have room above and below their letters."""
    boxes = [(text.words, text.box.shrunk(0.9, 0.7)) for text in texts]
    return [(first, second) for (first, a), (second, b) in combinations(boxes, 2) if a.overlaps(b)]


def struck(axes: Axes, text: Text) -> list[Artist]:
    """Return the lines and bands of axes that pass a text."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    box = text.get_window_extent().shrunk(0.95, 0.7)
    lines = (line for line in axes.lines if len(line.get_xdata()) > 2)
    passing: list[Artist] = [
        line for line in lines if line.get_path().transformed(line.get_transform()).intersects_bbox(box, filled=False)
    ]
    bands = (area for area in axes.collections if isinstance(area, PolyCollection))
    areas = ((area, path.transformed(area.get_transform())) for area in bands for path in area.get_paths())
    return passing + [area for area, path in areas if path.intersects_bbox(box, filled=True)]


# --- Contrast ---


def luminance(colour: object) -> float:
    """Return the relative luminance of WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]  # type: ignore[arg-type]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def contrast(one: object, other: object) -> float:
    """Return the contrast of two colours (WCAG 2.2), from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def faint(figure: Figure, texts: Sequence[Lettering], least: float = 4.5) -> list[tuple[str, float]]:
    """Return the texts whose contrast with the declared colours behind their middle is too small."""
    areas = list(_areas(figure))
    pale = []
    for text in texts:
        middle = tuple(np.mean([text.box.min, text.box.max], axis=0))
        behind = _own_box(text.artist) or _behind(areas, text.artist, middle)
        seen = contrast(_over(to_rgba(text.artist.get_color(), text.artist.get_alpha()), behind), behind)
        if seen < least:
            pale.append((text.words, round(seen, 2)))
    return pale


def _own_box(text: Text) -> tuple[float, float, float] | None:
    patch = text.get_bbox_patch()
    return None if patch is None else to_rgb(patch.get_facecolor())


def _areas(figure: Figure) -> Iterator[tuple[int, Artist]]:
    """Yield the filled areas of a figure in the order in which they are drawn, each with its axes' place."""
    for place, axes in enumerate(figure.axes):
        # Below all else, whatever its order among them.
        yield from [(place, axes.patch)] if axes.axison else []
        children = (child for child in axes.get_children() if child is not axes.patch)
        filled = (child for child in children if isinstance(child, Patch | PolyCollection | AxesImage))
        for child in sorted(filled, key=lambda child: child.get_zorder()):
            if child.get_visible():
                yield place, child


def _behind(areas: Sequence[tuple[int, Artist]], text: Text, middle: tuple[float, ...]) -> tuple[float, float, float]:
    """Return the colour behind a place: of the last area there that is drawn before the text, over those below."""
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    figure = text.get_figure(root=True)
    assert figure is not None
    place_of_axes = figure.axes.index(text.axes) if isinstance(text.axes, Axes) else len(figure.axes)
    for place, area in areas:
        if place > place_of_axes or (place == place_of_axes and area.get_zorder() > text.get_zorder()):
            continue
        for face in _faces(area, middle):
            colour = _over(face, colour)
    return colour


def _faces(area: Artist, point: tuple[float, ...]) -> Iterator[tuple[float, float, float, float]]:
    """Yield the colours of an area that covers a point."""
    if isinstance(area, Patch):
        if area.get_fill() and area.get_path().contains_point(point, area.get_transform()):
            yield to_rgba(area.get_facecolor())
    elif isinstance(area, PolyCollection):
        faces = area.get_facecolor()
        for place, path in enumerate(area.get_paths()):
            if len(faces) and path.contains_point(point, area.get_transform()):
                yield to_rgba(faces[place % len(faces)])  # type: ignore[arg-type]
    elif isinstance(area, AxesImage) and area.axes is not None:
        x, y = area.axes.transData.inverted().transform(point)
        values = area.get_array()
        assert values is not None
        row, column = round(float(y)), round(float(x))
        if 0 <= row < values.shape[0] and 0 <= column < values.shape[1]:
            yield to_rgba(area.to_rgba(values[row, column]))


def _over(colour: tuple[float, ...], below: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return a colour with its opacity, laid over another."""
    *channels, opacity = colour
    red, green, blue = (opacity * a + (1 - opacity) * b for a, b in zip(channels, below, strict=True))
    return red, green, blue
