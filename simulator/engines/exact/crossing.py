"""Survival of a solved model near one month, as finely as its median needs it.

Where the deaths in a cell are as those in the cells about it lead one to expect, the lattice is fine enough. Where they
are not, after a fixed time or a steep start, the draw is solved again as far as that month on a finer lattice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from simulator.arrays import Booleans, Floats, Integers
from simulator.engines.exact.first_events import FirstEvents
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.solution import Solution
from simulator.engines.lifetimes import Path
from simulator.engines.model import Model
from simulator.engines.steps import FINEST

Key = tuple[str, str]

FINE = 0.0025
"""Months a cell of the finer lattice, which may put one fixed time that much too late."""
AROUND = 3
"""Places of the lattice on either side of the middle of a cell that are looked at."""
NEAR = 0.004
"""Months by which a median may be wrong where the deaths in a cell differ from what is expected."""


class Solved(Protocol):
    """What is known of a solved model; see `Solution`."""

    @property
    def model(self) -> Model: ...

    @property
    def months(self) -> Floats: ...

    @property
    def lattice(self) -> Lattice: ...

    @property
    def is_settled(self) -> bool: ...

    def size(self, population: str, /) -> Floats: ...


@dataclass
class Crossing:
    """The curves of a solved model near a month.

    survival, means : (clock, population) -> S at lattice points (n_draws, n_months), and its means between them
    solve : what solves a model to a horizon, with `step` and `window`
    """

    solution: Solved
    survival: Mapping[Key, Floats]
    means: Mapping[Key, Floats]
    solve: Callable[..., Solution | FirstEvents]
    _finer: dict[tuple[int, float, bool], Solution | FirstEvents] = field(default_factory=dict)

    def paths(self, key: Key, places: Integers) -> list[Path | None]:
        """Return each draw's S from month 0 to its place on a finer lattice; None where this one is fine enough."""
        alive, means = self.survival[key], self.means[key]
        last, draw = means.shape[1], np.arange(places.size)
        around = np.stack([alive[draw, np.clip(places + i, 0, last)] for i in range(-AROUND, AROUND)])
        even = is_even(around, means[draw, np.clip(places, 1, last) - 1], self.solution.lattice.step)
        return self.along(key, places, (places > 0) & ~(is_inside(places, last) & even))

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


def is_inside(places: Integers, last: int) -> Booleans:
    """Return where two cells lie before that which ends at a place, and two after it."""
    return np.asarray((places >= AROUND) & (places <= last - AROUND + 1))


def is_even(around: Floats, mean: Floats, step: float) -> Booleans:
    """Return where as many die in a cell, and as late, as a smooth density through the cells about it has.

    around : (2 AROUND, ...) survival at the ends of five cells; mean : of the middle one; step : months a cell

        mass = (4 (m_-1 + m_1) - m_-2 - m_2) / 6,   moment = (m_1 - m_-1) / 24
    """
    earlier, before, at, after, later = -np.diff(around, axis=0)
    mass = (4.0 * (before + after) - earlier - later) / 6.0
    moment = mean - 0.5 * (around[AROUND - 1] + around[AROUND])
    late = np.abs(moment - (after - before) / 24.0)
    # A fixed time in the cell adds to its mass; a jump of the density moves its mean by more than the line bends.
    return np.asarray((np.maximum(0.5 * np.abs(at - mass), late) <= NEAR / step * at) & (np.abs(moment) <= at / 6.0))
