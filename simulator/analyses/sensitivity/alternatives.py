"""The answer under another structure, or a prior without its assumption: means and intervals over draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from simulator.arrays import Floats, Integers
from simulator.engines.curves import INTERVAL
from simulator.outcomes.uncertainty import quantile

BOOTSTRAPS = 200
"""Resamples that give the standard error of a change to 5 %."""

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


Changed = Callable[[Floats, Alternative, Integers], tuple[float, float, float]]
"""What an alternative's estimate is, its change from the declared one, and the change's standard error."""


def table(
    declared: Floats, alternatives: Sequence[Alternative], drawn: Integers | None = None, *, medians: bool = False
) -> pd.DataFrame:
    """Return a row an alternative: its estimate, 95 % interval and change from the declared estimate, draw by draw.

    change_se : the standard error of the change, by importance sampling
    medians : of an outcome that is summarised by its median over draws, whose error is by bootstrap (Efron 1979)
    drawn : (n,) the number of the draw; copies have the same number, and count once in the error. None if all differ
    """
    drawn = np.arange(len(declared)) if drawn is None else drawn
    change = _change_of_medians if medians else _change_of_means
    return pd.DataFrame([_row(declared, alternative, drawn, change) for alternative in alternatives])


def _row(declared: Floats, alternative: Alternative, drawn: Integers, changed: Changed) -> dict[str, Any]:
    weights = alternative.weights
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    row = {"alternative": alternative.name, "told": alternative.description, "effective_draws": effective}
    if effective < LEAST_EFFECTIVE:
        return row | dict.fromkeys(("estimate", "lower", "upper", "change", "change_se"), np.nan)
    estimate, change, error = changed(declared, alternative, np.unique(drawn, return_inverse=True)[1])
    lower, upper = (quantile(alternative.values, share, weights) for share in INTERVAL)
    ends = {"lower": min(lower, estimate), "upper": max(upper, estimate)}
    return row | {"estimate": estimate, **ends, "change": change, "change_se": error}


def _change_of_means(declared: Floats, alternative: Alternative, drawn: Integers) -> tuple[float, float, float]:
    """Return the mean, its change, and the change's standard error. drawn : (n,) from 0 on"""
    values, weights = alternative.values, alternative.weights
    mean = float(np.average(values, weights=weights))
    together = np.bincount(drawn, weights=weights * (values - mean) - (declared - declared.mean()))
    different = len(together)
    error = float(np.sqrt(different / max(different - 1, 1) * (together**2).sum()) / len(values))
    return mean, mean - float(declared.mean()), error


def _change_of_medians(declared: Floats, alternative: Alternative, drawn: Integers) -> tuple[float, float, float]:
    """Return the median, its change, and the change's standard error. drawn : (n,) from 0 on"""

    def median_and_change(counts: Floats) -> tuple[float, float]:
        median = quantile(alternative.values, 0.5, counts * alternative.weights)
        return median, float(np.subtract(median, quantile(declared, 0.5, counts)))

    with np.errstate(invalid="ignore"):
        median, change = median_and_change(np.ones(len(declared)))
        generator, different = np.random.default_rng(0), int(drawn.max()) + 1
        resamples = (
            np.bincount(generator.integers(different, size=different), minlength=different) for _ in range(BOOTSTRAPS)
        )
        changes = [median_and_change(resample[drawn].astype(np.float64))[1] for resample in resamples]
        return median, change, float(np.std(changes, ddof=1))


def weights_of(log_weights: Floats) -> Floats:
    """Return weights of mean 1."""
    weights = np.exp(log_weights - log_weights.max())
    return np.asarray(weights / weights.mean())
