"""Whether queues grow without limit: by the offered load of patients who never leave the queue, and by a trial.

Where that load is 1 or more, a queue grows, and every draw counts. Where only leaving can keep a queue bounded, a trial
shows whether patients leave soon enough. A trial takes seconds: it runs the draw with the highest load of those
that loads leave open and, where its queue grows, the draw with the median load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from simulator.arrays import Floats
from simulator.errors import InputError
from simulator.evidence.draws import single, values
from simulator.experiment import centre
from simulator.experiment.offered_load import Demand, demand, unservable
from simulator.scenario.capacity import load_is_unknown
from simulator.scenario.levers import Values
from simulator.scenario.scenario import Scenario

FEW = 20
"""Draws whose mean load decides whether a scenario is refused, however many are run."""
TRIALS = ((3_000, 0.04), (30_000, 0.01))
"""Arrivals of a trial, and the share of them still waiting at its end above which a queue grows."""
SMALL, LARGE = 0.01, 0.1
"""The shares still waiting between which a longer trial follows."""
MONTHS, MOST_ARRIVALS = 600.0, 300_000
"""Months, or the simulated years if longer, in which leaving must bound a queue; most arrivals of such a trial."""
LEAVING = "only patients who leave the queue could keep it bounded, and too few leave in time"


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
    decided = {name: load >= 1.0 for name, load in never_leaving.items() if name not in undetermined}
    undecided = {name: np.where(decided.get(name, False), 0.0, load) for name, load in loads.items()}
    middle = middle_of(few)
    doubts = doubtful(arrivals, scenario, never_leaving)
    in_greatest = growing_in_trial(scenario, single(table, greatest_of(undecided)), doubts)
    in_middle = in_greatest and doubtful(arrivals, scenario, never_leaving, middle)
    growing = in_greatest and growing_in_trial(scenario, single(table, middle), in_middle)
    if not run_it:
        _check_growth(scenario, {name: load[:FEW] for name, load in never_leaving.items() if name not in undetermined})
        if growing:
            raise InputError(
                "the queue grows without limit",
                where=f"{scenario.where}: [capacity]",
                got="; ".join(growing.values()),
                allowed="fewer arrivals or more units, or --overload to run it anyway",
            )
    where = {}
    for name in few:
        if count := int(np.sum(decided[name][:n_draws]) if name in decided else 0):
            at_least = "at least " * (name in in_greatest)
            where[name] = f"in {at_least}{count:,} of {n_draws:,} parameter sets"
        elif name in in_greatest:
            where[name] = "in a trial of the parameter set with the highest demand"
    never_leaving |= {name: np.full(1, np.inf) for name in growing}
    at_once = arrivals.served_at_once(scenario)
    return {
        name: {
            "all": _number(load),
            "in_the_end": _number(at_once[name][:FEW]) if name in at_once else None,
            "never_leaving": _number(never_leaving[name][:FEW]) if name in never_leaving else None,
            "grows": where.get(name, ""),
        }
        for name, load in few.items()
    }


def doubtful(
    arrivals: Demand, scenario: Scenario, never_leaving: Mapping[str, Floats], draw: int | None = None
) -> dict[str, str]:
    """Return the resources of which a trial decides whether a queue grows, and why, in any draw or in one.

    Where demand exceeds capacity in the end, only patients who leave the queue can keep it bounded.
    never_leaving : see `Demand.never_leaving`
    """
    leaving = {
        name: (load >= 1.0) & (never_leaving[name] < 1.0) for name, load in arrivals.served_at_once(scenario).items()
    }
    reasons = {name: LEAVING for name, places in leaving.items() if np.any(places if draw is None else places[draw])}
    return arrivals.undetermined(scenario) | reasons


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


def _check_growth(scenario: Scenario, never_leaving: dict[str, Floats]) -> None:
    """Refuse a queue that grows without limit, on average over draws. never_leaving : see `Demand.never_leaving`"""
    for resource, of_draws in never_leaving.items():
        if (load := of_draws.mean()) >= 1.0:
            raise InputError(
                "demand exceeds capacity, so the queue grows without limit",
                where=f"{scenario.where}: [capacity] {resource}",
                got=unservable(scenario, resource, load),
                allowed="a load below 1 (demand below 100 % of capacity), or --overload to run it anyway",
            )


def growing_in_trial(scenario: Scenario, draw_values: Values, doubts: Mapping[str, str]) -> dict[str, str]:
    """Return the resources whose queue grows in a trial, and by how much; {} where offered loads decide.

    doubts : see `doubtful`. A longer trial follows one that is not clear.
    """
    unknown = load_is_unknown(scenario.pathway, scenario.capacity)
    service = scenario.service
    if not (unknown or doubts) or service is None or service.arrival_months is not None:
        return {}
    leaving = unknown is None and LEAVING in doubts.values()
    most_months = max(MONTHS, service.last) if leaving else np.inf
    enough = min(service.arrivals_a_month * most_months, MOST_ARRIVALS) if leaving else 0
    for fewest, least in TRIALS:
        arrivals = max(fewest, enough)
        shares = centre.still_waiting(scenario, draw_values, arrivals, most_months)
        growing = {name: end for name, (half_way, end) in shares.items() if end > max(least, 1.3 * half_way)}
        if not any(SMALL < end < LARGE for _, end in shares.values()):
            break
    return {
        name: f"{100 * end:.0f} % of {arrivals:,.0f} arrivals in a trial still waiting for {name} at its end; "
        f"{unknown or doubts.get(name) or next(iter(doubts.values()))}"
        for name, end in growing.items()
    }
