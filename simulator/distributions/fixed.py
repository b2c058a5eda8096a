"""Fixed: everybody stays for the same time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from simulator.arrays import Floats
from simulator.distributions.bounds import NOT_NEGATIVE, Reader
from simulator.distributions.distribution import Family


@dataclass(frozen=True, eq=False, kw_only=True)
class Fixed(Family):
    """H(t) = 0 before `months` and infinite from then on, also where months is 0."""

    readers: ClassVar[Mapping[str, Reader]] = {"months": NOT_NEGATIVE}

    months: Floats

    @classmethod
    def from_parameters(cls, given: Mapping[str, Floats]) -> Self:
        """From the time in months."""
        return cls(months=given["months"])

    @property
    def atom(self) -> Floats:
        """The time in months at which everybody leaves."""
        return self.months

    def _cumulative_hazard(self, times: Floats) -> Floats:
        return np.where(times >= self.months, np.inf, 0.0)

    def _inverse_cumulative_hazard(self, exposures: Floats) -> Floats:
        return np.full(np.broadcast_shapes(exposures.shape, self.months.shape), self.months)
