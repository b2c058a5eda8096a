"""The probability of reported counts of multinomial patients, summed over all tables that they do not exclude.

Cells lie in blocks B, whose sizes n_B the counts settle; counts c of the cells A cross the blocks (see `blocks`).

    P = n! / prod n_B!  prod Z_B(s)^n_B  e^(-s c)  mean over angles t of  prod [Z_B(s + i t) / Z_B(s)]^n_B  e^(-i t c)
    Z_B(s) = sum over the cells of B of p e^(s A)

That is the coefficient of a generating function, by a discrete Fourier transform, and the same for every s. At the
saddle point (Daniels 1954, Ann Math Stat 25:631) tilted patients have the counts c on average: nothing is lost in
rounding, and the angles need to distinguish the counts within some standard deviations, not all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from calibration.likelihood.blocks import Blocks, blocks_of, occupied
from calibration.likelihood.cells import Cell, Equation, check_equations
from simulator.arrays import Booleans, Complex, Floats, slices
from simulator.errors import InputError

MOST_ANGLES = 200_000
"""A log-likelihood takes as many times 0.1 microseconds for each block."""
CHUNK = 500_000
"""Angles times parameter rows that are computed at a time."""
STEPS = 500
"""Of Newton's method: a chance of 1e-300 is 140 steps away."""
LONGEST_STEP = 5.0
NEGLIGIBLE = 1e-17
"""A term that no double sees next to 1."""


@dataclass(frozen=True)
class Tables:
    """Reported counts of cells. Raises InputError where no table of whole patients fits them, or too many do."""

    cells: tuple[Cell, ...]
    equations: tuple[Equation, ...]
    where: str

    def __post_init__(self) -> None:
        check_equations(self.equations, self.cells, self.where)
        blocks = self._blocks(np.ones(len(self.cells), dtype=bool))
        assert blocks is not None
        even = _tilted(blocks, np.ones((1, len(self.cells))) @ blocks.merged)
        if np.prod(_spans(blocks, even.variances)) > 2 * MOST_ANGLES:
            raise InputError(
                f"{len(blocks.where)} counts of several arms leave too many tables open",
                where=" and ".join(dict.fromkeys(blocks.where)),
                allowed='the same counts by arm, or use = "predictive" for one of these',
            )

    def log_likelihood(self, probabilities: Floats) -> Floats:
        """Return the log probability of the counts, (n_draws,), for probabilities : (n_draws, n_cells)."""
        log_likelihood = np.full(len(probabilities), -np.inf)
        possible = probabilities > 0.0
        for pattern in np.unique(possible, axis=0):
            rows = (possible == pattern).all(axis=1)
            if (blocks := self._blocks(pattern)) is not None:
                log_likelihood[rows] = _log_probability(blocks, probabilities[rows] @ blocks.merged)
        return log_likelihood

    def _blocks(self, possible: Booleans) -> Blocks | None:
        """Return the blocks where only some cells have a chance; None where the counts need others too."""
        return _blocks(self.equations, tuple(np.flatnonzero(possible).tolist()), len(self.cells))


@lru_cache(maxsize=1000)
def _blocks(equations: tuple[Equation, ...], possible: tuple[int, ...], n_cells: int) -> Blocks | None:
    occupied_cells = occupied(equations, possible)
    return blocks_of(equations, occupied_cells, n_cells) if occupied_cells else None


@dataclass(frozen=True)
class _Tilted:
    """Patients tilted by s : (n_draws, n_crossing), so that they have the crossing counts on average.

    cells : (n_draws, n_merged) probabilities within each block; log_blocks : (n_draws, n_blocks) log Z
    variances : (n_draws, n_crossing) of the crossing counts
    """

    s: Floats
    cells: Floats
    log_blocks: Floats
    variances: Floats


