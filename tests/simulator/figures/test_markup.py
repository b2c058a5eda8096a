"""The short SVG of a figure shows what matplotlib wrote: each element, each text, each shape at its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import numpy as np
import pytest
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path.parser import parse_path
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D

from simulator.arrays import Floats
from simulator.figures import markup, style

SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
NEAR = 0.05
"""Points (1/72 inch): an eighth of the thinnest line."""


@pytest.fixture(scope="module")
def figure() -> Figure:
    """Letters upright and turned, a curve of many points, a band, markers, dashes and hatches."""
    months = np.linspace(0.0, 24.0, 481)
    alive = np.exp(-0.1 * months)
    with style.applied():
        figure = style.canvas(5.0, 3.0)
        axes = figure.add_axes((0.1, 0.15, 0.8, 0.7))
        axes.plot(months, alive, color=style.BLUE, linestyle="--")
        axes.fill_between(months, 0.8 * alive, 1.1 * alive, alpha=0.3)
        axes.fill_between(months, 0.0, 0.2, hatch="....", facecolor="white")
        axes.plot([3, 9, 9], [0.5, 0.7, 0.1], marker="o")
        axes.set(title="<b>Ärzte</b> & 'survivors'", ylabel="Alive (%)")
    return figure


@pytest.fixture(scope="module")
def both(figure: Figure) -> tuple[str, str]:
    """The figure as matplotlib writes it, and short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "shortened", str)
        written = style.svg(figure, title="In the model, 'a' < \"b\"", alt="width & height")
    return written, markup.shortened(written)


def drawn(svg: str) -> list[tuple[str, list[tuple[str, Floats]]]]:
    """Every shape of an SVG: its look, and its outline on the sheet as commands and points."""
    root = ElementTree.fromstring(svg)
    targets = {element.get("id", ""): element for element in root.iter()}
    return list(_shapes(root, Affine2D(), "", targets))


def _shapes(
    element: ElementTree.Element, place: Affine2D, look: str, targets: dict[str, ElementTree.Element]
) -> Iterator[tuple[str, list[tuple[str, Floats]]]]:
    place, look = _transform(element) + place, (element.get("style") or look).replace(" ", "")
    if element.tag == f"{SVG}use":
        yield from _shapes(targets[element.get(LINK, "")[1:]], place, look, targets)
    if element.tag == f"{SVG}path":
        yield re.sub(r"url\(#\w+\)", "hatch", look), _outline(element.get("d", ""), place)
    for inner in element:
        if inner.tag not in (f"{SVG}defs", f"{SVG}pattern"):
            yield from _shapes(inner, place, look, targets)


def _transform(element: ElementTree.Element) -> Affine2D:
    """The transform of an element: its last function acts first; x and y of a use act before."""
    whole = Affine2D()
    if element.tag == f"{SVG}use":
        whole.translate(float(element.get("x", 0)), float(element.get("y", 0)))
    for name, numbers in reversed(re.findall(r"(\w+)\(([^)]*)\)", element.get("transform", ""))):
        values = [float(number) for number in re.split("[ ,]", numbers)]
        act = {"translate": whole.translate, "scale": whole.scale, "rotate": whole.rotate_deg}[name]
        act(*values)
    return whole


def _outline(d: str, place: Affine2D) -> list[tuple[str, Floats]]:
    pen = RecordingPen()
    parse_path(d, pen)
    return [(command, place.transform(np.reshape(points, (-1, 2)))) for command, points in pen.value]


def away(points: Floats, line: Floats) -> Floats:
    """The distances of points from a line of segments."""
    first, chord = line[:-1], np.diff(line, axis=0)
    from_first = points[:, np.newaxis] - first
    along = np.einsum("psx,sx->ps", from_first, chord) / np.maximum((chord**2).sum(axis=1), 1e-12)
    nearest = first + np.clip(along, 0.0, 1.0)[..., np.newaxis] * chord
    return np.asarray(np.linalg.norm(points[:, np.newaxis] - nearest, axis=2).min(axis=1))


def test_every_shape_stays_where_it_was_with_its_look(both: tuple[str, str]) -> None:
    written, short = map(drawn, both)
    assert [look for look, _ in short] == [look for look, _ in written]
    assert len(short) > 60
    for (look, before), (_, after) in zip(written, short, strict=True):
        lines = [np.vstack([points for _, points in outline]) for outline in (before, after) if outline]
        if lines:
            doubled = [np.vstack([line, line[-1:]]) for line in lines]
            assert away(lines[0], doubled[1]).max() < NEAR, look
            assert away(lines[1], doubled[0]).max() < NEAR, look


def test_only_points_on_a_line_are_left_out(both: tuple[str, str]) -> None:
    written, short = map(drawn, both)
    bends = [[command for command, _ in outline if command not in ("lineTo", "endPath")] for _, outline in written]
    assert [
        [command for command, _ in outline if command not in ("lineTo", "endPath")] for _, outline in short
    ] == bends
    assert max(len(outline) for _, outline in written) > 10 * max(len(bend) for bend in bends)


def test_a_straight_line_of_many_points_has_two_and_a_turn_on_itself_stays() -> None:
    assert markup.path("M 0 0 L 1 1 L 2.001 2 L 5 5 ", 100) == "m0,0l5,5"
    assert markup.path("M 0 0 L 10 0 L 5 0 L 5 7.5 ", 100) == "m0,0h10-5v7.5"
    assert markup.path("M 0 0 L 3 4 L 0 0 L 3 -4 z M 1 1 ", 100) == "m0,0l3,4-3-4,3-4zm1,1"


def test_a_hatch_repeats_on_a_ninth_of_its_tile(both: tuple[str, str]) -> None:
    wide, narrow = (_dots(svg) for svg in both)
    assert wide[0] == 72
    assert narrow[0] == markup.TILE
    # All dots, moved into the small tile, are the dots that stand there.
    assert {(x % 240, y % 240) for x, y in wide[1]} == {(x % 240, y % 240) for x, y in narrow[1]}
    assert len(narrow[1]) < len(wide[1]) / 6


def _dots(svg: str) -> tuple[int, set[tuple[int, int]]]:
    """The width of a hatch's tile, and where its dots start, in tenths of a point."""
    pattern = next(ElementTree.fromstring(svg).iter(f"{SVG}pattern"))
    outline = _outline(pattern[1].get("d", ""), Affine2D())
    starts = {(round(10 * at[0][0]), round(10 * at[0][1])) for command, at in outline if command == "moveTo"}
    return int(pattern.get("width", 0)), starts


def test_texts_are_the_same_and_nothing_in_them_becomes_markup(both: tuple[str, str]) -> None:
    texts = [[text.strip() for text in ElementTree.fromstring(svg).itertext() if text.strip()] for svg in both]
    assert texts[0] == texts[1]
    assert "In the model, 'a' < \"b\"" in texts[1]
    comments = [re.findall("<!--(.*?)-->", svg) for svg in both]
    assert comments[0] == comments[1]
    assert " &lt;b&gt;Ärzte&lt;/b&gt; &amp; 'survivors' " in comments[1]


def test_a_name_that_looks_like_a_reference_stays_a_name() -> None:
    name = """url(#a) href="#b" <pattern width="72" height="72"> d="M 0 0 """
    figure = style.canvas(3.0, 1.0)
    figure.text(0.1, 0.5, name)
    short = style.svg(figure, title=name)
    assert next(ElementTree.fromstring(short).iter(f"{SVG}title")).text == name
