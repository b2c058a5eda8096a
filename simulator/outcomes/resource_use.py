"""Outcomes of a resource's requests: waits, losses, utilisation, the queue over time. Pure functions.

utilisation = int in_use dt / int units dt,   over the counted calendar months;   of offers, taken / made
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np

from simulator.arrays import Booleans, Floats
from simulator.engines.requests import Requests
from simulator.engines.trajectories import MOMENT, Trajectories
from simulator.pathway.outcome_months import OutcomeMonths, alive_at
from simulator.pathway.pathway import Pathway
from simulator.scenario.arrivals import DAYS_A_MONTH, MONTHS_A_YEAR
from simulator.scenario.capacity import Capacity

SEVEN_DAYS, THIRTY_DAYS = 7.0 / DAYS_A_MONTH, 30.0 / DAYS_A_MONTH
LABELS = {
    "requests_per_year": "requests a year",
    "starts_per_year": "starts a year",
    "wait_mean": "mean wait of patients served",
    "wait_median": "median wait of patients served",
    "wait_90th_percentile": "90th percentile wait of patients served",
    "wait_over_30_days": "wait over 30 days, of requests",
    "lost_while_waiting": "lost while waiting, of requests",
    "waiting_for_ever": "waiting for ever, of requests",
    "utilisation": "utilisation",
    "queue_length": "mean queue",
    "in_use": "mean in use",
}
"""Labels of a resource's outcomes, with the patients that they count."""

TIMES = ("wait_mean", "wait_median", "wait_90th_percentile")
"""Outcomes in months."""

LATE = re.compile(r"wait_over_([1-9][0-9]*)_days")
"""The share of requests that wait for longer than a scenario's `wait_days`, and than 30 days in any."""

QUEUES = {
    "waiting_0": "nobody waits",
    "waiting_1": "1 waits",
    "waiting_2": "2 wait",
    "waiting_3_to_9": "3 to 9 wait",
    "waiting_10_or_more": "10 or more wait",
}
"""Column of the share of time with so many waiting -> how many, in words."""
_LEAST = (0.0, 1.0, 2.0, 3.0, 10.0, np.inf)

ENDS_OF_WAITS = {
    "served_at_once": "served at once, of requests",
    "served_within_7_days": "served within 7 days, but not at once, of requests",
    "served_within_30_days": "served within 8 to 30 days, of requests",
    "lost_within_30_days": "lost while waiting within 30 days, of requests",
}
"""More outcomes, which stand in the files and figures: with the waits over 30 days they are all requests."""

LOST_A_YEAR = {"lost_per_year": "lost while waiting, patients a year"}
"""One more outcome, in a planner's unit."""

STEP = 1.0
"""Months between points of the queue over time."""

Values = dict[str, tuple[str, float]]
"""Outcome -> its unit, and its value in one replication; NaN for nobody."""


def label(outcome: str) -> str:
    """Return an outcome of a resource in words."""
    if late := LATE.fullmatch(outcome):
        return f"wait over {late[1]} day{'s' * (late[1] != '1')}, of requests"
    return {**LABELS, **ENDS_OF_WAITS, **LOST_A_YEAR}.get(outcome, outcome.replace("_", " "))


def in_order(outcomes: Iterable[str]) -> list[str]:
    """Return those of a resource's outcomes that tables show, waits longer than so many days together."""
    known, names = set(outcomes), list(LABELS)
    late = sorted(filter(LATE.fullmatch, known), key=lambda name: int(name.split("_")[2]))
    place = names.index("wait_over_30_days")
    return [name for name in [*names[:place], *late, *names[place + 1 :]] if name in known]


