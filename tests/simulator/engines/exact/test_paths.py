"""Path curves: alike laws and paths are found once; where there are too many paths they are merged in the states."""

import numpy as np
import pytest
from scipy import stats
from sojourn_times import Table, exponential, fixed, weibull
from worlds import DEATH, chance, in_a_row, scenario, slow, sojourn, world

from simulator.arrays import Floats
from simulator.engines.exact import engine, path_flows
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.path_flows import PathFlows
from simulator.engines.exact.paths import Paths
from simulator.engines.model import Model, resolve, resolve_each
from simulator.evidence.draws import load_informed_draws, values
from simulator.scenario.scenario import Scenario, load_scenario


def lines_of_two_drugs(n: int, first: Table, second: Table) -> Model:
    """So many lines of treatment, at each one of two drugs for some time, and death after the last."""
    states: dict[str, Table] = {}
    for line in range(n):
        onward = f"line{line + 1}" if line + 1 < n else "dead"
        states[f"line{line}"] = chance(**{f"one{line}": 0.3, f"other{line}": "rest"})
        states[f"one{line}"] = sojourn(**{onward: first})
        states[f"other{line}"] = sojourn(**{onward: second})
    return resolve(scenario(world("line0", {**states, "dead": DEATH})))


def survival(model: Model, horizon: float, **options: float) -> Floats:
    return engine.solve(model, horizon, **options).survival()[0]


def paths_of(model: Model) -> Paths:
    flows = engine.solve(model, 60.0).flows
    assert isinstance(flows, PathFlows)
    return flows.after.paths


def test_twenty_lines_of_two_drugs_alike_are_as_many_stays_in_a_row() -> None:
    """Alike drugs make one path of 2^20: an Erlang time."""
    alive = survival(lines_of_two_drugs(20, exponential(rate=2.0), exponential(rate=2.0)), 30.0)
    months = 0.1 * np.arange(alive.size)
    np.testing.assert_allclose(alive, stats.gamma.sf(months, 20, scale=0.5), atol=1e-5)
    assert len(paths_of(lines_of_two_drugs(20, exponential(rate=2.0), exponential(rate=2.0))).steps) < 50


@pytest.mark.slow
def test_twenty_lines_of_two_drugs_are_merged_in_the_states() -> None:
    """The sum of independent stays: its mean and variance are the sums of those of a mixture of two."""
    model = lines_of_two_drugs(20, weibull(shape=1.4, scale=0.5), exponential(rate=1.25))
    solution = engine.solve(model, 60.0)
    assert len(paths_of(model).steps) < 200
    months, died = solution.months[1:], -np.diff(solution.survival()[0])
    means = stats.weibull_min.mean(1.4, scale=0.5), 0.8
    seconds = stats.weibull_min.moment(2, 1.4, scale=0.5), 2 * 0.8**2
    mean = 20 * (0.3 * means[0] + 0.7 * means[1])
    variance = 20 * (0.3 * seconds[0] + 0.7 * seconds[1] - (0.3 * means[0] + 0.7 * means[1]) ** 2)
    step = solution.lattice.step
    at = months - step / 2
    assert solution.mean_survival()[0].sum() * step == pytest.approx(mean, rel=1e-6)
    assert died @ (at - mean) ** 2 == pytest.approx(variance, rel=1e-4)


