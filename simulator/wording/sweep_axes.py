"""What varies in a sweep, in words: names, units and values of axes, and where today and the scenario lie on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from simulator.analyses.sweep.axis import Axis
from simulator.analyses.sweep.grid import value_in
from simulator.analyses.sweep.run import Sweep
from simulator.pathway.pathway import Pathway
from simulator.plain_text import capital
from simulator.scenario.scenario import Scenario
from simulator.wording import reported, rounding

BENEFIT = "share of additional patients who benefit"
TABLES = {"scale": "factor on {}", "odds_ratio": "odds ratio of {}", "hazard_ratio": "hazard ratio of {}"}
"""Table of a scenario -> what varies, where it is not the value itself."""


def name(axis: Axis, pathway: Pathway) -> str:
    """Return what varies: "uptake", "ICU beds", "factor on ICU wait median"."""
    if not axis.table:
        return BENEFIT
    if axis.table == "capacity":
        return pathway.resources[axis.key].label
    return TABLES.get(axis.table, "{}").format(reported.parameter(axis.key, pathway))


def unit(axis: Axis, pathway: Pathway) -> str:
    """Return the unit of the displayed values: "%", "months"; empty for a number."""
    declared = "probability" if not axis.table else ""
    if axis.table == "set":
        declared = pathway.parameters[axis.key].unit
    return {"probability": "%", "number": ""}.get(declared, declared)


def label(axis: Axis, pathway: Pathway) -> str:
    """Return the label of an axis: "Uptake, %"."""
    words = unit(axis, pathway)
    return f"{capital(name(axis, pathway))}{words and f', {words}'}"


def displayed(axis: Axis, pathway: Pathway, value: float) -> float:
    """Return a value in its displayed unit."""
    return 100.0 * value if unit(axis, pathway) == "%" else value


def number(axis: Axis, pathway: Pathway, value: float) -> str:
    """Return a value as displayed, without its unit: "88"; in three digits, or as many as tell the values apart."""
    in_unit = displayed(axis, pathway, value)
    others = [displayed(axis, pathway, other) for other in axis.values]
    whole = len(f"{abs(in_unit):.0f}")
    digits = (count for count in (3, 4, 5) if len({f"{other:.{count}g}" for other in others}) == len(others))
    return f"{in_unit:.{max(next(digits, 6), whole)}g}"


def with_unit(axis: Axis, pathway: Pathway, value: float) -> str:
    """Return a value as displayed: "88 %"."""
    words = unit(axis, pathway)
    return f"{number(axis, pathway, value)}{words and f' {words}'}"


def roughly(axis: Axis, pathway: Pathway, value: float) -> str:
    """Return a value that is no typed one, rounded: "49 %"."""
    words, in_unit = unit(axis, pathway), displayed(axis, pathway, value)
    return f"{rounding.number(in_unit, '%')} %" if words == "%" else f"{in_unit:.3g}{words and f' {words}'}"


def cell(axes: Sequence[Axis], pathway: Pathway, values: Sequence[float]) -> str:
    """Return a cell in words: "uptake 40 %, 2 ICU beds and 24 arrivals per year"."""
    parts = []
    for axis, value in zip(axes, values, strict=False):
        words, value_in_words = name(axis, pathway), with_unit(axis, pathway, value)
        if axis.table == "capacity":
            words = pathway.resources[axis.key].labelled(int(value))
        is_counted = axis.table == "capacity" or " per " in words
        parts.append(f"{value_in_words} {words}" if is_counted else f"{words} {value_in_words}")
    return " and ".join(parts)


def practice(sweep: Sweep) -> list[tuple[str, Scenario]]:
    """Return today's practice and the scenario, by their names; one if both are the same."""
    scenario = sweep.scenario
    today = replace(scenario, set={}, scale={}, odds_ratio={}, hazard_ratio={}, marginal_benefit=1.0)
    return [(scenario.name, scenario), ("today", today)]


def places(sweep: Sweep, axis: Axis) -> list[tuple[str, str, float]]:
    """Return where today and the scenario lie on an axis: name, value in words, place; neither outside its values."""
    names: dict[float, str] = {}
    for name, scenario in reversed(practice(sweep)):
        value = value_in(scenario, axis)
        if axis.nearest(value) is not None:
            names.setdefault(value, name)
    pathway = sweep.scenario.pathway
    return [(name, roughly(axis, pathway, value), displayed(axis, pathway, value)) for value, name in names.items()]
