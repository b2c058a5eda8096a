"""Service: a centre over calendar time. Who arrives when, and from when on a policy applies.

Arrivals are starts of the default clock. They go on until the last counted patient has left,
so that late patients do not meet an emptying ward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field

from simulator.arrays import Booleans, Floats, Integers
from simulator.errors import InputError
from simulator.files.toml import Table, refusal
from simulator.randomness import Uniforms

Number = Annotated[float, Field(allow_inf_nan=False)]

MONTHS_A_YEAR = 12.0
DAYS_A_MONTH = 30.4375
ARRIVALS = ("arrivals_per_year", "arrival_months", "arrival_dates")
"""The keys that declare arrivals: a service has one of them."""
LISTS = (*ARRIVALS[1:], "wait_days")
"""The keys that are lists."""


def _as_month(value: Any) -> Any:
    if isinstance(value, date | str):
        raise refusal("not a number of months", allowed="0.5, for example; for dates write arrival_dates")
    return value


def _as_date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise refusal("not a date", allowed="2020-01-31, for example") from None


Month = Annotated[Number, BeforeValidator(_as_month)]
Date = Annotated[date, BeforeValidator(_as_date)]


ArrivalsPerYear = Annotated[Number, Field(ge=0.001, le=100_000)]


class ServiceTable(Table):
    """Arrivals over calendar time, and which of them are counted."""

    arrivals_per_year: ArrivalsPerYear | None = Field(
        None, description="patients per year who start the default clock, a Poisson process; 0.001 to 100,000"
    )
    arrival_months: list[Month] | None = Field(
        None, description="or a list of calendar months, one per patient, in order; no patients arrive after the last"
    )
    arrival_dates: list[Date] | None = Field(
        None,
        description="or a list of dates, one per patient, in order; the first is month 0, and a month has 30.4375 days",
    )
    years: Annotated[Number, Field(ge=0.01, le=200)] | None = Field(
        None, description="years after the warm-up that are counted; 0.01 to 200"
    )
    warm_up_years: Annotated[Number, Field(ge=0, le=100)] = Field(
        0.0, description="years that are not counted, starting from an empty centre; up to 100"
    )
    policy_from_month: Annotated[Number, Field(ge=0)] | None = Field(
        None,
        description="calendar month from which arrivals are under this scenario; earlier arrivals are under its base",
    )
    policy_ramp_months: Annotated[Number, Field(ge=0)] = Field(
        0.0, description="months in which the share of arrivals under the policy rises from 0 to 1"
    )
    wait_days: list[Annotated[int, Field(ge=1, le=3650)]] = Field(
        default_factory=list, description="days; waits over so many are counted, next to those over 30"
    )
    precision: Annotated[Number, Field(ge=0.001)] = Field(
        0.1, description="target half-width of a 95 % Monte Carlo interval, as a share of the estimate; 0.001 or more"
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
    wait_days: tuple[int, ...] = ()

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
        return len(self.listed) / (self.last - self.first)

    @property
    def listed(self) -> list[float]:
        """The listed arrivals of the counted years."""
        return [month for month in self.arrival_months or () if self.first <= month < self.last]

    def months(self, uniforms: Uniforms, beyond: float) -> Floats:
        """Return the arrivals' calendar months : (n,), until `beyond` months after the counted years.

        The gap before arrival i is -log(u_i) / rate, with its own addressed uniform.
        """
        end = self.last + beyond
        if self.arrival_months is not None:
            return np.array([month for month in self.arrival_months if month < end])
        gaps, since = [], 0.0
        block = 1024
        for first in range(0, 2**62, block):
            u = uniforms.at("@arrival", np.arange(first, first + block))
            gaps.append(since + np.cumsum(-np.log(u)) / self.arrivals_a_month)
            since = gaps[-1][-1]
            if since >= end:
                break
        months = np.concatenate(gaps)
        return months[months < end]

    def under_policy(self, uniforms: Uniforms, numbers: Integers, arrival: Floats) -> Booleans:
        """Return which arrivals, by number and calendar month : (n,), are under the scenario and not under its base."""
        if self.policy_from_month is None:
            return np.ones(numbers.size, dtype=bool)
        return np.asarray(uniforms.at("@policy", numbers) < self.share_under_policy(arrival))

    def share_under_policy(self, arrival: Floats) -> Floats:
        """Return the probability of being under the policy, at calendar months : (n,)."""
        if self.policy_from_month is None:
            return np.ones(arrival.shape)
        since = arrival - self.policy_from_month
        if self.policy_ramp_months == 0.0:
            return np.where(since >= 0.0, 1.0, 0.0)
        return np.clip(since / self.policy_ramp_months, 0.0, 1.0)

    @property
    def policy_share(self) -> float:
        """The mean share of the counted years' arrivals that are under the scenario."""
        if self.policy_from_month is None:
            return 1.0
        if self.arrival_months is not None:
            return float(np.mean(self.share_under_policy(np.array(self.listed))))
        begin, ramp = self.policy_from_month, self.policy_ramp_months or 1e-9
        # The integral of the share, from when the policy begins to the end and to the beginning of the counted years.
        since = np.maximum(np.array([self.first, self.last]) - begin, 0.0)
        risen = np.minimum(since, ramp)
        integral = risen**2 / (2.0 * ramp) + (since - risen)
        return float(integral[1] - integral[0]) / (self.last - self.first)

    def counted(self, arrival: Floats) -> Booleans:
        """Return which arrivals are counted."""
        return np.asarray((arrival >= self.first) & (arrival < self.last))


