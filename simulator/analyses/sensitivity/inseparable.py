"""Inputs that no method can tell apart: over the draws they do not vary, or each is a function of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from simulator.arrays import Floats, Integers

LEFT = 1e-2
"""Of an input's standard deviation: what the others leave of one that moves with them, rounded to a few digits."""

ALIKE = 1e-8
"""Of the greatest eigenvalue of correlations: a smaller one is of inputs that are copies of one another."""

ROUNDING = 1e-9
"""Of a value: what varies by less does not vary."""


def constant(draws: pd.DataFrame) -> list[str]:
    """Return the inputs that do not vary over the draws : (n_draws, n_inputs)."""
    return [str(name) for name in draws if np.ptp(draws[name]) <= ROUNDING * np.abs(draws[name]).max()]


def together(draws: pd.DataFrame, siblings: Callable[[str], Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the groups of inputs that move together, in their values or in their ranks.

    siblings : of an input, those of its choice, itself included: they sum to one, and are told as shares of it
    """
    varied = draws.drop(columns=constant(draws))
    found: list[set[str]] = []
    for table in (varied, varied.rank()):
        names = [str(column) for column in table.columns]
        rho = np.atleast_2d(np.corrcoef(table.to_numpy(dtype=float), rowvar=False))
        for place, name in enumerate(names):
            others = [other for other, each in enumerate(names) if each not in siblings(name)]
            partners = _partners(rho[others, place], rho[np.ix_(others, others)], len(table))
            if partners.size:
                found.append({name, *(names[others[partner]] for partner in partners)})
    return [tuple(each for each in map(str, draws.columns) if each in group) for group in joined(found)]


def _partners(own: Floats, others: Floats, n_draws: int) -> Integers:
    """Return which of the others give an input; none where they leave something of it.

        w = R^+ r,   what is left of its variance : n (1 - r'w) / (n - k - 1)

    own : (k,) its correlations r with the others; others : (k, k) theirs with one another, R
    """
    free = n_draws - len(own) - 1
    if free < 1 or not own.size:
        return np.zeros(0, dtype=np.int64)
    weights = np.linalg.pinv(others, rcond=ALIKE, hermitian=True) @ own
    left = n_draws * (1.0 - own @ weights) / free
    return np.flatnonzero(np.abs(weights) > LEFT) if left < LEFT**2 else np.zeros(0, dtype=np.int64)


def joined(sets: Sequence[set[str]]) -> list[set[str]]:
    """Return the sets, those with something in common as one."""
    found: list[set[str]] = []
    for each in sets:
        apart = [other for other in found if not other & each]
        found = [*apart, each.union(*(other for other in found if other & each))]
    return found
