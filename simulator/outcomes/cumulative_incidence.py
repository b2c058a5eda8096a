"""Cumulative incidence of a cause in the presence of others, where some patients are censored.

F_k(t) = sum_{t_j <= t} S(t_j -) d_kj / n_j,   S the Kaplan-Meier estimate of all causes   (Aalen & Johansen 1978)
"""

from __future__ import annotations

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.outcomes.episodes import Courses, whole
from simulator.outcomes.kaplan_meier import kaplan_meier

CENSORED = -1


def cumulative_incidence(seen: Floats, cause: Integers, of: int, month: float) -> float:
    """Return the estimate of one cause at a month. seen, cause : (n_patients,) months, and which came, or CENSORED."""
    everybody = Courses(seen, cause != CENSORED, np.full(seen.size, np.inf))
    curve = kaplan_meier(whole(everybody, everybody.ever))
    before = np.append(1.0, curve.survival[:-1])
    of_cause = np.sort(seen[cause == of])
    ends = (np.searchsorted(of_cause, curve.months, side=side) for side in ("right", "left"))
    events = np.subtract(*ends)
    return float((before * events / curve.at_risk)[curve.months <= month].sum())
