"""The terminal that commands print to: plain text and tables, in 80 columns or the terminal's own width."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDEST = 16
"""Columns of a heading over numbers: a longer name is broken at its hyphens."""

WIDEST_TABLE = 1_000
"""More columns than any table needs."""


def table(*columns: str, numbers: int = 0) -> Table:
    """Return an empty table, its last `numbers` columns aligned to the right."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False)
    for place, name in enumerate(columns):
        number = place >= len(columns) - numbers
        heading = Text("\n".join(wrap(name, WIDEST)) if number else name)
        table.add_column(
            heading, justify="right" if number else "left", no_wrap=number, overflow="fold", vertical="bottom"
        )
    return table


def add(to: Table, *cells: str) -> None:
    """Add a row of plain text: text from a file is never read as markup."""
    to.add_row(*(Text(cell) for cell in cells))


class Terminal(Console):
    """A console that breaks the lines of a table wider than the terminal: no word and no digit is lost."""

    def print(self, *objects: Any, **settings: Any) -> None:
        for content in objects:
            if isinstance(content, Table):
                words = self.measure(content, options=self.options.update(max_width=WIDEST_TABLE)).minimum
                # The measure of Rich excludes the spaces between columns.
                least = words + len(content.columns) - 1
                if least > self.width:
                    content.width, settings["crop"] = least, False
        super().print(*objects, **settings)


def console() -> Console:
    return Terminal(highlight=False, markup=False, emoji=False, soft_wrap=False)
