"""Whether ranks are uniform, all quantities together: simultaneous ECDF bands, and coverage with binomial bounds.

The share of ranks up to z is binomial at each z. Pointwise intervals of level gamma hold everywhere at once with a
probability that is exact, since the counts are a Markov chain (Sailynoja, Burkner & Vehtari 2022, Stat Comput 32, 32):

    N(z_i+1) - N(z_i) | N(z_i) ~ binomial(n - N(z_i), (z_i+1 - z_i) / (1 - z_i)),

and gamma is chosen so that it is 1 - FALSE_ALARM / quantities (Bonferroni: whatever their dependence).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from simulator.arrays import Floats, Integers

FALSE_ALARM = 0.05
"""Probability that uniform ranks of all quantities together leave a band; the same for all coverages together."""

LEVELS = (0.5, 0.8, 0.95)
"""Central intervals whose coverage is measured."""


@dataclass(frozen=True)
class Band:
    """z : (n_points,) in (0, 1); lower, upper : the least and the largest share of ranks up to each inside the band."""

    z: Floats
    lower: Floats
    upper: Floats


@lru_cache(maxsize=64)
def band(n: int, ranks: int, false_alarm: float) -> Band:
    """Return the band of n ranks in 0 .. ranks - 1 that uniform ones leave anywhere with probability `false_alarm`.

    Conservative: the narrowest discrete band that they leave no more often.
    """
    z = np.arange(1, ranks) / ranks
    within, too_wide = 0.0, false_alarm
    for _ in range(12):
        tried = (within + too_wide) / 2.0
        if probability_of_leaving(n, z, *_pointwise(n, z, tried)) <= false_alarm:
            within = tried
        else:
            too_wide = tried
    lower, upper = _pointwise(n, z, within)
    return Band(z, lower / n, upper / n)


def _pointwise(n: int, z: Floats, outside: float) -> tuple[Floats, Floats]:
    """Return counts at each z : (n_points,) that n uniform numbers leave with probability `outside` at most."""
    from scipy import stats

    return np.asarray(stats.binom.ppf(outside / 2, n, z)), np.asarray(stats.binom.ppf(1 - outside / 2, n, z))


def probability_of_leaving(n: int, z: Floats, lower: Floats, upper: Floats) -> float:
    """Return the probability that counts of n uniform numbers up to z : (n_points,) leave [lower, upper] anywhere."""
    from scipy.special import gammaln

    log_factorial = gammaln(np.arange(n + 1) + 1.0)
    counts, probabilities, before = np.array([0]), np.array([1.0]), 0.0
    for point, low, high in zip(z, lower, upper, strict=True):
        reached = np.arange(round(low), round(high) + 1)
        more, rest = reached[None, :] - counts[:, None], n - counts[:, None]
        p = (point - before) / (1.0 - before)
        possible = (more >= 0) & (more <= rest)
        more = np.where(possible, more, 0)
        log_arrangements = log_factorial[rest] - log_factorial[more] - log_factorial[rest - more]
        step = np.where(possible, np.exp(log_arrangements + more * np.log(p) + (rest - more) * np.log1p(-p)), 0.0)
        counts, probabilities, before = reached, probabilities @ step, point
    return 1.0 - float(probabilities.sum())


def ecdf(ranks: Integers, possible: int) -> Floats:
    """Return the share of ranks (n,) in 0 .. possible - 1 that lie below each of 1 .. possible - 1."""
    counted = np.bincount(ranks, minlength=possible)
    return np.asarray(np.cumsum(counted)[:-1] / len(ranks))


def judged(ranks: pd.DataFrame, possible: int) -> pd.DataFrame:
    """Return a row a quantity, a column of ranks.

    distance : the largest, of its ECDF from uniform; at : where on 0 to 1; uniform : yes if it never leaves the band
    """
    limits = band(len(ranks), possible, FALSE_ALARM / ranks.shape[1])
    rows = []
    for name in ranks.columns:
        share = ecdf(ranks[name].to_numpy(dtype=np.int64), possible)
        distance = share - limits.z
        beyond = np.maximum(limits.lower - share, share - limits.upper).max()
        most = int(np.argmax(np.abs(distance)))
        row = {"quantity": name, "fits": len(ranks), "distance": distance[most], "at": limits.z[most]}
        rows.append(row | {"uniform": "yes" if beyond <= 1e-12 else "no"})
    return pd.DataFrame(rows)


def coverage(ranks: pd.DataFrame, possible: int, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
    """Return a row a quantity and level: the number of central intervals of the fits that include the truth.

    lower, upper : the counts that all rows together leave with probability FALSE_ALARM at most
    """
    n = len(ranks)
    outside = FALSE_ALARM / (ranks.shape[1] * len(levels))
    rows = []
    for name in ranks.columns:
        for level in levels:
            cut = round(possible * (1.0 - level) / 2.0)
            lower, upper = (counts[0] for counts in _pointwise(n, np.array([(possible - 2 * cut) / possible]), outside))
            covered = int(ranks[name].between(cut, possible - 1 - cut).sum())
            inside = "yes" if lower <= covered <= upper else "no"
            row = {"quantity": name, "level": level, "fits": n, "covered": covered, "share": covered / n}
            rows.append(row | {"lower": int(lower), "upper": int(upper), "inside": inside})
    return pd.DataFrame(rows)
