"""LogLogistic: a hazard that falls, or rises and then falls, with a tail that is a power of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from simulator.arrays import Floats
from simulator.distributions.bounds import NOT_NEGATIVE, POSITIVE, Reader
from simulator.distributions.distribution import ScaleFamily


@dataclass(frozen=True, eq=False, kw_only=True)
class LogLogistic(ScaleFamily):
    """S(t) = 1 / (1 + (t / scale)^shape) (Bennett 1983, Appl Stat 32:165); scale, the median, in months."""

    one_of: ClassVar[tuple[str, ...]] = ("scale", "median")
    readers: ClassVar[Mapping[str, Reader]] = {"shape": POSITIVE, **dict.fromkeys(one_of, NOT_NEGATIVE)}

    shape: Floats

    @classmethod
    def from_parameters(cls, given: Mapping[str, Floats]) -> Self:
        """From shape and a scale or median in months, which are the same."""
        return cls(shape=given["shape"], scale=given["scale"] if "scale" in given else given["median"])

    def _standard_hazard(self, ratios: Floats) -> Floats:
        # log(1 + e^y) with y = shape log(x), arranged so that no power overflows in the tail.
        log_odds = self.shape * np.log(ratios)
        return np.asarray(np.maximum(log_odds, 0.0) + np.log1p(np.exp(-np.abs(log_odds))))

    def _standard_inverse(self, exposures: Floats) -> Floats:
        # log(e^H - 1) = H + log(1 - e^-H)
        log_odds = exposures + np.log(-np.expm1(-exposures))
        return np.asarray(np.exp(log_odds / self.shape))
