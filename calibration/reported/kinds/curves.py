"""Kaplan-Meier curves that are read off at some months, with the numbers at risk below them: grouped data.

    r = S_k / S_k-1,   d = (1 - r) (N_k-1 + N_k) / (1 + r),   m = (N_k-1 + N_k + d) / 2
    log L = sum_k log C(m, d) + d log(1 - q) + (m - d) log q,   q = S(t_k) / S(t_k-1) of the model

d events of m patients between two months, of whom those censored count half (the actuarial estimate, Cutler & Ederer
1958). Without censoring this is the multinomial of the events by interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from calibration.reported import population_sizes
from calibration.reported.kinds.kind import Kind
from calibration.reported.kinds.summaries import AtRisk
from calibration.reported.kinds.survival import Survival
from simulator.arrays import Floats
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort


@dataclass(frozen=True)
class Curve:
    """Events by interval. months : their ends, the first of them begins at 0; events, patients : of each, not whole.

    n : patients at risk at month 0
    """

    name: str
    population: str
    end_point: str
    months: tuple[float, ...]
    events: tuple[float, ...]
    patients: tuple[float, ...]
    n: float

    def log_likelihood(self, survival: Floats) -> Floats:
        """Return the log-likelihood, (n_draws,), of survival at the months, (n_draws, n_months)."""
        events, others = np.array(self.events), np.array(self.patients) - np.array(self.events)
        coefficient = special.gammaln(events + others + 1) - special.gammaln(events + 1) - special.gammaln(others + 1)
        before = np.concatenate([np.ones((len(survival), 1)), survival[:, :-1]], axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = np.where(before > 0.0, np.minimum(survival / before, 1.0), 0.0)
        return np.asarray((coefficient + special.xlog1py(events, -kept) + special.xlogy(others, kept)).sum(axis=1))


def after_start(figures: Sequence[Kind]) -> tuple[Kind, ...]:
    """Return the figures without those of month 0, which say no more than the `n` of their curve: how many are at risk.

    Raises InputError naming the line of another `n`.
    """
    at_risk = [figure for figure in figures if isinstance(figure, AtRisk) and figure.curve]
    for start in (figure for figure in at_risk if figure.is_start):
        for other in at_risk:
            if other.curve == start.curve and other.n != start.n:
                what, allowed = f"{start.n:g} patients at month 0 of curve {start.curve}, and another n", f"{start.n:g}"
                raise InputError(what, where=f"{start.where} and {other.where}, n", got=f"{other.n:g}", allowed=allowed)
    return tuple(figure for figure in figures if not figure.is_start)


def read(figures: Iterable[Kind], cohort: Cohort) -> tuple[Curve, ...]:
    """Return the curves of fitted figures. Raises InputError naming the line of a point that does not fit."""
    points: dict[str, list[Survival]] = {}
    at_risk: dict[tuple[str, float], AtRisk] = {}
    for figure in figures:
        if isinstance(figure, Survival) and figure.curve:
            points.setdefault(figure.curve, []).append(figure)
        elif isinstance(figure, AtRisk) and figure.curve:
            at_risk[figure.curve, figure.month] = figure
    lonely = [figure for (name, _), figure in at_risk.items() if name not in points]
    if lonely:
        what, allowed = "numbers at risk of a curve without a point", "`survival` with the same `curve`, fitted too"
        raise InputError(what, where=f"{lonely[0].where}, curve", got=lonely[0].curve, allowed=allowed)
    return tuple(
        _curve(sorted(of_curve, key=lambda point: point.month), at_risk, cohort) for of_curve in points.values()
    )


def _curve(points: Sequence[Survival], at_risk: dict[tuple[str, float], AtRisk], cohort: Cohort) -> Curve:
    first, events, patients = points[0], list[float](), list[float]()
    name, population = first.curve, population_sizes.of_figure(cohort, first)
    n, before, survived, lowest = 0.0, 0.0, 1.0, 1.0
    for point in points:
        below = at_risk.get((name, point.month))
        if below is None:
            what = f"a point of curve {name} without the number at risk"
            allowed = f"an `at_risk` row of the curve at month {point.month:g}, fitted too"
            raise InputError(what, where=f"{point.where}, month", got=f"{point.month:g}", allowed=allowed)
        for other in (point, below):
            if (other.population, other.attribute, other.end_point) != (
                first.population,
                first.attribute,
                first.end_point,
            ):
                what, allowed = f"curve {name} is of two sets of patients or events", f"those of line {first.line}"
                raise InputError(what, where=other.where, got=other.of_patients, allowed=allowed)
        n = n or below.n
        before = before or n
        low, high = (percent / 100.0 for percent in point.range_of("value"))
        if high < 0.0 or low > survived or below.count > before * min(high / max(lowest, 1e-12), 1.0) + 1e-9:
            what = f"{below.count:g} at risk of {before:g} before, while survival goes to {point.as_printed}"
            allowed = "no more at risk than survive, and no rising curve, as the source prints them"
            raise InputError(what, where=f"{point.where} and {below.where}", got=f"{below.count:g}", allowed=allowed)
        kept = min(point.value / 100.0 / survived, 1.0) if survived > 0.0 else 1.0
        died = min((1.0 - kept) * (before + below.count) / (1.0 + kept), before - below.count)
        events.append(died)
        patients.append((before + below.count + died) / 2.0)
        before, survived, lowest = below.count, point.value / 100.0, max(low, 0.0)
    months = tuple(point.month for point in points)
    return Curve(name, population, first.end_point, months, tuple(events), tuple(patients), n)
