"""The modes of a posterior whose prior is N(0, I), and its Gaussian approximation at each (Laplace's)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from simulator.arrays import Floats

LogDensity = Callable[[Floats], Floats]

GRADIENT_STEP = 1e-3
"""Half-width of the central differences of a gradient, in prior standard deviations."""

TRIAL_STEP = 3e-3
"""Half-width of the differences that first measure the width of the posterior, in prior standard deviations."""

CURVATURE_STEP = 0.1
"""Half-width of the differences of a Hessian, in conditional posterior standard deviations."""


@dataclass(frozen=True, eq=False)
class Mode:
    """A local maximum of the posterior.

    centre : (d,); precision : (d, d) minus the Hessian of the log posterior there, with no eigenvalue below
    the prior's 1; log_posterior : unnormalised.
    """

    centre: Floats
    precision: Floats
    log_posterior: float

    def distance(self, z: Floats) -> Floats:
        """Squared Mahalanobis distance of each row of z (n, d) from the centre."""
        deviation = z - self.centre
        return np.asarray(np.einsum("nd,nd->n", deviation @ self.precision, deviation))

    def bridge(self, power: float) -> tuple[Floats, Floats]:
        """Centre and covariance of prior x likelihood^power in the mode's Gaussian approximation.

        With precision I + H, where H is the likelihood's, the power posterior (Friel & Pettitt 2008, J R Stat
        Soc B 70, 589) has precision I + power H and centre power (I + power H)^-1 (I + H) mode.
        """
        eigenvalues, axes = np.linalg.eigh(self.precision)
        tempered = 1.0 + power * (eigenvalues - 1.0)
        centre = power * (axes * (eigenvalues / tempered)) @ (axes.T @ self.centre)
        return centre, (axes / tempered) @ axes.T


def nearest_modes(modes: Sequence[Mode], z: Floats) -> NDArray[np.intp]:
    """Return the place of the mode nearest to every row of z (n, d)."""
    return np.asarray(np.argmin([mode.distance(z) for mode in modes], axis=0))


def find_modes(log_posterior: LogDensity, z: Floats, log_density: Floats, *, starts: int) -> tuple[Mode, ...]:
    """Climb from the best of the points z, then from the best one far from the modes so far.

    log_posterior : maps (n, d) to (n,), -inf allowed; z : (n, d) points with their `log_density` (n,). After
    each climb the n / starts points nearest to the mode leave (Raftery & Bao 2010, section 3.2). Modes that
    coincide, and modes less than e^-20 as high as the best, are left out.
    """
    modes: list[Mode] = []
    remaining = np.flatnonzero(np.isfinite(log_density))
    for _ in range(starts):
        if not len(remaining):
            break
        start = z[remaining[np.argmax(log_density[remaining])]]
        centre = _climb(log_posterior, start)
        mode = next((mode for mode in modes if mode.distance(centre[None])[0] < 1.0), None)
        if mode is None:
            mode = _laplace(log_posterior, centre)
            modes.append(mode)
        nearest = np.argsort(mode.distance(z[remaining]), kind="stable")[: -(-len(z) // starts)]
        remaining = np.delete(remaining, nearest)
    best = max((mode.log_posterior for mode in modes), default=-np.inf)
    return tuple(mode for mode in modes if mode.log_posterior > best - 20.0)


def _climb(log_posterior: LogDensity, start: Floats) -> Floats:
    """The local maximum above `start`, to about a hundredth of a posterior standard deviation."""
    steps = GRADIENT_STEP * np.eye(len(start))
    floor = log_posterior(start[None])[0] - 1e6

    def descent(point: Floats) -> tuple[float, Floats]:
        values = log_posterior(np.concatenate([point[None], point + steps, point - steps]))
        height, forward, backward = values[0], *np.split(values[1:], 2)
        if not np.isfinite(height):
            return -floor, np.zeros_like(point)
        # next to a zero of the likelihood the difference is one-sided, between two it is none
        rise = np.where(np.isfinite(forward), forward, height) - np.where(np.isfinite(backward), backward, height)
        width = GRADIENT_STEP * (np.isfinite(forward).astype(float) + np.isfinite(backward))
        return -height, -rise / np.maximum(width, GRADIENT_STEP)

    result = optimize.minimize(
        descent, start, jac=True, method="L-BFGS-B", options={"gtol": 1e-2, "ftol": 1e-8, "maxiter": 200}
    )
    return np.asarray(result.x)


def _laplace(log_posterior: LogDensity, centre: Floats) -> Mode:
    """The Gaussian approximation at a mode, from differences scaled to the posterior's own width."""
    dimension = len(centre)
    _, trial = _differences(log_posterior, centre, np.full(dimension, TRIAL_STEP), np.empty((2, 0), dtype=np.intp))
    width = CURVATURE_STEP / np.sqrt(np.maximum(np.diag(trial), 1.0))
    pairs = np.stack(np.triu_indices(dimension, 1))
    height, precision = _differences(log_posterior, centre, width, pairs)
    eigenvalues, axes = np.linalg.eigh(precision)
    # where the likelihood is convex the prior still bounds the posterior: never wider than the prior
    return Mode(centre, (axes * np.maximum(eigenvalues, 1.0)) @ axes.T, height)


def _differences(
    log_posterior: LogDensity, centre: Floats, width: Floats, pairs: NDArray[np.intp]
) -> tuple[float, Floats]:
    """Log posterior at the centre, and minus its Hessian (d, d): the diagonal and the given (2, n) pairs of
    columns.

    H_ij = [f(+i+j) - f(+i) - f(+j) + 2 f - f(-i) - f(-j) + f(-i-j)] / (2 w_i w_j) (Abramowitz & Stegun 1964,
    25.3.27), with half-widths w (d,), in one call of 1 + 2 d + 2 n rows. Next to a zero of the likelihood the
    prior's curvature stands in.
    """
    dimension = len(centre)
    steps = np.diag(width)
    first, second = pairs
    corners = steps[first] + steps[second]
    offsets = np.concatenate([np.zeros((1, dimension)), steps, -steps, corners, -corners])
    values = log_posterior(centre + offsets)
    height = values[0]
    ends = np.cumsum([dimension, dimension, len(first)])
    forward, backward, along, against = np.split(values[1:], ends)
    sides = forward + backward
    minus_hessian = np.eye(dimension)
    known = np.isfinite(sides)
    minus_hessian[known, known] = (2 * height - sides[known]) / width[known] ** 2
    usable = known[first] & known[second] & np.isfinite(along + against)
    i, j = first[usable], second[usable]
    mixed = along[usable] + against[usable] + 2 * height - sides[i] - sides[j]
    minus_hessian[i, j] = minus_hessian[j, i] = -mixed / (2 * width[i] * width[j])
    return float(height), minus_hessian
