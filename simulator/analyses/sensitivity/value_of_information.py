"""Value of information: the worth of knowing everything, or one input, before deciding between two options.

EVPI = E max(0, D) - max(0, E D),   EVPPI(x) = E max(0, E[D | x]) - max(0, E D),   D the second option's net benefit
E[D | x] by regression over the draws (Strong, Oakley & Brennan 2014, Med Decis Making 34:311)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from simulator.analyses.sensitivity.splines import smooth
from simulator.arrays import Floats
from simulator.randomness import Uniforms

REPETITIONS = 500
"""Curves drawn from the regression's error."""

EVERYTHING = "everything"


@dataclass(frozen=True)
class Value:
    """A value of information; `upward_bias` comes from the regression's error, and is already off `estimate`."""

    estimate: float
    standard_error: float
    upward_bias: float


def evpi(benefit: Floats) -> Value:
    """Return the value of perfect information. benefit : (n,) net benefit of the second option over the first."""
    return Value(*_regret(benefit), 0.0)


def evppi(benefit: Floats, x: Floats, uniforms: Uniforms, name: str) -> Value:
    """Return the value of knowing x : (n,). Its SE includes the errors of the regression and of the draws' number."""
    from scipy.special import ndtri

    regression = smooth(x, benefit)
    value, sampling = _regret(regression.fitted)
    columns = regression.root.shape[1]
    normals = ndtri(uniforms.at(f"evppi/{name}", np.arange(REPETITIONS * columns))).reshape(columns, REPETITIONS)
    curves = regression.fitted[:, None] + regression.root @ normals
    values = np.maximum(curves, 0.0).mean(axis=0) - np.maximum(curves.mean(axis=0), 0.0)
    bias = float(values.mean()) - value
    return Value(max(value - bias, 0.0), float(np.hypot(values.std(), sampling)), bias)


def _regret(benefit: Floats) -> tuple[float, float]:
    """Return E max(0, D) - max(0, E D), and the standard error of the mean."""
    regret = np.maximum(benefit, 0.0) - (benefit if benefit.mean() > 0 else 0.0)
    return float(regret.mean()), float(regret.std(ddof=1) / np.sqrt(len(regret)))


def table(benefit: Floats, draws: pd.DataFrame, names: Sequence[str], seed: int, worth: float = 1.0) -> pd.DataFrame:
    """Return the EVPI in the first row, then a row an input, the most valuable first; in the unit of the benefit.

    worth : of an EVPI below it, inputs have no shares
    """
    uniforms = Uniforms(seed)
    everything = evpi(benefit)
    rows = {EVERYTHING: everything}
    for name in names:
        value = evppi(benefit, draws[name].to_numpy(), uniforms, name)
        # No part is worth more than the whole, but its estimate may be larger.
        rows[name] = replace(value, estimate=min(value.estimate, everything.estimate))
    order = sorted(names, key=lambda name: -rows[name].estimate)
    rows = {name: rows[name] for name in (EVERYTHING, *order)}
    share = 1.0 / everything.estimate if everything.estimate >= worth else np.nan
    return pd.DataFrame(
        {
            "parameter": list(rows),
            "value": [value.estimate for value in rows.values()],
            "standard_error": [value.standard_error for value in rows.values()],
            "upward_bias": [value.upward_bias for value in rows.values()],
            "share_of_everything": [value.estimate * share for value in rows.values()],
        }
    )
