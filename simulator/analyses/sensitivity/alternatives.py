"""The answer under another structure, or a prior without its assumption: means and intervals over draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from simulator.arrays import Floats, Integers
from simulator.engines.curves import INTERVAL
from simulator.outcomes.uncertainty import quantile

LEAST_EFFECTIVE = 100.0
"""Draws that reweighting must be worth; with fewer there is no estimate."""


class Widened(Protocol):
    """Draws of a posterior without one assumed prior: a table of inputs and their log weights : (n,)."""

    @property
    def parameters(self) -> tuple[str, ...]: ...

    @property
    def description(self) -> str: ...

    @property
    def draws(self) -> pd.DataFrame: ...

    @property
    def log_weights(self) -> Floats: ...


@dataclass(frozen=True)
class Alternative:
    """values : (n,) the outcomes of the draws under it; weights : (n,), of mean 1."""

    name: str
    description: str
    values: Floats
    weights: Floats


def table(declared: Floats, alternatives: Sequence[Alternative], drawn: Integers | None = None) -> pd.DataFrame:
    """Return a row an alternative: its estimate, 95 % interval and change from the declared estimate, draw by draw.

    change_se : the standard error of the change, by importance sampling
    drawn : (n,) the number of the draw; copies have the same number, and count once in the error. None if all differ
    """
    drawn = np.arange(len(declared)) if drawn is None else drawn
    return pd.DataFrame([_row(declared, alternative, drawn) for alternative in alternatives])


def _row(declared: Floats, alternative: Alternative, drawn: Integers) -> dict[str, Any]:
    weights = alternative.weights
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    row = {"alternative": alternative.name, "told": alternative.description, "effective_draws": effective}
    if effective < LEAST_EFFECTIVE:
        return row | dict.fromkeys(("estimate", "lower", "upper", "change", "change_se"), np.nan)
    mean = float(np.average(alternative.values, weights=weights))
    lower, upper = (quantile(alternative.values, share, weights) for share in INTERVAL)
    difference = weights * (alternative.values - mean) - (declared - declared.mean())
    together = np.bincount(np.unique(drawn, return_inverse=True)[1], weights=difference)
    different = len(together)
    error = float(np.sqrt(different / max(different - 1, 1) * (together**2).sum()) / len(difference))
    change = mean - float(declared.mean())
    ends = {"lower": min(lower, mean), "upper": max(upper, mean)}
    return row | {"estimate": mean, **ends, "change": change, "change_se": error}


def weights_of(log_weights: Floats) -> Floats:
    """Return weights of mean 1."""
    weights = np.exp(log_weights - log_weights.max())
    return np.asarray(weights / weights.mean())
