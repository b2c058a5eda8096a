"""Service: a centre over calendar time. Who arrives when, and from when on a policy applies.

Arrivals are starts of the default clock (relapses). They go on until the horizon of the last patient who is counted,
so that late patients do not meet an emptying ward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulator.errors import InputError
from simulator.randomness import Uniforms
from simulator.toml_file import Table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Number = Annotated[float, Field(allow_inf_nan=False)]

MONTHS_A_YEAR = 12.0


class ServiceTable(Table):
    """Arrivals over calendar time, and which of them are counted."""

    arrivals_per_year: Annotated[Number, Field(gt=0)] | None = Field(
        None, description="starts of the default clock (relapses) a year, a Poisson process"
    )
    arrival_months: list[Number] | None = Field(
        None, description="or a list: the calendar month of each, as they come; no more arrive after the last"
    )
    years: Annotated[Number, Field(gt=0)] | None = Field(None, description="years that are counted, after the warm-up")
    warm_up_years: Annotated[Number, Field(ge=0)] = Field(
        0.0, description="years from an empty centre that are not counted"
    )
    policy_from_month: Annotated[Number, Field(ge=0)] | None = Field(
        None, description="calendar month from which on arrivals are under this scenario; before, under its base"
    )
    policy_ramp_months: Annotated[Number, Field(ge=0)] = Field(
        0.0, description="months in which the share of arrivals under the policy rises from 0 to 1"
    )
    precision: Annotated[Number, Field(gt=0)] = Field(
        0.1, description="wanted half-width of a 95 % Monte Carlo interval, as a share of the estimate"
    )


@dataclass(frozen=True)
class Service:
    """A centre's arrivals, in calendar months from an empty ward on. `arrival_months` : given, not random."""

    years: float
    arrivals_per_year: float | None = None
    arrival_months: tuple[float, ...] | None = None
    warm_up_years: float = 0.0
    policy_from_month: float | None = None
    policy_ramp_months: float = 0.0
    precision: float = 0.1

    @property
    def first(self) -> float:
        """The first calendar month that is counted."""
        return MONTHS_A_YEAR * self.warm_up_years

    @property
    def last(self) -> float:
        """The calendar month at which counting ends."""
        return self.first + MONTHS_A_YEAR * self.years

    @property
    def arrivals_a_month(self) -> float:
        """The mean number of arrivals a month, in the counted years."""
        if self.arrivals_per_year is not None:
            return self.arrivals_per_year / MONTHS_A_YEAR
        assert self.arrival_months is not None
        return sum(self.first <= month < self.last for month in self.arrival_months) / (self.last - self.first)

    def months(self, uniforms: Uniforms, horizon: float) -> Floats:
        """Return the arrivals' calendar months : (n,), until no counted patient is followed any longer.

        The gap before arrival i is -log(u_i) / rate, with its own addressed uniform.
        """
        end = self.last + horizon
        if self.arrival_months is not None:
            return np.array([month for month in self.arrival_months if month < end])
        found, since = [], 0.0
        block = 1024
        for first in range(0, 2**62, block):
            u = uniforms.at("@arrival", np.arange(first, first + block))
            found.append(since + np.cumsum(-np.log(u)) / self.arrivals_a_month)
            since = found[-1][-1]
            if since >= end:
                break
        months = np.concatenate(found)
        return months[months < end]

    def under_policy(self, uniforms: Uniforms, patients: Integers, arrival: Floats) -> NDArray[np.bool_]:
        """Return which patients, arriving at calendar months : (n,), are under the scenario and not under its base."""
        if self.policy_from_month is None:
            return np.ones(patients.size, dtype=bool)
        since = arrival - self.policy_from_month
        if self.policy_ramp_months == 0.0:
            return np.asarray(since >= 0.0)
        return np.asarray(uniforms.at("@policy", patients) < since / self.policy_ramp_months)

    @property
    def policy_share(self) -> float:
        """The mean share of the counted years' arrivals that are under the scenario."""
        if self.policy_from_month is None:
            return 1.0
        begin, ramp = self.policy_from_month, self.policy_ramp_months or 1e-9
        if self.arrival_months is not None:
            since = np.array([month for month in self.arrival_months if self.first <= month < self.last]) - begin
            share = np.clip(since / ramp, 0.0, 1.0) if self.policy_ramp_months else since >= 0.0
            return float(np.mean(share))
        # The integral of the share, from when the policy begins to the end and to the beginning of the counted years.
        since = np.maximum(np.array([self.first, self.last]) - begin, 0.0)
        risen = np.minimum(since, ramp)
        integral = risen**2 / (2.0 * ramp) + (since - risen)
        return float(integral[1] - integral[0]) / (self.last - self.first)

    def is_policy_by(self, month: float) -> bool:
        """Whether everybody who arrives at a month is under the scenario."""
        return self.policy_from_month is None or self.policy_from_month + self.policy_ramp_months <= month

    def counted(self, arrival: Floats) -> NDArray[np.bool_]:
        """Return which arrivals are counted."""
        return np.asarray((arrival >= self.first) & (arrival < self.last))


def read_service(told: Mapping[str, Any], where: str, base: Service | None) -> Service | None:
    """Return what a scenario's [service] tells over its base's. Raises InputError naming the key."""
    if not told:
        return base
    where = f"{where}: [service]"
    keys = {} if base is None else asdict(base)
    if "arrivals_per_year" in told or "arrival_months" in told:
        keys |= {"arrivals_per_year": None, "arrival_months": None}
    keys |= told
    months = keys.get("arrival_months")
    if (months is None) == (keys.get("arrivals_per_year") is None):
        raise InputError(
            "arrivals are told twice, or not at all", where=where, allowed="arrivals_per_year or arrival_months"
        )
    if keys.get("years") is None:
        raise InputError("how many years are counted is not said", where=where, allowed="years = 5, for example")
    if keys.get("policy_ramp_months") and keys.get("policy_from_month") is None:
        raise InputError("a ramp without a beginning", where=f"{where} policy_ramp_months", allowed="policy_from_month")
    if months is not None:
        _check_months(months, f"{where} arrival_months")
        keys["arrival_months"] = tuple(months)
    service = Service(**keys)
    if service.arrivals_a_month == 0.0:
        raise InputError(
            "nobody arrives in the years that are counted",
            where=f"{where} arrival_months",
            allowed=f"a month from {service.first:g} to {service.last:g}",
        )
    return service


def _check_months(months: Sequence[float], where: str) -> None:
    if not months or months[0] < 0:
        raise InputError("no months from 0 on", where=where, got=list(months[:1]), allowed="[0.5, 2, 2.5], for example")
    for before, after in pairwise(months):
        if after < before:
            raise InputError("out of order", where=where, got=f"{after:g} after {before:g}", allowed="as they come")
