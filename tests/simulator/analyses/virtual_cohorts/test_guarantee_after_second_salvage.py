"""Guarantee time where patients relapse, are salvaged again and respond only then: HSCT still does nothing there.

Before the first complete response such a patient has failed already, or was transplanted in partial response. The
reference walks through each history, event by event, and leaves the estimates to lifelines.
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
def again(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    told = tmp_path_factory.mktemp("again") / "again.toml"
    told.write_text(SALVAGED_AGAIN)
    return load_scenario(told)


def first_responses(scenario: Scenario, n: int) -> pd.DataFrame:
    """A row a patient who comes to a first complete response without failure or HSCT before it, months from there."""
    uniforms = Uniforms(1, 1)
    model = resolve(scenario, single(load_draws(scenario.pathway), 0))
    (block,) = engine.simulate(model, uniforms, range(n), horizon=74.7)
    events = [
        (int(person), float(month), state)
        for state, entries in block.entered.items()
        for who, months in entries
        for person, month in zip(who, months, strict=True)
    ]
    of: dict[int, list[tuple[float, str]]] = {}
    for person, month, state in sorted(events):
        of.setdefault(person, []).append((month, state))
    followed = block.clock_month + 28.0 + (74.7 - 28.0) * uniforms.at("follow-up", block.patients)
    rows = []
    for person, events_of in of.items():
        own = [(month, state) for month, state in events_of if month >= block.clock_month[person]]
        response = next((month for month, state in own if state == RESPONSE), np.inf)
        if response > min(followed[person], block.death_month[person]):
            continue
        if any(state in (FAILURE, HSCT) and month < response for month, state in own):
            continue
        fails = min(next((month for month, state in own if state == FAILURE), np.inf), block.death_month[person])
        stop = min(fails, followed[person])
        moved = next((month for month, state in own if state == HSCT and month <= stop), np.inf)
        rows.append((stop - response, fails <= followed[person], moved - response))
    return pd.DataFrame(rows, columns=["stop", "failed", "moved"])


def alive_at_12(lifelines: Any, stop: pd.Series, failed: pd.Series, entry: pd.Series | None = None) -> float:
    return float(lifelines.KaplanMeierFitter().fit(stop, failed, entry=entry).predict(12.0))


def test_from_a_first_response_the_groups_are_those_of_lifelines_with_late_entry(
    lifelines: Any, again: Scenario
) -> None:
    n = 3_000
    found = immortal_time(again, settings=Settings(n=n, cohorts=1, draws=1)).analyses
    rows = found[found["clock"] == RESPONSE].set_index(["analysis", "begins"])
    people = first_responses(again, n)
    ever = np.isfinite(people["moved"])

    naive = [alive_at_12(lifelines, people["stop"][group], people["failed"][group]) for group in (ever, ~ever)]
    assert list(rows.loc[("naive", 0.0), ["entered", "other"]]) == pytest.approx(naive, abs=1e-9)

    transplanted = people[ever]
    after = alive_at_12(lifelines, transplanted["stop"], transplanted["failed"], transplanted["moved"])
    before = alive_at_12(lifelines, people[["stop", "moved"]].min(axis=1), people["failed"] & ~ever)
    assert list(rows.loc[("simon_makuch", 0.0), ["entered", "other"]]) == pytest.approx([after, before], abs=1e-9)

    for month in (3.0, 6.0):
        there = people[people["stop"] > month]
        late = pd.Series(month, there.index)
        by_then = there["moved"] <= month
        told = [alive_at_12(lifelines, there["stop"][g], there["failed"][g], late[g]) for g in (by_then, ~by_then)]
        assert list(rows.loc[("landmark", month), ["entered", "other"]]) == pytest.approx(told, abs=1e-9)


@pytest.fixture(scope="module")
def world(again: Scenario) -> ImmortalTime:
    return immortal_time(again, settings=Settings(cohorts=240, draws=24))


def test_hsct_that_does_nothing_shows_nothing_although_some_respond_only_to_a_second_salvage(
    world: ImmortalTime,
) -> None:
    rows = world.analyses[world.analyses["clock"] == RESPONSE].set_index(["analysis", "begins"])
    for key in (("landmark", 3.0), ("landmark", 6.0), ("simon_makuch", 0.0)):
        assert abs(rows.loc[key, "difference"]) < 5 * rows.loc[key, "difference_monte_carlo_se"], key


def test_a_patient_who_failed_or_was_transplanted_before_the_origin_is_not_compared_from_there() -> None:
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
