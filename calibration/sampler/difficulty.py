"""Which parameters make a posterior hard to sample, and what to change: of a sample that cannot be trusted."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from calibration.priors import Priors
from calibration.sampler.imis import WeightedSample
from simulator.arrays import Floats

CONFLICT = 3.0
"""Prior standard deviations that a posterior mean lies from the prior's median where the two disagree."""
TOGETHER = 0.95
"""Correlation from which on the data say hardly more than one thing of two parameters."""
LEAST_MODE = 0.01
"""Share of the weight from which on a second mode counts."""
HEAVY = 0.01
"""Share of the points, of the largest weights, that are looked at."""
FAR = 2.0
"""Posterior standard deviations from the mean, as a root mean square, at which these lie in a tail."""
NAMED = 3
"""Parameters that are named of each kind at most."""


def difficulties(sample: WeightedSample, priors: Priors) -> list[str]:
    """Return what makes the posterior hard to sample, a sentence each with the parameters and what to change."""
    names = priors.score_names
    mean = sample.weights @ sample.z
    spread = np.sqrt(np.maximum(sample.weights @ (sample.z - mean) ** 2, 1e-12))
    standard = (sample.z - mean) / spread
    found = [*_conflicts(names, mean), *_modes(names, sample), *_together(names, sample, standard)]
    return found + _tails(names, sample, standard)


def _conflicts(names: tuple[str, ...], mean: Floats) -> list[str]:
    return [
        f"the rows put {names[i]} {abs(mean[i]):.1f} prior standard deviations {'above' if mean[i] > 0 else 'below'} "
        "its prior's median: check those rows and their unit, or widen the prior"
        for i in _largest(np.abs(mean), CONFLICT)
    ]


def _modes(names: tuple[str, ...], sample: WeightedSample) -> list[str]:
    if len(sample.modes) < 2:
        return []
    nearest = np.argmin([mode.distance(sample.z) for mode in sample.modes], axis=0)
    shares = np.bincount(nearest, sample.weights, len(sample.modes))
    first, second = np.argsort(-shares)[:2]
    if shares[second] < LEAST_MODE:
        return []
    apart = np.abs(sample.modes[first].centre - sample.modes[second].centre)
    which = ", ".join(names[i] for i in _largest(apart, 0.5 * float(apart.max())))
    return [
        f"two separate sets of values explain the rows ({100 * shares[first]:.0f} and {100 * shares[second]:.0f} % of "
        f"the weight), apart in {which}: add a row, or a narrower prior, that decides between them"
    ]


def _together(names: tuple[str, ...], sample: WeightedSample, standard: Floats) -> list[str]:
    correlation = (standard.T * sample.weights) @ standard
    pairs = [(i, j) for i, j in combinations(range(len(names)), 2) if abs(correlation[i, j]) > TOGETHER]
    return [
        f"the rows hardly distinguish {names[i]} from {names[j]} (correlation {correlation[i, j]:+.2f}): fix one "
        "(a value without a prior), or add a row that separates them"
        for i, j in sorted(pairs, key=lambda pair: -abs(correlation[pair]))[:NAMED]
    ]


def _tails(names: tuple[str, ...], sample: WeightedSample, standard: Floats) -> list[str]:
    heaviest = np.argsort(-sample.weights)[: max(5, int(HEAVY * len(sample.weights)))]
    far = np.sqrt((standard[heaviest] ** 2).mean(axis=0))
    which = [names[i] for i in _largest(far, FAR)]
    if not which:
        return []
    return [
        f"the heaviest points lie in a tail of {', '.join(which)}: take more points, or a prior that bounds the tail"
    ]


def _largest(values: Floats, least: float) -> list[int]:
    return [int(i) for i in np.argsort(-values)[:NAMED] if values[i] >= least]
