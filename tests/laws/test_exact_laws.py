"""What holds of the exact engine's curves for every shipped policy, whatever its numbers."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from known_answers import by_period
from sojourn_times import exponential
from worlds import scenario, sojourn, world

from simulator.engines.curves import Curves, populations
from simulator.engines.exact import engine
from simulator.engines.model import Model, resolve
from simulator.scenario.scenario import Scenario, load_scenario


def test_everybody_is_somewhere(solved: Curves) -> None:
    for clock, states in solved.occupancy.items():
        total = sum(states.values())
        np.testing.assert_allclose(total, 1.0, atol=1e-7, err_msg=clock)


def test_nobody_rises_from_the_dead(solved: Curves, model: Model) -> None:
    assert set(solved.survival) == {(c, p) for c in model.pathway.clocks for p in populations(model.pathway)}
    for key, survival in solved.survival.items():
        if np.isnan(survival).all():
            assert solved.sizes[key[1]] == 0.0, key
            continue
        assert np.all(np.diff(survival, axis=-1) <= 0.0), key
        assert np.all((survival >= 0.0) & (survival <= 1.0)), key
        assert np.all(survival[:, 0] == 1.0), key


def test_a_patient_who_is_not_alive_is_in_a_state_of_death(solved: Curves, model: Model) -> None:
    for clock, states in solved.occupancy.items():
        dead = sum(states[name] for name in model.pathway.deaths)
        np.testing.assert_allclose(1.0 - dead, solved.survival[clock, "all"], atol=1e-7)


def test_levels_are_shares_of_all_and_their_curves_mix_to_the_whole(solved: Curves, model: Model) -> None:
    for clock in model.pathway.clocks:
        for name, attribute in model.pathway.attributes.items():
            levels = [f"{name}={level}" for level in attribute.levels]
            np.testing.assert_allclose(sum(solved.sizes[level] for level in levels), 1.0, atol=1e-9)
            mixed = sum(solved.sizes[level] * solved.survival[clock, level] for level in levels)
            np.testing.assert_allclose(mixed, solved.survival[clock, "all"], atol=1e-7)


def test_half_the_step_moves_survival_by_less_than_a_ten_thousandth(model: Model) -> None:
    whole = engine.solve(model, 120.0)
    half = engine.solve(model, 120.0, step=whole.lattice.step / 2)
    for clock in model.pathway.clocks:
        moved = np.abs(whole.survival("all", clock) - half.survival("all", clock)[:, : 2 * whole.n_months : 2])
        assert moved.max() < 1e-4, clock


def test_the_error_falls_with_the_fourth_power_of_the_step_where_hazards_are_smooth(model: Model) -> None:
    """The last of three halvings moves the curve by 1 / 256 of what the first did; from a Weibull start, whose first
    cell has a share of the order of h^shape, by h^(1 + shape) at least.
    """
    steps = (0.2, 0.1, 0.05, 0.025)
    at = [engine.solve(model, 48.0, step=step).survival()[:, :: round(0.2 / step)] for step in steps]
    moved = np.array([np.abs(finer - coarser).max() for coarser, finer in pairwise(at)])
    order = np.log2(moved[0] / moved[2]) / 2.0
    exponential = model.pathway.name in ("exponential_chain", "three_state")
    assert order > (3.8 if exponential else 1.6), order


@pytest.mark.parametrize("breaks", [(3.0, 7.0), (3.03, 7.07), (2.99, 7.05)])
def test_so_it_does_where_a_hazard_jumps_between_the_points_of_the_lattice(breaks: tuple[float, float]) -> None:
    """A risk that triples for some months, and a sojourn after it; before and after, every hazard is constant."""
    rates = {("s", "ill"): 0.1, ("s", "dead"): 0.05, ("ill", "dead"): 0.25}
    known = by_period(rates, breaks, ill=(1, 3, 0.5), dead=(1, 0, 1))
    for step in (0.1, 0.05, 0.025):
        solved = engine.curves(resolve(known.scenario), 24.0, step=step)
        for state, there in known.states(solved.months).items():
            error = np.abs(solved.occupancy["start"][state][0] - there).max()
            assert error < 0.003 * step**2, (state, step)


def test_draws_solved_together_are_the_draws_solved_alone() -> None:
    policy = load_scenario("wider-salvage@0.5")
    random = np.random.default_rng(5)
    names = [name for name, parameter in policy.pathway.parameters.items() if parameter.unit == "months"]
    factors = {name: random.uniform(0.7, 1.4, 3) for name in names}
    table = {name: policy.pathway.parameters[name].value * factor[:, None] for name, factor in factors.items()}
    table["salvage_uptake"] = np.array([[0.3], [0.5], [0.7]])
    together = engine.curves(resolve(policy, table), 60.0)
    for draw in range(3):
        alone = engine.curves(
            resolve(policy, {name: float(draw_values[draw, 0]) for name, draw_values in table.items()}), 60.0
        )
        for key, survival in alone.survival.items():
            # The damped transform has eight digits of all patients, and so fewer of a small group.
            digits = 2e-8 / float(alone.sizes[key[1]][0]) if key[1] in policy.pathway.groups else 1e-9
            np.testing.assert_allclose(together.survival[key][draw], survival[0], atol=digits, err_msg=str(key))
        for name, size in alone.sizes.items():
            np.testing.assert_allclose(together.sizes[name][draw], size[0], atol=1e-9, err_msg=name)
        for name, count in alone.counts.items():
            np.testing.assert_allclose(together.counts[name][draw], count[0], atol=1e-9, err_msg=name)


def test_the_horizon_cuts_the_curves_and_changes_nothing_before(policy: Scenario, solved: Curves) -> None:
    early = engine.curves(resolve(policy), 24.0)
    for key, survival in early.survival.items():
        np.testing.assert_allclose(survival, solved.survival[key][:, : survival.shape[1]], atol=1e-7, err_msg=str(key))


@pytest.mark.representatives(6)
@pytest.mark.parametrize("horizon", [0.05, 7.3])
def test_a_short_horizon_still_ends_where_it_should(policy: Scenario, horizon: float) -> None:
    curves = engine.curves(resolve(policy), horizon)
    assert curves.months[0] == 0.0
    assert horizon - 1e-9 <= curves.months[-1] < horizon + 0.1
    assert np.isfinite(curves.survival[policy.pathway.clock, "all"]).all()


def test_entries_into_a_state_count_as_often_as_it_is_entered() -> None:
    """A second salvage is a second course: 1 + q + q^2 + ... for those who relapse again, on any lattice."""
    base = load_scenario("universal-salvage")
    always = replace(base, set={**base.set, "second_salvage_uptake": 1.0})
    once = engine.curves(resolve(base), 24.0, step=0.1).counts["salvage_courses"]
    relapses = engine.solve(resolve(always), 24.0, step=0.1).entered(["relapse_after_salvage"])[:, -1]
    courses = engine.curves(resolve(always), 24.0, step=0.1).counts["salvage_courses"]
    assert relapses > 0.1
    np.testing.assert_allclose(once, 1.0, atol=1e-9)
    np.testing.assert_allclose(courses, 1.0 + relapses, atol=1e-7)


def test_a_short_horizon_takes_no_more_cells_than_a_long_one_where_groups_are_complete_only_later() -> None:
    """A wait of next to nothing halves cells as far as memory allows, and they reach to the end of the group window."""
    waits = {"ward": sojourn(home=exponential(mean=1)), "listed": sojourn(ward=exponential(mean=1e-9))}
    hurried = scenario(world("listed", waits, groups={"treated": "ward"}, group_window=120))
    assert engine.step_of((hurried,), 6.0) == engine.step_of((hurried,), 120.0)
