"""GeneralisedGamma: a family with the Weibull, the gamma and the log-normal as members."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from simulator.arrays import Floats
from simulator.distributions.bounds import POSITIVE, REAL, Bounds, Reader
from simulator.distributions.distribution import ScaleFamily
from simulator.distributions.incomplete_gamma import LARGEST_SHAPE, SMALLEST_SHAPE, log_quantile, log_tails

_NEARLY_NORMAL = LARGEST_SHAPE**-0.5
_FURTHEST = float(np.floor(SMALLEST_SHAPE**-0.5))
_Q = Bounds(f"a number from {-_FURTHEST:g} to {_FURTHEST:g}", lambda values: np.abs(values) <= _FURTHEST)


@dataclass(frozen=True, eq=False, kw_only=True)
class GeneralisedGamma(ScaleFamily):
    """T = scale e^(sigma Z) with scale = e^mu months, Z = log(q^2 G) / q and G gamma with shape q^-2.

    Prentice (1974), Biometrika 61:539; the parameters of flexsurv's gengamma (Jackson 2016). q = 1 is the
    Weibull, q = sigma the gamma, q = 0 the log-normal. Costs what a gamma does.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"mu": REAL, "sigma": POSITIVE, "q": _Q}

    sigma: Floats
    q: Floats

    @classmethod
    def from_parameters(cls, given: Mapping[str, Floats]) -> Self:
        """From mu and sigma (of log months) and q."""
        return cls(scale=np.exp(given["mu"]), sigma=given["sigma"], q=given["q"])

    def _standard_hazard(self, ratios: Floats) -> Floats:
        return _by_sign_of_q(np.log(ratios) / self.sigma, self.q, _hazard_below, _hazard_near, _hazard_above)

    def _standard_inverse(self, exposures: Floats) -> Floats:
        z = _by_sign_of_q(exposures, self.q, _inverse_below, _inverse_near, _inverse_above)
        return np.asarray(np.exp(self.sigma * z))


def _by_sign_of_q(values: Floats, q: Floats, *functions: Callable[[Floats, Floats], Floats]) -> Floats:
    values, q = np.broadcast_arrays(values, q)
    below, above = q < -_NEARLY_NORMAL, q > _NEARLY_NORMAL
    result = np.empty(values.shape)
    for chosen, function in zip((below, ~(below | above), above), functions, strict=True):
        if chosen.any():
            result[chosen] = function(values[chosen], q[chosen])
    return result


# q > 0: S = Q(q^-2, w) with log w = log(q^-2) + q z.


def _hazard_above(z: Floats, q: Floats) -> Floats:
    return -log_tails(q**-2, q * z - 2.0 * np.log(q))[1]


def _inverse_above(exposures: Floats, q: Floats) -> Floats:
    log_w = log_quantile(q**-2, np.log(-np.expm1(-exposures)), -exposures)
    return (log_w + 2.0 * np.log(q)) / q


# q < 0: w falls as time passes, and S = P(q^-2, w).


def _hazard_below(z: Floats, q: Floats) -> Floats:
    return -log_tails(q**-2, q * z - 2.0 * np.log(-q))[0]


def _inverse_below(exposures: Floats, q: Floats) -> Floats:
    log_w = log_quantile(q**-2, -exposures, np.log(-np.expm1(-exposures)))
    return (log_w + 2.0 * np.log(-q)) / q


# q near 0: nearly log-normal, and the gamma's quantiles follow from the normal's.


def _hazard_near(z: Floats, q: Floats) -> Floats:
    from scipy.special import log_ndtr

    normal = z
    for _ in range(12):
        normal = z - _departure(normal, q)
    return np.asarray(0.0 - log_ndtr(-normal))


def _inverse_near(exposures: Floats, q: Floats) -> Floats:
    from scipy.special import ndtri_exp

    normal = -ndtri_exp(-exposures)
    return np.asarray(normal + _departure(normal, q))


def _departure(normal: Floats, q: Floats) -> Floats:
    """Z less its normal quantile z, from the gamma's quantile expanded in q.

    q^2 G = 1 + q z + q^2 (z^2 - 1)/3 + q^3 (z^3 - 7z)/36 - q^4 (3z^4 + 7z^2 - 16)/810
    + q^5 (9z^5 + 256z^3 - 433z)/38880: Fisher & Cornish (1960), Technometrics 2:209. Below |q| = 0.002 it is
    good to 1e-9 where S > 1e-300; further out the departure is held constant.
    """
    z = np.clip(normal, -100.0, 100.0)
    q = np.where(np.abs(q) < 1e-150, 1e-150, q)
    square = z * z
    fifth = z * ((9.0 * square + 256.0) * square - 433.0) / 38880.0
    fourth = -((3.0 * square + 7.0) * square - 16.0) / 810.0
    third = z * (square - 7.0) / 36.0
    second = (square - 1.0) / 3.0
    growth = q * (z + q * (second + q * (third + q * (fourth + q * fifth))))
    return np.asarray(np.log1p(growth) / q - z)
