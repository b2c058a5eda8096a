"""Patients who come back: the exact engine is right to a ten-thousandth, or refuses and names the cycle."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm
from sojourn_times import Table, by, exponential, fixed, gamma, weibull
from worlds import exit_to, load, rate, scenario, sojourn, to_and_fro, world

from simulator.engines.exact import accuracy
from simulator.engines.exact import engine as exact
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.experiment.engine_choice import choose_engine
from simulator.experiment.run import compare, run
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario

HORIZON = 120.0


def by_rate(speed: float, death: float = 0.01) -> Scenario:
    """To and fro at one rate."""
    return scenario(to_and_fro(exponential(rate=speed), exponential(rate=speed), exponential(rate=death)))


@pytest.mark.parametrize("speed", [0.1, 1.0, 10.0])
def test_returns_by_exponential_sojourns_are_those_of_the_matrix_exponential(speed: float) -> None:
    solution = exact.solve(resolve(by_rate(speed)), HORIZON)
    rates = np.array([[-speed - 0.01, speed], [speed, -speed]])
    for month in (0.0, 0.5, 1.0, 6.0, 24.0, 60.0, 120.0):
        place = round(month / solution.lattice.step)
        there = expm(rates * month)[0]
        assert solution.survival()[0, place] == pytest.approx(there.sum(), abs=1e-4)
        assert solution.occupied("a")[0, place] == pytest.approx(there[0], abs=1e-4)


@pytest.mark.parametrize("speed", [1_000.0, 10_000.0])
def test_a_cycle_that_no_lattice_follows_is_refused_by_its_name(speed: float) -> None:
    with pytest.raises(accuracy.TooCoarse, match=r"a -> b -> a.*--engine microsim"):
        exact.solve(resolve(by_rate(speed)), HORIZON)


@pytest.mark.parametrize("speed", [100.0, 300.0, 1_000.0])
def test_a_rare_level_with_a_fast_cycle_is_right_itself_or_refused(speed: float) -> None:
    time = exponential(rate=by("kind", fast=speed, slow=0.01))
    mixed = to_and_fro(time, time, exponential(rate=0.01), attributes={"kind": {"fast": 1, "slow": 3000}})
    try:
        solution = exact.solve(resolve(scenario(mixed)), 60.0)
    except accuracy.TooCoarse:
        assert speed > 100.0
        return
    rates = np.array([[-speed - 0.01, speed], [speed, -speed]])
    for month in (1.0, 6.0, 60.0):
        there = expm(rates * month)[0].sum()
        assert solution.survival("kind=fast")[0, round(month / solution.lattice.step)] == pytest.approx(there, abs=1e-4)


def test_the_engine_that_is_chosen_is_none_that_refuses() -> None:
    engine, why = choose_engine("auto", [by_rate(1_000)], HORIZON)
    assert engine == "microsim"
    assert "a -> b -> a" in why
    assert choose_engine("auto", [by_rate(1)], HORIZON)[0] == "exact"


def test_a_parameter_set_that_no_lattice_follows_is_simulated_though_the_declared_one_is_solved() -> None:
    time = exponential(rate="speed")
    drawn = to_and_fro(time, time, exponential(rate=0.01), draws="draws.csv", parameters={"speed": rate(1.0)})
    pathway = load(drawn, draws="speed\n" + "1\n" * 3 + "60\n")
    assert run(Scenario("some", pathway), draws=3, jobs=1).manifest["engine"] == "exact"
    found = run(Scenario("all", pathway), patients=50, jobs=1).manifest
    assert (found["engine"], found["draws"]) == ("microsim", 4)
    assert "a -> b -> a" in found["engine_because"]
    with pytest.raises(accuracy.TooCoarse):
        run(Scenario("all", pathway), engine="exact", jobs=1)


@pytest.mark.parametrize("states", [3, 10])
@pytest.mark.parametrize("speed", [0.5, 20.0])
def test_a_ring_of_states_is_that_of_the_matrix_exponential(states: int, speed: float) -> None:
    names = [f"s{i}" for i in range(states)]
    ring = {
        name: sojourn(**{to: exponential(rate=speed)}, **({"dead": exponential(rate=0.05)} if name == "s0" else {}))
        for name, to in zip(names, [*names[1:], names[0]], strict=True)
    }
    solution = exact.solve(resolve(scenario(world("s0", ring))), 60.0)
    rates = speed * (np.roll(np.eye(states), 1, axis=1) - np.eye(states))
    rates[0, 0] -= 0.05
    for month in (0.0, 0.5, 1.0, 6.0, 60.0):
        place, there = round(month / solution.lattice.step), expm(rates * month)[0]
        occupied = [solution.occupied(name)[0, place] for name in names]
        np.testing.assert_allclose(occupied, there, rtol=0.0, atol=1e-4)
        assert solution.survival()[0, place] == pytest.approx(there.sum(), abs=1e-4)


def test_courses_of_fixed_lengths_with_a_common_measure_are_followed() -> None:
    """Death of one in ten as each course of 0.92 months ends, and a pause of 0.3 months after it."""
    after = exit_to("pause", fixed(0.92), probability=0.9), exit_to("dead", fixed(0.92), probability=0.1)
    courses = world("course", {"course": sojourn(*after), "pause": sojourn(course=fixed(0.3))})
    solution = exact.solve(resolve(scenario(courses)), 60.0)
    over = np.floor((solution.months + 0.3) / 1.22 + 1e-9)
    np.testing.assert_allclose(solution.survival()[0], 0.9**over, atol=1e-4)


def test_courses_of_fixed_lengths_without_a_common_measure_are_refused() -> None:
    courses = scenario(to_and_fro(fixed(math.pi / 3), fixed(math.e / 3), exponential(rate=0.05)))
    with pytest.raises(accuracy.TooCoarse, match="a -> b -> a"):
        exact.solve(resolve(courses), HORIZON)


@pytest.mark.parametrize(
    "times",
    [
        (weibull(shape=0.5, scale=3), gamma(shape=2, scale=1), exponential(rate=0.02)),
        (exponential(rate=0.5), fixed(1.7), weibull(shape=1.5, scale=20)),
        (exponential(rate=1), exponential(rate=2), exponential(rate=0.05), weibull(shape=0.6, scale=2, cure=0.3)),
    ],
    ids=("steep", "fixed", "after a cure"),
)
def test_returns_of_any_law_are_followed_as_simulated_patients_are(times: tuple[Table, ...]) -> None:
    """Dvoretzky-Kiefer-Wolfowitz with Massart's constant, at a false-alarm rate of 1e-6."""
    n = 40_000
    model = resolve(scenario(to_and_fro(*times)))
    solved, simulated = exact.curves(model, HORIZON), microsim.curves(model, HORIZON, patients=n, uniforms=Uniforms(4))
    ((key, alive),) = simulated.survival.items()
    at = np.rint(simulated.months / solved.months[1]).astype(int)
    assert np.abs(solved.survival[key][0, at] - alive[0]).max() < math.sqrt(math.log(2 / 1e-6) / (2 * n)) + 1e-4


