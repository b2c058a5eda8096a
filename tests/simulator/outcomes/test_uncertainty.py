"""Simulation noise and variation between draws, separated: by hand, and against known components.

Statistical tests share FALSE_ALARM: fewer than one suite in 10,000 fails by chance, though seeds are fixed.
"""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from worlds import slow

from simulator.arrays import Floats
from simulator.outcomes.uncertainty import (
    Sample,
    Summary,
    jackknife,
    of_means,
    of_medians,
    quantile,
    quantiles,
    read_off,
    same_sign,
)

FALSE_ALARM = 1e-4 / 4
NAN, INF = np.nan, np.inf

Summarise = Callable[[Floats, Floats], Summary]


def leave_one_out(values: Floats) -> Floats:
    """The means of all replications but one : (..., n_replications)."""
    return np.asarray((values.sum(axis=-1, keepdims=True) - values) / (values.shape[-1] - 1))


# --- Variance by simulation noise ---


@pytest.mark.parametrize("n", [2, 3, 10])
def test_the_jackknife_of_a_mean_is_its_variance(n: int) -> None:
    values = np.random.default_rng(1).exponential(size=(5, n))
    np.testing.assert_allclose(jackknife(leave_one_out(values)), values.var(axis=1, ddof=1) / n)


def test_noise_is_unknown_for_one_replication_or_a_group_in_one_replication() -> None:
    assert np.isnan(jackknife(np.array([[0.4]]))).all()
    assert np.isnan(jackknife(np.array([0.3, NAN, 0.4])))
    assert np.isnan(jackknife(np.array([5.0, INF, 6.0])))


def test_the_jackknife_of_a_share_agrees_with_cochrans_variance() -> None:
    """Survivors per arrival, replication by replication: the variance is nearly Cochran's (1977) of a ratio."""
    generator = np.random.default_rng(2)
    arrived = generator.poisson(100, size=(2_000, 20)).astype(float)
    alive = generator.binomial(arrived.astype(int), generator.beta(20, 30, size=arrived.shape)).astype(float)
    others_alive, others_arrived = (counts.sum(axis=1, keepdims=True) - counts for counts in (alive, arrived))
    spread = (alive.sum(axis=1) / arrived.sum(axis=1)).var(ddof=1)
    ratio = spread / jackknife(others_alive / others_arrived).mean()
    assert FALSE_ALARM / 2 < stats.chi2.cdf(1_999 * ratio, 1_999) < 1 - FALSE_ALARM / 2


def test_the_noise_of_a_difference_excludes_shared_noise() -> None:
    generator = np.random.default_rng(3)
    shared, specific = generator.normal(size=(4, 5)), generator.normal(size=(4, 5))
    first, other = (Sample(x.mean(axis=1), np.zeros(4), leave_one_out(x)) for x in (shared, shared + specific))
    difference = read_off(np.subtract, other, first)
    np.testing.assert_allclose(difference.values, specific.mean(axis=1))
    np.testing.assert_allclose(difference.noise**2, specific.var(axis=1, ddof=1) / 5)


@pytest.mark.parametrize(("noise", "expected_noise"), [(0.0, 0.0), (0.1, NAN)])
def test_without_replications_a_difference_has_no_noise_or_unknown_noise(noise: float, expected_noise: float) -> None:
    first, second = Sample(np.array([1.0, 2.0]), np.zeros(2)), Sample(np.array([3.0, 5.0]), np.full(2, noise))
    difference = read_off(np.subtract, second, first)
    assert difference.values.tolist() == [2.0, 3.0]
    np.testing.assert_array_equal(difference.noise, np.full(2, expected_noise))


# --- Summaries by means ---


