"""The Kaplan-Meier estimate, with Greenwood's error and the log-log interval, also with delayed entry.

    S(t) = prod_{t_j <= t} (1 - d_j / n_j),   Var S(t) = S(t)^2 sum_{t_j <= t} d_j / (n_j (n_j - d_j))
    interval: S(t)^exp(-+ z v(t)),   v(t) = sqrt(sum d_j / (n_j (n_j - d_j))) / |log S(t)|

d_j deaths at t_j among the n_j at risk, start < t_j <= stop (Kaplan & Meier 1958; Greenwood 1926; Kalbfleisch &
Prentice 2002, section 1.4 and, of delayed entry, 1.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.arrays import Floats
from simulator.outcomes.episodes import Episodes

NORMAL = 1.959963984540054
"""97.5 % point of the standard normal distribution."""
ROUNDING = 1e-9
"""Error of a product of shares."""


@dataclass(frozen=True)
class KaplanMeier:
    """S at the months of death : (n_months,), and its counts; before the first, S = 1.

    at_risk, deaths : at a month; greenwood : the sum of d / (n (n - d)) up to it, infinite where all have died
    origin : the month from which on S is defined, conditional on being alive then
    """

    months: Floats
    survival: Floats
    greenwood: Floats
    at_risk: Floats
    deaths: Floats
    origin: float = 0.0

    def at(self, months: Floats | float) -> Floats:
        """Return S at some months, in their shape; NaN before the origin."""
        return self._at(self.survival, months, 1.0)

    def standard_error(self, months: Floats | float) -> Floats:
        """Return Greenwood's standard error of S at some months; 0 where S is 0 or 1, as survfit and lifelines say."""
        survival, total = self.at(months), self._at(self.greenwood, months, 0.0)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(survival > 0.0, survival * np.sqrt(total), 0.0 * survival))

    def interval(self, months: Floats | float) -> tuple[Floats, Floats]:
        """Return the 95 % interval by log(-log S) at some months; NaN where S is 0 or 1."""
        survival, total = self.at(months), self._at(self.greenwood, months, 0.0)
        inside = (survival > 0.0) & (survival < 1.0)
        log = np.log(np.where(inside, survival, np.nan))
        width = np.exp(NORMAL * np.sqrt(np.where(inside, total, np.nan)) / -log)
        return np.asarray(np.exp(log * width)), np.asarray(np.exp(log / width))

    def median(self) -> float:
        """Return the month at which S falls below one half, infinite if it never does."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> float:
        """Return the month by which a share have died: at which S falls below 1 - share, infinite if it never does.

        Where S is as much between two deaths, the middle between them.
        """
        below = np.append(self.months, np.inf)[np.count_nonzero(self.survival >= 1.0 - share - ROUNDING)]
        reached = np.append(self.months, np.inf)[np.count_nonzero(self.survival > 1.0 - share + ROUNDING)]
        return float((reached + below) / 2.0)

    def mean_to(self, month: float) -> float:
        """Return the restricted mean survival time, the area under S from 0 to a month."""
        ends = np.minimum(np.concatenate([[0.0], self.months, [np.inf]]), month)
        return float(np.append(1.0, self.survival) @ np.diff(ends))

    def _at(self, values: Floats, months: Floats | float, before: float) -> Floats:
        place = np.searchsorted(self.months, months, side="right")
        return np.asarray(np.where(np.less(months, self.origin), np.nan, np.append(before, values)[place]))


def kaplan_meier(episodes: Episodes, origin: float = 0.0) -> KaplanMeier:
    """Return the estimate of all episodes together. origin : nobody is at risk before"""
    months, deaths = np.unique(episodes.stop[episodes.died], return_counts=True)
    at_risk = numbers_at_risk(episodes, months)
    with np.errstate(divide="ignore"):
        greenwood = np.asarray(np.cumsum(deaths / (at_risk * (at_risk - deaths))), dtype=np.float64)
    survival = np.asarray(np.cumprod(1.0 - deaths / at_risk), dtype=np.float64)
    return KaplanMeier(months, survival, greenwood, at_risk, deaths.astype(np.float64), origin)


def numbers_at_risk(episodes: Episodes, months: Floats) -> Floats:
    """Return how many are at risk just before a month : (n_months,)."""
    begun = np.searchsorted(np.sort(episodes.start), months, side="left")
    # A death in the very instant in which its episode begins is at risk there, or the hazard would be 1 / 0.
    at_once = np.sort(episodes.stop[episodes.died & (episodes.start == episodes.stop)])
    begun = begun + np.searchsorted(at_once, months, side="right") - np.searchsorted(at_once, months, side="left")
    ended = np.searchsorted(np.sort(episodes.stop), months, side="left")
    return (begun - ended).astype(np.float64)
