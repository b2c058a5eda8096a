"""Mixtures of Gaussians, against scipy and known shares."""

import numpy as np
import pytest
from scipy import stats

from calibration.sampler.mixture import Component, Mixture, closest_gaussians, closest_shares, parameters_of, strata

COVARIANCE = np.array([[2.0, 0.6], [0.6, 0.5]])
NARROW = Component("narrow", np.array([1.0, -1.0]), COVARIANCE / 4)
WIDE = Component("wide", np.zeros(2), COVARIANCE)


def test_the_density_is_the_weighted_sum_of_its_gaussians() -> None:
    z = np.random.default_rng(1).standard_normal((50, 2))
    gaussians = [
        stats.multivariate_normal(component.centre, component.covariance).pdf(z) for component in (NARROW, WIDE)
    ]
    log_density = Mixture((NARROW, WIDE), (300, 100)).log_density(z)
    np.testing.assert_allclose(log_density, np.log(0.75 * gaussians[0] + 0.25 * gaussians[1]))


def test_points_are_drawn_from_gaussians_as_often_as_their_weights_say() -> None:
    """Squared Mahalanobis distances of each stratum are chi-squared (Kolmogorov-Smirnov, false alarm 1e-4 each)."""
    z = Mixture((NARROW, WIDE), (5000, 3000)).draw(np.random.default_rng(2))
    assert z.shape == (8000, 2)
    for component, points in ((NARROW, z[:5000]), (WIDE, z[5000:])):
        deviation = points - component.centre
        distances = np.einsum("nd,de,ne->n", deviation, np.linalg.inv(component.covariance), deviation)
        assert stats.kstest(distances, stats.chi2(2).cdf).pvalue > 1e-4


def test_the_shares_of_a_mixture_are_estimated_from_its_points() -> None:
    """Uniform points weighted by a 30:70 mixture's density are that mixture, so EM finds 30:70."""
    generator = np.random.default_rng(3)
    z = generator.uniform(-8, 8, (200_000, 2))
    log_densities = np.stack([NARROW.log_density(z), WIDE.log_density(z)])
    weights = np.array([0.3, 0.7]) @ np.exp(log_densities)
    shares = closest_shares(log_densities, weights / weights.sum())
    np.testing.assert_allclose(shares, [0.3, 0.7], atol=0.02)


def test_gaussians_are_estimated_from_points_of_their_mixture() -> None:
    """Uniform points weighted by a 30:70 mixture's density are that mixture: EM finds both of its Gaussians."""
    z = np.random.default_rng(4).uniform(-8, 8, (200_000, 2))
    distant = Component("apart", np.array([4.0, 3.0]), COVARIANCE / 2)
    weights = np.array([0.3, 0.7]) @ np.exp([NARROW.log_density(z), distant.log_density(z)])
    gaussians = closest_gaussians(z, weights / weights.sum(), 2, np.random.default_rng(5))
    for known, gaussian in zip((NARROW, distant), sorted(gaussians, key=lambda part: part.centre[0]), strict=True):
        np.testing.assert_allclose(gaussian.centre, known.centre, atol=0.03)
        np.testing.assert_allclose(gaussian.covariance, known.covariance, atol=0.03)


def test_a_curved_posterior_is_nearer_to_eight_gaussians_than_to_one() -> None:
    """The second score follows the square of the first: mean log density of other points of the same law."""
    first = np.random.default_rng(6).standard_normal((2, 4000))
    made, other = np.stack([first, first**2 + np.random.default_rng(7).normal(0, 0.2, first.shape)], axis=-1)
    nearness = []
    for count in (1, 8):
        gaussians = closest_gaussians(made, np.full(4000, 1 / 4000), count, np.random.default_rng(8))
        densities = np.stack([part.log_density(other) for part in gaussians])
        shares = closest_shares(densities, np.full(4000, 1 / 4000))
        nearness.append(np.log(shares @ np.exp(densities)).mean())
    entropy = 0.5 * np.log(2 * np.pi * np.e) + 0.5 * np.log(2 * np.pi * np.e * 0.2**2)
    assert nearness[0] < -entropy - 1.0
    assert nearness[1] == pytest.approx(-entropy, abs=0.2)


@pytest.mark.parametrize("points", [200, 2000])
def test_the_fewer_points_a_gaussian_has_the_more_it_is_as_wide_as_all(points: int) -> None:
    """Two clusters 20 apart: each has the covariance of all as if by as many more points as it has parameters, 5."""
    cluster = np.random.default_rng(9).standard_normal((points, 2))
    z = np.concatenate([cluster, cluster + np.array([20.0, 0.0])])
    trust = points / (points + parameters_of(2))
    expected = trust * np.cov(cluster.T, ddof=0) + (1 - trust) * np.cov(z.T, ddof=0)
    for gaussian in closest_gaussians(z, np.full(len(z), 1 / len(z)), 2, np.random.default_rng(11)):
        np.testing.assert_allclose(gaussian.covariance, expected, rtol=1e-3, atol=1e-3)


def test_points_without_weight_do_not_count() -> None:
    log_densities = np.array([[0.0, 0.0, -2000.0], [0.0, -1.0, -3000.0]])
    with_zero_weights = closest_shares(log_densities, np.array([0.5, 0.5, 0.0]))
    np.testing.assert_allclose(with_zero_weights, closest_shares(log_densities[:, :2], np.array([0.5, 0.5])))


@pytest.mark.parametrize(
    ("shares", "rows"),
    [
        ([0.5, 0.25, 0.25], (500, 250, 250)),
        ([1 / 3, 1 / 3, 1 / 3], (334, 333, 333)),
        ([0.9994, 0.0006, 0.0], (999, 1, 0)),
    ],
)
def test_strata_are_whole_and_add_up(shares: list[float], rows: tuple[int, ...]) -> None:
    assert strata(np.array(shares), 1000) == rows
