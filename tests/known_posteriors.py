"""Likelihoods of standard-normal scores whose posteriors are known: the battery that every sampler passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg, special, stats

from simulator.arrays import Floats


@dataclass(frozen=True, eq=False)
class KnownPosterior:
    """A log-likelihood over the prior N(0, I), and the mean (d,), covariance (d, d) and evidence of its posterior."""

    log_likelihood: Callable[[Floats], Floats]
    mean: Floats
    covariance: Floats
    log_evidence: float

    @property
    def sd(self) -> Floats:
        return np.sqrt(np.diag(self.covariance))

    def log_posterior(self, z: Floats) -> Floats:
        return self.log_likelihood(z) + stats.norm.logpdf(z).sum(axis=1)

    def with_silent_scores(self, silent: int) -> KnownPosterior:
        """Add silent scores, which keep their prior."""
        covariance = linalg.block_diag(self.covariance, np.eye(silent))
        return replace(self, mean=np.append(self.mean, np.zeros(silent)), covariance=covariance)


def linear(dimension: int, measurements: int, noise: float) -> KnownPosterior:
    """Noisy measurements of linear combinations of the scores."""
    generator = np.random.default_rng(3)
    design = generator.standard_normal((measurements, dimension))
    data = generator.standard_normal(measurements)
    covariance = np.linalg.inv(np.eye(dimension) + design.T @ design / noise**2)
    marginal = stats.multivariate_normal(np.zeros(measurements), design @ design.T + noise**2 * np.eye(measurements))

    def log_likelihood(z: Floats) -> Floats:
        predicted = (z[:, None, :dimension] * design).sum(axis=2)
        return stats.norm.logpdf(data, predicted, noise).sum(axis=1)

    return KnownPosterior(
        log_likelihood, covariance @ design.T @ data / noise**2, covariance, float(marginal.logpdf(data))
    )


def banana() -> KnownPosterior:
    """The second score follows the square of the first; the moments are by quadrature."""

    def log_likelihood(z: Floats) -> Floats:
        return -0.5 * ((z[:, 0] - 1.0) / 0.5) ** 2 - 0.5 * ((z[:, 1] - z[:, 0] ** 2) / 0.15) ** 2

    axis = np.linspace(-4, 6, 601)
    grid = np.stack([scores.ravel() for scores in np.meshgrid(axis, axis, indexing="ij")], axis=1)
    log_density = log_likelihood(grid) + stats.norm.logpdf(grid).sum(axis=1)
    weights = special.softmax(log_density)
    log_evidence = special.logsumexp(log_density) + 2 * np.log(axis[1] - axis[0])
    return KnownPosterior(log_likelihood, weights @ grid, np.cov(grid.T, aweights=weights, ddof=0), log_evidence)


def two_modes() -> KnownPosterior:
    """Gaussian likelihoods at +-2 in two scores, with sd 0.2; the second is a third as high, and has a quarter."""

    def log_likelihood(z: Floats) -> Floats:
        first, second = (-0.5 * ((z[:, :2] - centre) ** 2).sum(axis=1) / 0.2**2 for centre in (2.0, -2.0))
        return np.logaddexp(first, second - np.log(3.0))

    centre, variance = 2.0 / 1.04, 0.04 / 1.04
    covariance = variance * np.eye(2) + (1 - 0.5**2) * centre**2
    log_evidence = np.log(4 / 3) + np.log(variance) - 2.0**2 / 1.04
    return KnownPosterior(log_likelihood, np.full(2, 0.5 * centre), covariance, log_evidence)


def cut_off() -> KnownPosterior:
    """Values of the first score up to 1 are impossible."""
    above = stats.truncnorm(1.0, np.inf)
    return KnownPosterior(
        lambda z: np.where(z[:, 0] > 1.0, 0.0, -np.inf),
        np.array([above.mean()]), np.array([[above.var()]]), stats.norm.logsf(1.0),
    )  # fmt: skip


KNOWN_POSTERIORS = {
    "no data": KnownPosterior(lambda z: np.zeros(len(z)), np.zeros(4), np.eye(4), 0.0),
    "a Gaussian": linear(6, measurements=4, noise=0.3),
    "a Gaussian among 19 silent scores": linear(6, measurements=8, noise=0.3).with_silent_scores(19),
    "a banana": banana(),
    "a banana among 23 silent scores": banana().with_silent_scores(23),
    "two modes": two_modes().with_silent_scores(8),
    "impossible values": cut_off().with_silent_scores(2),
}
