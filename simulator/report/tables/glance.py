"""The options of a run at a glance, a row an option; and what each of them takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from simulator.evidence.cohort import Cohort
from simulator.experiment.results import Results
from simulator.outcomes.labels import until, with_unit, words_and_unit
from simulator.outcomes.resource_use import label
from simulator.pathway.outcome_months import alive_at
from simulator.plain_text import capital
from simulator.report.tables.options import side_by_side
from simulator.report.tables.outcomes import by_scenario
from simulator.scenario.scenario import COHORTS, Scenario
from simulator.wording import changes, intervals, resources
from simulator.wording.headline import CAUTIOUS, CAUTIOUS_NOTE, policies
from simulator.wording.intervals import Estimate, Row
from simulator.wording.paper import in_title
from simulator.wording.table import Cell, Content, Line, Table, columns
from simulator.wording.table import Row as Shown

MOST_TAKEN = 4
"""Columns of what an option takes: more do not fit on a sheet."""
MOST_ON_A_SHEET = 6
"""Options that a sheet has room for; rows of more have a style of their own."""
LATE = "wait_over_30_days"

_Heading = tuple[str, dict[str, Content]]
"""A column of the options: its heading, and option -> cell."""


def at_a_glance(results: Results, clock: str, cohort: Cohort | None) -> Table:
    """Return what each option changes, how many are alive, and what it takes: waits, then counts."""
    options = policies(results.scenarios)
    first = options[0][0]
    headings = [*_survival(results, options, clock), *[*_waits(results), *_counts(results, clock)][:MOST_TAKEN]]
    rows = []
    for place, (option, *_) in enumerate(options):
        changed = changes.of(option, first if place else None, cohort) or (["no change"] if place else [])
        name, what = (option.name if option.title else ""), "; ".join(changed)
        lines = [("title", in_title(option)), ("unit", name), ("option", what)]
        cells = [by_option.get(option.name, "") for _, by_option in headings]
        rows.append(
            Shown(Cell(notes=[line for line in lines if line[1]]), cells, style="more" * (place >= MOST_ON_A_SHEET))
        )
    draws = results.manifest["draws"]
    notes = [
        f"Below a name: {f'what changes from {first.name}' if len(options) > 1 else 'what the option changes'}.",
        changes.AT_MEANS,
        f"In brackets: 95 % intervals over {intervals.sets(draws)}." if draws > 1 else intervals.unseen(draws),
        f"The printed summary has the first {MOST_ON_A_SHEET} options." if len(options) > MOST_ON_A_SHEET else "",
        f"{CAUTIOUS_NOTE.partition('. ')[0]}." if any(heading == CAUTIOUS for heading, _ in headings) else "",
    ]
    names = ["Option", *(capital(heading) for heading, _ in headings)]
    return Table(columns(*names), rows, notes=[" ".join(filter(None, notes))])


def takes(results: Results, clock: str) -> Table | None:
    """Return what is counted under every option, with its difference from the first; None where nothing is."""
    pathway = results.scenarios[0].pathway
    rows = {outcome: by_scenario(rows) for outcome, rows in _rows(results, clock).groupby("outcome", sort=False)}
    lines: list[Line] = [(*words_and_unit(name, pathway), rows[name]) for name in pathway.counts if name in rows]
    caption = f"All patients{until(pathway, results.manifest['horizon'])}"
    compared = {label for label, *_ in lines}
    made = side_by_side(lines, results.scenarios, intervals.estimate, compared=compared, caption=caption)
    return made if lines else None


def _rows(results: Results, clock: str) -> pd.DataFrame:
    outcomes = results.outcomes
    return outcomes[(outcomes["population"] == "all") & (outcomes["clock"] == clock)]


def _survival(results: Results, options: Sequence[Sequence[Scenario]], clock: str) -> list[_Heading]:
    """Return how many are alive at the answer's month, and the differences of options and of cautious estimates."""
    rows, pathway = _rows(results, clock), results.scenarios[0].pathway
    known = {(row["scenario"], row["outcome"]): row for row in rows[rows["estimate"].notna()].to_dict("records")}
    names = [option[0].name for option in options]
    by_month = [[(name, alive_at(month)) for name in names] for month in pathway.months.in_order]
    keys = max(by_month, key=lambda keys: sum(key in known for key in keys))
    displayed = [(name, known[name, outcome]) for name, outcome in keys if (name, outcome) in known]
    if not displayed:
        return []
    outcome = keys[0][1]
    cautious: dict[str, Content] = {
        name: intervals.difference(known[other.name, outcome])
        for name, option in zip(names, options, strict=True)
        for other in option[1:]
        if other.marginal_benefit == COHORTS and (other.name, outcome) in known
    }
    headings: list[_Heading] = [
        (with_unit(*words_and_unit(outcome, pathway)), {name: intervals.estimate(row) for name, row in displayed}),
        ("difference", {name: intervals.difference(row) for name, row in displayed}),
        (CAUTIOUS, cautious),
    ]
    return [heading for heading in headings if any(heading[1].values())]


def _waits(results: Results) -> list[_Heading]:
    """Return how many of the requests for each limited resource wait for long."""
    headings = []
    for name in dict.fromkeys(name for scenario in results.scenarios for name in scenario.capacity):
        assert results.service is not None
        rows = {one.name: resources.rows_of(results.service, one.name, name).get(LATE) for one in results.scenarios}
        cells: dict[str, Content] = {option: intervals.estimate(row) for option, row in rows.items() if row is not None}
        heading = f"{results.scenarios[0].pathway.resources[name].label}: {label(LATE)}, %"
        headings.append((heading, cells))
    return headings


def _counts(results: Results, clock: str) -> list[_Heading]:
    """Return what is counted under each option, without intervals: `takes` has them."""
    pathway = results.scenarios[0].pathway
    headings = []
    for outcome, rows in _rows(results, clock).groupby("outcome", sort=False):
        if outcome in pathway.counts:
            cells: dict[str, Content] = {name: _alone(row) for name, row in by_scenario(rows).items()}
            headings.append((with_unit(*words_and_unit(str(outcome), pathway)), cells))
    return headings


def _alone(row: Row) -> Estimate:
    return replace(intervals.estimate(row), ends=None)
