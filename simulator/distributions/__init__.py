"""Sojourn-time distributions: `build` one by the name of its family and its parameters.

A family is one class with its parameters declared in it; a new one is a module here and a line in FAMILIES.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from simulator.arrays import Floats
from simulator.distributions.bounds import NOT_NEGATIVE, PROBABILITY, Bounds, agree
from simulator.distributions.cure import Cure
from simulator.distributions.distribution import Distribution, Family
from simulator.distributions.exponential import Exponential
from simulator.distributions.fixed import Fixed
from simulator.distributions.gamma import Gamma
from simulator.distributions.generalised_gamma import GeneralisedGamma
from simulator.distributions.gompertz import Gompertz
from simulator.distributions.hazard_ratio import HazardRatio
from simulator.distributions.left_truncated import LeftTruncated
from simulator.distributions.loglogistic import LogLogistic
from simulator.distributions.lognormal import LogNormal
from simulator.distributions.piecewise_exponential import PiecewiseExponential
from simulator.distributions.weibull import Weibull
from simulator.errors import InputError, nearest

__all__ = [
    "FAMILIES",
    "Cure",
    "Distribution",
    "Exponential",
    "Family",
    "Fixed",
    "Floats",
    "Gamma",
    "GeneralisedGamma",
    "Gompertz",
    "HazardRatio",
    "LeftTruncated",
    "LogLogistic",
    "LogNormal",
    "PiecewiseExponential",
    "Weibull",
    "build",
    "parameter_names",
]

FAMILIES: Mapping[str, type[Family]] = MappingProxyType(
    {
        "exponential": Exponential,
        "weibull": Weibull,
        "gamma": Gamma,
        "lognormal": LogNormal,
        "loglogistic": LogLogistic,
        "gompertz": Gompertz,
        "generalised_gamma": GeneralisedGamma,
        "piecewise_exponential": PiecewiseExponential,
        "fixed": Fixed,
    }
)


def parameter_names(family: str) -> frozenset[str]:
    """Every parameter the family accepts, in all its parametrisations. Raises InputError if it is unknown."""
    return frozenset(_family(family, "").readers)


def build(
    family: str,
    parameters: Mapping[str, object],
    *,
    cure: object = None,
    hazard_ratio: object = None,
    breaks: Sequence[float] = (),
    after: object = None,
    where: str = "",
) -> Distribution:
    """The distribution of a family with these parameters, with a cured fraction, a hazard ratio and a late start.

    parameters : numbers, or arrays (..., k) of one a case-mix cell; times in months, rates per month;
        `breaks` and `rates` are lists of them
    cure, hazard_ratio : as a parameter; None for none. With `breaks`, months at which it changes, a list of hazard
        ratios, one more than breaks
    after : as a parameter; months for which this time, cure, hazard ratio and all, has run without striking
    where : the place to name in an error

    Raises InputError if a name is unknown, missing or one too many, or a value is out of its range.
    """
    kind = _family(family, where)
    _check_names(family, kind, parameters, where)
    given = {key: kind.readers[key].read(value, key, where) for key, value in parameters.items()}
    kind.check(given, where)
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        built: Distribution = kind.from_parameters(given)
    if cure is not None:
        fraction = _modifier("cure", cure, PROBABILITY, built, where)
        if fraction.ndim or fraction > 0.0:
            built = Cure(base=built, cure=fraction)
    if hazard_ratio is not None:
        by_period = hazard_ratio if isinstance(hazard_ratio, list) else [hazard_ratio]
        ratios = [_modifier("hazard_ratio", ratio, NOT_NEGATIVE, built, where) for ratio in by_period]
        if any(ratio.ndim or ratio != 1.0 for ratio in ratios):
            built = HazardRatio(
                base=built, breaks=np.array(breaks, dtype=np.float64), ratios=np.stack(np.broadcast_arrays(*ratios))
            )
    if after is not None:
        elapsed = _modifier("after", after, NOT_NEGATIVE, built, where)
        if elapsed.ndim or elapsed > 0.0:
            built = LeftTruncated(base=built, after=elapsed)
    return built


def _modifier(key: str, value: object, bounds: Bounds, built: Distribution, where: str) -> Floats:
    values = bounds.read(value, key, where)
    if values.ndim:
        agree({"parameters": built.cell_shape, key: values.shape}, where)
    return values


def _family(name: str, where: str) -> type[Family]:
    if name not in FAMILIES:
        raise InputError(
            "unknown family", where=where, got=name, allowed=", ".join(FAMILIES), nearest=nearest(name, FAMILIES)
        )
    return FAMILIES[name]


def _check_names(family: str, kind: type[Family], parameters: Mapping[str, object], where: str) -> None:
    for key in parameters:
        if key not in kind.readers:
            raise InputError(
                f"unknown parameter of {family}",
                where=where,
                got=key,
                allowed=", ".join(kind.readers),
                nearest=nearest(key, kind.readers),
            )
    for key in kind.readers:
        if key not in kind.one_of and key not in parameters:
            allowed = f"{key}: {kind.readers[key].allowed}"
            raise InputError(f"{family} needs {key}", where=where, got=list(parameters), allowed=allowed)
    given = [key for key in kind.one_of if key in parameters]
    if kind.one_of and len(given) != 1:
        raise InputError(f"give one of {', '.join(kind.one_of)}", where=where, got=given)
