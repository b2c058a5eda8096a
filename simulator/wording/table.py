"""A labelled table as data. `terminal` and `elements` render it, and nothing else formats cells or pads columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.wording.intervals import Estimate


@dataclass(frozen=True)
class Column:
    """A column's heading, its alignment (numbers to the right), and whether only a page has room for it."""

    label: str = ""
    is_number: bool = True
    page_only: bool = False


@dataclass(frozen=True)
class Bar:
    """A range as shares of the page's bar, and a tick at a value, or None."""

    lower: float
    upper: float
    tick: float | None = None


@dataclass(frozen=True)
class Cell:
    """Content for a page: notes are smaller lines below it, each with its style; a terminal shows the content only."""

    content: str | Estimate = ""
    bar: Bar | None = None
    notes: Sequence[tuple[str, str]] = ()


Content = str | Estimate | Cell


@dataclass(frozen=True)
class Row:
    """A row: its label, the cells after it, the unit of its numbers, and its style on a page."""

    label: str | Cell
    cells: Sequence[Content]
    unit: str = ""
    style: str = ""


@dataclass(frozen=True)
class Table:
    """columns : the first is that of the labels; style : of the page"""

    columns: Sequence[Column]
    rows: Sequence[Row]
    caption: str = ""
    notes: Sequence[str] = ()
    style: str = "numbers"


Part = str | Table
"""A part of a report: a paragraph or a table. An empty paragraph is none."""


def columns(*headings: str) -> list[Column]:
    """Return the columns of labels and of numbers. headings : the first is that of the labels"""
    return [Column(headings[0], is_number=False), *map(Column, headings[1:])]


Reading = tuple[str, Any, Callable[[Any], Content]]
"""A column of a comparison: its heading, a scenario, and what it shows of a row of the scenario."""


Line = tuple[str, str, Mapping[Any, Any]]
"""A row of a comparison: its label, its unit, and scenario -> row of the data."""


def comparison(
    lines: Iterable[Line], readings: Sequence[Reading], *, caption: str, notes: Sequence[str] = (), corner: str = ""
) -> Table:
    """Return a table of scenarios; a cell is empty where a scenario has no row."""
    rows = [
        Row(label, [read(by_name[name]) if name in by_name else "" for _, name, read in readings], unit)
        for label, unit, by_name in lines
    ]
    return Table(columns(corner, *(heading for heading, *_ in readings)), rows, caption, notes)
