"""What is read off curves on a lattice at some months."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.arrays import Floats, Integers


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
