"""Weibull: a hazard that is a power of time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import lgamma, log
from typing import ClassVar, Self

import numpy as np

from simulator.arrays import Floats
from simulator.distributions.bounds import NOT_NEGATIVE, POSITIVE, Reader
from simulator.distributions.distribution import ScaleFamily, from_zero, product


@dataclass(frozen=True, eq=False, kw_only=True)
class Weibull(ScaleFamily):
    """H(t) = (t / scale)^shape (Kalbfleisch & Prentice 2002, section 2.2); scale in months."""

    one_of: ClassVar[tuple[str, ...]] = ("scale", "median", "mean")
    readers: ClassVar[Mapping[str, Reader]] = {"shape": POSITIVE, **dict.fromkeys(one_of, NOT_NEGATIVE)}

    shape: Floats
    _root: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "_root", np.asarray(1.0 / self.shape))

    @classmethod
    def from_parameters(cls, given: Mapping[str, Floats]) -> Self:
        """From shape and a scale, median = scale log(2)^(1/shape) or mean = scale Gamma(1 + 1/shape)."""
        shape = given["shape"]
        if "scale" in given:
            return cls(shape=shape, scale=given["scale"])
        if "median" in given:
            return cls(shape=shape, scale=product(given["median"], log(2.0) ** (-1.0 / shape)))
        # math.lgamma, one a cell, spares the import of scipy; it overflows above 1e305.
        log_gamma = np.vectorize(lgamma, otypes=[np.float64])(1.0 + np.minimum(1.0 / shape, 1e300))
        return cls(shape=shape, scale=product(given["mean"], np.exp(-log_gamma)))

    def _cumulative_hazard(self, times: Floats) -> Floats:
        if self._limiting or times.ndim >= self.scale.ndim:
            return super()._cumulative_hazard(times)
        # Of all distributions at the same times, whose logarithms are taken once.
        hazards = self.shape * (np.log(from_zero(times)) - np.log(self.scale))
        return np.asarray(np.exp(hazards, out=hazards))

    def _standard_hazard(self, ratios: Floats) -> Floats:
        return _raised(ratios, self.shape)

    def _standard_inverse(self, exposures: Floats) -> Floats:
        return _raised(exposures, self._root)


def _raised(values: Floats, exponent: Floats) -> Floats:
    """values^exponent, without a power where a common exponent is 1, 2 or 1/2."""
    common = float(exponent) if exponent.ndim == 0 else None
    if common == 1.0:
        return values
    if common == 2.0:
        return np.square(values)
    if common == 0.5:
        return np.sqrt(values)
    return np.power(values, exponent)
