"""The chance that patients of several blocks have some counts between them: block after block, patient after patient.

    h(x) = prod_B (sum over the cells of B of p x^a)^n_B,   the coefficient of x^c

a : 0 or 1, the counts that a cell is in;  c : the counts. Only powers from which c can still be reached are kept, and
the blocks come so that few counts are open at a time. All terms are positive: nothing is lost in rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calibration.likelihood.blocks import Blocks
from simulator.arrays import Floats, slices

Powers = NDArray[np.intp]

KEPT = 300_000
"""Coefficients times parameter rows that are multiplied at a time: they stay in the processor's cache."""
A_CALL = 16
"""Terms that take as long as a call."""


class Move(NamedTuple):
    """One patient in a merged cell: which coefficients become which."""

    cell: int
    source: tuple[slice, ...]
    target: tuple[slice, ...]


class Step(NamedTuple):
    """One patient more: the shape of the coefficients then, and the moves."""

    shape: tuple[int, ...]
    moves: list[Move]


@dataclass(frozen=True)
class Convolution:
    """Blocks of patients, with counts that cross them."""

    blocks: Blocks

    @cached_property
    def _patients(self) -> list[NDArray[np.intp]]:
        """The merged cells that each patient may be in, one patient after the other."""
        cells = np.split(np.arange(len(self.blocks.crosses)), self.blocks.starts[1:])
        is_open = [self._crosses[of_block].any(axis=0) for of_block in cells]
        left, begun = [b for b, of_block in enumerate(cells) if len(of_block) > 1], np.zeros(len(self.blocks.counts))
        patients: list[NDArray[np.intp]] = []
        while left:
            block = min(left, key=lambda b: (int((is_open[b] > begun).sum()), len(cells[b])))
            left.remove(block)
            begun = np.maximum(begun, is_open[block])
            patients += [cells[block]] * int(self.blocks.sizes[block])
        return patients

    @cached_property
    def _crosses(self) -> Powers:
        return self.blocks.crosses.astype(np.intp)

    @cached_property
    def _bounds(self) -> tuple[Powers, Powers]:
        """The least and greatest counts after each patient, (n_patients + 1, n_crossing)."""
        counts, powers = self.blocks.counts.astype(np.intp), [self._crosses[cells] for cells in self._patients]
        nobody = np.zeros_like(counts)
        least = np.cumsum([nobody, *(power.min(axis=0) for power in powers)], axis=0)
        most = np.cumsum([nobody, *(power.max(axis=0) for power in powers)], axis=0)
        return np.maximum(least, counts - (most[-1] - most)), np.minimum(most, counts - (least[-1] - least))

    @cached_property
    def _steps(self) -> list[Step]:
        """One for each patient."""
        low, high = self._bounds
        steps = []
        for cells, lows, highs in zip(self._patients, pairwise(low), pairwise(high), strict=True):
            (least, new_least), (most, new_most) = lows, highs
            moves = []
            for cell in cells.tolist():
                power = self._crosses[cell]
                first, last = np.maximum(least + power, new_least), np.minimum(most + power, new_most)
                if (first <= last).all():
                    moves.append(Move(cell, _box(first, last, power + least), _box(first, last, new_least)))
            steps.append(Step(tuple((new_most - new_least + 1).tolist()), moves))
        return steps

    @property
    def least_work(self) -> int:
        """The calls of a parameter row as terms, if every cell of a patient takes one."""
        lengths, sizes = self.blocks.lengths, self.blocks.sizes
        return A_CALL * int(lengths[lengths > 1] @ sizes[lengths > 1])

    @cached_property
    def work(self) -> int:
        """Terms of a parameter row, and calls as so many terms."""
        moves = (move for step in self._steps for move in step.moves)
        return sum(A_CALL + math.prod(part.stop - part.start for part in move.source) for move in moves)

    def chance(self, cells: Floats) -> Floats:
        """Return the probability of the counts, (n_draws,). cells : (n_draws, n_merged), within each block"""
        largest = max(math.prod(step.shape) for step in self._steps)
        parts = slices(len(cells), max(1, KEPT // largest))
        return np.concatenate([self._of_some(np.ascontiguousarray(cells[part].T)) for part in parts])

    def _of_some(self, cells: Floats) -> Floats:
        """Return the same for cells : (n_merged, n_draws)."""
        n_draws = cells.shape[1]
        terms = np.ones((*(1 for _ in self.blocks.counts), n_draws))
        for shape, moves in self._steps:
            following = np.zeros((*shape, n_draws))
            for cell, source, target in moves:
                following[target] += terms[source] * cells[cell]
            terms = following
        return np.asarray(terms.reshape(-1, n_draws)[-1])


def _box(first: Powers, last: Powers, since: Powers) -> tuple[slice, ...]:
    """Return the places of some powers, where those that are kept begin with `since`."""
    ends = zip((first - since).tolist(), (last - since).tolist(), strict=True)
    return tuple(slice(start, end + 1) for start, end in ends)
