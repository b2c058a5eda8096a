"""The families a prior may have, each seen through a standard normal score.

A family maps a score z to the value of the same probability, theta = ppf(Phi(z)), and back. Each tail is
computed from its own small probability, so that nothing is lost to 1 - p.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import ClassVar, Protocol

import numpy as np
from scipy import special

from simulator.arrays import Floats
from simulator.errors import InputError
from simulator.pathway.checks import unknown
from simulator.pathway.pathway import Prior

FURTHEST_SCORE = 20.0
"""A beta or gamma reads scores further out as this one, Phi(-20) = 3e-89: the inverse incomplete beta fails beyond."""


class Marginal(Protocol):
    """A one-dimensional prior; its arguments are the fields."""

    @property
    def mean(self) -> float:
        """Prior mean, in the parameter's unit."""

    @property
    def sd(self) -> float:
        """Prior standard deviation."""

    @property
    def support(self) -> tuple[float, float]:
        """The open interval in which the values lie."""

    def value(self, scores: Floats) -> Floats:
        """Values of the same probability as standard normal scores of any shape: ppf(Phi(z))."""

    def score(self, values: Floats) -> Floats:
        """Standard normal scores of values inside the support: Phi^-1(cdf(theta))."""


@dataclass(frozen=True)
class Normal:
    support: ClassVar = (-math.inf, math.inf)

    mean: float
    sd: float

    def value(self, scores: Floats) -> Floats:
        return self.mean + self.sd * scores

    def score(self, values: Floats) -> Floats:
        return (values - self.mean) / self.sd


@dataclass(frozen=True)
class LogNormal:
    support: ClassVar = (0.0, math.inf)

    median: float
    sigma: float

    @property
    def mean(self) -> float:
        return self.median * math.exp(self.sigma**2 / 2)

    @property
    def sd(self) -> float:
        return self.mean * math.sqrt(math.expm1(self.sigma**2))

    def value(self, scores: Floats) -> Floats:
        return self.median * np.exp(self.sigma * scores)

    def score(self, values: Floats) -> Floats:
        return np.log(values / self.median) / self.sigma


@dataclass(frozen=True)
class Uniform:
    lower: float
    upper: float

    @property
    def mean(self) -> float:
        return (self.lower + self.upper) / 2

    @property
    def sd(self) -> float:
        return (self.upper - self.lower) / math.sqrt(12)

    @property
    def support(self) -> tuple[float, float]:
        return self.lower, self.upper

    def value(self, scores: Floats) -> Floats:
        from_the_end = (self.upper - self.lower) * special.ndtr(-np.abs(scores))
        return np.where(scores < 0, self.lower + from_the_end, self.upper - from_the_end)

    def score(self, values: Floats) -> Floats:
        from_the_end = np.minimum(values - self.lower, self.upper - values) / (self.upper - self.lower)
        return np.copysign(special.ndtri(from_the_end), values - self.mean)


@dataclass(frozen=True)
class Gamma:
    support: ClassVar = (0.0, math.inf)

    shape: float
    rate: float

    @property
    def mean(self) -> float:
        return self.shape / self.rate

    @property
    def sd(self) -> float:
        return math.sqrt(self.shape) / self.rate

    def value(self, scores: Floats) -> Floats:
        tail = special.ndtr(-np.minimum(np.abs(scores), FURTHEST_SCORE))
        values = np.empty_like(tail)
        low = scores < 0
        values[low] = special.gammaincinv(self.shape, tail[low])
        values[~low] = special.gammainccinv(self.shape, tail[~low])
        return values / self.rate

    def score(self, values: Floats) -> Floats:
        below = special.gammainc(self.shape, values * self.rate)
        above = special.gammaincc(self.shape, values * self.rate)
        return np.where(below < above, special.ndtri(below), -special.ndtri(above))


