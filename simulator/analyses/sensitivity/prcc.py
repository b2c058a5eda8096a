"""Partial rank correlation: how closely the outcome follows an input, net of the other inputs.

r_j = corr(e_x, e_y), the residuals of rank(x_j) and rank(y) regressed on the ranks of the controls
(Marino et al. 2008, J Theor Biol 254:178);
atanh(r_j) is normal with variance 1 / (n - k - 3), k the rank of the controls (Fisher 1924, Metron 3:329), unless the
residuals rest on few draws: n_e = (sum e^2)^2 / sum e^4 is n of evenly spread ones, n / 3 of normal, m of m spikes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from simulator.arrays import Floats

NORMAL = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""

LEAST_EFFECTIVE = 20.0
"""Draws that a coefficient must rest on: m spikes are sqrt(m) more or fewer in another sample, and r follows them."""

EVEN = 0.25
"""Share of n: residuals that rest on fewer draws widen the interval."""


def table(draws: pd.DataFrame, values: Floats, siblings: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return a row an input with its coefficient and 95 % interval; NaN where there is none.

    effective_draws : the number of draws that the coefficient rests on
    draws : (n, n_inputs); values : (n,) the outcome
    siblings : input to show -> inputs of its choice, itself included: no controls, for they sum to one and move with it
    """
    ranks = draws.rank()
    outcome = np.asarray(pd.Series(values).rank(), dtype=np.float64)
    rows = []
    for name, sibling in siblings.items():
        controls = np.asarray(ranks.drop(columns=list(sibling)), dtype=np.float64)
        r, freedom, effective = partial_correlation(np.asarray(ranks[name], dtype=np.float64), outcome, controls)
        if effective < LEAST_EFFECTIVE:
            r = freedom = np.nan
        freedom *= min(1.0, effective / (EVEN * len(draws)))
        lower, upper = np.tanh(np.arctanh(r) + NORMAL / np.sqrt(freedom) * np.array([-1.0, 1.0]))
        rows.append({"parameter": name, "prcc": r, "lower": lower, "upper": upper, "effective_draws": effective})
    return pd.DataFrame(rows)


def partial_correlation(x: Floats, y: Floats, controls: Floats) -> tuple[float, float, float]:
    """Return the correlation of x and y : (n,) given the controls : (n, k), n - rank - 3, and the smaller n_e of both.

    All NaN where the controls explain x or y fully, and where there are too few draws for so many controls.
    """
    design = np.column_stack([np.ones(len(x)), controls])
    both = np.column_stack([x, y])
    weights, _, rank, _ = np.linalg.lstsq(design, both, rcond=None)
    residuals, freedom = both - design @ weights, len(x) - (rank - 1) - 3
    sizes = np.linalg.norm(residuals, axis=0)
    if freedom < 1 or np.any(sizes <= 1e-9 * np.linalg.norm(both, axis=0)):
        return np.nan, np.nan, np.nan
    r = float(np.clip(residuals[:, 0] @ residuals[:, 1] / sizes.prod(), -1.0 + 1e-12, 1.0 - 1e-12))
    return r, float(freedom), float((sizes**4 / (residuals**4).sum(axis=0)).min())
