"""The posterior of the letter's cohort by a second, independent sampler: Markov chains that know no importance weight.

Generalised elliptical slice sampling (Nishihara, Murray & Adams 2014, JMLR 15, 2087): a chain steps on an ellipse
through its point and a draw from a t with the chains' own mean and covariance, and nearer and nearer until the point
is likely enough. Half an hour on two cores.
"""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest
from known_posteriors import KNOWN_POSTERIORS
from scipy import linalg, stats

from calibration.fit import WANTED, Posterior, likelihood_of
from calibration.likelihood.targets import load_targets
from calibration.sampler.diagnostics import effective_sample_size
from calibration.sampler.imis import WeightedSample, sample
from calibration.sampler.modes import LogDensity
from simulator import execution
from simulator.arrays import Floats
from simulator.evidence.priors import Priors

EFFECTIVE = 5000
"""Effective sample size that both samples must have; more than the frozen draws are taken from."""
CHAINS = 500
CANDIDATES = 4000
"""Draws from the prior, of which the likeliest start a chain each."""
SETTLING, KEPT = 150, 320
"""Steps in which the t follows the chains, and left out; steps with a t that stays."""
BLOCKS = 4
"""Of chains, which two processes share."""
DEGREES = 10.0
"""Of freedom of the t: its tails are heavier than the prior's."""


@dataclass(frozen=True)
class Estimate:
    """A parameter's posterior by one sampler; `sd_error` is the Monte Carlo standard error of its sd."""

    mean: float
    sd: float
    sd_error: float


def estimate_of_weighted(values: Floats, weights: Floats) -> Estimate:
    """From importance weights; the error by the delta method, sum w^2 (d^2 - s^2)^2 (Geweke 1989)."""
    mean = float(weights @ values)
    squares = (values - mean) ** 2
    variance = float(weights @ squares)
    error = np.sqrt(np.sum(weights**2 * (squares - variance) ** 2))
    return Estimate(mean, variance**0.5, float(error / (2 * variance**0.5)))


def estimate_of_chains(values: Floats) -> Estimate:
    """From values : (n_steps, n_chains)."""
    return Estimate(float(values.mean()), float(values.std()), float(arviz().mcse(values.T, method="sd")))


def arviz() -> ModuleType:
    """Return arviz, whose import warns of its next release."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz

    return arviz


class TDensity:
    """A multivariate t with the mean and covariance of points : (n, d)."""

    def __init__(self, points: Floats) -> None:
        self.mean = points.mean(axis=0)
        self.root = np.linalg.cholesky(np.cov(points.T).reshape(points.shape[1], -1))

    def whiten(self, z: Floats) -> Floats:
        return linalg.solve_triangular(self.root, (z - self.mean).T, lower=True).T

    def colour(self, white: Floats) -> Floats:
        return self.mean + white @ self.root.T

    @staticmethod
    def log_density(white: Floats) -> Floats:
        return -0.5 * (DEGREES + white.shape[1]) * np.log1p((white**2).sum(axis=1) / DEGREES)


def step(
    z: Floats, log_density: Floats, log_posterior: LogDensity, t: TDensity, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return z : (n_chains, d) one step on, and its log posterior density, (n_chains,)."""
    white, z, log_density = t.whiten(z), z.copy(), log_density.copy()
    n, d = z.shape
    # A t is a Gaussian with a random scale: given the scale, its draws turn on an ellipse.
    scale = np.sqrt((DEGREES + (white**2).sum(axis=1)) / 2 / generator.gamma((DEGREES + d) / 2, size=n))
    other = generator.standard_normal((n, d)) * scale[:, None]
    level = log_density - t.log_density(white) - generator.exponential(size=n)
    angle = generator.uniform(0, 2 * np.pi, n)
    low, high = angle - 2 * np.pi, angle.copy()
    moving = np.arange(n)
    while moving.size:
        turned = white[moving] * np.cos(angle[moving])[:, None] + other[moving] * np.sin(angle[moving])[:, None]
        proposed = t.colour(turned)
        density = log_posterior(proposed)
        likely = density - t.log_density(turned) > level[moving]
        z[moving[likely]], log_density[moving[likely]] = proposed[likely], density[likely]
        moving = moving[~likely]
        low[moving] = np.where(angle[moving] < 0, angle[moving], low[moving])
        high[moving] = np.where(angle[moving] < 0, high[moving], angle[moving])
        angle[moving] = generator.uniform(low[moving], high[moving])
    return z, log_density


