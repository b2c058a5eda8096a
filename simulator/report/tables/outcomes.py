"""The outcomes as tables: each policy next to the first scenario, by clock and by group."""

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
    by_policy: dict[str, list[Scenario]] = {}
    for scenario in scenarios[1:]:
        stem = split_name(scenario.name)[0]
        by_policy.setdefault(stem if stem in names[1:] else scenario.name, []).append(scenario)
    return list(by_policy.values())


def of_all(outcomes: pd.DataFrame, scenarios: Sequence[Scenario], clocks: Sequence[str], horizon: float) -> str:
    """Return the tables of all patients: the first clock's, and the others' folded."""
    first, *others = clocks
    every = policies(scenarios) or [[]]
    content = "".join(_policy_table(outcomes, scenarios[0], ends, first, horizon) for ends in every)
    for clock in others:
        inside = (_policy_table(outcomes, scenarios[0], ends, clock, horizon) for ends in every)
        content += folded(f"The same outcomes, in months from {clock}", *inside)
    return content


def by_group(outcomes: pd.DataFrame, scenarios: Sequence[Scenario], clock: str) -> str:
    """Return the table of one survival outcome of every group and level; empty if there are none."""
    pathway = scenarios[0].pathway
    groups = outcomes[(outcomes["clock"] == clock) & (outcomes["population"] != "all")]
    chosen = next((name for name in names(pathway.months.in_order) if (groups["outcome"] == name).any()), None)
    if chosen is None:
        return ""
    records = groups[groups["outcome"] == chosen].to_dict("records")
    rows: Rows = {(str(record["scenario"]), str(record["population"])): record for record in records}
    label, unit = numbers.outcome(chosen, "probability", pathway)
    lines = [
        row(text(numbers.population(name, pathway)), *(_estimate(rows.get((s.name, name))) for s in scenarios))
        for name in dict.fromkeys(population for _, population in rows)
    ]
    head = ["", *(scenario.name for scenario in scenarios)]
    return folded(
        f"{label} by group and patient attribute",
        table(head, lines, kind="numbers", caption=f"{label} after {clock}, {unit}"),
    )


def _policy_table(
    outcomes: pd.DataFrame, first: Scenario, ends: Sequence[Scenario], clock: str, horizon: float
) -> str:
    records = outcomes[(outcomes["population"] == "all") & (outcomes["clock"] == clock)].to_dict("records")
    rows: Rows = {(str(record["scenario"]), str(record["outcome"])): record for record in records}
    # The break-even share stands in the answer; its outcomes are in the files.
    ends = [scenario for scenario in ends if scenario.marginal_benefit != BREAK_EVEN]
    names = [first.name, *(scenario.name for scenario in ends)]
    head = ["", first.name]
    for scenario in ends:
        head += [scenario.name, "difference"]
    displayed = dict.fromkeys(outcome for scenario, outcome in rows if scenario in names)
    lines = [_line(outcome, rows, names, first.pathway) for outcome in displayed]
    content = table(head, lines, kind="numbers", caption=f"All patients, from {clock}{until(first.pathway, horizon)}")
    if numbers.NONE in content:
        content += paragraph(f"{numbers.NONE} not reached within the horizon", class_="note")
    return content


def _line(name: str, rows: Rows, names: Sequence[str], pathway: Pathway) -> str:
    first, *others = (rows.get((scenario, name)) for scenario in names)
    known = next(record for record in (first, *others) if record is not None)
    label, unit = numbers.outcome(name, str(known["unit"]), pathway)
    cells = [_estimate(first)]
    for other in others:
        cells += [_estimate(other), _difference(other)]
    return row(f"{text(label)} {span(unit, 'unit')}", *cells)


def _estimate(row: Row | None) -> str:
    return "" if row is None else _number(row, "estimate", "lower", "upper")


def _difference(row: Row | None) -> str:
    if row is None or math.isnan(row["difference"]):
        return ""
    return _number(row, "difference", "difference_lower", "difference_upper", sign="+")


def _number(row: Row, *columns: str, sign: str = "") -> str:
    unit = str(row["unit"])
    value, lower, upper = (row[column] for column in columns)
    interval = numbers.interval(lower, upper, unit, value)
    estimate = tag("b", text(numbers.number(value, unit, sign=sign)))
    return f"{estimate} {span(f'({interval})', 'interval')}" if interval else estimate
