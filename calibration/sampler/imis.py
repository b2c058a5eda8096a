"""Incremental mixture importance sampling, IMIS (Raftery & Bao 2010, Biometrics 66, 1162), prior N(0, I).

A mixture is built where the posterior is, and points z drawn from it weigh

    w(z) = prior(z) likelihood(z) / sum_k a_k q_k(z).

The components q_k, in the order in which they are built, are

1. the prior;
2. at each mode of the posterior Laplace's Gaussian, and those of prior x likelihood^(1/2) and ^(1/4) in the
   same approximation: overdispersed. Inflating the covariance as a whole, as a t distribution does, would
   waste nearly all points in 30 dimensions; these widen only what the data have narrowed, towards the prior;
3. in steps, pairs. One is Raftery & Bao's Gaussian at the point of largest weight with the covariance of its
   weighted nearest neighbours: it fills the thinnest place. The other has the weighted mean and covariance of
   the points about the same mode (AMIS; Cornuet, Marin, Mira & Robert 2012, Scand J Stat 39, 798): it moves
   the bulk to where a skewed posterior lies. Neighbours are near by the mode's Mahalanobis distance, not the
   prior's: of 30 dimensions the data inform a few, and the prior's distance finds none that share those.

While it is built, all points count, with a_k the share of them drawn from q_k (deterministic mixture weights:
Owen & Zhou 2000, J Am Stat Assoc 95, 135), and Raftery & Bao's rule ends it. They return these points. Here
they are thrown away and the answer is drawn afresh from the finished mixture, for a component put on a heavy
point takes that point's weight away, tails first: on a banana in 25 dimensions variances came out 11 % too
low. The fresh points are independent and the weights unbiased, so that ESS and k-hat are right.

For the same reason the moments come out too narrow, so before the answer is drawn come rounds of fresh points from the
mixture as it stands. All rounds so far, each with its own weights, truncated (Ionides 2008, J Comput Graph Stat 17,
295), and with as much of the total as it has effective points, give the mixture more Gaussians: those nearest to them
in Kullback-Leibler divergence, by EM (Cappe, Douc, Guillin, Marin & Robert 2008, Stat Comput 18, 447), as many as there
are effective points for. One Gaussian a mode misses what is curved: two parameters that exchange their roles.

The a_k of the finished mixture are found in the same way, but a tenth is the prior's. This defensive component
(Hesterberg 1995, Technometrics 37, 185) bounds every weight by ten times the largest likelihood, so that no tail is
missed for good: the prior covers every tail of the posterior.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from calibration.sampler.diagnostics import (
    LARGEST_WEIGHT_LIMIT,
    UNIQUE_SHARE_LIMIT,
    effective_sample_size,
    expected_unique_share,
    normalised,
)
from calibration.sampler.evaluator import Evaluator, Progress
from calibration.sampler.mixture import (
    Component,
    Mixture,
    closest_gaussians,
    closest_shares,
    log_mixture,
    parameters_of,
    shrunk,
    strata,
)
from calibration.sampler.modes import LogDensity, Mode, find_modes, nearest_modes
from simulator.arrays import Floats
from simulator.errors import AftercartError

LEAST_POINTS = 5
"""Fresh points for every effective one that is wanted, at least: a smaller sample may have missed a tail."""

MOST_GAUSSIANS = 8
"""Gaussians that a round of fresh points adds to the mixture, at most."""

POWERS = (1.0, 0.5, 0.25)
"""Powers of the likelihood whose Laplace approximations are sampled at each mode."""


class ZeroLikelihoodError(AftercartError):
    """The likelihood is zero at every point of the prior."""


DEFENSIVE_SHARE = 0.1
"""Share of the points that are drawn from the prior at least."""

BLOCK = 1000
"""Points of the finished mixture that are drawn at a time."""


@dataclass(frozen=True)
class Step:
    """How good the points of a stage are after a step of it."""

    stage: str
    points: int
    log_evidence: float
    effective_sample_size: float
    unique_share: float
    largest_weight: float


@dataclass(frozen=True, eq=False)
class WeightedSample:
    """Independent points of the finished mixture with importance weights.

    z : (n, d) scores
    log_likelihood : (n,)
    log_weight : (n,) unnormalised, the log of prior x likelihood / mixture
    mixture : the points are drawn from it
    steps : of its making; the last is this sample
    reached : whether it stopped because it was good enough and not at the limit
    modes : of the posterior
    """

    z: Floats
    log_likelihood: Floats
    log_weight: Floats
    mixture: Mixture
    steps: tuple[Step, ...]
    reached: bool
    modes: tuple[Mode, ...] = ()

    @cached_property
    def weights(self) -> Floats:
        """(n,) weights that sum to one."""
        return normalised(self.log_weight)

    @property
    def log_evidence(self) -> float:
        """Log of the integrated likelihood: the mean unnormalised weight."""
        return self.steps[-1].log_evidence

    def resample(self, wanted: int, *, seed: int) -> NDArray[np.intp]:
        """Rows of `wanted` equally weighted draws, in random order.

        Systematic resampling (Kitagawa 1996, J Comput Graph Stat 5, 1): each point comes wanted x w times,
        rounded up or down, so there are no more duplicates than the weights force, and less noise than from
        multinomial draws; drawing without replacement would flatten the posterior. The shuffle makes rows 1
        to N a fair sample for every N.
        """
        generator = _generator(seed, 2)
        places = (np.arange(wanted) + generator.random()) / wanted
        edges = np.cumsum(self.weights)
        rows = np.searchsorted(edges / edges[-1], places, side="right")
        return generator.permutation(rows)


def sample(
    log_likelihood: LogDensity,
    dimension: int,
    *,
    seed: int,
    wanted: int,
    effective: float | None = None,
    initial: int = 2000,
    batch: int = 500,
    refit: int = 6000,
    refits: int = 5,
    iterations: int = 40,
    most_points: int = 50_000,
    starts: int = 3,
    chunk: int = 500,
    progress: Progress | None = None,
) -> WeightedSample:
    """Sample prior N(0, I) x likelihood until `wanted` draws from it would be good.

    log_likelihood : maps (n, dimension) to (n,), each row on its own, -inf allowed; gets at most `chunk` rows
    wanted : draws to be taken later, at least 1 - 1/e of them expected unique (Raftery & Bao's rule)
    effective : Kish effective sample size that must be reached too, by default `wanted`
    initial, batch : points from the prior, and from each component at a mode and each later pair
    refit, refits : fresh points of a round, and rounds, that add Gaussians to the mixture
    iterations : pairs at most
    most_points : of the finished mixture, at most
    starts : climbs in search of modes

    Deterministic: the same seed and arguments give the same sample. Raises AftercartError where the
    likelihood is NaN or +inf, or zero at every point of the prior.
    """
    target = wanted if effective is None else effective
    evaluate = Evaluator(log_likelihood, chunk, progress)
    evaluate.begin("prior", initial)
    prior = Component("prior", np.zeros(dimension), np.eye(dimension))
    build = _Build(evaluate, _generator(seed, 0), prior, initial)
    if not np.any(np.isfinite(build.log_likelihood)):
        raise ZeroLikelihoodError(f"the likelihood is zero at every one of {initial} draws from the prior")
    evaluate.begin("posterior modes", _rows_of_modes(dimension, starts))
    modes = find_modes(
        lambda z: _log_prior(z) + evaluate(z), build.z, build.log_prior + build.log_likelihood, starts=starts
    )
    evaluate.begin("mixture", len(modes) * len(POWERS) * batch + 5 * batch)
    for number, mode in enumerate(modes, 1):
        for power in POWERS:
            build.add(Component(f"mode {number}, likelihood^{power:g}", *mode.bridge(power)), batch)
    steps = [_step("mixture", build.log_weight, wanted)]
    while steps[-1].unique_share < UNIQUE_SHARE_LIMIT and len(steps) <= iterations:
        for component, rows in _next_pair(build, modes, batch, len(steps)):
            build.add(component, rows)
        steps.append(_step("mixture", build.log_weight, wanted))
    mixture = build.finished(BLOCK)
    mixture, rounds = _refined(mixture, evaluate, _generator(seed, 3), refit, refits, wanted)
    steps += rounds
    evaluate.begin("sample", int(4 * target))
    drawn = _draw(mixture, evaluate, _generator(seed, 1), steps, wanted, target, most_points)
    return replace(drawn, modes=modes)


def expected_rows(
    dimension: int, *, initial: int, refit: int, refits: int = 5, batch: int = 500, starts: int = 3
) -> int:
    """Return about how many rows of the likelihood `sample` needs until its mixture is finished."""
    mixture = starts * len(POWERS) * batch + 5 * batch
    return initial + _rows_of_modes(dimension, starts) + mixture + refits * refit


def _rows_of_modes(dimension: int, starts: int) -> int:
    return starts * 40 * (2 * dimension + 1)


def _refined(
    mixture: Mixture, evaluate: Evaluator, generator: np.random.Generator, points: int, rounds: int, wanted: int
) -> tuple[Mixture, list[Step]]:
    """Return a mixture with Gaussians that are nearest to rounds of fresh points, and how good those points were."""
    z, weights = np.empty((0, len(mixture.components[0].centre))), np.empty(0)
    steps = []
    for number in range(1, rounds + 1):
        evaluate.begin(f"fresh points {number}", points)
        fresh = np.concatenate([mixture.draw(generator) for _ in range(-(-points // sum(mixture.rows)))])
        log_weight = _log_prior(fresh) + evaluate(fresh) - mixture.log_density(fresh)
        steps.append(_step("fresh points", log_weight, wanted))
        truncated = np.minimum(normalised(log_weight), 1.0 / math.sqrt(len(fresh)))
        truncated /= truncated.sum()
        z, weights = np.concatenate([z, fresh]), np.append(weights, effective_sample_size(truncated) * truncated)
        shares = weights / weights.sum()
        effective, parts = effective_sample_size(shares), list(mixture.components)
        # Fewer points than that lie in a plane, and have no covariance in all directions.
        if effective > z.shape[1] + 1:
            count = min(max(int(effective / parameters_of(z.shape[1])), 1), MOST_GAUSSIANS)
            parts += closest_gaussians(z, shares, count, generator)
        densities = np.stack([part.log_density(z) for part in parts])
        mixture = _closest(parts, densities, shares, sum(mixture.rows))
    return mixture, steps


def _draw(
    mixture: Mixture,
    evaluate: Evaluator,
    generator: np.random.Generator,
    steps: list[Step],
    wanted: int,
    effective: float,
    most_points: int,
) -> WeightedSample:
    """Points of the finished mixture, block by block, until there are enough."""
    z = np.empty((0, len(mixture.components[0].centre)))
    log_likelihood, log_weight = np.empty(0), np.empty(0)
    reached = False
    while not reached and len(z) < most_points:
        block = mixture.draw(generator)
        at_block = evaluate(block)
        z = np.concatenate([z, block])
        log_likelihood = np.concatenate([log_likelihood, at_block])
        log_weight = np.concatenate([log_weight, _log_prior(block) + at_block - mixture.log_density(block)])
        steps.append(_step("sample", log_weight, wanted))
        reached = _good_enough(steps[-1], effective)
    return WeightedSample(z, log_likelihood, log_weight, mixture, tuple(steps), reached)


def _good_enough(step: Step, effective: float) -> bool:
    """Return whether the points would pass the diagnostics: many effective ones, and none of much weight."""
    enough = step.unique_share >= UNIQUE_SHARE_LIMIT and step.effective_sample_size >= effective
    return enough and step.largest_weight < LARGEST_WEIGHT_LIMIT and step.points >= LEAST_POINTS * effective


class _Build:
    """The points and components of a mixture while it grows; all points count."""

    def __init__(self, evaluate: Evaluator, generator: np.random.Generator, prior: Component, rows: int) -> None:
        self.evaluate = evaluate
        self.generator = generator
        self.components = [prior]
        self.rows = [rows]
        self.z = prior.draw(rows, generator)
        self.log_likelihood = evaluate(self.z)
        self.log_prior = prior.log_density(self.z)
        self.log_densities = self.log_prior[None]

    def add(self, component: Component, rows: int) -> None:
        """Draw points from one more component, and add its density at all points."""
        drawn = component.draw(rows, self.generator)
        at_drawn = np.stack([component.log_density(drawn) for component in self.components])
        self.z = np.concatenate([self.z, drawn])
        self.log_likelihood = np.concatenate([self.log_likelihood, self.evaluate(drawn)])
        self.log_prior = np.concatenate([self.log_prior, at_drawn[0]])
        self.log_densities = np.vstack([np.hstack([self.log_densities, at_drawn]), component.log_density(self.z)])
        self.components.append(component)
        self.rows.append(rows)

    @property
    def log_weight(self) -> Floats:
        return self.log_prior + self.log_likelihood - log_mixture(self.log_densities, self.rows)

    def finished(self, block: int) -> Mixture:
        """The components in the shares that suit the posterior best, with the prior's defensive share."""
        return _closest(self.components, self.log_densities, normalised(self.log_weight), block)


def _closest(parts: Sequence[Component], log_densities: Floats, weights: Floats, block: int) -> Mixture:
    """Return the mixture of parts, the prior first, nearest to weighted points; the prior has its defensive share."""
    shares = (1.0 - DEFENSIVE_SHARE) * closest_shares(log_densities, weights)
    shares[0] += DEFENSIVE_SHARE
    kept = [(part, rows) for part, rows in zip(parts, strata(shares, block), strict=True) if rows]
    return Mixture(tuple(part for part, _ in kept), tuple(rows for _, rows in kept))


def _step(stage: str, log_weight: Floats, wanted: int) -> Step:
    weights = normalised(log_weight)
    return Step(
        stage=stage,
        points=len(weights),
        log_evidence=float(special.logsumexp(log_weight)) - math.log(len(weights)),
        effective_sample_size=effective_sample_size(weights),
        unique_share=expected_unique_share(weights, wanted),
        largest_weight=float(weights.max()),
    )


def _next_pair(build: _Build, modes: tuple[Mode, ...], batch: int, number: int) -> list[tuple[Component, int]]:
    """Gaussians at the point of largest weight, and with the moments of the points about the same mode.

    The first has the covariance about that point of its `batch` nearest neighbours, which weigh the mean of
    their importance weight and 1 / n (Raftery & Bao 2010). The second has the weighted mean and
    covariance of the points that belong to the mode (Cornuet et al. 2012).
    """
    z, weights = build.z, normalised(build.log_weight)
    heaviest = np.argmax(weights)
    nearest_mode = nearest_modes(modes, z)
    mode = modes[nearest_mode[heaviest]]
    near = np.argsort(mode.distance(z - z[heaviest] + mode.centre), kind="stable")[:batch]
    near_weights = weights[near] + 1.0 / len(z)
    members = np.flatnonzero(nearest_mode == nearest_mode[heaviest])
    share = weights[members] / weights[members].sum()
    half = batch // 2
    return [
        (_gaussian(f"largest weight {number}", z[heaviest], z[near], near_weights, mode), half),
        (_gaussian(f"moments {number}", share @ z[members], z[members], share, mode), batch - half),
    ]


def _gaussian(name: str, centre: Floats, z: Floats, weights: Floats, mode: Mode) -> Component:
    """A Gaussian with the weighted covariance of points z (n, d) about `centre`, shrunk to the mode's."""
    return shrunk(name, centre, z, weights / weights.sum(), mode.bridge(1.0)[1])


def _log_prior(z: Floats) -> Floats:
    return np.asarray(-0.5 * (np.einsum("nd,nd->n", z, z) + z.shape[1] * math.log(2 * math.pi)))


def _generator(seed: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(stream,))))
