"""Units of parameters, and the numbers that are allowed in each."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import numpy as np

from simulator.arrays import Floats
from simulator.errors import InputError, plain, within

UNITS: Mapping[str, tuple[float, float]] = {
    "probability": (0.0, 1.0),
    "months": (0.0, inf),
    "per month": (0.0, inf),
    "ratio": (0.0, inf),
    "number": (-inf, inf),
}
"""What a parameter may be, by its unit: lowest and highest."""


def check_unit(value: Floats | float, unit: str, where: str, advice: str = "") -> None:
    """Raise InputError if a number, or any of an array, is outside its unit. `advice` : what may be done instead."""
    lowest, highest = UNITS[unit]
    values = np.asarray(value, dtype=float)
    wrong = values[~(np.isfinite(values) & (values >= lowest) & (values <= highest))]
    if wrong.size:
        worst = plain(float(wrong[np.argmax(np.abs(wrong))]))
        allowed = within(lowest, highest, worst) + (f" ({advice})" if advice else "")
        raise InputError(f"value outside its unit ({unit})", where=where, got=worst, allowed=allowed)
