"""Sobol indices: what share of the outcome's variance an input explains, alone and with its interactions, by SALib.

S_i = Var E[Y | X_i] / Var Y,   T_i = 1 - Var E[Y | X_-i] / Var Y   (Saltelli et al. 2010, Comput Phys Commun 181:259)

Inputs are independent here, each from its marginal posterior; the siblings of one choice are one input, drawn together.
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
"""Base samples of the Sobol sequence unless told."""


INSTALL = "pip install 'aftercart[sensitivity]'"


def is_offered() -> bool:
    """Return whether SALib is installed."""
    return find_spec("SALib") is not None


def check_samples(samples: int) -> None:
    """Raise InputError for a number of base samples that Sobol' sequences do not have, or if SALib is missing."""
    if samples < 16 or samples & (samples - 1):
        raise InputError("not a power of two", where="--samples", got=samples, allowed="16, 32, ... 256, 512, ...")
    _salib()


def power_of_two(count: float) -> int:
    """Return the largest power of two that is no larger : a number of base samples."""
    return 1 << max(int(count).bit_length() - 1, 0)


def rows(draws: pd.DataFrame, factors: Factors, centre: dict[str, float], samples: int, seed: int) -> pd.DataFrame:
    """Return samples x (n_factors + 2) rows of inputs in Saltelli's order; those of no factor are at the centre."""
    sample, _ = _salib()
    uniforms = sample(_problem(factors), samples, calc_second_order=False, seed=np.random.default_rng(seed))
    found = pd.DataFrame(np.tile(list(centre.values()), (len(uniforms), 1)), columns=list(centre))
    for column, factor in enumerate(factors):
        # A quantile of the draws; siblings come from one draw, so that their joint law is kept.
        order = np.argsort(draws[factor[0]].to_numpy(), kind="stable")
        chosen = order[np.minimum((uniforms[:, column] * len(draws)).astype(int), len(draws) - 1)]
        for name in factor:
            found[name] = draws[name].to_numpy()[chosen]
    return found


def table(factors: Factors, values: Floats, seed: int) -> pd.DataFrame:
    """Return a row a factor with first-order and total index, 95 % intervals by bootstrap, the greatest total first.

    values : (samples x (n_factors + 2),), the outcome of `rows`
    """
    made = pd.DataFrame(
        {"parameter": [factor[0] for factor in factors], "together": [_told(factor) for factor in factors]}
    )
    if not factors:
        return made.reindex(columns=[*made, *SHARES])
    _, analyze = _salib()
    # SALib takes the seed 0 for none and turns to a global one.
    found = analyze(_problem(factors), values, calc_second_order=False, num_resamples=500, seed=seed + 1)
    for name, key in (("first_order", "S1"), ("total", "ST")):
        made[name] = found[key]
        made[f"{name}_lower"] = found[key] - found[f"{key}_conf"]
        made[f"{name}_upper"] = found[key] + found[f"{key}_conf"]
    return made.sort_values("total", ascending=False, kind="stable", ignore_index=True)


def _told(factor: tuple[str, ...]) -> str:
    return " ".join(factor) if len(factor) > 1 else ""


def _problem(factors: Factors) -> dict[str, Any]:
    count = len(factors)
    return {"num_vars": count, "names": [factor[0] for factor in factors], "bounds": [[0.0, 1.0]] * count}


def _salib() -> tuple[Any, Any]:
    try:
        # Imported by name, so that nobody needs SALib, or stubs for it, to check this file.
        analysis, sampling = (import_module(f"SALib.{each}.sobol") for each in ("analyze", "sample"))
    except ImportError:
        raise InputError(
            "Sobol indices need SALib, which is not installed",
            where="--show sobol",
            allowed=f"{INSTALL}, or another part",
        ) from None
    return sampling.sample, analysis.analyze
