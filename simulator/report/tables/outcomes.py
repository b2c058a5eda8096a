"""The outcomes as tables: each policy next to the first scenario, by clock and by group."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from math import isnan

import pandas as pd

from simulator.experiment.results import Results
from simulator.outcomes.labels import population_in_words, until, with_unit, words_and_unit
from simulator.pathway.outcome_months import alive_at, names
from simulator.plain_text import capital
from simulator.report.tables import options
from simulator.scenario.scenario import BREAK_EVEN, COHORTS, Scenario, split_name
from simulator.wording import headline, intervals, limits
from simulator.wording.headline import CAUTIOUS_NOTE, NEITHER_REACHED, NOT_REACHED, benefit_in_words, scenario_in_words
from simulator.wording.intervals import Estimate, Row
from simulator.wording.table import Cell, Content, Line, Reading, Table, comparison

IN_FULL = (("", intervals.estimate), ("difference", intervals.difference))
IN_BRIEF = (("", intervals.in_brief),)
"""What a table shows of a policy at a marginal benefit: headings, "" for the policy's own, and contents."""


def by_scenario(rows: pd.DataFrame) -> dict[str, Row]:
    """Return the row of every scenario."""
    return {str(row["scenario"]): row for row in rows.to_dict("records")}


Readings = Sequence[tuple[str, Callable[[Row], Content]]]


MOST_OPTIONS = 4
"""Options next to the first that a page has room for; more stand in another table."""


def of_policy(
    results: Results, scenarios: Sequence[Scenario], clock: str, at_other_benefits: Readings = IN_FULL
) -> Iterator[Table]:
    """Yield all patients' outcomes and end points under a first scenario, and under a policy with its difference.

    scenarios : the first, then the policy at all its marginal benefits
    """
    first, *others = _displayed(scenarios)
    readings: list[Reading] = [(first, first, intervals.estimate)]
    for place, name in enumerate(others):
        words = benefit_in_words(name) if place else scenario_in_words(name)
        readings += [(heading or words, name, read) for heading, read in (at_other_benefits if place else IN_FULL)]
    yield from _tables(results, readings, clock)


def side_by_side(results: Results, clock: str) -> Table:
    """Return the table of a terminal for three options or more: survival at the pathway's months, and counts."""
    pathway, names = results.scenarios[0].pathway, [scenario.name for scenario in results.scenarios]
    wanted = [*map(alive_at, pathway.months.survival), "median_os", *pathway.counts]
    lines = _lines(results, names, clock, wanted)
    caption = _caption(results, f"All patients, from {clock}{until(pathway, results.manifest['horizon'])}")
    notes = [f"Difference: from {names[0]}. Means, end points and groups stand in the report."]
    notes += [CAUTIOUS_NOTE] * any(scenario.marginal_benefit == COHORTS for scenario in results.scenarios)
    notes += [limits.conditional(pathway, clock)]
    labels = {label for label, *_ in lines}
    return options.side_by_side(
        lines, results.scenarios, intervals.estimate, compared=labels, caption=caption, notes=notes
    )


def of_options(results: Results, clock: str) -> Iterator[Table]:
    """Yield the tables of a page: of a policy with its differences or, of several, a column an option.

    The cautious estimate of a policy stands below its difference, other marginal benefits in the last columns.
    """
    compared = headline.compared(results.scenarios)
    if len(compared) == 1:
        yield from of_policy(results, compared[0], clock)
        return
    first, *names = _displayed(results.scenarios)
    leading = [policy[0].name for _, *policy in compared]
    cautious = {split_name(name)[0]: name for name in names if split_name(name)[1] == COHORTS and name not in leading}
    displayed = [name for name in [*leading, *names] if name not in cautious.values()]
    displayed = list(dict.fromkeys(displayed))
    notes = [f"Below a number: its difference from {first}{'; then the cautious estimate' if cautious else ''}."]
    notes += [CAUTIOUS_NOTE] * bool(cautious)
    for some in (displayed[at : at + MOST_OPTIONS] for at in range(0, len(displayed), MOST_OPTIONS)):
        readings: list[Reading] = [(first, first, intervals.estimate)]
        for name in some:
            cautiously = _by_outcome(results, cautious.get(name, ""), clock)
            readings.append((scenario_in_words(name), name, partial(_with_differences, cautiously=cautiously)))
        yield from _tables(results, readings, clock, notes)


