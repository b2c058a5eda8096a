"""Chance and the draws' spread, kept apart: by hand, and recovered where they are known.

Statistical tests share FALSE_ALARM: fewer than one suite in 10,000 fails by chance, though seeds are fixed.
"""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from simulator.arrays import Floats
from simulator.outcomes.uncertainty import Sample, Summary, jackknife, of_means, of_medians, quantile, read_off

FALSE_ALARM = 1e-4 / 4
NAN, INF = np.nan, np.inf

Summarise = Callable[[Floats, Floats], Summary]


def without(values: Floats) -> Floats:
    """The means of all replications but one : (..., n_replications)."""
    return np.asarray((values.sum(axis=-1, keepdims=True) - values) / (values.shape[-1] - 1))


# --- The variance by chance ---


@pytest.mark.parametrize("n", [2, 3, 10])
def test_the_jackknife_of_a_mean_is_its_variance(n: int) -> None:
    values = np.random.default_rng(1).exponential(size=(5, n))
    np.testing.assert_allclose(jackknife(without(values)), values.var(axis=1, ddof=1) / n)


def test_chance_is_unknown_of_one_replication_and_where_all_of_a_group_come_in_one() -> None:
    assert np.isnan(jackknife(np.array([[0.4]]))).all()
    assert np.isnan(jackknife(np.array([0.3, NAN, 0.4])))
    assert np.isnan(jackknife(np.array([5.0, INF, 6.0])))


def test_the_jackknife_of_a_share_counts_each_patient_once() -> None:
    """Alive of those who came, replication by replication: its variance is Cochran's (1977) of a ratio, nearly."""
    generator = np.random.default_rng(2)
    came = generator.poisson(100, size=(2_000, 20)).astype(float)
    alive = generator.binomial(came.astype(int), generator.beta(20, 30, size=came.shape)).astype(float)
    left, stayed = (each.sum(axis=1, keepdims=True) - each for each in (alive, came))
    spread = (alive.sum(axis=1) / came.sum(axis=1)).var(ddof=1)
    ratio = spread / jackknife(left / stayed).mean()
    assert FALSE_ALARM / 2 < stats.chi2.cdf(1_999 * ratio, 1_999) < 1 - FALSE_ALARM / 2


def test_a_difference_has_the_chance_that_the_two_do_not_share() -> None:
    generator = np.random.default_rng(3)
    shared, own = generator.normal(size=(4, 5)), generator.normal(size=(4, 5))
    first, other = (Sample(x.mean(axis=1), np.zeros(4), without(x)) for x in (shared, shared + own))
    apart = read_off(np.subtract, other, first)
    np.testing.assert_allclose(apart.values, own.mean(axis=1))
    np.testing.assert_allclose(apart.noise**2, own.var(axis=1, ddof=1) / 5)


@pytest.mark.parametrize(("noise", "told"), [(0.0, 0.0), (0.1, NAN)])
def test_without_replications_a_difference_has_no_chance_or_an_unknown_one(noise: float, told: float) -> None:
    one, two = Sample(np.array([1.0, 2.0]), np.zeros(2)), Sample(np.array([3.0, 5.0]), np.full(2, noise))
    apart = read_off(np.subtract, two, one)
    assert apart.values.tolist() == [2.0, 3.0]
    np.testing.assert_array_equal(apart.noise, np.full(2, told))


# --- Told by means ---


def test_means_by_hand() -> None:
    """Draws 1, 2, 6 with mean 3 and variance 7, of which 7 / 4 is chance: sqrt(3 / 4) of their distances stay."""
    chance = np.full(3, 1.75)
    estimate, lower, upper, error = of_means(np.array([1.0, 2.0, 6.0]), chance)
    assert (estimate, error) == (3.0, pytest.approx(np.sqrt(1.75 / 3)))
    kept = np.sqrt(0.75)
    assert (lower, upper) == pytest.approx((3 - kept * (3 - 1.05), 3 + kept * (5.8 - 3)))


@pytest.mark.parametrize("summary", [of_means, of_medians])
@pytest.mark.parametrize("values", [[1.0, 3.0], [2.0, 2.0]])
def test_where_chance_exceeds_the_spread_no_interval_is_shown(summary: Summarise, values: list[float]) -> None:
    told = summary(np.array(values), np.array([9.0, 9.0]))
    assert told.estimate == 2.0
    assert np.isnan([told.lower, told.upper]).all()
    assert told.monte_carlo_se == pytest.approx(np.sqrt(9.0 / 2), rel=0.1)


