"""Who waits for a resource and who is lost while waiting: by state, attribute and priority class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulator.experiment.results import Results
from simulator.outcomes.labels import population_in_words
from simulator.outcomes.resource_use import LATE
from simulator.outcomes.waits_by_group import PRIORITY, REST
from simulator.report.tables import options
from simulator.scenario.capacity import STATE
from simulator.scenario.scenario import Scenario
from simulator.wording import intervals, resources
from simulator.wording.headline import scenario_in_words
from simulator.wording.intervals import Estimate
from simulator.wording.intervals import Row as Record
from simulator.wording.table import Line, Reading, Table, comparison

REQUESTS, LOST, LOST_A_YEAR = "requests_per_year", "lost_while_waiting", "lost_per_year"
NOTE = "More outcomes of these groups are in waits_by_group.csv."


def of_resource(results: Results, resource: str) -> Iterator[Table]:
    """Yield the table of one option's groups; of several, those of losses and of waits, with a column an option.

    None of runs of earlier versions.
    """
    table = results.waits_by_group
    scenarios = [one for one in options.leading(results.scenarios) if resource in one.capacity]
    if table is None or not scenarios:
        return
    rows = table[(table["resource"] == resource) & table["scenario"].isin([one.name for one in scenarios])]
    records, label = rows.to_dict("records"), scenarios[0].pathway.resources[resource].label
    late = {name: _over(name) for name in dict.fromkeys(rows["outcome"]) if LATE.fullmatch(name)}
    if len(scenarios) == 1:
        headings = {REQUESTS: "requests a year", **{name: f"{words}, %" for name, words in late.items()}}
        headings |= {LOST: "lost while waiting, %", LOST_A_YEAR: "lost a year"}
        readings: list[Reading] = [(words, name, _figure) for name, words in headings.items()]
        caption = f"Who waits for {label}, and who is lost while waiting"
        yield comparison(_lines(records, scenarios, "outcome", resource), readings, caption=caption, notes=[NOTE])
        return
    readings = [(scenario_in_words(one.name), one.name, _figure) for one in scenarios]
    captions = {LOST: f"Who is lost while waiting for {label}, % of requests"}
    captions |= {name: f"Who waits {words} for {label}, % of requests" for name, words in late.items()}
    for name, caption in captions.items():
        lines = _lines([row for row in records if row["outcome"] == name], scenarios, "scenario", resource)
        yield comparison(lines, readings, caption=caption, notes=[NOTE] * (name == LOST))


def _figure(row: Record) -> Estimate:
    return intervals.with_error(resources.displayed(row, days=False))


def _over(outcome: str) -> str:
    """Return "over 30 days"."""
    return f"over {outcome.split('_')[2]} days"


def _lines(records: Sequence[Record], scenarios: Sequence[Scenario], key: str, resource: str) -> list[Line]:
    """Return a line a group. key : what its cells are by, outcomes or scenarios"""
    groups: dict[tuple[str, str], dict[str, Record]] = {}
    for row in records:
        groups.setdefault((row["by"], row["level"]), {})[row[key]] = row
    return [(_label(*group, scenarios, resource), "", cells) for group, cells in groups.items()]


def _label(by: str, level: str, scenarios: Sequence[Scenario], resource: str) -> str:
    """Return a group in words: "awaiting surgery", "positive", "class 1: positive"."""
    pathway = scenarios[0].pathway
    if by == STATE:
        return pathway.states[level].label
    if by != PRIORITY:
        return population_in_words(f"{by}={level}", pathway)
    if level == REST:
        return "last class: all others"
    ranks = (one.capacity[resource].ranks for one in scenarios)
    by, order = next(one for one in ranks if one is not None and level in one[1])
    return f"class {order.index(level) + 1}: {_label(by, level, scenarios, resource)}"
