"""LogNormal: the logarithm of the time is normal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from simulator.arrays import Floats
from simulator.distributions.bounds import NOT_NEGATIVE, POSITIVE, REAL, Reader
from simulator.distributions.distribution import ScaleFamily


@dataclass(frozen=True, eq=False, kw_only=True)
class LogNormal(ScaleFamily):
    """S(t) = Phi(-log(t / scale) / sigma); scale = e^mu is the median in months.

    Kalbfleisch & Prentice (2002), section 2.2. Costs about seven Weibulls to draw from.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"sigma": POSITIVE, "mu": REAL, "median": NOT_NEGATIVE}
    one_of: ClassVar[tuple[str, ...]] = ("mu", "median")

    sigma: Floats

    @classmethod
    def from_parameters(cls, given: Mapping[str, Floats]) -> Self:
        """From sigma and mu (of log months), or sigma and a median in months."""
        return cls(sigma=given["sigma"], scale=np.exp(given["mu"]) if "mu" in given else given["median"])

    def _standard_hazard(self, ratios: Floats) -> Floats:
        from scipy.special import log_ndtr

        return np.asarray(0.0 - log_ndtr(-np.log(ratios) / self.sigma))

    def _standard_inverse(self, exposures: Floats) -> Floats:
        from scipy.special import ndtri_exp

        return np.asarray(np.exp(-self.sigma * ndtri_exp(-exposures)))