def test_a_summary_by_means_agrees_with_a_calculation_by_hand() -> None:
    """Draws 1, 2, 6 with mean 3 and variance 7, of which 7 / 4 is chance: sqrt(3 / 4) of their distances stay."""
    chance = np.full(3, 1.75)
    estimate, lower, upper, error = of_means(np.array([1.0, 2.0, 6.0]), chance)
    assert (estimate, error) == (3.0, pytest.approx(np.sqrt(1.75 / 3)))
    shrinkage = np.sqrt(0.75)
    assert (lower, upper) == pytest.approx((3 - shrinkage * (3 - 1.05), 3 + shrinkage * (5.8 - 3)))


@pytest.mark.parametrize("summary", [of_means, of_medians])
@pytest.mark.parametrize("values", [[1.0, 3.0], [2.0, 2.0]])
def test_if_noise_exceeds_the_variation_of_draws_no_interval_is_shown(summary: Summarise, values: list[float]) -> None:
    result = summary(np.array(values), np.array([9.0, 9.0]))
    assert result.estimate == 2.0
    assert np.isnan([result.lower, result.upper]).all()
    assert result.monte_carlo_se == pytest.approx(np.sqrt(9.0 / 2), rel=0.1)


@pytest.mark.parametrize("summary", [of_means, of_medians])
@pytest.mark.parametrize("chance", [0.0, 1e-34])
def test_a_constant_value_has_an_interval_without_width(summary: Summarise, chance: float) -> None:
    result = summary(np.full(3, 0.3), np.full(3, chance))
    assert result[:3] == pytest.approx((0.3, 0.3, 0.3), abs=1e-15)


def test_a_draw_without_patients_is_left_out_and_unknown_noise_is_that_of_the_others() -> None:
    result = of_means(np.array([1.0, NAN, 3.0]), np.array([0.5, NAN, NAN]))
    assert (result.estimate, result.monte_carlo_se) == (2.0, 0.5)
    assert np.isnan(of_means(np.full(2, NAN), np.full(2, NAN))).all()


def test_unknown_noise_stays_in_the_interval() -> None:
    result = of_means(np.arange(101.0), np.full(101, NAN))
    assert result[:3] == (50.0, 2.5, 97.5)
    assert np.isnan(result.monte_carlo_se)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("chance", [0.0, 0.002])
def test_an_interval_includes_its_estimate_and_95_percent_of_draws_despite_outliers(sign: float, chance: float) -> None:
    """196 draws in which every comparison finds a difference, and 4 in which half or none do."""
    values = sign * np.array([1.0] * 196 + [0.5, 0.5, 0.0, 0.0])
    result = of_means(values, np.full(200, chance))
    assert result.estimate == pytest.approx(sign * 0.985)
    assert result.lower <= result.estimate <= result.upper
    shrinkage = np.sqrt(1.0 - chance / values.var(ddof=1))
    drawn = result.estimate + shrinkage * (values - result.estimate)
    assert np.mean((drawn >= result.lower - 1e-12) & (drawn <= result.upper + 1e-12)) >= 0.95
    # The other end stays where the quantile is.
    assert (result.upper if sign > 0 else result.lower) == pytest.approx(sign * (0.985 + shrinkage * 0.015))


