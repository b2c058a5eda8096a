"""Outcomes of curves: OS, medians, restricted means, counts, and their sampling noise. Pure functions.

S(t) = P(T > t),   RMST(t) = int_0^t S(u) du,   median = inf {t : S(t) < 1/2}

A survival that stays at 1/2 has no median. RMST uses the mean survival between months, which every engine keeps, so
that patients who die at one instant have lived until that instant.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import partial

import numpy as np

from simulator.arrays import Floats
from simulator.engines.curves import Curves, Readable, Survival, up_to
from simulator.engines.lifetimes import least_below, least_of_path, place_below
from simulator.pathway.outcome_months import OutcomeMonths, alive_at, mean_to, written
from simulator.pathway.pathway import Pathway

PER = 100
"""Counts are per 100 patients who reach the default clock."""


def survival_at(months: Floats, survival: Floats, means: Floats, month: float) -> Floats:
    """Return S(month), (n_draws,), by parabolas that keep the means between lattice points; NaN beyond the horizon."""
    if month > months[-1] + 1e-9:
        return np.full(len(survival), np.nan)
    below, above, part = _cell(months, survival, means, month)
    return np.asarray((1.0 - part) * survival[:, below] + part * survival[:, above])


def _cell(months: Floats, survival: Floats, means: Floats, month: float) -> tuple[int, int, Floats]:
    """Return the lattice points about a month, and the part of the deaths between them that come before, (n_draws,)."""
    place = min(month / (months[1] - months[0]), len(months) - 1)
    below = int(place + 1e-9)
    above, x = min(below + 1, len(months) - 1), max(place - below, 0.0)
    if x == 0.0:
        return below, above, np.zeros(len(survival))
    at, after = survival[:, below], survival[:, above]
    early = np.divide(0.5 * (at + after) - means[:, below], at - after, out=np.zeros_like(at), where=at > after)
    return below, above, np.clip(x + 6.0 * x * (1.0 - x) * early, 0.0, 1.0)


def rmst(months: Floats, means: Floats, month: float) -> Floats:
    """Return the restricted mean survival time to a month, (n_draws,), months; NaN beyond the horizon.

    means : (n_draws, n_months - 1), the mean of S(t) from a month to the next
    """
    if month > months[-1] + 1e-9:
        return np.full(len(means), np.nan)
    return up_to(means, months[1], month)


def median(curves: Curves, clock: str, population: str) -> Floats:
    """Return the median survival time, (n_draws,), months; inf where it is not reached, NaN for nobody."""
    return quantile(curves, clock, population, np.full(len(curves.survival[clock, population]), 0.5))


def quantile(curves: Curves, clock: str, population: str, levels: Floats) -> Floats:
    """Return the least times with S(t) < level, (n_draws,) each, months; inf where there is none, NaN for nobody."""
    survival = curves.survival[clock, population]
    place = place_below(survival, levels)
    times = least_below(curves.months, survival, curves.means[clock, population], levels, place)
    paths = curves.lifetimes((clock, population), np.where(np.isfinite(times), place, 0))
    for draw, path in enumerate(paths):
        if path is not None:
            times[draw] = least_of_path(path, levels[draw])
    return np.where(np.isnan(survival[:, 0]), np.nan, times)


def survival_noise(survival: Floats, patients: Floats) -> Floats:
    """Return the standard error of simulated S : (n_draws, ...), of `patients` : (n_draws,) each; binomial."""
    n = _several(patients).reshape(-1, *(1,) * (survival.ndim - 1))
    return np.asarray(np.sqrt(np.clip(survival * (1.0 - survival), 0.0, None) / n))


def rmst_noise(months: Floats, means: Floats, month: float, patients: Floats) -> Floats:
    """Return the standard error of a simulated RMST: Var min(T, t) = 2 int_0^t u S(u) du - RMST(t)^2."""
    middles = 0.5 * (months[1:] + months[:-1])
    variance = 2.0 * rmst(months, means * middles, month) - rmst(months, means, month) ** 2
    return np.asarray(np.sqrt(np.clip(variance, 0.0, None) / _several(patients)))


def median_noise(curves: Curves, clock: str, population: str, middle: Floats) -> Floats:
    """Return the standard error of a simulated median, `middle` : (n_draws,): half the distance between the quantiles
    one standard error of S about it (Woodruff 1952, J Am Stat Assoc 47:635); NaN where there is none.
    """
    error = np.sqrt(0.25 / _several((curves.patients or 0) * curves.sizes[population]))
    early, late = (quantile(curves, clock, population, level) for level in (0.5 + error, 0.5 - error))
    with np.errstate(invalid="ignore"):
        noise = np.where(np.isfinite(late), 0.5 * (late - early), middle - early)
    return np.where(np.isfinite(middle) & np.isfinite(error), noise, np.nan)


def _several(patients: Floats) -> Floats:
    """Return the number of patients, NaN for one or none: a single patient does not show the noise."""
    return np.where(patients > 1.5, patients, np.nan)


Outcomes = dict[str, tuple[str, Floats, Floats]]
"""Outcome -> its unit, its values (n_draws,) and their Monte Carlo standard errors (n_draws,)."""


@dataclass(frozen=True)
class _OfCurves:
    """Curves, as what outcomes are read of."""

    curves: Curves

    def alive(self, key: tuple[str, str], month: float) -> Floats:
        return survival_at(self.curves.months, self.curves.survival[key], self.curves.means[key], month)

    def months_alive(self, key: tuple[str, str], month: float) -> Floats:
        return rmst(self.curves.months, self.curves.means[key], month)

    def come(self, cause: str, key: tuple[str, str], month: float) -> Floats:
        months, incidence = self.curves.months, self.curves.incidence[cause][key]
        if month > months[-1] + 1e-9:
            return np.full(len(incidence), np.nan)
        # As the sum of all causes does, so that they sum to one with survival.
        below, above, part = _cell(months, self.curves.survival[key], self.curves.means[key], month)
        return np.asarray((1.0 - part) * incidence[:, below] + part * incidence[:, above])

    def median(self, key: tuple[str, str]) -> Floats:
        return median(self.curves, *key)


def readable(curves: Curves | Readable) -> Survival:
    """Return what is read of survival."""
    return _OfCurves(curves) if isinstance(curves, Curves) else curves


def of_survival(
    curves: Curves | Readable, clock: str, population: str, read_at: OutcomeMonths, only: Container[str] | None = None
) -> Outcomes:
    """Return the outcomes of one survival curve, at the pathway's months. only : names of those to read, default all"""
    key, read = (clock, population), readable(curves)
    reads: dict[str, tuple[str, Callable[[float], Floats], float]] = {}
    for month in read_at.survival:
        reads[alive_at(month)] = ("probability", partial(read.alive, key), month)
    reads["median_os"] = ("months", lambda _: read.median(key), np.inf)
    for month in read_at.means:
        reads[mean_to(month)] = ("months", partial(read.months_alive, key), month)
    asked = {name: of for name, of in reads.items() if only is None or name in only}
    values = {name: (unit, values_at(month)) for name, (unit, values_at, month) in asked.items()}
    outcomes: Outcomes = {name: (unit, at, np.zeros(len(at))) for name, (unit, at) in values.items()}
    if not isinstance(curves, Curves) or curves.patients is None:
        return outcomes
    patients = curves.patients * curves.sizes[population]
    noise = {name: survival_noise(at, patients) for name, (unit, at, _) in outcomes.items() if unit == "probability"}
    if "median_os" in outcomes:
        noise["median_os"] = median_noise(curves, clock, population, outcomes["median_os"][1])
    for month in (month for month in read_at.means if mean_to(month) in outcomes):
        noise[mean_to(month)] = rmst_noise(curves.months, curves.means[key], month, patients)
    return {name: (unit, values, noise[name]) for name, (unit, values, _) in outcomes.items()}


