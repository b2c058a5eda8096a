"""Other shapes of the sojourn times, through the same points: what the choice of a family does to an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.distributions import Cure, Distribution, HazardRatio, LogNormal, Weibull
from simulator.model import Model

Floats = NDArray[np.float64]

THROUGH = (6.0, 24.0)
"""Months at which a time without a cured fraction has the declared one's survival: within the letter's follow-up."""

FLATTEST = 0.05
"""The least slope of log H, or of a normal score, over log t: a curve that is flat between the two months stays so."""

_QUARTILE = 0.6744897501960817

Change = Callable[[Distribution], Distribution]


def lognormal(time: Distribution) -> Distribution:
    """Return the log-normal time of the same median and the same ratio of its quartiles, any cure and ratio kept."""
    if isinstance(time, Cure | HazardRatio):
        return replace(time, base=lognormal(time.base))
    if time.atom is not None or isinstance(time, LogNormal):
        return time
    lower, median, upper = (time.ppf(each) for each in (0.25, 0.5, 0.75))
    with np.errstate(divide="ignore", invalid="ignore"):
        sigma = np.log(upper / lower) / (2.0 * _QUARTILE)
    # Who leaves at once, or never, does so in any family.
    return LogNormal(sigma=np.where(np.isfinite(sigma) & (sigma > 0), sigma, 1.0), scale=median)


def weibull_without_cure(time: Distribution) -> Distribution:
    """Return a time with a cured fraction as the Weibull time that goes through its S at both months of `THROUGH`.

    H(t) = (t / b)^a,  a = log(H2 / H1) / log(t2 / t1)
    """
    return _without_cure(time, np.log, lambda slope, scale: Weibull(shape=slope, scale=scale))


def lognormal_without_cure(time: Distribution) -> Distribution:
    """Return a time with a cured fraction as the log-normal through its S at both months; others as `lognormal`.

    F(t) = Phi(log(t / m) / s),  1 / s = (z2 - z1) / log(t2 / t1)
    """
    from scipy.special import ndtri

    def score(hazards: Floats) -> Floats:
        return np.asarray(ndtri(-np.expm1(-hazards)))

    found = _without_cure(time, score, lambda slope, scale: LogNormal(sigma=1.0 / slope, scale=scale))
    return lognormal(time) if found is time else found


def _without_cure(
    time: Distribution, line: Callable[[Floats], Floats], built: Callable[[Floats, Floats], Distribution]
) -> Distribution:
    """line : what of H(t) is linear in log t; built : from its slope, and the t in months at which it is zero."""
    if isinstance(time, HazardRatio):
        base = _without_cure(time.base, line, built)
        return time if base is time.base else replace(time, base=base)
    if not isinstance(time, Cure) or time.atom is not None:
        return time
    first, last = (np.asarray(time.cumulative_hazard(month)) for month in THROUGH)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        heights = line(first), line(last)
        slope = (heights[1] - heights[0]) / np.log(THROUGH[1] / THROUGH[0])
        slope = np.where(np.isfinite(slope), np.maximum(slope, FLATTEST), FLATTEST)
        scale = THROUGH[1] * np.exp(-heights[1] / slope)
    return built(slope, np.asarray(np.nan_to_num(scale, nan=np.inf, posinf=np.inf)))


def _as_declared(time: Distribution) -> Distribution:
    return time


DECLARED = "as declared"
STRUCTURES: Mapping[str, Change] = {
    DECLARED: _as_declared,
    "log-normal times": lognormal,
    "no cured fraction": weibull_without_cure,
    "log-normal times, no cured fraction": lognormal_without_cure,
}


def restructured(model: Model, structure: str) -> Model:
    """Return a model with its sojourn times of another structure, matched to the declared ones; nothing is refitted."""
    change = STRUCTURES[structure]
    exits = {
        name: tuple(replace(each, time=None if each.time is None else change(each.time)) for each in ways)
        for name, ways in model.exits.items()
    }
    return replace(model, exits=exits)