def run_chains(
    log_likelihood: LogDensity, dimension: int, transform: Callable[[Floats], Floats] = np.asarray
) -> tuple[Floats, float]:
    """Return theta : (KEPT, CHAINS, n_parameters) and the effective sample size of its slowest parameter."""

    def log_posterior(z: Floats) -> Floats:
        return log_likelihood(z) + stats.norm.logpdf(z).sum(axis=1)

    generator = np.random.default_rng(20240680)
    candidates = generator.standard_normal((CANDIDATES, dimension))
    z = candidates[np.argsort(log_likelihood(candidates))[-CHAINS:]]
    log_density = log_posterior(z)
    for _ in range(SETTLING):
        t = TDensity(z)
        z, log_density = step(z, log_density, log_posterior, t, generator)
    kept = []
    for _ in range(KEPT):
        z, log_density = step(z, log_density, log_posterior, t, generator)
        kept.append(transform(z))
    theta = np.array(kept)
    return theta, min(float(arviz().ess(values.T)) for values in np.moveaxis(theta, 2, 0))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(KNOWN_POSTERIORS) - {"two modes"}))
def test_the_second_sampler_finds_the_mean_and_sd_of_a_known_posterior(name: str) -> None:
    """Within five Monte Carlo standard errors. Its chains do not pass from one mode to another."""
    known = KNOWN_POSTERIORS[name]
    z, effective = run_chains(known.log_likelihood, len(known.mean))
    for values, mean, sd in zip(np.moveaxis(z, 2, 0), known.mean, known.sd, strict=True):
        estimate = estimate_of_chains(values)
        assert abs(estimate.mean - mean) < 5 * sd / np.sqrt(effective)
        assert abs(estimate.sd - sd) < 5 * estimate.sd_error


@pytest.mark.slow
def test_a_second_sampler_finds_the_same_posterior() -> None:
    targets = load_targets("wang2024")
    posterior = Posterior(targets)
    priors = posterior.priors
    start = time.perf_counter()
    with likelihood_of(targets, 2) as (log_likelihood, pool):

        def log_likelihood_of_chains(z: Floats) -> Floats:
            blocks = [block for block in np.array_split(z, BLOCKS) if len(block)]
            return np.concatenate(list(execution.map(posterior.log_likelihood, blocks, jobs=pool)))

        weighted = sample(
            log_likelihood, priors.dimension, seed=targets.seed, wanted=WANTED, effective=EFFECTIVE, most_points=100_000
        )
        sampled = time.perf_counter()
        theta, effective = run_chains(log_likelihood_of_chains, priors.dimension, priors.transform)
    end = time.perf_counter()
    print(
        f"importance sampling {sampled - start:.0f} s; chains {end - sampled:.0f} s, effective sample {effective:.0f}"
    )
    assert effective >= EFFECTIVE
    assert effective_sample_size(weighted.weights) >= EFFECTIVE
    compare(priors, weighted, theta)


def compare(priors: Priors, weighted: WeightedSample, theta: Floats) -> None:
    """Means within 0.1 sd, sds within 5 % plus three Monte Carlo standard errors, for every parameter."""
    points = priors.transform(weighted.z)
    differences = {}
    for i, name in enumerate(priors.names):
        importance, chains = estimate_of_weighted(points[:, i], weighted.weights), estimate_of_chains(theta[:, :, i])
        allowed = 0.05 * importance.sd + 3 * np.hypot(importance.sd_error, chains.sd_error)
        differences[name] = (
            (chains.mean - importance.mean) / importance.sd,
            chains.sd / importance.sd - 1,
            allowed / importance.sd,
        )
        mean, sd, limit = differences[name]
        print(f"{name}: mean {mean:+.3f} sd, sd {sd:+.3f} of {limit:.3f} allowed")
    assert {name: difference for name, difference in differences.items() if abs(difference[0]) > 0.1} == {}
    assert {name: difference for name, difference in differences.items() if abs(difference[1]) > difference[2]} == {}
