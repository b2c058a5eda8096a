"""The families a prior may have: scipy's distributions, each seen through a standard normal score.

theta = ppf(Phi(z)) = isf(Phi(-z)),   from the smaller tail, so that nothing is lost to 1 - p
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from inspect import signature
from typing import Any

import numpy as np
from scipy import special

from simulator.arrays import Floats
from simulator.errors import InputError, UnknownNameError
from simulator.pathway.pathway import Prior

FURTHEST_SCORE = 20.0
"""Scores further out are read as this one, Phi(-20) = 3e-89: beyond, inverse cumulative functions fail."""

SHARES, POSITIVE = (0.0, 1.0), (0.0, math.inf)


@dataclass(frozen=True)
class Marginal:
    """A one-dimensional prior.

    name, arguments : of scipy's distribution; support : the open interval in which the values lie
    """

    name: str
    arguments: tuple[float, ...]
    support: tuple[float, float]

    @property
    def distribution(self) -> Any:
        """The frozen distribution of scipy.stats."""
        return _distribution(self.name, self.arguments)

    @cached_property
    def mean(self) -> float:
        """Prior mean, in the parameter's unit."""
        return float(self.distribution.mean())

    @cached_property
    def sd(self) -> float:
        """Prior standard deviation."""
        return float(self.distribution.std())

    def value(self, scores: Floats) -> Floats:
        """Values of the same probability as standard normal scores of any shape: ppf(Phi(z))."""
        tail = special.ndtr(-np.minimum(np.abs(scores), FURTHEST_SCORE))
        low = scores < 0
        values = np.empty_like(tail)
        values[low], values[~low] = self.distribution.ppf(tail[low]), self.distribution.isf(tail[~low])
        # A share next to 1 rounds to it, and the support is open.
        lower, upper = self.support
        return np.clip(values, np.nextafter(lower, math.inf), np.nextafter(upper, -math.inf))

    def score(self, values: Floats) -> Floats:
        """Standard normal scores of values inside the support: Phi^-1(cdf(theta))."""
        return score_of_tails(self.distribution.cdf(values), self.distribution.sf(values))


# It takes scipy a millisecond, and the priors of a pathway are read several times in a run.
@cache
def _distribution(name: str, arguments: tuple[float, ...]) -> Any:
    from scipy import stats

    return getattr(stats, name)(*arguments)


def score_of_tails(below: Floats, above: Floats) -> Floats:
    """Return standard normal scores from the probabilities below and above, which sum to one."""
    scores: Floats = np.where(below < above, special.ndtri(below), -special.ndtri(above))
    return scores


def beta(a: float, b: float) -> Marginal:
    """Return the beta distribution of a share."""
    return Marginal("beta", (a, b), SHARES)


@dataclass(frozen=True)
class Dirichlet:
    """One sibling's alpha; the siblings together are one Dirichlet, and each alone is a beta."""

    alpha: float


FAMILIES: dict[str, Callable[..., Marginal | Dirichlet]] = {
    "beta": beta,
    "dirichlet": Dirichlet,
    "gamma": lambda shape, rate: Marginal("gamma", (shape, 0.0, 1.0 / rate), POSITIVE),
    "lognormal": lambda median, sigma: Marginal("lognorm", (sigma, 0.0, median), POSITIVE),
    "normal": lambda mean, sd: Marginal("norm", (mean, sd), (-math.inf, math.inf)),
    "uniform": lambda lower, upper: Marginal("uniform", (lower, upper - lower), (lower, upper)),
}
"""Family -> its distribution; the arguments are those that a pathway file declares."""

_ANY_SIGN = {"mean", "lower", "upper"}

_RANGES = {"probability": SHARES, "months": POSITIVE, "per month": POSITIVE, "ratio": POSITIVE}


def build(prior: Prior, *, unit: str, where: str) -> Marginal | Dirichlet:
    """The prior that a pathway file declares.

    Raises InputError on an unknown family, an unknown, missing or impossible argument, or a family that
    reaches values outside the parameter's unit.
    """
    family, arguments = prior.family, prior.arguments
    if family not in FAMILIES:
        raise UnknownNameError("prior family", family, FAMILIES, where)
    kind = FAMILIES[family]
    names = list(signature(kind).parameters)
    for name in arguments:
        if name not in names:
            raise UnknownNameError(f"argument of a {family} prior", name, names, where)
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
    lower, upper = SHARES if isinstance(built, Dirichlet) else built.support
    if lower < lowest or upper > highest:
        raise InputError(
            f"a {family} prior reaches values that the unit {unit!r} does not have",
            where=where,
            got=f"{lower:g} to {upper:g}",
            allowed=f"{lowest:g} to {highest:g}",
        )
