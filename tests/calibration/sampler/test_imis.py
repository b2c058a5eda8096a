"""Incremental mixture importance sampling on posteriors that are known."""

from collections.abc import Callable

import numpy as np
import pytest
from known_posteriors import KNOWN_POSTERIORS, linear
from scipy import stats
from worlds import slow

from calibration.sampler.diagnostics import UNIQUE_SHARE_LIMIT
from calibration.sampler.imis import LEAST_POINTS, WeightedSample, expected_rows, sample
from simulator.arrays import Floats
from simulator.errors import AftercartError

FALSE_ALARM = 1e-5
HAVE_A_TWIN = ("a Gaussian among 19 silent scores", "a Gaussian", "a banana")
"""In the banana among silent scores."""


@pytest.mark.parametrize("name", [slow(name) if name in HAVE_A_TWIN else name for name in KNOWN_POSTERIORS])
def test_a_known_posterior_has_its_mean_sd_and_evidence(name: str) -> None:
    """Within their Monte Carlo error: of means and variances Bonferroni's bound, of the evidence five standard errors.

    The standard error of a weighted mean of f is sqrt(sum w^2 (f - mean)^2) (Owen 2013, Monte Carlo theory,
    equation 9.8); the relative one of the evidence is sqrt(1 / ESS - 1 / n).
    """
    known = KNOWN_POSTERIORS[name]
    weighted = sample(known.log_likelihood, len(known.mean), seed=1, wanted=2000, refit=2000, refits=3)
    assert weighted.reached
    assert not weighted.weights[np.isneginf(weighted.log_likelihood)].any()
    bound = stats.norm.isf(FALSE_ALARM / (4 * len(known.mean)))
    deviation = (weighted.z - known.mean) / known.sd
    for error in (deviation, deviation**2 - 1.0):
        assert np.all(np.abs(weighted.weights @ error) < bound * np.sqrt(weighted.weights**2 @ error**2))
    variance = max(1 / weighted.steps[-1].effective_sample_size - 1 / len(weighted.z), 0.0)
    assert abs(weighted.log_evidence - known.log_evidence) < 5 * np.sqrt(variance) + 1e-9


