"""Patients who come back: the exact engine refuses a cycle that it cannot follow, and names it.

That it is right to a ten-thousandth otherwise is shown by the known answers of the laws.
"""

import math
import tracemalloc
from dataclasses import replace
from time import process_time

import numpy as np
import pytest
from known_answers import CYCLES, Known, by_expm, chain, to_and_fro_rates
from scipy import stats
from sojourn_times import Table, by, exponential, fixed, gamma, weibull
from worlds import load, rate, scenario, slow, sojourn, to_and_fro, world

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


@pytest.mark.parametrize("known", CYCLES.values(), ids=CYCLES)
def test_half_the_step_leaves_a_quarter_of_the_error(known: Known) -> None:
    coarse, fine = (exact.curves(resolve(known.scenario), known.horizon, step=step) for step in (0.1, 0.05))
    answer = known.states(coarse.months[::5])
    off, off_by_half = (
        max(np.abs(curves.occupancy["start"][name][0, ::stride] - answer[name]).max() for name in answer)
        for curves, stride in ((coarse, 5), (fine, 10))
    )
    assert off < 3e-4
    assert off_by_half < 0.27 * off


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
    months = np.array([1.0, 6.0, 60.0])
    alive = 1.0 - by_expm(to_and_fro_rates(speed, 0.01), "a", months)["dead"]
    places = np.rint(months / solution.lattice.step).astype(int)
    np.testing.assert_allclose(solution.survival("kind=fast")[0, places], alive, rtol=0.0, atol=1e-4)


def test_the_engine_that_is_chosen_is_none_that_refuses() -> None:
    engine, why = choose_engine("auto", [by_rate(1_000)], HORIZON)
    assert engine == "microsim"
    assert "a -> b -> a" in why
    assert choose_engine("auto", [by_rate(1)], HORIZON)[0] == "exact"


def test_a_parameter_set_that_no_lattice_follows_is_simulated_though_the_declared_one_is_solved() -> None:
    time = exponential(rate="speed")
    drawn = to_and_fro(time, time, exponential(rate=0.01), draws="draws.csv", parameters={"speed": rate(1.0)})
    pathway = load(drawn, draws="speed\n" + "1\n" * 3 + "60\n")
    assert run(Scenario("some", pathway), draws=3, horizon=60.0, jobs=1).manifest["engine"] == "exact"
    manifest = run(Scenario("all", pathway), patients=50, horizon=60.0, jobs=1).manifest
    assert (manifest["engine"], manifest["draws"]) == ("microsim", 4)
    assert "a -> b -> a" in manifest["engine_because"]
    with pytest.raises(accuracy.TooCoarse):
        run(Scenario("all", pathway), engine="exact", horizon=60.0, jobs=1)


def ring(states: int, chords: bool = False, dying: bool = False) -> dict[tuple[str, str], float]:
    """Rates of states in a ring: patients come round once in 8 years; from the first state, or any, they may die."""
    rates = {(f"s{i}", f"s{(i + 1) % states}"): states / (80.0 + 40.0 * i / states) for i in range(states)}
    if chords:
        rates |= {(f"s{i}", f"s{(i + 67) % states}"): 0.3 for i in range(0, states, 10)}
        rates |= {(f"s{i}", f"s{(i - 5) % states}"): 0.2 for i in range(3, states, 10)}
    return rates | {(f"s{i}", "dead"): 0.02 for i in range(states if dying else 1)}


@pytest.mark.parametrize(
    "rates",
    [ring(60), slow(ring(200, chords=True)), slow(ring(60, dying=True))],
    ids=["a ring of 60", "200 with chords", "60 in which everybody may die"],
)
def test_a_ring_of_many_states_is_solved_in_seconds(rates: dict[tuple[str, str], float]) -> None:
    known = chain(rates, "s0")
    model, months = resolve(known.scenario), np.array([0.0, 1.0, 30.0, 60.0, 99.0, 120.0])
    tracemalloc.start()
    start = process_time()
    curves = exact.curves(model, HORIZON)
    seconds = process_time() - start
    mebibytes = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    answer, at = known.states(months), np.rint(months / curves.months[1]).astype(int)
    for name, there in curves.occupancy["start"].items():
        np.testing.assert_allclose(there[0, at], answer[name], rtol=0.0, atol=1e-4)
    assert seconds < 30.0
    assert mebibytes < 500.0


