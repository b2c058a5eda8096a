"""The use of every resource under every scenario, and OS by the year of arrival, on the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from simulator.experiment.results import Results
from simulator.outcomes.resource_use import LABELS
from simulator.pathway.outcome_months import alive_at, in_words
from simulator.report.elements import paragraph, row, span, table, tag, text
from simulator.scenario.scenario import Scenario
from simulator.wording import resources as resource_words
from simulator.wording import rounding
from simulator.wording.headline import policies
from simulator.wording.intervals import Row
from simulator.wording.numbers import NONE, capital
from simulator.wording.resources import Figure

_YearRows = Mapping[tuple[str, int, str], Row]
"""Scenario, year of arrival, outcome -> the row."""


def tables(results: Results) -> list[str]:
    """Return the section's content, as HTML; empty where nothing is limited."""
    if results.service is None:
        return []
    manifest = results.manifest
    limited = [scenario for scenario in results.scenarios if scenario.is_limited]
    resources = dict.fromkeys(name for scenario in limited for name in scenario.capacity)
    by_month = "" if results.queue is None else " and, month by month, in queue.csv"
    whole = f"All figures, with differences, are in service.csv{by_month}."
    lost = resource_words.lost_while_waiting(results.scenarios[0].pathway, resources)
    inside = [paragraph(f"{_note(manifest['draws'], manifest['replications'], lost)}{whole}")]
    if resources:
        inside.append(paragraph(resource_words.caution(results.scenarios[0].pathway)))
    inside += [_resource(results, name) for name in resources]
    inside += _unlimited(results)
    inside += _by_arrival_year(results.service, limited)
    return inside


def _note(draws: int, replications: int, lost: str) -> str:
    note = (
        "Requests and starts are counted in the calendar months after the warm-up. Waits are of patients served; "
        f"the shares over 30 days and lost are of all requests. {lost}"
    )
    if replications > 1:
        if draws > 1:
            note += (
                f"Brackets: 95 % intervals over {draws} parameter sets, without simulation noise; none where noise "
                "hides the differences between parameter sets. "
            )
        note += f"±: Monte Carlo standard error, {replications} replications per parameter set. "
    return note


def _resource(results: Results, resource: str) -> str:
    """Return a resource's table, a column a scenario that limits it, with notes on stability and precision."""
    assert results.service is not None
    scenarios = [scenario for scenario in results.scenarios if resource in scenario.capacity]
    rows = {scenario.name: resource_words.rows_of(results.service, scenario.name, resource) for scenario in scenarios}
    days = resource_words.in_days(row for table in rows.values() for row in table.values())
    lines = []
    for outcome, label in LABELS.items():
        figures = [resource_words.figure(table[outcome], days=days) for table in rows.values() if outcome in table]
        if len(figures) == len(scenarios):
            unit = "" if label.endswith(figures[0].unit) else figures[0].unit
            lines.append(row(f"{text(capital(label))} {span(unit, 'unit')}", *map(_cell, figures)))
    head = ["", *(f"{scenario.name}: {resource_words.units(scenario, resource)}" for scenario in scenarios)]
    label = results.scenarios[0].pathway.resources[resource].label
    content = table(head, lines, kind="numbers", caption=f"{label}; {resource_words.WHOLE_STAYS}")
    leading = [policy[0] for policy in policies(scenarios)]
    for scenario in leading:
        stable = resource_words.stability(rows[scenario.name], results.manifest, scenario, resource)
        precise = resource_words.precision(rows[scenario.name], scenario, results.manifest["replications"])
        name = f"{scenario.name}: " if len(leading) > 1 else ""
        content += paragraph(f"{name}{f'{stable} {precise}'.strip()}", class_="note")
    return content


def _unlimited(results: Results) -> list[str]:
    """Return the table of starts a year of resources that are not limited, a column a scenario."""
    assert results.service is not None
    starts = {s.name: resource_words.unlimited_starts(results.service, s) for s in results.scenarios}
    starts = {name: rows for name, rows in starts.items() if rows}
    lines = []
    for resource in dict.fromkeys(resource for rows in starts.values() for resource in rows):
        cells = (
            _cell(resource_words.figure(rows[resource], days=False)) if resource in rows else text("limited")
            for rows in starts.values()
        )
        lines.append(row(text(capital(resource_words.starts_label(results.scenarios[0], resource))), *cells))
    head = ["", *starts]
    return [table(head, lines, kind="numbers", caption="Not limited")] if lines else []


def _cell(figure: Figure) -> str:
    if not math.isfinite(figure.estimate):
        return text(NONE)
    interval = ""
    if figure.ends is not None:
        interval = f" {span(f'({figure.ends[0]} to {figure.ends[1]})', 'interval')}"
    error = f" {span(f'± {figure.error_text}', 'interval')}" if figure.error_text else ""
    return tag("b", text(rounding.number(figure.estimate, figure.unit))) + interval + error


def _by_arrival_year(service: pd.DataFrame, limited: Sequence[Scenario]) -> list[str]:
    """Return the table of OS by year of arrival; empty without [service]."""
    years = service[service["arrival_year"] != ""]
    rows: _YearRows = {
        (str(record["scenario"]), int(record["arrival_year"]), str(record["outcome"])): record
        for record in years.to_dict("records")
    }
    scenarios = [scenario for scenario in limited if any(name == scenario.name for name, _, _ in rows)]
    if not scenarios:
        return []
    declared = scenarios[0].pathway.months
    if len(scenarios) == 1:
        months = [month for month in declared.survival if month <= declared.early]
        head, when = ["", *(in_words(month) for month in months)], ""
    else:
        months = [declared.answer]
        head, when = ["", *(scenario.name for scenario in scenarios)], f"{in_words(declared.answer)} "
    lines = [
        row(
            f"{text(f'Year {year}')} {span(_arrivals(rows, scenarios, year), 'unit')}",
            *(_of_year(rows, scenario.name, year, alive_at(month)) for scenario in scenarios for month in months),
        )
        for year in sorted({year for _, year, _ in rows})
    ]
    caption = f"Alive {when}after {scenarios[0].pathway.clock}, by the year of arrival, %"
    return [table(head, lines, kind="numbers", caption=caption)]


def _arrivals(rows: _YearRows, scenarios: Sequence[Scenario], year: int) -> str:
    keys = ((scenario.name, year, "arrivals") for scenario in scenarios)
    mean = next((rows[key] for key in keys if key in rows), None)
    return "" if mean is None else f"{float(mean['estimate']):.3g} arrivals"


def _of_year(rows: _YearRows, scenario: str, year: int, outcome: str) -> str:
    row = rows.get((scenario, year, outcome))
    return "" if row is None else _cell(resource_words.figure(row, days=False))
