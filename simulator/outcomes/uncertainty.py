"""Parameter uncertainty and simulation noise, separated in one way for every table.

Draw d has a value x_d, which another simulation of the same draw would change with the variance v_d:

    estimate = mean_d x_d,   monte_carlo_se = sqrt(sum_d v_d) / D

`lower`, `upper` are the 95 % interval over draws, shrunk to the estimate m by the noise of similar draws:

    t2 = var_d x_d - mean_d v_d,   m + sqrt(t2 / (t2 + v_d)) (x_d - m)    (Searle 1971, ch. 9; Louis 1984, JASA 79:393)

Draws without noise stay where they are: where most draws have no wait, the interval is of no wait. Where noise alone
explains the variance, the interval is NaN. An unknown v_d is NaN, and counts as the mean of the others. Where a few
draws lie so far off that the mean is outside of the interval, its nearer end is the mean: it still includes at least
95 % of the draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from simulator.arrays import Floats
from simulator.engines.curves import INTERVAL

QUARTILES = 1.348980
"""Standard deviations between a normal distribution's quartiles."""

ROUNDING = 1e-12
"""Share of an estimate by which equal values of one outcome may differ."""

NO_DIFFERENCE = 1e-11
"""A difference that rounding makes."""

FEWEST = 40
"""Draws: of fewer, none lies outside their 95 % interval, and its ends mean nothing."""

REPETITIONS = 1_000
"""Repetitions of the draws' noise, which give the standard error of their median to 2 %."""


class Summary(NamedTuple):
    """A table's figures of an outcome: numbers, or (n_months,)."""

    estimate: Floats
    lower: Floats
    upper: Floats
    monte_carlo_se: Floats

    def columns(self, name: str = "") -> dict[str, float]:
        """Return the cells of a table's row; of a `name`, as in `series`."""
        return dict(zip(_names(name), map(float, self), strict=True))

    def series(self, name: str = "") -> dict[str, Floats]:
        """Return the columns of a table : estimate, lower, upper, monte_carlo_se; or name, name_lower, ..."""
        return dict(zip(_names(name), self, strict=True))

    def without_interval(self) -> Summary:
        """Return the summary without its interval, where that would include noise."""
        nothing = np.full_like(self.estimate, np.nan)
        return self._replace(lower=nothing, upper=nothing)


@cache
def _names(name: str) -> tuple[str, ...]:
    prefix = f"{name}_" if name else ""
    return tuple(f"{prefix}{key}".removesuffix("_estimate") for key in Summary._fields)


NOTHING = Summary(*(np.asarray(np.nan) for _ in Summary._fields))


@dataclass(frozen=True)
class Sample:
    """An outcome over draws: its values, and their Monte Carlo standard errors : (n_draws,), 0 for exact, NaN unknown.

    without : (n_draws, n_replications) the values without each replication in turn; None without replications
    All of several outcomes with one more axis, the first.
    """

    values: Floats
    noise: Floats
    without: Floats | None = None

    def by_outcome(self) -> list[Sample]:
        """Return the samples of several outcomes, one by one."""
        without = [None] * len(self.values) if self.without is None else self.without
        return [Sample(*parts) for parts in zip(self.values, self.noise, without, strict=True)]


def same_sign(values: Floats, estimate: Floats) -> Floats:
    """Return the share of draws : (n_draws, ...) in which a value has the sign of its estimate; NaN of a single one.

    What is no more than `NO_DIFFERENCE` has none: patients whom a policy does not touch do not differ.
    """
    known = np.count_nonzero(~np.isnan(values), axis=0)
    agree = np.count_nonzero(_direction(values) == _direction(estimate), axis=0)
    return np.asarray(np.divide(agree, known, out=np.full(known.shape, np.nan), where=known > 1))


def _direction(values: Floats) -> Floats:
    return np.asarray(np.where(np.abs(values) <= NO_DIFFERENCE, 0.0, np.sign(values)))


def read_off(function: Callable[..., Floats], *samples: Sample) -> Sample:
    """Return a function of several outcomes, draw by draw and replication by replication.

    So the noise that they share leaves a difference. Without several replications its noise is unknown, unless all are
    exact.
    """
    with np.errstate(invalid="ignore"):
        values = function(*(sample.values for sample in samples))
        replications = [sample.without for sample in samples if sample.without is not None]
        if len(replications) == len(samples):
            without = function(*replications)
            return Sample(values, np.sqrt(jackknife(without)), without)
    exact = np.all([sample.noise == 0 for sample in samples], axis=0)
    return Sample(values, np.where(exact, 0.0, np.nan))


