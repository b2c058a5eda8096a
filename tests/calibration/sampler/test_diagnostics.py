"""Diagnostics of importance weights, against closed forms, known Pareto tails and arviz."""

import dataclasses
import math
import warnings

import numpy as np
import pytest
from scipy import stats

from calibration.sampler.diagnostics import (
    Diagnostics,
    conflict,
    diagnose,
    effective_sample_size,
    expected_unique_share,
    k_hat_limit,
    pareto_k_hat,
    tail_share,
)
from simulator.arrays import Floats

GOOD = Diagnostics(
    points=10_000,
    wanted=2000,
    effective_sample_size=2000.0,
    k_hat=0.69,
    tail_share=0.5,
    largest_weight=0.0099,
    unique_share=0.64,
    contraction={},
)


def test_equal_weights_have_an_effective_size_of_all_points() -> None:
    assert effective_sample_size(np.full(50, 0.3)) == pytest.approx(50.0)
    assert effective_sample_size([1.0, 0.0, 0.0]) == pytest.approx(1.0)
    assert effective_sample_size([2.0, 1.0]) == pytest.approx(9 / 5)


def test_the_expected_unique_share_agrees_with_multinomial_draws() -> None:
    generator = np.random.default_rng(1)
    weights = generator.dirichlet(np.full(300, 0.3))
    shares = [len(np.unique(generator.choice(300, 200, p=weights))) / 200 for _ in range(2000)]
    error = np.std(shares) / math.sqrt(2000)
    assert abs(expected_unique_share(weights, 200) - np.mean(shares)) < 5 * error
    assert expected_unique_share(np.array([1.0, 0.0]), 10) == pytest.approx(0.1)
    assert expected_unique_share(np.full(100_000, 1e-5), 100_000) == pytest.approx(1 - math.exp(-1), abs=1e-5)


@pytest.mark.parametrize("shape", [0.2, 0.5, 0.9])
def test_k_hat_is_the_shape_of_a_pareto_tail(shape: float) -> None:
    """300 exceedances give k to about (1 + k) / sqrt(300), and the weak prior draws it to 0.5 a little."""
    weights = stats.genpareto(shape).rvs(10_000, random_state=np.random.default_rng(2))
    assert pareto_k_hat(np.log(weights)) == pytest.approx(shape, abs=4 * (1 + shape) / math.sqrt(300))


def test_bounded_weights_have_a_negative_k_hat() -> None:
    weights = np.random.default_rng(3).uniform(size=10_000)
    assert pareto_k_hat(np.log(weights)) < -0.5


def test_k_hat_does_not_depend_on_scale_order_or_zero_weights() -> None:
    generator = np.random.default_rng(4)
    log_weight = 2.0 * generator.standard_normal(5000)
    expected = pareto_k_hat(log_weight)
    assert pareto_k_hat(generator.permutation(log_weight) - 1234.5) == pytest.approx(expected)
    log_weight[np.argsort(log_weight)[:1000]] = -np.inf
    assert pareto_k_hat(log_weight) == pytest.approx(expected)


def test_too_few_weights_have_no_k_hat_and_equal_weights_no_tail() -> None:
    assert pareto_k_hat(np.arange(4.0)) == math.inf
    assert pareto_k_hat(np.append(np.zeros(3), np.full(5000, -np.inf))) == math.inf
    assert pareto_k_hat(np.zeros(1000)) == -math.inf


@pytest.mark.parametrize("points", [100, 1000])
def test_weights_that_differ_by_rounding_alone_are_equal(points: int) -> None:
    """Differences of two sums of -25: a few times 3.6e-15, most of them ties."""
    rounding = np.random.default_rng(6).integers(-3, 4, points) * np.spacing(25.0)
    assert pareto_k_hat(rounding) == -math.inf


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.1, 1.0, 2.5, 6.0])
@pytest.mark.parametrize("points", [30, 1000, 20_000])
def test_k_hat_agrees_with_arviz(spread: float, points: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz

    log_weight = spread * np.random.default_rng(5).standard_normal(points)
    _, expected = arviz.psislw(log_weight.copy())
    assert pareto_k_hat(log_weight) == pytest.approx(float(expected), abs=1e-9)


def test_a_good_sample_has_no_problems() -> None:
    assert GOOD.problems() == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"effective_sample_size": 1999.4}, "effective sample size is 1999, below 2000"),
        ({"k_hat": 0.7}, "k-hat of the weights is 0.70, not below 0.70"),
        ({"k_hat": 0.9}, "their tail makes up 50% of the mean squared weight (a few points decide the answer"),
        ({"k_hat": math.nan}, "k-hat of the weights is nan"),
        ({"points": 200, "k_hat": 0.6, "wanted": 100}, "not below 0.57"),
        ({"largest_weight": 0.01}, "1.0% of the weight, not below 1%"),
        ({"unique_share": 0.63}, "63.0% of the draws are unique, below 63.2%"),
    ],
)
def test_a_passed_limit_is_one_problem(change: dict[str, float], sentence: str) -> None:
    (problem,) = dataclasses.replace(GOOD, **change).problems()
    assert sentence in problem


