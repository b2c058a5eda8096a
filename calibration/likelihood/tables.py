"""The probability of reported counts of multinomial patients, summed over all tables that they do not exclude.

Cells lie in blocks B, whose sizes n_B the counts settle; counts c of the cells A cross the blocks (see `blocks`).

    P = n! / prod n_B!  prod Z_B(s)^n_B  e^(-s c)  Q,    Z_B(s) = sum over the cells of B of p e^(s A)

Q : the chance that patients tilted by s have the counts c. At the saddle point (Daniels 1954, Ann Math Stat 25:631)
they have them on average, so that no number is too small for a double. Q is found by the cheaper of two ways: patient
after patient (see `convolution`), if few patients are in many counts; else by a discrete Fourier transform:

    Q = mean over angles t of  prod [Z_B(s + i t) / Z_B(s)]^n_B  e^(-i t c)

The angles need to distinguish the counts within some standard deviations, not all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from calibration.likelihood.blocks import Blocks, blocks_of, occupied
from calibration.likelihood.cells import Equation, check_equations
from calibration.likelihood.convolution import Convolution
from simulator.arrays import Complex, Floats, slices
from simulator.errors import InputError

MOST_WORK = 60_000_000
"""A log-likelihood takes as many times 2 nanoseconds."""
AN_ANGLE = 50
"""Its work for each block."""
CHUNK = 500_000
"""Angles times parameter rows that are computed at a time."""
STEPS = 500
"""Of Newton's method: a chance of 1e-300 is 140 steps away."""
LONGEST_STEP = 5.0
TINY = 1e-300
"""Instead of 0 while patients are tilted: some of the other cells fit the counts."""
NEGLIGIBLE = 1e-17
"""A term that no double sees next to 1."""


@dataclass(frozen=True)
class Tables:
    """Reported counts of cells. Raises InputError where no table of whole patients fits them, or too many do."""

    n_cells: int
    equations: tuple[Equation, ...]
    where: str

    def __post_init__(self) -> None:
        check_equations(self.equations, self.n_cells, self.where)
        convolution = self._convolution(range(self.n_cells))
        assert convolution is not None
        if not (blocks := convolution.blocks).where:
            return
        even = _tilted(blocks, np.ones((1, self.n_cells)) @ blocks.merged)
        angles = _work_of_angles(blocks, _spans(blocks, even.variances))
        if angles > MOST_WORK and not _is_at_most(convolution, MOST_WORK):
            raise InputError(
                f"{len(blocks.where)} counts of several arms leave too many tables open",
                where=" and ".join(dict.fromkeys(blocks.where)),
                allowed='the same counts by arm, or use = "predictive" for one of these',
            )

    def log_likelihood(self, probabilities: Floats) -> Floats:
        """Return the log probability of the counts, (n_draws,), for probabilities : (n_draws, n_cells)."""
        log_likelihood = np.full(len(probabilities), -np.inf)
        # Whether the other cells have a chance does not matter: they have no patient in any table.
        cells = np.array(_occupied(self.equations, tuple(range(self.n_cells))), dtype=np.intp)
        possible = probabilities[:, cells] > 0.0
        patterns, pattern_of_row = np.unique(possible, axis=0, return_inverse=True)
        fits = [bool(_occupied(self.equations, tuple(cells[pattern].tolist()))) for pattern in patterns]
        rows = np.array(fits)[pattern_of_row.ravel()]
        if rows.any():
            convolution = self._convolution(cells[possible[rows].any(axis=0)].tolist())
            assert convolution is not None
            log_likelihood[rows] = self._log_probability(convolution, probabilities[rows] @ convolution.blocks.merged)
        return log_likelihood

    @cached_property
    def by_saddle_point(self) -> Tables:
        """The same counts, their log probability a few hundredths off, however many tables they leave open."""
        return _SaddlePoint(self.n_cells, self.equations, self.where)

    def _log_probability(self, convolution: Convolution, merged: Floats) -> Floats:
        """Return log P, (n_draws,), for the probabilities of merged cells : (n_draws, n_merged)."""
        tilted = _tilted(convolution.blocks, np.maximum(merged, TINY))
        cells = np.where(merged > 0.0, tilted.cells, 0.0)
        with np.errstate(divide="ignore"):
            return tilted.log_probability + np.log(_chance(convolution, tilted, cells))

    def _convolution(self, possible: Iterable[int]) -> Convolution | None:
        """Return the blocks where only some cells have a chance; None where the counts need others too."""
        return _convolution(self.equations, tuple(possible), self.n_cells)


@lru_cache(maxsize=1000)
def _occupied(equations: tuple[Equation, ...], possible: tuple[int, ...]) -> list[int]:
    return occupied(equations, possible)


@lru_cache(maxsize=100)
def _convolution(equations: tuple[Equation, ...], possible: tuple[int, ...], n_cells: int) -> Convolution | None:
    occupied_cells = _occupied(equations, possible)
    return Convolution(blocks_of(equations, occupied_cells, n_cells)) if occupied_cells else None


