"""The peer pathway in heormodel's idiom: `event_times` fills a row a patient, an unreachable state stays at infinity.

The effect is a month alive, undiscounted, so that the mean effect is the restricted mean survival time (RMST).
Needs heormodel (`pip install '.[bench]'`), which is imported only when a model is built.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from simulator.arrays import Floats, Integers

HORIZON = 120.0
ITERATION = 10_000
"""Individuals an iteration at most, as many as it simulates fastest: `run_psa` runs the iterations one by one."""
STATES = ("remission", "relapse", "salvage", "complete_response", "partial_response", "no_response", "hsct", "dead")
REMISSION, RELAPSE, SALVAGE, CR, PR, NR, HSCT, DEAD = range(8)


def event_times(
    params: pd.Series, intervention: str, state: Integers, attrs: pd.DataFrame, rng: np.random.Generator
) -> Floats:
    """Return the sampled time to every state, (n, 8); patients who are dead or past the horizon have none."""
    times = np.full((state.size, len(STATES)), np.inf)
    followed = attrs["time"].to_numpy() < HORIZON

    def patients_in(place: int) -> Integers:
        return np.flatnonzero(followed & (state == place))

    patients = patients_in(REMISSION)
    times[patients, RELAPSE] = 10.0 * rng.weibull(0.8, patients.size)
    times[patients, DEAD] = rng.exponential(200.0, patients.size)
    patients = patients_in(RELAPSE)
    times[patients, SALVAGE] = rng.exponential(0.8, patients.size)
    times[patients, DEAD] = rng.exponential(20.0, patients.size)
    patients = patients_in(SALVAGE)
    for to, share in ((CR, 0.40), (PR, 0.25), (NR, 0.35)):
        times[patients, to] = 2.5 * share**-0.5 * rng.weibull(2.0, patients.size)
    times[patients, DEAD] = rng.exponential(30.0, patients.size)
    patients = patients_in(CR)
    times[patients, HSCT] = rng.exponential(4.0, patients.size)
    times[patients, RELAPSE] = 16.0 * rng.weibull(0.9, patients.size)
    times[patients, DEAD] = rng.exponential(150.0, patients.size)
    patients = patients_in(PR)
    times[patients, HSCT] = rng.exponential(6.0, patients.size)
    times[patients, NR] = 5.0 * rng.weibull(1.1, patients.size)
    times[patients, DEAD] = rng.exponential(60.0, patients.size)
    patients = patients_in(NR)
    times[patients, SALVAGE] = rng.exponential(9.0, patients.size)
    times[patients, DEAD] = rng.exponential(7.0, patients.size)
    patients = patients_in(HSCT)
    times[patients, RELAPSE] = 60.0 * rng.weibull(0.7, patients.size)
    times[patients, DEAD] = 90.0 * rng.weibull(0.6, patients.size)
    return times


def reward_rates(params: pd.Series, intervention: str, state: Integers, attrs: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return no costs, and a month alive a month."""
    return np.zeros(state.size), (state != DEAD).astype(float)


def build(patients: int) -> Any:
    """Return the model of so many patients."""
    from heormodel.models import MicrosimModel

    return MicrosimModel.continuous(
        states=STATES,
        event_times=event_times,
        state_reward_rates=reward_rates,
        interventions=["as declared"],
        horizon=HORIZON,
        population=patients,
        discount_rate=0.0,
        effect="months",
    )


def run(patients: int, seed: int = 1, *, events: bool = False) -> Any:
    """Return heormodel's own result for so many patients, in iterations; with `events`, also every transition."""
    from heormodel.run import run_psa

    iterations = max(patients // ITERATION, 1)
    if iterations * min(patients, ITERATION) != patients:
        raise ValueError(f"heormodel's iterations are of {ITERATION:,} individuals, or it is one smaller one")
    draws = pd.DataFrame({"unused": 0.0}, index=pd.RangeIndex(iterations, name="iteration"))
    model = build(min(patients, ITERATION))
    return run_psa(model, draws, seed=seed, sequential=True, collect="events" if events else None)
