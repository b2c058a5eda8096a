"""Patients without benefit who come to a group's state after its window has closed, where they decide later than at
the clock's start: what they go through from then on is not of the group.

    late(t) = sum of b(u) f(v) g(t - u - v) S(t - u)   over u + v > W

b : who decide at month u; f : who come to the state v months later; g : who go on along a path from there; S : who live
so long after the decision under supportive care. On the cells' edges: the error falls with the square of the step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.arrays import Floats
from simulator.engines.exact.measures import InTime

NOBODY = 1e-10
"""A share of patients that is followed no further."""


class Entries(NamedTuple):
    """Who come at the lattice's points at once, and all others, on the cells' edges, the mean time kept; (..., n)."""

    at_points: Floats
    spread: Floats


def on_edges(measure: InTime) -> Entries:
    """Return entries of a measure in time."""
    spread = 0.5 * measure.masses - measure.moments
    spread[..., 1:] += (0.5 * measure.masses + measure.moments)[..., :-1]
    return Entries(measure.points, spread)


def of_cells(edges: Floats) -> Floats:
    """Return what lies on the edges, spread over the cells at both sides, (..., n)."""
    return 0.5 * (edges + np.append(edges[..., 1:], np.zeros_like(edges[..., :1]), axis=-1))


def late(came: Entries, first: Entries, onward: Floats, there: Floats, window: int) -> Floats:
    """Return the sum above, on the edges (..., n). there : S; window : the edge on which the window ends

    Who comes at the very end of the window is early; of a density half of the last edge is.
    """
    pairs = [(came.spread, first.at_points + first.spread, 0.5), (came.at_points, first.spread, 0.5)]
    pairs += [(came.at_points, first.at_points, 0.0)]
    return np.asarray(sum(_late(*pair, onward, there, window) for pair in pairs))


def _late(came: Floats, first: Floats, part: float, onward: Floats, there: Floats, window: int) -> Floats:
    """Return the same; part : of those on the window's last edge who are late."""
    n = onward.shape[-1]
    shape = np.broadcast_shapes(came.shape, first.shape, onward.shape, there.shape)
    total = np.zeros(shape)
    if not came.any() or not first.any():
        return total
    after = np.array(np.broadcast_to(_convolved(first, onward), shape))
    # The later the decision, the fewer come to the state within the window.
    for at in range(n - 1, -1, -1):
        by, early = max(window - at, 0), np.zeros(1)
        if by < n and window >= at:
            early = first[..., by : by + 1] * onward[..., : n - by]
        after[..., by:] -= (1.0 - part) * early
        if np.any(np.abs(came[..., at]) > NOBODY):
            total[..., at:] += came[..., at : at + 1] * (there * after)[..., : n - at]
        after[..., by:] -= part * early
    return total


def _convolved(left: Floats, right: Floats) -> Floats:
    n = left.shape[-1]
    return np.asarray(np.fft.irfft(np.fft.rfft(left, 2 * n) * np.fft.rfft(right, 2 * n), 2 * n)[..., :n])