def test_the_k_hat_of_nearly_equal_weights_is_no_problem() -> None:
    """A hundred weights of 3 among 15,000 about 1: the tail has no Pareto shape, and truncation changes nothing."""
    weights = 1.0 + 0.1 * np.random.default_rng(1).standard_normal(15_000)
    weights[:100] = 3.0
    diagnostics = diagnose_weights(np.log(weights))
    assert diagnostics.k_hat > 1.0
    assert diagnostics.tail_share < 0.1
    assert diagnostics.problems() == []
    assert "k-hat is not below its limit of 0.70, and the sample still passes" in diagnostics.why_k_hat_passes


def test_a_k_hat_below_its_limit_or_with_a_heavy_tail_needs_no_excuse() -> None:
    assert GOOD.why_k_hat_passes == ""
    assert dataclasses.replace(GOOD, k_hat=0.9).why_k_hat_passes == ""


def diagnose_weights(log_weight: Floats) -> Diagnostics:
    """Diagnostics of a sample of 2,000 systematic draws."""
    edges = np.cumsum(np.exp(log_weight - log_weight.max()))
    rows = np.searchsorted(edges / edges[-1], (np.arange(2000) + 0.5) / 2000)
    return diagnose(log_weight, rows, names=[], theta=np.empty((len(log_weight), 0)), prior_sd=[])


def test_the_tail_share_is_the_part_of_the_mean_square_that_truncation_removes() -> None:
    weights = np.append(np.ones(999), 11.0)
    assert tail_share(weights) == pytest.approx(1 - 1000 / (999 + 121))
    assert tail_share(np.ones(1000)) == 0.0
    assert tail_share(np.array([1.0])) == 1.0


# Of a standard normal prior: where the posterior is, which most of 20,000 points of the prior miss.
MISSED_POSTERIORS = {
    "a second mode": lambda z: np.logaddexp(stats.norm(0, 0.5).logpdf(z), stats.norm(4.0, 0.3).logpdf(z)),
    "a point mass": stats.norm(1.0, 1e-5).logpdf,
    "a prior that misses the data": stats.norm(6.0, 1.0).logpdf,
}


@pytest.mark.parametrize("case", MISSED_POSTERIORS)
@pytest.mark.parametrize("seed", range(5))
def test_a_sample_that_misses_the_posterior_is_refused(case: str, seed: int) -> None:
    z = np.random.default_rng(seed).standard_normal(20_000)
    problems = diagnose_weights(MISSED_POSTERIORS[case](z) - stats.norm.logpdf(z)).problems()
    assert problems
    for clause in problems:
        assert "take more points" in clause


def test_the_limit_of_k_hat_is_lower_for_few_points() -> None:
    assert k_hat_limit(100) == pytest.approx(0.5)
    assert k_hat_limit(1000) == pytest.approx(2 / 3)
    assert k_hat_limit(1_000_000) == 0.7


def test_contraction_is_the_share_of_the_prior_variance_that_the_data_removed() -> None:
    theta = np.array([[1.0, 0.0], [2.0, 10.0], [3.0, 20.0], [100.0, 5.0]])
    log_weight = np.array([0.0, 0.0, 0.0, -np.inf])
    diagnostics = diagnose(
        log_weight, np.array([0, 1, 1, 2]), names=["informed", "widened"], theta=theta, prior_sd=[2.0, 5.0]
    )
    assert diagnostics.contraction["informed"] == pytest.approx(1 - (2 / 3) / 4)
    assert diagnostics.contraction["widened"] == pytest.approx(1 - (200 / 3) / 25)
    assert diagnostics.points == 4
    assert diagnostics.wanted == 4
    assert diagnostics.effective_sample_size == pytest.approx(3.0)
    assert diagnostics.largest_weight == pytest.approx(1 / 3)
    assert diagnostics.unique_share == pytest.approx(3 / 4)


@pytest.mark.parametrize(("seen", "error"), [(2.0, 1.0), (-3.0, 0.5), (0.3, 2.0)])
def test_the_conflict_of_a_normal_prior_and_likelihood_is_that_of_the_prior_predictive_distribution(
    seen: float, error: float
) -> None:
    """Prior N(0, 1) and y ~ N(theta, s^2): y is N(0, 1 + s^2) before it is seen. By a fine grid of the posterior."""
    grid = np.linspace(-8.0, 8.0, 20_001)
    weights = stats.norm.pdf(grid) * stats.norm.pdf(seen, grid, error)
    (distance,) = conflict(grid[:, None], weights / weights.sum())
    assert distance == pytest.approx(seen / np.sqrt(1.0 + error**2), abs=1e-6)


def test_silent_data_do_not_conflict_with_a_prior() -> None:
    wide = np.array([-1.5, 1.5])[:, None]
    assert np.isnan(conflict(wide, np.array([0.5, 0.5]))).all()


def test_data_that_hardly_inform_do_not_conflict_with_a_prior() -> None:
    """1,000 points of a posterior as wide as the prior: their variance is 1 but for noise, on either side."""
    z = np.random.default_rng(1).standard_normal((1000, 40)) - 0.15
    assert (z.var(axis=0) < 1.0).sum() > 10
    assert np.isnan(conflict(z, np.full(1000, 1e-3))).all()
