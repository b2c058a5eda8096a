"""Simulation-based calibration: ranks of the parameters that made a cohort among the weighted points of its fit.

theta* ~ prior, cohort ~ model(theta*), theta_1 .. theta_n ~ mixture fitted to the cohort, w = prior x likelihood /
mixture. If prior and likelihood match the model, each of theta* and the n points is theta* with a probability
proportional to its w, given all of them and the cohort. Therefore

    u = (sum of w below theta* + v w*) / (w* + sum of w),   v ~ uniform(0, 1)

is uniform, whatever the mixture and n: the rank among independent draws of the posterior (Talts, Betancourt, Simpson,
Vehtari & Gelman 2018, arXiv 1804.06788) is the case of equal weights. Draws resampled from the points are not
independent: they repeat, and the truth lies beyond all of them too often. Cohorts that the calibration refuses may be
left out: that depends on the cohort alone, and given the cohort the ranks are uniform too (Modrak et al. 2023, Bayesian
Analysis, doi 10.1214/23-BA1404).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy import special, stats

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

RANKS = 120
"""Classes of u, 0 to 119: of 120 exactly 50, 80 and 95 % lie in the middle."""

KEPT = 360
"""Points of a fit, about, at which the exact likelihood is taken: those of more weight by the rough one."""

STEP = 0.5
"""Months a cell: twice `calibrate`'s, which moves the log-likelihood by less than 0.05 (tested) and saves a third."""

QUICK = partial(
    sample, wanted=RANKS, initial=500, batch=400, refit=1000, refits=3, most_points=5000, starts=1, chunk=400
)
"""The sampler of `calibrate` with fewer points, so that a fit takes seconds, not minutes."""


@dataclass(frozen=True)
class Trial:
    """One simulated cohort and its fit; without ranks, but with the reason, if it was refused.

    truth_share : of the fit's weight, w* / (w* + sum of w); much where the fit has missed the truth
    ranks : parameter, outcome or log_likelihood -> the class of u, 0 to RANKS - 1
    """

    number: int
    refused: str
    effective_sample_size: float
    k_hat: float
    truth_share: float
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
        return Trial(
            number, getattr(error, "what", str(error)), np.nan, np.nan, np.nan, time.process_time() - begun, {}
        )
    fit = weighed(scores, points, rough.log_likelihood, posterior.log_likelihood, seed)
    theta = priors.transform(fit.z)
    values = dict(zip(priors.names, theta.T, strict=True)) | outcomes(targets, priors.names, theta)
    ties = Uniforms(targets.seed, draw=number).at("@ties", np.arange(len(values) + 1))
    values["log_likelihood"] = fit.log_likelihood
    return Trial(
        number,
        "",
        points.steps[-1].effective_sample_size,
        pareto_k_hat(points.log_weight),
        float(fit.weights[0]),
        time.process_time() - begun,
        {name: rank(value, fit.weights, v) for (name, value), v in zip(values.items(), ties, strict=True)},
    )


def rank(values: Floats, weights: Floats, v: float) -> int:
    """Return the class of u of the first value among all. values, weights : (1 + n,); v : in (0, 1)

    Values that equal the truth are like it: otherwise an outcome that no parameter changes would have one rank always.
    """
    equal = np.isclose(values, values[0], rtol=1e-9, atol=1e-12)
    u = weights[~equal & (values < values[0])].sum() + v * weights[equal].sum()
    return min(int(RANKS * u / weights.sum()), RANKS - 1)


class Weighed(NamedTuple):
    """The truth, and points of its fit: z, (1 + n, d), log-likelihood, (1 + n,), and weights that sum to one."""

    z: Floats
    log_likelihood: Floats
    weights: Floats


def weighed(truth: Floats, points: WeightedSample, rough: LogDensity, exact: LogDensity, seed: int) -> Weighed:
    """Return the truth, (1, d), and points of its fit, weighted by the exact likelihood.

    A point is kept with a probability a that rises with its rough weight, and then weighs w / a.
    """
    z = np.concatenate([truth, points.z])
    log_rough = np.concatenate([rough(truth), points.log_likelihood])
    log_prior_to_mixture = stats.norm.logpdf(z).sum(axis=1) - points.mixture.log_density(z)
    share = np.clip(KEPT * normalised(log_prior_to_mixture + log_rough), np.finfo(float).tiny, 1.0)
    kept = np.random.default_rng(seed).random(len(z)) < share
    kept[0] = True
    log_likelihood = exact(z[kept])
    log_weight = log_prior_to_mixture[kept] + log_likelihood - np.log(share[kept])
    return Weighed(z[kept], log_likelihood, normalised(log_weight))


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