@pytest.mark.parametrize(("dimension", "points"), [(3, 4_000), (41, 4_000), slow(41, 20_000)])
def test_the_number_of_rows_of_a_fit_is_predicted_within_a_factor_of_two(dimension: int, points: int) -> None:
    truth, rows = linear(3, measurements=4, noise=0.3), []
    sizes = {"initial": points // 4, "refit": points // 8}

    def log_likelihood(z: Floats) -> Floats:
        rows.append(len(z))
        return truth.log_likelihood(z)

    sample(log_likelihood, dimension, seed=1, wanted=2000, effective=1e9, most_points=points, **sizes)
    assert 0.5 < (expected_rows(dimension, **sizes) + points) / sum(rows) < 2.0


@pytest.mark.slow
def test_the_effective_sample_size_agrees_with_the_variance_of_repeated_runs() -> None:
    """Over 40 runs in 12 dimensions the means vary as those of as many independent draws do.

    The 480 squared errors, nearly independent, make the ratio's own sd 6.5 %; the bound of 30 % is four of them and
    leaves 4 % for the correlation between a point's weight and its position.
    """
    truth = linear(6, measurements=8, noise=0.3).with_silent_scores(6)
    errors, effective = [], []
    for seed in range(40):
        weighted = sample(truth.log_likelihood, 12, seed=seed, wanted=400, initial=800, batch=250)
        errors.append(((weighted.weights @ weighted.z - truth.mean) / truth.sd) ** 2)
        effective.append(1.0 / (weighted.weights**2).sum())
    assert 1.0 / np.mean(errors) == pytest.approx(np.mean(effective), rel=0.3)


@pytest.mark.parametrize("chunk", [7, slow(100_000)])
def test_the_sample_depends_on_the_seed_and_not_on_the_chunks(chunk: int) -> None:
    truth = linear(3, measurements=4, noise=0.5)

    def draw(seed: int, chunk: int) -> WeightedSample:
        return sample(truth.log_likelihood, 4, seed=seed, wanted=500, initial=500, batch=200, refit=500, chunk=chunk)

    first, repeated, other_seed = draw(8, 500), draw(8, chunk), draw(9, 500)
    np.testing.assert_array_equal(first.z, repeated.z)
    np.testing.assert_array_equal(first.log_weight, repeated.log_weight)
    np.testing.assert_array_equal(first.resample(500, seed=8), repeated.resample(500, seed=8))
    assert not np.any(first.z[:100] == other_seed.z[:100])


def test_sampling_stops_as_soon_as_the_sample_is_good() -> None:
    truth = linear(6, measurements=8, noise=0.1)
    weighted = sample(
        truth.log_likelihood, 8, seed=10, wanted=3000, effective=5000, initial=500, batch=400, refit=2000, refits=2
    )
    built = [step.unique_share >= UNIQUE_SHARE_LIMIT for step in weighted.steps if step.stage == "mixture"]
    assert built == [False] * (len(built) - 1) + [True]
    steps = [step for step in weighted.steps if step.stage == "sample"]
    is_good = [
        step.effective_sample_size >= 5000
        and step.unique_share >= UNIQUE_SHARE_LIMIT
        and step.points >= LEAST_POINTS * 5000
        for step in steps
    ]
    assert is_good == [False] * (len(is_good) - 1) + [True]
    assert weighted.reached
    assert weighted.steps[-1].points == len(weighted.z) == len(steps) * sum(weighted.mixture.rows)


def test_a_sample_that_stops_at_its_limits_says_so() -> None:
    truth = linear(6, measurements=8, noise=0.1)
    weighted = sample(
        truth.log_likelihood, 8, seed=10, wanted=9000, batch=100, iterations=2, refit=1000, most_points=3000
    )
    assert [step.stage for step in weighted.steps] == ["mixture"] * 3 + ["fresh points"] * 5 + ["sample"] * 3
    assert len(weighted.z) == 3000
    assert not weighted.reached


@pytest.mark.parametrize("sharpness", [30.0, 1000.0])
def test_a_sample_of_a_handful_of_points_is_returned_and_not_reached(sharpness: float) -> None:
    """A cusp in 30 dimensions, which no Gaussian is like: a round has fewer effective points than dimensions."""
    sizes = {"initial": 500, "batch": 100, "refit": 500, "refits": 2, "most_points": 1000, "iterations": 2}
    weighted = sample(
        lambda z: -sharpness * np.sqrt(np.abs(z - 0.5)).sum(axis=1), 30, seed=1, wanted=200, starts=1, **sizes
    )
    assert weighted.steps[-1].effective_sample_size < 30
    assert not weighted.reached


def test_points_are_drawn_as_often_as_their_weights_say() -> None:
    weighted = sample(linear(3, 4, 0.3).log_likelihood, 4, seed=12, wanted=500, initial=500, batch=200, refit=500)
    times = np.bincount(weighted.resample(500, seed=12), minlength=len(weighted.z))
    assert np.all(np.abs(times - 500 * weighted.weights) < 1.0)
    assert times.sum() == 500


def test_the_first_draws_are_as_representative_as_all() -> None:
    """The mean of the first tenth is within five of its standard errors."""
    truth = linear(3, measurements=4, noise=0.3).with_silent_scores(1)
    weighted = sample(truth.log_likelihood, 4, seed=13, wanted=2000, refit=1000, refits=2)
    first = weighted.z[weighted.resample(2000, seed=13)[:200]]
    assert np.all(np.abs(first.mean(axis=0) - truth.mean) < 5 * truth.sd / np.sqrt(200))


def test_progress_counts_every_row_of_the_likelihood() -> None:
    rows = 0
    reports: list[tuple[str, int, int]] = []

    def counted(z: Floats) -> Floats:
        nonlocal rows
        rows += len(z)
        return linear(2, 3, 0.5).log_likelihood(z)

    sample(
        counted,
        3,
        seed=14,
        wanted=300,
        initial=400,
        batch=200,
        refit=500,
        progress=lambda *report: reports.append(report),
    )
    last = {stage: done for stage, done, _ in reports}
    fresh = [f"fresh points {number}" for number in range(1, 6)]
    assert list(last) == ["prior", "posterior modes", "mixture", *fresh, "sample"]
    assert sum(last.values()) == rows
    assert all(0 < done <= expected for _, done, expected in reports)


@pytest.mark.parametrize(
    ("log_likelihood", "message"),
    [
        (lambda z: np.where(z[:, 0] > 2.0, np.nan, 0.0), "log likelihood is nan at z = "),
        (lambda z: np.where(z[:, 0] > 2.0, np.inf, 0.0), "log likelihood is inf at z = "),
        (lambda z: np.full(len(z), -np.inf), "zero at every one of 2000 draws"),
        (lambda z: np.zeros((len(z), 1)), r"shape \(500, 1\)"),
    ],
)
def test_a_likelihood_that_is_no_density_is_an_error(log_likelihood: Callable[[Floats], Floats], message: str) -> None:
    with pytest.raises(AftercartError, match=message):
        sample(log_likelihood, 2, seed=15, wanted=100)


@pytest.mark.slow
def test_the_variance_of_a_skewed_posterior_is_not_biased() -> None:
    """Recycling the points that the mixture was built from made these variances 11 % too low in every run.

    The second score's variance over eight runs is within five standard errors of what quadrature gives.
    """
    known, errors = KNOWN_POSTERIORS["a banana"], []
    for seed in range(8):
        weighted = sample(known.log_likelihood, 25, seed=seed, wanted=2000, effective=4000)
        error = ((weighted.z[:, 1] - known.mean[1]) / known.sd[1]) ** 2 - 1.0
        errors.append((weighted.weights @ error, np.sqrt(weighted.weights**2 @ error**2)))
    bias, standard_errors = np.array(errors).T
    standard_error = np.sqrt((standard_errors**2).sum()) / len(errors)
    assert standard_error < 0.05
    assert abs(bias.mean()) < 5 * standard_error