@pytest.mark.parametrize("seed", range(20))
def test_an_interval_includes_its_estimate_even_if_draws_are_skewed(seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.choice([-1.0, 1.0]) * generator.lognormal(sigma=generator.uniform(0.5, 6.0), size=(100, 5))
    result = of_means(values, np.full(values.shape, generator.uniform() * values.var(axis=0).min()))
    assert np.all((result.lower <= result.estimate) & (result.estimate <= result.upper))


@pytest.mark.parametrize("replications", [2, 4])
def test_if_most_parameter_sets_have_no_wait_the_interval_includes_zero(replications: int) -> None:
    """Replications differ only if beds are short; that noise does not change draws without waits."""
    generator = np.random.default_rng(6)
    means = np.concatenate([np.zeros(35), generator.exponential(2.0, size=15)])
    waits = generator.exponential(means[:, None], size=(50, replications))
    result = of_means(waits.mean(axis=1), waits.var(axis=1, ddof=1) / replications)
    assert result.lower == 0.0
    assert result.estimate < result.upper < waits.mean(axis=1).max()


@pytest.mark.parametrize(("between", "noise"), [slow(1.0, 0.5), (1.0, 1.0)])
def test_an_interval_has_the_width_of_the_draws_although_their_noise_is_uncertain(between: float, noise: float) -> None:
    """Of 400 studies of 50 draws with 2 replications each; the mean width of such intervals is known to 1 %."""
    generator = np.random.default_rng(7)
    widths, expected_widths = [], []
    for _ in range(400):
        truth = between * generator.normal(size=50)
        observed = truth[:, None] + noise * np.sqrt(2.0) * generator.normal(size=(50, 2))
        result = of_means(observed.mean(axis=1), observed.var(axis=1, ddof=1) / 2)
        widths.append(float(result.upper - result.lower))
        expected_widths.append(float(np.ptp(np.quantile(truth, (0.025, 0.975)))))
    assert np.nanmean(widths) == pytest.approx(np.mean(expected_widths), rel=0.05)


def test_a_curve_is_summarised_month_by_month() -> None:
    values = np.array([[1.0, 0.5, 0.2], [1.0, 0.7, 0.6]])
    result = of_means(values, np.array([[0.0, 0.0, 0.04], [0.0, 0.0, 0.04]]))
    for month in range(3):
        alone = of_means(values[:, month], np.full(2, 0.04 if month == 2 else 0.0))
        assert [statistic[month] for statistic in result] == pytest.approx([float(statistic) for statistic in alone])


# --- Summaries by medians ---


def test_medians_that_are_not_reached_rank_last() -> None:
    values = np.array([1.0, 2.0, 3.0, INF, INF])
    estimate, lower, upper, error = of_medians(values, np.zeros(5))
    assert (estimate, lower, error) == (3.0, pytest.approx(1.1), 0.0)
    assert np.isnan(upper)
    assert np.isnan(of_medians(np.array([1.0, INF, INF]), np.zeros(3)).estimate)
    assert np.isnan(of_medians(np.full(3, NAN), np.full(3, NAN))).all()


def test_with_many_unreached_medians_noise_does_not_move_the_lower_end() -> None:
    result = of_medians(np.array([1.0, 2.0, 3.0, INF, INF]), np.full(5, 0.01))
    assert result.lower == pytest.approx(1.1)


def test_unreached_medians_do_not_change_the_lower_end_of_an_interval() -> None:
    values = np.linspace(1.0, 40.0, 400)
    reached, unreached = (
        of_medians(sample, np.zeros(400)) for sample in (values, np.where(values > 30.0, INF, values))
    )
    assert unreached.lower == reached.lower == pytest.approx(np.quantile(values, 0.025))
    assert np.isnan(unreached.upper)


def test_differences_of_medians_that_are_not_reached_are_unknown() -> None:
    rarely_reached, more_often_reached = (
        Sample(np.array(medians), np.zeros(3)) for medians in ([INF, INF, 5.0], [INF, 4.0, 4.0])
    )
    difference = read_off(np.subtract, rarely_reached, more_often_reached)
    np.testing.assert_array_equal(difference.values, [NAN, INF, 1.0])
    assert np.isnan(of_medians(difference.values, difference.noise**2).estimate)


def test_medians_of_several_outcomes_at_once_are_those_of_each_alone() -> None:
    """Outcomes with and without noise; draws that are empty, or never reach a median; nobody at all."""
    values = np.random.default_rng(6).normal(10.0, 1.0, size=(40, 6))
    values[:5, 1], values[::3, 2], values[::2, 3], values[:, 4] = NAN, INF, INF, NAN
    chance = np.array([0.3, 0.0, 0.3, 0.0, 0.3, 0.0]) * np.ones((40, 1))
    chance[::4, 0], chance[:, 5] = NAN, NAN
    together = of_medians(values, chance)
    assert np.isnan([figures[4] for figures in together]).all()
    for column in (0, 1, 2, 3, 5):
        known = ~np.isnan(values[:, column])
        alone = of_medians(values[known, column], chance[known, column])
        assert [figures[column] for figures in together] == pytest.approx([float(f) for f in alone], nan_ok=True)


def test_the_median_of_one_draw_has_an_error_and_no_interval() -> None:
    result = of_medians(np.array([4.0]), np.array([0.25]))
    assert result.estimate == 4.0
    assert result.monte_carlo_se == pytest.approx(0.5, rel=0.1)
    assert np.isnan([result.lower, result.upper]).all()


@pytest.mark.parametrize(("between", "noise"), [slow(2.0, 0.5), slow(1.0, 1.0), (0.2, 2.0)])
def test_the_error_of_a_median_over_draws_agrees_with_repeated_samples(between: float, noise: float) -> None:
    """To 15 %: the spread of 300 repetitions is known to 4 %, and every error comes from 1,000 samples."""
    generator = np.random.default_rng(4)
    truth = 10.0 + between * stats.norm.ppf((np.arange(50) + 0.5) / 50)
    results = [of_medians(truth + noise * generator.normal(size=50), np.full(50, noise**2)) for _ in range(300)]
    spread = np.std([float(result.estimate) for result in results])
    assert np.mean([float(result.monte_carlo_se) for result in results]) == pytest.approx(spread, rel=0.15)


def test_a_few_draws_with_uncertain_medians_do_not_remove_the_interval() -> None:
    """Half of the variance is noise. A curve that is flat at one half has a median with unbounded noise."""
    generator = np.random.default_rng(5)
    values = generator.normal(10.0, 1.0, size=5_000) + generator.normal(size=5_000)
    chance = np.ones(5_000)
    chance[::50] = 1e6
    assert np.isnan(of_means(values, chance).lower)
    result = of_medians(values, chance)
    assert (result.lower, result.upper) == (pytest.approx(10.0 - 1.96, abs=0.2), pytest.approx(10.0 + 1.96, abs=0.2))
    values[::20] = INF
    result = of_medians(values, chance)
    assert result.lower == pytest.approx(10.0 - 1.96, abs=0.2)
    assert np.isnan(result.upper)


# --- Quantiles ---


@pytest.mark.parametrize("share", [0.0, 0.025, 0.31, 0.5, 0.975, 1.0])
def test_a_quantile_with_equal_weights_or_none_is_numpys(share: float) -> None:
    values = np.random.default_rng(8).normal(size=41)
    expected = pytest.approx(np.quantile(values, share))
    assert quantiles(values, [share])[0] == expected
    assert quantile(values, share, np.full(41, 0.3)) == expected


def test_a_weighted_quantile_agrees_with_a_calculation_by_hand() -> None:
    """Middles of the weights 1, 2, 1 at 0.5, 2 and 3.5: halfway is at 2, a quarter at 1.25, halfway to it."""
    values, weights = np.array([10.0, 0.0, 4.0]), np.array([1.0, 1.0, 2.0])
    assert [quantile(values, share, weights) for share in (0.0, 0.25, 0.5, 1.0)] == [0.0, 2.0, 4.0, 10.0]


def test_a_draw_with_zero_weight_does_not_count() -> None:
    assert quantile(np.array([-9.0, 1.0, 2.0, 9.0]), 0.5, np.array([0.0, 1.0, 1.0, 0.0])) == 1.5


def test_a_difference_that_rounding_makes_has_no_sign() -> None:
    by_draw = np.array([[5e-17, 0.2], [0.0, 0.1], [-3e-15, -0.1], [0.0, 0.3]])
    assert same_sign(by_draw, by_draw.mean(axis=0)).tolist() == [1.0, 0.75]
