"""Sojourn times, as a pathway's file declares them: a family, its parameters, and perhaps a cured share."""

from __future__ import annotations

from functools import partial
from typing import Any

Table = dict[str, Any]


def law(family: str, **parameters: Any) -> Table:
    """A sojourn time."""
    return {"family": family, **parameters}


exponential = partial(law, "exponential")
gamma = partial(law, "gamma")
lognormal = partial(law, "lognormal")
loglogistic = partial(law, "loglogistic")
weibull = partial(law, "weibull")
piecewise_exponential = partial(law, "piecewise_exponential")


def fixed(months: Any, **cure: Any) -> Table:
    return law("fixed", months=months, **cure)


AT_ONCE = fixed(0)


def by(attribute: str, **levels: Any) -> Table:
    """A number for each level of an attribute."""
    return {"by": attribute, **levels}
