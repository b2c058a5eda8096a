"""The hazard ratio of two groups: the proportional hazards model with one covariate.

sum_j (d_1j - d_j n_1j h / (n_0j + n_1j h)) = 0,   d events and n at risk at t_j   (Cox 1972; ties after Breslow)
"""

from __future__ import annotations

import numpy as np

from simulator.outcomes.episodes import Episodes
from simulator.outcomes.kaplan_meier import numbers_at_risk


def hazard_ratio(group: Episodes, others: Episodes) -> float:
    """Return h of a group to others: 0 or infinite where one has no event at risk with the other; NaN for both."""
    from scipy.optimize import brentq

    months = np.concatenate([group.stop[group.died], others.stop[others.died]])
    of_group, of_others = (numbers_at_risk(episodes, months) for episodes in (group, others))
    together = (of_group > 0) & (of_others > 0)
    events, of_group, of_others = together.sum(), of_group[together], of_others[together]
    events_of_group = together[: np.count_nonzero(group.died)].sum()
    if events_of_group in (0, events):
        return float(np.nan if events == 0 else 0.0 if events_of_group == 0 else np.inf)

    def score(log_ratio: float) -> float:
        return float(events_of_group - (of_group / (of_group + of_others * np.exp(-log_ratio))).sum())

    return float(np.exp(brentq(score, -50.0, 50.0, xtol=1e-12)))