def of_end_points(
    curves: Curves | Readable, clock: str, population: str, pathway: Pathway, only: Container[str] | None = None
) -> Outcomes:
    """Return the outcomes of end points: survival without the event as `of_survival`, and first events by cause."""
    months, outcomes = pathway.months, Outcomes()
    for name, free in curves.end_points.items():
        if isinstance(free, Curves) and (clock, population) not in free.survival:
            continue
        end_point, read = pathway.end_points[name], readable(free)
        named = {alive_at(month): end_point.free_at(month) for month in months.survival}
        named |= {"median_os": end_point.median}
        named |= {mean_to(month): end_point.mean_to(month) for month in months.means}
        wanted = {key for key, free_key in named.items() if only is None or free_key in only}
        of_free = of_survival(free, clock, population, months, wanted)
        outcomes |= {named[key]: outcome for key, outcome in of_free.items()}
        for cause in end_point.causes:
            for month in months.survival:
                if only is not None and end_point.incidence_at(cause, month) not in only:
                    continue
                at = read.come(cause, (clock, population), month)
                noise = np.zeros(len(at))
                if isinstance(free, Curves) and free.patients is not None:
                    noise = survival_noise(at, free.patients * free.sizes[population])
                outcomes[end_point.incidence_at(cause, month)] = ("probability", at, noise)
    return outcomes


