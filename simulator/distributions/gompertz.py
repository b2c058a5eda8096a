"""Gompertz: a hazard that grows or shrinks exponentially with time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from simulator.arrays import Floats
from simulator.distributions.bounds import NOT_NEGATIVE, REAL, Reader
from simulator.distributions.distribution import Family, from_zero, product, quotient

# With this shape expm1(shape t) / shape is t to the last digit: the exponential, without a case of its own.
_FLATTEST = 1e-150


@dataclass(frozen=True, eq=False, kw_only=True)
class Gompertz(Family):
    """H(t) = rate (e^(shape t) - 1) / shape, with hazard rate e^(shape t), both per month.

    Gompertz (1825), parametrised as in flexsurv (Jackson 2016). Where shape < 0, a fraction e^(rate / shape)
    never leaves.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"shape": REAL, "rate": NOT_NEGATIVE}

    shape: Floats
    rate: Floats
    _never: bool = field(init=False, repr=False)
    _improper: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shape = np.where(np.abs(self.shape) < _FLATTEST, _FLATTEST, self.shape)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "_never", bool((self.rate == 0.0).any()))
        object.__setattr__(self, "_improper", bool((shape < 0.0).any()))

    @classmethod
    def from_parameters(cls, given: Mapping[str, Floats]) -> Self:
        """From shape and rate per month."""
        return cls(shape=given["shape"], rate=given["rate"])

    def _cumulative_hazard(self, times: Floats) -> Floats:
        if self._never:
            return product(np.expm1(self.shape * from_zero(times)) / self.shape, self.rate)
        return np.expm1(self.shape * from_zero(times)) / self.shape * self.rate

    def _inverse_cumulative_hazard(self, exposures: Floats) -> Floats:
        growth = self.shape * (quotient(exposures, self.rate) if self._never else exposures / self.rate)
        if self._improper:
            growth = np.maximum(growth, -1.0)
        return np.asarray(np.log1p(growth) / self.shape)