def _log_probability(blocks: Blocks, merged: Floats) -> Floats:
    """Return log P, (n_draws,), for the probabilities of merged cells : (n_draws, n_merged)."""
    tilted = _tilted(blocks, merged)
    log_arrangements = special.gammaln(blocks.sizes.sum() + 1.0) - special.gammaln(blocks.sizes + 1.0).sum()
    total = log_arrangements + tilted.log_blocks @ blocks.sizes - tilted.s @ blocks.counts
    if not blocks.where:
        return np.asarray(total)
    at_once = max(1, CHUNK // int(np.prod(_spans(blocks, tilted.variances))))
    parts = slices(len(merged), at_once)
    inverted = np.concatenate([_inverted(blocks, tilted.cells[p], _spans(blocks, tilted.variances[p])) for p in parts])
    with np.errstate(divide="ignore"):
        # a sum no larger than rounding belongs to no table of whole patients
        return np.asarray(total + np.log(np.where(inverted > 1e-12, inverted, 0.0)))


def _tilted(blocks: Blocks, merged: Floats) -> _Tilted:
    """Minimise sum n_B log Z_B(s) - s c by Newton's method with halved steps; it is convex."""
    crosses, owner = blocks.crosses, np.repeat(np.arange(len(blocks.starts)), _lengths(blocks))
    log_p, patients = np.log(merged), blocks.sizes[owner]

    def at(s: Floats) -> tuple[Floats, Floats, Floats]:
        weights = log_p + s @ crosses.T
        log_blocks = np.logaddexp.reduceat(weights, blocks.starts, axis=1)
        return log_blocks @ blocks.sizes - s @ blocks.counts, np.exp(weights - log_blocks[:, owner]), log_blocks

    s = np.zeros((len(merged), len(blocks.where)))
    height, cells, log_blocks = at(s)
    for _ in range(STEPS):
        slope = (cells * patients) @ crosses - blocks.counts
        means = np.add.reduceat(cells[:, :, None] * crosses, blocks.starts, axis=1)
        curvature = np.einsum("mk,kd,ke->mde", cells * patients, crosses, crosses)
        curvature -= np.einsum("b,mbd,mbe->mde", blocks.sizes, means, means)
        step = -np.linalg.solve(curvature + 1e-10 * np.eye(s.shape[1]), slope[:, :, None])[:, :, 0]
        fall = -(slope * step).sum(axis=1)
        if not (fall > 1e-6).any():
            break
        step *= np.minimum(1.0, LONGEST_STEP / np.maximum(np.abs(step).max(axis=1, initial=0.0), 1e-300))[:, None]
        for _ in range(50):
            higher = at(s + step)[0] > height
            if not higher.any():
                break
            step[higher] /= 2.0
        s = s + step
        height, cells, log_blocks = at(s)
    return _Tilted(s, cells, log_blocks, np.diagonal(curvature, axis1=1, axis2=2))


def _lengths(blocks: Blocks) -> NDArray[np.intp]:
    return np.diff(np.append(blocks.starts, len(blocks.crosses)))


def _spans(blocks: Blocks, variances: Floats) -> NDArray[np.intp]:
    """Return the number of values of every crossing count to distinguish: all, or 7 of their SD and 8 (1e-10)."""
    some = np.maximum.reduceat(blocks.crosses, blocks.starts, axis=0)
    every = np.minimum.reduceat(blocks.crosses, blocks.starts, axis=0)
    possible = blocks.sizes @ (some - every) + 1.0
    near = np.ceil(7.0 * np.sqrt(variances.max(axis=0)) + 8.0)
    return np.asarray(np.minimum(possible, near), dtype=np.intp)


def _inverted(blocks: Blocks, cells: Floats, spans: NDArray[np.intp]) -> Floats:
    """Return the probability of the crossing counts among tilted patients, (n_draws,).

    Opposite angles have conjugate terms, so half of the first axis stands for all. Terms too small to be seen next to
    1 are dropped after every block, the largest first.
    """
    steps = [np.arange(spans[0] // 2 + 1), *map(np.arange, spans[1:])]
    axes = [2j * np.pi * step / span for step, span in zip(steps, spans, strict=True)]
    turns = np.stack([axis.ravel() for axis in np.meshgrid(*map(np.exp, axes))])
    back = [np.exp(-axis * count) / span for axis, count, span in zip(axes, blocks.counts, spans, strict=True)]
    back[0] *= np.where(np.isin(steps[0], [0, spans[0] / 2.0]), 1.0, 2.0)
    terms = np.prod([axis.ravel() for axis in np.meshgrid(*back)], axis=0)[None]
    ends = [*blocks.starts.tolist(), len(blocks.crosses)]
    cut = [block for block in zip(pairwise(ends), blocks.sizes, strict=True) if block[0][1] - block[0][0] > 1]
    for (start, end), patients in sorted(cut, key=lambda block: -block[1]):
        turned = [np.prod(turns[crosses > 0.0], axis=0) for crosses in blocks.crosses[start:end]]
        terms = terms * _power(cells[:, start:end] @ np.array(turned), int(patients))
        seen = (np.abs(terms) > NEGLIGIBLE / np.prod(spans)).any(axis=0)
        terms, turns = terms[:, seen], turns[:, seen]
    return np.asarray(terms.real.sum(axis=1))


def _power(base: Complex, exponent: int) -> Complex:
    """Return base^exponent by squaring: for arrays, several times as fast as a complex logarithm."""
    power = np.ones_like(base)
    while exponent:
        if exponent & 1:
            power = power * base
        base, exponent = base * base, exponent >> 1
    return power
