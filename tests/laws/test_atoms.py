"""Who enters a state at one instant is there from that instant: months, means and medians, in every engine."""

import math
from typing import Any

import numpy as np
import pytest
from every_engine import ENGINES, curves_of
from sojourn_times import Table, by, fixed, weibull
from worlds import exit_to, in_a_row, load, sojourn, two_state, ward, world

from simulator.engines.curves import Curves
from simulator.engines.exact import engine as exact
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.experiment.run import run
from simulator.outcomes import summaries
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario

HORIZON = 120.0
STEEP = weibull(shape=0.3, scale=1.0)


def fixed_stay(wait: float, stay: float, **tables: Any) -> Table:
    """A bed for a fixed time."""
    counts = {"bed_months": {"label": "bed months", "months": "ward"}, "beds": {"label": "beds", "entries": "ward"}}
    return ward(fixed(stay), fixed(wait), fixed(1000), then="dead", counts=counts, **tables)


def curves_by_engine(pathway: Pathway, patients: int) -> dict[str, Curves]:
    scenario = Scenario("made up", pathway)
    return {engine: curves_of(engine, scenario, HORIZON, patients) for engine in ENGINES}


def median(curves: Curves) -> float:
    (clock, population), *_ = curves.survival
    return float(summaries.median(curves, clock, population)[0])


def mean_to(curves: Curves, month: float) -> float:
    return float(summaries.rmst(curves.months, next(iter(curves.means.values())), month)[0])


@pytest.mark.representatives(7)
@pytest.mark.parametrize("wait", [0.0, 0.05, 2.0, 7.31])
@pytest.mark.parametrize("stay", [0.1, 0.03, 1.0, 4.0, 3.277])
def test_a_bed_is_used_for_the_months_of_a_fixed_stay(wait: float, stay: float) -> None:
    for engine, curves in curves_by_engine(load(fixed_stay(wait, stay)), 20).items():
        assert curves.counts["bed_months"][0] == pytest.approx(stay, abs=1e-5), engine
        assert curves.counts["beds"][0] == pytest.approx(1.0, abs=1e-6), engine
        assert mean_to(curves, 12.0) == pytest.approx(min(wait + stay, 12.0), abs=1e-5), engine
        assert median(curves) == pytest.approx(wait + stay, abs=0.005), engine


def test_a_stay_that_outlasts_the_horizon_counts_up_to_it() -> None:
    for engine, curves in curves_by_engine(load(fixed_stay(100.0, 50.0)), 20).items():
        assert curves.counts["bed_months"][0] == pytest.approx(20.0, abs=1e-5), engine


def test_a_bed_that_is_taken_at_the_horizon_is_taken_for_no_time() -> None:
    for engine, curves in curves_by_engine(load(fixed_stay(HORIZON, 5.0)), 20).items():
        assert curves.counts["bed_months"][0] == pytest.approx(0.0, abs=1e-5), engine
        assert curves.counts["beds"][0] == pytest.approx(1.0, abs=1e-6), engine


@pytest.mark.parametrize("months", [(3.27,), (0.05,), (3.27, 4.111), (math.pi, math.e), (math.pi, math.e, 2**0.5)])
def test_deaths_at_one_instant_have_their_median_and_mean_there(months: tuple[float, ...]) -> None:
    for engine, curves in curves_by_engine(load(in_a_row(*map(fixed, months))), 20).items():
        assert median(curves) == pytest.approx(sum(months), abs=0.005), engine
        for to in (6.0, 12.0, 60.0):
            assert mean_to(curves, to) == pytest.approx(min(sum(months), to), abs=0.005), engine


