"""Checks before a sweep runs: every cell's values at all draws, marginal patients, and offered loads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd

from simulator.analyses.sweep.grid import Grid
from simulator.arrays import Floats
from simulator.engines.model import resolve_each
from simulator.errors import InputError
from simulator.evidence.draws import single
from simulator.execution import counted
from simulator.experiment import cost
from simulator.experiment.cost import Dial
from simulator.experiment.offered_load import Demand, demand
from simulator.experiment.overload import doubtful, growing_in_trial, middle_of
from simulator.experiment.settings import Settings
from simulator.scenario.levers import Values
from simulator.scenario.scenario import Scenario

MOST_CELLS = 10_000
"""More need --yes."""

MOST_SOLUTIONS = 100
"""More demands, a tenth of a second each, are solved only after the check of the cost."""

MOST_TRIED = 100
"""Values that are tried at all draws, in a cell each, before the cost is known; after that, every cell is tried."""

NAMED = 6
"""Cells that a message names."""


class Progress(Protocol):
    """A sweep calls it with the amount done, the total, and the stage."""

    def __call__(self, done: int, total: int, stage: str = ..., /) -> None: ...


def check_values(grid: Grid, draw_values: Values) -> None:
    """Try every value once, the other axes at their first value; of very many, some and the last. InputError."""
    cells = list(grid.edges())
    tried = dict.fromkeys([*cells[:: math.ceil(len(cells) / MOST_TRIED)], cells[-1]])
    for _ in resolve_each(map(grid.at, tried), draw_values):
        pass


def check_cells(grid: Grid, draw_values: Values, progress: Progress | None) -> Floats:
    """Try every cell at all draws; return the share of draws without marginal patients : (n_cells,).

    NaN where the pathway declares none. Raises InputError naming the cell.
    """
    untouched = np.full(len(grid), np.nan)
    models = resolve_each(map(grid.at, range(len(grid))), draw_values)
    for cell, model in enumerate(counted(models, len(grid), progress, "checking")):
        if model.marginal is not None:
            raised = np.any(np.atleast_2d(model.marginal.share > model.marginal.practice_share), axis=-1)
            untouched[cell] = 1.0 - float(np.mean(raised))
    return untouched


def check_cost(grid: Grid, seconds: float, settings: Settings, n_draws: int) -> None:
    """Refuse a sweep that takes too long. Raises InputError with its time."""
    what, jobs = f"{len(grid):,} cells", min(settings.jobs, len(grid) * n_draws)
    cost.check_time(seconds, jobs, [Dial("--draws", n_draws, 10)], what=what, where="--vary")
    if len(grid) > MOST_CELLS:
        raise InputError(
            f"{what} would take about {cost.in_words(seconds)}",
            where="--vary",
            allowed=f"up to {MOST_CELLS:,} cells; or --yes to start anyway",
        )


def lever_places(grid: Grid) -> list[int]:
    """Return the axes that change an arrival's demand; units and [service] change a load in proportion."""
    return [place for place, axis in enumerate(grid.axes) if axis.table not in ("capacity", "service")]


def solutions(grid: Grid) -> int:
    """Return the number of different demands that `check_loads` solves."""
    return math.prod(len(grid.axes[place].values) for place in lever_places(grid))


def seconds_of_loads(grid: Grid, draw_values: Values) -> float:
    """Return about how many seconds `check_loads` takes."""
    return solutions(grid) * cost.timed(partial(demand, grid.at(0), draw_values))


def check_loads(grid: Grid, draw_values: Values, progress: Progress | None) -> None:
    """Refuse cells in which demand exceeds capacity. Raises InputError that names them."""
    beyond: list[str] = []
    for cell, scenario, arrivals in counted(_demands(grid, draw_values), len(grid), progress, "checking loads"):
        undetermined = arrivals.undetermined(scenario)
        for name, load in arrivals.never_leaving(scenario).items():
            if load.mean() >= 1.0 and name not in undetermined:
                beyond.append(f"{grid.label(cell)} ({name} {load.mean():.2f})")
    _refuse(grid, beyond, "loads of", "loads below 1")


def check_trials(grid: Grid, draw_values: Values, table: pd.DataFrame | None, progress: Progress | None) -> None:
    """Refuse cells in which a queue grows in a trial, where loads do not decide. Raises InputError that names them."""
    beyond: list[str] = []
    for cell, scenario, arrivals in counted(_demands(grid, draw_values), len(grid), progress, "checking queues"):
        if scenario.capacity:
            middle = middle_of(arrivals.offered_loads(scenario))
            doubts = doubtful(arrivals, scenario, arrivals.never_leaving(scenario), middle)
            if growing := growing_in_trial(scenario, single(table, middle), doubts):
                beyond.append(f"{grid.label(cell)} ({'; '.join(growing.values())})")
    _refuse(grid, beyond, "", "fewer arrivals or more units")


def _demands(grid: Grid, draw_values: Values) -> Iterator[tuple[int, Scenario, Demand]]:
    """Yield every cell with its scenario and the demand of its arrivals; none where all patients come at once."""
    known: dict[tuple[float, ...], Demand] = {}
    for cell in range(len(grid) if grid.scenario.service is not None else 0):
        scenario = grid.at(cell)
        levers = tuple(grid.values(cell)[place] for place in lever_places(grid))
        if levers not in known:
            known[levers] = demand(scenario, draw_values)
        yield cell, scenario, known[levers]


def _refuse(grid: Grid, beyond: list[str], what: str, allowed: str) -> None:
    if beyond:
        more = f" and {len(beyond) - NAMED} more" if len(beyond) > NAMED else ""
        raise InputError(
            f"demand exceeds capacity in {len(beyond)} of {len(grid)} cells",
            where=grid.scenario.where,
            got=f"{what} {'; '.join(beyond[:NAMED])}{more}".strip(),
            allowed=f"{allowed}, or --overload to run them anyway",
        )
