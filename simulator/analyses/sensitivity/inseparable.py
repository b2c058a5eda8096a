"""Inputs that no method can separate: over the draws they do not vary, or are functions of one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from simulator.arrays import Floats, Integers

LEFT = 1e-2
"""Share of an input's standard deviation: if the others leave less, it moves with them (their digits are rounded)."""

ALIKE = 1e-8
"""Share of the greatest eigenvalue of correlations: inputs with a smaller one are copies of one another."""

ROUNDING = 1e-9
"""Share of a value: an input that varies by less is constant."""


def constant(draws: pd.DataFrame) -> list[str]:
    """Return the inputs that do not vary over the draws : (n_draws, n_inputs)."""
    return [str(name) for name in draws if np.ptp(draws[name]) <= ROUNDING * np.abs(draws[name]).max()]


def together(draws: pd.DataFrame, siblings: Callable[[str], Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the groups of inputs that move together, in their values or in their ranks.

    siblings : of an input, the inputs of its choice, itself included: they sum to one, so that they are no partners
    """
    varied = draws.drop(columns=constant(draws))
    groups: list[set[str]] = []
    for table in (varied, varied.rank()):
        names = [str(column) for column in table.columns]
        rho = np.atleast_2d(np.corrcoef(table.to_numpy(dtype=float), rowvar=False))
        for place, name in enumerate(names):
            branches = siblings(name)
            others = np.flatnonzero([other not in branches for other in names])
            partners = others[_partners(rho[others, place], rho[np.ix_(others, others)], len(table))]
            if partners.size:
                groups.append({name, *(names[partner] for partner in partners)})
    return [tuple(name for name in map(str, draws.columns) if name in group) for group in joined(groups)]


def _partners(r: Floats, others: Floats, n_draws: int) -> Integers:
    """Return which of the others determine an input; none where they leave some of its variance.

        w = R^+ r,   variance left : n (1 - r'w) / (n - k - 1)

    r : (k,) the input's correlations with the others; others : (k, k) R, the correlations between them
    """
    free = n_draws - len(r) - 1
    if free < 1 or not r.size:
        return np.zeros(0, dtype=np.int64)
    weights = np.linalg.pinv(others, rcond=ALIKE, hermitian=True) @ r
    unexplained = n_draws * (1.0 - r @ weights) / free
    return np.flatnonzero(np.abs(weights) > LEFT) if unexplained < LEFT**2 else np.zeros(0, dtype=np.int64)


def joined(sets: Sequence[set[str]]) -> list[set[str]]:
    """Return the sets, with overlapping sets merged."""
    merged: list[set[str]] = []
    for added in sets:
        disjoint = [other for other in merged if not other & added]
        merged = [*disjoint, added.union(*(other for other in merged if other & added))]
    return merged
