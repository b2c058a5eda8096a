"""LeftTruncated: a time that has run for some months already, among patients for whom it has not struck yet."""

from dataclasses import dataclass, field

import numpy as np

from simulator.arrays import Booleans, Floats
from simulator.distributions.distribution import Distribution, from_zero


@dataclass(frozen=True, eq=False, kw_only=True)
class LeftTruncated(Distribution):
    """S(t) = S0(after + t) / S0(after), S0 of `base` (Klein & Moeschberger 2003, section 3.4); after in months.

    H(t) = H0(after + t) - H0(after). Where nobody is left by then, S0(after) = 0, patients leave at once.
    """

    base: Distribution
    after: Floats
    _reached: Floats = field(init=False, repr=False)
    _over: Booleans = field(init=False, repr=False)

    def __post_init__(self) -> None:
        reached = self.base.cumulative_hazard(self.after)
        object.__setattr__(self, "_over", np.isinf(reached))
        object.__setattr__(self, "_reached", np.where(self._over, 0.0, reached))

    @property
    def atom(self) -> Floats | None:
        """The time in months at which all who leave do, if that is fixed."""
        return None if self.base.atom is None else np.maximum(self.base.atom - self.after, 0.0)

    @property
    def breaks_of_hazard(self) -> frozenset[float]:
        """The months at which the hazard may jump."""
        breaks = np.subtract.outer(sorted(self.base.breaks_of_hazard), np.unique(self.after))
        return frozenset(breaks[breaks > 0.0].tolist())

    def _cumulative_hazard(self, times: Floats) -> Floats:
        hazards = self.base._cumulative_hazard(self.after + from_zero(times)) - self._reached
        return np.where(self._over, np.where(times >= 0.0, np.inf, 0.0), np.maximum(hazards, 0.0))

    def _inverse_cumulative_hazard(self, exposures: Floats) -> Floats:
        times = self.base._inverse_cumulative_hazard(exposures + self._reached) - self.after
        # Where the hazard is over, nobody leaves later, and an exposure of 0 is reached at once.
        now = self._over | ((exposures == 0.0) & np.isinf(times))
        return np.where(now, 0.0, np.maximum(times, 0.0))