@pytest.mark.parametrize("name", [slow("baseline"), "wider-salvage@0.4", "pathway:three_state"])
def test_merged_paths_give_the_same_curves(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Scenario(name, load_scenario("baseline").pathway) if name.startswith("pathway") else load_scenario(name)
    model = resolve(policy, values(load_informed_draws(policy.pathway), slice(0, 2)))
    unmerged = engine.curves(model, 36.0)
    original = path_flows._flows

    def too_many(model: Model, paths: Paths, *graphs: object, merging: bool) -> PathFlows:
        return original(model, Paths(paths.lattice, 0.0 if not merging else np.inf), *graphs, merging=merging)  # type: ignore[arg-type]

    monkeypatch.setattr(path_flows, "_flows", too_many)
    merged = engine.curves(model, 36.0)
    for key, alive in unmerged.survival.items():
        # A group's size, and who of it are dead, are read where the damped transform leaves eight digits of each.
        error = 2e-8 / unmerged.sizes[key[1]].min() if key[1] in model.pathway.groups else 1e-9
        np.testing.assert_allclose(merged.survival[key], alive, rtol=0, atol=error, err_msg=str(key))
        np.testing.assert_allclose(merged.means[key], unmerged.means[key], rtol=0, atol=error, err_msg=str(key))
    for clock, states in unmerged.occupancy.items():
        for state, there in states.items():
            np.testing.assert_allclose(merged.occupancy[clock][state], there, rtol=0, atol=1e-9, err_msg=state)


def test_policies_that_move_shares_have_the_same_laws_and_paths() -> None:
    table = values(load_informed_draws(load_scenario("baseline").pathway), slice(0, 3))
    policies = ["baseline", "wider-salvage", "hsct-for-all-responders", "immunotherapy-first"]
    models = [resolve(load_scenario(name).with_marginal_benefit(1.0), table) for name in policies]
    paths = Paths(Lattice(0.1, 120.0))
    counts = []
    for model in models:
        engine.solve(model, 120.0, step=0.1, paths=paths)
        counts.append((len(paths.laws), len(paths.steps)))
    assert counts[0] == counts[-1]


def test_policies_that_share_paths_have_the_curves_of_each_alone() -> None:
    table = values(load_informed_draws(load_scenario("baseline").pathway), slice(0, 3))
    policies = [load_scenario(name) for name in ("baseline", "wider-salvage@0", "no-hsct")]
    models = list(resolve_each(policies, table))
    for policy, together in zip(policies, engine.compared(models, 24.0, step=0.1), strict=True):
        alone = engine.curves(resolve(policy, table), 24.0, step=0.1)
        for key, alive in alone.survival.items():
            np.testing.assert_allclose(together.survival[key], alive, rtol=0, atol=1e-12, err_msg=str(key))


def test_draws_that_differ_in_shares_only_have_one_curve_a_path() -> None:
    """Rows of a tornado over shares; each has the survival of its own."""
    baseline = load_scenario("baseline")
    draw = values(load_informed_draws(baseline.pathway), slice(0, 1))
    shares = np.array([[0.2], [0.5], [0.9]])
    table = {name: np.repeat(value, 3, axis=0) for name, value in draw.items()} | {"hsct_if_cr": shares}
    only = {(baseline.pathway.clock, "all")}
    paths = Paths(Lattice(0.1, 24.0))
    together = engine.curves(resolve(baseline, table), 24.0, step=0.1, only=only, paths=paths)
    assert {len(paths.curve(path)) for path in range(len(paths.steps))} == {1}
    for row, share in enumerate(shares):
        alone = engine.curves(resolve(baseline, draw | {"hsct_if_cr": share[None]}), 24.0, step=0.1, only=only)
        for key, (alive,) in alone.survival.items():
            np.testing.assert_allclose(together.survival[key][row], alive, rtol=0, atol=1e-12)


def test_ten_draws_over_a_hundred_years_are_solved_in_batches() -> None:
    pathway = load_scenario("baseline").pathway
    assert engine.batch(pathway, 12.0) == engine.batch(pathway, 120.0) > 10
    assert 1 <= engine.batch(pathway, 1_200.0) <= 3
    assert engine.batch(pathway, 12_000.0) == 1


@pytest.mark.parametrize("months", [1.0, 1.05, 1.0834, 0.03])
def test_a_fixed_stay_shifts_those_who_come_evenly_wherever_it_ends_in_a_cell(months: float) -> None:
    """Weibull times and then a stay of some months. Off the lattice the shift keeps three moments."""
    states = {"ill": sojourn(bed=weibull(shape=2.2, scale=3.0)), "bed": sojourn(dead=fixed(months)), "dead": DEATH}
    alive = survival(resolve(scenario(world("ill", states))), 12.0, step=0.1)
    at = 0.1 * np.arange(alive.size)
    np.testing.assert_allclose(alive, stats.weibull_min.sf(at - months, 2.2, scale=3.0), atol=2e-5)


@pytest.mark.parametrize("before", [[], [fixed(1.13)]], ids=["at once", "after a fixed time"])
def test_a_fixed_time_after_a_steep_start_is_on_a_point_of_the_lattice(before: list[Table]) -> None:
    """Many leave next to one instant, and die at one: S = exp(-((t - fixed) / scale)^shape)."""
    stays = in_a_row(*before, weibull(shape=0.3, scale=10.0), fixed(3.26))
    alive = survival(resolve(scenario(stays)), 24.0)
    since = np.linspace(0.0, 24.0, alive.size) - 3.26 - 1.13 * len(before)
    answer = np.exp(-((np.where(since < 1e-9, 0.0, since) / 10.0) ** 0.3))
    np.testing.assert_allclose(alive, answer, rtol=0.0, atol=1e-4)
