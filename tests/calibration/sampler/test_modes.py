"""Modes of a posterior and the Gaussians there, held against posteriors known in closed form."""

import numpy as np
import pytest
from scipy import stats

from calibration.sampler.modes import find_modes
from simulator.arrays import Floats

DIMENSION = 5
DESIGN = np.random.default_rng(5).standard_normal((3, DIMENSION))
DATA = np.array([1.0, -0.5, 2.0])
NOISE = 0.3


def gaussian(z: Floats) -> Floats:
    """Log posterior of three measurements of linear combinations of z."""
    misfit = (DATA - z @ DESIGN.T) / NOISE
    return -0.5 * (z**2).sum(axis=1) - 0.5 * (misfit**2).sum(axis=1)


def power_posterior(power: float) -> tuple[Floats, Floats]:
    """Mean and covariance of prior x likelihood^power, conjugate."""
    covariance = np.linalg.inv(np.eye(DIMENSION) + power * DESIGN.T @ DESIGN / NOISE**2)
    return covariance @ DESIGN.T @ DATA * power / NOISE**2, covariance


def points(count: int = 2000, dimension: int = DIMENSION) -> Floats:
    return np.random.default_rng(11).standard_normal((count, dimension))


def test_the_mode_of_a_gaussian_posterior_is_its_mean() -> None:
    z = points()
    (mode,) = find_modes(gaussian, z, gaussian(z), starts=3)
    mean, covariance = power_posterior(1.0)
    assert mode.distance(mean[None])[0] < 0.02**2
    np.testing.assert_allclose(mode.precision, np.linalg.inv(covariance), rtol=1e-4, atol=1e-4)
    assert mode.log_posterior == pytest.approx(gaussian(mean[None])[0], abs=1e-3)


@pytest.mark.parametrize("power", [1.0, 0.5, 0.25])
def test_a_bridge_is_the_power_posterior(power: float) -> None:
    z = points()
    (mode,) = find_modes(gaussian, z, gaussian(z), starts=1)
    centre, covariance = mode.bridge(power)
    expected_centre, expected_covariance = power_posterior(power)
    np.testing.assert_allclose(centre, expected_centre, atol=0.02)
    np.testing.assert_allclose(covariance, expected_covariance, rtol=1e-3, atol=1e-4)


def test_both_modes_of_two_are_found_and_a_third_climb_repeats_none() -> None:
    def two(z: Floats) -> Floats:
        near = [-0.5 * ((z - centre) ** 2).sum(axis=1) / 0.1 for centre in (-1.5, 1.5)]
        return -0.5 * (z**2).sum(axis=1) + np.logaddexp(*near)

    z = points(dimension=2)
    modes = find_modes(two, z, two(z), starts=3)
    assert sorted(round(float(mode.centre[0]), 1) for mode in modes) == [-1.4, 1.4]


def test_a_mode_of_no_account_is_left_out() -> None:
    def two(z: Floats) -> Floats:
        near = -0.5 * ((z[:, 0] - 1.5) / 0.1) ** 2, -0.5 * ((z[:, 0] + 1.5) / 0.1) ** 2 - 30.0
        return -0.5 * (z**2).sum(axis=1) + np.logaddexp(*near)

    z = points(dimension=1)
    (mode,) = find_modes(two, z, two(z), starts=2)
    assert mode.centre[0] == pytest.approx(1.485, abs=0.01)


def test_a_bridge_is_nowhere_wider_than_the_prior() -> None:
    """The likelihood is convex along the second score, so the posterior itself is wider there."""

    def convex(z: Floats) -> Floats:
        return -0.5 * (z**2).sum(axis=1) - 2.0 * z[:, 0] ** 2 + 0.3 * z[:, 1] ** 2

    z = points(dimension=2)
    (mode,) = find_modes(convex, z, convex(z), starts=1)
    np.testing.assert_allclose(np.linalg.eigvalsh(mode.bridge(1.0)[1]), [0.2, 1.0], rtol=1e-4)


def test_a_mode_beside_impossible_values_is_found() -> None:
    """A standard normal cut off below 1: the mode stands at the edge, and across it the prior is all there is."""

    def cut(z: Floats) -> Floats:
        return np.where(z[:, 0] > 1.0, stats.norm.logpdf(z).sum(axis=1), -np.inf)

    z = points(dimension=2)
    (mode,) = find_modes(cut, z, cut(z), starts=2)
    assert 1.0 < mode.centre[0] < 1.2
    assert abs(mode.centre[1]) < 0.2
    np.testing.assert_allclose(mode.precision, np.eye(2), atol=0.01)
