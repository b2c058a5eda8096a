"""A target for a resource: what a planner wants of waits, losses or use, as "wait_over_30_days <= 5%"."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from simulator.arrays import Booleans, Floats
from simulator.errors import InputError, UnknownNameError
from simulator.outcomes.resource_use import LABELS, LATE, TIMES
from simulator.scenario.arrivals import DAYS_A_MONTH

FACTORS = {"%": 0.01, "days": 1.0 / DAYS_A_MONTH, "months": 1.0, "": 1.0}
"""Unit -> the factor to the unit of the outcome in `service.csv`."""
COUNTS = ("requests_per_year", "starts_per_year", "queue_length", "in_use")
"""Outcomes that are neither shares nor times."""
FORM = "OUTCOME <= VALUE, as 'wait_over_30_days <= 5%' or 'wait_median <= 7 days'"
FORMAT = re.compile(r"\s*(\w+)\s*(<=|>=)\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(%|[a-z]*)\s*")
ROUNDING = 1e-7
"""By which a number of `service.csv` may miss a target that it meets."""


@dataclass(frozen=True)
class Target:
    """An outcome of a resource's requests, "<=" or ">=", and a value in the outcome's unit in `service.csv`.

    given : the value as a planner writes it, "5 %"
    """

    outcome: str
    sign: str
    value: float
    given: str

    def __str__(self) -> str:
        return f"{self.outcome} {self.sign} {self.given}"

    @property
    def days(self) -> tuple[int, ...]:
        """The days that waits are held against, where no run counts them anyway."""
        late = LATE.fullmatch(self.outcome)
        return (int(late[1]),) if late and self.outcome not in LABELS else ()

    def is_met(self, values: Floats) -> Booleans:
        """Return whether values meet the target. Where nobody requests a unit, every target is met."""
        beyond = values - self.value if self.sign == "<=" else self.value - values
        return np.isnan(values) | (beyond <= ROUNDING * max(self.value, 1.0))


def read(text: str, where: str) -> Target:
    """Return the target of a text. Raises InputError naming the option."""
    parts = FORMAT.fullmatch(text)
    if parts is None:
        raise InputError("not a target", where=where, got=text, allowed=FORM)
    outcome, sign, value, unit = parts.groups()
    if outcome not in LABELS and not LATE.fullmatch(outcome):
        raise UnknownNameError("outcome", outcome, list(LABELS), where)
    is_time, is_count = outcome in TIMES, outcome in COUNTS
    units = ("days", "months") if is_time else ("",) if is_count else ("%",)
    number = float(value) * FACTORS.get(unit, np.inf)
    if unit not in units or ("%" in units and number > 1.0):
        allowed = "days or months, as 7 days" if is_time else "a number" if is_count else "0 to 100 %, as 5%"
        got = f"{value} {unit}".strip()
        raise InputError(f"not a value of {outcome}", where=where, got=got, allowed=allowed)
    return Target(outcome, sign, number, f"{float(value):g} {unit}".strip())
