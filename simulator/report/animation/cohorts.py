"""Virtual cohorts as curves that appear one by one: they differ by chance alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from simulator.analyses.virtual_cohorts.patients import Hospital
from simulator.analyses.virtual_cohorts.power import DRAWN, virtual_cohorts
from simulator.analyses.virtual_cohorts.settings import Settings
from simulator.errors import InputError
from simulator.evidence.cohort import load_cohort
from simulator.evidence.draws import load_informed_draws
from simulator.outcomes.kaplan_meier import kaplan_meier
from simulator.scenario.scenario import Scenario

MANY = 10_000
"""Patients whose curve stands for all."""


def curves(scenario: Scenario, count: int, horizon: float, seed: int, engine: str) -> dict[str, Any] | None:
    """Return the curves of some cohorts of one parameter set, and of many patients of it; None of no cohort.

    Cohorts have as many patients as the calibrated one, or 100, and its follow-up. Raises InputError.
    """
    if not 0 <= count <= DRAWN:
        raise InputError("too many, or too few", where="--cohorts", got=count, allowed=f"0 (none) to {DRAWN}")
    if not count or scenario.is_limited:
        return None
    made = virtual_cohorts(
        scenario, settings=Settings(cohorts=count, draws=1, horizon=horizon, seed=seed, engine=engine)
    )
    size, month = made.settings.size, scenario.pathway.months.answer
    cohort = load_cohort(scenario.pathway)
    follow_up = None if cohort is None else cohort.follow_up
    hospital = Hospital(
        scenario, load_informed_draws(scenario.pathway), follow_up, horizon, seed, made.settings.simulator
    )
    whole = kaplan_meier(hospital.patients(MANY, 1, replication=1).alive(slice(None)))
    months = np.linspace(0.0, horizon, 121)
    end = horizon if follow_up is None else min(horizon, follow_up[1])
    return {
        "size": size,
        "month": month,
        "clock": scenario.pathway.clock,
        "scenario": scenario.name,
        "horizon": horizon,
        "curves": [
            # To the end of the longest follow-up.
            _points([0.0, *of["month"], end], [1.0, *of["survival"], of["survival"].iloc[-1]], end)
            for _, of in made.curves.groupby("cohort")
        ],
        "alive": [round(share, 5) for share in made.cohorts["survival"]],
        "many": _points(months, whole.at(months), horizon),
        "truth": round(float(whole.at(month)), 5),
    }


def _points(months: Iterable[float], survival: Iterable[float], horizon: float) -> list[list[float]]:
    pairs = zip(months, survival, strict=True)
    return [[round(float(month), 4), round(float(alive), 5)] for month, alive in pairs if month <= horizon]
