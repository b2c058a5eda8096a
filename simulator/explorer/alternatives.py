"""Levers that are not linear: a few values of each, solved as the page's own, of which one holds at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.analyses.sweep.axis import Axis
from simulator.analyses.sweep.grid import Grid, find, make_grid, value_in
from simulator.arrays import Floats
from simulator.errors import InputError
from simulator.explorer.page_model import PageModel
from simulator.explorer.sliders import names_of_times
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import LEVERS, Scenario
from simulator.wording import sweep_axes
from simulator.wording.intervals import rounded

OPTION = "--choose"
MOST_VALUES = 4
QUEUES = ("capacity", "service")
"""Tables of a scenario whose values no sum over routes has."""
NOTE = "The value holds in every parameter set."


@dataclass(frozen=True)
class Alternative:
    """A value of a lever. scenario : what the page starts from, with this value"""

    axis: Axis
    value: float
    scenario: Scenario

    @property
    def name(self) -> str:
        return self.axis.label(self.value)


def queued(pathway: Pathway, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return which of the names make patients wait for one another. Raises InputError."""
    return {name: values for name, values in chosen.items() if find(pathway, name, OPTION)[0] in QUEUES}


def alternatives(scenario: Scenario, chosen: Mapping[str, str]) -> list[Alternative]:
    """Return the values of names, in the grammar of a sweep. Raises InputError."""
    axes = make_grid(scenario, chosen, OPTION).axes if chosen else ()
    lever_values = list[Alternative]()
    for axis in axes:
        _check(scenario, axis)
        grid = Grid(scenario, (axis,))
        lever_values += [Alternative(axis, value, grid.at(cell)) for cell, value in enumerate(axis.values)]
    return lever_values


def _check(scenario: Scenario, axis: Axis) -> None:
    """Refuse what makes queues, what sliders move, and more values than are a few."""
    where = f"{OPTION} {axis.name}"
    if axis.table in QUEUES:
        allowed = "--centre SCENARIO, the centre whose queue is simulated for a table"
        raise InputError("patients wait for one another: no sum over routes has that", where=where, allowed=allowed)
    if not axis.table or (axis.table in LEVERS and axis.key not in names_of_times(scenario.pathway)):
        allowed = "a parameter of times, scale.NAME of one, hazard_ratio.STATE.NAME; sliders move shares"
        raise InputError("it decides where patients go, not when", where=where, allowed=allowed)
    if len(axis.values) > MOST_VALUES:
        raise InputError("too many values for a page", where=where, got=len(axis.values), allowed=f"1 to {MOST_VALUES}")


def refuse_unchanged(page: PageModel, lever_values: Sequence[Alternative]) -> None:
    """Refuse a value with which every path is as it is without it. Raises InputError."""
    for alternative, solved in zip(lever_values, page.others, strict=True):
        if solved.routes == page.routes:
            what = "it changes nothing in what the page starts from"
            raise InputError(what, where=f"{OPTION} {alternative.name}", allowed="another value, or another name")


def in_words(page: PageModel, lever_values: Sequence[Alternative]) -> list[dict[str, object]]:
    """Return the levers in words: what each is, where today's value is from, and the places of its values."""
    pathway = page.scenario.pathway
    return [
        {
            "label": _label(axis, pathway),
            "today": _today(page, axis),
            "source": _source(axis, pathway),
            "places": [place for place, other in enumerate(lever_values) if other.axis == axis],
        }
        for axis in dict.fromkeys(alternative.axis for alternative in lever_values)
    ]


def value_in_words(alternative: Alternative) -> dict[str, object]:
    """Return a value in words, and the line of a scenario's file that sets it."""
    axis, pathway = alternative.axis, alternative.scenario.pathway
    return {
        "lever": axis.name,
        "label": _label(axis, pathway),
        "words": sweep_axes.with_unit(axis, pathway, alternative.value),
        "table": axis.table,
        "key": axis.key,
        "value": f"{alternative.value:.10g}",
    }


def _label(axis: Axis, pathway: Pathway) -> str:
    """Return what a slider of it would be called, or a factor on it."""
    if axis.table == "hazard_ratio":
        state, transition = axis.key.split(".", 1)
        to = pathway.states[state].transition(transition).to
        return f"hazard ratio: {pathway.states[state].label} to {pathway.states[to].label}"
    return sweep_axes.TABLES.get(axis.table, "{}").format(pathway.parameters[axis.key].meaning)


def _source(axis: Axis, pathway: Pathway) -> str:
    if axis.table == "hazard_ratio":
        return f"{axis.key}. The time's survival to the power of this number: an assumption. {NOTE}"
    return f"{axis.key}. {pathway.parameters[axis.key].source} {NOTE}"


def _today(page: PageModel, axis: Axis) -> str:
    """Return the value that the page starts from, with its interval where parameter sets differ."""
    scenario, pathway = page.scenario, page.scenario.pathway
    if axis.table == "set" and axis.key not in scenario.set:
        draw_values: Floats = page.values[axis.key]
        lower, upper = np.quantile(draw_values, (0.025, 0.975)).tolist()
        mean = rounded(float(np.mean(draw_values)), lower, upper, pathway.parameters[axis.key].unit)
        words = f"{mean.value} {sweep_axes.unit(axis, pathway)}".strip()
        return words if mean.ends is None else f"{words} (95 % interval {mean.ends[0]} to {mean.ends[1]})"
    value = value_in(scenario, axis)
    return sweep_axes.with_unit(axis, pathway, value) if np.isfinite(value) else "as declared, by level or period"
