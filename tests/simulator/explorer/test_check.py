"""A page says what the exact engine says, whatever its sliders are set to."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import worlds
from sojourn_times import exponential, fixed, weibull
from worlds import chance, decision, share, sojourn, world

from simulator.arrays import Floats
from simulator.errors import AftercartError, InputError
from simulator.evidence.draws import load_informed_draws, values
from simulator.explorer.check import check
from simulator.explorer.page_model import page_model
from simulator.explorer.sliders import CYCLE, TIMES
from simulator.scenario.scenario import Scenario, load_scenario

NEW_DRUG = world(
    "relapse",
    {
        "relapse": decision(choice="uptake", care="rest"),
        "choice": decision(
            drug={"probability": "share_drug", "eligible": {"marker": {"no": 0.0}}}, old="share_old", none="rest"
        ),
        "drug": {
            "kind": "sojourn",
            "transitions": [
                worlds.exit_to("answer", weibull(median=1.5, shape=1.4), probability="safe"),
                worlds.exit_to("dead", exponential(mean=2.0), name="toxic", probability="rest"),
            ],
        },
        "old": sojourn(answer=exponential(mean=2.0)),
        "none": sojourn(dead=exponential(mean=6.0)),
        "answer": chance(better={"probability": {"by": "age", "young": "cr_young", "old": 0.3}}, worse="rest"),
        "better": sojourn(dead=weibull(median=40.0, shape=0.8)),
        "worse": sojourn(dead=weibull(median=4.0, shape=1.2)),
        "care": sojourn(
            dead={**weibull(median=2.0, shape=1.1), "hazard_ratio": {"by": "age", "young": 1.0, "old": 1.6}}
        ),
    },
    attributes={"marker": ["yes", "no"], "age": ["young", "old"], "site": {"left": 1, "right": 1}},
    case_mix=[{"of": ["marker", "age"], "weights": {"yes": {"young": 5, "old": 2}, "no": {"young": 1, "old": 2}}}],
    parameters={
        "uptake": share(0.5, lever=True),
        "share_drug": share(0.4, lever=True),
        "share_old": share(0.35),
        "safe": share(0.9),
        "cr_young": share(0.7),
    },
    marginal=worlds.practice("1/2", "relapse", "choice", "care", "worse"),
)
"""Eligibility, a response that depends on age, toxic deaths, attributes that go together, and marginal patients."""


def draws_of(scenario: Scenario, number: int) -> Mapping[str, Floats]:
    return values(load_informed_draws(scenario.pathway), slice(0, number))


@pytest.mark.parametrize("name", ["baseline", "wider-salvage@0.5", "consolidative-hsct"])
def test_a_page_of_a_shipped_scenario_agrees_with_the_engine_in_random_settings(name: str) -> None:
    scenario = load_scenario(name)
    given = draws_of(scenario, 12)
    apart = check(page_model(scenario, given, 60.0), given, seed=20241201)
    assert apart["before"] < 1e-12
    assert apart["after"] < 2e-5
    assert apart["median"] < 0.05


def test_medians_are_not_those_of_the_engine_where_patients_die_at_one_instant_between_the_months_of_a_page() -> None:
    pathway = world(
        "ill",
        {
            "ill": decision(treated="uptake", left="rest"),
            "treated": sojourn(dead=exponential(mean=9.0)),
            "left": sojourn(dead=fixed(6.3)),
        },
        parameters={"uptake": share(0.2, lever=True)},
    )
    assert check(page_model(worlds.scenario(pathway), {}, 24.0), {}, seed=20241203)["median"] > 0.05


@pytest.mark.parametrize("declared", [{"uptake": 0.5}, {"uptake": 0.8}, {"share_drug": 0.6}])
def test_a_page_of_ones_own_pathway_agrees_with_the_engine(declared: dict[str, float]) -> None:
    scenario = worlds.scenario(NEW_DRUG, set=declared)
    page = page_model(scenario, {}, 48.0)
    assert {slider.name for slider in page.sliders} == {"uptake", "share_drug", "share_old", "safe", "cr_young"}
    assert check(page, {}, seed=20241202)["before"] < 1e-12


def test_a_page_that_is_not_the_engine_is_not_written() -> None:
    page = page_model(load_scenario("baseline"), given := draws_of(load_scenario("baseline"), 5), 24.0)
    wrong = {path: curve * 0.999 for path, curve in page.curves.items()}
    with pytest.raises(AftercartError, match="the page is not the engine"):
        check(replace(page, curves=wrong), given, seed=1)


def test_levers_that_a_page_cannot_move_are_listed_with_the_reason() -> None:
    scenario = load_scenario("baseline")
    fixed = page_model(scenario, draws_of(scenario, 3), 24.0).fixed
    assert fixed["second_salvage_uptake"] == CYCLE
    assert fixed["hsct_wait_median"] == TIMES


def test_path_curves_are_those_of_all_parameter_sets_in_their_order() -> None:
    """Solved in blocks of draws."""
    scenario = load_scenario("baseline")
    whole, alone = (
        page_model(scenario, given, 24.0) for given in (draws_of(scenario, 70), _last(draws_of(scenario, 70)))
    )
    for path, curve in alone.curves.items():
        np.testing.assert_allclose(np.broadcast_to(whole.curves[path], (70, curve.shape[1]))[-1:], curve, atol=1e-12)


def _last(given: Mapping[str, Floats]) -> Mapping[str, Floats]:
    return {name: value[-1:] for name, value in given.items()}


@pytest.mark.parametrize(
    ("scenario", "what"),
    [
        (worlds.scenario(worlds.to_and_fro(*(exponential(rate=0.1) for _ in range(3)))), "patients come back"),
        (load_scenario("regional-centre"), "the exact engine has no queues"),
        (load_scenario("hsct-as-milestone"), "the exact engine has no milestones"),
        (load_scenario("dual-target-reinfusion"), "a slider sets a share in every parameter set"),
        (load_scenario("wider-salvage@cohorts"), "each parameter set has a benefit of its own"),
    ],
    ids=["cycle", "queue", "milestone", "replaced", "benefit of each draw"],
)
def test_a_scenario_that_no_sum_over_routes_can_serve_is_refused_with_the_reason(scenario: Scenario, what: str) -> None:
    with pytest.raises(InputError, match=what):
        page_model(scenario, {}, 24.0)