@pytest.mark.parametrize("summary", [of_means, of_medians])
@pytest.mark.parametrize("chance", [0.0, 1e-34])
def test_what_does_not_vary_keeps_its_interval_without_a_width(summary: Summarise, chance: float) -> None:
    told = summary(np.full(3, 0.3), np.full(3, chance))
    assert told[:3] == pytest.approx((0.3, 0.3, 0.3), abs=1e-15)


def test_a_draw_with_nobody_in_it_is_left_out_and_an_unknown_chance_is_as_the_others() -> None:
    told = of_means(np.array([1.0, NAN, 3.0]), np.array([0.5, NAN, NAN]))
    assert (told.estimate, told.monte_carlo_se) == (2.0, 0.5)
    assert np.isnan(of_means(np.full(2, NAN), np.full(2, NAN))).all()


def test_unknown_chance_stays_in_the_interval() -> None:
    told = of_means(np.arange(101.0), np.full(101, NAN))
    assert told[:3] == (50.0, 2.5, 97.5)
    assert np.isnan(told.monte_carlo_se)


@pytest.mark.parametrize("turned", [1.0, -1.0])
@pytest.mark.parametrize("chance", [0.0, 0.002])
def test_an_interval_holds_its_estimate_and_95_percent_of_draws_where_a_few_lie_far_off(
    turned: float, chance: float
) -> None:
    """196 draws in which every comparison tells two policies apart, and 4 in which half or none do."""
    values = turned * np.array([1.0] * 196 + [0.5, 0.5, 0.0, 0.0])
    told = of_means(values, np.full(200, chance))
    assert told.estimate == pytest.approx(turned * 0.985)
    assert told.lower <= told.estimate <= told.upper
    kept = np.sqrt(1.0 - chance / values.var(ddof=1))
    drawn = told.estimate + kept * (values - told.estimate)
    assert np.mean((drawn >= told.lower - 1e-12) & (drawn <= told.upper + 1e-12)) >= 0.95
    # The other end stays where the quantile is.
    assert (told.upper if turned > 0 else told.lower) == pytest.approx(turned * (0.985 + kept * 0.015))


