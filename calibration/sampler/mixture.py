"""Mixtures of Gaussians to draw from, in fixed proportions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special
from scipy.linalg import solve_triangular

from simulator.arrays import Floats


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


def strata(shares: Floats, block: int) -> tuple[int, ...]:
    """Whole numbers that sum to `block`, in proportion to shares that sum to one (largest remainders)."""
    exact = shares * block
    rows = np.floor(exact).astype(int)
    rows[np.argsort(rows - exact, kind="stable")[: block - rows.sum()]] += 1
    return tuple(rows.tolist())
