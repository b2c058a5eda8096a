"""Whether queues grow without limit: by the offered load of patients who never leave the queue, and by a trial.

Where offered loads decide, every draw counts. A trial takes seconds: it runs the draw with the highest load and, where
its queue grows, the draw with the median load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from simulator.arrays import Floats
from simulator.errors import InputError
from simulator.evidence.draws import single, values
from simulator.experiment import centre
from simulator.experiment.offered_load import demand, unservable
from simulator.scenario.capacity import load_is_unknown
from simulator.scenario.levers import Values
from simulator.scenario.scenario import Scenario

FEW = 20
"""Draws whose mean load decides whether a scenario is refused, however many are run."""
TRIALS = ((3_000, 0.04), (30_000, 0.01))
"""Arrivals of a trial, and the share of them still waiting at its end above which a queue grows."""
SMALL, LARGE = 0.01, 0.1
"""The shares still waiting between which a longer trial follows."""


def check(
    scenario: Scenario,
    table: pd.DataFrame | None,
    n_draws: int,
    run_it: bool,
    report_load: Callable[[Scenario, dict[str, Floats]], None] | None,
) -> dict[str, dict[str, float | str | None]]:
    """Return a scenario's offered loads for the manifest. Raises InputError where a queue grows, unless `run_it`.

    The mean load of FEW draws, or the trial of the median draw, decides; the manifest reports in how many of the
    `n_draws` that are run a queue grows. report_load : called with the loads before
    """
    arrivals = demand(scenario, values(table, slice(0, max(FEW, n_draws))))
    loads, never_leaving = arrivals.offered_loads(scenario), arrivals.never_leaving(scenario)
    few = {name: load[:FEW] for name, load in loads.items()}
    if report_load is not None:
        report_load(scenario, few)
    undetermined = arrivals.undetermined(scenario)
    growing = growing_in_trial(scenario, single(table, greatest_of(loads)), undetermined)
    tried = growing is not None
    if tried:
        growing = growing_in_trial(scenario, single(table, middle_of(few)), undetermined)
    if not run_it:
        _check_growth(scenario, {name: load[:FEW] for name, load in never_leaving.items() if name not in undetermined})
        if growing is not None:
            raise InputError(
                "more is asked for than can ever be served",
                where=f"{scenario.where}: [capacity]",
                got=growing,
                allowed="fewer arrivals or more units, or --overload to run it all the same",
            )
    elif growing is not None:
        never_leaving |= {name: np.full(1, np.inf) for name in undetermined}
    decided = {name: load for name, load in never_leaving.items() if name not in undetermined}
    where = {name: _where_it_grows(load[:n_draws]) for name, load in decided.items()}
    if tried:
        where |= dict.fromkeys(
            undetermined or loads, "in the parameter set of which most is asked for, as a trial shows"
        )
    return {
        name: {
            "all": _number(load),
            "never_leaving": _number(never_leaving[name][:FEW]) if name in never_leaving else None,
            "grows": where.get(name, ""),
        }
        for name, load in few.items()
    }


def greatest_of(loads: Mapping[str, Floats]) -> int:
    """Return the place of the draw with the highest offered load of any resource : (n_draws,) each."""
    return int(np.argmax(np.max(list(loads.values()), axis=0)))


def middle_of(loads: Mapping[str, Floats]) -> int:
    """Return the place of the median draw, by the highest offered load of any resource."""
    most = np.max(list(loads.values()), axis=0)
    return int(np.argsort(most, kind="stable")[(most.size - 1) // 2])


def _number(load: Floats) -> float | None:
    """Return a mean load for the manifest; None where it is infinite."""
    return float(load.mean()) if np.isfinite(load.mean()) else None


def _where_it_grows(never_leaving: Floats) -> str:
    """Return in how many draws a queue grows, in words; empty for none."""
    growing = int(np.sum(never_leaving >= 1.0))
    return f"in {growing:,} of {never_leaving.size:,} parameter sets" if growing else ""


def _check_growth(scenario: Scenario, never_leaving: dict[str, Floats]) -> None:
    """Refuse a queue that grows without limit, on average over draws. never_leaving : see `Demand.never_leaving`"""
    for resource, of_draws in never_leaving.items():
        if (load := of_draws.mean()) >= 1.0:
            raise InputError(
                "more is asked for than can ever be served",
                where=f"{scenario.where}: [capacity] {resource}",
                got=unservable(scenario, resource, load),
                allowed="a load below 1, or --overload to run it all the same",
            )


def growing_in_trial(scenario: Scenario, draw_values: Values, undetermined: dict[str, str]) -> str | None:
    """Return by how much queues grow in a trial; None where offered loads decide, and where no queue grows.

    undetermined : see `Demand.undetermined`. A longer trial follows one that is not clear.
    """
    why = load_is_unknown(scenario.pathway, scenario.capacity) or next(iter(undetermined.values()), None)
    if why is None or scenario.service is None or scenario.service.arrival_months is not None:
        return None
    for arrivals, least in TRIALS:
        half_way, at_the_end = centre.still_waiting(scenario, draw_values, arrivals)
        grows = at_the_end > max(least, 1.3 * half_way)
        if not SMALL < at_the_end < LARGE:
            break
    waiting = f"{100 * at_the_end:.0f} % of {arrivals:,} arrivals in a trial still waiting at its end; {why}"
    return waiting if grows else None
