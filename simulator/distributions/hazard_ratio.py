"""HazardRatio: proportional hazards on top of any distribution, by period since the patient entered the state."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from simulator.arrays import Floats
from simulator.distributions.distribution import Distribution, Indices, product, quotient


@dataclass(frozen=True, eq=False, kw_only=True)
class HazardRatio(Distribution):
    """H(t) = sum_k ratio_k (H0(min(t, b_(k+1))) - H0(min(t, b_k))), H0 of `base`; b_0 = 0, the last period is open.

    Of one period, S(t) = S0(t)^ratio (Cox 1972, J R Stat Soc B 34:187). With ratio 0 nobody leaves in the period.
    breaks : (n_breaks,) months, common to all cells; a fixed time at a break is of the period that begins there
    ratios : (n_breaks + 1, ...)
    """

    base: Distribution
    breaks: Floats
    ratios: Floats
    _starts: Floats = field(init=False, repr=False)
    _before: Floats = field(init=False, repr=False)
    _reached: Floats = field(init=False, repr=False)
    _spent: NDArray[np.bool_] = field(init=False, repr=False)
    _cell: Indices = field(init=False, repr=False)
    _limiting: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shape = np.broadcast_shapes(self.base.cell_shape, self.ratios.shape[1:])
        starts = np.concatenate([[0.0], self.breaks])
        # H0 of the base just before each period, and at last.
        ends = [self.base.cumulative_hazard(month) for month in (*np.nextafter(self.breaks, 0.0), np.inf)]
        hazards = np.stack([np.broadcast_to(hazard, shape) for hazard in (np.zeros(()), *ends)])
        ratios = np.stack([np.broadcast_to(ratio, shape) for ratio in self.ratios])
        grown = product(_growth(hazards[1:-1], hazards[:-2]), ratios[:-1])
        reached = np.concatenate([np.zeros((1, *shape)), np.cumsum(grown, axis=0)])
        spent = (ratios == 0.0) | (hazards[:-1] == hazards[-1])
        for name, value in (
            ("_starts", starts),
            ("_before", hazards[:-1]),
            ("_reached", reached),
            ("ratios", ratios),
            ("_spent", spent),
            ("_cell", np.arange(ratios[0].size).reshape(shape)),
            ("_limiting", bool(spent.any())),
        ):
            object.__setattr__(self, name, value)

    @property
    def atom(self) -> Floats | None:
        """The time in months at which all who leave do, if that is fixed."""
        return self.base.atom

    @property
    def cell_shape(self) -> tuple[int, ...]:
        """The shape of the base and of a period's ratio: () or (..., k)."""
        return self._cell.shape

    def _with_parameters(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Self:
        # The tables of periods stay as they are; only which column each entry reads is gathered.
        changed = copy(self)
        object.__setattr__(changed, "base", self.base._with_parameters(change))
        if self._cell.ndim:
            object.__setattr__(changed, "_cell", change(self._cell))
        return changed

    def _cumulative_hazard(self, times: Floats) -> Floats:
        entry = self._entry(sum((times >= month for month in self.breaks), np.zeros((), dtype=np.intp)))
        hazards, before, ratio = self.base._cumulative_hazard(times), self._before.take(entry), self.ratios.take(entry)
        grown = product(_growth(hazards, before), ratio) if self._limiting else (hazards - before) * ratio
        return self._reached.take(entry) + grown

    def _inverse_cumulative_hazard(self, exposures: Floats) -> Floats:
        reached = (reached.take(self._cell) < exposures for reached in self._reached[1:])
        period = sum(reached, np.zeros((), dtype=np.intp))
        entry = self._entry(period)
        before, ratio = self._before.take(entry), self.ratios.take(entry)
        remaining = exposures - self._reached.take(entry)
        times = self.base._inverse_cumulative_hazard(
            before + (quotient(remaining, ratio) if self._limiting else remaining / ratio)
        )
        # Where the base's hazard is flat, what is left to grow may be lost to rounding.
        times = np.maximum(times, self._starts.take(period))
        return np.where(self._spent.take(entry) & (exposures > 0.0), np.inf, times) if self._limiting else times

    def _entry(self, period: Indices) -> Indices:
        """The place of a period in the tables (n_periods, ...), which are read as if flat."""
        return np.asarray(period * self.ratios[0].size + self._cell)


def _growth(after: Floats, before: Floats) -> Floats:
    """after - before, and 0 where both are infinite."""
    with np.errstate(invalid="ignore"):
        return np.where(after == before, 0.0, after - before)
