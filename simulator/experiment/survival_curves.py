"""Overall survival of some draws at some months, without the rest of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from simulator.arrays import Floats, slices
from simulator.engines.curves import populations as populations_of
from simulator.engines.exact import accuracy, engine
from simulator.engines.model import resolve
from simulator.engines.steps import FINEST_READ, divisor
from simulator.errors import InputError
from simulator.evidence.draws import choose, load_informed_draws, values
from simulator.experiment.settings import Given
from simulator.outcomes.summaries import survival_at
from simulator.pathway.checks import unknown
from simulator.scenario.scenario import Scenario, load_scenario

if TYPE_CHECKING:
    import pandas as pd


def survival_curves(
    scenario: Given,
    draws: pd.DataFrame | int | None = None,
    months: Sequence[float] | None = None,
    populations: Sequence[str] = ("all",),
) -> dict[str, Floats]:
    """Return population -> S, (n_draws, n_months), on the default clock, from the exact engine; NaN for nobody.

    draws : parameter sets, one a row, or how many of the cohort's; default: up to 400, or the declared values
    months : since the clock's start; default: the pathway's months of survival
    Raises InputError, also where a resource is limited or a milestone passed.
    """
    policy = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    pathway = policy.pathway
    at = [float(month) for month in (pathway.months.survival if months is None else months)]
    if not at or not all(month >= 0.0 and math.isfinite(month) for month in at):
        raise InputError("no months", where="survival_curves: months", got=at, allowed="months, 0 or more")
    for name in populations:
        if name not in populations_of(pathway):
            raise unknown("population", name, populations_of(pathway), "survival_curves: populations")
    if draws is None or isinstance(draws, int):
        table = load_informed_draws(pathway)
        n_draws = choose(table, draws, pathway)
    else:
        table, n_draws = draws, len(draws)
    horizon, clock = max(*at, 1.0), pathway.clock
    step = engine.step_of((policy,), horizon)
    # Months that are read lie on the lattice, as far as that goes.
    step /= divisor(at, step, int(FINEST_READ * step / horizon))
    curves = {name: np.empty((n_draws, len(at))) for name in populations}
    for rows in slices(n_draws, engine.batch(pathway, horizon)):
        model, only = resolve(policy, values(table, rows)), {(clock, name) for name in curves}
        solved = engine.curves(model, horizon, step=None if accuracy.cycle(model) else step, only=only)
        for name, survival in curves.items():
            by = solved.survival[clock, name]
            survival[rows] = np.column_stack([survival_at(solved.months, by, month) for month in at])
    return curves