def read_service(table: Mapping[str, Any], where: str, base: Service | None) -> Service | None:
    """Return a scenario's [service] over its base's. Raises InputError naming the key."""
    if not table:
        return base
    where = f"{where}: [service]"
    keys = {} if base is None else asdict(base)
    sources = [key for key in ARRIVALS if key in table]
    if len(sources) > 1 or not (sources or base):
        allowed = f"one of {', '.join(ARRIVALS)}"
        raise InputError("arrivals must be declared exactly once", where=where, got=sources or None, allowed=allowed)
    if sources:
        keys |= {"arrivals_per_year": None, "arrival_months": None}
    keys |= table
    if keys.get("years") is None:
        raise InputError("the number of years to count is missing", where=where, allowed="years = 5, for example")
    if keys.get("policy_ramp_months") and keys.get("policy_from_month") is None:
        raise InputError(
            "a ramp without policy_from_month", where=f"{where} policy_ramp_months", allowed="policy_from_month"
        )
    keys["wait_days"] = tuple(keys.get("wait_days", ()))
    if "arrival_months" in table:
        keys["arrival_months"] = _months(table["arrival_months"], f"{where} arrival_months")
    if "arrival_dates" in table:
        keys["arrival_months"] = _months_of_dates(keys.pop("arrival_dates"), f"{where} arrival_dates")
    service = Service(**keys)
    _check_counted(service, sources, where)
    return service


def _check_counted(service: Service, keys: Sequence[str], where: str) -> None:
    """Refuse a service that counts no patient, or whose policy reaches no counted patient."""
    if service.arrivals_a_month == 0.0:
        raise InputError(
            "no patients arrive in the years that are counted",
            where=f"{where} {keys[0] if keys else 'years'}",
            allowed=f"a month from {service.first:g} to {service.last:g}",
        )
    if service.policy_share == 0.0:
        last = service.last if service.arrival_months is None else service.listed[-1]
        raise InputError(
            "the policy would affect no counted patient",
            where=f"{where} policy_from_month",
            got=service.policy_from_month,
            allowed=f"before month {last:g}, when the last counted patient arrives",
        )


def _months(months: Sequence[float], where: str) -> tuple[float, ...]:
    if not months or months[0] < 0:
        raise InputError(
            "not months from 0 on", where=where, got=list(months[:1]), allowed="[0.5, 2, 2.5], for example"
        )
    for before, after in pairwise(months):
        if after < before:
            raise _out_of_order(f"{after:g} after {before:g}", where)
    return tuple(months)


def _months_of_dates(dates: Sequence[date], where: str) -> tuple[float, ...]:
    """Return dates as calendar months since the first."""
    if not dates:
        raise InputError("no dates", where=where, got=[], allowed="[2020-01-31, 2020-03-02], for example")
    for before, after in pairwise(dates):
        if after < before:
            raise _out_of_order(f"{after} after {before}", where)
    return tuple((date - dates[0]).days / DAYS_A_MONTH for date in dates)


def _out_of_order(got: str, where: str) -> InputError:
    return InputError("out of order", where=where, got=got, allowed="in increasing order")
