"""How many units of a resource meet a target: one scenario with one unit, with two, and so on, compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from simulator.errors import InputError, UnknownNameError
from simulator.experiment import run
from simulator.experiment.results import Results
from simulator.experiment.settings import Progress, Settings, SweepOptions, with_options
from simulator.outcomes import target as targets
from simulator.outcomes.target import Target
from simulator.scenario import capacity as limits
from simulator.scenario.capacity import CapacityTable
from simulator.scenario.scenario import Scenario, check, load_scenario

UNITS = (1, 2, 3, 4)


@with_options(SweepOptions)
def beds(
    scenario: Scenario | str | Path,
    target: str,
    *,
    units: Iterable[float] = UNITS,
    resource: str | None = None,
    progress: Progress | None = None,
    **options: Unpack[SweepOptions],
) -> Results:
    """Return a comparison of a scenario with so many units of a resource; its `answer` says which meet a target.

    target : "wait_over_30_days <= 5%"; resource : default: the one that the scenario limits, or the pathway's first
    units : the numbers to compare. Raises InputError before anything runs.
    """
    loaded = load_scenario(scenario)
    asked = targets.read(target, "target")
    name = named(loaded, resource, "resource")
    compared = with_units(loaded, name, units, asked, "units")
    results = run.simulate(compared, replace(Settings(**options), overload=True), progress)
    ask(results, name, asked)
    return results


def ask(results: Results, resource: str, target: Target) -> None:
    """Make a target the question of a comparison."""
    results.manifest.update(target=str(target), resource=resource)


def named(scenario: Scenario, resource: str | None, where: str) -> str:
    """Return the resource that is asked for. Raises InputError if the pathway has none, or not this one."""
    declared = scenario.pathway.resources
    if not declared:
        raise InputError("the pathway has no resource", where=scenario.pathway.where, allowed="[resources] with beds")
    if resource is not None and resource not in declared:
        raise UnknownNameError("resource", resource, declared, where)
    return resource or next(iter([*scenario.capacity, *declared]))


def with_units(scenario: Scenario, resource: str, units: Iterable[float], target: Target, where: str) -> list[Scenario]:
    """Return a scenario with each number of units, fewest first: "1 bed", "2 beds". Raises InputError."""
    if scenario.service is None:
        what, allowed = "patients do not arrive over time", "a scenario with [service], as letter-centre"
        raise InputError(what, where=scenario.where, allowed=allowed)
    service = replace(scenario.service, wait_days=tuple({*scenario.service.wait_days, *target.days}))
    compared = []
    if isinstance(units, str) or not isinstance(units, Iterable):
        raise InputError("not a list of numbers", where=where, got=units, allowed="a list, as [1, 2, 3]")
    for number in sorted(set(units)):
        table = {resource: CapacityTable.model_validate({"units": number})}
        capacity = limits.read(scenario.pathway, table, where, scenario.capacity)
        name = scenario.pathway.resources[resource].counted(capacity[resource].units)
        # The title and the question may name the beds that the scenario has.
        option = replace(scenario, name=name, title="", question="", file=None, capacity=capacity, service=service)
        if option.before is not None:
            option = replace(option, before=replace(option.before, capacity=capacity, service=service))
        check(option)
        compared.append(option)
    return compared
