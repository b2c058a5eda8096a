"""Incremental mixture importance sampling, IMIS (Raftery & Bao 2010, Biometrics 66, 1162), prior N(0, I).

Points z are drawn from a mixture that grows where it is too thin, and each weighs

    w(z) = prior(z) likelihood(z) / sum_k (n_k / n) q_k(z)

with n_k of the n points drawn from component q_k: the deterministic mixture weights of Owen & Zhou
(2000, J Am Stat Assoc 95, 135). The components are, in this order:

1. The prior. As a defensive component (Hesterberg 1995, Technometrics 37, 185) it bounds every weight by max
   likelihood x n / n_prior, so that no tail of the posterior, which the prior always covers, can be missed
   for good.
2. At each mode of the posterior three Gaussians: Laplace's, and those of prior x likelihood^(1/2) and ^(1/4)
   in the same approximation. These are the overdispersed ones. Inflating the covariance as a whole, as a t
   distribution does, would waste nearly all points in 30 dimensions; these widen only what the data have
   narrowed, half way and more to the prior.
3. In each step a pair. One is Raftery & Bao's Gaussian at the point of largest weight with the covariance of
   its weighted nearest neighbours: it fills what is thinnest. The other has the weighted mean and covariance
   of the points around the same mode (AMIS; Cornuet, Marin, Mira & Robert 2012, Scand J Stat 39, 798): it
   moves the bulk from the mode to where a skewed posterior lies. Neighbours are near by the mode's
   Mahalanobis distance and not by the prior's as in Raftery & Bao: in 30 dimensions of which the data inform
   a few, the prior's finds none that share the informed ones.

Later components depend on earlier points, so estimates are consistent rather than unbiased (Marin, Pudlo &
Sedki 2019, Bernoulli 25, 1977). In 25 dimensions with an effective sample of 5,000 the log evidence was seen
0.04 and variances 0.4 % too low, a fifth of the latter's Monte Carlo error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.linalg import solve_triangular

from calibration.diagnostics import effective_sample_size, expected_unique_share
from calibration.modes import Floats, LogDensity, Mode, find_modes
from simulator.errors import AftercartError

UNIQUE_SHARE = 1.0 - math.exp(-1.0)
"""Expected share of unique points at which Raftery & Bao stop: that of as many equal weights as draws."""

POWERS = (1.0, 0.5, 0.25)
"""Powers of the likelihood whose Laplace approximations are sampled at each mode."""

Progress = Callable[[str, int, int], None]
"""Called as progress(stage, rows of the likelihood done, rows at most) after each chunk."""


@dataclass(frozen=True, eq=False)
class Component:
    """A Gaussian of the mixture, and how many of the points were drawn from it.

    centre : (d,); covariance : (d, d).
    """

    name: str
    centre: Floats
    covariance: Floats
    rows: int

    @cached_property
    def _root(self) -> Floats:
        return np.asarray(np.linalg.cholesky(self.covariance), dtype=np.float64)

    def draw(self, generator: np.random.Generator) -> Floats:
        """(rows, d) points."""
        noise = generator.standard_normal((self.rows, len(self.centre)))
        points: Floats = self.centre + noise @ self._root.T
        return points

    def log_density(self, z: Floats) -> Floats:
        """Log density of each row of z (n, d)."""
        scaled = solve_triangular(self._root, (z - self.centre).T, lower=True)
        log_volume = np.log(np.diag(self._root)).sum() + 0.5 * len(self.centre) * math.log(2 * math.pi)
        density: Floats = -0.5 * np.einsum("dn,dn->n", scaled, scaled) - log_volume
        return density


@dataclass(frozen=True)
class Step:
    """The state of the sample after a pair of components was added; the first is that before any."""

    rows: int
    log_evidence: float
    effective_sample_size: float
    unique_share: float
    largest_weight: float


@dataclass(frozen=True, eq=False)
class WeightedSample:
    """Points of the posterior with importance weights.

    z : (n, d) scores; log_likelihood : (n,); log_weight : (n,) unnormalised, the log of prior x likelihood /
    mixture; components : what the points were drawn from, in order; steps : the history, one entry an
    iteration; reached : whether it stopped because the sample was good enough rather than at the iteration
    limit.
    """

    z: Floats
    log_likelihood: Floats
    log_weight: Floats
    components: tuple[Component, ...]
    steps: tuple[Step, ...]
    reached: bool

    @cached_property
    def weights(self) -> Floats:
        """(n,) weights that sum to one."""
        return _normalised(self.log_weight)

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
        generator = _generator(seed, 1)
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
    initial: int = 4000,
    batch: int = 1000,
    iterations: int = 40,
    effective: float | None = None,
    starts: int = 3,
    chunk: int = 500,
    progress: Progress | None = None,
) -> WeightedSample:
    """Sample prior N(0, I) x likelihood until `wanted` draws from it would be good.

    log_likelihood : maps (n, dimension) to (n,), each row on its own, -inf allowed; gets at most `chunk` rows
    wanted : draws to be taken later; at least 1 - 1/e of them expected unique ends it (Raftery & Bao's rule)
    effective : Kish effective sample size that must be reached too, by default `wanted`
    initial : points from the prior
    batch : points from each component at a mode, and from each later pair
    iterations : pairs at most
    starts : climbs in search of modes

    Deterministic: the same seed and arguments give the same sample. Raises AftercartError where the
    likelihood is NaN or +inf, or zero at every point of the prior.
    """
    most = initial + starts * 40 * (2 * dimension + 1) + (starts * len(POWERS) + iterations) * batch
    evaluate = _Evaluator(log_likelihood, chunk, most, progress)
    mixture = _Mixture(evaluate, _generator(seed, 0))
    mixture.add(Component("prior", np.zeros(dimension), np.eye(dimension), initial))
    if not np.any(np.isfinite(mixture.log_likelihood)):
        raise AftercartError(f"the likelihood is zero at every one of {initial} draws from the prior")
    evaluate.stage = "posterior modes"
    modes = find_modes(
        lambda z: _log_prior(z) + evaluate(z),
        mixture.z,
        mixture.log_prior + mixture.log_likelihood,
        starts=starts,
    )
    evaluate.stage = "mixture"
    for number, mode in enumerate(modes, 1):
        for power in POWERS:
            mixture.add(Component(f"mode {number}, likelihood^{power:g}", *mode.bridge(power), batch))
    steps = [mixture.step(wanted)]
    target = wanted if effective is None else effective
    while not (reached := _good_enough(steps[-1], target)) and len(steps) <= iterations:
        for component in _next_pair(mixture, modes, batch, len(steps)):
            mixture.add(component)
        steps.append(mixture.step(wanted))
    return WeightedSample(
        mixture.z,
        mixture.log_likelihood,
        mixture.log_weight,
        tuple(mixture.components),
        tuple(steps),
        reached,
    )


class _Evaluator:
    """The likelihood in chunks, checked and counted."""

    def __init__(self, log_likelihood: LogDensity, chunk: int, most: int, progress: Progress | None) -> None:
        self.log_likelihood = log_likelihood
        self.chunk = chunk
        self.most = most
        self.progress = progress
        self.stage = "prior"
        self.rows = 0

    def __call__(self, z: Floats) -> Floats:
        return np.concatenate(
            [self._chunk(z[first : first + self.chunk]) for first in range(0, len(z), self.chunk)]
        )

    def _chunk(self, z: Floats) -> Floats:
        values = np.asarray(self.log_likelihood(z), dtype=np.float64)
        if values.shape != (len(z),):
            raise AftercartError(f"the log likelihood of {len(z)} rows has the shape {values.shape}")
        wrong = np.isnan(values) | (values == np.inf)
        if np.any(wrong):
            raise AftercartError(f"the log likelihood is {values[wrong][0]} at z = {z[wrong][0].tolist()}")
        self.rows += len(z)
        if self.progress is not None:
            self.progress(self.stage, self.rows, max(self.most, self.rows))
        return values


class _Mixture:
    """The points drawn so far and the components that they were drawn from."""

    def __init__(self, evaluate: _Evaluator, generator: np.random.Generator) -> None:
        self.evaluate = evaluate
        self.generator = generator
        self.components: list[Component] = []
        self.z = np.empty((0, 0))
        self.log_likelihood = np.empty(0)
        self.log_prior = np.empty(0)
        self._log_sum = np.empty(0)

    def add(self, component: Component) -> None:
        """Draw the component's points and count it into the mixture's density everywhere."""
        drawn = component.draw(self.generator)
        if not self.components:
            self.z = np.empty((0, drawn.shape[1]))
        at_drawn = np.full(len(drawn), -np.inf)
        for each in self.components:
            at_drawn = np.logaddexp(at_drawn, math.log(each.rows) + each.log_density(drawn))
        self.components.append(component)
        self.z = np.concatenate([self.z, drawn])
        self.log_likelihood = np.concatenate([self.log_likelihood, self.evaluate(drawn)])
        self.log_prior = np.concatenate([self.log_prior, _log_prior(drawn)])
        own = math.log(component.rows) + component.log_density(self.z)
        self._log_sum = np.logaddexp(np.concatenate([self._log_sum, at_drawn]), own)

    @property
    def log_weight(self) -> Floats:
        return self.log_prior + self.log_likelihood - (self._log_sum - math.log(len(self.z)))

    def step(self, wanted: int) -> Step:
        log_weight = self.log_weight
        weights = _normalised(log_weight)
        return Step(
            rows=len(weights),
            log_evidence=float(special.logsumexp(log_weight)) - math.log(len(weights)),
            effective_sample_size=effective_sample_size(weights),
            unique_share=expected_unique_share(weights, wanted),
            largest_weight=float(weights.max()),
        )


def _next_pair(
    mixture: _Mixture, modes: tuple[Mode, ...], batch: int, number: int
) -> tuple[Component, Component]:
    """Gaussians at the point of largest weight, and with the moments of the points about the same mode.

    The first has the covariance about that point of its `batch` nearest neighbours, which weigh the mean of
    their importance weight and 1 / n (Raftery & Bao 2010). The second has the weighted mean and
    covariance of the points that belong to the mode (Cornuet et al. 2012).
    """
    z, weights = mixture.z, _normalised(mixture.log_weight)
    heaviest = np.argmax(weights)
    nearest_mode = np.argmin([mode.distance(z) for mode in modes], axis=0)
    mode = modes[nearest_mode[heaviest]]
    near = np.argsort(mode.distance(z - z[heaviest] + mode.centre), kind="stable")[:batch]
    near_weights = weights[near] + 1.0 / len(z)
    members = np.flatnonzero(nearest_mode == nearest_mode[heaviest])
    share = weights[members] / weights[members].sum()
    half = batch // 2
    return (
        _gaussian(f"largest weight {number}", z[heaviest], z[near], near_weights, mode, half),
        _gaussian(f"moments {number}", share @ z[members], z[members], share, mode, batch - half),
    )


def _gaussian(name: str, centre: Floats, z: Floats, weights: Floats, mode: Mode, rows: int) -> Component:
    """A Gaussian with the weighted covariance of points z (n, d) about `centre`.

    Few points may carry the weight, so it is shrunk to the mode's covariance as if that were d (d + 3) / 2
    more of them, as many as a Gaussian has parameters.
    """
    deviation = z - centre
    covariance = (deviation.T * (weights / weights.sum())) @ deviation
    parameters = len(centre) * (len(centre) + 3) / 2
    trust = effective_sample_size(weights) / (effective_sample_size(weights) + parameters)
    return Component(name, centre, trust * covariance + (1.0 - trust) * mode.bridge(1.0)[1], rows)


def _good_enough(step: Step, effective: float) -> bool:
    return step.unique_share >= UNIQUE_SHARE and step.effective_sample_size >= effective


def _log_prior(z: Floats) -> Floats:
    density: Floats = -0.5 * (np.einsum("nd,nd->n", z, z) + z.shape[1] * math.log(2 * math.pi))
    return density


def _normalised(log_weight: Floats) -> Floats:
    weights: Floats = np.exp(log_weight - special.logsumexp(log_weight))
    return weights


def _generator(seed: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(stream,))))
