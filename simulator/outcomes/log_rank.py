"""The log-rank test of two or more groups; with episodes of delayed entry, the Mantel-Byar test.

    U_g = sum_j (d_gj - d_j n_gj / n_j),   V_gh = sum_j d_j (n_j - d_j) / (n_j - 1) (n_gj / n_j) (delta_gh - n_hj / n_j)
    chi^2 = U' V^-1 U over all groups but one, with as many degrees of freedom

(Mantel 1966; Kalbfleisch & Prentice 2002, section 1.5; Mantel & Byar 1974, J Am Stat Assoc 69:81).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.arrays import Floats
from simulator.outcomes.episodes import Episodes
from simulator.outcomes.kaplan_meier import numbers_at_risk


@dataclass(frozen=True)
class LogRank:
    """The test of equal hazards; excess : observed less expected deaths, by group. p is 1 if nothing can differ."""

    statistic: float
    degrees: int
    p: float
    excess: tuple[float, ...]


def log_rank(groups: Sequence[Episodes]) -> LogRank:
    """Return the test of some groups, from the episodes of each; empty groups are left out."""
    from scipy.special import chdtrc

    groups = [group for group in groups if group.stop.size]
    months = np.unique(np.concatenate([group.stop[group.died] for group in groups])) if groups else np.empty(0)
    at_risk = np.array([numbers_at_risk(group, months) for group in groups]).reshape(len(groups), months.size)
    deaths = np.array([_deaths(group, months) for group in groups]).reshape(len(groups), months.size)
    everybody, dying = at_risk.sum(axis=0), deaths.sum(axis=0)
    share = at_risk / np.where(everybody > 0, everybody, 1.0)
    excess = (deaths - dying * share).sum(axis=1)
    # The last patient at risk dies alone: no variance, whatever 0 / 0 would be.
    factor = dying * (everybody - dying) / np.maximum(everybody - 1.0, 1.0)
    variance = np.diag((factor * share).sum(axis=1)) - (factor * share) @ share.T
    degrees = max(len(groups) - 1, 0)
    statistic = _quadratic(excess[:degrees], variance[:degrees, :degrees])
    p = float(chdtrc(degrees, statistic)) if degrees else 1.0
    return LogRank(statistic, degrees, p, tuple(excess.tolist()))


def _quadratic(values: Floats, covariance: Floats) -> float:
    """Return u' V^-1 u, 0 for groups that are never at risk together. One number alone is quick."""
    if values.size == 1:
        return float(values[0] ** 2 / covariance[0, 0]) if covariance[0, 0] > 0.0 else 0.0
    return float(values @ np.linalg.pinv(covariance, hermitian=True) @ values)


def _deaths(episodes: Episodes, months: Floats) -> Floats:
    dead = np.sort(episodes.stop[episodes.died])
    return np.asarray(np.searchsorted(dead, months, side="right") - np.searchsorted(dead, months, side="left"))
