"""Gamma: the time until a number of exponential stages has passed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from simulator.arrays import Floats
from simulator.distributions.bounds import NOT_NEGATIVE, Bounds, Reader
from simulator.distributions.distribution import ScaleFamily
from simulator.distributions.incomplete_gamma import LARGEST_SHAPE, SMALLEST_SHAPE, log_quantile, log_tails

_SHAPE = Bounds(
    f"a number from {SMALLEST_SHAPE:g} to {LARGEST_SHAPE:.0f}",
    lambda values: (values >= SMALLEST_SHAPE) & (values <= LARGEST_SHAPE),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Gamma(ScaleFamily):
    """S(t) = Q(shape, t / scale), Q the regularised upper incomplete gamma function; scale in months.

    Kalbfleisch & Prentice (2002), section 2.2. Costs about 150 Weibulls to draw from.
    """

    one_of: ClassVar[tuple[str, ...]] = ("rate", "scale", "mean")
    readers: ClassVar[Mapping[str, Reader]] = {"shape": _SHAPE, **dict.fromkeys(one_of, NOT_NEGATIVE)}

    shape: Floats

    @classmethod
    def from_parameters(cls, given: Mapping[str, Floats]) -> Self:
        """From shape and a rate per month, a scale in months, or mean = shape scale."""
        shape = given["shape"]
        if "rate" in given:
            return cls(shape=shape, scale=1.0 / given["rate"])
        return cls(shape=shape, scale=given["scale"] if "scale" in given else given["mean"] / shape)

    def _standard_hazard(self, ratios: Floats) -> Floats:
        shape, log_w = np.broadcast_arrays(self.shape, np.log(ratios))
        return -log_tails(shape.ravel(), log_w.ravel())[1].reshape(shape.shape)

    def _standard_inverse(self, exposures: Floats) -> Floats:
        shape, hazards = np.broadcast_arrays(self.shape, exposures)
        left = np.log(-np.expm1(-hazards.ravel()))
        return np.exp(log_quantile(shape.ravel(), left, -hazards.ravel())).reshape(shape.shape)