def jackknife(without: Floats) -> Floats:
    """Return the variance by chance of a figure of all replications together.

        v = (R - 1) / R sum_r (x_(-r) - mean x_(-r))^2        (Efron & Stein 1981)

    without : (..., n_replications) x_(-r), of all but one. NaN, unknown, of a single replication, and where one x_(-r)
    is no number, as where all of a group are in one replication
    """
    n = without.shape[-1]
    known = np.asarray(np.isfinite(without).all(axis=-1) & (n > 1))
    deviation = np.where(known[..., None], without, 0.0)
    deviation = deviation - deviation.mean(axis=-1, keepdims=True)
    return np.asarray(np.where(known, (n - 1) / n * (deviation**2).sum(axis=-1), np.nan))


def of_means(values: Floats, chance: Floats) -> Summary:
    """Return the summary by means over draws of values with variances by chance : (n_draws, ...).

    An empty draw, NaN, is left out. One draw has no interval. The interval includes unknown noise.
    """
    known = ~np.isnan(values.reshape(len(values), -1)[:, 0])
    if not known.any():
        return Summary(*(np.full(values.shape[1:], np.nan) for _ in Summary._fields))
    values, chance = (values, chance) if known.all() else (values[known], chance[known])
    noise = _mean_known(chance)
    estimate, error = values.mean(axis=0), np.sqrt(noise / len(values))
    if len(values) < 2:
        nothing = np.full(estimate.shape, np.nan)
        return Summary(estimate, nothing, nothing, error)
    lower, upper = quantiles(without_noise(values, chance), INTERVAL)
    return Summary(estimate, np.minimum(lower, estimate), np.maximum(upper, estimate), error)


def without_noise(values: Floats, chance: Floats) -> Floats:
    """Return the values of two draws or more, shrunk to their mean by their noise; NaN where noise is all there is.

    values, their variances by chance : (n_draws, ...)
    """
    if not chance.any():
        return values
    estimate, noise = values.mean(axis=0), _mean_known(chance)
    left = _left(values.var(axis=0, ddof=1), noise, estimate)
    chance = np.nan_to_num(_nearby(values, np.where(np.isfinite(chance), chance, noise)))
    return _drawn(values, estimate, left, chance) if chance.any() else values


def of_medians(values: Floats, chance: Floats) -> Summary:
    """Return the summary by medians over draws of values with variances by chance : (n_draws, ...).

    An empty draw, NaN, is left out; one whose value is infinite, a median that is not reached, counts. The quartiles
    give the variance of the draws, and the median of their noise the noise: it has no bound where survival is flat.
    """
    chance = np.where(np.isfinite(chance) & ~np.isnan(values), chance, np.nan)
    first, estimate, third = quantiles(values, (0.25, 0.5, 0.75))
    (typical,) = quantiles(chance, (0.5,))
    with np.errstate(invalid="ignore"):
        left = _left(((third - first) / QUARTILES) ** 2, typical, estimate)
        drawn = np.where(np.isfinite(values), _drawn(values, estimate, np.nan_to_num(left), typical), values)
    ends = np.where(
        (np.count_nonzero(~np.isnan(values), axis=0) > 1) & ~np.isnan(left), quantiles(drawn, INTERVAL), np.nan
    )
    error = np.full(estimate.shape, np.nan)
    for place in np.ndindex(estimate.shape):
        known = ~np.isnan(values[:, *place])
        error[place] = _error_of_median(drawn[:, *place][known], chance[:, *place][known])
    finite = [np.where(np.isfinite(figure), figure, np.nan) for figure in (estimate, *ends)]
    return Summary(finite[0], finite[1], finite[2], error)


def of_each(samples: Sequence[Sample | None], medians: Sequence[bool]) -> Summary:
    """Return the summaries of samples, (n_samples,), by their medians or means: NaN of None.

    Those of the same known draws are found together.
    """
    figures = np.full((len(Summary._fields), len(samples)), np.nan)
    alike: dict[tuple[bool, int, bytes], list[int]] = {}
    for place, (sample, is_median) in enumerate(zip(samples, medians, strict=True)):
        if sample is not None:
            known = b"" if is_median else np.isnan(sample.values).tobytes()
            alike.setdefault((is_median, sample.values.size, known), []).append(place)
    for (is_median, _, _), places in alike.items():
        values, noise = (
            np.array([getattr(samples[place], part) for place in places]).T for part in ("values", "noise")
        )
        figures[:, places] = (of_medians if is_median else of_means)(values, noise**2)
    return Summary(*figures)