def of_counts(curves: Curves | Readable, pathway: Pathway) -> Outcomes:
    """Return the pathway's counts, per 100 patients who reach the default clock, within the horizon."""
    outcomes: Outcomes = {}
    for name, count in pathway.counts.items():
        values = PER * curves.counts[name]
        noise = np.zeros(len(values))
        if isinstance(curves, Curves) and curves.patients:
            noise = PER * np.sqrt(curves.count_variances[name] / curves.patients)
        outcomes[name] = (count.unit, values, noise)
    return outcomes


def per_10_outcomes(months: OutcomeMonths) -> dict[str, float]:
    """Return the outcomes that count survivors per 10 more treated, with their months."""
    return {f"survivors_{written(month)}_gained_per_10_more_treated": month for month in months.means}


def survivors_per_10(alive: Floats, alive_first: Floats, treated: Floats, treated_first: Floats) -> Floats:
    """Return the additional survivors per 10 additional patients treated; NaN where no more are treated.

    alive, treated : probabilities of any shape, under a policy and under the first one
    """
    more = treated - treated_first
    per_10 = np.full(more.shape, np.nan)
    np.divide(10.0 * (alive - alive_first), more, out=per_10, where=more > 1e-9)
    return per_10


def break_even(before: Floats, none: Floats, every: Floats, *, margin: float) -> tuple[Floats, Floats]:
    """Return the marginal benefit at which a policy is just worthwhile, and survival there, (n_draws,) each.

        S(m) = S(0) + m (S(1) - S(0)) = S_before + margin

    before, none, every : S without the policy, and under it if none or all of the additional patients benefit.
    Below 0 it is worthwhile even if none benefit, above 1 not even if all do; inf where benefit changes nothing.
    """
    wanted = before + margin
    benefit = np.where(none >= wanted, 0.0, np.inf)
    np.divide(wanted - none, every - none, out=benefit, where=every - none > 1e-9)
    return np.where(np.isnan(before + none + every), np.nan, benefit), wanted


def treated_group(pathway: Pathway) -> str | None:
    """Return the group of all who take the treated branch of the marginal decision, if there is one."""
    if pathway.marginal is None:
        return None
    target = pathway.states[pathway.marginal.decision].transition(pathway.marginal.branch).to
    return next((g.name for g in pathway.groups.values() if g.entered == (target,) and not g.not_entered), None)
