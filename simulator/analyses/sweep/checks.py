"""What is looked at before a sweep runs: every cell's values at all draws, who is marginal, and what is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd

from simulator.analyses.sweep.grid import Grid
from simulator.arrays import Floats
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.evidence.draws import single
from simulator.experiment import cost
from simulator.experiment.cost import Dial
from simulator.experiment.offered_load import Demand, demand
from simulator.experiment.overload import growing_in_trial, middle_of
from simulator.experiment.settings import Settings
from simulator.scenario.levers import Values
from simulator.scenario.scenario import Scenario

MOST_CELLS = 10_000
"""More are not begun without --yes."""

MOST_SOLUTIONS = 100
"""More demands, of about a tenth of a second each, are solved for only after the cost has been told."""

MOST_TRIED = 100
"""Values of which one cell each is tried at all draws before the cost is known; every cell is, after that."""

SHOWN = 6
"""Cells that a message names."""


class Progress(Protocol):
    """What a sweep calls: how much is done, of how much, and what it is at now."""

    def __call__(self, done: int, total: int, stage: str = ..., /) -> None: ...


def check_values(grid: Grid, own: Values) -> None:
    """Try each value once, the other names at their first; of very many, some and the last. Raises InputError."""
    cells = list(grid.edges())
    for cell in dict.fromkeys([*cells[:: math.ceil(len(cells) / MOST_TRIED)], cells[-1]]):
        resolve(grid.at(cell), own)


def check_cells(grid: Grid, own: Values, progress: Progress | None) -> Floats:
    """Try every cell at all draws; return the share of draws without marginal patients : (n_cells,), NaN if no such.

    Raises InputError naming the cell.
    """
    found = np.full(len(grid), np.nan)
    for cell in range(len(grid)):
        model = resolve(grid.at(cell), own)
        if model.marginal is not None:
            raised = np.any(np.atleast_2d(model.marginal.share > model.marginal.practice_share), axis=-1)
            found[cell] = 1.0 - float(np.mean(raised))
        if progress is not None:
            progress(cell + 1, len(grid), "checking")
    return found


def check_cost(grid: Grid, seconds: float, settings: Settings, n_draws: int) -> None:
    """Refuse a sweep that nobody would sit out. Raises InputError with its cost."""
    what, jobs = f"{len(grid):,} cells", min(settings.jobs, len(grid) * n_draws)
    cost.check_time(seconds, jobs, [Dial("--draws", n_draws, 10)], what=what, where="--vary")
    if len(grid) > MOST_CELLS:
        raise InputError(
            f"{what} would take about {cost.in_words(seconds)}",
            where="--vary",
            allowed=f"up to {MOST_CELLS:,} cells; or --yes to start it even so",
        )


def lever_places(grid: Grid) -> list[int]:
    """Return which axes change what an arrival asks for; units and [service] change a load in proportion."""
    return [place for place, axis in enumerate(grid.axes) if axis.table not in ("capacity", "service")]


def solutions(grid: Grid) -> int:
    """Return how many different demands `check_loads` must solve for."""
    return math.prod(len(grid.axes[place].values) for place in lever_places(grid))


def seconds_of_loads(grid: Grid, own: Values) -> float:
    """Return about how long `check_loads` takes."""
    return solutions(grid) * cost.timed(partial(demand, grid.at(0), own))


def check_loads(grid: Grid, own: Values, progress: Progress | None) -> None:
    """Refuse cells in which more is asked for than can ever be served. Raises InputError that names them."""
    if grid.scenario.service is None:
        return
    beyond: list[str] = []
    for cell, scenario, asked in _asked(grid, own):
        doubts = asked.undetermined(scenario)
        for name, load in asked.never_leaving(scenario).items():
            if load.mean() >= 1.0 and name not in doubts:
                beyond.append(f"{grid.told(cell)} ({name} {load.mean():.2f})")
        if progress is not None:
            progress(cell + 1, len(grid), "checking loads")
    _refuse(grid, beyond, "loads of", "loads below 1")


def check_trials(grid: Grid, own: Values, table: pd.DataFrame | None, progress: Progress | None) -> None:
    """Refuse cells in which a queue grows in a trial, where loads do not tell. Raises InputError that names them."""
    if grid.scenario.service is None:
        return
    beyond: list[str] = []
    for cell, scenario, asked in _asked(grid, own):
        growing = None
        if scenario.capacity:
            middle = single(table, middle_of(asked.offered_loads(scenario)))
            growing = growing_in_trial(scenario, middle, asked.undetermined(scenario))
        if growing is not None:
            beyond.append(f"{grid.told(cell)} ({growing})")
        if progress is not None:
            progress(cell + 1, len(grid), "checking queues")
    _refuse(grid, beyond, "", "fewer arrivals or more units")


def _asked(grid: Grid, own: Values) -> Iterator[tuple[int, Scenario, Demand]]:
    """Yield every cell with its scenario and what arrivals ask for."""
    known: dict[tuple[float, ...], Demand] = {}
    for cell in range(len(grid)):
        scenario = grid.at(cell)
        levers = tuple(grid.values(cell)[place] for place in lever_places(grid))
        if levers not in known:
            known[levers] = demand(scenario, own)
        yield cell, scenario, known[levers]


def _refuse(grid: Grid, beyond: list[str], what: str, allowed: str) -> None:
    if beyond:
        more = f" and {len(beyond) - SHOWN} more" if len(beyond) > SHOWN else ""
        raise InputError(
            f"more is asked for than can ever be served in {len(beyond)} of {len(grid)} cells",
            where=grid.scenario.where,
            got=f"{what} {'; '.join(beyond[:SHOWN])}{more}".strip(),
            allowed=f"{allowed}, or --overload to run them all the same",
        )
