"""A model: a scenario's numbers in place, by patient cell and by draw."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sojourn_times import by, exponential, piecewise_exponential, weibull
from worlds import decision, load, months, parameter, rate, sojourn, world

from simulator.engines.microsim import engine as microsim
from simulator.engines.model import Model, point_values, resolve, resolve_each
from simulator.errors import InputError
from simulator.evidence.draws import load_informed_draws, single, values
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario

CLINIC = world(
    "visit",
    {
        "visit": decision(
            drug={"probability": 0.5, "eligible": {"age": ["young"], "sex": {"male": 0.5}}}, surgery=0.2, advice="rest"
        ),
        "drug": sojourn(
            dead=weibull(shape=2, scale=by("age", young="young_scale", old=by("sex", female=5, male=4)))
        ),
        "surgery": sojourn(dead=exponential(mean=10, cure=by("sex", female=0.5, male=0.25))),
        "advice": sojourn(
            dead=piecewise_exponential(breaks=[3], rates=[by("age", young=0.1, old=0.2), "late_rate"])
        ),
    },
    attributes={
        "age": {"young": 1, "old": 3}, "sex": {"female": 1, "male": 1}, "town": {"here": 1, "there": 9}
    },
    parameters={"young_scale": months(8), "late_rate": rate(0.3)},
)  # fmt: skip
YOUNG_FEMALE, YOUNG_MALE, OLD_FEMALE, OLD_MALE = range(4)

Exits = Callable[..., object]


@pytest.fixture
def clinic() -> Pathway:
    return load(CLINIC)


def test_cells_are_the_combinations_of_the_attributes_that_matter(clinic: Pathway) -> None:
    model = resolve(Scenario("x", clinic))
    assert model.attributes == ("age", "sex")
    assert model.cells == (("young", "female"), ("young", "male"), ("old", "female"), ("old", "male"))
    np.testing.assert_allclose(model.weights, [0.125, 0.125, 0.375, 0.375])
    np.testing.assert_array_equal(model.in_level("sex", "male"), [False, True, False, True])


def test_the_case_mix_of_a_scenario_weighs_the_cells(clinic: Pathway) -> None:
    model = resolve(Scenario("x", clinic, population={"sex": {"male": 1.0}, "age": {"old": 1.0, "young": 1.0}}))
    np.testing.assert_allclose(model.weights, [0.0, 0.5, 0.0, 0.5])


def test_shares_are_declared_among_the_eligible(clinic: Pathway) -> None:
    """Young women 0.5 : 0.2 : 0.3; of young men half are eligible, 0.25 : 0.2 : 0.3; the old share 0.2 : 0.3."""
    drug, surgery, advice = (exit.probability for exit in resolve(Scenario("x", clinic)).exits["visit"])
    np.testing.assert_allclose(drug, [0.5, 0.25 / 0.75, 0.0, 0.0])
    np.testing.assert_allclose(surgery, [0.2, 0.2 / 0.75, 0.4, 0.4])
    np.testing.assert_allclose(advice, [0.3, 0.3 / 0.75, 0.6, 0.6])


def test_each_cell_has_the_time_that_its_levels_select(clinic: Pathway) -> None:
    model = resolve(Scenario("x", clinic))
    scales = np.array([8.0, 8.0, 5.0, 4.0])
    np.testing.assert_allclose(model.exits["drug"][0].time.columns().survival(6.0)[:, 0], np.exp(-((6 / scales) ** 2)))
    cured = np.array([0.5, 0.25, 0.5, 0.25])
    np.testing.assert_allclose(model.exits["surgery"][0].time.survival(np.inf), cured)
    early = np.array([0.1, 0.1, 0.2, 0.2])
    np.testing.assert_allclose(model.exits["advice"][0].time.cumulative_hazard(5.0), 3 * early + 2 * 0.3)


def test_values_of_many_draws_have_a_row_each(clinic: Pathway) -> None:
    table = {"young_scale": np.array([[8.0], [9.0], [10.0]])}
    model = resolve(Scenario("x", clinic), table)
    assert model.n_draws == 3
    for row, scale in enumerate((8.0, 9.0, 10.0)):
        alone = resolve(Scenario("x", clinic), {"young_scale": scale})
        for name, exits in model.exits.items():
            for many, one in zip(exits, alone.exits[name], strict=True):
                if many.time is not None and one.time is not None:
                    together = np.broadcast_to(many.time.columns().survival(np.array([1.0, 7.0])), (3, 4, 2))[row]
                    np.testing.assert_allclose(
                        together, np.broadcast_to(one.time.columns().survival(np.array([1.0, 7.0])), (4, 2))
                    )


@pytest.mark.parametrize("name", ["wider-salvage", "no-hsct"])
def test_a_model_of_one_of_many_draws_simulates_the_same_lives_as_that_draw_alone(name: str) -> None:
    policy = load_scenario(name)
    table = load_informed_draws(policy.pathway)
    many = resolve(policy, values(table, slice(0, 3)))
    for place in range(3):
        (block,), (alone,) = (
            list(microsim.simulate(model, Uniforms(3), range(500), horizon=60.0))
            for model in (many.in_numbers(place), resolve(policy, single(table, place)))
        )
        np.testing.assert_allclose(block.death_month, alone.death_month, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", shipped.names())
def test_every_branch_sums_to_one_in_every_cell(name: str) -> None:
    pathway = load_pathway(name)
    model = resolve(Scenario(name, pathway))
    np.testing.assert_allclose(model.weights.sum(), 1.0)
    for state, exits in model.exits.items():
        if exits and exits[0].probability is not None:
            np.testing.assert_allclose(sum(exit.probability for exit in exits), 1.0, err_msg=state)


def test_additional_patients_follow_from_the_shares_with_and_without_the_policy() -> None:
    marginal = resolve(load_scenario("wider-salvage@0.5")).marginal
    assert marginal is not None
    assert (float(marginal.practice_share), float(marginal.share), marginal.benefit) == (0.486, 0.88, 0.5)
    assert marginal.raised
    lowered = resolve(replace(load_scenario("baseline"), set={"salvage_uptake": 0.2})).marginal
    assert lowered is not None
    assert not lowered.raised
    assert resolve(Scenario("x", load_pathway("three_state"))).marginal is None


def test_only_a_fixed_sojourn_of_no_months_takes_no_time() -> None:
    model = resolve(load_scenario("baseline"))
    assert set(model.instant) == {"awaiting_car_t_reinfusion", "awaiting_dual_target_reinfusion"}
    assert model.instant["awaiting_car_t_reinfusion"].to == "car_t_reinfusion"
    waits = resolve(replace(load_scenario("baseline"), set={"reinfusion_preparation_months": 0.5}))
    assert not waits.instant


def numbers(model: Model) -> object:
    ways = [
        (state, way.to, way.time and way.time.key, np.asarray(way.probability).tolist(), way.declaration, way.drawn_as)
        for state, exits in model.exits.items()
        for way in exits
    ]
    return ways, model.attributes, model.cells, model.weights.tolist()


def test_policies_resolved_one_after_the_other_have_the_numbers_of_each_alone(clinic: Pathway) -> None:
    levers: list[dict[str, dict[str, object]]] = [
        {}, {"set": {"young_scale": 3.0}}, {"hazard_ratio": {"surgery.dead": 0.5}}, {"scale": {"late_rate": 2.0}},
        {"hazard_ratio": {"surgery.dead": {"by": "town", "here": 0.5, "there": 1.0}}}, {},
    ]  # fmt: skip
    policies = [Scenario("x", clinic, **lever) for lever in levers]  # type: ignore[arg-type]
    policies_of_draws = {"young_scale": np.array([[8.0], [9.0]])}
    for draw_values in ({}, policies_of_draws):
        models = list(resolve_each(policies, draw_values))
        for policy, model in zip(policies, models, strict=True):
            assert numbers(model) == numbers(resolve(policy, draw_values))
        assert models[1].exits["advice"] is models[0].exits["advice"]


def test_shipped_policies_resolved_together_have_the_numbers_of_each_alone() -> None:
    """Shares, replaced treatments, milestones and hazard ratios."""
    names = ("wider-salvage", "dual-target-reinfusion", "hsct-as-milestone", "longer-car-t-remission", "baseline")
    policies = [load_scenario(name) for name in names]
    draw_values = values(load_informed_draws(policies[0].pathway), slice(0, 3))
    for policy, model in zip(policies, resolve_each(policies, draw_values), strict=True):
        assert numbers(model) == numbers(resolve(policy, draw_values))


def test_draws_out_of_range_are_refused_with_the_place(clinic: Pathway) -> None:
    with pytest.raises(InputError, match=r"\[states.drug\] dead: time: scale is out of range; got -1.0"):
        resolve(Scenario("x", clinic), {"young_scale": -1.0})
    with pytest.raises(InputError, match="out of range"):
        resolve(Scenario("x", clinic), {"late_rate": np.array([[0.1], [np.nan]])})


def test_point_values_are_the_declared_ones(clinic: Pathway) -> None:
    assert point_values(clinic) == {"young_scale": 8.0, "late_rate": 0.3}


def test_transplant_related_death_runs_on_one_clock_from_admission_past_discharge() -> None:
    model = resolve(load_scenario("baseline"), {"trm_shape": 0.8})
    admitted, discharged = (
        next(exit.time for exit in model.exits[state] if exit.to == "death_of_treatment")
        for state in ("hsct", "after_hsct")
    )
    stay, months = load_scenario("baseline").pathway.parameters["hsct_admission_months"].value, np.array([[1.0], [9.0]])
    np.testing.assert_allclose(
        admitted.survival(stay) * discharged.survival(months), admitted.survival(stay + months), rtol=1e-12
    )
    assert np.all(admitted.survival(stay) < 1.0)


def test_a_law_has_its_own_hazard_ratio_by_level_and_a_scenario_multiplies_it() -> None:
    ratio = by("risk", high="worse", low=1)
    law = exponential(mean=10, cure=0.4)
    worlds = {
        "of the law": world(
            "ill", {"ill": sojourn(dead={**law, "hazard_ratio": ratio})},
            attributes={"risk": {"high": 1, "low": 1}}, parameters={"worse": parameter("ratio", 2.0)},
        ),
        "of nobody": world("ill", {"ill": sojourn(dead=law)}, attributes={"risk": {"high": 1, "low": 1}}),
    }  # fmt: skip
    scenario = Scenario("x", load(worlds["of the law"]), hazard_ratio={"ill.dead": 1.5})
    plain = resolve(Scenario("x", load(worlds["of nobody"]))).exits["ill"][0].time
    assert plain is not None
    draws = np.array([[2.0], [3.0]])
    time = resolve(scenario, {"worse": draws}).exits["ill"][0].time
    assert time is not None
    declared = plain.survival(7.0)
    np.testing.assert_allclose(time.survival(7.0), [[declared**3.0, declared**1.5], [declared**4.5, declared**1.5]])
