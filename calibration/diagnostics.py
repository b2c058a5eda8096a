"""Whether an importance sample can be trusted, and what the data said about each parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

K_HAT_LIMIT = 0.7
"""From here on estimates are unreliable whatever the sample size (Vehtari et al. 2024)."""

LARGEST_WEIGHT_LIMIT = 0.01
"""A point with more than 1 % of the weight would be one draw in a hundred."""

UNIQUE_SHARE_LIMIT = 1.0 - math.exp(-1.0)
"""Raftery & Bao's bound (2010): the share of unique draws that equal weights of as many points would give."""


@dataclass(frozen=True)
class Diagnostics:
    """How good an importance sample and the draws taken from it are.

    points : sampled
    wanted : draws taken
    effective_sample_size : Kish's
    k_hat : Pareto shape of the largest weights
    largest_weight : as a share of all
    unique_share : of the draws
    contraction : by parameter, 1 - posterior variance / prior variance: near 0 where the data are silent
    """

    points: int
    wanted: int
    effective_sample_size: float
    k_hat: float
    largest_weight: float
    unique_share: float
    contraction: Mapping[str, float]

    def problems(self) -> list[str]:
        """What is wrong, a sentence each; empty if the sample is good."""
        limit = k_hat_limit(self.points)
        checks = [
            (
                self.effective_sample_size >= self.wanted,
                f"the effective sample size is {self.effective_sample_size:.0f}, below {self.wanted} draws",
            ),
            (
                self.k_hat < limit,
                f"the Pareto k-hat of the weights is {self.k_hat:.2f}, not below {limit:.2f}",
            ),
            (
                self.largest_weight < LARGEST_WEIGHT_LIMIT,
                f"a point has {self.largest_weight:.1%} of the weight, not below {LARGEST_WEIGHT_LIMIT:.0%}",
            ),
            (
                self.unique_share >= UNIQUE_SHARE_LIMIT,
                f"only {self.unique_share:.1%} of the draws are unique, below {UNIQUE_SHARE_LIMIT:.1%}",
            ),
        ]
        return [sentence for holds, sentence in checks if not holds]


def diagnose(
    log_weight: Floats,
    rows: NDArray[np.intp],
    *,
    names: Sequence[str],
    theta: Floats,
    prior_sd: Sequence[float],
) -> Diagnostics:
    """Diagnostics of a weighted sample and of the draws taken from it.

    log_weight : (n,), unnormalised; rows : (wanted,) the points drawn; theta : (n, len(names)) parameter
    values of the points; prior_sd : of each parameter.
    """
    weights = np.exp(log_weight - special.logsumexp(log_weight))
    mean = weights @ theta
    variance = weights @ (theta - mean) ** 2
    contraction = 1.0 - variance / np.asarray(prior_sd) ** 2
    return Diagnostics(
        points=len(weights),
        wanted=len(rows),
        effective_sample_size=effective_sample_size(weights),
        k_hat=pareto_k_hat(log_weight),
        largest_weight=float(weights.max()),
        unique_share=len(np.unique(rows)) / len(rows),
        contraction=dict(zip(names, contraction.tolist(), strict=True)),
    )


def effective_sample_size(weights: ArrayLike) -> float:
    """(sum w)^2 / sum w^2 (Kish 1965, Survey Sampling)."""
    values = np.asarray(weights, dtype=np.float64)
    return float(values.sum() ** 2 / (values**2).sum())


def expected_unique_share(weights: Floats, wanted: int) -> float:
    """Expected share of unique points in a multinomial resample, sum_i 1 - (1 - w_i)^wanted over wanted."""
    with np.errstate(divide="ignore"):
        missed = wanted * np.log1p(-np.minimum(weights, 1.0))
    return float(-np.expm1(missed).sum() / wanted)


def k_hat_limit(points: int) -> float:
    """min(1 - 1 / log10(n), 0.7): what n points can bear (Vehtari et al. 2024)."""
    return min(1.0 - 1.0 / math.log10(points), K_HAT_LIMIT) if points > 10 else 0.0


def pareto_k_hat(log_weight: Floats) -> float:
    """Shape of the generalised Pareto distribution of the largest weights.

    Vehtari, Simpson, Gelman, Yao & Gabry (2024, J Mach Learn Res 25, 72).
    log_weight : (n,). The tail holds min(n / 5, 3 sqrt(n)) weights. Infinite with fewer than five in the
    tail, where nothing can be said; minus infinity if the largest weights are all equal.
    """
    ordered = np.sort(log_weight - log_weight.max())
    tail_size = math.ceil(min(len(ordered) / 5, 3 * math.sqrt(len(ordered))))
    if tail_size == len(ordered):
        return math.inf
    cutoff = max(float(ordered[-tail_size - 1]), math.log(np.finfo(float).tiny))
    if cutoff == 0.0:
        return -math.inf
    tail = ordered[ordered > cutoff]
    if len(tail) < 5:
        return math.inf
    return _generalised_pareto_shape(np.exp(tail) - math.exp(cutoff))


def _generalised_pareto_shape(exceedances: Floats) -> float:
    """Posterior mean of k over the profile likelihood (Zhang & Stephens 2009, Technometrics 51, 316).

    exceedances : (n,) ascending. With b = -k / sigma, k(b) = mean log(1 - b x) and log L(b) = n (log(-b / k)
    - k - 1). The weak prior of Vehtari et al. (2024) counts as ten exceedances with k = 0.5.
    """
    n = len(exceedances)
    grid_size = 30 + int(math.sqrt(n))
    quartile = exceedances[int(n / 4 + 0.5) - 1]
    spread = 1.0 - np.sqrt(grid_size / (np.arange(grid_size) + 0.5))
    grid = 1.0 / exceedances[-1] + spread / (3.0 * quartile)
    shapes = np.log1p(-grid[:, None] * exceedances).mean(axis=1)
    log_likelihood = n * (np.log(-grid / shapes) - shapes - 1.0)
    b = float(special.softmax(log_likelihood) @ grid)
    shape = float(np.log1p(-b * exceedances).mean())
    return (n * shape + 10 * 0.5) / (n + 10)
