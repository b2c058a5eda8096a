"""The peer pathway as a SimPy user writes it by hand: one generator a patient, and beds as a Resource.

Written to be fast as well as plain: the sampled times of a state are compared as numbers, nothing is scheduled past the
end of follow-up, and only the results that are compared are kept.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass, field
from math import inf
from random import expovariate, weibullvariate

import simpy

PatientProcess = Generator[simpy.Event, object, None]

HORIZON = 120.0
ARRIVALS_A_MONTH = 50.0
BEDS = 34
COMPLETE, PARTIAL, NONE = 2.5 * 0.40**-0.5, 2.5 * 0.25**-0.5, 2.5 * 0.35**-0.5


@dataclass
class Record:
    """Months from entry to every death, months of waiting for a bed, and the number of transitions."""

    deaths: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    transitions: int = 0


def without_beds(patients: int, seed: int = 1) -> Record:
    """Return the record of patients who all enter at month 0 and find every bed free."""
    random.seed(seed)
    env, record = simpy.Environment(), Record()
    for _ in range(patients):
        env.process(patient(env, record, None))
    env.run()
    return record


def with_beds(patients: int, seed: int = 1, beds: int = BEDS) -> Record:
    """Return the record of patients who arrive one by one and share the beds; deaths are counted to the horizon."""
    random.seed(seed)
    env, record = simpy.Environment(), Record()
    env.process(arrivals(env, patients, record, simpy.Resource(env, capacity=beds)))
    env.run()
    return record


def arrivals(env: simpy.Environment, patients: int, record: Record, beds: simpy.Resource) -> PatientProcess:
    for _ in range(patients):
        yield env.timeout(expovariate(ARRIVALS_A_MONTH))
        env.process(patient(env, record, beds))


def patient(env: simpy.Environment, record: Record, beds: simpy.Resource | None) -> PatientProcess:
    """One patient, from remission to death or the end of follow-up; with beds, which they may still need, to death."""
    entry = env.now
    end = entry + HORIZON if beds is None else inf
    state = "remission"
    while True:
        time, following = leave(state)
        if env.now + time > end:
            return
        yield env.timeout(time)
        record.transitions += 1
        if following == "dead":
            if env.now - entry <= HORIZON:
                record.deaths.append(env.now - entry)
            return
        state = following
        if state == "hsct" and beds is not None:
            requested = env.now
            with beds.request() as bed:
                yield bed
                record.waits.append(env.now - requested)
                yield env.timeout(expovariate(1.0))


def leave(state: str) -> tuple[float, str]:
    """Return how long a patient stays in a state and what comes next: the least of the competing times."""
    if state == "remission":
        return min((weibullvariate(10.0, 0.8), "relapse"), (expovariate(1 / 200), "dead"))
    if state == "relapse":
        return min((expovariate(1 / 0.8), "salvage"), (expovariate(1 / 20), "dead"))
    if state == "salvage":
        return min(
            (weibullvariate(COMPLETE, 2.0), "complete_response"),
            (weibullvariate(PARTIAL, 2.0), "partial_response"),
            (weibullvariate(NONE, 2.0), "no_response"),
            (expovariate(1 / 30), "dead"),
        )
    if state == "complete_response":
        return min((expovariate(1 / 4), "hsct"), (weibullvariate(16.0, 0.9), "relapse"), (expovariate(1 / 150), "dead"))
    if state == "partial_response":
        return min(
            (expovariate(1 / 6), "hsct"), (weibullvariate(5.0, 1.1), "no_response"), (expovariate(1 / 60), "dead")
        )
    if state == "no_response":
        return min((expovariate(1 / 9), "salvage"), (expovariate(1 / 7), "dead"))
    return min((weibullvariate(60.0, 0.7), "relapse"), (weibullvariate(90.0, 0.6), "dead"))
