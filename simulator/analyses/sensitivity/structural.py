"""Other shapes of the sojourn times, through the same points: the effect of the choice of a family on an answer.

Where the pathway declares cured fractions, an alternative has none; where it declares none, an alternative has one in
every time that leads to death. A structure that changes no time is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from simulator.arrays import Floats
from simulator.distributions import Cure, Distribution, HazardRatio, LeftTruncated, LogNormal, Weibull
from simulator.engines.exits import Exit
from simulator.engines.model import Model
from simulator.pathway.outcome_months import OutcomeMonths

FLATTEST = 0.05
"""The least slope of log H, or of a normal score, over log t: a curve that is flat between the months stays flat."""

CURED = 0.1
"""Assumption, where a pathway declares no cured fraction: the share that never reaches a death it is on the way to."""

MATCHED = (0.75, 0.5)
"""Values of S at which a time with an assumed cured fraction matches the declared one: lower quartile and median."""

_QUARTILE = 0.6744897501960817

Change = Callable[[Distribution], Distribution]
Through = tuple[float, float]
"""Months at which a time without a cured fraction has the declared one's survival."""


def lognormal(time: Distribution) -> Distribution:
    """Return the log-normal time of the same median and ratio of quartiles, with any cure and hazard ratio kept."""
    if isinstance(time, Cure | HazardRatio | LeftTruncated):
        return _around(time, lognormal(time.base))
    if time.atom is not None or isinstance(time, LogNormal):
        return time
    lower, median, upper = (time.ppf(share) for share in (0.25, 0.5, 0.75))
    with np.errstate(divide="ignore", invalid="ignore"):
        sigma = np.log(upper / lower) / (2.0 * _QUARTILE)
    # A patient who leaves at once, or never, does so in any family.
    return LogNormal(sigma=np.where(np.isfinite(sigma) & (sigma > 0), sigma, 1.0), scale=median)


def _around(time: Cure | HazardRatio | LeftTruncated, base: Distribution) -> Distribution:
    return time if base is time.base else replace(time, base=base)


def weibull_without_cure(time: Distribution, through: Through) -> Distribution:
    """Return a time with a cured fraction as the Weibull time with the same S at two months.

    H(t) = (t / b)^a,  a = log(H2 / H1) / log(t2 / t1)
    """
    return _without_cure(time, through, np.log, lambda slope, scale: Weibull(shape=slope, scale=scale))


def lognormal_without_cure(time: Distribution, through: Through) -> Distribution:
    """Return a time with a cured fraction as the log-normal with the same S at both months; others as `lognormal`.

    F(t) = Phi(log(t / m) / s),  1 / s = (z2 - z1) / log(t2 / t1)
    """
    matched = _without_cure(time, through, _score, lambda slope, scale: LogNormal(sigma=1.0 / slope, scale=scale))
    return lognormal(time) if matched is time else matched


def _score(hazards: Floats) -> Floats:
    from scipy.special import ndtri

    return np.asarray(ndtri(-np.expm1(-hazards)))


def _without_cure(
    time: Distribution,
    through: Through,
    line: Callable[[Floats], Floats],
    built: Callable[[Floats, Floats], Distribution],
) -> Distribution:
    """line : the function of H(t) that is linear in log t; built : from its slope, and the month t of its zero."""
    if isinstance(time, HazardRatio | LeftTruncated):
        return _around(time, _without_cure(time.base, through, line, built))
    if not isinstance(time, Cure) or time.atom is not None:
        return time
    first, last = (np.asarray(time.cumulative_hazard(month)) for month in through)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        heights = line(first), line(last)
        slope = (heights[1] - heights[0]) / np.log(through[1] / through[0])
        slope = np.where(np.isfinite(slope), np.maximum(slope, FLATTEST), FLATTEST)
        scale = through[1] * np.exp(-heights[1] / slope)
    return built(slope, np.asarray(np.nan_to_num(scale, nan=np.inf, posinf=np.inf)))


def weibull_with_cure(time: Distribution) -> Distribution:
    """Return a time as a mixture cure: a tenth never leaves, and the others' Weibull keeps the first half of the curve.

    S(t) = c + (1 - c) exp(-(t / b)^a) has the declared lower quartile and median
    """
    return _with_cure(time, np.log, lambda slope, scale: Weibull(shape=slope, scale=scale))


