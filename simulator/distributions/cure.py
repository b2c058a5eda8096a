"""Cure: a fraction that never leaves, mixed with any distribution."""

from dataclasses import dataclass, field

import numpy as np

from simulator.arrays import Floats
from simulator.distributions.distribution import Distribution, product

# From here on 1 - F keeps twelve digits of the survival; below, it is summed from its parts.
_SLIGHT = 1e-4
_BELOW_ONE = float(np.nextafter(1.0, 0.0))


@dataclass(frozen=True, eq=False, kw_only=True)
class Cure(Distribution):
    """S(t) = cure + (1 - cure) S0(t), S0 of `base` (Boag 1949, J R Stat Soc B 11:15)."""

    base: Distribution
    cure: Floats
    _odds: Floats = field(init=False, repr=False)
    _slight: bool = field(init=False, repr=False)
    _complete: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        with np.errstate(divide="ignore"):
            object.__setattr__(self, "_odds", np.asarray(self.cure / (1.0 - self.cure)))
        object.__setattr__(self, "_complete", bool((self.cure == 1.0).any()))
        object.__setattr__(self, "_slight", bool((self.cure < _SLIGHT).any()))

    @property
    def atom(self) -> Floats | None:
        """The time in months at which all but the cured leave, if that is fixed."""
        return self.base.atom

    def _survival(self, times: Floats) -> Floats:
        return np.asarray(self.cure + (1.0 - self.cure) * self.base._survival(times))

    def _cumulative_hazard(self, times: Floats) -> Floats:
        uncured = self.base._cumulative_hazard(times)
        left = (1.0 - self.cure) * -np.expm1(-uncured)
        hazards = -np.log1p(-left)
        if self._slight:
            survival = np.logaddexp(np.log(self.cure), np.log1p(-self.cure) - uncured)
            hazards = np.where(left > 0.5, -survival, hazards)
        return np.asarray(hazards)

    def _inverse_cumulative_hazard(self, exposures: Floats) -> Floats:
        # S0 = (S - cure) / (1 - cure) gives H0 = H - log(1 - odds (e^H - 1)). The cured pass through as large
        # numbers and are set at the end: infinities are slow.
        odds = np.expm1(np.minimum(exposures, 709.0))
        odds = product(odds, self._odds) if self._complete else odds * self._odds
        uncured = exposures - np.log1p(-np.minimum(odds, _BELOW_ONE))
        return np.where(odds < 1.0, self.base._inverse_cumulative_hazard(uncured), np.inf)