def test_a_policy_is_compared_on_the_lattice_of_the_finest() -> None:
    """Patients of one level go round 27 times as fast under the policy, which takes finer cells; nobody else does."""
    time = exponential(rate=by("kind", slow=0.2, other="speed"))
    tables = {"attributes": {"kind": {"slow": 1, "other": 1}}, "parameters": {"speed": rate(0.3)}}
    base = scenario(to_and_fro(time, time, exponential(rate=0.05), **tables))
    policy = replace(base, name="policy", set={"speed": 8.0})
    steps = [exact.solve(resolve(each), HORIZON).lattice.step for each in (base, policy)]
    assert steps[0] > steps[1]
    found = compare(base, policy, engine="exact", jobs=1).outcomes
    slow, other = (
        found[(found["scenario"] == "policy") & (found["population"] == f"kind={level}")].set_index("outcome")
        for level in ("slow", "other")
    )
    assert (slow["difference"].dropna() == 0.0).all()
    rates = np.array([[[-speed - 0.05, speed], [speed, -speed]] for speed in (0.3, 8.0)])
    before, after = (expm(12.0 * rate)[0].sum() for rate in rates)
    assert other.loc["os_12", "difference"] == pytest.approx(after - before, abs=1e-4)


def test_patients_whom_a_shipped_policy_does_not_touch_do_not_differ_though_it_needs_finer_cells() -> None:
    base, policy = (load_scenario(name) for name in ("baseline", "earlier-hsct"))
    assert exact.step_of((base,), 24.0) > exact.step_of((policy,), 24.0)
    found = compare(base, policy, draws=3, horizon=24.0, jobs=1).outcomes
    untreated = found[(found["scenario"] == "earlier-hsct") & (found["population"] == "untreated")]
    assert (untreated[untreated["clock"] == "relapse"]["difference"].dropna() == 0.0).all()


def test_the_manifest_states_the_error_that_was_measured() -> None:
    measured = run("baseline", engine="exact", draws=12, horizon=60.0).manifest["lattice"]
    assert measured["step_months"] == 0.1
    assert 0.0 < measured["survival_error"]["median"] <= measured["survival_error"]["largest"] < 1e-4
    assert "lattice" not in run("baseline", engine="microsim", draws=1, patients=50).manifest
