"""Sums of path curves of many populations at once, at some months or at a place of its own in every draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.engines.exact.path_flows import PathFlows, of_paths
from simulator.engines.exact.paths import Paths


@dataclass(frozen=True)
class PathSums:
    """Sums of path curves. used : places of paths; shares : (n_draws, n_sums, n_used) their coefficients"""

    paths: Paths
    used: tuple[int, ...]
    shares: Floats

    def at(self, month: float) -> Floats:
        """Return how many have come by a month, (n_draws, n_sums)."""
        return self._read(("at", month), lambda path: self.paths.at(path, (month,)))

    def up_to(self, month: float) -> Floats:
        """Return the integral of that from 0 to a month, (n_draws, n_sums)."""
        return self._read(("up to", month), lambda path: self.paths.up_to(path, (month,)))

    def at_places(self, places: Integers) -> Floats:
        """Return how many have come by places on the lattice, (n_draws, n_sums)."""
        return self._gathered(self._table("curves", self.paths.curve), places)

    def at_every(self, cells: int) -> Floats:
        """Return how many have come by every so many cells of the lattice, (n_draws, n_sums, n)."""
        return self._summed(self._table("curves", self.paths.curve)[:, ::cells].transpose(0, 2, 1))

    def means_at(self, places: Integers) -> Floats:
        """Return the mean of that over the cells after places, (n_draws, n_sums)."""
        return self._gathered(self._table("means", self.paths.mean), places)

    def _read(self, key: tuple[object, ...], read: Callable[[int], Floats]) -> Floats:
        return self._summed(self._table(key, read)[:, 0, :, None])[..., 0]

    def _summed(self, table: Floats) -> Floats:
        """Return the sums of a table of paths, (n_draws or fewer, n_used, n)."""
        by_draw = self.shares.reshape(len(self.shares) // len(table), len(table), *self.shares.shape[1:])
        return np.asarray(np.matmul(by_draw, table).reshape(*self.shares.shape[:2], -1))

    def _gathered(self, table: Floats, places: Integers) -> Floats:
        rows = table[np.arange(len(places))[:, None] % len(table), places]
        return np.asarray(np.einsum("dsp,dsp->ds", self.shares, rows))

    def _table(self, key: object, read: Callable[[int], Floats]) -> Floats:
        """Return what is read of the paths, (n_draws, n, n_used): those of one draw and place next to one another.

        Of draws that are repeated, once.
        """
        n_draws = len(self.shares) // self.paths.repeats

        def make() -> Floats:
            if not self.used:
                return np.zeros((n_draws, self.paths.lattice.n, 0))
            return np.stack(np.broadcast_arrays(np.zeros((n_draws, 1)), *map(read, self.used))[1:], axis=-1)

        return self.paths.once((key, self.used, n_draws), make)


def path_sums(of: PathFlows, flows: Sequence[Any]) -> PathSums:
    """Return flows as sums over all paths that any of them uses."""
    used, shares = of_paths(flows)
    return PathSums(of.after.paths, used, np.broadcast_to(shares, (of.after.model.n_draws, *shares.shape[1:])))
