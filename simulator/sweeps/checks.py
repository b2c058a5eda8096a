"""What is looked at before a sweep runs: every cell's values at all draws, who is marginal, and what is asked for."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.centre import load
from simulator.errors import InputError
from simulator.levers import Values
from simulator.model import resolve
from simulator.scenario import Scenario
from simulator.sweeps.grid import Grid

Floats = NDArray[np.float64]

SHOWN = 6
"""Cells that a message names."""


class Progress(Protocol):
    """What a sweep calls: how much is done, of how much, and what it is at now."""

    def __call__(self, done: int, total: int, stage: str = ..., /) -> None: ...


def check_values(grid: Grid, own: Values) -> None:
    """Try each value once, the other names at their first. Raises InputError."""
    for cell in grid.edges():
        resolve(grid.at(cell), own)


def check_cells(grid: Grid, own: Values, progress: Progress | None) -> Floats:
    """Try every cell at all draws; return the share of draws without marginal patients : (n_cells,), NaN if no such.

    Raises InputError naming the cell.
    """
    found = np.full(len(grid), np.nan)
    for cell in range(len(grid)):
        model = resolve(grid.at(cell), own)
        if model.marginal is not None:
            raised = np.any(np.atleast_2d(model.marginal.share > model.marginal.own_share), axis=-1)
            found[cell] = 1.0 - float(np.mean(raised))
        if progress is not None:
            progress(cell + 1, len(grid), "checking")
    return found


def check_loads(grid: Grid, own: Values, horizon: float, progress: Progress | None) -> None:
    """Refuse cells in which more is asked for than can ever be served. Raises InputError that names them."""
    beyond: list[str] = []
    known: dict[tuple[float, ...], tuple[Scenario, dict[str, float]]] = {}
    for cell in range(len(grid)):
        scenario = grid.at(cell)
        if scenario.service is None:
            return
        # Units and arrivals change a load in proportion: one solution serves every cell that is otherwise the same.
        levers = tuple(
            value
            for axis, value in zip(grid.axes, grid.values(cell), strict=True)
            if axis.table != "capacity" and axis.key != "arrivals_per_year"
        )
        if levers not in known:
            known[levers] = scenario, load(scenario, own, horizon)
        for resource, found in _scaled(*known[levers], scenario).items():
            if found >= 1.0:
                beyond.append(f"{grid.told(cell)} ({resource} {found:.2f})")
        if progress is not None:
            progress(cell + 1, len(grid), "checking loads")
    if beyond:
        more = f" and {len(beyond) - SHOWN} more" if len(beyond) > SHOWN else ""
        raise InputError(
            f"more is asked for than can ever be served in {len(beyond)} of {len(grid)} cells",
            where=grid.scenario.where,
            got=f"loads of {'; '.join(beyond[:SHOWN])}{more}",
            allowed="loads below 1, or --overload to run them all the same",
        )


def _scaled(known: Scenario, loads: dict[str, float], scenario: Scenario) -> dict[str, float]:
    """Return a scenario's loads from those of one that differs in units and arrivals only."""
    found = {}
    for resource, value in loads.items():
        per_unit = [_arrivals_a_unit(each, resource) for each in (known, scenario)]
        found[resource] = value * per_unit[1] / per_unit[0] if np.isfinite(per_unit).all() else np.inf
    return found


def _arrivals_a_unit(scenario: Scenario, resource: str) -> float:
    service = scenario.service
    assert service is not None
    units = scenario.capacity[resource].mean_units(service.first, service.last)
    return service.arrivals_a_month / units if units else np.inf
