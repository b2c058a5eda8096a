"""Answers about a centre, and the two scenarios that they make: its practice today, and the policy to be decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Literal

from pydantic import Field

from simulator.errors import InputError, UnknownNameError
from simulator.files import toml
from simulator.pathway.pathway import Pathway
from simulator.pathway.references import names_in
from simulator.scenario import capacity as limits
from simulator.scenario.arrivals import ArrivalsPerYear, Service
from simulator.scenario.capacity import CapacityTable
from simulator.scenario.scenario import Scenario, check, load_scenario

Number = Annotated[float, Field(allow_inf_nan=False)]
NO_LIMIT: Literal["no limit"] = "no limit"
POLICY = "policy"
"""What is added to the name of today's practice."""
SERVICE = Service(arrivals_per_year=12.0, warm_up_years=5.0, years=5.0)
"""Where no shipped scenario declares a centre on the pathway: an assumption."""

ROUNDED = 0.005
"""Shares that differ by no more are the same when they are rounded to per cent."""


class Answers(toml.Table):
    """A file of answers, in a scenario's words. What it leaves out is not answered."""

    pathway: str | None = Field(None, description="a shipped pathway's name, or a file")
    arrivals_per_year: ArrivalsPerYear | None = Field(None, description="patients per year; 0.001 to 100,000")
    set: dict[str, Number] = Field(default_factory=dict, description="parameter = its value today")
    population: dict[str, dict[str, Number]] = Field(
        default_factory=dict, description="attribute = weight of each level"
    )
    capacity: dict[str, Number | Literal["no limit"]] = Field(
        default_factory=dict, description='resource = number of units, or "no limit"'
    )
    decision: dict[str, Number] = Field(
        default_factory=dict, description="parameter = its value under the policy, or resource = number of units"
    )


NOTHING = Answers.model_validate({})
"""No question is answered."""


@cache
def _shipped() -> tuple[Scenario, ...]:
    import scenarios

    return tuple(map(load_scenario, scenarios.names()))


def on_pathway(pathway: Pathway) -> list[Scenario]:
    """Return the shipped scenarios of a pathway."""
    return [scenario for scenario in _shipped() if scenario.pathway.where == pathway.where]


def centre(pathway: Pathway) -> Scenario | None:
    """Return the shipped scenario that declares arrivals with the fewest changes of a pathway; None if none does."""
    return min((s for s in on_pathway(pathway) if s.service), key=lambda scenario: len(scenario.bases), default=None)


def service_of(pathway: Pathway) -> Service:
    """Return the arrivals of `centre`, or of none."""
    known = centre(pathway)
    return SERVICE if known is None or known.service is None else known.service


def limitable(pathway: Pathway) -> list[str]:
    """Return the resources for which patients who start the default clock can wait."""
    holding = {name: [s for s, state in pathway.states.items() if state.holds == name] for name in pathway.resources}
    early = pathway.states_before_clock | {pathway.start}
    return [name for name, states in holding.items() if states and early.isdisjoint(states)]


def practice(answers: Answers, pathway: Pathway, name: str) -> Scenario:
    """Return today's practice; what is not answered is as at `centre`. Raises InputError naming the answer."""
    known, service = centre(pathway), service_of(pathway)
    units: dict[str, float | str] = {key: limit.units for key, limit in (known.capacity if known else {}).items()}
    numbers = {key: of for key, of in {**units, **answers.capacity}.items() if of != NO_LIMIT}
    if answers.arrivals_per_year is not None:
        service = replace(service, arrivals_per_year=answers.arrivals_per_year)
    for key in answers.capacity:
        if key not in pathway.resources:
            raise UnknownNameError("resource", key, pathway.resources, f"{name}: [capacity] {key}")
    scenario = Scenario(
        name,
        pathway,
        set=_without_reference(answers.set, pathway),
        population=answers.population,
        capacity=limits.read(pathway, _tables(numbers), name, {}),
        service=service,
    )
    check(scenario)
    return scenario


def treats_more(option: Scenario, today: Scenario) -> bool:
    """Return whether a policy sets a larger share treated at the decision at which patients are additional."""
    rule = today.pathway.marginal
    if rule is None:
        return False
    treated = today.pathway.states[rule.decision].transition(rule.branch).probability
    return any(option.set.get(name, 0.0) > today.set.get(name, 0.0) for name in names_in(treated))


def _without_reference(shares: Mapping[str, float], pathway: Pathway) -> dict[str, float]:
    """Return shares without the share treated if it is rounded the reference: a few patients would be additional."""
    rule = pathway.marginal
    if rule is None:
        return dict(shares)
    treated = pathway.states[rule.decision].transition(rule.branch).probability
    return {name: of for name, of in shares.items() if name != treated or abs(of - rule.reference) > ROUNDED}


def policy(answers: Answers, today: Scenario, name: str) -> Scenario:
    """Return the policy that is to be decided. Raises InputError naming the answer."""
    pathway, where = today.pathway, f"{name}: [decision]"
    if not answers.decision:
        raise InputError("nothing is to be decided", where=where, allowed="parameter = value, or resource = units")
    for key in answers.decision:
        if key not in pathway.parameters and key not in limitable(pathway):
            levers = [name for name, parameter in pathway.parameters.items() if parameter.lever]
            names = [*levers, *limitable(pathway)]
            raise UnknownNameError("parameter or resource", key, names, where)
    units = {key: value for key, value in answers.decision.items() if key not in pathway.parameters}
    shares = {key: value for key, value in answers.decision.items() if key not in units}
    if not today.set:
        # As little as that, it is no change.
        shares = _without_reference(shares, pathway)
    capacity = limits.read(pathway, _tables(units), where, today.capacity)
    scenario = replace(today, name=where, set={**today.set, **shares}, capacity=capacity)
    check(scenario)
    return scenario


def _tables(units: Mapping[str, float | str]) -> dict[str, CapacityTable]:
    return {name: CapacityTable.model_validate({"units": number}) for name, number in units.items()}
