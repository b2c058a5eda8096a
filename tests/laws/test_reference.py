"""Event for event: the microsimulation and a plain-Python reference that follows one patient at a time."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from worlds import policies_of_the_default_suite

from simulator.engines.microsim import engine
from simulator.engines.model import Model, resolve
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario

Follow = Callable[..., list[tuple[float, str]]]
Events = Callable[..., pd.DataFrame]


def agree(model: Model, patients: range, follow: Follow, events: Events, **address: float) -> int:
    """Hold every event of some patients against the reference; return how many there were."""
    table = events(model, patients, **address)
    by_patient = dict(list(table.groupby("patient")))
    assert list(by_patient) == list(patients)
    for who in patients:
        expected = follow(model, who, **address)
        assert list(by_patient[who]["state"]) == [state for _, state in expected], f"patient {who}"
        np.testing.assert_allclose(by_patient[who]["month"], [month for month, _ in expected], rtol=0, atol=1e-9)
        assert list(by_patient[who]["event"]) == list(range(len(expected)))
    return len(table)


def test_every_patient_of_a_shipped_policy_lives_as_the_reference_has_it(
    model: Model, follow: Follow, events: Events
) -> None:
    assert agree(model, range(150), follow, events) > 300


def test_the_reference_agrees_for_another_seed_draw_and_horizon(follow: Follow, events: Events) -> None:
    model = resolve(load_scenario("wider-salvage@0.5"))
    agree(model, range(10_000, 10_060), follow, events, seed=7, draw=3, horizon=24.0)


# Levers far from what is shipped: cycles through a second salvage, waiting for CAR-T, closed and certain branches.
FAR_OFF = {
    "second salvage": {"second_salvage_uptake": 0.9, "nr_cure": 0.9},
    "waiting for CAR-T": {"reinfusion_preparation_months": 2.0, "share_car_t_reinfusion": 0.9},
    "dual target only": {"share_dual_target_reinfusion": 1.0, "reinfusion_preparation_months": 0.5},
    "nobody responds": {"cr_immunotherapy": 0.0, "pr_immunotherapy": 0.0},
    "everybody responds": {"nr_chemotherapy": 0.0, "nr_immunotherapy": 0.0, "nr_car_t_reinfusion": 0.0},
    "everybody is cured": {"remission_cure": 1.0, "hsct_cure": 1.0, "pr_cure": 1.0, "nr_cure": 1.0},
    "at once": {"response_median": 0.0, "hsct_wait_median": 0.0, "hsct_admission_months": 0.0},
}


@pytest.mark.parametrize("name", policies_of_the_default_suite(FAR_OFF, [*FAR_OFF][::2]))
def test_policies_far_from_what_is_shipped_agree_too(name: str, follow: Follow, events: Events) -> None:
    """Half of the additional patients benefit, so that all three kinds of patients are among them."""
    policy = replace(load_scenario("baseline"), set={"salvage_uptake": 0.9, **FAR_OFF[name]}, marginal_benefit=0.5)
    agree(resolve(policy), range(60), follow, events)


@pytest.mark.parametrize(
    "population",
    [
        {"cd19": {"negative_or_dim": 1.0}},
        {"cd19": {"unknown": 0.2, "negative_or_dim": 0.7, "positive": 0.1}, "prior_hsct": {"no": 1, "yes": 3}},
    ],
)
def test_patients_are_of_the_declared_population_whatever_its_order(
    population: dict[str, dict[str, float]], follow: Follow, events: Events
) -> None:
    agree(resolve(replace(load_scenario("baseline"), population=population)), range(80), follow, events)


def test_patients_of_other_draws_of_the_parameters_agree(follow: Follow, events: Events) -> None:
    policy = load_scenario("universal-salvage@0.5")
    values = {
        name: 0.7 * parameter.value
        for name, parameter in policy.pathway.parameters.items()
        if parameter.unit == "months"
    }
    agree(resolve(policy, values), range(60), follow, events, draw=17)


def test_it_does_not_matter_in_which_blocks_patients_are_simulated(model: Model, events: Events) -> None:
    together = events(model, range(400))
    in_blocks = pd.concat([events(model, range(first, first + 100)) for first in (0, 100, 200, 300)], ignore_index=True)
    pd.testing.assert_frame_equal(together, in_blocks)


def test_a_patient_beyond_the_first_block_is_the_same_alone(events: Events) -> None:
    model = resolve(load_scenario("baseline"))
    last = engine.BLOCK + 5
    among_others = events(model, range(engine.BLOCK - 5, last + 1))
    alone = events(model, range(last, last + 1))
    pd.testing.assert_frame_equal(among_others[among_others["patient"] == last].reset_index(drop=True), alone)


@pytest.mark.parametrize("kept", [frozenset(), frozenset({"hsct"}), frozenset({"relapse", "death_after_relapse"})])
def test_what_is_kept_of_the_histories_changes_nobody(kept: frozenset[str]) -> None:
    model = resolve(load_scenario("wider-salvage@0"))
    uniforms = Uniforms(5)
    (whole,) = engine.simulate(model, uniforms, range(2_000), horizon=60.0)
    (part,) = engine.simulate(model, uniforms, range(2_000), horizon=60.0, keep=kept)
    np.testing.assert_array_equal(whole.death_month, part.death_month)
    np.testing.assert_array_equal(whole.clock_month, part.clock_month)
    assert set(part.entered) == kept & set(whole.entered)
    for state in part.entered:
        for (who, month), (others, months) in zip(whole.entered[state], part.entered[state], strict=True):
            np.testing.assert_array_equal(who, others)
            np.testing.assert_array_equal(month, months)


@pytest.mark.slow
def test_thousands_of_patients_of_a_shipped_policy_live_as_the_reference_has_it(
    policy: Scenario, follow: Follow, events: Events
) -> None:
    agree(resolve(policy), range(1_000_000, 1_003_000), follow, events, seed=99, draw=2)
