"""Benefits of several cohorts, and of a new setting, alike but not the same:

    logit m_c ~ N(mu, tau^2),   mu ~ Logistic(0, 1),   tau ~ |N(0, s^2)|                          assumptions

by quadrature: at the middles of equal parts of each prior, which have equal weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from simulator.arrays import Floats
from simulator.randomness import Uniforms

GRID = np.linspace(0.0, 1.0, 201)
"""Of m: (n_grid,)."""
NODES = (48, 24, 48)
"""Of mu, of tau and of a cohort among its like: the middles of as many equal parts of each prior."""


@dataclass(frozen=True)
class Hierarchy:
    """mu, tau at the nodes : (n_nodes,); kernel : (n_nodes, n_grid), the distribution of a cohort's m at each."""

    mu: Floats
    tau: Floats
    kernel: Floats

    @classmethod
    def of(cls, s: float) -> Hierarchy:
        """Return the hierarchy with the prior scale s of tau."""
        mu, tau, z = (middles(n) for n in NODES)
        mu = special.logit(mu)
        tau = s * special.ndtri(0.5 + 0.5 * tau)
        mu, tau = (axis.ravel() for axis in np.meshgrid(mu, tau, indexing="ij"))
        m = special.expit(mu[:, None] + tau[:, None] * special.ndtri(z))
        place = m * (GRID.size - 1)
        below = np.minimum(place.astype(int), GRID.size - 2)
        kernel = np.zeros((mu.size, GRID.size))
        row = np.arange(mu.size)[:, None]
        np.add.at(kernel, (row, below), (1.0 - (place - below)) / z.size)
        np.add.at(kernel, (row, below + 1), (place - below) / z.size)
        return cls(mu, tau, kernel)

    def of_nodes(self, log_likelihoods: Sequence[Floats]) -> tuple[Floats, Floats]:
        """Return p(node | draw) : (n_draws, n_nodes), and the log evidence : (n_draws,)."""
        total = np.zeros((len(log_likelihoods[0]), self.mu.size))
        for log_likelihood in log_likelihoods:
            highest = log_likelihood.max(axis=1, keepdims=True)
            with np.errstate(divide="ignore"):
                total += highest + np.log(np.exp(log_likelihood - highest) @ self.kernel.T)
        return special.softmax(total, axis=1), special.logsumexp(total, axis=1) - np.log(self.mu.size)

    def sample(self, nodes: Floats, seed: int) -> Floats:
        """Return m of a new setting, one a draw, (n_draws,), by its own uniforms. nodes : (n_draws, n_nodes)."""
        benefits = np.empty(len(nodes))
        one = np.zeros(1, dtype=np.int64)
        for i, cumulative in enumerate(np.cumsum(nodes, axis=1)):
            uniforms = Uniforms(seed, draw=i + 1)
            place = np.searchsorted(cumulative, cumulative[-1] * uniforms.at("marginal_benefit/cohorts", one)[0])
            z = special.ndtri(uniforms.at("marginal_benefit/setting", one)[0])
            benefits[i] = special.expit(self.mu[place] + self.tau[place] * z)
        return benefits


def middles(n: int) -> Floats:
    """Return the middles of n equal parts of 0 to 1."""
    return np.asarray((np.arange(n) + 0.5) / n)
