"""The exact engine's error in a run, measured on a few of its parameter sets for the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from simulator.arrays import Floats, Integers
from simulator.engines.curves import Curves, Readable, populations
from simulator.engines.exact import engine
from simulator.engines.exact.joint_readings import read_in_parts
from simulator.engines.exact.solution import months_to
from simulator.engines.model import Model, resolve_each
from simulator.evidence.draws import values
from simulator.scenario.scenario import Scenario

OTHERS = 2
"""Times the largest measured error that of other draws may be: no cheap screen finds the worst (1.8 of 400)."""
FEW = 3
"""Evenly spaced draws, and as many whose survival, and whose occupancy, a lattice suits least."""
EVERY = 1_201
"""Points of the lattice, from month 0 on, that are all compared; of later ones, every tenth is."""
MEASURED = 1_200.0
"""Months up to which the error is measured: on four times as many cells, 12,000 months take 20 GB."""


def measured(scenarios: Sequence[Scenario], table: pd.DataFrame | None, horizon: float, n_draws: int) -> dict[str, Any]:
    """Return the exact engine's lattice: its cells, and their error, measured on a few draws.

        error <= 4 / 3 |own - finer|,   on cells of a quarter, whose error is a quarter or less

    The largest error is of the hardest draws; the median, of any draws.
    """
    spaced = np.unique(np.linspace(0, n_draws - 1, FEW, dtype=int)).tolist()
    rows = list(dict.fromkeys(spaced + _hardest(scenarios, table, horizon, n_draws)))
    models, until = _models(scenarios, table, rows), min(horizon, MEASURED)
    step = engine.one_step(models, until)
    moved = {what: 4.0 / 3.0 * by for what, by in _moved(models, until, step, step / 4).items()}
    stated = {
        f"{what}_error": {"largest": float(of_draws.max()), "median": float(np.median(of_draws[:, : len(spaced)]))}
        for what, of_draws in moved.items()
    }
    finer = f"a lattice four times as fine{f', to month {MEASURED:g}' if horizon > MEASURED else ''}"
    remaining = (
        f"a third of the difference is added for the remaining error; other sets may be off {OTHERS} times as far"
    )
    return {
        "step_months": step,
        **stated,
        "measured_on": "the parameter sets that change most with cells twice as wide, and a few others",
        "measured_by": f"{finer}; {remaining}",
    }


def _hardest(scenarios: Sequence[Scenario], table: pd.DataFrame | None, horizon: float, n_draws: int) -> list[int]:
    """Return the draws whose survival, or occupancy, wider cells move most in the first quarter of the horizon."""
    if n_draws <= FEW:
        return []
    pathway, quarter = scenarios[0].pathway, min(horizon / 4, MEASURED)
    models = _models(scenarios, table, range(n_draws))
    step = engine.one_step(models, quarter)
    # No groups' windows are followed, so that the lattice need not reach to their end.
    only = [(pathway.clock, name) for name in populations(pathway) if name not in pathway.groups]
    moved = _moved(models, quarter, 2 * step, step, only)
    order = np.argsort([-of_draws.max(axis=0) for of_draws in moved.values()], axis=1, kind="stable")
    return order[:, :FEW].ravel().tolist()


def _moved(
    models: Sequence[Model], horizon: float, step: float, finer: float, only: engine.Wanted | None = None
) -> dict[str, Floats]:
    """Return by how much finer cells move survival, occupancy and end points at most, (n_models, n_draws) each."""
    months = months_to(horizon, step)
    months = np.concatenate([months[:EVERY], months[EVERY::10]])
    months = months[months < horizon + 1e-9]
    (coarse, fine) = (_shares(models, horizon, cells, months, only) for cells in (step, finer))
    return {what: np.nanmax(np.abs(shares - fine[what]), axis=(2, 3)) for what, shares in coarse.items()}


def _shares(
    models: Sequence[Model], horizon: float, step: float, months: Floats, only: engine.Wanted | None
) -> dict[str, Floats]:
    """Return survival, occupancy and end points of models, (n_models, n_draws, n_curves, n_months) each."""
    at, parts = np.rint(months / step).astype(int), list[list[dict[str, Floats]]]()
    reported = tuple((at * step).tolist())
    for _, read in read_in_parts(models, horizon, step=step, only=only, reported=reported):
        parts.append([_of_curves(curves, at if isinstance(curves, Curves) else slice(None)) for curves in read])
    return {
        what: np.stack([np.concatenate([part[what] for part in of_model]) for of_model in zip(*parts, strict=True)])
        for what in parts[0][0]
    }


def _of_curves(curves: Curves | Readable, at: Integers | slice) -> dict[str, Floats]:
    shares = {
        "survival": list(curves.survival.values()),
        "occupancy": [there for of_clock in curves.occupancy.values() for there in of_clock.values()],
        "end_point": [
            by_key
            for free in curves.end_points.values()
            for by_cause in (free.survival, *free.incidence.values())
            for by_key in by_cause.values()
        ],
    }
    return {what: np.stack([curve[:, at] for curve in of_what], axis=1) for what, of_what in shares.items() if of_what}


def _models(scenarios: Sequence[Scenario], table: pd.DataFrame | None, rows: Sequence[int]) -> list[Model]:
    draw_values = values(None if table is None else table.iloc[list(rows)], slice(None))
    return list(resolve_each(scenarios, draw_values))
