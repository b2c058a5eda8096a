"""Steps of time: the months between the points at which curves are read off, and between the edges of a lattice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.pathway.pathway import Pathway

STEP = 0.1
"""Months. Cells are at most this wide, halved while a sojourn of the pathway is too short for them."""
FINEST, FINEST_READ = 2**17, 2**14
"""Cells at most: of a lattice, and where cells are halved only for the months that are read off."""
OTHERWISE = 10
"""Times in a tenth of a month where fixed times have no common measure: one spreads over a hundredth of a month."""


def step_of_reading(pathway: Pathway, horizon: float) -> float:
    """Return the months between points, a tenth or less, of which the horizon and every month of survival is one."""
    return STEP / divisor(read_off(pathway, horizon), STEP, int(FINEST_READ * STEP / horizon))


def read_off(pathway: Pathway, horizon: float) -> list[float]:
    """Return the months at which survival is reported, and the horizon."""
    return [horizon, *(month for month in pathway.months.survival if month < horizon)]


def divisor(months: Sequence[float], step: float, most: int) -> int:
    """Return the least k so that all months are multiples of step / k; OTHERWISE, or `most`, if none up to that is."""
    for k in range(1, max(most, 1) + 1):
        cells = np.array(months) * (k / step)
        if np.all(np.abs(cells - np.rint(cells)) < 1e-7):
            return k
    return max(min(OTHERWISE, most), 1)
