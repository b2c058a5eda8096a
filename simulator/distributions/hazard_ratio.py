"""HazardRatio: proportional hazards on top of any distribution, by period since the time began."""

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
    _shifts: Floats = field(init=False, repr=False)
    _over: Booleans = field(init=False, repr=False)
    _limiting: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shape = np.broadcast_shapes(self.base.cell_shape, self.ratios.shape[1:])
        months = (*np.nextafter(self.breaks, 0.0), np.inf)
        ends = np.stack([np.broadcast_to(self.base.cumulative_hazard(month), shape) for month in months])
        ratios = np.stack([np.broadcast_to(ratio, shape) for ratio in self.ratios])
        # H0 and H when a period begins, in which H = ratio H0 + shift: a ratio of 1 from the start changes no digit.
        begins = np.concatenate([np.zeros((1, *shape)), ends[:-1]])
        with np.errstate(invalid="ignore"):
            grown = product(np.where(begins[1:] == begins[:-1], 0.0, np.diff(begins, axis=0)), ratios[:-1])
            reached = np.concatenate([np.zeros((1, *shape)), np.cumsum(grown, axis=0)])
            shifts = np.where(np.isinf(begins), 0.0, reached - product(ratios, begins))
        over = (ratios == 0.0) | (begins == ends[-1])
        object.__setattr__(self, "ratios", ratios)
        object.__setattr__(self, "_begins", begins)
        object.__setattr__(self, "_reached", reached)
        object.__setattr__(self, "_shifts", shifts)
        object.__setattr__(self, "_over", over)
        object.__setattr__(self, "_limiting", bool(over.any()))

    @property
    def atom(self) -> Floats | None:
        """The time in months at which all who leave do, if that is fixed."""
        return self.base.atom

    @property
    def breaks_of_hazard(self) -> frozenset[float]:
        """The months at which the hazard may jump."""
        return self.base.breaks_of_hazard.union(self.breaks.tolist())

    @property
    def cell_shape(self) -> tuple[int, ...]:
        """The shape of the base and of a period's ratio: () or (..., k)."""
        return np.broadcast_shapes(self.ratios.shape[1:], self.base.cell_shape)

    def with_parameters(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Self:
        changed = copy(self)
        object.__setattr__(changed, "base", self.base.with_parameters(change))
        for name in ("ratios", "_begins", "_reached", "_shifts", "_over") if self.cell_shape else ():
            # Period by period, so that the last axis is the cells and the first the draws, or one row for all.
            periods = np.broadcast_arrays(*(change(row) for row in getattr(self, name)))
            object.__setattr__(changed, name, np.stack(periods))
        return changed

    def _cumulative_hazard(self, times: Floats) -> Floats:
        multiply = product if self._limiting else np.multiply
        uncut = self.base._cumulative_hazard(times)
        hazards = multiply(uncut, self.ratios[0])
        for begin, ratio, shift in zip(self._begins[1:], self.ratios[1:], self._shifts[1:], strict=True):
            hazards = np.where(uncut > begin, multiply(uncut, ratio) + shift, hazards)
        return np.asarray(hazards)

    def _inverse_cumulative_hazard(self, exposures: Floats) -> Floats:
        divide = quotient if self._limiting else np.divide
        hazards = divide(exposures, self.ratios[0])
        for reached, ratio, shift in zip(self._reached[1:], self.ratios[1:], self._shifts[1:], strict=True):
            hazards = np.where(exposures > reached, divide(exposures - shift, ratio), hazards)
        times = self.base._inverse_cumulative_hazard(hazards)
        if self._limiting:
            never = np.zeros((), dtype=bool)
            for reached, over in zip(self._reached, self._over, strict=True):
                never = np.where(exposures > reached, over, never)
            times = np.where(never, np.inf, times)
        return times
