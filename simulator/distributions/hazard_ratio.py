"""HazardRatio: proportional hazards on top of any distribution, by period since the patient entered the state."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from simulator.arrays import Booleans, Floats
from simulator.distributions.distribution import Distribution, product, quotient


@dataclass(frozen=True, eq=False, kw_only=True)
class HazardRatio(Distribution):
    """H(t) = sum_k ratio_k (H0(min(t, b_(k+1))) - H0(min(t, b_k))), H0 of `base`; b_0 = 0, the last period is open.

    Of one period, S(t) = S0(t)^ratio (Cox 1972, J R Stat Soc B 34:187). With ratio 0 nobody leaves in the period.
    breaks : (n_periods - 1,) months, common to all cells; a fixed time at a break is of the period that begins there
    ratios : (n_periods, ...)
    """

    base: Distribution
    breaks: Floats
    ratios: Floats
    _begins: Floats = field(init=False, repr=False)
    _reached: Floats = field(init=False, repr=False)
    _over: Booleans = field(init=False, repr=False)
    _limiting: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shape = np.broadcast_shapes(self.base.cell_shape, self.ratios.shape[1:])
        months = (*np.nextafter(self.breaks, 0.0), np.inf)
        ends = np.stack([np.broadcast_to(self.base.cumulative_hazard(month), shape) for month in months])
        ratios = np.stack([np.broadcast_to(ratio, shape) for ratio in self.ratios])
        # H0 at which each period begins, H there, and where nobody leaves any more.
        begins = np.concatenate([np.zeros((1, *shape)), ends[:-1]])
        grown = np.cumsum(product(_growth(begins[1:], begins[:-1]), ratios[:-1]), axis=0)
        over = (ratios == 0.0) | (begins == ends[-1])
        object.__setattr__(self, "ratios", ratios)
        object.__setattr__(self, "_begins", begins)
        object.__setattr__(self, "_reached", np.concatenate([np.zeros((1, *shape)), grown]))
        object.__setattr__(self, "_over", over)
        object.__setattr__(self, "_limiting", bool(over.any()))

    @property
    def atom(self) -> Floats | None:
        """The time in months at which all who leave do, if that is fixed."""
        return self.base.atom

    @property
    def cell_shape(self) -> tuple[int, ...]:
        """The shape of the base and of a period's ratio: () or (..., k)."""
        return self.ratios.shape[1:]

    def _with_parameters(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Self:
        changed = copy(self)
        object.__setattr__(changed, "base", self.base._with_parameters(change))
        for name in ("ratios", "_begins", "_reached", "_over") if self.cell_shape else ():
            # Period by period, so that the last axis is the cells and the first the draws.
            object.__setattr__(changed, name, np.stack([change(row) for row in getattr(self, name)]))
        return changed

    def _cumulative_hazard(self, times: Floats) -> Floats:
        hazards, total = self.base._cumulative_hazard(times), np.zeros(())
        subtract, multiply = (_growth, product) if self._limiting else (np.subtract, np.multiply)
        for begin, end, ratio in zip(self._begins, (*self._begins[1:], np.inf), self.ratios, strict=True):
            total = total + multiply(subtract(np.clip(hazards, begin, end), begin), ratio)
        return np.asarray(total)

    def _inverse_cumulative_hazard(self, exposures: Floats) -> Floats:
        if not self._limiting:
            hazards = exposures / self.ratios[0]
            for begin, reached, ratio in zip(self._begins[1:], self._reached[1:], self.ratios[1:], strict=True):
                hazards = np.where(exposures > reached, begin + (exposures - reached) / ratio, hazards)
            return self.base._inverse_cumulative_hazard(hazards)
        hazards, never = np.zeros(()), np.zeros((), dtype=bool)
        for begin, reached, ratio, over in zip(self._begins, self._reached, self.ratios, self._over, strict=True):
            later = exposures > reached
            remaining = _growth(np.maximum(exposures, reached), reached)
            hazards = np.where(later, begin + quotient(remaining, ratio), hazards)
            never = np.where(later, over, never)
        return np.where(never, np.inf, self.base._inverse_cumulative_hazard(hazards))


def _growth(after: Floats, before: Floats) -> Floats:
    """after - before, and 0 where both are infinite."""
    with np.errstate(invalid="ignore"):
        return np.where(after == before, 0.0, after - before)
