"""Value of information: what it is worth to know everything, or one input, before deciding between two options.

EVPI = E max(0, D) - max(0, E D),   EVPPI(x) = E max(0, E[D | x]) - max(0, E D),   D the net gain of the second option
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

WORTH = 1.0
"""Life-months per 100 patients: less is not worth a registry, and no share of it is told."""


@dataclass(frozen=True)
class Value:
    """A value of information; `upward_bias` is what the regression's own error adds, already taken off `estimate`."""

    estimate: float
    standard_error: float
    upward_bias: float


def evpi(gain: Floats) -> Value:
    """Return the value of perfect information. gain : (n,) net gain of the second option over the first."""
    return Value(*_regret(gain), 0.0)


def evppi(gain: Floats, x: Floats, uniforms: Uniforms, name: str) -> Value:
    """Return the value of knowing x : (n,). The error of the regression and of the draws' number are both in its SE."""
    from scipy.special import ndtri

    found = smooth(x, gain)
    value, sampling = _regret(found.fitted)
    columns = found.root.shape[1]
    normals = ndtri(uniforms.at(f"evppi/{name}", np.arange(REPETITIONS * columns))).reshape(columns, REPETITIONS)
    curves = found.fitted[:, None] + found.root @ normals
    values = np.maximum(curves, 0.0).mean(axis=0) - np.maximum(curves.mean(axis=0), 0.0)
    bias = float(values.mean()) - value
    return Value(max(value - bias, 0.0), float(np.hypot(values.std(), sampling)), bias)


def _regret(gain: Floats) -> tuple[float, float]:
    """Return E max(0, g) - max(0, E g), and the standard error of the mean."""
    lost = np.maximum(gain, 0.0) - (gain if gain.mean() > 0 else 0.0)
    return float(lost.mean()), float(lost.std(ddof=1) / np.sqrt(len(lost)))


def table(gain: Floats, draws: pd.DataFrame, names: Sequence[str], seed: int) -> pd.DataFrame:
    """Return the EVPI in the first row, then a row an input, the most valuable first; life-months per 100 patients."""
    uniforms = Uniforms(seed)
    everything = evpi(gain)
    found = {name: evppi(gain, draws[name].to_numpy(), uniforms, name) for name in names}
    # No part is worth more than the whole, but estimates may be.
    found = {name: replace(each, estimate=min(each.estimate, everything.estimate)) for name, each in found.items()}
    order = sorted(names, key=lambda name: -found[name].estimate)
    shown = {EVERYTHING: everything, **{name: found[name] for name in order}}
    share = 1.0 / everything.estimate if everything.estimate >= WORTH else np.nan
    return pd.DataFrame(
        {
            "parameter": list(shown),
            "value": [each.estimate for each in shown.values()],
            "standard_error": [each.standard_error for each in shown.values()],
            "upward_bias": [each.upward_bias for each in shown.values()],
            "share_of_everything": [each.estimate * share for each in shown.values()],
        }
    )
