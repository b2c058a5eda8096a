"""Text on a figure: its width, line breaks, places of labels, headings and footings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from simulator.figures.style import MARGIN, QUIET, SMALL, TEXT, TITLE, WIDTH

HELD = "\N{NO-BREAK SPACE}"
"""Stands for a space at which no line may break."""


def explained(abbreviations: Mapping[str, str], labels: Iterable[str]) -> list[str]:
    """Return a sentence with the abbreviations that labels use and their meanings; none without abbreviations."""
    text = " ".join(labels)
    used = [
        f"{abbreviation}: {meaning}"
        for abbreviation, meaning in abbreviations.items()
        if re.search(rf"(?<!\w){re.escape(abbreviation)}(?!\w)", text)
    ]
    return [f"{'; '.join(used)}."] if used else []


@lru_cache(maxsize=4096)
def width(text: str, size: float = TEXT, weight: str = "normal") -> float:
    """Return the inches that the widest line of a text takes."""
    font = FontProperties(family="DejaVu Sans", size=size, weight=weight)
    lines = text.split("\n")
    return max(float(text_to_path.get_text_width_height_descent(line, font, False)[0]) for line in lines) / 72


@lru_cache(maxsize=1024)
def wrap(text: str, inches: float, size: float = TEXT, weight: str = "normal") -> tuple[str, ...]:
    """Return a text in lines of at most `inches`, broken between words, or inside a word that is too long by itself.

    "n = 40" and "95 %" stay together.
    """
    space = width("a a", size, weight) - 2 * width("a", size, weight)
    lines: list[list[str]] = []
    used = 0.0
    for word in re.findall(r"[^ \t\n]+", re.sub(r" = | (?=%)", _held, text)):
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


@lru_cache(maxsize=1024)
def broken_name(name: str, inches: float, size: float = TEXT, weight: str = "bold") -> str:
    """Return a scenario's name in lines of at most `inches`, broken after its hyphens and before its @."""
    lines = [""]
    for part in re.findall(r"@.*|[^-@]*-|[^-@]+", name):
        if lines[-1] and width(lines[-1] + part, size, weight) > inches:
            lines.append("")
        *broken, rest = _pieces(lines[-1] + part, inches, size, weight)
        lines[-1:] = [*broken, rest]
    return "\n".join(lines)


def fitted(text: str, inches: float, size: float = TEXT, weight: str = "normal") -> str:
    """Return a text in one line of at most `inches`, its middle cut out if need be."""
    keep, short = len(text), text
    while keep > 8 and width(short, size, weight) > inches:
        keep = min(keep - 1, int(keep * inches / width(short, size, weight)))
        short = f"{text[: keep - keep // 2].rstrip()}…{text[-(keep // 2) :].lstrip()}"
    return short


def _held(match: re.Match[str]) -> str:
    return match[0].replace(" ", HELD)


def _pieces(word: str, inches: float, size: float, weight: str) -> list[str]:
    """Return a word in pieces that fit, all but the last with a hyphen."""
    if width(word, size, weight) <= inches:
        return [word]
    pieces = []
    # Letters are drawn on whole pixels: a line of a hundred may be a little wider than measured.
    inches *= 0.97
    while width(word, size, weight) > inches and len(word) > 4:
        fitting = (n for n in range(len(word) - 1, 3, -1) if width(f"{word[:n]}-", size, weight) <= inches)
        keep = next(fitting, 3)
        pieces.append(f"{word[:keep]}-")
        word = word[keep:]
    return [*pieces, word]


def label_places(wanted: Sequence[float], gap: float, lowest: float, highest: float) -> list[float]:
    """Return places at least `gap` apart, between two ends, as near to the wanted places as possible."""
    order = np.argsort(wanted, kind="stable")
    placed = spaced([wanted[index] for index in order], [gap] * (len(wanted) - 1))
    room = max(highest - gap * (len(wanted) - 1), lowest)
    steps = gap * np.arange(len(wanted))
    places = np.empty(len(wanted))
    places[order] = np.clip(np.array(placed) - steps, lowest, room) + steps
    return [float(place) for place in places]


def spaced(wanted: Sequence[float], gaps: Sequence[float], weights: Sequence[float] | None = None) -> list[float]:
    """Return places in the given order, each at least its gap after the one before, as near to the wanted as possible.

    Weighted least squares under an order: isotonic regression of wanted_i less the gaps before i (Ayer et al. 1955),
    by pooling neighbours. gaps : one fewer than wanted; weights : positive, one each.
    """
    steps = np.concatenate([[0.0], np.cumsum(gaps)])[: len(wanted)]
    pools: list[tuple[float, float, int]] = []
    for place, step, weight in zip(wanted, steps, weights or [1.0] * len(wanted), strict=True):
        pools.append((place - float(step), weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (later, heavy, later_size), (earlier, light, earlier_size) = pools.pop(), pools.pop()
            total = heavy + light
            pools.append(((later * heavy + earlier * light) / total, total, later_size + earlier_size))
    level = np.array([mean for mean, _, size in pools for _ in range(size)])
    return [float(place) for place in level + steps]


def heading(figure: Figure, title: str, subtitle: str = "") -> None:
    """Write the title, and the subtitle below it, at the top left."""
    across, up = figure.get_size_inches()
    title = fitted(title, across - 2 * MARGIN, TITLE, "bold")
    figure.text(MARGIN / across, 1 - 0.12 / up, title, fontsize=TITLE, fontweight="bold", va="top")
    lines = "\n".join(wrap(subtitle, across - 2 * MARGIN))
    figure.text(MARGIN / across, 1 - 0.38 / up, lines, color=QUIET, va="top", linespacing=1.3)


def footing(figure: Figure, text: str) -> None:
    """Write source and cautions at the bottom left."""
    across, up = figure.get_size_inches()
    lines = "\n".join(wrap(text, across - 2 * MARGIN, SMALL))
    figure.text(MARGIN / across, 0.1 / up, lines, color=QUIET, fontsize=SMALL, va="bottom", linespacing=1.35)


def heading_height(subtitle: str, across: float = WIDTH) -> float:
    """Return the inches that `heading` takes."""
    return 0.42 + 0.165 * len(wrap(subtitle, across - 2 * MARGIN))


def footing_height(text: str, across: float = WIDTH) -> float:
    """Return the inches that `footing` takes."""
    return 0.14 + 0.148 * len(wrap(text, across - 2 * MARGIN, SMALL))


