"""The terminal output of a sweep: the answer first, then the grid, in 80 columns."""

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
"""Number of best cells, and of worst cells, of a grid that is too large."""


def show(sweep: Sweep, console: Console) -> None:
    """Print the answer, the grid, notes, and limits."""
    console.print(answer(sweep))
    outcomes = displayed(sweep)
    console.print()
    if len(sweep.grid.axes) == 1 and len(sweep.grid) <= ROWS:
        console.print(f"By {sweep.grid.names[0]}{_intervals(sweep)}")
        console.print(_of_one_name(sweep, outcomes[:4]))
    elif _fits(sweep):
        for outcome in outcomes[: 2 if sweep.grid.at(0).capacity else 1]:
            console.print(_title(sweep, outcome))
            console.print(_of_two_names(sweep, outcome))
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
    return intervals.over_draws(sweep.manifest["draws"])


def _fits(sweep: Sweep) -> bool:
    sizes = [len(axis.values) for axis in sweep.grid.axes]
    return len(sizes) == 2 and min(sizes) <= NARROW and max(sizes) <= ROWS


def _of_one_name(sweep: Sweep, outcomes: list[Displayed]) -> Table:
    (axis,) = sweep.grid.axes
    table = terminal.table(axis.name, *(outcome.label for outcome in outcomes), numbers=len(outcomes))
    columns = [outcome.rows(sweep) for outcome in outcomes]
    for place, value in enumerate(axis.values):
        cells = (_cell(outcome, rows[place]) for outcome, rows in zip(outcomes, columns, strict=True))
        terminal.add(table, f"{value:.10g}", *cells)
    return table


def _title(sweep: Sweep, outcome: Displayed) -> str:
    down, across = sweep.grid.axes if len(sweep.grid.axes[1].values) <= NARROW else sweep.grid.axes[::-1]
    interval = _intervals(sweep) if len(across.values) <= WIDE else ""
    label = f"{outcome.label[0].upper()}{outcome.label[1:]}"
    return f"{label}, by {down.name} (down) and {across.name} (across){interval}"


def _of_two_names(sweep: Sweep, outcome: Displayed) -> Table:
    down, across = sweep.grid.axes
    rows = np.array(outcome.rows(sweep), dtype=object).reshape(len(down.values), len(across.values))
    if len(across.values) > NARROW:
        down, across, rows = across, down, rows.T
    table = terminal.table(down.name, *(f"{value:.10g}" for value in across.values), numbers=len(across.values))
    for value, row in zip(down.values, rows, strict=True):
        cells = (_cell(outcome, cell, interval=len(across.values) <= WIDE) for cell in row)
        terminal.add(table, f"{value:.10g}", *cells)
    return table


def _ends(sweep: Sweep, outcomes: list[Displayed]) -> Table:
    names = sweep.grid.names
    table = terminal.table(*names, *(outcome.label for outcome in outcomes), numbers=len(outcomes))
    columns = [outcome.rows(sweep) for outcome in outcomes]
    order = np.argsort([-row["estimate"] for row in columns[0]], kind="stable")
    if len(order) > ROWS:
        order = np.concatenate([order[:ENDS], order[-ENDS:]])
    for cell in order:
        values = (f"{value:.10g}" for value in sweep.grid.values(int(cell)))
        cells = (_cell(outcome, rows[cell]) for outcome, rows in zip(outcomes, columns, strict=True))
        terminal.add(table, *values, *cells)
    return table


def _cell(outcome: Displayed, row: intervals.Row, *, interval: bool = True) -> str:
    """Return "34 (25-44)" in the outcome's displayed unit."""
    value, lower, upper = (outcome.factor * row[key] for key in ("estimate", "lower", "upper"))
    lower, upper = (lower, upper) if interval else (np.nan, np.nan)
    return intervals.with_interval(value, lower, upper, outcome.unit)
