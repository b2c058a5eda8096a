"""Exponential: a constant hazard."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import ClassVar, Self

from simulator.arrays import Floats
from simulator.distributions.bounds import NOT_NEGATIVE, Reader
from simulator.distributions.distribution import ScaleFamily


@dataclass(frozen=True, eq=False, kw_only=True)
class Exponential(ScaleFamily):
    """H(t) = t / scale, where scale is the mean in months (Kalbfleisch & Prentice 2002, section 2.2)."""

    one_of: ClassVar[tuple[str, ...]] = ("rate", "mean", "median")
    readers: ClassVar[Mapping[str, Reader]] = dict.fromkeys(one_of, NOT_NEGATIVE)

    @classmethod
    def from_parameters(cls, given: Mapping[str, Floats]) -> Self:
        """From a rate per month, or a mean or median in months."""
        if "rate" in given:
            return cls(scale=1.0 / given["rate"])
        return cls(scale=given["mean"] if "mean" in given else given["median"] / log(2.0))

    def _standard_hazard(self, ratios: Floats) -> Floats:
        return ratios

    def _standard_inverse(self, exposures: Floats) -> Floats:
        return exposures
