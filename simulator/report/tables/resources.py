"""What each limited resource did under every scenario, and OS by the year of arrival."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from simulator.experiment.results import Results
from simulator.outcomes.resource_use import LABELS
from simulator.pathway.outcome_months import alive_at, in_words
from simulator.report.elements import paragraph, row, span, table, tag, text
from simulator.scenario.scenario import Scenario
from simulator.wording import numbers as wording
from simulator.wording import resources as resource_words
from simulator.wording import rounding
from simulator.wording.headline import policies
from simulator.wording.intervals import Row
from simulator.wording.resources import STARTS, Figure


def tables(results: Results) -> list[str]:
    """Return the section's inside, as HTML; empty where nothing is limited."""
    if results.service is None:
        return []
    told = results.manifest
    limited = [scenario for scenario in results.scenarios if scenario.is_limited]
    resources = dict.fromkeys(name for each in limited for name in each.capacity)
    by_month = "" if results.queue is None else " and, by month, in queue.csv"
    whole = f"All of it, with differences, is in service.csv{by_month}."
    lost = resource_words.lost_while_waiting(results.scenarios[0].pathway, resources)
    inside = [paragraph(f"{_said(told['draws'], told['replications'], lost)}{whole}")]
    if resources:
        inside.append(paragraph(resource_words.caution(results.scenarios[0].pathway)))
    inside += [_resource(results, name) for name in resources]
    inside += _never_short(results)
    inside += _by_arrival_year(results.service, limited)
    return inside


def _said(draws: int, replications: int, lost: str) -> str:
    said = (
        "What is asked for and what starts is counted in the calendar months after the warm-up; waits are those of "
        f"requests that were granted, shares over 30 days and lost those of all requests. {lost}"
    )
    if draws > 1 and replications > 1:
        said += (
            f"In brackets, 95 % intervals over {draws} draws of the parameters, without the share that chance has in "
            "them (none: the draws cannot be told from chance); ±, the Monte Carlo standard error of "
            f"{replications} replications of each draw. "
        )
    return said


def _resource(results: Results, resource: str) -> str:
    """Return a resource's table, a column a scenario that limits it, and how many replications it takes."""
    assert results.service is not None
    own = [scenario for scenario in results.scenarios if resource in scenario.capacity]
    rows = {each.name: resource_words.rows_of(results.service, each.name, resource) for each in own}
    days = resource_words.in_days(found for table in rows.values() for found in table.values())
    lines = []
    for outcome, label in LABELS.items():
        figures = [
            resource_words.figure(rows[each.name][outcome], days=days) for each in own if outcome in rows[each.name]
        ]
        if len(figures) == len(own):
            unit = "" if label.endswith(figures[0].unit) else figures[0].unit
            lines.append(row(f"{text(_capital(label))} {span(unit, 'unit')}", *map(_cell, figures)))
    head = ["", *(f"{each.name}: {resource_words.units(each, resource)}" for each in own)]
    label = results.scenarios[0].pathway.resources[resource].label
    shown = table(head, lines, kind="numbers", caption=f"{label}; {resource_words.WHOLE_STAYS}")
    told = [ends[0] for ends in policies(own)]
    said = [
        f"{stable} {precision}".strip()
        for each in told
        for stable in [resource_words.stability(rows[each.name], results.manifest, each, resource)]
        for precision in [resource_words.precision(rows[each.name], each, results.manifest["replications"])]
    ]
    notes = [f"{each.name}: {words}" if len(told) > 1 else words for each, words in zip(told, said, strict=True)]
    return shown + "".join(paragraph(note, class_="note") for note in notes)


def _never_short(results: Results) -> list[str]:
    """Return the table of what is begun a year of resources that are not limited, a column a scenario."""
    assert results.service is not None
    own = {scenario.name: resource_words.unlimited(results.service, scenario) for scenario in results.scenarios}
    told = [scenario for scenario in results.scenarios if own[scenario.name]]
    resources = dict.fromkeys(name for each in told for name in own[each.name])
    lines = []
    for resource in resources:
        cells = []
        for each in told:
            rows = resource_words.rows_of(results.service, each.name, resource) if resource in own[each.name] else {}
            cells.append(_cell(resource_words.figure(rows[STARTS], days=False)) if rows else text("limited"))
        lines.append(row(text(_capital(resource_words.starts_label(told[0], resource))), *cells))
    head = ["", *(each.name for each in told)]
    return [table(head, lines, kind="numbers", caption="Never short: not limited")] if lines else []


def _cell(told: Figure) -> str:
    if not math.isfinite(told.estimate):
        return text(wording.NONE)
    interval = ""
    if told.ends is not None:
        interval = f" {span(f'({told.ends[0]} to {told.ends[1]})', 'interval')}"
    error = f" {span(f'± {told.error_text}', 'interval')}" if told.error_text else ""
    return tag("b", text(rounding.number(told.estimate, told.unit))) + interval + error


def _by_arrival_year(service: pd.DataFrame, limited: Sequence[Scenario]) -> list[str]:
    """Return the table of OS by year of arrival; nothing without [service]."""
    years = service[service["arrival_year"] != ""]
    found: Mapping[tuple[str, int, str], Row] = {
        (str(each["scenario"]), int(each["arrival_year"]), str(each["outcome"])): each
        for each in years.to_dict("records")
    }
    told = [each for each in limited if any(name == each.name for name, _, _ in found)]
    if not told:
        return []
    read_at = told[0].pathway.months
    months = [each for each in read_at.survival if each <= read_at.early] if len(told) == 1 else [read_at.answer]
    numbers = sorted({year for _, year, _ in found})
    lines = [
        row(
            f"{text(f'Year {year}')} {span(_arrivals(found, told, year), 'unit')}",
            *(_of_year(found, each.name, year, alive_at(month)) for each in told for month in months),
        )
        for year in numbers
    ]
    if len(told) == 1:
        head, when = ["", *(in_words(month) for month in months)], ""
    else:
        head, when = ["", *(each.name for each in told)], f"{in_words(months[0])} "
    caption = f"Alive {when}after {told[0].pathway.clock}, by the year of arrival, %"
    return [table(head, lines, kind="numbers", caption=caption)]


def _arrivals(found: Mapping[tuple[str, int, str], Row], told: Sequence[Scenario], year: int) -> str:
    mean = next((found[each.name, year, "arrivals"] for each in told if (each.name, year, "arrivals") in found), None)
    return "" if mean is None else f"{float(mean['estimate']):.3g} arrivals"


def _of_year(found: Mapping[tuple[str, int, str], Row], scenario: str, year: int, outcome: str) -> str:
    told = found.get((scenario, year, outcome))
    return "" if told is None else _cell(resource_words.figure(told, days=False))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
