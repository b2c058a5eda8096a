"""What is not known, and what chance adds: kept apart in one way for every table.

Draw d has a value x_d, which another simulation of the same draw would change with the variance v_d:

    estimate = mean_d x_d,   monte_carlo_se = sqrt(sum_d v_d) / D

`lower`, `upper` are the 95 % interval over draws, drawn together about the estimate until the variance that is left is
var_d x_d - mean_d v_d (ANOVA's variance components; Searle 1971, chapter 9). Where chance alone would make the draws
differ as much, nobody can tell: the interval is NaN. v_d is NaN where nobody knows it. Where a few draws lie so far
off that the mean is outside of it, the end nearer to the mean is the mean: it still holds 95 % of the draws, and more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.curves import INTERVAL

Floats = NDArray[np.float64]

QUARTILES = 1.348980
"""Standard deviations between a normal distribution's quartiles."""

ROUNDING = 1e-12
"""Of an estimate: values of one outcome that are alike may differ by so much."""

REPETITIONS = 1_000
"""Of the draws' chance, to see how it moves their median: its standard error is then known to 2 %."""


class Summary(NamedTuple):
    """What a table tells of an outcome. Each a number, or (n_months,)."""

    estimate: Floats
    lower: Floats
    upper: Floats
    monte_carlo_se: Floats

    def columns(self) -> dict[str, float]:
        """Return the cells of a table's row."""
        return {name: float(each) for name, each in self._asdict().items()}

    def without_interval(self) -> Summary:
        """Return it without the interval, where that would hold chance."""
        nothing = np.full_like(self.estimate, np.nan)
        return self._replace(lower=nothing, upper=nothing)

    def difference_columns(self) -> dict[str, float]:
        """Return the cells of a table's row, of a difference to the first scenario."""
        return {f"difference_{name}".removesuffix("_estimate"): each for name, each in self.columns().items()}


NOTHING = Summary(*(np.asarray(np.nan) for _ in Summary._fields))


@dataclass(frozen=True)
class Sample:
    """An outcome over draws: its values, and their standard errors by chance : (n_draws,), 0 for exact, NaN unknown.

    without : (n_draws, n_replications) the values of all replications but one in turn; None of a run without any
    """

    values: Floats
    noise: Floats
    without: Floats | None = None


def read_off(function: Callable[..., Floats], *samples: Sample) -> Sample:
    """Return what is read off several outcomes together, draw by draw and replication by replication.

    So what chance they share leaves a difference. Without several replications nobody knows how much that is, unless
    none of them has any.
    """
    with np.errstate(invalid="ignore"):
        values = function(*(each.values for each in samples))
        replications = [each.without for each in samples if each.without is not None]
        if len(replications) == len(samples):
            without = function(*replications)
            return Sample(values, np.sqrt(jackknife(without)), without)
    exact = np.all([each.noise == 0 for each in samples], axis=0)
    return Sample(values, np.where(exact, 0.0, np.nan))


def jackknife(without: Floats) -> Floats:
    """Return the variance by chance of what is read off all replications together.

        v = (R - 1) / R sum_r (x_(-r) - mean x_(-r))^2        (Efron & Stein 1981)

    without : (..., n_replications) x_(-r), read off all but one. NaN, unknown, where one of them is no number, as where
    all of a group come in one replication, and of a single replication
    """
    n = without.shape[-1]
    known = np.asarray(np.isfinite(without).all(axis=-1) & (n > 1))
    apart = np.where(known[..., None], without, 0.0)
    apart = apart - apart.mean(axis=-1, keepdims=True)
    return np.asarray(np.where(known, (n - 1) / n * (apart**2).sum(axis=-1), np.nan))


