"""Sums of path curves of many populations at once, at some months or at a place of its own in every draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.engines.exact.path_flows import PathFlows, of_paths
from simulator.engines.exact.paths import Paths


@dataclass(frozen=True)
class PathSums:
    """Sums of path curves.

    coefficients : the places of paths, and their shares in each sum, (n_draws, n_sums, n_used); made when first read
    reported : months that are read together, from curves; others are read one by one, without any
    """

    paths: Paths
    coefficients: Callable[[], tuple[tuple[int, ...], Floats]]
    reported: tuple[float, ...] = ()

    @cached_property
    def _of_paths(self) -> tuple[tuple[int, ...], Floats]:
        return self.coefficients()

    @property
    def used(self) -> tuple[int, ...]:
        """The places of all paths."""
        return self._of_paths[0]

    @property
    def shares(self) -> Floats:
        """(n_draws, n_sums, n_used) their coefficients."""
        return self._of_paths[1]

    def part(self, sums: slice) -> PathSums:
        """Return some of the sums."""
        return PathSums(self.paths, lambda: (self.used, self.shares[:, sums]), self.reported)

    def of_draws(self, rows: slice, paths: Paths) -> PathSums:
        """Return the same sums of some draws. paths : theirs"""

        def coefficients() -> tuple[tuple[int, ...], Floats]:
            return self.used, np.concatenate([part[rows] for part in np.split(self.shares, paths.repeats)])

        return PathSums(paths, coefficients, self.reported)

    def mixed(self, other: PathSums, share: Floats) -> PathSums:
        """Return the sums of a mixture, in which a share of patients, (n_draws,), is of these sums."""

        def coefficients() -> tuple[tuple[int, ...], Floats]:
            used = tuple(sorted({*self.used, *other.used}))
            first, second = np.zeros((2, *self.shares.shape[:2], len(used)))
            first[..., np.searchsorted(used, self.used)] = self.shares
            second[..., np.searchsorted(used, other.used)] = other.shares
            # Where both are the same, so is the mixture, to the last digit.
            return used, second + share[:, None, None] * (first - second)

        return PathSums(self.paths, coefficients, self.reported)

    def folded(self, n: int) -> PathSums:
        """Return the first of every n sums with those of the same place after it: n sums of all."""
        return PathSums(
            self.paths,
            lambda: (self.used, self.shares.reshape(len(self.shares), -1, n, len(self.used)).sum(axis=1)),
            self.reported,
        )

    def at(self, month: float) -> Floats:
        """Return how many have come by a month, (n_draws, n_sums)."""
        if month in self.reported:
            return self.at_reported[..., self.reported.index(month)]
        return self._read(("at", month), lambda path: self.paths.at(path, (month,)))

    @cached_property
    def at_reported(self) -> Floats:
        """How many have come by the reported months, (n_draws, n_sums, n_reported)."""
        return self.by_place(self.places)

    @property
    def places(self) -> Integers:
        """The places of the reported months on the lattice."""
        return np.rint(np.array(self.reported) / self.paths.lattice.step).astype(np.int64)

    def up_to(self, month: float) -> Floats:
        """Return the integral of that from 0 to a month, (n_draws, n_sums)."""
        return self._read(("up to", month), lambda path: self.paths.up_to(path, (month,)))

    def at_places(self, places: Integers) -> Floats:
        """Return how many have come by places on the lattice : (n_draws, n_sums, n), of the same shape."""
        return self._gathered(self.paths.curve, places)

    def means_at(self, places: Integers) -> Floats:
        """Return the mean of that over the cells after places."""
        return self._gathered(self.paths.mean, places)

    def means(self, number: int) -> Floats:
        """Return the means of one of the sums over every cell of the lattice, (n_draws, n)."""
        cells = np.broadcast_to(np.arange(self.paths.lattice.n - 1), (len(self.shares), 1, self.paths.lattice.n - 1))
        return self.part(slice(number, number + 1)).means_at(cells)[:, 0]

    def by_place(self, places: Integers) -> Floats:
        """Return how many have come by the same places in all draws, (n_draws, n_sums, n_places)."""
        # np.take keeps rows together, which indexing does not: products of matrices then take a tenth of the time.
        read = partial(np.take, indices=places, axis=1)
        return self._summed(
            self._table(("curves", *places.tolist()), lambda path: read(self.paths.curve(path)), places.size)
        )

    def _read(self, key: tuple[object, ...], read: Callable[[int], Floats]) -> Floats:
        return self._summed(self._table(key, read))[..., 0]

    def _summed(self, table: Floats) -> Floats:
        """Return the sums of a table of paths, (n_draws or fewer, n_used, n)."""
        by_draw = self.shares.reshape(len(self.shares) // len(table), len(table), *self.shares.shape[1:])
        return np.asarray(np.matmul(by_draw, table).reshape(*self.shares.shape[:2], -1))

    def _gathered(self, read: Callable[[int], Floats], places: Integers) -> Floats:
        """Return the sums of what is read of paths at places."""
        draws, total = np.arange(len(places))[:, None, None], np.zeros(places.shape)
        for path, share in zip(self.used, np.moveaxis(self.shares, -1, 0), strict=True):
            curve = read(path)
            total += share[..., None] * curve[draws % len(curve), places]
        return total

    def _table(self, key: object, read: Callable[[int], Floats], n: int = 1) -> Floats:
        """Return what is read of the paths, (n_draws, n_used, n); of draws that are repeated, once."""
        n_draws = len(self.shares) // self.paths.repeats

        def make() -> Floats:
            if not self.used:
                return np.zeros((n_draws, 0, n))
            return np.stack(np.broadcast_arrays(np.zeros((n_draws, 1)), *map(read, self.used))[1:], axis=1)

        return self.paths.once((key, self.used, n_draws), make)


def path_sums(of: PathFlows, flows: Callable[[], Sequence[Any]], reported: tuple[float, ...] = ()) -> PathSums:
    """Return flows, made when they are first read, as sums over all paths that any of them uses."""

    def coefficients() -> tuple[tuple[int, ...], Floats]:
        used, shares = of_paths(flows())
        return used, np.broadcast_to(shares, (of.after.model.n_draws, *shares.shape[1:]))

    return PathSums(of.after.paths, coefficients, reported)
