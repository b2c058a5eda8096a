"""The exact engine's error in a run, as it is measured on a few of its parameter sets; the manifest states it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from simulator.draws import single, values
from simulator.engines import exact
from simulator.model import resolve
from simulator.scenario import Scenario


def measured(scenarios: Sequence[Scenario], table: pd.DataFrame | None, horizon: float, n_draws: int) -> dict[str, Any]:
    """Return the exact engine's lattice: its cells, and their error as it is measured on a few parameter sets."""
    rows = [0] if table is None else _fastest(scenarios[0], table, n_draws)
    steps, alive, there = zip(
        *(exact.lattice_error(resolve(each, single(table, row)), horizon) for each in scenarios for row in rows),
        strict=True,
    )
    return {
        "step_months": min(steps),
        "survival_error": {"largest": max(alive), "median": float(np.median(alive))},
        "occupancy_error": {"largest": max(there), "median": float(np.median(there))},
        "measured_on": f"{len(rows)} parameter sets of each scenario, those of the shortest sojourns among them",
        "measured_by": "a lattice four times as fine",
    }


def _fastest(scenario: Scenario, table: pd.DataFrame, n_draws: int) -> list[int]:
    """Return the first draw, the middle one and the two whose shortest sojourn is least spread, the hardest of all."""
    model = resolve(scenario, values(table, slice(0, n_draws)))
    times = [each.time for exits in model.exits.values() for each in exits if each.time is not None]
    spread = np.full(n_draws, np.inf)
    for time in times:
        own = np.broadcast_to(np.atleast_2d(time.spread()).min(axis=-1), (n_draws,))
        spread = np.where(own > 0, np.minimum(spread, own), spread)
    return sorted({0, n_draws // 2, *np.argsort(spread, kind="stable")[:2].tolist()} & set(range(n_draws)))
