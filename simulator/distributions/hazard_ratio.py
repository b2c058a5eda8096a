"""HazardRatio: proportional hazards on top of any distribution."""

from dataclasses import dataclass, field

import numpy as np

from simulator.arrays import Floats
from simulator.distributions.distribution import Distribution, product, quotient


@dataclass(frozen=True, eq=False, kw_only=True)
class HazardRatio(Distribution):
    """S(t) = S0(t)^ratio, S0 of `base` (Cox 1972, J R Stat Soc B 34:187); with ratio 0 nobody ever leaves."""

    base: Distribution
    ratio: Floats
    _never: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_never", bool((self.ratio == 0.0).any()))

    @property
    def atom(self) -> Floats | None:
        """The time in months at which all who leave do, if that is fixed."""
        return self.base.atom

    def _cumulative_hazard(self, times: Floats) -> Floats:
        hazards = self.base._cumulative_hazard(times)
        return product(hazards, self.ratio) if self._never else hazards * self.ratio

    def _inverse_cumulative_hazard(self, exposures: Floats) -> Floats:
        if not self._never:
            return self.base._inverse_cumulative_hazard(exposures / self.ratio)
        times = self.base._inverse_cumulative_hazard(quotient(exposures, self.ratio))
        return np.where((self.ratio == 0.0) & (exposures > 0.0), np.inf, times)
