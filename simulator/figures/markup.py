"""A figure's SVG in a third of its bytes, the same for the eye: fewer points and decimals, short names, no blanks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from string import ascii_letters
from xml.parsers import expat
from xml.sax.saxutils import escape

import numpy as np

STEPS, LETTER_STEPS = 100, 10
"""Places are written in hundredths of a point (1/72 inch); those of letters in tenths of a hundredth of their size."""
NEAR = 3.0
"""Steps from a line within which a curve is that line: less than a twentieth of a pixel on the page."""

TILE = 24
"""Points after which any hatch of matplotlib repeats: N signs make 6 N lines or rows in the 72 points that it draws."""

LETTER = "scale(0.015625)"
"""The transform by which matplotlib makes the outline of a glyph a hundred units large."""

_HATCH = re.compile(r'(<pattern [^>]*)width="72" height="72">(.*? d=")([^"]*)', re.DOTALL)
_REFERENCE = re.compile(r'(?:href="|url\()#([^")]+)')
_COMMAND = re.compile(r"([MLQCz])([^MLQCz]*)")
_ALONG = re.compile(r"translate\((\S+) 0\)")
_NUMBER = re.compile(r"-?\d+\.\d+")
_POINTS = {"M": 1, "L": 1, "Q": 2, "C": 3, "z": 1}

Point = tuple[int, int]


def shortened(svg: str) -> str:
    """Return an SVG that matplotlib wrote with the same shapes and texts, in fewer bytes."""
    names = {name: _name(place) for place, name in enumerate(dict.fromkeys(_REFERENCE.findall(svg)))}
    svg = _HATCH.sub(_tile, svg)
    writer, parser = _Writer(names), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = writer.start, writer.end
    parser.CharacterDataHandler, parser.CommentHandler = writer.text, writer.comment
    parser.Parse(svg.encode(), True)
    return "".join([*writer.parts, "\n"])


def _tile(hatch: re.Match[str]) -> str:
    """Return a hatch on a smaller tile: what stands in it, or reaches into it."""
    shapes = re.findall("M[^M]*", hatch[3])
    places = [np.array(re.findall(r"[-.\d]+", shape), dtype=float).reshape(-1, 2) for shape in shapes]
    inside = (shape for shape, points in zip(shapes, places, strict=True) if (points.min(axis=0) < TILE + 1).all())
    return f'{hatch[1]}width="{TILE}" height="{TILE}">{hatch[2]}{"".join(inside)}'


class _Writer:
    """Writes elements as a parser reads them. names : of elements that others refer to -> their short names"""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self.parts: list[str] = []
        self.open: list[tuple[bool, int]] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        pairs = "".join(f" {key}='{_quoted(value)}'" for key, value in _attributes(tag, attributes, self.names))
        # A group without attributes does nothing.
        if written := bool(pairs) or tag != "g":
            self.parts.append(f"<{tag}{pairs}>")
        self.open.append((written, len(self.parts)))

    def end(self, tag: str) -> None:
        written, place = self.open.pop()
        if written and place == len(self.parts):
            self.parts[-1] = f"{self.parts[-1][:-1]}/>"
        elif written:
            self.parts.append(f"</{tag}>")

    def text(self, words: str) -> None:
        if not words.isspace():
            self.parts.append(escape(words))

    def comment(self, words: str) -> None:
        self.parts.append(f"<!--{words}-->")


def _quoted(value: str) -> str:
    return escape(value, {"'": "&#39;"})


def _name(place: int) -> str:
    """Return a name that no other place has, a letter for the first."""
    return f"{ascii_letters[place % 52]}{place // 52 or ''}"


def _attributes(tag: str, attributes: Mapping[str, str], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the attributes of an element that say anything, shorter."""
    is_letter = attributes.get("transform") == LETTER
    for key, value in attributes.items():
        along = _ALONG.fullmatch(value) if tag == "use" else None
        if key == "id":
            if value in names:
                yield key, names[value]
        elif key == "d":
            yield key, _outline(value) if is_letter else path(value, STEPS)
        elif along:
            yield "x", _decimal(round(float(along[1]) * LETTER_STEPS), LETTER_STEPS)
        elif key == "transform":
            if not is_letter:
                yield key, _rounded(value, 10_000)
        elif key in ("x", "y", "width", "height"):
            yield key, _rounded(value, STEPS)
        else:
            value = re.sub(r"#([\w-]+)", lambda name: f"#{names.get(name[1], name[1])}", value)
            yield key, re.sub("([:;]) ", r"\1", value) if key == "style" else value


