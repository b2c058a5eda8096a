"""Simulation-based calibration: ranks of the parameters that made a cohort among the draws of its fit.

theta* ~ prior, cohort ~ model(theta*), theta_1 .. theta_L ~ posterior(cohort): the rank of theta* among the L is
uniform on 0 .. L if prior, likelihood and sampler match (Talts, Betancourt, Simpson, Vehtari & Gelman 2018, arXiv
1804.06788). Cohorts that the calibration refuses may be left out: that depends on the cohort alone, and given
the cohort the ranks are uniform too (Modrak et al. 2023, Bayesian Analysis, doi 10.1214/23-BA1404).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import special

from calibration.fit import Posterior, priors_of
from calibration.likelihood.targets import Targets
from calibration.predictive import simulated
from calibration.sampler.diagnostics import normalised, pareto_k_hat
from calibration.sampler.imis import WeightedSample, sample
from calibration.sampler.modes import LogDensity
from calibration.validation.simulated_targets import simulated_targets
from simulator.arrays import Floats
from simulator.engines.curves import up_to
from simulator.engines.exact import engine
from simulator.engines.model import resolve
from simulator.errors import AftercartError
from simulator.pathway.outcome_months import alive_at, mean_to
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario

DRAWS = 119
"""Draws of a fit among which the truth ranks: of 120 ranks exactly 50, 80 and 95 % lie in the middle."""

TRIED = 3 * DRAWS
"""Draws from a fit by the saddle point's likelihood, of which so many are kept as are wanted, by the exact one."""

STEP = 0.5
"""Months a cell: twice `calibrate`'s, which moves the log-likelihood by less than 0.05 (tested) and saves a third."""

QUICK = partial(sample, wanted=DRAWS, initial=500, batch=400, refit=1000, most_points=5000, starts=1, chunk=400)
"""The sampler of `calibrate` with fewer points, so that a fit takes seconds, not minutes."""


@dataclass(frozen=True)
class Trial:
    """One simulated cohort and its fit; without ranks, but with the reason, if it was refused.

    ranks : parameter, outcome or log_likelihood -> how many of the draws lie below the truth, 0 to DRAWS
    """

    number: int
    refused: str
    effective_sample_size: float
    k_hat: float
    seconds: float
    ranks: dict[str, int]


def trial(targets: Targets, number: int) -> Trial:
    """Simulate a cohort from the prior, print it, fit it, and rank its true parameters. `number` : from 1."""
    begun = time.process_time()
    priors = priors_of(targets)
    scores = special.ndtri(Uniforms(targets.seed, draw=number).at("@prior", np.arange(priors.dimension)))[None]
    truth = priors.transform(scores)
    cohort = simulated(targets, dict(zip(priors.names, truth[0].tolist(), strict=True)), number=number)
    seed = targets.seed + number
    try:
        printed = simulated_targets(cohort)
        posterior, rough = (Posterior(of, step=STEP) for of in (printed, printed.by_saddle_point))
        points = QUICK(rough.log_likelihood, priors.dimension, seed=seed)
    except AftercartError as error:
        return Trial(number, getattr(error, "what", str(error)), np.nan, np.nan, time.process_time() - begun, {})
    z, log_likelihood = drawn(points, posterior.log_likelihood, seed)
    theta = np.concatenate([truth, priors.transform(z)])
    values = dict(zip(priors.names, theta.T, strict=True)) | outcomes(targets, priors.names, theta)
    ties = Uniforms(targets.seed, draw=number).at("@ties", np.arange(len(values) + 1))
    values["log_likelihood"] = np.append(posterior.log_likelihood(scores), log_likelihood)
    return Trial(
        number,
        "",
        points.steps[-1].effective_sample_size,
        pareto_k_hat(points.log_weight),
        time.process_time() - begun,
        {name: rank(value[0], value[1:], u) for (name, value), u in zip(values.items(), ties, strict=True)},
    )


def rank(truth: float, values: Floats, u: float) -> int:
    """Return how many values lie below the truth, 0 to all; equal ones are split by chance, by u in (0, 1).

    Otherwise an outcome that no parameter changes would have the rank 0 in every fit.
    """
    equal = np.isclose(values, truth, rtol=1e-9, atol=1e-12)
    return int((values[~equal] < truth).sum()) + int(u * (equal.sum() + 1))


def drawn(points: WeightedSample, exact: LogDensity, seed: int) -> tuple[Floats, Floats]:
    """Return independent draws z, (DRAWS, d), and their log-likelihood, (DRAWS,), of points weighted by a rough one.

    Weights are truncated at 1 / sqrt(n) (Ionides 2008): in 40 dimensions, one of a few thousand points may have half
    the weight by chance. Of `TRIED` such draws, those that stay have the weights exact / rough (Rubin 1987).
    """
    weights, generator = np.minimum(points.weights, 1.0 / math.sqrt(len(points.weights))), np.random.default_rng(seed)
    tried = generator.choice(len(weights), TRIED, p=weights / weights.sum())
    log_likelihood = exact(points.z[tried])
    kept = generator.choice(TRIED, DRAWS, p=normalised(log_likelihood - points.log_likelihood[tried]))
    return points.z[tried[kept]], log_likelihood[kept]


def outcomes(targets: Targets, names: tuple[str, ...], theta: Floats) -> dict[str, Floats]:
    """Return OS at the answer's month and RMST to twice it, of all from the default clock, each (n_draws,)."""
    pathway, months = targets.pathway, targets.pathway.months
    scenario = Scenario(name=pathway.name, pathway=pathway, file=pathway.file)
    model = resolve(scenario, {name: theta[:, [i]] for i, name in enumerate(names)})
    solution = engine.solve(model, months.early, step=STEP, window=False)
    survival = solution.survival()
    alive = np.array([np.interp(months.answer, solution.months, of_draw) for of_draw in survival])
    rmst = up_to(solution.mean_survival(), STEP, months.early)
    return {alive_at(months.answer): alive, mean_to(months.early): rmst}
