"""The grid of a sweep: what can vary, and the scenario of each cell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from simulator.analyses.sweep.axis import VARY, Axis, read_values
from simulator.errors import InputError, UnknownNameError
from simulator.files import toml
from simulator.pathway.pathway import Pathway
from simulator.scenario import capacity as limits
from simulator.scenario.arrivals import LISTS, ServiceTable, read_service
from simulator.scenario.capacity import CapacityTable
from simulator.scenario.scenario import Scenario, check

SERVICE = tuple(name for name in ServiceTable.model_fields if name not in LISTS)
"""The numeric keys of [service]."""

BENEFIT = "marginal_benefit"

COLUMNS = (
    *("clock", "population", "resource", "outcome", "unit", "estimate", "lower", "upper", "monte_carlo_se"),
    *("difference", "difference_lower", "difference_upper", "difference_monte_carlo_se", "follow_up"),
)
"""Of the table, next to a column per axis: an axis of such a name needs its table in front."""


@dataclass(frozen=True)
class Grid:
    """A scenario and the axes it varies over. Cells are numbered from 0, the first axis slowest."""

    scenario: Scenario
    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        return math.prod(self.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values on each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def names(self) -> list[str]:
        return [axis.name for axis in self.axes]

    def places(self, cell: int) -> tuple[int, ...]:
        """Return a cell's place on each axis."""
        return tuple(int(place) for place in np.unravel_index(cell, self.shape))

    def values(self, cell: int) -> tuple[float, ...]:
        """Return a cell's value on each axis."""
        return tuple(axis.values[place] for axis, place in zip(self.axes, self.places(cell), strict=True))

    def label(self, cell: int) -> str:
        """Return "beds=2, uptake=0.7"."""
        return ", ".join(axis.label(value) for axis, value in zip(self.axes, self.values(cell), strict=True))

    def at(self, cell: int) -> Scenario:
        """Return a cell's scenario, checked against the pathway. Raises InputError naming the cell."""
        scenario = replace(self.scenario, name=f"{self.scenario.name} with {self.label(cell)}", file=None)
        service: dict[str, float] = {}
        for axis, value in zip(self.axes, self.values(cell), strict=True):
            if axis.table == "service":
                service[axis.key] = value
            else:
                scenario = _with(scenario, axis, value)
        if service:
            scenario = _with_service(scenario, service)
        if scenario.before is not None:
            before = replace(scenario.before, capacity=scenario.capacity, service=scenario.service)
            scenario = replace(scenario, before=before)
        check(scenario)
        return scenario

    def edges(self) -> Iterator[int]:
        """Yield the cells that show every value once, the other axes at their first value."""
        stride = len(self)
        for size in self.shape:
            stride //= size
            yield from range(0, size * stride, stride)


def make_grid(scenario: Scenario, vary: Mapping[str, str | Iterable[float]], where: str = VARY) -> Grid:
    """Return the grid of names and their values (see `read_values`). Raises InputError naming the option."""
    if not isinstance(vary, Mapping):
        allowed = 'a dictionary, as {"beds": [1, 2]}'
        raise InputError("not a dictionary of names and values", where="vary", got=vary, allowed=allowed)
    if not vary:
        raise InputError("no values to vary", where=where, allowed="NAME=VALUES, as beds=1..6")
    axes: list[Axis] = []
    for name, values in vary.items():
        table, key = find(scenario.pathway, name, where)
        if name in COLUMNS:
            raise InputError("this name is also a column of the table", where=where, got=name, allowed=f"{table}.{key}")
        for axis in axes:
            if (axis.table, axis.key) == (table, key):
                raise InputError(f"the same as '{axis.name}'", where=where, got=name, allowed="each name once")
        axes.append(Axis(name, table, key, read_values(values, f"{where} {name}")))
    return Grid(scenario, tuple(axes))


def find(pathway: Pathway, name: str, where: str = VARY) -> tuple[str, str]:
    """Return the table and the key of a name. Raises InputError."""
    short = _short(pathway)
    if name in short and len(short[name]) == 1:
        return short[name][0]
    if name in short:
        tables = " or ".join(".".join(address) for address in short[name])
        raise InputError("two quantities have this name", where=where, got=name, allowed=tables)
    table, dot, key = name.partition(".")
    full = _full(pathway)
    if dot and key in full.get(table, ()):
        return table, key
    names = [*short, *(f"{table}.{key}" for table, keys in full.items() for key in keys)]
    raise UnknownNameError("name", name, names, where)


def _full(pathway: Pathway) -> dict[str, list[str]]:
    """Return the names that can vary, by the scenario's table."""
    parameters = pathway.parameters
    return {
        "capacity": list(pathway.resources),
        "service": list(SERVICE),
        "set": sorted(parameters, key=lambda name: not parameters[name].lever),
        "scale": list(parameters),
        "odds_ratio": [name for name, parameter in parameters.items() if parameter.unit == "probability"],
        "hazard_ratio": [
            f"{name}.{transition.name}"
            for name, state in pathway.states.items()
            if state.kind == "sojourn"
            for transition in state.transitions
        ],
    }


def _short(pathway: Pathway) -> dict[str, list[tuple[str, str]]]:
    """Return the names that need no table in front, the most varied first."""
    short: dict[str, list[tuple[str, str]]] = {BENEFIT: [("", BENEFIT)]}
    full = _full(pathway)
    for table in ("capacity", "set", "service"):
        for key in full[table]:
            short.setdefault(key, []).append((table, key))
    return short


def value_in(scenario: Scenario, axis: Axis) -> float:
    """Return a scenario's value of what an axis varies; NaN if it has no single number, or none."""
    value: object
    if axis.table == "capacity":
        capacity = scenario.capacity.get(axis.key)
        value = capacity.units if capacity is not None and capacity.is_constant else None
    elif axis.table == "service":
        value = getattr(scenario.service, axis.key, None)
    elif not axis.table:
        value = scenario.marginal_benefit
    else:
        unchanged = scenario.pathway.parameters[axis.key].value if axis.table == "set" else 1.0
        value = getattr(scenario, axis.table).get(axis.key, unchanged)
    return float(value) if isinstance(value, int | float) else math.nan


def _with(scenario: Scenario, axis: Axis, value: float) -> Scenario:
    """Return a scenario with one more value in place."""
    if axis.table == "capacity":
        return _with_units(scenario, axis.key, value)
    if axis.key == BENEFIT and not axis.table:
        if not 0 <= value <= 1:
            raise InputError("marginal benefit outside 0 to 1", where=f"--vary {axis.name}", got=value)
        return scenario.benefiting(float(value))
    lever: dict[str, Any] = {axis.table: {**getattr(scenario, axis.table), axis.key: float(value)}}
    return replace(scenario, **lever)


def _with_units(scenario: Scenario, resource: str, units: float) -> Scenario:
    """Return a scenario with constant units; priority and offers stay."""
    table = CapacityTable.model_validate({"units": units})
    limited = limits.read(scenario.pathway, {resource: table}, scenario.where, scenario.capacity)
    return replace(scenario, capacity=limited)


def _with_service(scenario: Scenario, changed: Mapping[str, float]) -> Scenario:
    """Return a scenario with some keys of [service] changed, all at once: one may need another."""
    if "policy_from_month" in changed and scenario.before is None:
        raise InputError(
            "the scenario has no policy_from_month",
            where="--vary policy_from_month",
            allowed="a scenario whose [service] has a policy_from_month",
        )
    table = toml.validate(ServiceTable, dict(changed), Path("--vary"))
    service = read_service(table.model_dump(exclude_unset=True), scenario.where, scenario.service)
    return replace(scenario, service=service)