@pytest.mark.parametrize("seed", range(20))
def test_no_interval_excludes_its_own_estimate_however_skewed_the_draws_are(seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.choice([-1.0, 1.0]) * generator.lognormal(sigma=generator.uniform(0.5, 6.0), size=(100, 5))
    told = of_means(values, np.full(values.shape, generator.uniform() * values.var(axis=0).min()))
    assert np.all((told.lower <= told.estimate) & (told.estimate <= told.upper))


@pytest.mark.parametrize("replications", [2, 4])
def test_where_most_parameter_sets_have_no_wait_the_interval_holds_none(replications: int) -> None:
    """Only where beds are short do replications differ: what chance has there takes nobody's absent wait away."""
    generator = np.random.default_rng(6)
    means = np.concatenate([np.zeros(35), generator.exponential(2.0, size=15)])
    waits = generator.exponential(means[:, None], size=(50, replications))
    told = of_means(waits.mean(axis=1), waits.var(axis=1, ddof=1) / replications)
    assert told.lower == 0.0
    assert told.estimate < told.upper < waits.mean(axis=1).max()


@pytest.mark.parametrize(("between", "noise"), [(1.0, 0.5), (1.0, 1.0)])
def test_an_interval_is_as_wide_as_the_draws_differ_though_each_draw_s_chance_is_badly_known(
    between: float, noise: float
) -> None:
    """Of 400 studies of 50 draws with 2 replications each; the mean width of such intervals is known to 1 %."""
    generator = np.random.default_rng(7)
    widths, wanted = [], []
    for _ in range(400):
        truth = between * generator.normal(size=50)
        seen = truth[:, None] + noise * np.sqrt(2.0) * generator.normal(size=(50, 2))
        told = of_means(seen.mean(axis=1), seen.var(axis=1, ddof=1) / 2)
        widths.append(float(told.upper - told.lower))
        wanted.append(float(np.ptp(np.quantile(truth, (0.025, 0.975)))))
    assert np.nanmean(widths) == pytest.approx(np.mean(wanted), rel=0.05)


def test_a_curve_is_described_month_by_month() -> None:
    values = np.array([[1.0, 0.5, 0.2], [1.0, 0.7, 0.6]])
    told = of_means(values, np.array([[0.0, 0.0, 0.04], [0.0, 0.0, 0.04]]))
    for month in range(3):
        alone = of_means(values[:, month], np.full(2, 0.04 if month == 2 else 0.0))
        assert [each[month] for each in told] == pytest.approx([float(each) for each in alone])


# --- Told by medians ---


def test_medians_that_are_not_reached_count_as_the_longest() -> None:
    values = np.array([1.0, 2.0, 3.0, INF, INF])
    estimate, lower, upper, error = of_medians(values, np.zeros(5))
    assert (estimate, lower, error) == (3.0, pytest.approx(1.1), 0.0)
    assert np.isnan(upper)
    assert np.isnan(of_medians(np.array([1.0, INF, INF]), np.zeros(3)).estimate)
    assert np.isnan(of_medians(np.full(3, NAN), np.full(3, NAN))).all()


def test_where_most_draws_do_not_reach_the_median_chance_takes_nothing_from_the_lower_end() -> None:
    told = of_medians(np.array([1.0, 2.0, 3.0, INF, INF]), np.full(5, 0.01))
    assert told.lower == pytest.approx(1.1)


def test_the_lower_end_of_an_interval_is_the_same_whatever_is_not_reached_above() -> None:
    values = np.linspace(1.0, 40.0, 400)
    reached, unreached = (of_medians(each, np.zeros(400)) for each in (values, np.where(values > 30.0, INF, values)))
    assert unreached.lower == reached.lower == pytest.approx(np.quantile(values, 0.025))
    assert np.isnan(unreached.upper)


def test_differences_of_medians_that_are_not_reached_are_unknown() -> None:
    never, once = (Sample(np.array(each), np.zeros(3)) for each in ([INF, INF, 5.0], [INF, 4.0, 4.0]))
    apart = read_off(np.subtract, never, once)
    np.testing.assert_array_equal(apart.values, [NAN, INF, 1.0])
    assert np.isnan(of_medians(apart.values, apart.noise**2).estimate)


def test_one_draw_s_median_has_its_own_noise_and_no_interval() -> None:
    told = of_medians(np.array([4.0]), np.array([0.25]))
    assert told.estimate == 4.0
    assert told.monte_carlo_se == pytest.approx(0.5, rel=0.1)
    assert np.isnan([told.lower, told.upper]).all()


@pytest.mark.parametrize(("between", "noise"), [(2.0, 0.5), (1.0, 1.0), (0.2, 2.0)])
def test_the_error_of_a_median_over_draws_is_the_spread_of_repeated_ones(between: float, noise: float) -> None:
    """To 15 %: 500 repetitions tell a spread to 3 %, and each error is told by 1,000."""
    generator = np.random.default_rng(4)
    truth = 10.0 + between * stats.norm.ppf((np.arange(50) + 0.5) / 50)
    told = [of_medians(truth + noise * generator.normal(size=50), np.full(50, noise**2)) for _ in range(500)]
    spread = np.std([float(each.estimate) for each in told])
    assert np.mean([float(each.monte_carlo_se) for each in told]) == pytest.approx(spread, rel=0.15)


def test_a_few_draws_with_a_vague_median_do_not_take_the_interval_of_all() -> None:
    """Half of the variance is chance. Where a curve is flat at a half its median's chance has no bound."""
    generator = np.random.default_rng(5)
    values = generator.normal(10.0, 1.0, size=5_000) + generator.normal(size=5_000)
    chance = np.ones(5_000)
    chance[::50] = 1e6
    assert np.isnan(of_means(values, chance).lower)
    told = of_medians(values, chance)
    assert (told.lower, told.upper) == (pytest.approx(10.0 - 1.96, abs=0.2), pytest.approx(10.0 + 1.96, abs=0.2))
    values[::20] = INF
    told = of_medians(values, chance)
    assert told.lower == pytest.approx(10.0 - 1.96, abs=0.2)
    assert np.isnan(told.upper)


# --- Quantiles ---


@pytest.mark.parametrize("share", [0.0, 0.025, 0.31, 0.5, 0.975, 1.0])
def test_a_quantile_is_numpy_s_whether_draws_are_weighted_alike_or_not_at_all(share: float) -> None:
    values = np.random.default_rng(8).normal(size=41)
    wanted = pytest.approx(np.quantile(values, share))
    assert quantile(values, share) == wanted
    assert quantile(values, share, np.full(41, 0.3)) == wanted


def test_a_weighted_quantile_by_hand() -> None:
    """Middles of the weights 1, 2, 1 at 0.5, 2 and 3.5: halfway is at 2, a quarter at 1.25, halfway to it."""
    values, weights = np.array([10.0, 0.0, 4.0]), np.array([1.0, 1.0, 2.0])
    assert [quantile(values, share, weights) for share in (0.0, 0.25, 0.5, 1.0)] == [0.0, 2.0, 4.0, 10.0]


def test_a_draw_without_weight_counts_for_nothing() -> None:
    assert quantile(np.array([-9.0, 1.0, 2.0, 9.0]), 0.5, np.array([0.0, 1.0, 1.0, 0.0])) == 1.5
