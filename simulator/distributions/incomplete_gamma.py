"""Logarithms of the regularised incomplete gamma functions P and Q = 1 - P, and their inverse, in any tail.

SciPy gives P and Q as numbers, which end at 1e-308; a hazard ratio of 0.01 asks for exponents far beyond. All
arguments are one-dimensional and of one length. Costs 100 to 200 ns an element one way, 600 ns the other.
"""

from collections.abc import Callable

import numpy as np

from simulator.arrays import Booleans, Floats

SMALLEST_SHAPE, LARGEST_SHAPE = 1e-3, 250_000.0
"""Beyond the largest, SciPy's series for P stops short of convergence five deviations below the mean."""

_SMALLEST = 1e-280
_LOG_SMALLEST = float(np.log(_SMALLEST))
_LOG_NOTHING = -1e100


def log_tails(shape: Floats, log_w: Floats) -> tuple[Floats, Floats]:
    """log P(shape, w) and log Q(shape, w), each with full relative accuracy; w = exp(log_w) in [0, inf]."""
    from scipy.special import gammainc, gammaincc

    w = np.exp(log_w)
    low = w < shape
    smaller = _either(low, gammainc, gammaincc, shape, w)
    log_smaller = np.log(smaller)
    deep = ((smaller < _SMALLEST) | (w < _SMALLEST)) & np.isfinite(log_w)
    for side, log_tail in ((deep & low, _log_lower), (deep & ~low, _log_upper)):
        if side.any():
            log_smaller[side] = log_tail(shape[side], log_w[side])[0]
    log_larger = np.log1p(-np.exp(log_smaller))
    return np.where(low, log_smaller, log_larger), np.where(low, log_larger, log_smaller)


def log_quantile(shape: Floats, log_lower: Floats, log_upper: Floats) -> Floats:
    """log w with P(shape, w) = exp(log_lower) and Q(shape, w) = exp(log_upper), both given."""
    from scipy.special import gammainccinv, gammaincinv

    low = log_lower < log_upper
    log_smaller = np.minimum(log_lower, log_upper)
    w = _either(low, gammaincinv, gammainccinv, shape, np.exp(log_smaller))
    log_w = np.log(w)
    deep = log_smaller < _LOG_SMALLEST
    below = ((deep & low) | (w < _SMALLEST)) & (log_lower > _LOG_NOTHING)
    above = deep & ~low & (log_upper > _LOG_NOTHING)
    if below.any():
        log_w[below] = _lower_quantile(shape[below], log_lower[below])
    if above.any():
        log_w[above] = _upper_quantile(shape[above], log_upper[above])
    return log_w


def _either(
    low: Booleans,
    lower: Callable[[Floats, Floats], Floats],
    upper: Callable[[Floats, Floats], Floats],
    shape: Floats,
    values: Floats,
) -> Floats:
    # Indexed, not lower(..., where=low): SciPy 1.17's functions crash on `where` with NumPy 2.4.
    result = np.empty_like(values)
    for side, function in ((low, lower), (~low, upper)):
        result[side] = function(shape[side], values[side])
    return result


def _log_lower(shape: Floats, log_w: Floats) -> tuple[Floats, Floats]:
    """log P = a log w - w - log Gamma(a + 1) + log M(1, a + 1, w) (DLMF 8.5.1), and its slope in log w."""
    from scipy.special import gammaln, hyp1f1

    w = np.exp(log_w)
    series = hyp1f1(1.0, shape + 1.0, w)
    return shape * log_w - w - gammaln(shape + 1.0) + np.log(series), shape / series


def _log_upper(shape: Floats, log_w: Floats) -> tuple[Floats, Floats]:
    """log Q by Legendre's continued fraction (DLMF 8.9.2, even part), and its slope in log w."""
    from scipy.special import gammaln

    w = np.exp(log_w)
    fraction = np.zeros_like(w)
    for n in range(30, 0, -1):
        fraction = n * (n - shape) / (w + 2 * n + 1 - shape - fraction)
    last = w + 1.0 - shape - fraction
    return shape * log_w - w - gammaln(shape) - np.log(last), -last


def _lower_quantile(shape: Floats, log_lower: Floats) -> Floats:
    # Both starting points lie below the root, and Newton's steps on a concave function then rise to it.
    from scipy.special import gammaln

    near_zero = (log_lower + gammaln(shape + 1.0)) / shape
    sub_gaussian = shape - np.sqrt(-2.0 * shape * log_lower)
    log_w = np.maximum(near_zero, np.log(np.maximum(sub_gaussian, 0.0)))
    for _ in range(12):
        value, slope = _log_lower(shape, log_w)
        log_w = log_w - (value - log_lower) / slope
    return log_w


def _upper_quantile(shape: Floats, log_upper: Floats) -> Floats:
    # Laurent & Massart (2000), Annals of Statistics 28:1302: Q(a, a + sqrt(2 a e) + e) <= exp(-e).
    w = shape + np.sqrt(-2.0 * shape * log_upper) - log_upper
    for _ in range(12):
        value, slope = _log_upper(shape, np.log(w))
        w = w - (value - log_upper) * w / slope
    return np.log(w)
