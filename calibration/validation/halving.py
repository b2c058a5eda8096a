"""How far the log-likelihood moves if the exact engine's lattice is twice as fine."""

from __future__ import annotations

import numpy as np
import pandas as pd

from calibration.likelihood.likelihood import STEP, Likelihood
from calibration.likelihood.targets import Targets
from simulator.arrays import Floats
from simulator.evidence.draws import values

MOST = 0.01
"""What halving may move it by, at any draw."""

ROWS = 25


def moved_by_halving(targets: Targets, draws: pd.DataFrame, step: float = STEP) -> Floats:
    """Return |log L at step / 2 - log L at step| of each draw, (n_draws,)."""
    coarse, fine = Likelihood(targets, step), Likelihood(targets, step / 2.0)
    chunks = [values(draws, slice(first, first + ROWS)) for first in range(0, len(draws), ROWS)]
    return np.concatenate([np.abs(fine(chunk) - coarse(chunk)) for chunk in chunks])
