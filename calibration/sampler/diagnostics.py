"""Whether an importance sample can be trusted, and how much the data inform every parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from simulator.arrays import Floats

K_HAT_LIMIT = 0.7
"""From here on estimates are unreliable whatever the sample size (Vehtari et al. 2024)."""

HEAVY_TAIL = 0.25
"""The k-hat counts where the tail makes up this share of the mean squared weight, or more.

It asks whether that mean, and so an estimate's variance, exists (Vehtari et al. 2024). Where weights are about even
the tail is the upper edge of their bulk, of any shape: cut off there (Ionides 2008), it would change neither by much. A
Pareto tail of shape 0.7 makes up 0.88 of it or more (5,000 to 50,000 weights).
"""

LARGEST_WEIGHT_LIMIT = 0.01
"""A point with more than 1 % of the weight would be one draw in a hundred."""

UNIQUE_SHARE_LIMIT = 1.0 - math.exp(-1.0)
"""Raftery & Bao's bound (2010): the share of unique draws that equal weights of as many points would give."""


MORE_POINTS = "take more points"


@dataclass(frozen=True)
class Diagnostics:
    """How good an importance sample and the draws taken from it are.

    points : sampled
    wanted : draws taken
    effective_sample_size : Kish's
    k_hat : Pareto shape of the largest weights
    tail_share : of the mean squared weight, the part above the cutoff of that tail
    largest_weight : as a share of all
    unique_share : of the draws
    contraction : by parameter, 1 - posterior variance / prior variance: near 0 where the data are silent
    """

    points: int
    wanted: int
    effective_sample_size: float
    k_hat: float
    tail_share: float
    largest_weight: float
    unique_share: float
    contraction: Mapping[str, float]

    def problems(self) -> list[str]:
        """Return a clause on every diagnostic that fails: the figure, its limit, why it matters and what to do."""
        limit = k_hat_limit(self.points)
        checks = [
            (
                self.effective_sample_size >= self.wanted,
                f"the effective sample size is {self.effective_sample_size:.0f}, below {self.wanted} draws (too few "
                f"points lie where the posterior is: {MORE_POINTS})",
            ),
            (
                not is_heavy(self.k_hat, self.tail_share, self.points),
                f"the Pareto k-hat of the weights is {self.k_hat:.2f}, not below {limit:.2f}, and their tail makes up "
                f"{self.tail_share:.0%} of the mean squared weight (a few points decide the answer, and another seed "
                f"may give another one: {MORE_POINTS}, or narrow a prior that is far wider than the data allow)",
            ),
            (
                self.largest_weight < LARGEST_WEIGHT_LIMIT,
                f"a point has {self.largest_weight:.1%} of the weight, not below {LARGEST_WEIGHT_LIMIT:.0%} (a part of "
                f"the posterior is hardly sampled, as a second mode may be: {MORE_POINTS})",
            ),
            (
                self.unique_share >= UNIQUE_SHARE_LIMIT,
                f"only {self.unique_share:.1%} of the draws are unique, below {UNIQUE_SHARE_LIMIT:.1%} (the draws "
                f"repeat few points: {MORE_POINTS})",
            ),
        ]
        return [clause for holds, clause in checks if not holds]

    @property
    def why_k_hat_passes(self) -> str:
        """Why a k-hat at its limit or above is no problem; "" where it is below, or is one."""
        limit = k_hat_limit(self.points)
        if self.k_hat < limit or is_heavy(self.k_hat, self.tail_share, self.points):
            return ""
        return (
            f"The k-hat is not below its limit of {limit:.2f}, and the sample still passes: the largest weights, whose "
            f"shape it is, make up {self.tail_share:.0%} of the mean squared weight. Below {HEAVY_TAIL:.0%}, cutting "
            "them off would change no estimate by much"
        )


def diagnose(
    log_weight: Floats, rows: NDArray[np.intp], *, names: Sequence[str], theta: Floats, prior_sd: Sequence[float]
) -> Diagnostics:
    """Diagnostics of a weighted sample and of the draws taken from it.

    log_weight : (n,), unnormalised; rows : (wanted,) the points drawn; theta : (n, len(names)) parameter
    values of the points; prior_sd : of each parameter.
    """
    weights = normalised(log_weight)
    mean = weights @ theta
    variance = weights @ (theta - mean) ** 2
    contraction = 1.0 - variance / np.asarray(prior_sd) ** 2
    return Diagnostics(
        points=len(weights),
        wanted=len(rows),
        effective_sample_size=effective_sample_size(weights),
        k_hat=pareto_k_hat(log_weight),
        tail_share=tail_share(weights),
        largest_weight=float(weights.max()),
        unique_share=len(np.unique(rows)) / len(rows),
        contraction=dict(zip(names, contraction.tolist(), strict=True)),
    )


