"""Survival of a solved model near one month, as finely as its median needs it.

Where deaths are spread evenly over the cells about the month, the lattice is fine enough. Where they are not, after a
fixed time or a steep start, the draw is solved again as far as that month on a finer lattice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulator.engines.lattice import FINEST, STEP
from simulator.engines.solution import Solution
from simulator.lifetimes import Path

Floats = NDArray[np.float64]
Key = tuple[str, str]

FINE = 0.0025
"""Months a cell of the finer lattice, which may put one fixed time that much too late."""
SLOPE, SPIKE = 0.6, 0.08
"""Of the deaths in a cell of a tenth of a month, by how much those in the cells beside it may differ from one another,
and their mean from them: a line through the cell then misses the crossing by less than 0.004 months."""


@dataclass
class Crossing:
    """The curves of a solved model near a month.

    survival, means : (clock, population) -> S at lattice points (n_draws, n_months), and its means between them
    solve : what solves a model to a horizon, with `step` and `window`
    """

    solution: Solution
    survival: Mapping[Key, Floats]
    means: Mapping[Key, Floats]
    solve: Callable[..., Solution]
    _finer: dict[tuple[int, float, bool], Solution] = field(default_factory=dict)

    def path(self, key: Key, draw: int, place: int) -> Path:
        """Return S of a draw up to a place: a line from the one before, or from month 0 on a finer lattice."""
        months, step = self.solution.months, self.solution.lattice.step
        alive = self.survival[key][draw]
        if step <= FINE or _is_even(alive, self.means[key][draw], place, STEP / step):
            return months[place - 1 : place + 1], alive[place - 1 : place + 1]
        # The lattice's own error may put the crossing into the next cell.
        until = float(months[min(place + 2, months.size - 1)])
        fine = self._solved(draw, until, key[1] in self.solution.model.pathway.groups)
        return fine.months, fine.survival(key[1], key[0])[0]

    def _solved(self, draw: int, until: float, in_group: bool) -> Solution:
        if (draw, until, in_group) not in self._finer:
            model, step = self.solution.model, self.solution.lattice.step
            reach = max(until, model.pathway.group_window) if in_group else until
            parts = int(min(np.ceil(step / FINE), max(FINEST / 4 * step / reach, 1)))
            self._finer[draw, until, in_group] = self.solve(
                model.of_draw(draw), until, step=step / parts, window=in_group
            )
        return self._finer[draw, until, in_group]


def _is_even(survival: Floats, means: Floats, place: int, coarser: float) -> bool:
    """Return whether about as many die in a cell as in those beside it. coarser : a tenth of a month, in cells."""
    if place < 2 or place > means.size - 1:
        return False
    before, own, after = survival[place - 2 : place + 1] - survival[place - 1 : place + 2]
    early = abs(means[place - 1] - 0.5 * (survival[place - 1] + survival[place]))
    spike = max(abs(own - 0.5 * (before + after)), early)
    return bool(abs(after - before) <= SLOPE * coarser * own and spike <= SPIKE * coarser * own)
