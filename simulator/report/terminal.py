"""The terminal that commands print to: paragraphs and tables, in 80 columns or the terminal's own width."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from textwrap import wrap

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from simulator.outcomes.labels import with_unit
from simulator.wording.intervals import Estimate
from simulator.wording.table import Cell, Column, Content, Part, Table

LAYOUTS: tuple[tuple[Callable[[Estimate], str], int, int], ...] = (
    (str, 16, 24),
    (attrgetter("lines"), 13, 24),
    (attrgetter("narrow_lines"), 9, 16),
    (attrgetter("narrow_lines"), 9, 11),
)
"""The text of an estimate, and the columns of a heading and of a label from which on they may be broken: with the
interval after the estimate, below it, or below it without brackets."""

IN_BLOCKS = LAYOUTS[1]
"""The layout of a table that has no room in any."""

WORD = 14
"""A longer part of a heading's word may be broken, too."""
PARTS = re.compile(r"(?<=[^\W\d_]-)(?=[^\W\d_])|\s")
"""Where words are broken otherwise: as `textwrap` does."""

_Strip = tuple[Column, list[str]]
"""A column of a table, with the texts of its heading and cells."""


def console() -> Console:
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False)


def show(parts: Iterable[Part], console: Console) -> None:
    """Print paragraphs and tables. A blank line stands around a table with its caption and notes."""
    before: Part = ""
    for part in parts:
        if not part:
            continue
        if before and Table in (type(before), type(part)):
            console.print()
        lines = [part.caption, *_grids(part, console.width), *part.notes] if isinstance(part, Table) else [part]
        for line in filter(None, lines):
            console.print(line, crop=False)
        before = part


def _grids(table: Table, width: int) -> Iterator[Grid]:
    """Yield a grid, or several: columns that do not fit stand below, under the same labels."""
    for text, heading, label in (*LAYOUTS, IN_BLOCKS):
        labels, *others = _strips(table, text, heading, label)
        if _width([labels, *others], label) <= width:
            break
    while others:
        block = [labels, others.pop(0)]
        while others and _width([*block, others[0]], label) <= width:
            block.append(others.pop(0))
        yield _grid(block)


def _strips(table: Table, text: Callable[[Estimate], str], heading: int, label: int) -> Iterator[_Strip]:
    """Yield the columns. text : of an estimate; heading, label : columns that a long one may take"""
    for place, column in enumerate(table.columns):
        if column.page_only:
            continue
        if place == 0:
            cells = [with_unit(_text(row.label, text), row.unit) for row in table.rows]
        else:
            cells = [_text(row.cells[place - 1], text) for row in table.rows]
        words = min(WORD, max(map(_longest, PARTS.split(column.label))))
        longest = max([heading, words, *map(_longest, cells)]) if column.is_number else label
        yield column, ["\n".join(wrap(column.label, longest)), *cells]


def _text(content: Content, text: Callable[[Estimate], str]) -> str:
    if isinstance(content, Cell):
        content = content.content
    return content if isinstance(content, str) else text(content)


def _longest(text: str) -> int:
    return max(map(cell_len, text.split("\n")))


def _width(strips: Sequence[_Strip], label: int) -> int:
    """Return the columns that strips need, with a space between them. label : from which on labels may be broken"""
    needed = (max(_least(column, texts), min(max(map(_longest, texts)), label)) for column, texts in strips)
    return sum(needed) + len(strips) - 1


def _least(column: Column, texts: Sequence[str]) -> int:
    """Return the columns that a strip needs at least: no word and no number is broken."""
    heading, *cells = texts
    return max(map(_longest, [heading, *(cells if column.is_number else " ".join(cells).split())]))


def _grid(strips: Sequence[_Strip]) -> Grid:
    """Return a grid; it may be wider than a narrow terminal."""
    grid = Grid(box=SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False)
    lines = max(texts[0].count("\n") for _, texts in strips)
    for column, (heading, *cells) in strips:
        # Headings stand on their rule, cells at the top of their row.
        standing = "\n" * (lines - heading.count("\n")) + heading
        grid.add_column(
            Text(standing), justify="right" if column.is_number else "left", min_width=_least(column, [heading, *cells])
        )
    for row in zip(*(texts[1:] for _, texts in strips), strict=True):
        grid.add_row(*map(Text, row))
    return grid
