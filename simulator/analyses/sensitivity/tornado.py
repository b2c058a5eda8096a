"""One-way analysis: an input at the ends of its 95 % interval, the others at the centre."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from simulator.analyses.sensitivity.inputs import Inputs
from simulator.arrays import Floats


def rows(inputs: Inputs, names: Sequence[str]) -> pd.DataFrame:
    """Return the rows to evaluate: the centre, then the low and the high end of every input in turn."""
    moved = [inputs.moved(name, end) for name in names for end in inputs.ends(name)]
    return pd.DataFrame([inputs.centre, *moved])


def table(inputs: Inputs, names: Sequence[str], values: Floats) -> pd.DataFrame:
    """Return a row an input, in the order of names. values : (1 + 2 n_names,), the outcome of `rows`.

    correlated_with, correlation : the input most correlated with it over the draws, and Spearman's rho. Where rho is
    large, moving one input alone visits values that the draws hardly include.
    """
    ends = values[1:].reshape(-1, 2)
    with_centre = np.column_stack([ends, np.full(len(ends), values[0])])
    closest = _closest(inputs)
    return pd.DataFrame(
        {
            "parameter": names,
            "unit": [inputs.unit(name) for name in names],
            "low": [inputs.ends(name)[0] for name in names],
            "centre": [inputs.centre[name] for name in names],
            "high": [inputs.ends(name)[1] for name in names],
            "outcome_at_low": ends[:, 0],
            "outcome_at_centre": values[0],
            "outcome_at_high": ends[:, 1],
            "swing": np.ptp(with_centre, axis=1),
            "informed": [name not in inputs.silent for name in names],
            "correlated_with": [closest[name][0] for name in names],
            "correlation": [closest[name][1] for name in names],
        }
    )


def _closest(inputs: Inputs) -> dict[str, tuple[str, float]]:
    """Return input -> the input most correlated with it, and Spearman's rho; NaN for an input that does not vary."""
    varied = [name for name in inputs.names if name not in inputs.constant]
    closest = dict.fromkeys(inputs.names, ("", float("nan")))
    if len(varied) < 2:
        return closest
    rho = np.corrcoef(inputs.draws[varied].rank().to_numpy(), rowvar=False)
    size = np.abs(rho)
    # Not itself, even where it is correlated with no other.
    np.fill_diagonal(size, -1.0)
    most = size.argmax(axis=1)
    return closest | {name: (varied[most[i]], float(rho[i, most[i]])) for i, name in enumerate(varied)}
