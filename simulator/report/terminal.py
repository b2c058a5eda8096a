"""The terminal that commands print to: plain text and tables, in 80 columns or as many as there are."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:

    pass


WIDEST = 16
"""Of a heading over numbers: a longer name is broken at its hyphens."""

WIDEST_TABLE = 1_000
"""Columns of the terminal that no table needs."""


def table(*columns: str, numbers: int = 0) -> Table:
    """Return an empty table, its last `numbers` columns to the right."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False)
    for place, name in enumerate(columns):
        number = place >= len(columns) - numbers
        heading = Text("\n".join(wrap(name, WIDEST)) if number else name)
        made.add_column(
            heading, justify="right" if number else "left", no_wrap=number, overflow="fold", vertical="bottom"
        )
    return made


def add(to: Table, *cells: str) -> None:
    """Add a row of plain text: what a file says is never read as markup."""
    to.add_row(*(Text(cell) for cell in cells))


class Terminal(Console):
    """Where a table is wider than the terminal its lines are broken there: no word and no digit is left out."""

    def print(self, *objects: Any, **settings: Any) -> None:
        for each in objects:
            if isinstance(each, Table):
                words = self.measure(each, options=self.options.update(max_width=WIDEST_TABLE)).minimum
                # Rich leaves out the spaces between columns.
                least = words + len(each.columns) - 1
                if least > self.width:
                    each.width, settings["crop"] = least, False
        super().print(*objects, **settings)


def console() -> Console:
    return Terminal(highlight=False, markup=False, emoji=False, soft_wrap=False)
