"""Policies and hazards at their ends: everything stays finite, warns of nothing, and says what it must."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sojourn_times import exponential
from worlds import DEATH, scenario, slow, sojourn, world

from simulator.engines.curves import Curves
from simulator.engines.exact import engine
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.outcomes.event_log import check
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario

Events = Callable[..., pd.DataFrame]
HORIZON, LONG = 36.0, 120.0
PATIENTS = 20_000


def b_all(**levers: object) -> Scenario:
    return replace(load_scenario("baseline"), **levers)


def both(scenario: Scenario, horizon: float = HORIZON) -> tuple[Curves, Curves]:
    """The curves of both engines, held against each other from the first lattice point on (DKW, 1 in 10,000)."""
    model = resolve(scenario)
    solved = engine.curves(model, horizon)
    simulated = microsim.curves(model, horizon, patients=PATIENTS, uniforms=Uniforms(4))
    stride = round(simulated.months[1] / solved.months[1])
    for key, survival in simulated.survival.items():
        expected = solved.survival[key][:, ::stride][:, : survival.shape[1]]
        if np.isnan(survival).all():
            assert solved.sizes[key[1]] < 1e-3
            continue
        assert np.isfinite(expected).all(), key
        stands_on = max(simulated.patients or 0, 1) * float(simulated.sizes[key[1]][0])
        band = np.sqrt(np.log(2 * 40 / 1e-4) / (2 * max(stands_on, 1.0)))
        assert np.abs(survival - expected)[:, 1:].max() < band + 1e-3, key
    for clock, states in solved.occupancy.items():
        somebody = clock != model.pathway.clock or solved.sizes["all"][0]
        np.testing.assert_allclose(sum(states.values()), somebody, atol=1e-6)
    return solved, simulated


def test_without_salvage_nobody_is_treated_and_survival_is_that_of_supportive_care() -> None:
    solved, simulated = both(b_all(set={"salvage_uptake": 0.0}))
    for curves in (solved, simulated):
        assert curves.sizes["treated"] == 0.0
        assert curves.sizes["untreated"] == 1.0
        assert np.isnan(curves.survival["relapse", "treated"]).all()
        np.testing.assert_array_equal(curves.survival["relapse", "all"], curves.survival["relapse", "untreated"])
        assert all(count == 0.0 for count in curves.counts.values())


def test_with_universal_salvage_nobody_is_left_to_supportive_care() -> None:
    for curves in both(b_all(set={"salvage_uptake": 1.0})):
        np.testing.assert_allclose(curves.sizes["treated"], 1.0, atol=1e-12)
        assert curves.sizes["untreated"] == 0.0
        assert np.isnan(curves.survival["relapse", "untreated"]).all()
        assert np.all(curves.occupancy["relapse"]["supportive_care"] == 0.0)


def test_next_to_nobody_treated_is_next_to_no_change() -> None:
    shares = (0.0, 1e-9, 1e-4, 0.486)
    none, fewest, few, many = (engine.curves(resolve(b_all(set={"salvage_uptake": p})), HORIZON) for p in shares)
    np.testing.assert_allclose(fewest.survival["relapse", "all"], none.survival["relapse", "all"], atol=1e-7)
    assert np.isnan(fewest.survival["relapse", "treated"]).all()
    np.testing.assert_allclose(few.sizes["treated"], 1e-4, rtol=1e-6)
    np.testing.assert_allclose(few.survival["relapse", "treated"], many.survival["relapse", "treated"], atol=1e-3)


def months_of(pathway: Pathway) -> list[str]:
    return [name for name, parameter in pathway.parameters.items() if parameter.unit == "months"]


@pytest.mark.representatives(6)
@pytest.mark.parametrize("months", [0.0, slow(1e-9), slow(1e-3), slow(1e9)])
@pytest.mark.parametrize("name", months_of(load_scenario("baseline").pathway))
def test_each_time_from_next_to_nothing_to_next_to_for_ever(name: str, months: float) -> None:
    both(b_all(set={name: months}))


@pytest.mark.parametrize("months", [0.0, slow(1e-9), 1e9])
def test_all_times_at_once_at_an_end(months: float) -> None:
    scenario = b_all(set=dict.fromkeys(months_of(load_scenario("baseline").pathway), months))
    solved, _ = both(scenario)
    alive = solved.survival["relapse", "all"][0]
    if months < 1:
        # Who is not cured is dead by the first lattice point, and nobody dies after.
        np.testing.assert_allclose(alive[1:], alive[1], atol=1e-5)
        assert alive[1] < 0.5
    else:
        assert alive[-1] > 1 - 1e-5


@pytest.mark.parametrize("shape", [0.05, 20.0])
def test_every_shape_at_an_end(shape: float) -> None:
    shapes = [
        name for name, parameter in load_scenario("baseline").pathway.parameters.items() if name.endswith("_shape")
    ]
    assert len(shapes) > 5
    both(b_all(set=dict.fromkeys(shapes, shape)))


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_every_probability_at_an_end(share: float) -> None:
    models = {}
    for name, parameter in load_scenario("baseline").pathway.parameters.items():
        if parameter.unit != "probability":
            continue
        try:
            models[name] = resolve(b_all(set={name: share}))
        except InputError as error:
            # A share that leaves a patient without an open branch is refused, and so are siblings that sum to zero.
            assert "no branch is open" in str(error) or "cannot be rescaled" in str(error)  # noqa: PT017
    assert len(models) > 15
    for name, solved in zip(models, engine.compared(list(models.values()), HORIZON, step=0.2), strict=True):
        assert np.isfinite(solved.survival["relapse", "all"]).all(), name
        np.testing.assert_allclose(sum(solved.occupancy["relapse"].values()), 1.0, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("ratio", [0.0, slow(1e-9), 1e-3, slow(1e3), slow(1e9)])
def test_hazard_ratios_from_never_to_at_once(ratio: float, events: Events) -> None:
    courses = ("death_after_relapse", "slow_course")
    scenario = b_all(hazard_ratio={f"supportive_care.{course}": ratio for course in courses})
    # The lattice of a longer horizon has fewer cells where a sojourn is next to none.
    solved, _ = both(scenario, LONG)
    stride = round(0.1 / solved.months[1])
    untreated = solved.survival["relapse", "untreated"][0, ::stride]
    before = engine.curves(resolve(load_scenario("baseline")), HORIZON).survival["relapse", "untreated"][0]
    expected = np.maximum(before, 1e-300) ** ratio
    np.testing.assert_allclose(untreated[1 : before.size], expected[1:], atol=1e-5)
    check(events(resolve(scenario), range(500), horizon=LONG), scenario.pathway)


def test_nobody_relapses_where_the_hazard_of_relapse_is_none() -> None:
    solved, simulated = both(b_all(hazard_ratio={"car_t_remission.relapse": 0.0}))
    for curves in (solved, simulated):
        assert np.isnan(curves.survival["relapse", "all"]).all()
        np.testing.assert_array_equal(curves.survival["infusion", "all"], 1.0)
        np.testing.assert_allclose(curves.occupancy["infusion"]["car_t_remission"], 1.0, atol=1e-7)
        assert all(size == 0.0 for size in curves.sizes.values())


@pytest.mark.parametrize(("cure", "alive"), [(0.0, 0.0), (1.0, 1.0)])
def test_cure_of_nobody_and_of_everybody(cure: float, alive: float) -> None:
    """Everybody is treated: with everybody cured, of no response too, nobody dies; with nobody cured, all do."""
    names = load_scenario("baseline").pathway.parameters
    levers = dict.fromkeys((name for name in names if name.endswith("_cure") or "_free_" in name), cure)
    model = resolve(b_all(set={**levers, "salvage_uptake": 1.0}))
    solved = engine.curves(model, 600.0)
    np.testing.assert_allclose(solved.survival["relapse", "all"][0, -1], alive, atol=1e-3)


RATES: Mapping[str, float] = {"never": 0.0, "slowest": 1e-9, "slow": 1e-3, "fast": 1e3, "fastest": 1e9}


@pytest.mark.representatives(8)
@pytest.mark.parametrize("first", RATES.values(), ids=RATES)
@pytest.mark.parametrize("second", RATES.values(), ids=RATES)
def test_two_risks_from_never_to_at_once_share_as_their_rates_do(first: float, second: float) -> None:
    risks = sojourn(a=exponential(rate=first), b=exponential(rate=second))
    curves = engine.curves(resolve(scenario(world("s", {"s": risks, "a": DEATH, "b": DEATH}))), 12.0)
    total = first + second
    left = -np.expm1(-total * curves.months)
    for state, rate in (("a", first), ("b", second)):
        expected = rate / total * left if total else 0.0 * left
        np.testing.assert_allclose(curves.occupancy["start"][state][0], expected, atol=1e-9)


def test_a_cycle_in_which_no_time_passes_is_refused_before_anybody_is_lost_in_it() -> None:
    scenario = b_all(set={
        "second_salvage_uptake": 0.5, "response_median": 0.0, "remission_relapse_median": 0.0,
    })  # fmt: skip
    with pytest.raises(InputError, match="and no time passes"):
        resolve(scenario)
