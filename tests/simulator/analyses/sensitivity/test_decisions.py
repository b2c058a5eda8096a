"""What it is worth to know who benefits, where treatment can harm and a course has a cost: against closed forms."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest
from known_answers import by_expm
from sojourn_times import exponential
from worlds import DEATH, chance, decision, load, practice, rate, share, slow, sojourn, world

from simulator.analyses.sensitivity.run import Sensitivity, analyse
from simulator.errors import InputError
from simulator.evidence.draws import BENEFIT
from simulator.scenario.scenario import Scenario
from simulator.wording.sensitivity import answer

CARE = 0.1
RAISED = 0.5
"""Rate of death under care, and the share of patients whom the policy treats and practice does not."""


@pytest.fixture(scope="module")
def options() -> tuple[Scenario, Scenario]:
    """A treatment that may kill, at an uncertain rate, with 2,000 draws; care without it; 0.3 or 0.8 are treated."""
    states = {
        "relapse": decision(treatment="uptake", care="rest"),
        "treatment": sojourn(outcome=exponential(rate=0.4), toxic=exponential(rate="toxicity")),
        "outcome": chance(response=0.9, failure=0.1),
        "response": sojourn(dead=exponential(rate=0.02)),
        "failure": sojourn(dead=exponential(rate=0.5)),
        "care": sojourn(dead=exponential(rate=CARE)),
        "toxic": {**DEATH, "cause": "treatment"},
    }
    prior = {"family": "lognormal", "median": 0.1, "sigma": 0.5}
    pathway = load(
        world(
            "relapse", states, draws="draws.csv", groups={"treated": "treatment"},
            marginal={**practice(0.3, "relapse", "treatment", "care", "failure"), "harm": "toxic"},
            parameters={"uptake": share(0.3), "toxicity": rate(0.1, prior=prior)},
            counts={"courses": {"label": "courses", "unit": "courses per 100 patients", "entries": "treatment"}},
        ),
        draws=pd.DataFrame({"toxicity": rates_of_death()}).to_csv(index=False),
    )  # fmt: skip
    return Scenario("today", pathway), Scenario("wider", pathway, set={"uptake": 0.3 + RAISED})


def rates_of_death() -> np.ndarray:
    return 0.1 * np.exp(0.5 * np.random.default_rng(4).normal(size=2000))


def survivors_a_course() -> np.ndarray:
    """Of a patient without and with benefit, more alive at month 12 than under care, at each rate: (2, n_draws)."""
    month = np.array([12.0])
    grid = np.linspace(0.01, 1.0, 100)
    with_benefit, without = [], []
    for toxic in grid:
        of = {("treatment", "toxic"): toxic, ("response", "dead"): 0.02, ("failure", "dead"): 0.5}
        there = by_expm({**of, ("treatment", "response"): 0.36, ("treatment", "failure"): 0.04}, "treatment", month)
        with_benefit.append(1.0 - there["dead"][0] - there["toxic"][0])
        harmed = {("treatment", "toxic"): toxic, ("treatment", "failure"): 0.4}
        dying = {("treatment", "dead"): CARE, ("failure", "dead"): CARE}
        there = by_expm({**harmed, **dying}, "treatment", month)
        without.append(1.0 - there["dead"][0] - there["toxic"][0])
    rates = rates_of_death()
    return np.array([np.interp(rates, grid, alive) for alive in (without, with_benefit)]) - np.exp(-CARE * 12.0)


Analysed = Callable[[float], Sensitivity]


@pytest.fixture(scope="module")
def analysed(options: tuple[Scenario, Scenario]) -> Analysed:
    """Return a function of the cost of a course, in survivors; each cost is analysed once."""
    today, wider = options
    return cache(lambda cost: analyse(wider, today, parts=["evppi"], decide_by="os_12", costs={"courses": cost}))


def value_of(results: Sensitivity, name: str) -> pd.Series:
    return results.tables["evppi"].set_index("parameter").loc[name]


@pytest.mark.parametrize("cost", [slow(0.0), 0.1, slow(0.4)])
def test_the_value_of_knowing_who_benefits_agrees_with_the_closed_form_at_every_cost_of_a_course(
    analysed: Analysed, cost: float
) -> None:
    """E[D | m] = 100 x 0.5 (d0 + m (d1 - d0) - c), m even on 0 to 1: a line that crosses 0 once."""
    row = value_of(analysed(cost), BENEFIT)
    low, high = 100 * RAISED * (survivors_a_course().mean(axis=1) - cost)
    assert low < 0.0
    worth_it = high**2 / (2 * (high - low)) if high > 0 else 0.0
    expected = worth_it - max(0.0, (low + high) / 2)
    assert abs(row["value"] - expected) < 4 * row["standard_error"] + 0.01
    assert row["standard_error"] < 0.5


def test_where_treatment_harms_even_free_courses_are_not_for_certain_and_where_it_does_not_they_are(
    options: tuple[Scenario, Scenario],
) -> None:
    """Patients without benefit die sooner only of toxicity: without toxicity more treatment cannot lose."""
    today, wider = options
    free = analyse(wider, today, parts=["evppi"], decide_by="os_12", costs={"courses": 0.0}, draws=500)
    assert value_of(free, BENEFIT)["value"] > 0.1
    harmless = [Scenario(of.name, of.pathway, set={**of.set, "toxicity": 0.0}) for of in (wider, today)]
    results = analyse(*harmless, parts=["evppi"], decide_by="os_12", costs={}, draws=200)
    assert value_of(results, "everything")["value"] == pytest.approx(0.0, abs=1e-9)


def test_a_decision_by_survival_is_worded_in_survivors_and_has_no_cost_unless_stated(
    options: tuple[Scenario, Scenario], analysed: Analysed
) -> None:
    today, wider = options
    results = analysed(0.1)
    assert "between today and wider, with courses at 0.1 survivors each: perfect information would be" in answer(
        results
    )
    assert " survivors per 100 patients. The number to measure next is marginal_benefit (" in answer(results)
    assert results.manifest["decision"] == {"survivors_at_month": 12, "costs": {"courses": 0.1}}
    assert "between today and wider, without costs:" in answer(
        analyse(wider, today, parts=["evppi"], decide_by="os_12", draws=200)
    )


def test_the_outcome_of_a_decision_is_survival_or_its_mean(options: tuple[Scenario, Scenario]) -> None:
    today, wider = options
    with pytest.raises(InputError, match=r"--decide-by: unknown outcome to decide by; got 'os_13'.*'os_12'"):
        analyse(wider, today, parts=["evppi"], decide_by="os_13")
    with pytest.raises(InputError, match=r"--decide-by: only a decision uses it; got .*os_12"):
        analyse(wider, today, parts=["tornado"], decide_by="os_12")
    assert "evppi" in analyse(wider, today, horizon=12, decide_by="os_12").tables
