"""Modes of a posterior and the Gaussians there, against posteriors with a closed form."""

import numpy as np
import pytest
from known_posteriors import cut_off, linear, two_modes

from calibration.sampler.modes import find_modes
from simulator.arrays import Floats

NOISE = 0.3
GAUSSIAN = linear(5, measurements=3, noise=NOISE)


def points(dimension: int) -> Floats:
    return np.random.default_rng(11).standard_normal((2000, dimension))


def test_the_mode_of_a_gaussian_posterior_is_its_mean() -> None:
    z = points(dimension=5)
    (mode,) = find_modes(GAUSSIAN.log_posterior, z, GAUSSIAN.log_posterior(z), starts=3)
    assert mode.distance(GAUSSIAN.mean[None])[0] < 0.02**2
    np.testing.assert_allclose(mode.precision, np.linalg.inv(GAUSSIAN.covariance), rtol=1e-4, atol=1e-4)
    assert mode.log_posterior == pytest.approx(GAUSSIAN.log_posterior(GAUSSIAN.mean[None])[0], abs=1e-3)


@pytest.mark.parametrize("power", [1.0, 0.5, 0.25])
def test_a_bridge_is_the_posterior_of_a_power_of_the_likelihood(power: float) -> None:
    """A power of a Gaussian likelihood is one with more noise."""
    z = points(dimension=5)
    (mode,) = find_modes(GAUSSIAN.log_posterior, z, GAUSSIAN.log_posterior(z), starts=1)
    centre, covariance = mode.bridge(power)
    expected = linear(5, measurements=3, noise=NOISE / np.sqrt(power))
    np.testing.assert_allclose(centre, expected.mean, atol=0.02)
    np.testing.assert_allclose(covariance, expected.covariance, rtol=1e-3, atol=1e-4)


def test_two_modes_are_found_once_each_by_three_climbs() -> None:
    z, known = points(dimension=2), two_modes()
    modes = find_modes(known.log_posterior, z, known.log_posterior(z), starts=3)
    assert sorted(round(float(mode.centre[0]), 1) for mode in modes) == [-1.9, 1.9]


def test_a_negligible_mode_is_left_out() -> None:
    def log_posterior(z: Floats) -> Floats:
        near = -0.5 * ((z[:, 0] - 1.5) / 0.1) ** 2, -0.5 * ((z[:, 0] + 1.5) / 0.1) ** 2 - 30.0
        return -0.5 * (z**2).sum(axis=1) + np.logaddexp(*near)

    z = points(dimension=1)
    (mode,) = find_modes(log_posterior, z, log_posterior(z), starts=2)
    assert mode.centre[0] == pytest.approx(1.485, abs=0.01)


def test_a_bridge_is_never_wider_than_the_prior() -> None:
    """The likelihood is convex along the second score, so the posterior itself is wider there."""

    def convex(z: Floats) -> Floats:
        return -0.5 * (z**2).sum(axis=1) - 2.0 * z[:, 0] ** 2 + 0.3 * z[:, 1] ** 2

    z = points(dimension=2)
    (mode,) = find_modes(convex, z, convex(z), starts=1)
    np.testing.assert_allclose(np.linalg.eigvalsh(mode.bridge(1.0)[1]), [0.2, 1.0], rtol=1e-4)


def test_a_mode_next_to_impossible_values_is_found() -> None:
    """A standard normal cut off below 1: the mode stands at the edge, and across it the prior is all there is."""
    z, cut = points(dimension=2), cut_off()
    (mode,) = find_modes(cut.log_posterior, z, cut.log_posterior(z), starts=2)
    assert 1.0 < mode.centre[0] < 1.2
    assert abs(mode.centre[1]) < 0.2
    np.testing.assert_allclose(mode.precision, np.eye(2), atol=0.01)
