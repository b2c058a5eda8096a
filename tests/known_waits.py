"""Wards whose waits are known by queueing theory: half of the battery that every engine passes.

Patients arrive at random and stay for a month on average; `known_answers.py` has worlds in which nobody waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, factorial, gamma

import numpy as np
import sojourn_times as times
from sojourn_times import AT_ONCE, Table, exponential, fixed, lognormal, weibull
from worlds import scenario, ward

from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario


@dataclass(frozen=True, eq=False)
class KnownWard:
    """Poisson arrivals who ask for a bed, and what is known of their requests.

    arrivals : patients a month
    answers : what is measured in the counted years -> what theory says
    late : months; who waits longer is late
    replications : as many as microsim needs
    short : (replications, patients) of des in little time, where those are precise enough
    """

    scenario: Scenario
    arrivals: float
    answers: Mapping[str, float]
    late: float = 0.0
    replications: int = 20
    short: tuple[int, int] | None = None


def beds_of(stay: Table, beds: Capacity | int, *, ready: Table = AT_ONCE, patience: Table | None = None) -> Scenario:
    """Patients ask for a bed when ready; who runs out of patience dies."""
    mix = {"urgency": {"urgent": 3, "elective": 7}}
    limit = Capacity(((0.0, beds),)) if isinstance(beds, int) else beds
    return scenario(ward(stay, ready, patience, attributes=mix), capacity={"beds": limit})


MONTH = exponential(mean=1.0)


def erlang_b(c: int, load: float) -> float:
    """The share who are lost in M/G/c/c (Erlang 1917)."""
    return load**c / factorial(c) / sum(load**k / factorial(k) for k in range(c + 1))


def erlang_c(c: int, load: float) -> float:
    """The probability of waiting in M/M/c at an offered load of so many beds (Erlang 1917)."""
    blocked = erlang_b(c, load)
    return blocked / (1.0 - load / c * (1.0 - blocked))


def erlang_a(c: int, arrivals: float, patience: float, top: int = 400) -> tuple[float, float, float]:
    """P(lost), mean wait of all who ask and P(wait) in M/M/c+M, from its birth-death chain (Palm 1957)."""
    leaving = np.array([min(n, c) + max(n - c, 0) / patience for n in range(1, top)])
    p = np.exp(np.cumsum(np.concatenate([[0.0], np.log(arrivals / leaving)])))
    p /= p.sum()
    queue = float(np.sum(p * np.maximum(np.arange(top) - c, 0)))
    return queue / patience / arrivals, queue / arrivals, float(p[c:].sum())


def never_impatient(c: int, load: float) -> KnownWard:
    """M/M/c: P(wait > t) = P(wait) exp(-(c - load) t), so that 1 in e of those who wait wait longer than their mean."""
    waits, late = erlang_c(c, load), 1.0 / (c - load)
    over_7, over_30 = (waits * exp(-days / 30.4375 / late) for days in (7.0, 30.0))
    answers = {
        "waits": waits, "mean wait": waits * late, "queue": load * waits * late, "utilisation": load / c,
        "late": waits * exp(-1.0), "served_at_once": 1.0 - waits, "served_within_7_days": waits - over_7,
        "served_within_30_days": over_7 - over_30, "lost_within_30_days": 0.0,
    }  # fmt: skip
    return KnownWard(beds_of(MONTH, c), load, answers, late, replications=30)


def impatient(c: int, load: float, patience: float) -> KnownWard:
    """M/M/c+M: who waits may die, also above a load of one, where deaths keep the queue finite."""
    lost, wait, waits = erlang_a(c, load, patience)
    answers = {"lost": lost, "mean wait": wait, "waits": waits, "utilisation": load * (1.0 - lost) / c}
    return KnownWard(beds_of(MONTH, c, patience=exponential(mean=patience)), load, answers)


def getting_ready() -> KnownWard:
    """Getting ready takes 0.5 months, dying 2: four in five ask, as a thinned stream, as short of patience as ever."""
    requests = 4.0 * 0.8
    lost, wait, _ = erlang_a(3, requests, 2.0)
    ready = beds_of(MONTH, 3, ready=exponential(mean=0.5), patience=exponential(mean=2.0))
    return KnownWard(ready, 4.0, {"lost": lost, "mean wait": wait, "requests a month": requests})


def one_bed(stay: Table, square: float) -> KnownWard:
    """M/G/1: mean wait = arrivals E[S^2] / (2 (1 - rho)); rho is the chance to wait, and the utilisation."""
    rho = 0.6
    answers = {"mean wait": rho * square / (2.0 * (1.0 - rho)), "waits": rho, "utilisation": rho}
    return KnownWard(beds_of(stay, 1), rho, answers)


def no_waiting(stay: Table) -> KnownWard:
    """M/G/c/c: a free bed is granted in the instant of the request; otherwise the risk of that instant wins."""
    lost = erlang_b(4, 3.0)
    answers = {"lost": lost, "waits": 0.0, "lost_within_30_days": lost, "served_at_once": 1.0 - lost}
    return KnownWard(beds_of(stay, 4, patience=AT_ONCE), 3.0, answers)


def urgent_first() -> KnownWard:
    """W_k = W_0 / ((1 - s_(k-1)) (1 - s_k)); W_0 = arrivals E[S^2] / 2, s_k the load of the first k (Cobham 1954)."""
    rho, first = 0.5, 0.3 * 0.5
    answers = {
        "mean wait of the urgent": rho / (1.0 - first),
        "mean wait of the elective": rho / ((1.0 - first) * (1.0 - rho)),
        "waits": rho, "utilisation": rho,
    }  # fmt: skip
    first_come = Capacity(((0.0, 1),), ranks=("urgency", ("urgent",)))
    return KnownWard(beds_of(MONTH, first_come), rho, answers, short=(12, 1_000))


SCALE = 1.0 / gamma(1.0 + 1.0 / 1.5)
STAYS = {
    "Weibull": (weibull(shape=1.5, scale=SCALE), SCALE**2 * gamma(1.0 + 2.0 / 1.5)),
    "log-normal": (lognormal(sigma=0.8, median=exp(-0.32)), exp(0.64)),
    "gamma": (times.gamma(shape=0.5, mean=1), 3.0),
    "fixed": (fixed(1), 1.0),
}
"""Stays of mean 1, and the means of their squares."""

WARDS = {
    **{f"Erlang C, M/M/{c}": never_impatient(c, load) for c, load in ((1, 0.7), (3, 2.4), (10, 8.0))},
    "Erlang A, 1 bed": impatient(1, 0.8, 2.0),
    "Erlang A, 2 beds": impatient(2, 1.0, 1.0),
    "Erlang A, 3 beds": impatient(3, 3.0, 1.0),
    "Erlang A, 4 beds": impatient(4, 6.0, 5.0),
    "Erlang A, getting ready": getting_ready(),
    **{f"Pollaczek and Khinchine, {name}": one_bed(*stay) for name, stay in STAYS.items()},
    **{f"Erlang B, {name}": no_waiting(stay) for name, (stay, _) in STAYS.items()},
    "Cobham": urgent_first(),
}
