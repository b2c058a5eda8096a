"""The offered load: what a scenario's patients ask for, were it never short, over what there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.levers import Values
from simulator.model import resolve
from simulator.pathway import State
from simulator.scenario import Scenario

Floats = NDArray[np.float64]

WITHIN = ":within"
"""After the name of a state, once more for those who come to it with the unit that they hold already."""


@dataclass(frozen=True)
class Demand:
    """What an arrival asks of each limited resource: months held, or requests where units are offered.

    under, before : resource -> (n_draws,), under the policy and until it starts
    """

    under: dict[str, Floats]
    before: dict[str, Floats]

    def of(self, resource: str, share: float) -> Floats:
        """Return what is asked of a resource if a share of arrivals is under the policy, (n_draws,)."""
        return share * self.under[resource] + (1.0 - share) * self.before[resource]

    def loads(self, scenario: Scenario) -> dict[str, Floats]:
        """Return each resource's load over the counted years as a whole, (n_draws,); see `loads`."""
        service = scenario.service
        assert service is not None
        return {
            resource: _over(
                service.arrivals_a_month * self.of(resource, service.policy_share),
                each.mean_units(service.first, service.last),
            )
            for resource, each in scenario.capacity.items()
        }

    def final_loads(self, scenario: Scenario, horizon: float) -> dict[str, Floats]:
        """Return the loads when the last counted patient is followed no longer, and for ever; {} if nothing changes."""
        service = scenario.service
        changes = scenario.before is not None or not all(each.is_constant for each in scenario.capacity.values())
        if service is None or service.arrival_months is not None or not changes:
            return {}
        end = service.last + scenario.pathway.followed(horizon)
        share = float(service.share_under_policy(np.array([end]))[0])
        return {
            resource: _over(service.arrivals_a_month * self.of(resource, share), each.units_a_month(end))
            for resource, each in scenario.capacity.items()
        }


def demand(scenario: Scenario, own: Values, horizon: float) -> Demand:
    """Return what arrivals of a scenario ask for, were nothing ever short."""
    under = _asked(scenario, own, horizon)
    return Demand(under, under if scenario.before is None else _asked(scenario.before, own, horizon))


def loads(scenario: Scenario, own: Values, horizon: float) -> dict[str, Floats]:
    """Return each resource's offered load : (n_draws,): what is asked for, were it never short, over what there is.

        load = arrivals a month x months held an arrival / units        (requests an arrival, where units are offered)

    over the counted years as a whole: of a policy that starts in them, and of units that change, the means.
    """
    return {} if scenario.service is None else demand(scenario, own, horizon).loads(scenario)


def _over(demand: Floats, units: float) -> Floats:
    return demand / units if units else np.where(demand > 0, np.inf, 0.0)


def _asked(scenario: Scenario, own: Values, horizon: float) -> dict[str, Floats]:
    """Return the months that an arrival holds each limited resource, or its requests where units are offered.

    Arrays : (n_draws,)
    """
    from simulator.engines import exact

    free = replace(scenario, capacity={}, service=None, before=None)
    offered = [name for name, each in scenario.capacity.items() if each.offered_every is not None]
    for resource in offered:
        free = _told_apart(free, resource)
    solution = exact.solve(resolve(free, own), scenario.pathway.followed(horizon), window=False)
    found = {}
    for resource in scenario.capacity:
        states = [name for name, state in scenario.pathway.states.items() if state.holds == resource]
        if resource in offered:
            asked = solution.entered(states)[:, -1]
        else:
            every = [name for name, state in free.pathway.states.items() if state.holds == resource]
            held = np.sum([solution.occupied(each) for each in every], axis=0)
            asked = np.trapezoid(held, dx=solution.lattice.step, axis=-1)
        found[resource] = asked
    return found


def _told_apart(scenario: Scenario, resource: str) -> Scenario:
    """Return the scenario with each state that holds a resource twice: entered with a new unit, or with the same."""
    states = scenario.pathway.states
    holding = [name for name, state in states.items() if state.holds == resource]
    if not any(each.to in holding for name in holding for each in states[name].transitions):
        return scenario
    onward = {name: _within(states[name], holding) for name in holding}
    again = {name + WITHIN: replace(onward[name], name=name + WITHIN) for name in holding}
    hazards = dict(scenario.hazard_ratio)
    for key, ratio in scenario.hazard_ratio.items():
        name, _, transition = key.partition(".")
        hazards |= {f"{name}{WITHIN}.{transition}": ratio} if name in holding else {}
    pathway = replace(scenario.pathway, states={**states, **onward, **again})
    return replace(scenario, pathway=pathway, hazard_ratio=hazards)


def _within(state: State, holding: Sequence[str]) -> State:
    ways = (replace(each, to=each.to + WITHIN) if each.to in holding else each for each in state.transitions)
    return replace(state, transitions=tuple(ways))