@pytest.mark.parametrize("cure", [0.0, 0.3])
@pytest.mark.parametrize("scale", [0.01, 1.0, 40.0])
@pytest.mark.parametrize("wait", [0.0, 3.2713])
def test_a_steep_start_has_its_median_and_mean(scale: float, cure: float, wait: float) -> None:
    """Weibull of shape 0.3, by the quantile function; the mean by 10^6 equal slices of probability."""
    time = weibull(shape=0.3, scale=scale, cure=cure)
    pathway = load(in_a_row(fixed(wait), time) if wait else two_state(time))
    curves = exact.curves(resolve(Scenario("steep", pathway)), HORIZON)
    share = (np.arange(1_000_000) + 0.5) / 1_000_000
    times = wait + scale * (-np.log1p(-share)) ** (1 / 0.3)
    assert median(curves) == pytest.approx(wait + scale * (-math.log1p(-0.5 / (1 - cure))) ** (1 / 0.3), abs=0.005)
    for to in (12.0, 60.0):
        expected = (1 - cure) * np.minimum(times, to).mean() + cure * to
        assert mean_to(curves, to) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("horizon", [0.05, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("scale", [0.04, 5.0])
def test_a_horizon_of_a_few_days_has_its_median_or_none(scale: float, horizon: float) -> None:
    curves = exact.curves(resolve(Scenario("short", load(two_state(weibull(shape=1.0, scale=scale))))), horizon)
    half = scale * math.log(2.0)
    assert median(curves) == (pytest.approx(half, abs=0.005) if half < horizon else np.inf)


def test_two_steep_starts_in_a_row_have_their_median_and_mean() -> None:
    """By the sums of 3,000 x 3,000 equal slices of probability."""
    curves = exact.curves(resolve(Scenario("steep", load(in_a_row(STEEP, STEEP)))), HORIZON)
    times = (-np.log1p(-(np.arange(3_000) + 0.5) / 3_000)) ** (1 / 0.3)
    both = np.add.outer(times, times).ravel()
    assert median(curves) == pytest.approx(np.median(both), abs=0.005)
    assert mean_to(curves, 12.0) == pytest.approx(np.minimum(both, 12.0).mean(), abs=0.005)


@pytest.mark.parametrize("later", [False, True])
def test_a_cured_half_leaves_no_median_and_a_half_that_dies_later_does(later: bool) -> None:
    exits = [exit_to("dead", fixed(2.345, cure=0.5)), exit_to("dead", fixed(30.05), name="late")]
    half = world("ill", {"ill": sojourn(*exits[: 1 + later])})
    solved = exact.curves(resolve(Scenario("half", load(half))), HORIZON)
    assert median(solved) == (pytest.approx(30.05, abs=0.005) if later else np.inf)


def test_the_median_of_patients_is_the_time_of_one_of_them() -> None:
    """The least time by which more than half have died: the 501st of 1,000 or of 1,001."""
    pathway = load(two_state(weibull(shape=1.3, scale=8.0)))
    for patients in (1_000, 1_001):
        by_engine = curves_by_engine(pathway, patients)
        times = np.sort(_times(pathway, patients))
        for engine in ("microsim", "des"):
            assert median(by_engine[engine]) == pytest.approx(times[500], abs=1e-9), engine
            assert mean_to(by_engine[engine], 12.0) == pytest.approx(np.minimum(times, 12.0).mean(), abs=1e-9), engine


def _times(pathway: Pathway, patients: int) -> np.ndarray:
    model = resolve(Scenario("made up", pathway))
    blocks = microsim.simulate(model, Uniforms(1), range(patients), horizon=HORIZON)
    return np.concatenate([block.death_month for block in blocks])


@pytest.mark.parametrize(
    "time",
    [
        fixed(by("kind", now=0.0, later=3.0)),
        weibull(shape=0.7, scale=by("kind", now=0.0, later=3.0)),
        fixed(by("kind", now=0.0, later=3.0), cure=by("kind", now=0.4, later=0)),
    ],
    ids=str,
)
def test_a_patient_who_dies_at_once_is_dead_at_month_0_in_every_engine(time: Table) -> None:
    mixed = two_state(time, clocks={"ill": "ill"}, attributes={"kind": {"now": 0.25, "later": 0.75}})
    n = 1_000
    by_engine = curves_by_engine(load(mixed), n)
    expected = 0.75 + (0.25 * 0.4 if "cure" in time else 0.0)
    for engine, curves in by_engine.items():
        # Six standard errors of a share of the patients: a false alarm in 10^9.
        noise = 1e-9 if engine == "exact" else 6 * math.sqrt(0.25 * 0.75 / n)
        assert curves.survival["ill", "all"][0, 0] == pytest.approx(expected, abs=noise), engine
        assert curves.occupancy["ill"]["ill"][0, 0] == pytest.approx(expected, abs=noise), engine
        assert curves.occupancy["ill"]["dead"][0, 0] == pytest.approx(1 - expected, abs=noise), engine
    np.testing.assert_array_equal(by_engine["microsim"].survival["ill", "all"], by_engine["des"].survival["ill", "all"])


@pytest.mark.parametrize("horizon", [0.37, 3.04, 3.06, 3.075])
def test_a_horizon_between_tenths_of_a_month_is_kept_to(horizon: float) -> None:
    scenario = Scenario("made up", load(fixed_stay(3.05, 1.0)))
    for engine in ENGINES:
        results = run(scenario, engine=engine, horizon=horizon, patients=20)
        counted = results.outcomes.set_index("outcome").estimate
        assert results.survival.month.max() == pytest.approx(horizon), engine
        assert counted["beds"] == pytest.approx(100.0 * (horizon > 3.05), abs=1e-4), engine
        assert counted["bed_months"] == pytest.approx(100.0 * max(horizon - 3.05, 0.0), abs=1e-3), engine


def test_survival_is_read_off_between_tenths_of_a_month() -> None:
    pathway = load(two_state(fixed(3.05), survival_months=[3.04, 3.07]))
    for engine in ENGINES:
        results = run(Scenario("made up", pathway), engine=engine, horizon=12.0, patients=20)
        counted = results.outcomes.set_index("outcome").estimate
        assert counted["os_3.04"] == pytest.approx(1.0, abs=1e-6), engine
        assert counted["os_3.07"] == pytest.approx(0.0, abs=1e-6), engine
        assert counted["rmst_3.07"] == pytest.approx(3.05, abs=1e-5), engine


@pytest.mark.parametrize(("wait", "share"), [(3.05, 1.0), (3.08, 0.0)])
def test_a_groups_window_ends_between_tenths_of_a_month(wait: float, share: float) -> None:
    world = fixed_stay(wait, 1.0, group_window=3.07, groups={"in_bed": "ward"})
    for engine, curves in curves_by_engine(load(world), 20).items():
        assert curves.sizes["in_bed"][0] == pytest.approx(share, abs=1e-6), engine
