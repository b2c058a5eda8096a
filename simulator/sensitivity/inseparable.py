"""Inputs that no method can tell apart: over the draws they do not vary, or each is a function of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEFT = 1e-2
"""Of an input's standard deviation: what the others leave of one that moves with them, rounded to a few digits."""

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
        scores = (table - table.mean()) / table.std(ddof=0)
        for name in map(str, table.columns):
            others = [str(each) for each in table.columns if each not in siblings(name)]
            partners = _partners(scores[name].to_numpy(), scores[others].to_numpy())
            if partners.size:
                found.append({name, *(others[place] for place in partners)})
    return [tuple(each for each in map(str, draws.columns) if each in group) for group in joined(found)]


def _partners(x: Floats, others: Floats) -> NDArray[np.int64]:
    """Return which of the others : (n, k) give x : (n,), both of mean 0 and variance 1; none where they do not."""
    free = len(x) - others.shape[1] - 1
    if free < 1 or not others.size:
        return np.zeros(0, dtype=np.int64)
    weights = np.linalg.lstsq(others, x, rcond=LEFT / len(x))[0]
    left = np.linalg.norm(x - others @ weights) / np.sqrt(free)
    return np.flatnonzero(np.abs(weights) > LEFT) if left < LEFT else np.zeros(0, dtype=np.int64)


def joined(sets: Sequence[set[str]]) -> list[set[str]]:
    """Return the sets, those with something in common as one."""
    found: list[set[str]] = []
    for each in sets:
        apart = [other for other in found if not other & each]
        found = [*apart, each.union(*(other for other in found if other & each))]
    return found
