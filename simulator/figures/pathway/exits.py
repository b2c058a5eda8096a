"""Where every state of a pathway leads: as a table, and as a list where neither boxes nor choices fit on a sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator import plain_text
from simulator.figures import style, text
from simulator.figures.pathway import branches
from simulator.figures.pathway.branches import CHANGED, Branches
from simulator.figures.picture import Picture
from simulator.figures.sheet import Sample, Sheet
from simulator.pathway.pathway import Pathway
from simulator.wording.table import Column, Row, Table

KINDS = {
    "sojourn": "time passes here",
    "decision": "decision: a policy can change it",
    "chance": "chance",
    "death": "death",
    "end": "end",
}

_LINE, _GAP = 0.155, 0.08
"""Inches of a line, and between two states."""


@dataclass(frozen=True)
class Entry:
    """A state in words: its label, its kind and whether patients reach it, where it leads; is_changed : any of it."""

    label: str
    kind: str
    onward: str
    is_changed: bool


def entries(pathway: Pathway, of: Branches) -> Iterator[Entry]:
    """Yield every state with the states after it, the shares of patients who go there, and the times that change."""
    reached = branches.reached(pathway, of)
    for state in (pathway.states[name] for name in pathway.in_order):
        words = []
        for to in dict.fromkeys(pathway.onward(state.name)):
            arrow, label = (state.name, to), pathway.states[to].label
            months = of.time_in_words(arrow)
            time = f"time changed{months and f': median {months}'}" if arrow in of.changed else ""
            bracket = of.in_words(arrow) if arrow in of.shares else time
            words.append(f"{label} ({bracket})" if bracket else label)
        kind = KINDS[state.kind].partition(":")[0] + ("" if state.name in reached else f", {of.unused}")
        is_changed = any((state.name, to) in of.changed for to in pathway.onward(state.name))
        yield Entry(state.label, kind, plain_text.listed(words, "or"), is_changed)


def table(pathway: Pathway, of: Branches) -> Table:
    """Return every state with its kind and where it leads."""
    rows = [Row(entry.label, [entry.kind, entry.onward]) for entry in entries(pathway, of)]
    return Table([Column(head, is_number=False) for head in ("State", "Kind", "Leads to")], rows, style="")


@style.applied()
def picture(
    name: str, title: str, subtitle: str, listed: Iterable[Entry], key: Sequence[Sample], notes: Iterable[str],
    *, width: float,
) -> Picture:  # fmt: skip
    """Return the figure: a state a paragraph, in as many columns as compact sheets are as wide. width : inches"""
    columns, small = round(width / style.COMPACT), style.small(width)
    across = width / columns
    room = across - 2 * style.MARGIN
    paragraphs = [_paragraph(entry, room, small) for entry in listed]
    ends = np.cumsum([_LINE * len(lines) + _GAP for lines in paragraphs])
    starts = np.concatenate([[0.0], ends[:-1]])
    column = (columns * starts / ends[-1]).astype(int)
    heads = np.array([starts[column == place].min(initial=ends[-1]) for place in range(columns)])
    body = float(np.max(ends - heads[column]))
    sheet = Sheet(title, subtitle, notes, body + 2 * _GAP, key=key, width=width)
    for lines, start, place in zip(paragraphs, starts, column, strict=True):
        top = sheet.top - _GAP - (start - heads[place])
        for number, (line, look) in enumerate(lines):
            sheet.page.text(style.MARGIN + place * across, top - _LINE * number, line, va="top", **look)
    return sheet.picture(name)


def _paragraph(entry: Entry, room: float, small: float) -> list[tuple[str, dict[str, Any]]]:
    """Return the lines of a state, each with its look: its label in bold, and where it leads."""
    onward = f"{entry.kind}, leads to {entry.onward}" if entry.onward else entry.kind
    bold = {"weight": "bold", "color": style.shade(CHANGED, 0.65) if entry.is_changed else style.INK}
    grey = {"color": style.QUIET, "fontsize": small}
    label = text.wrap(entry.label, room, style.TEXT, "bold")
    onward = branches.held_change(onward)
    return [*((line, bold) for line in label), *((line, grey) for line in text.wrap(onward, room, small))]