def lognormal_with_cure(time: Distribution) -> Distribution:
    """Return the same with a log-normal time of the others."""
    return _with_cure(time, _score, lambda slope, scale: LogNormal(sigma=1.0 / slope, scale=scale))


def _with_cure(
    time: Distribution, line: Callable[[Floats], Floats], built: Callable[[Floats, Floats], Distribution]
) -> Distribution:
    """line, built : as of `_without_cure`."""
    if isinstance(time, HazardRatio | LeftTruncated):
        return _around(time, _with_cure(time.base, line, built))
    if time.atom is not None:
        return time
    first, last = (np.asarray(time.ppf(1.0 - alive)) for alive in MATCHED)
    heights = [line(np.asarray(-np.log((alive - CURED) / (1.0 - CURED)))) for alive in MATCHED]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (heights[1] - heights[0]) / np.log(last / first)
        # A patient who leaves at once, or never, does so with a cured fraction, too.
        known = np.isfinite(slope) & (slope > 0)
        scale = np.where(known, last * np.exp(-heights[1] / np.where(known, slope, 1.0)), last)
    return Cure(base=built(np.where(known, slope, 1.0), scale), cure=np.where(known, CURED, 0.0))


def _as_declared(time: Distribution) -> Distribution:
    return time


@dataclass(frozen=True)
class Structure:
    """The change of a time; and of a time that leads to death, if that differs."""

    of: Change
    of_death: Change | None = None

    def apply(self, model: Model, exit: Exit) -> Exit:
        """Return an exit with its time of this structure."""
        leads_to_death = model.pathway.states[exit.to].kind == "death"
        change = self.of_death if self.of_death is not None and leads_to_death else self.of
        time = None if exit.time is None else change(exit.time)
        return exit if time is exit.time else replace(exit, time=time)

    def changes(self, models: Iterable[Model]) -> bool:
        """Whether it changes a time of any model."""
        exits = ((model, exit) for model in models for exits in model.exits.values() for exit in exits)
        return any(self.apply(model, exit) is not exit for model, exit in exits)


DECLARED = "as declared"
WITHOUT_CURE = {
    "no cured fraction": weibull_without_cure,
    "log-normal times, no cured fraction": lognormal_without_cure,
}
WITH_CURE = {
    "a cured fraction of 10 %": Structure(_as_declared, weibull_with_cure),
    "log-normal times, a cured fraction of 10 %": Structure(lognormal, lognormal_with_cure),
}


def through(months: OutcomeMonths) -> Through:
    """Return half and twice the month of the answer."""
    return 0.5 * months.answer, months.early


def structures(months: OutcomeMonths) -> dict[str, Structure]:
    """Return all structures by name."""
    return {
        DECLARED: Structure(_as_declared),
        "log-normal times": Structure(lognormal),
        **{name: Structure(partial(change, through=through(months))) for name, change in WITHOUT_CURE.items()},
        **WITH_CURE,
    }


def offered(models: Iterable[Model]) -> list[str]:
    """Return the structures to compare: the declared one first, then those that change a time of any model."""
    models = tuple(models)
    times = [exit.time for model in models for exits in model.exits.values() for exit in exits]
    excluded = WITH_CURE if any(_declares_cure(time) for time in times) else WITHOUT_CURE
    by_name = structures(models[0].pathway.months)
    return [DECLARED, *(name for name in by_name if name not in excluded and by_name[name].changes(models))]


def _declares_cure(time: Distribution | None) -> bool:
    return isinstance(time, Cure) or (isinstance(time, HazardRatio | LeftTruncated) and _declares_cure(time.base))


def restructured(model: Model, structure: str) -> Model:
    """Return a model with sojourn times of another structure, matched to the declared ones; nothing is refitted."""
    if structure == DECLARED:
        return model
    change = structures(model.pathway.months)[structure]
    exits = {name: tuple(change.apply(model, exit) for exit in exits) for name, exits in model.exits.items()}
    return replace(model, exits=exits)