def of_resource(
    requests: Requests, capacity: Capacity, first: float, last: float, wait_days: Iterable[int] = ()
) -> Values:
    """Return the outcomes of one resource in calendar months from `first` to `last`.

    Waits are of requests made then; the mean, median and 90th percentile are over requests that were granted.
    wait_days : further days that waits are held against
    """
    counted = requests.only((requests.requested >= first) & (requests.requested < last))
    waited = counted.waited
    served, ended, soon = np.isfinite(counted.granted), np.isfinite(waited), waited <= THIRTY_DAYS
    months = last - first
    years = months / MONTHS_A_YEAR
    started = int(((requests.granted >= first) & (requests.granted < last)).sum())
    waiting = _overlap(requests.requested, requests.requested + requests.waited, first, last)
    outcomes: Values = {
        "requests_per_year": ("a year", waited.size / years),
        "starts_per_year": ("a year", started / years),
        "wait_mean": ("months", _or_nan(np.mean, waited[served])),
        "wait_median": ("months", _or_nan(np.median, waited[served])),
        "wait_90th_percentile": ("months", _or_nan(lambda waits: np.quantile(waits, 0.9), waited[served])),
        "wait_over_30_days": ("probability", _or_nan(np.mean, waited > THIRTY_DAYS)),
        "lost_while_waiting": ("probability", _or_nan(np.mean, ended & ~served)),
        **{
            f"wait_over_{days}_days": ("probability", _or_nan(np.mean, waited > days / DAYS_A_MONTH))
            for days in wait_days
        },
        "waiting_for_ever": ("probability", _or_nan(np.mean, ~ended)),
        "served_at_once": ("probability", _or_nan(np.mean, served & (waited <= 0.0))),
        "served_within_7_days": ("probability", _or_nan(np.mean, served & (waited > 0.0) & (waited <= SEVEN_DAYS))),
        "served_within_30_days": ("probability", _or_nan(np.mean, served & (waited > SEVEN_DAYS) & soon)),
        "lost_within_30_days": ("probability", _or_nan(np.mean, ended & ~served & soon)),
        "lost_per_year": ("a year", float((ended & ~served).sum()) / years),
        "queue_length": ("patients", waiting / months),
    }
    if capacity.offered_every is None:
        used = _overlap(requests.granted, requests.released, first, last) / months
        outcomes["in_use"] = ("units", used)
        available = capacity.mean_units(first, last)
    else:
        used, available = float(started), float(capacity.offers(first, last))
    outcomes["utilisation"] = ("probability", used / available if available else float("nan"))
    return outcomes


def begun(pathway: Pathway, block: Trajectories, origin: Floats, resource: str, first: float, last: float) -> float:
    """Return how many units of a resource are begun a year, in calendar months from `first` to `last`.

    origin : (n_patients,) calendar months of entry. A move between states that hold the resource keeps the unit.
    """
    holding = {name: state for name, state in pathway.states.items() if state.holds == resource}
    onward = {transition.to for state in holding.values() for transition in state.transitions}
    left = [moves for state in holding for moves in block.left.get(state, ())] if onward & set(holding) else []
    kept = {move for places, month in left for move in zip(places.tolist(), month.tolist(), strict=True)}
    count = 0
    for state in holding:
        for places, month in block.entered.get(state, ()):
            at = origin[places] + month
            starts = (at >= first) & (at < last)
            if state in onward:
                starts &= [move not in kept for move in zip(places.tolist(), month.tolist(), strict=True)]
            count += int(starts.sum())
    return count / ((last - first) / MONTHS_A_YEAR)


def _or_nan(function: Callable[..., np.floating], values: Floats | Booleans) -> float:
    return float(function(values)) if values.size else float("nan")


def _overlap(begin: Floats, end: Floats, first: float, last: float) -> float:
    """Return the sum of the intervals' months between `first` and `last`; begin may be inf."""
    known = np.isfinite(begin)
    return float(np.maximum(np.minimum(end[known], last) - np.maximum(begin[known], first), 0.0).sum())


def over_time(requests: Requests, months: Floats) -> tuple[Floats, Floats]:
    """Return how many wait, and how many units are in use, at calendar months : (n,) each."""
    waiting = _present(requests.requested, requests.requested + requests.waited, months)
    return waiting, _present(requests.granted, requests.released, months)


def shares_waiting(waiting: Floats) -> dict[str, Floats]:
    """Return how often so many wait, see `QUEUES` : (n_months,) each. waiting : (..., n_months)"""
    every = tuple(range(waiting.ndim - 1))
    ends = zip(QUEUES, pairwise(_LEAST), strict=True)
    return {name: ((waiting >= least) & (waiting < more)).mean(axis=every) for name, (least, more) in ends}


def _present(begin: Floats, end: Floats, months: Floats) -> Floats:
    begun = np.searchsorted(np.sort(begin[np.isfinite(begin)]), months, side="right")
    ended = np.searchsorted(np.sort(end[np.isfinite(begin)]), months, side="right")
    return np.asarray(begun - ended, dtype=np.float64)


def by_arrival_year(
    block: Trajectories, arrival: Floats, first: float, last: float, months: OutcomeMonths
) -> dict[int, Values]:
    """Return early OS by the year of arrival, counted from 1; arrival : (n_patients,) calendar months.

    NaN where follow-up is shorter.
    """
    lived, followed = block.death_month - block.clock_month, block.follow_up_end - block.clock_month
    by_year: dict[int, Values] = {}
    n_years = int(np.ceil((last - first) / MONTHS_A_YEAR - 1e-9))
    for year in range(1, n_years + 1):
        begin = first + MONTHS_A_YEAR * (year - 1)
        arrived = (arrival >= begin) & (arrival < min(begin + MONTHS_A_YEAR, last))
        seen = np.min(followed[arrived], initial=np.inf) + MOMENT
        by_year[year] = {
            alive_at(month): ("probability", _or_nan(np.mean, lived[arrived & (month <= seen)] > month))
            for month in months.survival
            if month <= months.early
        }
        by_year[year]["arrivals"] = ("patients", float(arrived.sum()))
    return by_year
