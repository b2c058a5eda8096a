"""Patients treated without benefit can be harmed: they die of the treatment, if that comes before their other death."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from known_answers import by_expm
from sojourn_times import by, exponential, weibull
from worlds import DEATH, chance, decision, exit_to, load, practice, rate, share, slow, sojourn, world

from simulator.arrays import Floats
from simulator.engines.exact import engine as exact
from simulator.engines.exact.uses import Uses
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import Model, resolve
from simulator.engines.requests import Arrivals, Requests
from simulator.errors import InputError
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario

RATES = {
    ("wait", "treatment"): 0.5, ("wait", "dead"): 0.1, ("treatment", "failure"): 0.4, ("treatment", "toxic"): 0.2,
    ("treatment", "dead"): 0.1, ("failure", "dead"): 0.1,
}  # fmt: skip
"""Of a patient treated without benefit: wherever they are, they die as under care, and of toxicity in the treatment."""


def harmful() -> Pathway:
    """A treatment, which may kill, after a wait in which the disease may kill; and care without it."""
    states = {
        "relapse": decision(wait="uptake", care="rest"),
        "wait": sojourn(treatment=exponential(rate=0.5), dead=exponential(rate=0.3)),
        "treatment": sojourn(
            outcome=exponential(rate=0.4), toxic=exponential(rate="toxicity"), dead=exponential(rate=0.05), holds="beds"
        ),
        "outcome": chance(response=0.7, failure=0.3),
        "response": sojourn(dead=exponential(rate=0.02)),
        "failure": sojourn(dead=exponential(rate=0.5)),
        "care": sojourn(
            exit_to("dead", exponential(rate=0.06), name="early"), exit_to("dead", exponential(rate=0.04), name="late")
        ),
        "toxic": {**DEATH, "cause": "treatment"},
    }
    marginal = {**practice(0.3, "relapse", "wait", "care", "failure"), "harm": "toxic"}
    return load(world(
        "relapse", states, marginal=marginal, resources=["beds"], groups={"treated": "wait"},
        parameters={"uptake": share(0.3), "toxicity": rate(0.2)},
        end_points={"efs": {"causes": {"failure": "failure", "death": ["dead", "toxic"]}}},
    ))  # fmt: skip


def raised(benefit: float = 0.0, toxicity: float = 0.2, **more: Any) -> Scenario:
    levers = {"uptake": 0.8, "toxicity": toxicity}
    return Scenario("raised", harmful(), set=levers, marginal_benefit=benefit, **more)


def deaths(scenario: Scenario) -> Floats:
    blocks = microsim.simulate(resolve(scenario), Uniforms(8), range(20_000), horizon=60.0)
    return np.concatenate([block.death_month for block in blocks])


def test_additional_patients_die_as_under_care_or_of_toxicity_if_that_comes_first() -> None:
    """Against expm: half of all patients go from wait to treatment to no response, dying at the rate of care."""
    curves = exact.curves(resolve(raised()), 60.0)
    months = np.array([1.0, 3.0, 6.0, 12.0, 24.0, 60.0])
    at = np.rint(months / curves.months[1]).astype(int)
    before = exact.curves(resolve(Scenario("before", harmful())), 60.0)
    there = by_expm(RATES, "wait", months)
    for state in ("wait", "treatment", "failure", "dead", "toxic"):
        today = before.occupancy["start"][state][0, at]
        # Of those under care today, five in seven are treated without benefit.
        care = 0.7 - before.occupancy["start"]["care"][0, at] if state == "dead" else 0.0
        expected = today - 5 / 7 * care + 0.5 * there[state]
        np.testing.assert_allclose(curves.occupancy["start"][state][0, at], expected, atol=2e-4, err_msg=state)
    harmed = before.survival["start", "all"][0, at] - curves.survival["start", "all"][0, at]
    np.testing.assert_allclose(harmed, 0.5 * (np.exp(-0.1 * months) - 1 + there["dead"] + there["toxic"]), atol=2e-4)
    efs = curves.end_points["efs"].survival["start", "treated"][0, at]
    on_the_way = by_expm({**RATES, ("failure", "dead"): 0.0}, "wait", months)
    benefiting = before.end_points["efs"].survival["start", "treated"][0, at]
    np.testing.assert_allclose(
        efs, (0.3 * benefiting + 0.5 * (on_the_way["wait"] + on_the_way["treatment"])) / 0.8, atol=2e-4
    )


def test_without_toxicity_every_patient_dies_in_the_month_in_which_they_would_have() -> None:
    before = Scenario("before", harmful(), set={"toxicity": 0.0})
    np.testing.assert_allclose(deaths(raised(toxicity=0.0)), deaths(before), rtol=0, atol=1e-9)
    first, second = (
        exact.curves(resolve(scenario), 60.0).survival["start", "all"] for scenario in (raised(toxicity=0.0), before)
    )
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-8)


def test_no_additional_patient_outlives_supportive_care_and_some_die_sooner_of_toxicity() -> None:
    after, before = deaths(raised()), deaths(Scenario("before", harmful()))
    assert np.all(after <= before + 1e-9)
    sooner = np.flatnonzero(after < before - 1e-9)
    (block,) = list(microsim.simulate(resolve(raised()), Uniforms(8), range(20_000), horizon=60.0))
    died = {int(who) for places, _ in block.entered["toxic"] for who in places}
    assert set(sooner) <= died
    assert 0.1 < len(sooner) / 10_000 < 0.3


@pytest.mark.parametrize("benefit", [slow(0.0), 0.5])
def test_every_engine_harms_the_same_patients(
    benefit: float, follow: Callable[..., list], events: Callable[..., pd.DataFrame]
) -> None:
    model = resolve(raised(benefit))
    table = events(model, range(300))
    for who, rows in table.groupby("patient"):
        expected = follow(model, who)
        assert list(rows["state"]) == [state for _, state in expected]
        np.testing.assert_allclose(rows["month"], [month for month, _ in expected], rtol=0, atol=1e-9)
    simulated = microsim.curves(model, 60.0, patients=100_000, uniforms=Uniforms(3))
    solved = exact.curves(model, 60.0)
    for population, size in (("all", 1.0), ("treated", 0.8)):
        difference = simulated.survival["start", population] - solved.survival["start", population]
        # One false alarm in 1e6 (Dvoretzky, Kiefer & Wolfowitz).
        assert np.abs(difference).max() < np.sqrt(np.log(2e6) / (2e5 * size)) + 1e-4


@pytest.mark.parametrize("beds", [1, 3])
@pytest.mark.parametrize("benefit", [0.0, 0.5])
def test_a_bed_is_free_when_a_patient_without_benefit_dies_in_it_of_either_cause(
    beds: int, benefit: float, alike: Callable[..., tuple[pd.DataFrame, Requests]]
) -> None:
    model: Model = resolve(raised(benefit, capacity={"beds": Capacity(((0.0, beds),))}))
    months = np.sort(np.random.default_rng(beds).uniform(0.0, 60.0, 120))
    arrivals = Arrivals(np.arange(120), months, np.ones(120, dtype=bool))
    table, log = alike(model, arrivals, horizon=60.0)
    toxic = table[table["state"] == "toxic"]
    assert len(toxic) >= 5
    released = dict(zip(log.patients.tolist(), log.released.tolist(), strict=True))
    for who, month in zip(toxic["patient"], toxic["month"], strict=True):
        assert released[who] == pytest.approx(months[who] + month, abs=1e-9)


def test_beds_of_patients_without_benefit_last_until_response_or_either_death() -> None:
    beds = {"beds": Capacity(((0.0, 5),))}
    asked = Uses(resolve(raised(capacity=beds))).months({"beds": np.ones(1)})["beds"]
    np.testing.assert_allclose(asked, 0.3 * 0.5 / 0.8 / 0.65 + 0.5 * 0.5 / 0.6 / 0.7, rtol=2e-3)


REFUSED = {
    "toxi": r"\[marginal\] harm: unknown state; got 'toxi'; .*did you mean 'toxic'",
    "dead": r"\[marginal\] harm: 'dead' is no death of treatment alone; got .* to which 'care' leads",
    "response": r"\[marginal\] harm: 'response' is no death of treatment alone; got 'sojourn'",
    "late": r"\[marginal\] harm: no sojourn of the treated leads to 'late' before their response",
}


@pytest.mark.parametrize("harm", REFUSED)
def test_a_death_that_is_none_of_treatment_is_refused(harm: str) -> None:
    marginal = {**practice(0.4, "relapse", "treat", "care", "failure"), "harm": harm}
    states = {
        "relapse": decision(treatment={"name": "treat", "probability": "uptake"}, care="rest"),
        "treatment": sojourn(outcome=exponential(rate=0.4), toxic=weibull(shape=2, median=by("sex", f=1, m=2))),
        "outcome": chance(response=0.7, failure=0.3),
        "response": sojourn(dead=exponential(rate=0.02)),
        "failure": sojourn(late=exponential(rate=0.5)),
        "care": sojourn(dead=exponential(rate=0.1)),
        "toxic": DEATH,
        "late": DEATH,
    }
    with pytest.raises(InputError, match=REFUSED[harm]):
        load(world(
            "relapse", states, marginal=marginal, attributes={"sex": {"f": 1, "m": 1}},
            parameters={"uptake": share(0.4)},
        ))  # fmt: skip
