"""Guarantee time with second salvages: patients who respond only then do not bias comparisons of a useless HSCT.

Such a patient has failed, or was transplanted in partial response, before the first complete response. The reference
reads every history event by event, and computes estimates by lifelines.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime, immortal_time
from simulator.analyses.virtual_cohorts.patients import Patients
from simulator.analyses.virtual_cohorts.settings import Settings
from simulator.engines.microsim import engine
from simulator.engines.model import resolve
from simulator.evidence.draws import load_draws, single
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario

SALVAGED_AGAIN = """
title = "HSCT that changes nothing, and a second salvage"
question = "What would HSCT look like?"
base = "hsct-as-milestone"
[set]
second_salvage_uptake = 0.8
"""
RESPONSE, FAILURE, HSCT = "complete_response", "relapse_after_salvage", "hsct"


@pytest.fixture(scope="module")
def with_second_salvage(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    file = tmp_path_factory.mktemp("again") / "again.toml"
    file.write_text(SALVAGED_AGAIN)
    return load_scenario(file)


def first_responses(scenario: Scenario, n: int) -> pd.DataFrame:
    """A row for every patient with a complete response before failure or HSCT; months are counted from there."""
    uniforms = Uniforms(1, 1)
    model = resolve(scenario, single(load_draws(scenario.pathway), 0))
    (block,) = engine.simulate(model, uniforms, range(n), horizon=74.7)
    events = [
        (int(person), float(month), state)
        for state, entries in block.entered.items()
        for patients_of_state, months in entries
        for person, month in zip(patients_of_state, months, strict=True)
    ]
    events_by_patient: dict[int, list[tuple[float, str]]] = {}
    for person, month, state in sorted(events):
        events_by_patient.setdefault(person, []).append((month, state))
    followed = block.clock_month + 28.0 + (74.7 - 28.0) * uniforms.at("follow-up", block.patients)
    rows = []
    for person, events_of in events_by_patient.items():
        course = [(month, state) for month, state in events_of if month >= block.clock_month[person]]
        response = next((month for month, state in course if state == RESPONSE), np.inf)
        if response > min(followed[person], block.death_month[person]):
            continue
        if any(state in (FAILURE, HSCT) and month < response for month, state in course):
            continue
        failure = min(next((month for month, state in course if state == FAILURE), np.inf), block.death_month[person])
        stop = min(failure, followed[person])
        transplant = next((month for month, state in course if state == HSCT and month <= stop), np.inf)
        rows.append((stop - response, failure <= followed[person], transplant - response))
    return pd.DataFrame(rows, columns=["stop", "failed", "moved"])


def alive_at_12(lifelines: Any, stop: pd.Series, failed: pd.Series, entry: pd.Series | None = None) -> float:
    return float(lifelines.KaplanMeierFitter().fit(stop, failed, entry=entry).predict(12.0))


def test_groups_from_a_first_response_agree_with_lifelines_and_late_entry(
    lifelines: Any, with_second_salvage: Scenario
) -> None:
    n = 3_000
    analyses = immortal_time(with_second_salvage, settings=Settings(n=n, cohorts=1, draws=1)).analyses
    rows = analyses[analyses["clock"] == RESPONSE].set_index(["analysis", "begins"])
    people = first_responses(with_second_salvage, n)
    ever = np.isfinite(people["moved"])

    naive = [alive_at_12(lifelines, people["stop"][group], people["failed"][group]) for group in (ever, ~ever)]
    assert list(rows.loc[("naive", 0.0), ["entered", "other"]]) == pytest.approx(naive, abs=1e-9)

    transplanted = people[ever]
    after = alive_at_12(lifelines, transplanted["stop"], transplanted["failed"], transplanted["moved"])
    before = alive_at_12(lifelines, people[["stop", "moved"]].min(axis=1), people["failed"] & ~ever)
    assert list(rows.loc[("simon_makuch", 0.0), ["entered", "other"]]) == pytest.approx([after, before], abs=1e-9)

    for month in (3.0, 6.0):
        at_risk = people[people["stop"] > month]
        late = pd.Series(month, at_risk.index)
        by_then = at_risk["moved"] <= month
        expected = [
            alive_at_12(lifelines, at_risk["stop"][g], at_risk["failed"][g], late[g]) for g in (by_then, ~by_then)
        ]
        assert list(rows.loc[("landmark", month), ["entered", "other"]]) == pytest.approx(expected, abs=1e-9)


@pytest.fixture(scope="module")
def immortal(with_second_salvage: Scenario) -> ImmortalTime:
    return immortal_time(with_second_salvage, settings=Settings(cohorts=240, draws=24))


@pytest.mark.slow
def test_a_useless_hsct_shows_no_difference_despite_responses_to_second_salvage(immortal: ImmortalTime) -> None:
    rows = immortal.analyses[immortal.analyses["clock"] == RESPONSE].set_index(["analysis", "begins"])
    for key in (("landmark", 3.0), ("landmark", 6.0), ("simon_makuch", 0.0)):
        assert abs(rows.loc[key, "difference"]) < 5 * rows.loc[key, "difference_monte_carlo_se"], key


def test_a_patient_with_failure_or_hsct_before_the_origin_is_not_compared() -> None:
    """Five with a response in month 4: relapsed in 2, transplanted in 3, neither, never treated, lost before."""
    inf = np.inf
    people = Patients(
        np.array([30.0, 30.0, 30.0, 30.0, 3.5]),
        np.zeros(5, dtype=bool),
        {
            "treated": np.array([0.0, 0.0, 0.0, inf, 0.0]),
            "relapsed": np.array([2.0, inf, 6.0, inf, inf]),
            "transplanted": np.array([5.0, 3.0, 4.0, inf, inf]),
        },
    )
    compared = people.eligible(["treated"], np.full(5, 4.0), ["relapsed", "transplanted"])
    assert compared.tolist() == [False, False, True, False, False]
    with pytest.raises(AssertionError, match="before the beginning"):
        people.courses(["transplanted"], np.full(5, 4.0), ["relapsed"])