def central(values: Floats) -> tuple[float, float]:
    """Return the ends of the central 95 % of values of any number, NaN of none; values may be infinite."""
    if not values.size:
        return np.nan, np.nan
    lower, upper = quantiles(values, INTERVAL).tolist()
    return lower, upper


def _mean_known(chance: Floats) -> Floats:
    known = np.isfinite(chance)
    total = np.where(known, chance, 0.0).sum(axis=0)
    mean: Floats = np.divide(total, known.sum(axis=0), out=np.full(total.shape, np.nan), where=known.any(axis=0))
    return mean


def _left(variance: Floats, noise: Floats, estimate: Floats) -> Floats:
    """Return the variance without the noise: NaN where the noise is as large, and 0 where draws are equal."""
    noise = np.where(np.sqrt(noise) > ROUNDING * np.abs(estimate), noise, 0.0)
    rest = variance - np.nan_to_num(noise)
    return np.asarray(np.where((rest > 0.0) | ((variance == 0.0) & (noise == 0.0)), rest, np.nan))


def _nearby(values: Floats, chance: Floats) -> Floats:
    """Return the mean noise of draws with neighbouring values : (n_draws, ...).

    A few replications estimate the noise of one draw badly, and of about 2 sqrt(n_draws) similar draws well.
    """
    if not np.nan_to_num(chance).any():
        return chance
    order = np.argsort(values, axis=0, kind="stable")
    sums = np.cumsum(np.take_along_axis(chance, order, axis=0), axis=0)
    sums = np.concatenate([np.zeros_like(sums[:1]), sums])
    place, width = np.arange(len(values)), round(np.sqrt(len(values)))
    first, last = np.maximum(place - width, 0), np.minimum(place + width + 1, len(values))
    means = (sums[last] - sums[first]) / (last - first).reshape(-1, *[1] * (values.ndim - 1))
    nearby: Floats = np.empty_like(means)
    np.put_along_axis(nearby, order, means, axis=0)
    return nearby


def _drawn(values: Floats, estimate: Floats | float, left: Floats, chance: Floats) -> Floats:
    """Return values shrunk to the estimate by their noise; unknown noise (NaN) counts as none."""
    chance = np.broadcast_to(np.nan_to_num(chance), values.shape)
    whole = np.asarray(left + chance)
    kept = np.sqrt(np.divide(left, whole, out=np.ones(values.shape), where=whole != 0.0))
    return np.asarray(estimate + kept * (values - estimate))


def _error_of_median(drawn: Floats, chance: Floats) -> float:
    """Return the standard error of the median of draws, by repeated noise: a draw of unknown noise stays as it is."""
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


def quantiles(values: Floats, shares: Sequence[float]) -> Floats:
    """Return quantiles : (n_shares, ...) of the known values : (n_values, ...), linear between order statistics.

        order statistic k of n lies at k / (n - 1)

    Infinite if the upper or the lower of the two is: NumPy's gives NaN next to infinite values, and another method for
    them would move the finite end. NaN of none.
    """
    ordered = np.sort(values.T, axis=-1).T
    last = np.count_nonzero(~np.isnan(values), axis=0) - 1
    wanted = np.multiply.outer(shares, last)
    place = np.maximum(wanted, 0.0).astype(np.int64)
    low, high = (np.take_along_axis(ordered, at, axis=0) for at in (place, np.minimum(place + 1, last)))
    part = wanted - place
    with np.errstate(invalid="ignore"):
        return np.where((part > 0.0) & np.isfinite(low), low + part * (high - low), low)


def quantile(values: Floats, share: float, weights: Floats) -> float:
    """Return a quantile of weighted values: each at the middle of its weight, from first to last; see `quantiles`."""
    values, weights = values[weights > 0.0], weights[weights > 0.0]
    order = np.argsort(values, kind="stable")
    middles = np.cumsum(weights[order]) - 0.5 * weights[order]
    wanted = middles[0] + share * (middles[-1] - middles[0])
    place = min(int(np.searchsorted(middles, wanted, side="right")) - 1, len(values) - 1)
    after = min(place + 1, len(values) - 1)
    low, high = values[order[[place, after]]]
    part = (wanted - middles[place]) / (middles[after] - middles[place]) if after > place else 0.0
    return float(low + part * (high - low) if part > 0.0 and np.isfinite(low) else low)
