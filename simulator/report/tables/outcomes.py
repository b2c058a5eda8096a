"""The outcomes as tables: each policy beside the first scenario, by clock and by group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from simulator.outcomes.labels import until
from simulator.pathway.outcome_months import names
from simulator.pathway.pathway import Pathway
from simulator.report.elements import folded, paragraph, row, span, table, tag, text
from simulator.scenario.scenario import BREAK_EVEN, Scenario, split_name
from simulator.wording import numbers
from simulator.wording.intervals import Row

Rows = Mapping[tuple[str, str], Row]


def policies(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    """Return each policy with its marginal benefits (NAME, NAME@0.5), without the first scenario; perhaps none."""
    names = [scenario.name for scenario in scenarios]
    found: dict[str, list[Scenario]] = {}
    for scenario in scenarios[1:]:
        stem = split_name(scenario.name)[0]
        found.setdefault(stem if stem in names[1:] else scenario.name, []).append(scenario)
    return list(found.values())


def of_all(outcomes: pd.DataFrame, scenarios: Sequence[Scenario], clocks: Sequence[str], horizon: float) -> str:
    """Return the tables of all patients: the first clock's, and the others' folded."""
    first, *others = clocks
    every = policies(scenarios) or [[]]
    shown = "".join(_policy_table(outcomes, scenarios[0], ends, first, horizon) for ends in every)
    for clock in others:
        inside = (_policy_table(outcomes, scenarios[0], ends, clock, horizon) for ends in every)
        shown += folded(f"The same, months counted from {clock}", *inside)
    return shown


def by_group(outcomes: pd.DataFrame, scenarios: Sequence[Scenario], clock: str) -> str:
    """Return the table of one survival outcome of every group and level; nothing if there are none."""
    pathway = scenarios[0].pathway
    own = outcomes[(outcomes["clock"] == clock) & (outcomes["population"] != "all")]
    chosen = next((name for name in names(pathway.months.in_order) if (own["outcome"] == name).any()), None)
    if chosen is None:
        return ""
    own = own[own["outcome"] == chosen]
    rows = {(str(each["scenario"]), str(each["population"])): each for each in own.to_dict("records")}
    label, unit = numbers.outcome(chosen, "probability", pathway)
    populations = list(dict.fromkeys(own["population"]))
    lines = [
        row(text(numbers.population(name, pathway)), *(_estimate(rows.get((s.name, name))) for s in scenarios))
        for name in populations
    ]
    head = ["", *(scenario.name for scenario in scenarios)]
    return folded(
        f"{label} in every group and level of an attribute",
        table(head, lines, kind="numbers", caption=f"{label} after {clock}, {unit}"),
    )


def _policy_table(
    outcomes: pd.DataFrame, first: Scenario, ends: Sequence[Scenario], clock: str, horizon: float
) -> str:
    own = outcomes[(outcomes["population"] == "all") & (outcomes["clock"] == clock)]
    rows: Rows = {(str(each["scenario"]), str(each["outcome"])): each for each in own.to_dict("records")}
    # The answer tells the break-even; its own outcomes are in the files.
    ends = [each for each in ends if each.marginal_benefit != BREAK_EVEN]
    names = [first.name, *(each.name for each in ends)]
    told = list(dict.fromkeys(name for scenario, name in rows if scenario in names))
    head = ["", first.name]
    for each in ends:
        head += [each.name, "difference"]
    lines = [_line(name, rows, names, first.pathway) for name in told]
    shown = table(head, lines, kind="numbers", caption=f"All patients, from {clock}{until(first.pathway, horizon)}")
    if numbers.NONE in shown:
        shown += paragraph(f"{numbers.NONE} not reached within the horizon", class_="note")
    return shown


def _line(name: str, rows: Rows, names: Sequence[str], pathway: Pathway) -> str:
    found = [rows.get((scenario, name)) for scenario in names]
    known = [each for each in found if each is not None]
    unit = str(known[0]["unit"])
    label, shown = numbers.outcome(name, unit, pathway)
    cells = [_estimate(found[0])]
    for each in found[1:]:
        cells += [_estimate(each), _difference(each)]
    return row(f"{text(label)} {span(shown, 'unit')}", *cells)


def _estimate(found: Row | None) -> str:
    return "" if found is None else _shown(found, "estimate", "lower", "upper")


def _difference(found: Row | None) -> str:
    if found is None or math.isnan(found["difference"]):
        return ""
    return _shown(found, "difference", "difference_lower", "difference_upper", sign="+")


def _shown(found: Row, *names: str, sign: str = "") -> str:
    unit = str(found["unit"])
    value, lower, upper = (found[name] for name in names)
    return _cell(numbers.number(value, unit, sign=sign), numbers.interval(lower, upper, unit, value))


def _cell(estimate: str, interval: str) -> str:
    return tag("b", text(estimate)) + (f" {span(f'({interval})', 'interval')}" if interval else "")
