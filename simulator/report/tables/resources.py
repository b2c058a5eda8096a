"""The use of every resource, and OS by the year of arrival."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from simulator.experiment.results import Results
from simulator.outcomes.labels import until
from simulator.outcomes.resource_use import LATE, in_order, label
from simulator.pathway.outcome_months import alive_at, in_words
from simulator.plain_text import capital
from simulator.report.tables import groups, options
from simulator.scenario.scenario import Scenario
from simulator.wording import centre, intervals, resources, rounding
from simulator.wording.headline import benefit_in_words, policies, scenario_in_words
from simulator.wording.intervals import Row
from simulator.wording.table import Content, Line, Part, Reading, Table, comparison


def use(results: Results) -> Iterator[Part]:
    """Yield what the figures mean, a table a resource, one of unlimited resources, and OS by the year of arrival."""
    if results.service is None:
        return
    limited = [scenario for scenario in results.scenarios if scenario.is_limited]
    names = list(dict.fromkeys(name for scenario in limited for name in scenario.capacity))
    pathway = results.scenarios[0].pathway
    yield from _of_a_year(results)
    yield resources.explanation(results.manifest, limited, names, by_month=results.queue is not None)
    if names:
        yield resources.caution(pathway)
    for resource in names:
        yield _limited(results, resource)
        yield from groups.of_resource(results, resource)
    yield from _unlimited(results)
    yield from _by_arrival_year(results, limited)


def _of_a_year(results: Results) -> Iterator[Table]:
    """Yield the table of a centre's year: survivors, what its patients take, and units in use."""
    lines = centre.lines(results)
    scenarios = [scenario for scenario in results.scenarios if scenario.service is not None]
    if not lines:
        return
    a_year = {one.name: rounding.number(centre.arrivals(one), centre.UNIT) for one in options.leading(scenarios)}
    patients, notes = scenarios[0].pathway.patients, []
    if len(set(a_year.values())) > 1:
        notes = [f"{capital(patients)} a year: {', '.join(f'{count} under {name}' for name, count in a_year.items())}."]
    number = "" if notes else f"{next(iter(a_year.values()))} "
    caption = f"A year of the centre: {number}{patients}{until(scenarios[0].pathway, results.manifest['horizon'])}"
    caption += intervals.over_draws(results.manifest["draws"])
    if options.are_several(scenarios):
        labels = [label for label, *_ in lines]
        yield options.side_by_side(lines, scenarios, intervals.estimate, compared=labels, caption=caption, notes=notes)
        return
    headings = {name: scenario_in_words(name) for name in a_year}
    readings = _readings(lines, scenarios, headings, intervals.estimate)
    yield comparison(lines, readings, caption=caption, notes=notes)


def _limited(results: Results, resource: str) -> Table:
    """Return the use of a resource, a column a scenario that limits it, with notes on stability and precision."""
    assert results.service is not None
    scenarios = [scenario for scenario in results.scenarios if resource in scenario.capacity]
    rows = {s.name: resources.rows_of(results.service, s.name, resource) for s in scenarios}
    days = resources.in_days(row for table in rows.values() for row in table.values())
    lines: list[Line] = []
    for outcome in in_order(name for table in rows.values() for name in table):
        of_outcome = {name: table[outcome] for name, table in rows.items() if outcome in table}
        if outcome == resources.FOR_EVER and not any(row["estimate"] > 0.0 for row in of_outcome.values()):
            continue
        by_name = {name: resources.displayed(row, days=days) for name, row in of_outcome.items()}
        unit = next((str(row["unit"]) for row in by_name.values()), "")
        words = label(outcome)
        lines += [(words, "" if words.endswith(unit) else unit, by_name)] if by_name else []
    leading = [policy[0] for policy in policies(scenarios)]
    headings = {s.name: resources.name_with_units(s, resource) for s in leading}
    several, notes = options.are_several(scenarios), []
    for scenario in leading:
        stable = resources.stability(rows[scenario.name], results.manifest, scenario, resource)
        precise = resources.precision(rows[scenario.name], scenario, results.manifest["replications"], briefly=several)
        name = f"{scenario.name}: " if len(leading) > 1 else ""
        notes.append(f"{name}{f'{stable} {precise}'.strip()}")
    caption = f"{results.scenarios[0].pathway.resources[resource].label}; {resources.WHOLE_STAYS}"
    if several:
        lost = [label(outcome) for outcome in ("lost_while_waiting", *filter(LATE.fullmatch, rows[scenarios[0].name]))]
        return options.side_by_side(
            lines, scenarios, intervals.estimate, compared=lost, caption=caption, notes=notes, headings=headings
        )
    return comparison(lines, _readings(lines, scenarios, headings), caption=caption, notes=notes)


