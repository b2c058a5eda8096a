"""Mixtures of Gaussians, against scipy and known shares."""

import numpy as np
import pytest
from scipy import stats

from calibration.sampler.mixture import Component, Mixture, closest_shares, strata

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
