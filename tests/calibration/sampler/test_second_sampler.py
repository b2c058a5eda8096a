"""The posterior of the letter's cohort by a second, independent sampler: an ensemble of Markov chains.

Differential evolution (ter Braak 2006, Stat Comput 16, 239) and the stretch move (Goodman & Weare 2010, CAMCoS 5, 65)
as emcee 3.1.6 has them; not DESnooker, which is wrong there. In 41 dimensions the stretch move alone needs four times
as many steps. An hour on two cores.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from known_posteriors import KNOWN_POSTERIORS
from scipy import stats

from calibration.fit import WANTED, likelihood_of
from calibration.likelihood.targets import load_targets
from calibration.sampler.diagnostics import effective_sample_size
from calibration.sampler.imis import WeightedSample, sample
from calibration.sampler.modes import LogDensity
from simulator.arrays import Floats
from simulator.evidence.priors import Priors

EFFECTIVE = 5000
"""Effective sample size that both samples must have; more than the frozen draws are taken from."""
WALKERS = 100
CANDIDATES = 4000
"""Draws from the prior, of which the likeliest start a walker each."""
BURN_IN = 8
"""Autocorrelation times that are left out at the start."""
THIN = 5
ROUND = 1000
"""Steps between looks at the effective sample size."""
FIRST_LOOK, MOST_ROUNDS = 8, 20
"""Rounds; eight are 40 autocorrelation times or more, so that these can be estimated."""


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
    """From values : (n_steps, n_walkers); the error from the squares' own autocorrelation."""
    mean, sd = float(values.mean()), float(values.std())
    squares = (values - mean) ** 2
    error = squares.std() / np.sqrt(values.size / autocorrelation_time(squares))
    return Estimate(mean, sd, float(error / (2 * sd)))


def autocorrelation_time(values: Floats) -> float:
    """Integrated autocorrelation time of (n_steps, n_walkers), in steps (Sokal 1997, window of 5)."""
    from emcee.autocorr import integrated_time

    return float(integrated_time(values[:, :, None], tol=0)[0])


def run_ensemble(
    log_likelihood: LogDensity, dimension: int, transform: Callable[[Floats], Floats] = np.asarray
) -> tuple[Floats, float, int]:
    """Return theta : (n_steps, n_walkers, n_parameters), its effective sample size, and the steps run."""
    import emcee

    def log_posterior(z: Floats) -> Floats:
        return log_likelihood(z) + stats.norm.logpdf(z).sum(axis=1)

    candidates = np.random.default_rng(20240681).standard_normal((CANDIDATES, dimension))
    start = candidates[np.argsort(log_likelihood(candidates))[-WALKERS:]]
    moves = [(emcee.moves.DEMove(), 0.8), (emcee.moves.StretchMove(), 0.2)]
    sampler = emcee.EnsembleSampler(WALKERS, dimension, log_posterior, moves=moves, vectorize=True)
    state = emcee.State(start, random_state=np.random.RandomState(20240680).get_state())
    for number in range(1, MOST_ROUNDS + 1):
        state = sampler.run_mcmc(state, ROUND // THIN, thin_by=THIN)
        if number < FIRST_LOOK:
            continue
        chain = sampler.get_chain()
        theta = transform(chain.reshape(-1, dimension)).reshape(*chain.shape[:2], -1)
        settled = theta[len(theta) // 4 :]
        slowest = max(autocorrelation_time(settled[:, :, i]) for i in range(theta.shape[2]))
        theta = theta[int(BURN_IN * slowest) + 1 :]
        effective = theta.shape[0] * theta.shape[1] / slowest
        print(f"{number * ROUND} steps: slowest {THIN * slowest:.0f} steps, effective sample size {effective:.0f}")
        if effective >= 1.05 * EFFECTIVE:
            break
    return theta, effective, number * ROUND


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(KNOWN_POSTERIORS) - {"two modes"}))
def test_the_second_sampler_finds_the_mean_and_sd_of_a_known_posterior(name: str) -> None:
    """Within five Monte Carlo standard errors. Its chains do not pass from one mode to another."""
    known = KNOWN_POSTERIORS[name]
    z, effective, _ = run_ensemble(known.log_likelihood, len(known.mean))
    for values, mean, sd in zip(np.moveaxis(z, 2, 0), known.mean, known.sd, strict=True):
        estimate = estimate_of_chains(values)
        assert abs(estimate.mean - mean) < 5 * sd / np.sqrt(effective)
        assert abs(estimate.sd - sd) < 5 * estimate.sd_error


@pytest.mark.slow
def test_a_second_sampler_finds_the_same_posterior() -> None:
    targets = load_targets("wang2024")
    priors = Priors.from_parameters(targets.pathway.parameters, targets.pathway.dirichlets())
    start = time.perf_counter()
    with likelihood_of(targets, 2) as (log_likelihood, _):
        weighted = sample(
            log_likelihood, priors.dimension, seed=targets.seed, wanted=WANTED, effective=EFFECTIVE, most_points=100_000
        )
        sampled = time.perf_counter()
        theta, effective, steps = run_ensemble(log_likelihood, priors.dimension, priors.transform)
    end = time.perf_counter()
    print(f"importance sampling {sampled - start:.0f} s, ensemble of {steps} steps {end - sampled:.0f} s")
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
