"""What a sweep prints: the answer first, then the grid, in 80 columns."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table

from simulator.analyses.sweep.run import Sweep
from simulator.report import terminal
from simulator.wording import intervals
from simulator.wording.sweep import answer
from simulator.wording.sweep_rows import Displayed, displayed

WIDE, NARROW = 5, 11
"""Columns of a grid that fit with intervals, and without."""

ROWS = 20
ENDS = 5
"""Of a grid that is too large, the best and the worst so many cells."""


def show(sweep: Sweep, console: Console) -> None:
    """Print the answer, the grid, what must be known beside it, and what it is not for."""
    console.print(answer(sweep))
    outcomes = displayed(sweep)
    console.print()
    if len(sweep.grid.axes) == 1 and len(sweep.grid) <= ROWS:
        console.print(f"By {sweep.grid.names[0]}{_intervals(sweep)}")
        console.print(_of_one_name(sweep, outcomes[:4]))
    elif _fits(sweep):
        for each in outcomes[: 2 if sweep.grid.at(0).capacity else 1]:
            console.print(_title(sweep, each))
            console.print(_of_two_names(sweep, each))
    elif sweep.lead is not None:
        which = "Every cell" if len(sweep.grid) <= ROWS else f"The best and the worst of {len(sweep.grid):,} cells"
        console.print(f"{which}{_intervals(sweep)}")
        console.print(_ends(sweep, outcomes[:2]))
    for note in sweep.notes:
        console.print(note)
    console.print(f"Engine: {sweep.manifest['engine']}; {sweep.manifest['engine_because']}.")
    console.print()
    console.print(sweep.manifest["note"])


def _intervals(sweep: Sweep) -> str:
    draws = sweep.manifest["draws"]
    return f"; 95 % intervals over {draws} draws" if draws > 1 else "; one set of parameters, so no intervals"


def _fits(sweep: Sweep) -> bool:
    sizes = [len(axis.values) for axis in sweep.grid.axes]
    return len(sizes) == 2 and min(sizes) <= NARROW and max(sizes) <= ROWS


def _of_one_name(sweep: Sweep, found: list[Displayed]) -> Table:
    (axis,) = sweep.grid.axes
    made = terminal.table(axis.name, *(each.label for each in found), numbers=len(found))
    columns = [each.rows(sweep) for each in found]
    for place, value in enumerate(axis.values):
        cells = (_cell(each, rows[place]) for each, rows in zip(found, columns, strict=True))
        terminal.add(made, f"{value:.10g}", *cells)
    return made


def _title(sweep: Sweep, what: Displayed) -> str:
    down, across = sweep.grid.axes if len(sweep.grid.axes[1].values) <= NARROW else sweep.grid.axes[::-1]
    intervals = _intervals(sweep) if len(across.values) <= WIDE else ""
    return f"{what.label[0].upper()}{what.label[1:]}, by {down.name} (down) and {across.name} (across){intervals}"


def _of_two_names(sweep: Sweep, what: Displayed) -> Table:
    down, across = sweep.grid.axes
    rows = np.array(what.rows(sweep), dtype=object).reshape(len(down.values), len(across.values))
    if len(across.values) > NARROW:
        down, across, rows = across, down, rows.T
    made = terminal.table(down.name, *(f"{value:.10g}" for value in across.values), numbers=len(across.values))
    for value, row in zip(down.values, rows, strict=True):
        told = (_cell(what, row, interval=len(across.values) <= WIDE) for row in row)
        terminal.add(made, f"{value:.10g}", *told)
    return made


def _ends(sweep: Sweep, found: list[Displayed]) -> Table:
    names = sweep.grid.names
    made = terminal.table(*names, *(each.label for each in found), numbers=len(found))
    columns = [each.rows(sweep) for each in found]
    order = np.argsort([-row["estimate"] for row in columns[0]], kind="stable")
    if len(order) > ROWS:
        order = np.concatenate([order[:ENDS], order[-ENDS:]])
    for cell in order:
        values = (f"{value:.10g}" for value in sweep.grid.values(int(cell)))
        cells = (_cell(each, rows[cell]) for each, rows in zip(found, columns, strict=True))
        terminal.add(made, *values, *cells)
    return made


def _cell(what: Displayed, row: intervals.Row, *, interval: bool = True) -> str:
    """Return "34 (25-44)" in the outcome's own unit."""
    value, lower, upper = (what.factor * row[key] for key in ("estimate", "lower", "upper"))
    lower, upper = (lower, upper) if interval else (np.nan, np.nan)
    return intervals.with_interval(value, lower, upper, what.unit)