@pytest.mark.slow
def test_a_ring_of_states_takes_memory_in_proportion_to_their_number() -> None:
    def peak(states: int) -> int:
        model = resolve(chain(ring(states, dying=True), "s0").scenario)
        tracemalloc.start()
        exact.solve(model, HORIZON, step=0.1)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(160) < 2.2 * peak(80)


def test_patients_come_round_a_ring_as_a_series_of_its_kernels_says() -> None:
    """After k states in a row of a gamma law the time is gamma too: P(in state j) sums it over the rounds."""
    n, shape, scale, death = 20, 2.0, 0.8, 0.01
    time = gamma(shape=shape, scale=scale)
    states = {f"s{i}": sojourn(**{f"s{(i + 1) % n}": time, "dead": exponential(rate=death)}) for i in range(n)}
    curves = exact.curves(resolve(scenario(world("s0", states))), HORIZON)
    left = np.array([stats.gamma.cdf(curves.months, shape * k, scale=scale) for k in range(1, 8 * n + 1)])
    present = -np.diff(left, axis=0, prepend=1.0) * np.exp(-death * curves.months)
    for i in range(n):
        np.testing.assert_allclose(curves.occupancy["start"][f"s{i}"][0], present[i::n].sum(axis=0), atol=1e-4)


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
    steps = [exact.solve(resolve(compared), HORIZON).lattice.step for compared in (base, policy)]
    assert steps[0] > steps[1]
    outcomes = compare(base, policy, engine="exact", jobs=1).outcomes
    slow, other = (
        outcomes[(outcomes["scenario"] == "policy") & (outcomes["population"] == f"kind={level}")].set_index("outcome")
        for level in ("slow", "other")
    )
    assert (slow["difference"].dropna() == 0.0).all()
    before, after = (by_expm(to_and_fro_rates(speed, 0.05), "a", np.array([12.0]))["dead"] for speed in (0.3, 8.0))
    assert other.loc["os_12", "difference"] == pytest.approx((before - after).item(), abs=1e-4)


@pytest.mark.slow
def test_patients_whom_a_shipped_policy_does_not_touch_do_not_differ_though_it_needs_finer_cells() -> None:
    base, policy = (load_scenario(name) for name in ("baseline", "earlier-hsct"))
    assert exact.step_of((base,), 24.0) > exact.step_of((policy,), 24.0)
    outcomes = compare(base, policy, draws=3, horizon=24.0, jobs=1).outcomes
    untreated = outcomes[(outcomes["scenario"] == "earlier-hsct") & (outcomes["population"] == "untreated")]
    assert (untreated[untreated["clock"] == "relapse"]["difference"].dropna() == 0.0).all()


@pytest.mark.usefixtures("measured_error")
def test_the_manifest_states_the_error_that_was_measured() -> None:
    measured = run("baseline", engine="exact", draws=4, horizon=60.0).manifest["lattice"]
    assert measured["step_months"] == 0.1
    assert 0.0 < measured["survival_error"]["median"] <= measured["survival_error"]["largest"] < 1e-4
    assert "lattice" not in run("baseline", engine="microsim", draws=1, patients=50).manifest


@pytest.mark.parametrize(("shape", "wait"), [(0.5, 2.44), (0.5, 3.249), (0.9, math.pi), (2.0, 3.26)])
def test_an_end_point_of_a_rare_level_on_a_cycle_is_right_to_a_ten_thousandth(shape: float, wait: float) -> None:
    """Patients relapse a fixed time after a Weibull one: P(no relapse by t) = exp(-((t - wait) / scale)^shape)."""
    states = {
        "well": sojourn(waiting=weibull(shape=shape, scale=4.0)),
        "waiting": sojourn(relapsed=fixed(by("kind", rare=wait, usual=30.0))),
        "relapsed": sojourn(well=exponential(mean=6.0), dead=exponential(mean=6.0)),
    }
    tables = {"attributes": {"kind": {"rare": 1, "usual": 99}}, "end_points": {"free": {"causes": {"r": "relapsed"}}}}
    curves = exact.curves(resolve(scenario(world("well", states, **tables))), 24.0)
    free = curves.end_points["free"].survival["start", "kind=rare"][0]
    since = np.maximum(curves.months - wait, 0.0)
    np.testing.assert_allclose(free, np.exp(-((since / 4.0) ** shape)), rtol=0.0, atol=1e-4)