@dataclass(frozen=True)
class _Tilted:
    """Patients tilted by s, so that they have the crossing counts on average.

    cells : (n_draws, n_merged) probabilities within each block; log_probability : log P without log Q, (n_draws,)
    covariances : (n_draws, n_crossing, n_crossing) of the crossing counts
    """

    cells: Floats
    log_probability: Floats
    covariances: Floats

    @property
    def variances(self) -> Floats:
        return np.diagonal(self.covariances, axis1=1, axis2=2)


class _SaddlePoint(Tables):
    """Q = 1 / sqrt(det(1 + 2 pi V)), from the covariances V alone: right for many patients and for none."""

    def _log_probability(self, convolution: Convolution, merged: Floats) -> Floats:
        tilted = _tilted(convolution.blocks, np.maximum(merged, TINY))
        spread = np.eye(len(convolution.blocks.where)) + 2.0 * np.pi * tilted.covariances
        return np.asarray(tilted.log_probability - np.linalg.slogdet(spread)[1] / 2.0)


def _chance(convolution: Convolution, tilted: _Tilted, cells: Floats) -> Floats:
    """Return Q, (n_draws,). cells : (n_draws, n_merged) of the tilted patients, 0 where they cannot be"""
    blocks, variances = convolution.blocks, tilted.variances
    if not blocks.where:
        return np.ones(len(cells))
    spans = _spans(blocks, variances)
    if _is_at_most(convolution, _work_of_angles(blocks, spans)):
        return convolution.chance(cells)
    parts = slices(len(cells), max(1, CHUNK // int(np.prod(spans))))
    chance = np.concatenate([_inverted(blocks, cells[part], _spans(blocks, variances[part])) for part in parts])
    # a sum no larger than rounding belongs to no table of whole patients
    return np.where(chance > 1e-12, chance, 0.0)


def _tilted(blocks: Blocks, merged: Floats) -> _Tilted:
    """Minimise sum n_B log Z_B(s) - s c by Newton's method with halved steps; it is convex, and any s near will do."""
    crosses, owner = blocks.crosses, np.repeat(np.arange(len(blocks.starts)), blocks.lengths)
    log_p, patients, n_crossing = np.log(merged.T), blocks.sizes[owner], len(blocks.where)
    pairs = (crosses[:, :, None] * crosses[:, None, :]).reshape(len(crosses), n_crossing**2)
    of_block = (owner[:, None] == np.arange(len(blocks.starts)))[:, :, None] * crosses[:, None, :]
    of_block = of_block.reshape(len(crosses), len(blocks.starts) * n_crossing)

    def at(s: Floats) -> tuple[Floats, Floats]:
        weights = log_p + crosses @ s.T
        highest = np.maximum.reduceat(weights, blocks.starts, axis=0)
        cells = np.exp(weights - highest[owner])
        sums = np.add.reduceat(cells, blocks.starts, axis=0)
        log_blocks = (highest + np.log(sums)).T
        return log_blocks @ blocks.sizes - s @ blocks.counts, (cells / sums[owner]).T

    s = np.zeros((len(merged), n_crossing))
    height, cells = at(s)
    for _ in range(STEPS):
        slope = (cells * patients) @ crosses - blocks.counts
        means = (cells @ of_block).reshape(len(s), len(blocks.starts), n_crossing)
        curvature = ((cells * patients) @ pairs).reshape(len(s), n_crossing, n_crossing)
        curvature -= np.matmul((means * blocks.sizes[:, None]).swapaxes(1, 2), means)
        step = -np.linalg.solve(curvature + 1e-10 * np.eye(n_crossing), slope[:, :, None])[:, :, 0]
        fall = -(slope * step).sum(axis=1)
        if not (fall > 1e-4).any():
            break
        step *= np.minimum(1.0, LONGEST_STEP / np.maximum(np.abs(step).max(axis=1, initial=0.0), 1e-300))[:, None]
        for _ in range(50):
            following = at(s + step)
            higher = following[0] > height + 1e-9 * np.abs(height)
            if not higher.any():
                break
            step[higher] /= 2.0
        s, (height, cells) = s + step, following
    log_arrangements = special.gammaln(blocks.sizes.sum() + 1.0) - special.gammaln(blocks.sizes + 1.0).sum()
    return _Tilted(cells, log_arrangements + height, curvature)


def _spans(blocks: Blocks, variances: Floats) -> NDArray[np.intp]:
    """Return the number of values of every crossing count to distinguish: all, or 7 of their SD and 8 (1e-10)."""
    some = np.maximum.reduceat(blocks.crosses, blocks.starts, axis=0)
    every = np.minimum.reduceat(blocks.crosses, blocks.starts, axis=0)
    possible = blocks.sizes @ (some - every) + 1.0
    near = np.ceil(7.0 * np.sqrt(variances.max(axis=0)) + 8.0)
    return np.asarray(np.minimum(possible, near), dtype=np.intp)


def _work_of_angles(blocks: Blocks, spans: NDArray[np.intp]) -> float:
    return float(AN_ANGLE * np.prod(spans, dtype=float) / 2.0 * (blocks.lengths > 1).sum())


def _is_at_most(convolution: Convolution, work: float) -> bool:
    """Return whether a convolution is no more work; its steps are not listed in vain."""
    return convolution.least_work <= work and convolution.work <= work


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
