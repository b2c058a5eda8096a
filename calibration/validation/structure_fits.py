"""Draws of another structure of the model: the frozen ones reweighted, or those of a fit with fewer points.

Scores z ~ N(0, I) are the parameters of any structure, theta = T(z). Draws of the declared one, of likelihood L, carry
over to another, of L' and T'; parameters that it adds are drawn from their priors:

    weight = L'(T'(z)) / L(T(z))

Where a few weights decide, the structure is fitted anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from calibration.fit import ROWS, priors_of
from calibration.likelihood.targets import Targets
from calibration.sampler.diagnostics import effective_sample_size, is_heavy, normalised, pareto_k_hat, tail_share
from calibration.sampler.evaluator import Progress
from calibration.sampler.imis import sample
from calibration.sampler.modes import LogDensity
from simulator.arrays import Floats, Integers
from simulator.evidence.draws import read_draws

LEAST_EFFECTIVE = 300.0
"""Draws that a good sample is worth: with fewer, reweighting gives way to a fit, and a fit is not good."""
WANTED = 1000
"""Draws of a structure that is fitted anew, from a sample that is worth half as many."""
POINTS = 20_000
"""Of such a fit, at most."""
FEW = {"initial": 500, "batch": 250, "refit": 1000, "starts": 1}
FROZEN, REWEIGHTED, REFITTED = "frozen", "reweighted", "refitted"


@dataclass(frozen=True)
class Fitted:
    """The draws of a structure. weights : (n,), which sum to one; how : FROZEN, REWEIGHTED or REFITTED.

    effective : draws that they are worth; heavy : whether a few points decide; log_evidence : of the cohort's rows
    drawn : (n,) the frozen draw that each comes from, copies alike; None if fitted anew
    """

    targets: Targets
    draws: pd.DataFrame
    weights: Floats
    how: str
    effective: float
    heavy: bool = False
    k_hat: float = np.nan
    log_evidence: float = np.nan
    drawn: Integers | None = None

    @property
    def is_good(self) -> bool:
        return self.effective >= LEAST_EFFECTIVE and not self.heavy


def frozen(targets: Targets) -> Fitted:
    """Return the frozen draws of a cohort. Raises InputError."""
    draws = read_draws(targets.folder / "draws.csv", targets.pathway)
    drawn = np.unique(draws.to_numpy(), axis=0, return_inverse=True)[1].ravel()
    return Fitted(targets, draws, np.full(len(draws), 1.0 / len(draws)), FROZEN, float(drawn.max() + 1), drawn=drawn)


def reweighted(before: Fitted, log_likelihood_before: Floats, targets: Targets, log_likelihood: LogDensity) -> Fitted:
    """Return frozen draws as draws of another structure.

    log_likelihood : of its scores, as `likelihood_of` gives it
    """
    old, new = priors_of(before.targets), priors_of(targets)
    z = old.inverse(before.draws[list(old.names)].to_numpy())
    moved = np.random.default_rng(targets.seed).standard_normal((len(z), new.dimension))
    for place, name in enumerate(new.score_names):
        if name in old.score_names:
            moved[:, place] = z[:, old.score_names.index(name)]
    log_weight = log_likelihood(moved) - log_likelihood_before
    evidence = float(special.logsumexp(log_weight)) - math.log(len(z))
    return _weighted(targets, moved, log_weight, REWEIGHTED, evidence, before.drawn)


def refitted(targets: Targets, log_likelihood: LogDensity, points: int, progress: Progress | None = None) -> Fitted:
    """Return a fit of a structure with a fifth of the points of `calibrate`."""
    sampled = sample(
        log_likelihood,
        priors_of(targets).dimension,
        seed=targets.seed,
        wanted=WANTED // 2,
        most_points=points,
        chunk=8 * ROWS,
        progress=progress,
        **FEW,
    )
    whole = _weighted(targets, sampled.z, sampled.log_weight, REFITTED, sampled.log_evidence)
    rows = sampled.resample(WANTED, seed=targets.seed)
    # Both the sample and the resample have their noise.
    effective = 1.0 / (1.0 / whole.effective + 1.0 / WANTED)
    even = np.full(WANTED, 1.0 / WANTED)
    return replace(whole, draws=whole.draws.iloc[rows].reset_index(drop=True), weights=even, effective=effective)


def _weighted(
    targets: Targets, z: Floats, log_weight: Floats, how: str, evidence: float, drawn: Integers | None = None
) -> Fitted:
    priors, weights, k_hat = priors_of(targets), normalised(log_weight), pareto_k_hat(log_weight)
    draws, heavy = pd.DataFrame(priors.transform(z), columns=list(priors.names)), tail_share(weights)
    effective = effective_sample_size(weights)
    return Fitted(targets, draws, weights, how, effective, is_heavy(k_hat, heavy, len(z)), k_hat, evidence, drawn)
