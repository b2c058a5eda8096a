"""The offered load: demand of a scenario's patients, were units never short, over capacity.

    load = arrivals a month x months held an arrival / units        (requests an arrival, where units are offered)

Months and requests are of whole lives, whatever the horizon. Where demand exceeds capacity, patients who leave the
queue before they are served may keep it stable: a queue grows without limit where the load of patients who never
leave it is 1 or more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from simulator.arrays import Floats
from simulator.engines.exact.uses import Uses
from simulator.engines.model import resolve
from simulator.scenario.arrivals import Service
from simulator.scenario.levers import Values
from simulator.scenario.scenario import Scenario

HARDLY = 1e-6
"""The share of requests that are granted at once where a queue is endless."""
HALVINGS, ROUNDS = 18, 3
"""Bisections for the share that is served; rounds over resources, where there are several."""


@dataclass(frozen=True)
class Demand:
    """Demand of an arrival for each limited resource, under the policy and before it starts."""

    policy: Uses
    before: Uses

    def of(self, share: float, served: Mapping[str, Floats] | None = None) -> dict[str, Floats]:
        """Return months held or requests an arrival, resource -> (n_draws,), if a share is under the policy.

        served : resource -> (n_draws,), the share of requests granted at once; all by default
        """
        served = served or {name: np.ones(1) for name in self.policy.limited}
        under = self.policy.months(served)
        if self.before is self.policy or share == 1.0:
            return under
        before = self.before.months(served)
        return {name: share * months + (1.0 - share) * before[name] for name, months in under.items()}

    def offered_loads(self, scenario: Scenario) -> dict[str, Floats]:
        """Return each resource's load over the counted years as a whole, (n_draws,); see `offered_loads`."""
        service = scenario.service
        assert service is not None
        demand, years = self.of(service.policy_share), (service.first, service.last)
        return {
            resource: _over(service.arrivals_a_month * demand[resource], capacity.mean_units(*years))
            for resource, capacity in scenario.capacity.items()
        }

    def never_leaving(self, scenario: Scenario) -> dict[str, Floats]:
        """Return each resource's load, (n_draws,), by patients who never leave its queue, for ever after.

        With the policy's share at the end of the counted years and the last units of a calendar; 1 or more grows
        without limit. Where all are served at once this is no more than the load. {} for a list of arrivals.
        """
        service = scenario.service
        if service is None or service.arrival_months is not None or not scenario.capacity:
            return {}
        share, units, loads = self._in_the_end(scenario, service)
        served = {name: np.ones(self.policy.model.n_draws) for name in units}
        never_leaving = loads(served)
        if all(np.all(load < 1.0) for load in never_leaving.values()):
            return never_leaving
        for _ in range(ROUNDS if len(units) > 1 else 1):
            for name in units:
                served[name] = _share_served(lambda part: loads({**served, name: part})[name], served[name])  # noqa: B023
        for name, part in served.items():
            hardly = {**served, name: np.full(part.shape, HARDLY)}
            endless = loads(hardly)[name]
            if not units[name]:
                stay = self.of(share, hardly)[name] > 1e3 * HARDLY * self.of(share)[name]
                endless = np.where(stay, np.inf, 0.0)
            never_leaving[name] = np.where(part < 1.0, endless, loads(served)[name])
        return never_leaving

    def served_at_once(self, scenario: Scenario) -> dict[str, Floats]:
        """Return each resource's load, (n_draws,), in the end, if all requests are granted at once."""
        service = scenario.service
        if service is None or service.arrival_months is not None or not scenario.capacity:
            return {}
        _, units, loads = self._in_the_end(scenario, service)
        return loads({name: np.ones(self.policy.model.n_draws) for name in units})

    def _in_the_end(
        self, scenario: Scenario, service: Service
    ) -> tuple[float, dict[str, float], Callable[[Mapping[str, Floats]], dict[str, Floats]]]:
        """Return the policy's share, the units a month and each resource's load by the shares served, in the end."""
        share = float(service.share_under_policy(np.array([service.last]))[0])
        units = {name: capacity.units_a_month(capacity.calendar[-1][0]) for name, capacity in scenario.capacity.items()}

        def loads(served: Mapping[str, Floats]) -> dict[str, Floats]:
            demand = self.of(share, served)
            return {name: _over(service.arrivals_a_month * demand[name], unit) for name, unit in units.items()}

        return share, units, loads

    def undetermined(self, scenario: Scenario) -> dict[str, str]:
        """Return the resources whose load does not determine whether a queue grows, and why.

        Their load is below 1 in some queues and not in others: where requests for any resource are granted at once,
        or wait for ever. In a single queue that patients leave in turn, the load of endless waits counts.
        """
        service = scenario.service
        if service is None or service.arrival_months is not None:
            return {}
        _, units, loads = self._in_the_end(scenario, service)
        ways = [(HARDLY, 1.0) if unit else (HARDLY,) for unit in units.values()]
        corners = [loads({n: np.full(1, p) for n, p in zip(units, corner, strict=True)}) for corner in product(*ways)]
        reasons = {}
        for name in (name for name, number in units.items() if number):
            means = [float(corner[name].mean()) for corner in corners]
            if min(means) >= 1.0 or max(means) < 1.0:
                continue
            if len(units) > 1:
                reasons[name] = "patients who leave one queue change the demand for another resource"
            elif means[0] >= 1.0:
                reasons[name] = "patients who wait request more units than patients who are served at once"
            elif scenario.capacity[name].ranks is not None:
                reasons[name] = "patients with priority leave the queue less often than the other patients"
        return reasons


def _share_served(load: Callable[[Floats], Floats], shape: Floats) -> Floats:
    """Return the share of requests granted at once, (n_draws,), at which a resource's load is 1; 1 where it is less."""
    low, high = np.full(shape.shape, HARDLY), np.ones(shape.shape)
    enough = load(high) < 1.0
    for _ in range(0 if enough.all() else HALVINGS):
        middle = 0.5 * (low + high)
        too_much = load(middle) >= 1.0
        low, high = np.where(too_much, low, middle), np.where(too_much, middle, high)
    return np.where(enough, 1.0, low)


def demand(scenario: Scenario, draw_values: Values) -> Demand:
    """Return the demand of a scenario's arrivals."""
    policy = Uses(resolve(scenario, draw_values))
    return Demand(policy, policy if scenario.before is None else Uses(resolve(scenario.before, draw_values)))


def offered_loads(scenario: Scenario, draw_values: Values) -> dict[str, Floats]:
    """Return each resource's offered load, (n_draws,), over the counted years as a whole.

    A policy that starts in those years, and units that change in them, count by their means.
    """
    return {} if scenario.service is None else demand(scenario, draw_values).offered_loads(scenario)


def _over(demand: Floats, units: float) -> Floats:
    return demand / units if units else np.where(demand > 0, np.inf, 0.0)


def unservable(scenario: Scenario, resource: str, load: float) -> str:
    """Return the load of patients who never leave a queue, in words."""
    if np.isfinite(load):
        return f"a load of {load:.2f} by patients who do not leave the queue"
    units = scenario.capacity[resource].calendar[-1][1]
    return "the length of stay has no mean" if units else "no units after the last step of the calendar"
