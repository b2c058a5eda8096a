"""What is read off curves on a lattice at some months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.measures import Measure


@dataclass(frozen=True)
class Weights:
    """Weights in time of who comes at the lattice's points, in its cells, and of moments, (n, n_sums) each."""

    lattice: Lattice
    in_time: tuple[Floats, Floats, Floats]

    @cached_property
    def transformed(self) -> list[Floats]:
        return [self.lattice.turned(weights) for weights in self.in_time]

    def of(self, measure: Measure) -> Floats:
        """Return the weighted sums of a transformed measure, (n_draws or 1, n_sums), without its inverse."""
        total = np.zeros((1, 1))
        for part, in_time, transformed in zip(measure, self.in_time, self.transformed, strict=True):
            if part is not None and part.shape[-1] == 1:
                # What comes at month 0.
                total = total + part.real * in_time[:1]
            elif part is not None:
                total = total + np.ascontiguousarray(part).view(np.float64) @ transformed
        return total


def come_by_months(months: Sequence[float], lattice: Lattice) -> Weights:
    """Return the weights of entries by months. In the part x of a cell come x mass - 6 x (1 - x) moment."""
    below, x = _places(months, lattice.step)
    cells = np.arange(lattice.n)[:, None]
    before, inside = 1.0 * (cells < below), 1.0 * (cells == below)
    return Weights(lattice, (before + inside, before + x * inside, -6.0 * x * (1.0 - x) * inside))


def months_since(months: Sequence[float], lattice: Lattice) -> Weights:
    """Return the weights of the integral of that from 0 to months: of the months since patients have come."""
    below, x = _places(months, lattice.step)
    cells = np.arange(lattice.n)[:, None]
    before, inside = lattice.step * (cells < below), lattice.step * (cells == below)
    since = below + x - cells
    masses = (since - 0.5) * before + 0.5 * x**2 * inside
    return Weights(lattice, (since * (before + inside), masses, -before - x**2 * (3.0 - 2.0 * x) * inside))


def come_by(months: Sequence[float], by: Floats, step: float) -> Floats:
    """Return how many have come by months, (..., n_months), linear between the lattice's points. by : (..., n)"""
    below, part = _places(months, step)
    return np.asarray((1.0 - part) * by[..., below] + part * by[..., np.minimum(below + 1, by.shape[-1] - 1)])


def summed_up_to(months: Sequence[float], by: Floats, means: Floats, step: float) -> Floats:
    """Return the integral of that from 0 to months, (..., n_months).

    Of a cell that ends later the mean counts, less what those add who come in the rest of it. means : over every cell
    """
    below, part = _places(months, step)
    whole = np.cumsum(means, axis=-1)
    whole = np.where(below > 0, whole[..., below - 1], 0.0)
    after = np.minimum(below + 1, by.shape[-1] - 1)
    bend = 0.5 * (1.0 - part) * (by[..., after] - by[..., below])
    return np.asarray(step * (whole + part * (means[..., np.minimum(below, means.shape[-1] - 1)] - bend)))


def _places(months: Sequence[float], step: float) -> tuple[Integers, Floats]:
    """Return the cell of each month, and the part of it that lies before the month."""
    places = np.array(months) / step
    below = np.floor(places + 1e-9).astype(int)
    return below, np.maximum(places - below, 0.0)
