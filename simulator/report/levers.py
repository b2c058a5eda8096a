"""The changes of a scenario in the format of its file: "[set] uptake = 0.88"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from simulator.files.toml import written
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario

TABLES = ("set", "scale", "odds_ratio", "replace", "hazard_ratio", "population")


def lines(scenario: Scenario) -> Iterator[str]:
    """Yield the scenario's levers, inherited ones included, a line a key."""
    for table in TABLES:
        for name, value in getattr(scenario, table).items():
            yield f"[{table}] {name} = {written(value)}"
    for joint in scenario.case_mix:
        yield f"[[case_mix]] {', '.join(f'{key} = {written(value)}' for key, value in joint.items())}"
    if scenario.pathway.milestones:
        yield f"milestones = {written(list(scenario.pathway.milestones))}"
    for resource, capacity in scenario.capacity.items():
        yield f"[capacity] {resource} = {_capacity(capacity)}"
    if scenario.service is not None:
        for field in fields(scenario.service):
            value = getattr(scenario.service, field.name)
            if value is not None and value != field.default:
                yield f"[service] {field.name} = {written(value)}"


def _capacity(capacity: Capacity) -> str:
    """Return a capacity in TOML: a number, or a table if it has a calendar, offers or a priority."""
    steps = ", ".join(f"{{ from_month = {month:g}, units = {units} }}" for month, units in capacity.calendar)
    units = str(capacity.units) if capacity.is_constant else f"[{steps}]"
    more = []
    if capacity.offered_every is not None:
        more.append(f"offered_every_months = {capacity.offered_every:g}")
    if capacity.ranks is not None:
        by, order = capacity.ranks
        more.append(f"priority = {{ {by} = {written(order)} }}")
    return units if capacity.is_constant and not more else f"{{ {', '.join([f'units = {units}', *more])} }}"
