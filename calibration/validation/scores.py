"""Scores of a forecast of one figure, and naive forecasts to compare it with. Smaller is better.

    CRPS(F, y) = integral of (F(x) - 1{x >= y})^2 dx,   log score = -log P(k)   (Gneiting & Raftery 2007, JASA 102:359)

The log score is of the k of n patients that are nearest to the printed percentage. P(k) of simulated cohorts is
(their number with k + 1/2) / (their number + (n + 1) / 2) (Krichevsky & Trofimov 1981), so that no k is impossible.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from calibration.likelihood.targets import Targets
from calibration.reported.kinds.kind import Kind
from simulator.arrays import Floats
from simulator.evidence.cohort import load_cohort
from simulator.pathway.pathway import Pathway

ALIVE = ("survival", "survivors")
"""Kinds of one figure, with censoring and without."""
COLUMNS = [f"{score}{name}" for score in ("crps", "log_score") for name in ("", "_flat", "_carried_over")]


def of_figure(
    targets: Targets, figure: Kind, n: int, unit: str, simulated: Floats, reported: float
) -> dict[str, float]:
    """Return the scores of a figure of n patients: of simulated figures : (N,), and of the naive forecasts.

    Months have a CRPS alone, up to the last month of the pathway's outcomes: no naive forecast has any.
    """
    unknown = dict.fromkeys(COLUMNS, np.nan)
    if not simulated.size:
        return unknown
    alike = np.full(simulated.size, 1.0 / simulated.size)
    if unit != "%":
        last = max(targets.pathway.months.survival)
        return unknown | {"crps": crps(np.minimum(simulated, last), alike, min(reported, last))}
    scores = {"crps": crps(simulated, alike, reported)}
    forecasts = {
        "": of_shares(simulated / 100.0, n),
        "_flat": flat(n),
        "_carried_over": carried_over(targets, figure, n),
    }
    for name, chances in forecasts.items():
        if chances is not None:
            values = 100.0 * np.arange(n + 1) / n
            scores = {f"crps{name}": crps(values, chances, reported), **scores}
            scores[f"log_score{name}"] = log_score(chances, reported / 100.0)
    return unknown | scores


def crps(values: Floats, weights: Floats, reported: float) -> float:
    """Return the CRPS of a forecast with some weights : (n,), which sum to one, in the unit of its values : (n,)."""
    order = np.argsort(values)
    points = np.concatenate([values[order], [reported]])
    mass = np.concatenate([weights[order], [0.0]])
    order = np.argsort(points, kind="stable")
    error = np.cumsum(mass[order])[:-1] - (points[order][:-1] >= reported)
    return float(error**2 @ np.diff(points[order]))


def log_score(chances: Floats, reported: float) -> float:
    """Return -log of the chance of a share : (n + 1,) chances of 0 .. n patients; inf if it has none."""
    n = chances.size - 1
    with np.errstate(divide="ignore"):
        return float(-np.log(chances[round(n * reported)]))


def of_shares(simulated: Floats, n: int) -> Floats:
    """Return the chances of 0 .. n patients, (n + 1,), by simulated shares."""
    counts = np.bincount(np.rint(n * simulated).astype(int), minlength=n + 1)
    return np.asarray((counts + 0.5) / (simulated.size + 0.5 * (n + 1)))


def flat(n: int) -> Floats:
    """Return the forecast that any percentage from 0 to 100 is as likely, (n + 1,)."""
    return np.full(n + 1, 1.0 / (n + 1))


def carried_over(targets: Targets, figure: Kind, n: int) -> Floats | None:
    """Return the forecast that patients fare as those of the fitted cohort, treated or not, (n + 1,); None if unknown.

    Of k treated and n - k untreated, as many of each as `[set]` says, it is a sum of two binomials.
    """
    reported = _shares_of_fitted(targets.pathway, figure) if figure.is_plain else {}
    if figure.population in reported and not targets.cohort.is_everybody(figure.population):
        return np.asarray(stats.binom.pmf(np.arange(n + 1), n, reported[figure.population]))
    arms, uptake = _arms(targets.pathway), _uptake(targets)
    if not targets.cohort.is_everybody(figure.population) or uptake is None or not set(arms) <= set(reported):
        return None
    sizes = (round(n * uptake), n - round(n * uptake))
    treated, untreated = (
        np.asarray(stats.binom.pmf(np.arange(k + 1), k, reported[arm])) for arm, k in zip(arms, sizes, strict=True)
    )
    return np.convolve(treated, untreated)


def _shares_of_fitted(pathway: Pathway, figure: Kind) -> dict[str, float]:
    """Return population -> the share that the cohort of the draws reports for the same figure."""
    fitted = load_cohort(pathway)
    if fitted is None:
        return {}
    rows, kinds = fitted.targets, ALIVE if figure.kind in ALIVE else (figure.kind,)
    alike = rows["kind"].isin(kinds) & (rows["attribute"] == figure.attribute) & (rows["state"] == figure.state)
    rows = rows[alike & np.isfinite(rows["count"]) & np.isclose(rows["month"], figure.month, equal_nan=True)]
    return {str(other["population"]): float(other["count"] / other["n"]) for _, other in rows.iterrows()}


def _arms(pathway: Pathway) -> list[str]:
    """Return the groups of the treated and of the untreated, by the decision of the marginal benefit."""
    branches = [] if pathway.marginal is None else [pathway.marginal.branch, pathway.marginal.otherwise]
    groups = [(name, group) for name, group in pathway.groups.items() if not group.not_entered]
    return [name for branch in branches for name, group in groups if group.entered == (branch,)]


def _uptake(targets: Targets) -> float | None:
    """Return the share treated that a cohort sets; None if it sets none."""
    marginal = targets.pathway.marginal
    exits = [] if marginal is None else targets.pathway.states[marginal.decision].transitions
    names = [exit.probability for exit in exits if marginal is not None and exit.to == marginal.branch]
    return next((targets.scenario.set[str(name)] for name in names if str(name) in targets.scenario.set), None)