@dataclass(frozen=True)
class Beta:
    support: ClassVar = (0.0, 1.0)

    a: float
    b: float

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    @property
    def sd(self) -> float:
        total = self.a + self.b
        return math.sqrt(self.a * self.b / (total + 1)) / total

    def value(self, scores: Floats) -> Floats:
        return self.shares(scores)[0]

    def score(self, values: Floats) -> Floats:
        return self.score_of_shares(values, 1.0 - values)

    def shares(self, scores: Floats) -> tuple[Floats, Floats]:
        """The value and its complement to 1, the smaller tail's without cancellation."""
        tail = special.ndtr(-np.minimum(np.abs(scores), FURTHEST_SCORE))
        taken, left = np.empty_like(tail), np.empty_like(tail)
        low = scores < 0
        taken[low] = special.betaincinv(self.a, self.b, tail[low])
        left[low] = 1.0 - taken[low]
        left[~low] = special.betaincinv(self.b, self.a, tail[~low])
        taken[~low] = 1.0 - left[~low]
        return taken, left

    def score_of_shares(self, taken: Floats, left: Floats) -> Floats:
        """Scores of values whose complement to 1 is known."""
        below = special.betainc(self.a, self.b, taken)
        above = special.betainc(self.b, self.a, left)
        return np.where(below < above, special.ndtri(below), -special.ndtri(above))


@dataclass(frozen=True)
class Dirichlet:
    """One sibling's alpha; the siblings together are one Dirichlet, and each alone is a beta."""

    alpha: float


FAMILIES: dict[str, type[Beta | Dirichlet | Gamma | LogNormal | Normal | Uniform]] = {
    "beta": Beta,
    "dirichlet": Dirichlet,
    "gamma": Gamma,
    "lognormal": LogNormal,
    "normal": Normal,
    "uniform": Uniform,
}

_ANY_SIGN = {"mean", "lower", "upper"}

_RANGES = {
    "probability": (0.0, 1.0),
    "months": (0.0, math.inf),
    "per month": (0.0, math.inf),
    "ratio": (0.0, math.inf),
}


def build(prior: Prior, *, unit: str, where: str) -> Marginal | Dirichlet:
    """The prior that a pathway file declares.

    Raises InputError on an unknown family, an unknown, missing or impossible argument, or a family that
    reaches values outside the parameter's unit.
    """
    family, arguments = prior.family, prior.arguments
    if family not in FAMILIES:
        raise unknown("prior family", family, FAMILIES, where)
    kind = FAMILIES[family]
    names = [field.name for field in fields(kind)]
    for name in arguments:
        if name not in names:
            raise unknown(f"argument of a {family} prior", name, names, where)
    missing = [name for name in names if name not in arguments]
    if missing:
        raise InputError(f"a {family} prior lacks {', '.join(missing)}", where=where, allowed=", ".join(names))
    numbers = {name: _number(name, arguments[name], where) for name in names}
    if family == "uniform" and not numbers["lower"] < numbers["upper"]:
        raise InputError("a uniform prior needs lower < upper", where=where, got=numbers)
    built = kind(**numbers)
    _require_unit(built, family, unit, where)
    return built


def _number(name: str, got: object, where: str) -> float:
    positive = name not in _ANY_SIGN
    allowed = "a finite number above 0" if positive else "a finite number"
    if isinstance(got, bool) or not isinstance(got, (int, float)) or not math.isfinite(got) or (positive and got <= 0):
        raise InputError(f"the prior's {name} is out of range", where=where, got=got, allowed=allowed)
    return float(got)


def _require_unit(built: Marginal | Dirichlet, family: str, unit: str, where: str) -> None:
    lowest, highest = _RANGES.get(unit, (-math.inf, math.inf))
    lower, upper = Beta.support if isinstance(built, Dirichlet) else built.support
    if lower < lowest or upper > highest:
        raise InputError(
            f"a {family} prior reaches values that the unit {unit!r} does not have",
            where=where,
            got=f"{lower:g} to {upper:g}",
            allowed=f"{lowest:g} to {highest:g}",
        )
