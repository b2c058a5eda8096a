"""What another structure, or a prior without its assumption, does to the answer: means and intervals over draws."""

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
"""Draws that reweighting must be worth; with fewer no figure is told."""


class Widened(Protocol):
    """Draws of a posterior without one assumed prior: a table of inputs and their log weights : (n,)."""

    @property
    def parameters(self) -> tuple[str, ...]: ...

    @property
    def told(self) -> str: ...

    @property
    def draws(self) -> pd.DataFrame: ...

    @property
    def log_weights(self) -> Floats: ...


@dataclass(frozen=True)
class Alternative:
    """values : (n,) the outcome of each draw under it; weights : (n,), of mean 1."""

    name: str
    told: str
    values: Floats
    weights: Floats


def table(declared: Floats, alternatives: Sequence[Alternative], drawn: Integers | None = None) -> pd.DataFrame:
    """Return a row an alternative: its estimate, 95 % interval and change from what is declared, draw by draw.

    change_se : the standard error of the change, by importance sampling
    drawn : (n,) which draw each is; copies of one have the same number, and are one to the error. None if all differ
    """
    drawn = np.arange(len(declared)) if drawn is None else drawn
    return pd.DataFrame([_row(declared, alternative, drawn) for alternative in alternatives])


def _row(declared: Floats, each: Alternative, drawn: Integers) -> dict[str, Any]:
    weights = each.weights
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    row: dict[str, Any] = {"alternative": each.name, "told": each.told, "effective_draws": effective}
    if effective < LEAST_EFFECTIVE:
        return row | dict.fromkeys(("estimate", "lower", "upper", "change", "change_se"), np.nan)
    mean = float(np.average(each.values, weights=weights))
    lower, upper = (quantile(each.values, share, weights) for share in INTERVAL)
    apart = weights * (each.values - mean) - (declared - declared.mean())
    together = np.bincount(np.unique(drawn, return_inverse=True)[1], weights=apart)
    different = len(together)
    error = float(np.sqrt(different / max(different - 1, 1) * (together**2).sum()) / len(apart))
    change = mean - float(declared.mean())
    ends = {"lower": min(lower, mean), "upper": max(upper, mean)}
    return row | {"estimate": mean, **ends, "change": change, "change_se": error}


def weights_of(log_weights: Floats) -> Floats:
    """Return weights of mean 1."""
    weights = np.exp(log_weights - log_weights.max())
    return np.asarray(weights / weights.mean())