def _by_outcome(results: Results, name: str, clock: str) -> dict[str, Row]:
    """Return the rows of all patients under a scenario, by outcome; none of an unknown one."""
    rows = results.outcomes
    rows = rows[(rows["scenario"] == name) & (rows["clock"] == clock) & (rows["population"] == "all")]
    return {str(row["outcome"]): row for row in rows.to_dict("records")}


def _displayed(scenarios: Sequence[Scenario]) -> list[str]:
    # The break-even share stands in the answer; its outcomes are in the files.
    return [scenario.name for scenario in scenarios if scenario.marginal_benefit != BREAK_EVEN]


def _with_differences(row: Row, cautiously: Mapping[str, Row]) -> Cell:
    """Return an estimate with its difference below it, and the cautious one below that."""
    difference, other = intervals.difference(row), cautiously.get(row["outcome"])
    notes = [("interval", str(difference))] if isinstance(difference, Estimate) else []
    if other is not None and isinstance(difference, Estimate):
        notes.append(("interval", f"cautious {intervals.difference(other)}"))
    return Cell(intervals.estimate(row), notes=notes)


def _tables(results: Results, readings: Sequence[Reading], clock: str, notes: Sequence[str] = ()) -> Iterator[Table]:
    """Yield all patients' outcomes, then their end points: of first events those at the answer's month."""
    pathway, horizon = results.scenarios[0].pathway, results.manifest["horizon"]
    end_points = set(pathway.end_point_outcomes)
    caption = f"All patients, from {clock}{until(pathway, horizon)}"
    notes = [*notes, *filter(None, [limits.conditional(pathway, clock)])]
    yield _compared(results, readings, clock, set(results.outcomes["outcome"]) - end_points, caption, notes)
    reached = [month for month in pathway.months.in_order if month <= horizon][:1]
    for end_point in pathway.end_points.values():
        listed = {end_point.incidence_at(cause, month) for cause in end_point.causes for month in reached}
        end_points -= {end_point.incidence_at(c, m) for c in end_point.causes for m in pathway.months.survival} - listed
    if end_points:
        yield _compared(results, readings, clock, end_points, f"End points of all patients, from {clock}", notes)


def _compared(
    results: Results,
    readings: Sequence[Reading],
    clock: str,
    wanted: Collection[str],
    caption: str,
    notes: Sequence[str],
) -> Table:
    names = list(dict.fromkeys(name for _, name, _ in readings))
    lines = _lines(results, names, clock, wanted)
    records = [row for *_, by_name in lines for row in by_name.values()]
    is_missing = [isnan(row["estimate"]) or (isnan(row["upper"]) and not isnan(row["lower"])) for row in records]
    is_cautious = any(split_name(name)[1] == COHORTS for name in names)
    notes = [*notes, *[CAUTIOUS_NOTE] * is_cautious]
    if any(is_missing):
        notes.append(f"{NOT_REACHED} {NEITHER_REACHED}" if len(names) > 1 else NOT_REACHED)
    return comparison(lines, readings, caption=_caption(results, caption), notes=notes)


def _caption(results: Results, caption: str) -> str:
    return f"{caption}{intervals.over_draws(results.manifest['draws'])}"


def _lines(results: Results, names: Collection[str], clock: str, wanted: Collection[str]) -> list[Line]:
    """Return the outcomes of all patients on a clock, in the order of the table. names : of scenarios"""
    outcomes, pathway = results.outcomes, results.scenarios[0].pathway
    rows = outcomes[(outcomes["population"] == "all") & (outcomes["clock"] == clock)]
    rows = rows[rows["scenario"].isin(names) & rows["outcome"].isin(wanted)]
    return [
        (*words_and_unit(str(outcome), pathway), by_scenario(of_outcome))
        for outcome, of_outcome in rows.groupby("outcome", sort=False)
    ]


def by_group(results: Results) -> Table | None:
    """Return the table of one survival outcome of every group and attribute level; None if there are none."""
    outcomes, pathway = results.outcomes, results.scenarios[0].pathway
    groups = outcomes[(outcomes["clock"] == pathway.clock) & (outcomes["population"] != "all")]
    known = set(groups["outcome"])
    outcome = next((name for name in names(pathway.months.in_order) if name in known), None)
    if outcome is None:
        return None
    lines = [
        (population_in_words(str(population), pathway), "", by_scenario(rows))
        for population, rows in groups[groups["outcome"] == outcome].groupby("population", sort=False)
    ]
    words, unit = words_and_unit(outcome, pathway)
    readings = [(scenario_in_words(s.name), s.name, intervals.estimate) for s in results.scenarios]
    return comparison(lines, readings, caption=with_unit(f"{capital(words)} after {pathway.clock}", unit))
