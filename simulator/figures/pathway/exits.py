"""Where every state of a pathway leads: as a table, and as a compact sheet where neither boxes nor choices fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simulator.figures import style, text
from simulator.figures.pathway.branches import Branches
from simulator.figures.picture import Picture
from simulator.figures.sheet import Sheet
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


def table(pathway: Pathway, of: Branches) -> Table:
    """Return every state with the states after it, and the shares of patients who go there."""
    rows = []
    for state in (pathway.states[name] for name in pathway.in_order):
        targets = {exit.to: pathway.states[exit.to].label for exit in state.transitions}
        words = [
            f"{label} ({of.in_words((state.name, to))})" if (state.name, to) in of.shares else label
            for to, label in targets.items()
        ]
        if words:
            rows.append(Row(state.label, [KINDS[state.kind].partition(":")[0], _listed(words)]))
    return Table([Column(head, is_number=False) for head in ("State", "Kind", "Leads to")], rows, style="")


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


@style.applied()
def picture(name: str, title: str, subtitle: str, exits: Table, notes: Iterable[str], *, width: float) -> Picture:
    """Return the figure: a state a paragraph, in bold, with where it leads below it. width : inches"""
    room, small = width - 2 * style.MARGIN, style.small(width)
    states = [
        (
            text.wrap(row.label, room, style.TEXT, "bold"),
            text.wrap(f"{row.cells[0]}, leads to {row.cells[1]}", room, small),
        )
        for row in exits.rows
    ]
    lines = sum(len(label) + len(onward) for label, onward in states)
    sheet = Sheet(title, subtitle, notes, _LINE * lines + _GAP * (len(states) + 1), width=width)
    top = sheet.top
    for label, onward in states:
        for number, line in enumerate((*label, *onward)):
            look = {"weight": "bold"} if number < len(label) else {"color": style.QUIET, "fontsize": small}
            sheet.page.text(style.MARGIN, top, line, va="top", **look)
            top -= _LINE
        top -= _GAP
    return sheet.picture(name)
