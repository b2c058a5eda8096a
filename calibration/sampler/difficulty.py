"""Parameters that make a posterior hard to sample, and what to change: of a sample that cannot be trusted."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from calibration.sampler.imis import WeightedSample
from calibration.sampler.modes import nearest_modes
from simulator.arrays import Floats
from simulator.evidence.priors import Priors

CONFLICT = 3.0
"""Prior standard deviations between a posterior mean and the prior's median from which the two disagree."""
TOGETHER = 0.95
"""Correlation from which on the data hardly distinguish two parameters."""
LEAST_MODE = 0.01
"""Share of the weight from which on a second mode counts."""
HEAVY = 0.01
"""Share of the points, of the largest weights, that are examined."""
FAR = 2.0
"""Posterior standard deviations from the mean, as a root mean square, at which these lie in a tail."""
NAMED = 3
"""Parameters of every kind that are named at most."""


def difficulties(sample: WeightedSample, priors: Priors) -> list[str]:
    """Return sentences on why the posterior is hard to sample, with the parameters and what to change."""
    names = priors.score_names
    mean = sample.weights @ sample.z
    sd = np.sqrt(np.maximum(sample.weights @ (sample.z - mean) ** 2, 1e-12))
    standard = (sample.z - mean) / sd
    of_pairs, of_tails = _together(names, sample, standard), _tails(names, sample, standard)
    return [*_conflicts(names, mean), *_modes(names, sample), *of_pairs, *of_tails]


def _conflicts(names: tuple[str, ...], mean: Floats) -> list[str]:
    return [
        f"the rows put {names[i]} {abs(mean[i]):.1f} prior standard deviations {'above' if mean[i] > 0 else 'below'} "
        "its prior's median: check those rows and their unit, or widen the prior"
        for i in _largest(np.abs(mean), CONFLICT)
    ]


def _modes(names: tuple[str, ...], sample: WeightedSample) -> list[str]:
    if len(sample.modes) < 2:
        return []
    shares = np.bincount(nearest_modes(sample.modes, sample.z), sample.weights, len(sample.modes))
    first, second = np.argsort(-shares)[:2]
    if shares[second] < LEAST_MODE:
        return []
    distance = np.abs(sample.modes[first].centre - sample.modes[second].centre)
    which = ", ".join(names[i] for i in _largest(distance, 0.5 * float(distance.max())))
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
    which = ", ".join(names[i] for i in _largest(far, FAR))
    sentence = f"the heaviest points lie in a tail of {which}: take more points, or a prior that bounds the tail"
    return [sentence] if which else []


def _largest(values: Floats, least: float) -> list[int]:
    return [int(i) for i in np.argsort(-values)[:NAMED] if values[i] >= least]