def of_means(values: Floats, chance: Floats) -> Summary:
    """Return the summary of values with variances by chance : (n_draws, ...), told by means over draws.

    A draw with nobody in it, NaN, is left out. One draw has no interval. Where chance is unknown the interval holds it.
    """
    known = ~np.isnan(values).reshape(len(values), -1)[:, 0]
    if not known.any():
        return Summary(*(np.full(values.shape[1:], np.nan) for _ in Summary._fields))
    values, noise = values[known], _mean_known(chance[known])
    estimate, error = values.mean(axis=0), np.sqrt(noise / len(values))
    if len(values) < 2:
        nothing = np.full(estimate.shape, np.nan)
        return Summary(estimate, nothing, nothing, error)
    kept = _kept(values.var(axis=0, ddof=1), noise, estimate)
    drawn = values - (1.0 - kept) * (values - estimate)
    lower, upper = np.quantile(drawn, INTERVAL, axis=0)
    return Summary(estimate, np.minimum(lower, estimate), np.maximum(upper, estimate), error)


def of_medians(values: Floats, chance: Floats) -> Summary:
    """Return the summary of values with variances by chance : (n_draws,), told by the median over draws.

    So a draw whose value is infinite, a median that is not reached, counts too. Then the spread is told by the
    quartiles, and chance by the middle of the draws' own: it has no bound where survival is flat.
    """
    known = ~np.isnan(values)
    if not known.any():
        return NOTHING
    values, chance = values[known], chance[known]
    noise = chance[np.isfinite(chance)]
    estimate = _quantile(values, 0.5)
    with np.errstate(invalid="ignore"):
        spread = (_quantile(values, 0.75) - _quantile(values, 0.25)) / QUARTILES
        typical = np.asarray(np.median(noise) if noise.size else np.nan)
        kept = _kept(np.asarray(spread**2), typical, np.asarray(estimate))
        drawn = np.where(np.isfinite(values), values - (1.0 - np.nan_to_num(kept)) * (values - estimate), values)
    has_interval = len(values) > 1 and not np.isnan(kept)
    ends = [_quantile(drawn, share) for share in INTERVAL] if has_interval else [np.nan, np.nan]
    told = [np.asarray(each if np.isfinite(each) else np.nan) for each in (estimate, *ends)]
    return Summary(told[0], told[1], told[2], np.asarray(_error_of_median(drawn, chance)))


def _mean_known(chance: Floats) -> Floats:
    known = np.isfinite(chance)
    total = np.where(known, chance, 0.0).sum(axis=0)
    mean: Floats = np.divide(total, known.sum(axis=0), out=np.full(total.shape, np.nan), where=known.any(axis=0))
    return mean


def _kept(variance: Floats, noise: Floats, estimate: Floats) -> Floats:
    """Return by what the draws' distances are multiplied, so that the noise is no longer in their variance.

    NaN where the noise is as large as the variance; 1 where there is none, and draws may be alike.
    """
    noise = np.where(np.sqrt(noise) > ROUNDING * np.abs(estimate), noise, 0.0)
    finite = np.isfinite(variance) & (variance > 0)
    lost = np.divide(noise, variance, out=np.where((variance == 0) & (noise > 0), 1.0, 0.0), where=finite)
    kept: Floats = np.sqrt(np.where(lost < 1.0, 1.0 - lost, np.nan))
    return kept


def _error_of_median(drawn: Floats, chance: Floats) -> float:
    """Return how far chance moves the median of draws, by repeating it: a draw of unknown chance stays as it is."""
    known = np.isfinite(chance) & np.isfinite(drawn)
    if not known.any():
        return np.nan
    if not chance[known].any():
        return 0.0
    noise = np.where(known, np.sqrt(np.where(known, chance, 0.0)), 0.0)
    repeated = drawn + noise * np.random.default_rng(0).standard_normal((REPETITIONS, len(drawn)))
    with np.errstate(invalid="ignore"):
        medians = np.median(repeated, axis=1)
    medians = medians[np.isfinite(medians)]
    return float(medians.std(ddof=1)) if medians.size > REPETITIONS / 2 else np.nan


def _quantile(values: Floats, share: float) -> float:
    """Return a quantile, linear between order statistics; infinite if the upper or the lower of the two is.

    NumPy's own gives NaN there, and another method for such values would move the finite end with them.
    """
    ordered = np.sort(values)
    place = share * (len(ordered) - 1)
    low, part = ordered[int(place)], place - int(place)
    if part == 0.0 or not np.isfinite(low):
        return float(low)
    return float(low + part * (ordered[int(place) + 1] - low))
