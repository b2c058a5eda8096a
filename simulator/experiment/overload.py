"""Whether queues grow without limit: by what is asked for by those who never leave them, and by a trial.

Where loads tell, every draw counts. A trial takes seconds: it is made of the draw of which most is asked for and, where
its queue grows, of the draw in the middle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from simulator.arrays import Floats
from simulator.errors import InputError
from simulator.evidence.draws import single, values
from simulator.experiment import centre
from simulator.experiment.offered_load import demand, too_much
from simulator.scenario.capacity import beyond_loads
from simulator.scenario.levers import Values
from simulator.scenario.scenario import Scenario

FEW = 20
"""Draws whose mean load decides whether a scenario is refused, however many are run."""
TRIALS = ((3_000, 0.04), (30_000, 0.01))
"""Arrivals of a trial, and the share of them still waiting at its end from which on a queue is said to grow."""
SMALL, LARGE = 0.01, 0.1
"""The shares still waiting between which the first trial is no clear answer."""


def check(
    scenario: Scenario,
    table: pd.DataFrame | None,
    n_draws: int,
    run_it: bool,
    tell_load: Callable[[Scenario, dict[str, Floats]], None] | None,
) -> dict[str, dict[str, float | str | None]]:
    """Return a scenario's loads as a manifest tells them. Raises InputError where a queue grows, unless `run_it`.

    It is refused for the mean load of FEW draws, or the trial of the middle one; a queue that grows in others of the
    `n_draws` that are run is told. tell_load : called with the loads before
    """
    asked = demand(scenario, values(table, slice(0, max(FEW, n_draws))))
    loads, lasting = asked.loads(scenario), asked.lasting(scenario)
    few = {name: load[:FEW] for name, load in loads.items()}
    if tell_load is not None:
        tell_load(scenario, few)
    doubts = asked.doubts(scenario)
    growing = growing_in_trial(scenario, single(table, greatest_of(loads)), doubts)
    tried = growing is not None
    if tried:
        growing = growing_in_trial(scenario, single(table, middle_of(few)), doubts)
    if not run_it:
        _check_growth(scenario, {name: load[:FEW] for name, load in lasting.items() if name not in doubts})
        if growing is not None:
            raise InputError(
                "more is asked for than can ever be served",
                where=f"{scenario.where}: [capacity]",
                got=growing,
                allowed="fewer arrivals or more units, or --overload to run it all the same",
            )
    elif growing is not None:
        lasting |= {name: np.full(1, np.inf) for name in doubts}
    where = {name: _where_it_grows(load[:n_draws]) for name, load in lasting.items() if name not in doubts}
    if tried:
        where |= dict.fromkeys(doubts or loads, "in the parameter set of which most is asked for, as a trial shows")
    return {
        name: {
            "all": _number(load),
            "never_leaving": _number(lasting[name][:FEW]) if name in lasting else None,
            "grows": where.get(name, ""),
        }
        for name, load in few.items()
    }


def greatest_of(loads: Mapping[str, Floats]) -> int:
    """Return the place of the draw of which most is asked for, of any resource : (n_draws,) each."""
    return int(np.argmax(np.max(list(loads.values()), axis=0)))


def middle_of(loads: Mapping[str, Floats]) -> int:
    """Return the place of the draw in the middle, by what is asked for of the resource of which most is."""
    most = np.max(list(loads.values()), axis=0)
    return int(np.argsort(most, kind="stable")[(most.size - 1) // 2])


def _number(load: Floats) -> float | None:
    """Return a mean load as a manifest tells it; None: no number."""
    return float(load.mean()) if np.isfinite(load.mean()) else None


def _where_it_grows(lasting: Floats) -> str:
    """Return in how many draws a queue grows, in words; empty where in none."""
    growing = int(np.sum(lasting >= 1.0))
    return f"in {growing:,} of {lasting.size:,} parameter sets" if growing else ""


def _check_growth(scenario: Scenario, lasting: dict[str, Floats]) -> None:
    """Refuse a queue that grows without limit, on average over draws. `lasting` : see `Demand.lasting`."""
    for resource, of_draws in lasting.items():
        if (load := of_draws.mean()) >= 1.0:
            raise InputError(
                "more is asked for than can ever be served",
                where=f"{scenario.where}: [capacity] {resource}",
                got=too_much(scenario, resource, load),
                allowed="a load below 1, or --overload to run it all the same",
            )


def growing_in_trial(scenario: Scenario, own: Values, doubts: dict[str, str]) -> str | None:
    """Return by how much queues grow in a trial, where loads do not tell; None where they do, and where none grows.

    doubts : see `Demand.doubts`. A trial that is no clear answer is followed by a longer one.
    """
    why = beyond_loads(scenario.pathway, scenario.capacity) or next(iter(doubts.values()), None)
    if why is None or scenario.service is None or scenario.service.arrival_months is not None:
        return None
    for arrivals, least in TRIALS:
        half_way, at_the_end = centre.still_waiting(scenario, own, arrivals)
        grows = at_the_end > max(least, 1.3 * half_way)
        if not SMALL < at_the_end < LARGE:
            break
    told = f"{100 * at_the_end:.0f} % of {arrivals:,} arrivals in a trial still waiting at its end; {why}"
    return told if grows else None
