"""The exact engine's error in a run, measured on a few of its parameter sets for the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from simulator.arrays import slices
from simulator.engines.exact import engine
from simulator.engines.model import Model, resolve_each
from simulator.evidence.draws import values
from simulator.scenario.scenario import Scenario

OTHERS = 2
"""Times the largest measured error that of other draws may be: no cheap screen finds the worst (1.8 of 400)."""
FEW = 3
"""Evenly spaced draws, and as many whose survival, and whose occupancy, a lattice suits least: one batch together."""


def measured(scenarios: Sequence[Scenario], table: pd.DataFrame | None, horizon: float, n_draws: int) -> dict[str, Any]:
    """Return the exact engine's lattice: its cells, and their error, measured on a few draws.

    The largest error is of the hardest draws, which take a third of a run's time to find; the median, of any draws.
    """
    spaced = np.unique(np.linspace(0, n_draws - 1, FEW, dtype=int)).tolist()
    rows = list(dict.fromkeys(spaced + _hardest(scenarios, table, horizon, n_draws)))
    batches = slices(len(rows), engine.batch(scenarios[0].pathway, horizon))
    steps, parts = zip(
        *(engine.lattice_error(_models(scenarios, table, rows[some]), horizon) for some in batches), strict=True
    )
    errors = [
        {what: np.concatenate([part[what] for part in of_scenario]) for what in of_scenario[0]}
        for of_scenario in zip(*parts, strict=True)
    ]
    stated = {
        f"{what}_error": {
            "largest": float(np.max([moved[what] for moved in errors])),
            "median": float(np.median([moved[what][: len(spaced)] for moved in errors])),
        }
        for what in errors[0]
    }
    finer = f"a lattice four times as fine{f', to month {engine.MEASURED:g}' if horizon > engine.MEASURED else ''}"
    remaining = (
        f"a third of the difference is added for the remaining error; other sets may be off {OTHERS} times as far"
    )
    return {
        "step_months": min(steps),
        **stated,
        "measured_on": "the parameter sets that change most with cells twice as wide, and a few others",
        "measured_by": f"{finer}; {remaining}",
    }


def _hardest(scenarios: Sequence[Scenario], table: pd.DataFrame | None, horizon: float, n_draws: int) -> list[int]:
    """Return the draws whose survival, or occupancy, wider cells move most in the first quarter of the horizon."""
    if n_draws <= FEW:
        return []
    quarter = min(horizon / 4, engine.MEASURED)
    # No groups' windows are followed, so that many more draws are solved at once than in a run.
    size = engine.batch(scenarios[0].pathway, quarter, only=())
    batches = [range(first, min(first + size, n_draws)) for first in range(0, n_draws, size)]
    moved = [engine.moved_by_wider_cells(_models(scenarios, table, rows), quarter) for rows in batches]
    order = np.argsort(-np.concatenate(moved, axis=1), axis=1, kind="stable")
    return order[:, :FEW].ravel().tolist()


def _models(scenarios: Sequence[Scenario], table: pd.DataFrame | None, rows: Sequence[int]) -> list[Model]:
    draw_values = values(None if table is None else table.iloc[list(rows)], slice(None))
    return list(resolve_each(scenarios, draw_values))
