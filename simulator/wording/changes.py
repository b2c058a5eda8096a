"""What an option changes, in a planner's words: "uptake 49 % \N{RIGHTWARDS ARROW} 88 %", "one bed"."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.evidence.cohort import Cohort
from simulator.evidence.practice import mean_values
from simulator.outcomes.labels import population_in_words
from simulator.pathway.pathway import Pathway
from simulator.pathway.references import Reference, Selection
from simulator.scenario.arrivals import MONTHS_A_YEAR, Service
from simulator.scenario.hazard_ratios import HazardRatios
from simulator.scenario.levers import apply_levers
from simulator.scenario.scenario import LEVERS, Scenario
from simulator.wording import resources, rounding
from simulator.wording.reported import parameter

TO = " \N{RIGHTWARDS ARROW} "
"""From a number under the first option to that under another: "to" is between the ends of a range."""
AT_MEANS = "Values that differ from parameter set to parameter set are given at their means."
UNCHANGED = 0.0005
"""Shares that differ by less are the same: they are displayed per 100."""


def of(scenario: Scenario, first: Scenario | None, cohort: Cohort | None) -> list[str]:
    """Return what differs between two scenarios of one pathway, a line a change; none where nothing does.

    first : None is the pathway as declared; cohort : of which the values before a change are the posterior means
    """
    pathway = scenario.pathway
    milestones = () if first is None else first.pathway.milestones
    first = first or Scenario(pathway.name, pathway, file=pathway.file)
    return [
        *_parameters(scenario, first, cohort),
        *_hazard_ratios(scenario, first),
        *_patients(scenario, first),
        *_capacities(scenario, first),
        *_service(scenario, first),
        *(f"{pathway.states[name].label}: no effect" for name in pathway.milestones if name not in milestones),
    ]


def _parameters(scenario: Scenario, first: Scenario, cohort: Cohort | None) -> Iterator[str]:
    pathway, means = scenario.pathway, mean_values(scenario.pathway, cohort)
    before, after = (apply_levers(one, means) for one in (first, scenario))
    named = {name for one in (first, scenario) for lever in LEVERS for name in getattr(one, lever)}
    named |= {name for one in (first, scenario) for pair in one.replace.items() for name in pair}
    for name in (name for name in pathway.parameters if name in named):
        unit = pathway.parameters[name].unit
        pair = [float(np.mean(values[name])) for values in (before, after)]
        if pair[0] != pair[1]:
            months = f" {unit}" if unit in ("months", "per month") else ""
            yield f"{parameter(name, pathway)} {TO.join(_value(value, unit) for value in pair)}{months}"


def _value(number: float, unit: str) -> str:
    """Return a parameter's value: "49 %", "1.2", "0.25"."""
    if unit == "probability":
        return f"{rounding.number(number, unit)} %"
    return (f"{number:.2g}" if abs(number) < 10 else f"{number:.0f}").replace("-", rounding.MINUS)


def _hazard_ratios(scenario: Scenario, first: Scenario) -> Iterator[str]:
    pathway, ratios = scenario.pathway, [one.hazard_ratios for one in (first, scenario)]
    for key in dict.fromkeys(key for of_one in ratios for key in of_one):
        pair = [_ratios(of_one[key], pathway) if key in of_one else "1" for of_one in ratios]
        if pair[0] != pair[1]:
            state, _, exit = key.partition(".")
            to = pathway.states[state].transition(exit).to
            way = f"{pathway.states[state].label} to {pathway.states[to].label}"
            yield f"hazard of {way}, times {TO.join(pair) if pair[0] != '1' else pair[1]}"


def _ratios(ratios: HazardRatios, pathway: Pathway) -> str:
    """Return "0.5", "0.5 to month 6, then 1", "(0.5: male; 1: female)"."""
    texts = [_ratio(ratio, pathway) for ratio in ratios.ratios]
    periods = [f"{text} to month {month:g}" for text, month in zip(texts, ratios.breaks, strict=False)]
    return ", then ".join([*periods, texts[-1]])


def _ratio(ratio: Reference, pathway: Pathway) -> str:
    if isinstance(ratio, Selection):
        levels = (
            f"{_ratio(part, pathway)}: {_level(ratio.by, level, pathway)}" for level, part in ratio.levels.items()
        )
        return f"({'; '.join(levels)})"
    return f"{ratio:g}" if isinstance(ratio, float) else str(ratio)


def _level(attribute: str, level: str, pathway: Pathway) -> str:
    return population_in_words(f"{attribute}={level}", pathway)


def _patients(scenario: Scenario, first: Scenario) -> Iterator[str]:
    """Yield the shares of patients of levels that differ, and that combinations do where the shares do not."""
    pathway = scenario.pathway
    before, after = ({name: joint for joint in one.joints for name in joint.of} for one in (first, scenario))
    moved = set()
    for attribute in pathway.attributes:
        shares = [joints[attribute].margin(attribute) for joints in (before, after)]
        for level, share in shares[0].items():
            if abs(shares[1][level] - share) >= UNCHANGED:
                moved.add(attribute)
                pair = (f"{rounding.number(of_one[level], 'probability')} %" for of_one in shares)
                yield f"{_level(attribute, level, pathway)} {TO.join(pair)}"
    for joint in scenario.joints:
        known = before[joint.of[0]]
        alike = known.of == joint.of and np.allclose(known.shares, joint.shares, atol=UNCHANGED)
        if not (alike or moved.intersection(joint.of)):
            yield f"other combinations of {' and '.join(parameter(name, pathway) for name in joint.of)}"


def _capacities(scenario: Scenario, first: Scenario) -> Iterator[str]:
    pathway = scenario.pathway
    for name in dict.fromkeys([*first.capacity, *scenario.capacity]):
        before, after = first.capacity.get(name), scenario.capacity.get(name)
        label = pathway.resources[name].label
        texts = [
            resources.units(one, name) if name in one.capacity else f"{label}: no limit" for one in (first, scenario)
        ]
        if texts[0] != texts[1]:
            yield texts[1] if before is None else TO.join(texts)
        if after is not None and after.ranks is not None and (before is None or before.ranks != after.ranks):
            by, names = after.ranks
            served = (pathway.states[one].label if by == "state" else _level(by, one, pathway) for one in names)
            yield f"{label}: first for {', then '.join(served)}"


def _service(scenario: Scenario, first: Scenario) -> Iterator[str]:
    services = [one.service for one in (first, scenario)]
    if scenario.service is None:
        return
    a_year, dates = ([read(service) if service else "" for service in services] for read in (_a_year, _date))
    if a_year[0] != a_year[1]:
        yield f"{TO.join(filter(None, a_year))} {scenario.pathway.patients} a year"
    if dates[0] != dates[1]:
        yield dates[1] or "from the first month on"


def _a_year(service: Service) -> str:
    return f"{MONTHS_A_YEAR * service.arrivals_a_month:.3g}"


def _date(service: Service) -> str:
    month, ramp = service.policy_from_month, service.policy_ramp_months
    return "" if month is None else f"from month {month:g}{f', for all from month {month + ramp:g}' if ramp else ''}"
