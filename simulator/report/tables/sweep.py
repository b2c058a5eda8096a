"""The report of a sweep: the answer first, then the grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from simulator.analyses.sweep.run import Sweep
from simulator.plain_text import capital
from simulator.wording import sweep as wording
from simulator.wording.intervals import over_draws
from simulator.wording.sweep_rows import Displayed, displayed
from simulator.wording.table import Column, Part, Row, Table, columns

WIDE, NARROW = 5, 11
"""Columns of a grid with intervals, and without."""

ROWS = 20
ENDS = 5
"""Number of best cells, and of worst cells, of a grid that is too large."""


def report(sweep: Sweep) -> Iterator[Part]:
    """Yield the answer, the grid, notes, and limits."""
    yield wording.answer(sweep)
    yield from _grid(sweep, displayed(sweep))
    yield from sweep.notes
    yield f"Engine: {sweep.manifest['engine']}; {sweep.manifest['engine_because']}."
    yield sweep.manifest["note"]


def _grid(sweep: Sweep, outcomes: Sequence[Displayed]) -> Iterator[Table]:
    """Yield the table of one name's values, a table an outcome for two names, or else the best and the worst cells."""
    grid, intervals = sweep.grid, over_draws(sweep.manifest["draws"])
    sizes = [len(axis.values) for axis in grid.axes]
    if len(sizes) == 1 and len(grid) <= ROWS:
        yield _of_cells(sweep, range(len(grid)), outcomes[:4], f"By {grid.names[0]}{intervals}")
    elif len(sizes) == 2 and min(sizes) <= NARROW and max(sizes) <= ROWS:
        for outcome in outcomes[: 2 if grid.at(0).capacity else 1]:
            yield _of_two_names(sweep, outcome, intervals)
    elif sweep.lead is not None:
        order = np.argsort([-row["estimate"] for row in outcomes[0].rows(sweep)], kind="stable")
        which = "Every cell" if len(grid) <= ROWS else f"The best and the worst of {len(grid):,} cells"
        cells = order if len(grid) <= ROWS else np.concatenate([order[:ENDS], order[-ENDS:]])
        yield _of_cells(sweep, [int(cell) for cell in cells], outcomes[:2], f"{which}{intervals}")


def _of_cells(sweep: Sweep, cells: Sequence[int], outcomes: Sequence[Displayed], caption: str) -> Table:
    """Return a row a cell: its values, then its outcomes."""
    estimates = [outcome.estimates(sweep) for outcome in outcomes]
    rows = []
    for cell in cells:
        first, *others = (f"{value:.10g}" for value in sweep.grid.values(cell))
        rows.append(Row(first, [*others, *(estimate[cell] for estimate in estimates)]))
    names = [Column(name, is_number=False) for name in sweep.grid.names]
    return Table([*names, *(Column(outcome.label) for outcome in outcomes)], rows, caption)


def _of_two_names(sweep: Sweep, outcome: Displayed, intervals: str) -> Table:
    """Return an outcome by one name down and the other across, with intervals if there is room."""
    down, across = sweep.grid.axes
    cells = np.arange(len(sweep.grid)).reshape(len(down.values), len(across.values))
    if len(across.values) > NARROW:
        down, across, cells = across, down, cells.T
    estimates = outcome.estimates(sweep)
    if len(across.values) > WIDE:
        estimates, intervals = [replace(estimate, ends=None) for estimate in estimates], ""
    rows = [
        Row(f"{value:.10g}", [estimates[cell] for cell in row]) for value, row in zip(down.values, cells, strict=True)
    ]
    caption = f"{capital(outcome.label)}, by {down.name} (down) and {across.name} (across){intervals}"
    return Table(columns(down.name, *(f"{value:.10g}" for value in across.values)), rows, caption)
