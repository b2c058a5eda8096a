"""Mixtures of Gaussians to draw from, in fixed proportions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special
from scipy.linalg import solve_triangular

from calibration.sampler.diagnostics import effective_sample_size
from simulator.arrays import Floats

WORTH_A_ROUND = 0.005
"""Gain in mean log density for which EM of Gaussians goes on: later rounds follow the noise of the points."""

NEGLIGIBLE = 1e-6
"""Points of less weight than this share of the largest shape no Gaussian, and no Gaussian has less than this share."""


@dataclass(frozen=True, eq=False)
class Component:
    """A Gaussian. centre : (d,); covariance : (d, d)."""

    name: str
    centre: Floats
    covariance: Floats

    @cached_property
    def _root(self) -> Floats:
        return np.asarray(np.linalg.cholesky(self.covariance), dtype=np.float64)

    def draw(self, rows: int, generator: np.random.Generator) -> Floats:
        """(rows, d) points."""
        return np.asarray(self.centre + generator.standard_normal((rows, len(self.centre))) @ self._root.T)

    def log_density(self, z: Floats) -> Floats:
        """Log density of each row of z (n, d)."""
        scaled = solve_triangular(self._root, (z - self.centre).T, lower=True)
        log_volume = np.log(np.diag(self._root)).sum() + 0.5 * len(self.centre) * math.log(2 * math.pi)
        return np.asarray(-0.5 * np.einsum("dn,dn->n", scaled, scaled) - log_volume)


@dataclass(frozen=True, eq=False)
class Mixture:
    """Components, and the points of a block that come from each: the strata are of fixed size, not drawn."""

    components: tuple[Component, ...]
    rows: tuple[int, ...]

    def draw(self, generator: np.random.Generator) -> Floats:
        """A block of points, (sum of rows, d)."""
        strata = zip(self.components, self.rows, strict=True)
        return np.concatenate([component.draw(rows, generator) for component, rows in strata])

    def log_density(self, z: Floats) -> Floats:
        """Log density of each row of z (n, d), the strata's (Owen & Zhou 2000, J Am Stat Assoc 95, 135)."""
        parts = np.stack([component.log_density(z) for component in self.components])
        return log_mixture(parts, self.rows)


def log_mixture(log_densities: Floats, rows: Sequence[int]) -> Floats:
    """Log density of a mixture. log_densities : (n_components, n) of its components; rows : points of each."""
    log_shares = np.log(rows) - math.log(sum(rows))
    return np.asarray(special.logsumexp(log_densities + log_shares[:, None], axis=0))


def closest_shares(log_densities: Floats, weights: Floats, rounds: int = 50) -> Floats:
    """Shares (n_components,) that bring a mixture nearest to a weighted sample in Kullback-Leibler
    divergence.

    log_densities : (n_components, n) of the components at the points; weights : (n,) that sum to one. By EM:
    a_k <- sum_i w_i a_k q_k(z_i) / sum_j a_j q_j(z_i) (Cappe, Douc, Guillin, Marin & Robert 2008, Stat Comput
    18, 447).
    """
    counted = weights > 0
    log_densities, weights = log_densities[:, counted], weights[counted]
    densities = np.exp(log_densities - log_densities.max(axis=0))
    shares = np.full(len(densities), 1.0 / len(densities))
    for _ in range(rounds):
        shares = shares * (densities @ (weights / (shares @ densities)))
    return shares


def parameters_of(dimension: int) -> int:
    """Return how many parameters a Gaussian has."""
    return dimension * (dimension + 3) // 2


def closest_gaussians(z: Floats, weights: Floats, count: int, generator: np.random.Generator) -> list[Component]:
    """Return Gaussians whose mixture is near to a weighted sample in Kullback-Leibler divergence, by EM.

    z : (n, d); weights : (n,) that sum to one. Each covariance is `shrunk` to that of all points.
    """
    counted = weights > NEGLIGIBLE * weights.max()
    z, weights = z[counted], weights[counted] / weights[counted].sum()
    centre = weights @ z
    whole = Component("all", centre, _covariance(z, weights, centre))
    parts = [Component("", z[generator.choice(len(z), p=weights)], whole.covariance)]
    while len(parts) < count:
        # Far from one another (Arthur & Vassilvitskii 2007): starts close together would stay so.
        far = -np.max([part.log_density(z) for part in parts], axis=0)
        far = weights * (far - far.min())
        parts.append(Component("", z[generator.choice(len(z), p=far / far.sum())], whole.covariance))
    shares = np.full(count, 1.0 / count)
    before, now = -np.inf, float(np.finfo(float).min)
    while now - before > WORTH_A_ROUND:
        log_parts = np.stack([part.log_density(z) for part in parts]) + np.log(shares)[:, None]
        before, now = now, float(weights @ special.logsumexp(log_parts, axis=0))
        members = special.softmax(log_parts, axis=0) * weights
        members = members[members.sum(axis=1) > NEGLIGIBLE]
        shares = members.sum(axis=1)
        weights_of_parts = [of / share for of, share in zip(members, shares, strict=True)]
        parts = [
            shrunk(f"nearest {number}", of @ z, z, of, whole.covariance)
            for number, of in enumerate(weights_of_parts, 1)
        ]
    return parts


def shrunk(name: str, centre: Floats, z: Floats, weights: Floats, towards: Floats) -> Component:
    """Return a Gaussian with the covariance of points about a centre, shrunk, since few points may carry the weight.

    z : (n, d); weights : (n,) that sum to one; towards : (d, d), a covariance that counts as if of as many more points
    as a Gaussian has parameters
    """
    effective = effective_sample_size(weights)
    trust = effective / (effective + parameters_of(z.shape[1]))
    return Component(name, centre, trust * _covariance(z, weights, centre) + (1.0 - trust) * towards)


def _covariance(z: Floats, weights: Floats, centre: Floats) -> Floats:
    deviation = z - centre
    return np.asarray((deviation.T * weights) @ deviation)


def strata(shares: Floats, block: int) -> tuple[int, ...]:
    """Whole numbers that sum to `block`, in proportion to shares that sum to one (largest remainders)."""
    exact = shares * block
    rows = np.floor(exact).astype(int)
    rows[np.argsort(rows - exact, kind="stable")[: block - rows.sum()]] += 1
    return tuple(rows.tolist())
