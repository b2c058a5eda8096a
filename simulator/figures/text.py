"""Text on a figure: its width, its line breaks, and places of labels that do not hide one another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from scipy.optimize import isotonic_regression

from simulator.figures.style import TEXT

HELD = "\N{NO-BREAK SPACE}"
"""Stands for a space at which no line may break."""

CUT = "\N{HORIZONTAL ELLIPSIS}"
"""Stands where the middle of a text is cut out."""


@lru_cache(maxsize=4096)
def width(text: str, size: float = TEXT, weight: str = "normal") -> float:
    """Return the inches that the widest line of a text takes."""
    font = FontProperties(family="DejaVu Sans", size=size, weight=weight)
    lines = text.split("\n")
    return max(float(text_to_path.get_text_width_height_descent(line, font, False)[0]) for line in lines) / 72


@lru_cache(maxsize=1024)
def wrap(text: str, inches: float, size: float = TEXT, weight: str = "normal") -> tuple[str, ...]:
    """Return a text in lines of at most `inches`, broken between words, or inside a word that is too long by itself.

    "n = 40", "95 % interval" and "12 to 38" stay together.
    """
    space = width("a a", size, weight) - 2 * width("a", size, weight)
    lines: list[list[str]] = []
    used = 0.0
    for word in re.findall(
        r"[^ \t\n]+", re.sub(r" = | (?=%)|(?<=%) (?=interval)|(?<=\d) to (?=[\d\u2212+])", _held, text)
    ):
        *broken, rest = _pieces(word, inches, size, weight)
        lines += [[piece] for piece in broken]
        needed = width(rest, size, weight)
        if lines and not broken and used + space + needed <= inches:
            lines[-1].append(rest)
            used += space + needed
        else:
            lines.append([rest])
            used = needed
    return tuple(" ".join(line).replace(HELD, " ") for line in lines)


def balanced(text: str, inches: float, size: float = TEXT, weight: str = "normal") -> tuple[str, ...]:
    """Return a text in as few lines as `wrap`, of about one width: no word stands alone in the last."""
    lines = wrap(text, inches, size, weight)
    # Narrower than its longest word, a line would break inside it.
    low, high = max(width(word, size, weight) for line in lines for word in line.split(" ")), inches
    while len(lines) > 1 and high - low > 0.05:
        middle = (low + high) / 2
        tried = wrap(text, middle, size, weight)
        lines, low, high = (tried, low, middle) if len(tried) <= len(lines) else (lines, middle, high)
    return lines


@lru_cache(maxsize=1024)
def broken_name(name: str, inches: float, size: float = TEXT, weight: str = "bold") -> str:
    """Return a scenario's label in lines of at most `inches`, broken after hyphens and, from a bracket on, by words."""
    name, bracket, benefit = name.partition(" (")
    lines = [""]
    for part in re.findall(r"[^-]*-|[^-]+", name):
        if lines[-1] and width(lines[-1] + part, size, weight) > inches:
            lines.append("")
        *broken, rest = _pieces(lines[-1] + part, inches, size, weight)
        lines[-1:] = [*broken, rest]
    if bracket:
        one_line = f"{lines[-1]}{bracket}{benefit}"
        fits = width(one_line, size, weight) <= inches
        lines[-1:] = [one_line] if fits else [lines[-1], *wrap(f"({benefit}", inches, size, weight)]
    return "\n".join(lines)


def broken_title(title: str, inches: float) -> str:
    """Return a panel's title in lines: words, or a scenario's name."""
    return "\n".join(wrap(title, inches, TEXT, "bold")) if " " in title else broken_name(title, inches)


def in_two_lines(text: str, inches: float, weight: str = "normal", size: float = TEXT) -> str:
    """Return a text in one or two lines of at most `inches`, the middle of the second cut out if need be."""
    text = re.sub(r"[ \t\n]+", " ", text).strip()
    lines = wrap(text, inches, size, weight) if " " in text else broken_name(text, inches, size, weight).split("\n")
    first, text = lines[0], text.replace(HELD, " ")
    # A hyphen that is not the text's own stands where a long word is broken.
    rest = text[len(first) if text.startswith(first) else len(first) - 1 :].strip()
    return f"{first}\n{fitted(rest, inches, size, weight)}" if rest else first


def fitted(text: str, inches: float, size: float = TEXT, weight: str = "normal") -> str:
    """Return a text in one line of at most `inches`, its middle cut out if need be."""
    keep, short = len(text), text
    while keep > 8 and width(short, size, weight) > inches:
        keep = min(keep - 1, int(keep * inches / width(short, size, weight)))
        short = f"{text[: keep - keep // 2].rstrip()}{CUT}{text[-(keep // 2) :].lstrip()}"
    return short


def _held(match: re.Match[str]) -> str:
    return match[0].replace(" ", HELD)


def _pieces(word: str, inches: float, size: float, weight: str) -> list[str]:
    """Return a word in pieces that fit, all but the last with a hyphen."""
    if width(word, size, weight) <= inches:
        return [word]
    pieces = []
    while width(word, size, weight) > inches and len(word) > 4:
        fitting = (n for n in range(len(word) - 1, 3, -1) if width(f"{word[:n]}-", size, weight) <= inches)
        keep = next(fitting, 3)
        pieces.append(f"{word[:keep]}-")
        word = word[keep:]
    return [*pieces, word]


def label_places(wanted: Sequence[float], gap: float, lowest: float, highest: float) -> list[float]:
    """Return places at least `gap` apart, between two ends, as near to the wanted places as possible.

    Least squares under an order: isotonic regression of the wanted places less the gaps before them (Ayer et al. 1955).
    """
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    level = isotonic_regression(np.asarray(wanted)[order] - steps).x if len(wanted) else steps
    places = np.empty(len(wanted))
    places[order] = np.clip(level, lowest, max(highest - gap * (len(wanted) - 1), lowest)) + steps
    return [float(place) for place in places]