def normalised(log_weight: Floats) -> Floats:
    """Return weights that sum to one."""
    return np.asarray(np.exp(log_weight - special.logsumexp(log_weight)))


def weighted_quantiles(values: Floats, weights: Floats, levels: tuple[float, ...]) -> Floats:
    """Return the least values at which the weighted cdf reaches the levels."""
    order = np.argsort(values, kind="stable")
    edges = np.cumsum(weights[order])
    places = np.searchsorted(edges / edges[-1], np.array(levels) - 1e-12)
    return values[order][np.minimum(places, len(order) - 1)]


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
    """min(1 - 1 / log10(n), 0.7) for n points (Vehtari et al. 2024)."""
    return min(1.0 - 1.0 / math.log10(points), K_HAT_LIMIT) if points > 10 else 0.0


def conflict(z: Floats, weights: Floats) -> Floats:
    """Return how far each posterior mean is from the prior's, in standard deviations of where it may fall, (d,).

    z : (n, d) normal scores of the prior, so that it has mean 0 and variance 1; weights : (n,) of the posterior

        mean / sqrt(1 - variance),

    since means of posteriors of simulated data have the variance that the data take away. For a normal likelihood of
    mean y and variance s^2 it is y / sqrt(1 + s^2), the check of Box (1980, J R Stat Soc A 143:383) and of Evans &
    Moshonov (2006, Bayesian Analysis 1:893). NaN where the data take away nothing, or less than three standard
    errors of the variance, which may be noise of the points.
    """
    mean = weights @ z
    squares = (z - mean) ** 2
    taken = 1.0 - weights @ squares
    noise = np.sqrt(weights**2 @ (squares - (1.0 - taken)) ** 2)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(taken > 3.0 * noise, mean / np.sqrt(taken), np.nan))


def is_heavy(k_hat: float, tail: float, points: int) -> bool:
    """Return whether estimates hang on a tail of the weights that is too heavy. tail : its `tail_share`."""
    return not (k_hat < k_hat_limit(points) or tail < HEAVY_TAIL)


def tail_share(weights: Floats) -> float:
    """Return 1 - sum min(w, u)^2 / sum w^2, where u is the cutoff of the tail; 1 without weights below it."""
    ordered = np.sort(weights)
    size = _tail_size(len(ordered))
    if size == len(ordered):
        return 1.0
    return 1.0 - float((np.minimum(weights, ordered[-size - 1]) ** 2).sum() / (weights**2).sum())


def _tail_size(points: int) -> int:
    return math.ceil(min(points / 5, 3 * math.sqrt(points)))


ROUNDING = 1e-9
"""Of the log of a weight, a difference of two log-likelihoods: less is noise."""


def pareto_k_hat(log_weight: Floats) -> float:
    """Shape of the generalised Pareto distribution of the largest weights.

    Vehtari, Simpson, Gelman, Yao & Gabry (2024, J Mach Learn Res 25, 72).
    log_weight : (n,). The tail has min(n / 5, 3 sqrt(n)) weights. Infinite with fewer than five in the tail, which
    say nothing; minus infinity if the largest weights are all equal, but for rounding.
    """
    ordered = np.sort(log_weight - log_weight.max())
    tail_size = _tail_size(len(ordered))
    if tail_size == len(ordered):
        return math.inf
    cutoff = max(float(ordered[-tail_size - 1]), math.log(np.finfo(float).tiny))
    if cutoff > -ROUNDING:
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
    quantile_steps = 1.0 - np.sqrt(grid_size / (np.arange(grid_size) + 0.5))
    grid = 1.0 / exceedances[-1] + quantile_steps / (3.0 * quartile)
    shapes = np.log1p(-grid[:, None] * exceedances).mean(axis=1)
    log_likelihood = n * (np.log(-grid / shapes) - shapes - 1.0)
    b = float(special.softmax(log_likelihood) @ grid)
    shape = float(np.log1p(-b * exceedances).mean())
    return (n * shape + 10 * 0.5) / (n + 10)
