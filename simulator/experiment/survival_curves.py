"""Overall survival of some draws at some months, without the rest of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from simulator.arrays import Floats
from simulator.engines.curves import LONGEST
from simulator.engines.curves import populations as populations_of
from simulator.engines.exact import accuracy, engine
from simulator.engines.exact.joint_readings import read_in_parts
from simulator.engines.model import resolve
from simulator.engines.steps import FINEST_READ, divisor
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.draws import check_draws, choose, load_informed_draws, values
from simulator.evidence.practice import at_reference
from simulator.experiment.settings import Given
from simulator.outcomes.summaries import readable
from simulator.scenario.scenario import load_scenario


def survival_curves(
    scenario: Given,
    draws: pd.DataFrame | int | None = None,
    months: Sequence[float] | None = None,
    populations: Sequence[str] = ("all",),
) -> dict[str, Floats]:
    """Return population -> S, (n_draws, n_months), on the default clock, from the exact engine; NaN for nobody.

    draws : parameter sets, one a row, or how many of the cohort's; default: up to 400, or the declared values.
    The uptake of practice is the pathway's reference in all of them
    months : since the clock's start; default: the pathway's months of survival
    Raises InputError, also where a resource is limited or a milestone passed.
    """
    policy = load_scenario(scenario)
    pathway = policy.pathway
    at = list(pathway.months.survival) if months is None else _read_months(months)
    if isinstance(populations, str) or not isinstance(populations, Iterable):
        allowed = f'a list, as ["{populations if isinstance(populations, str) else "all"}"]'
        raise InputError("not a list", where="survival_curves: populations", got=populations, allowed=allowed)
    for name in populations:
        if name not in populations_of(pathway):
            raise UnknownNameError("population", name, populations_of(pathway), "survival_curves: populations")
    if draws is None or (isinstance(draws, Integral) and not isinstance(draws, bool)):
        table = load_informed_draws(pathway)
        n_draws = choose(table, draws, pathway)
    elif isinstance(draws, pd.DataFrame):
        check_draws(draws, pathway, "survival_curves: draws")
        columns = {str(name): draws[name].to_numpy(dtype=float) for name in draws}
        table, n_draws = pd.DataFrame(at_reference(pathway, columns)), len(draws)
    else:
        allowed = "a whole number, or a pandas table of a row a parameter set and a column a parameter"
        raise InputError("no parameter sets", where="survival_curves: draws", got=draws, allowed=allowed)
    horizon, clock = max(*at, 1.0), pathway.clock
    step = engine.step_of((policy,), horizon)
    # Months that are read lie on the lattice, as far as that goes.
    step /= divisor(at, step, int(FINEST_READ * step / horizon))
    curves = {name: np.empty((n_draws, len(at))) for name in populations}
    only = {(clock, name) for name in curves}
    model = resolve(policy, values(table, slice(0, n_draws)))
    options: dict[str, Any] = {}
    if not accuracy.cycle(model):
        options["step"] = step
        options["reported"] = tuple(sorted(month for month in at if abs(month / step - round(month / step)) < 1e-7))
    for rows, (read,) in read_in_parts([model], horizon, only=only, **options):
        alive = readable(read).alive
        for name, survival in curves.items():
            survival[rows] = np.column_stack([alive((clock, name), month) for month in at])
    return curves


def _read_months(months: Sequence[float]) -> list[float]:
    """Return months as numbers. Raises InputError."""
    allowed = f"a list of numbers from 0 to {LONGEST:,}, as [6, 12]"
    if isinstance(months, str) or not isinstance(months, Iterable):
        raise InputError("not a list of months", where="survival_curves: months", got=months, allowed=allowed)
    given = list(months)
    if not given:
        raise InputError("no months", where="survival_curves: months", got=given, allowed=allowed)
    for month in given:
        if isinstance(month, bool) or not isinstance(month, Real) or not 0.0 <= month <= LONGEST:
            raise InputError("not a month", where="survival_curves: months", got=month, allowed=allowed)
    return [float(month) for month in given]
