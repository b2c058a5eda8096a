"""Survival of a solved model near one month, as finely as its median needs it.

Where deaths are spread evenly over the cells about the month, the lattice is fine enough. Where they are not, after a
fixed time or a steep start, the draw is solved again as far as that month on a finer lattice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from simulator.arrays import Booleans, Floats, Integers
from simulator.engines.exact.first_events import FirstEvents
from simulator.engines.exact.solution import Solution
from simulator.engines.lifetimes import Path
from simulator.engines.steps import FINEST, STEP

Key = tuple[str, str]

FINE = 0.0025
"""Months a cell of the finer lattice, which may put one fixed time that much too late."""
SLOPE, SPIKE = 0.6, 0.08
"""Of the deaths in a cell of a tenth of a month, by how much those in the cells around it may differ,
and their mean from them: a line through the cell then misses the crossing by less than 0.004 months."""


@dataclass
class Crossing:
    """The curves of a solved model near a month.

    survival, means : (clock, population) -> S at lattice points (n_draws, n_months), and its means between them
    solve : what solves a model to a horizon, with `step` and `window`
    """

    solution: Solution | FirstEvents
    survival: Mapping[Key, Floats]
    means: Mapping[Key, Floats]
    solve: Callable[..., Solution | FirstEvents]
    _finer: dict[tuple[int, float, bool], Solution | FirstEvents] = field(default_factory=dict)

    def paths(self, key: Key, places: Integers) -> list[Path | None]:
        """Return each draw's S from month 0 to its place on a finer lattice; None where this one is fine enough."""
        alive, means = self.survival[key], self.means[key]
        inside, draw = (places > 1) & (places < means.shape[1]), np.arange(places.size)
        place = np.where(inside, places, 1)
        around = np.stack([alive[draw, np.clip(place + i, 0, means.shape[1])] for i in range(-2, 2)])
        even = is_even(around, means[draw, place - 1], STEP / self.solution.lattice.step)
        return self.along(key, places, (places > 0) & ~(inside & even))

    def along(self, key: Key, places: Integers, coarse: Booleans) -> list[Path | None]:
        """Return the same, of the draws in which this lattice is too coarse."""
        if self.solution.lattice.step <= FINE:
            return [None] * places.size
        return [self._path(key, draw, int(places[draw])) if value else None for draw, value in enumerate(coarse)]

    def _path(self, key: Key, draw: int, place: int) -> Path:
        months = self.solution.months
        # The lattice's own error may put the crossing into the next cell.
        until = float(months[min(place + 2, months.size - 1)])
        in_group = key[1] in self.solution.model.pathway.groups
        fine = self._solved(draw, until, in_group and not self.solution.is_settled)
        if in_group and self.solution.is_settled:
            fine.keep_size(key[1], self.solution.size(key[1])[[draw]])
        return fine.months, fine.survival(key[1], key[0])[0]

    def _solved(self, draw: int, until: float, window: bool) -> Solution | FirstEvents:
        if (draw, until, window) not in self._finer:
            if window:
                # One that reaches to the end of the group window takes hundreds of megabytes.
                self._finer = {key: finer for key, finer in self._finer.items() if not key[2]}
            model, step = self.solution.model, self.solution.lattice.step
            reach = max(until, model.pathway.group_window) if window else until
            parts = int(min(np.ceil(step / FINE), max(FINEST / 4 * step / reach, 1)))
            self._finer[draw, until, window] = self.solve(model.of_draw(draw), until, step=step / parts, window=window)
        return self._finer[draw, until, window]


def is_even(around: Floats, mean: Floats, coarser: float) -> Booleans:
    """Return where about as many die in a cell as in its neighbours.

    around : (4, ...) survival at the ends of the cell before, the cell, and the cell after; mean : of the cell's
    coarser : a tenth of a month, in cells
    """
    before, at, after = -np.diff(around, axis=0)
    early = np.abs(mean - 0.5 * (around[1] + around[2]))
    spike = np.maximum(np.abs(at - 0.5 * (before + after)), early)
    return np.asarray((np.abs(after - before) <= SLOPE * coarser * at) & (spike <= SPIKE * coarser * at))