def _rounded(value: str, steps: int) -> str:
    return _NUMBER.sub(lambda number: _decimal(round(float(number[0]) * steps), steps), value)


@lru_cache(maxsize=65536)
def _decimal(count: int, steps: int) -> str:
    """Return so many steps as a decimal number, without zeros that say nothing."""
    text = f"{count / steps:.4f}".rstrip("0").rstrip(".")
    return re.sub(r"^(-?)0\.", r"\1.", text)


def path(drawn: str, steps: int, scale: float = 1.0) -> str:
    """Return a path of SVG from point to point, in steps, without the points of a curve that lie on a line."""
    written: list[str] = []
    at = start = (0, 0)
    last = ""
    for command, points in _commands(drawn, steps * scale):
        letter, numbers = _from(at, command, points)
        text = "".join(_decimal(number, steps) if number < 0 else f",{_decimal(number, steps)}" for number in numbers)
        is_repeated = letter == last and command in "LQC"
        written.append(text if is_repeated else f"{letter}{text.removeprefix(',')}")
        at, last = points[-1] if points else start, letter
        if command == "M":
            start = at
    return "".join(written)


@lru_cache(maxsize=4096)
def _outline(drawn: str) -> str:
    """Return the path of a letter, which the figures of a run have in common."""
    return path(drawn, LETTER_STEPS, 1 / 64)


def _from(at: Point, command: str, points: Sequence[Point]) -> tuple[str, list[int]]:
    """Return the sign and the numbers of a command, counted from where the last one ended."""
    numbers = [number for x, y in points for number in (x - at[0], y - at[1])]
    if command == "L" and 0 in numbers:
        return ("v", numbers[1:]) if numbers[0] == 0 else ("h", numbers[:1])
    return command.lower(), numbers


def _commands(drawn: str, scale: float) -> Iterator[tuple[str, list[Point]]]:
    """Yield the commands of a path, each with its points in whole steps."""
    at: Point = (0, 0)
    for command, same in groupby(_COMMAND.findall(drawn), itemgetter(0)):
        values = [round(float(number) * scale) for _, numbers in same for number in numbers.split()]
        points = list(zip(values[::2], values[1::2], strict=True))
        if command == "L" and len(points) > 1:
            points = corners([at, *points])[1:]
        size = _POINTS[command]
        yield from ((command, points[place : place + size]) for place in range(0, len(points) or 1, size))
        at = points[-1] if points else at


def corners(line: Sequence[Point]) -> list[Point]:
    """Return the points of a line that it needs to pass within `NEAR` of the others (Douglas & Peucker 1973)."""
    points = np.asarray(line) @ (1, 1j)
    needed, parts = {0, len(line) - 1}, [(0, len(line) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        chord, from_first = points[last] - points[first], points[first + 1 : last] - points[first]
        square = (chord * chord.conjugate()).real
        along = ((from_first * chord.conjugate()).real / max(square, 1.0)).clip(0.0, 1.0)
        from_chord = from_first - along * chord
        away = np.sqrt(from_chord.real**2 + from_chord.imag**2)
        middle = int(away.argmax())
        if away[middle] > NEAR:
            middle += first + 1
            needed.add(middle)
            parts += [(first, middle), (middle, last)]
    return [line[place] for place in sorted(needed)]
