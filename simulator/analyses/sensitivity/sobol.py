"""Sobol indices: the share of the outcome's variance that an input explains, alone and with interactions, by SALib.

S_i = Var E[Y | X_i] / Var Y,   T_i = 1 - Var E[Y | X_-i] / Var Y   (Saltelli et al. 2010, Comput Phys Commun 181:259)

Inputs are independent here, from their marginal posteriors; the siblings of one choice are one input, drawn together.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from simulator.arrays import Floats
from simulator.errors import InputError

Factors = Sequence[tuple[str, ...]]

SHARES = [f"{name}{end}" for name in ("first_order", "total") for end in ("", "_lower", "_upper")]


SAMPLES = 512
"""Default base samples of the Sobol sequence."""


INSTALL = "pip install 'aftercart[sensitivity]'"


def is_offered() -> bool:
    """Return whether SALib is installed."""
    return find_spec("SALib") is not None


def check_samples(samples: int) -> None:
    """Raise InputError for a number of base samples that is no power of two from 16, or if SALib is missing."""
    if samples < 16 or samples & (samples - 1):
        raise InputError("not a power of two", where="--samples", got=samples, allowed="16, 32, ... 256, 512, ...")
    _salib()


def power_of_two(count: float) -> int:
    """Return the largest power of two up to `count` : a number of base samples."""
    return 1 << max(int(count).bit_length() - 1, 0)


def rows(draws: pd.DataFrame, factors: Factors, centre: dict[str, float], samples: int, seed: int) -> pd.DataFrame:
    """Return samples x (n_factors + 2) rows of inputs in Saltelli's order; inputs of no factor are at the centre."""
    sample, _ = _salib()
    uniforms = sample(_problem(factors), samples, calc_second_order=False, seed=np.random.default_rng(seed))
    table = pd.DataFrame(np.tile(list(centre.values()), (len(uniforms), 1)), columns=list(centre))
    for column, factor in enumerate(factors):
        # A quantile of the draws; siblings come from one draw, so that their joint law is kept.
        order = np.argsort(draws[factor[0]].to_numpy(), kind="stable")
        chosen = order[np.minimum((uniforms[:, column] * len(draws)).astype(int), len(draws) - 1)]
        for name in factor:
            table[name] = draws[name].to_numpy()[chosen]
    return table


def table(factors: Factors, values: Floats, seed: int) -> pd.DataFrame:
    """Return a row a factor with first-order and total index, 95 % intervals by bootstrap.

    values : (samples x (n_factors + 2),), the outcome of `rows`
    """
    together = [" ".join(factor) if len(factor) > 1 else "" for factor in factors]
    table = pd.DataFrame({"parameter": [factor[0] for factor in factors], "together": together})
    if not factors:
        return table.reindex(columns=[*table, *SHARES])
    _, analyze = _salib()
    # SALib takes the seed 0 for none and uses a global one.
    indices = analyze(_problem(factors), values, calc_second_order=False, num_resamples=500, seed=seed + 1)
    for name, key in (("first_order", "S1"), ("total", "ST")):
        table[name] = indices[key]
        table[f"{name}_lower"] = indices[key] - indices[f"{key}_conf"]
        table[f"{name}_upper"] = indices[key] + indices[f"{key}_conf"]
    return table


def _problem(factors: Factors) -> dict[str, Any]:
    count = len(factors)
    return {"num_vars": count, "names": [factor[0] for factor in factors], "bounds": [[0.0, 1.0]] * count}


def _salib() -> tuple[Any, Any]:
    try:
        # Imported by name, so that type checks need neither SALib nor stubs for it.
        analysis, sampling = (import_module(f"SALib.{module}.sobol") for module in ("analyze", "sample"))
    except ImportError:
        raise InputError(
            "Sobol indices need SALib, which is not installed",
            where="--show sobol",
            allowed=f"{INSTALL}, or another part",
        ) from None
    return sampling.sample, analysis.analyze
