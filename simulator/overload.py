"""Whether queues grow without limit: by what is asked for by those who never leave them, and by a trial."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulator import centre
from simulator.capacity import beyond_loads
from simulator.errors import InputError
from simulator.levers import Values
from simulator.loads import demand, too_much
from simulator.scenario import Scenario

Floats = NDArray[np.float64]

TRIALS = ((3_000, 0.04), (30_000, 0.01))
"""Arrivals of a trial, and the share of them still waiting at its end from which on a queue is said to grow."""
SMALL, LARGE = 0.01, 0.1
"""The shares still waiting between which the first trial is no clear answer."""


def check(
    scenario: Scenario,
    few: Values,
    first: Values,
    run_it: bool,
    tell_load: Callable[[Scenario, dict[str, Floats]], None] | None,
) -> dict[str, dict[str, float | None]]:
    """Return a scenario's loads as a manifest tells them. Raises InputError where a queue grows, unless `run_it`.

    few : draws whose loads are averaged; first : the one of a trial; tell_load : called with the loads before
    """
    asked = demand(scenario, few)
    loads, lasting = asked.loads(scenario), asked.lasting(scenario)
    if tell_load is not None:
        tell_load(scenario, loads)
    doubts = asked.doubts(scenario)
    growing = growing_in_trial(scenario, first, doubts)
    if not run_it:
        _check_growth(scenario, {name: load for name, load in lasting.items() if name not in doubts})
        if growing is not None:
            raise InputError(
                "more is asked for than can ever be served",
                where=f"{scenario.where}: [capacity]",
                got=growing,
                allowed="fewer arrivals or more units, or --overload to run it all the same",
            )
    elif growing is not None:
        lasting |= {name: np.full(1, np.inf) for name in doubts}
    return {name: _told(load, lasting.get(name)) for name, load in loads.items()}


def _told(load: Floats, lasting: Floats | None) -> dict[str, float | None]:
    """Return a load, and that of patients who never leave the queue, as a manifest tells them; None: no number."""
    means = {"all": load.mean(), "never_leaving": np.nan if lasting is None else lasting.mean()}
    return {name: float(mean) if np.isfinite(mean) else None for name, mean in means.items()}


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
