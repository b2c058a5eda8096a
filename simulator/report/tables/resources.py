"""The use of every resource, by policy or by resource, and OS by the year of arrival."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from simulator.experiment.results import Results
from simulator.outcomes.resource_use import LABELS
from simulator.pathway.outcome_months import alive_at, in_words
from simulator.report.table import Content, Line, Part, Reading, Table, comparison
from simulator.scenario.scenario import Scenario
from simulator.wording import intervals, resources
from simulator.wording.headline import benefit_in_words, policies, scenario_in_words
from simulator.wording.intervals import Row


def by_policy(results: Results) -> Iterator[Part]:
    """Yield a table a policy and resource: its use, the difference from the first scenario, and at other benefits."""
    if results.service is None:
        return
    for scenarios in policies(results.scenarios):
        policy = scenarios[0]
        for resource in policy.capacity:
            caption = f"{policy.name}, {resources.units(policy, resource)}; {resources.WHOLE_STAYS}"
            notes = _notes(results, policy, resource)
            yield _of_policy(results, scenarios, _use(results, resource, scenarios), caption, notes)
        if starts := _starts(results, scenarios):
            yield _of_policy(results, scenarios, starts, f"{policy.name}, not limited", [])
    if any(scenario.capacity for scenario in results.scenarios):
        yield resources.caution(results.scenarios[0].pathway)


def by_resource(results: Results) -> Iterator[Part]:
    """Yield a table a resource, a column a scenario; then unlimited resources, and OS by the year of arrival."""
    if results.service is None:
        return
    limited = [scenario for scenario in results.scenarios if scenario.is_limited]
    names = list(dict.fromkeys(name for scenario in limited for name in scenario.capacity))
    pathway = results.scenarios[0].pathway
    yield resources.explanation(results.manifest, pathway, names, by_month=results.queue is not None)
    if names:
        yield resources.caution(pathway)
    for resource in names:
        scenarios = [scenario for scenario in results.scenarios if resource in scenario.capacity]
        leading = [policy[0] for policy in policies(scenarios)]
        notes = [
            f"{scenario.name}: " * (len(leading) > 1) + " ".join(_notes(results, scenario, resource))
            for scenario in leading
        ]
        headings = [f"{scenario_in_words(s.name)}: {resources.units(s, resource)}" for s in scenarios]
        caption = f"{pathway.resources[resource].label}; {resources.WHOLE_STAYS}"
        yield _of_scenarios(_use(results, resource, scenarios), headings, scenarios, caption, notes)
    if starts := _starts(results, results.scenarios):
        scenarios = [s for s in results.scenarios if any(s.name in by_name for *_, by_name in starts)]
        yield _of_scenarios(starts, [scenario_in_words(s.name) for s in scenarios], scenarios, "Not limited", [])
    yield from _by_arrival_year(results, limited)


def _use(results: Results, resource: str, scenarios: Sequence[Scenario]) -> list[Line]:
    """Return the outcomes of a resource, in displayed units."""
    assert results.service is not None
    rows = {s.name: resources.rows_of(results.service, s.name, resource) for s in scenarios}
    days = resources.in_days(row for table in rows.values() for row in table.values())
    lines: list[Line] = []
    for outcome, label in LABELS.items():
        of_outcome = {name: table[outcome] for name, table in rows.items() if outcome in table}
        by_name = {name: resources.displayed(row, days=days) for name, row in of_outcome.items()}
        unit = next((str(row["unit"]) for row in by_name.values()), "")
        lines += [(label, "" if label.endswith(unit) else unit, by_name)] if by_name else []
    return lines


def _starts(results: Results, scenarios: Sequence[Scenario]) -> list[Line]:
    """Return the starts of every resource that a scenario does not limit."""
    assert results.service is not None
    rows = {s.name: resources.unlimited_starts(results.service, s) for s in scenarios}
    names = dict.fromkeys(resource for table in rows.values() for resource in table)
    return [
        (resources.starts_label(scenarios[0], name), "", {s: table[name] for s, table in rows.items() if name in table})
        for name in names
    ]


def _notes(results: Results, scenario: Scenario, resource: str) -> list[str]:
    assert results.service is not None
    rows = resources.rows_of(results.service, scenario.name, resource)
    stable = resources.stability(rows, results.manifest, scenario, resource)
    precise = resources.precision(rows, scenario, results.manifest["replications"])
    return [note for note in (stable, precise) if note]


def _of_policy(
    results: Results, scenarios: Sequence[Scenario], lines: Sequence[Line], caption: str, notes: Sequence[str]
) -> Table:
    policy, *ends = (scenario.name for scenario in scenarios)
    rows = [by_name[policy] for *_, by_name in lines if policy in by_name]
    readings: list[Reading] = [("estimate", policy, intervals.estimate)]
    if any(math.isfinite(row["monte_carlo_se"]) for row in rows):
        readings.append(("\N{PLUS-MINUS SIGN}", policy, intervals.error))
    if any(math.isfinite(row["difference"]) for row in rows):
        readings.append((f"difference from {results.scenarios[0].name}", policy, intervals.difference))
    readings += [(benefit_in_words(name), name, intervals.estimate_alone) for name in ends]
    return comparison(lines, readings, caption=caption + resources.uncertainty(results.manifest), notes=notes)


def _of_scenarios(
    lines: Sequence[Line], headings: Sequence[str], scenarios: Sequence[Scenario], caption: str, notes: Sequence[str]
) -> Table:
    names = [scenario.name for scenario in scenarios]
    filled = [(label, unit, {name: by_name.get(name) for name in names}) for label, unit, by_name in lines]
    readings = [(heading, name, _or_limited) for heading, name in zip(headings, names, strict=True)]
    return comparison(filled, readings, caption=caption, notes=notes)


def _or_limited(row: Row | None) -> Content:
    return "limited" if row is None else intervals.with_error(row)


def _by_arrival_year(results: Results, limited: Sequence[Scenario]) -> Iterator[Table]:
    """Yield the table of OS by year of arrival; none without [service]."""
    assert results.service is not None
    years = results.service[results.service["arrival_year"] != ""]
    scenarios = [scenario for scenario in limited if scenario.name in set(years["scenario"])]
    if not scenarios:
        return
    months, alone = scenarios[0].pathway.months, len(scenarios) == 1
    lines: list[Line] = []
    for year, rows in years.groupby("arrival_year"):
        records = [resources.displayed(row, days=False) for row in rows.to_dict("records")]
        cells = {(row["scenario"], row["outcome"]): row for row in records}
        arrivals = next((row["estimate"] for (_, outcome), row in cells.items() if outcome == "arrivals"), None)
        lines.append((f"year {year}", "" if arrivals is None else f"{arrivals:.3g} arrivals", cells))
    columns = [month for month in months.survival if month <= months.early] if alone else [months.answer]
    readings: list[Reading] = [
        (in_words(month) if alone else scenario_in_words(s.name), (s.name, alive_at(month)), intervals.with_error)
        for s in scenarios
        for month in columns
    ]
    when = "" if alone else f"{in_words(months.answer)} "
    yield comparison(
        lines, readings, caption=f"Alive {when}after {scenarios[0].pathway.clock}, by the year of arrival, %"
    )