def _unlimited(results: Results) -> Iterator[Table]:
    """Yield the starts a year of resources that are not limited; none if all are."""
    assert results.service is not None
    starts = {s.name: resources.unlimited_starts(results.service, s) for s in results.scenarios}
    scenarios = [scenario for scenario in results.scenarios if starts[scenario.name]]
    lines: list[Line] = [
        (resources.starts_label(scenarios[0], resource), "", {s.name: starts[s.name].get(resource) for s in scenarios})
        for resource in dict.fromkeys(resource for rows in starts.values() for resource in rows)
    ]
    if lines:
        caption = "Not limited"
        if options.are_several(scenarios):
            yield options.side_by_side(lines, scenarios, intervals.estimate, compared=(), caption=caption)
            return
        headings = {policy[0].name: scenario_in_words(policy[0].name) for policy in policies(scenarios)}
        yield comparison(lines, _readings(lines, scenarios, headings), caption=caption)


def _readings(
    lines: Sequence[Line],
    scenarios: Sequence[Scenario],
    headings: dict[str, str],
    read: Callable[[Any], Content] | None = None,
) -> list[Reading]:
    """Return a column a scenario, and its difference from the first.

    headings : of a policy's first scenario; read : of an estimate, default with its Monte Carlo error
    """
    readings: list[Reading] = []
    for scenario in scenarios:
        name = scenario.name
        readings.append((headings.get(name, benefit_in_words(name)), name, read or _figure))
        rows = (by_name.get(name) for *_, by_name in lines)
        if name in headings and any(row is not None and math.isfinite(row["difference"]) for row in rows):
            readings.append(("difference", name, _difference))
    return readings


def _figure(row: Row | None) -> Content:
    return "limited" if row is None else intervals.with_error(row)


def _difference(row: Row | None) -> Content:
    return "" if row is None else intervals.difference(row)


def _by_arrival_year(results: Results, limited: Sequence[Scenario]) -> Iterator[Table]:
    """Yield the table of OS by year of arrival; none without [service]."""
    assert results.service is not None
    years = results.service[results.service["arrival_year"] != ""]
    scenarios = [scenario for scenario in limited if scenario.name in set(years["scenario"])]
    if not scenarios:
        return
    scenarios = options.leading(scenarios) if options.are_several(scenarios) else scenarios
    months, alone = scenarios[0].pathway.months, len(scenarios) == 1
    lines: list[Line] = []
    for year, rows in years.groupby("arrival_year"):
        records = [resources.displayed(row, days=False) for row in rows.to_dict("records")]
        cells = {(row["scenario"], row["outcome"]): row for row in records}
        arrivals = (f"{intervals.estimate(row).value} arrivals" for row in records if row["outcome"] == "arrivals")
        lines.append((f"year {year}", next(arrivals, ""), cells))
    columns = [month for month in months.survival if month <= months.early] if alone else [months.answer]
    readings: list[Reading] = [
        (in_words(month) if alone else scenario_in_words(s.name), (s.name, alive_at(month)), intervals.with_error)
        for s in scenarios
        for month in columns
    ]
    when = "" if alone else f"{in_words(months.answer)} "
    caption = f"Alive {when}after {scenarios[0].pathway.clock}, by the year of arrival, %"
    yield comparison(lines, readings, caption=caption)
