"""A page says what the exact engine says, whatever its sliders are set to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import worlds
from new_drug import NEW_DRUG
from sojourn_times import exponential, fixed
from worlds import decision, share, slow, sojourn, world

from simulator.arrays import Floats
from simulator.errors import AftercartError, InputError
from simulator.evidence.draws import load_informed_draws, values
from simulator.explorer.check import check
from simulator.explorer.page_model import page_model
from simulator.explorer.sliders import CYCLE, OF_TIME, OWN, TIMES
from simulator.scenario.scenario import Scenario, load_scenario


def draws_of(scenario: Scenario, number: int) -> Mapping[str, Floats]:
    return values(load_informed_draws(scenario.pathway), slice(0, number))


@pytest.mark.parametrize("name", [slow("baseline"), "wider-salvage@0.5", slow("consolidative-hsct")])
def test_a_page_of_a_shipped_scenario_agrees_with_the_engine_in_random_settings(name: str) -> None:
    scenario = load_scenario(name)
    given = draws_of(scenario, 11)
    differences = check(page_model(scenario, given, 36.0), given, seed=20241201)
    assert differences["before"] < 1e-12
    assert differences["after"] < 2e-5
    assert differences["median"] < 0.05


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


@pytest.mark.parametrize(
    ("levers", "held"),
    [
        ({"scale": {"share_drug": 1.2}}, {"share_drug", "share_old"}),
        ({"odds_ratio": {"cr_young": 2.0, "uptake": 0.5}}, {"cr_young", "uptake"}),
        ({"replace": {"share_old": "share_drug"}}, {"share_drug", "share_old"}),
    ],
)
def test_a_page_starts_from_shares_that_a_lever_moves_from_each_parameter_sets_own(
    levers: dict[str, dict[str, Any]], held: set[str]
) -> None:
    generator = np.random.default_rng(20241204)
    given = {name: generator.uniform(0.2, 0.45, (5, 1)) for name in ("uptake", "share_drug", "share_old", "cr_young")}
    page = page_model(worlds.scenario(NEW_DRUG, **levers), given, 24.0)
    assert check(page, given, seed=20241205)["before"] < 1e-12
    assert held.isdisjoint(slider.name for slider in page.sliders)
    assert all(page.fixed[name] == OWN for name in held & page.fixed.keys())


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


def test_a_share_that_gives_way_and_changes_a_time_has_no_slider_and_nor_have_the_others_of_its_choice() -> None:
    states = {
        "ill": decision(old="share_old", new="cured", none="rest"),
        "old": sojourn(dead=exponential(mean=30.0, cure="cured")),
        "new": sojourn(dead=exponential(mean=5.0)),
        "none": sojourn(dead=exponential(mean=2.0)),
    }
    parameters = {"share_old": share(0.5, lever=True), "cured": share(0.2, lever=True)}
    page = page_model(worlds.scenario(world("ill", states, parameters=parameters)), {}, 24.0)
    assert page.fixed == {"share_old": OF_TIME, "cured": TIMES}
    assert check(page, {}, seed=1)["before"] < 1e-12


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
        (load_scenario("regional-centre"), "patients wait for one another"),
        (load_scenario("hsct-as-milestone"), "milestones carry latent times forward"),
        (load_scenario("wider-salvage@cohorts"), "each parameter set has a benefit of its own"),
    ],
    ids=["cycle", "queue", "milestone", "benefit of each draw"],
)
def test_a_scenario_that_no_sum_over_routes_can_serve_is_refused_with_the_reason(scenario: Scenario, what: str) -> None:
    with pytest.raises(InputError, match=what):
        page_model(scenario, {}, 24.0)
