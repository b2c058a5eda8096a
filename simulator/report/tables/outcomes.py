"""The outcomes as tables: each policy next to the first scenario, by clock and by group."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import pandas as pd

from simulator.experiment.results import Results
from simulator.outcomes.labels import until, with_unit, words_and_unit
from simulator.pathway.outcome_months import names
from simulator.plain_text import capital
from simulator.scenario.scenario import BREAK_EVEN, COHORTS, Scenario
from simulator.wording import intervals, reported
from simulator.wording.headline import CAUTIOUS_NOTE, NEITHER_REACHED, NOT_REACHED, benefit_in_words, scenario_in_words
from simulator.wording.intervals import Row
from simulator.wording.table import Content, Reading, Table, comparison

IN_FULL = (("", intervals.estimate), ("difference", intervals.difference))
IN_BRIEF = (("", intervals.difference_alone),)
"""What a table shows of a policy at a marginal benefit: headings, "" for the policy's own, and contents."""


def by_scenario(rows: pd.DataFrame) -> dict[str, Row]:
    """Return the row of every scenario."""
    return {str(row["scenario"]): row for row in rows.to_dict("records")}


Readings = Sequence[tuple[str, Callable[[Row], Content]]]


def of_policy(
    results: Results, scenarios: Sequence[Scenario], clock: str, at_other_benefits: Readings = IN_FULL
) -> Table:
    """Return all patients' outcomes under a first scenario and under a policy with its difference.

    scenarios : the first, then the policy at all its marginal benefits
    """
    pathway = scenarios[0].pathway
    caption = f"All patients, from {clock}{until(pathway, results.manifest['horizon'])}"
    others = set(results.outcomes["outcome"]) - set(pathway.end_point_outcomes)
    return _compared(results, scenarios, clock, others, caption, at_other_benefits)


def of_end_points(
    results: Results, scenarios: Sequence[Scenario], clock: str, at_other_benefits: Readings = IN_FULL
) -> Table | None:
    """Return the same of end points, first events at the answer's month; None where the pathway declares none."""
    pathway, horizon = scenarios[0].pathway, results.manifest["horizon"]
    reached = [month for month in pathway.months.in_order if month <= horizon][:1]
    wanted = set(pathway.end_point_outcomes)
    for end_point in pathway.end_points.values():
        listed = {end_point.incidence_at(cause, month) for cause in end_point.causes for month in reached}
        wanted -= {end_point.incidence_at(c, m) for c in end_point.causes for m in pathway.months.survival} - listed
    if not wanted:
        return None
    return _compared(results, scenarios, clock, wanted, f"End points of all patients, from {clock}", at_other_benefits)


def _compared(
    results: Results,
    scenarios: Sequence[Scenario],
    clock: str,
    wanted: Collection[str],
    caption: str,
    at_other_benefits: Readings,
) -> Table:
    # The break-even share stands in the answer; its outcomes are in the files.
    first, *others = (scenario.name for scenario in scenarios if scenario.marginal_benefit != BREAK_EVEN)
    readings: list[Reading] = [(first, first, intervals.estimate)]
    for place, name in enumerate(others):
        words = benefit_in_words(name) if place else scenario_in_words(name)
        readings += [(heading or words, name, read) for heading, read in (at_other_benefits if place else IN_FULL)]
    outcomes, pathway = results.outcomes, scenarios[0].pathway
    rows = outcomes[(outcomes["population"] == "all") & (outcomes["clock"] == clock)]
    rows = rows[rows["scenario"].isin([first, *others]) & rows["outcome"].isin(wanted)]
    lines = [
        (*words_and_unit(str(outcome), pathway), by_scenario(of_outcome))
        for outcome, of_outcome in rows.groupby("outcome", sort=False)
    ]
    is_missing = rows["estimate"].isna() | (rows["upper"].isna() & rows["lower"].notna())
    is_cautious = any(scenario.marginal_benefit == COHORTS for scenario in scenarios)
    notes = [CAUTIOUS_NOTE] if is_cautious else []
    if is_missing.any():
        notes.append(f"{NOT_REACHED} {NEITHER_REACHED}" if others else NOT_REACHED)
    draws = intervals.over_draws(results.manifest["draws"])
    return comparison(lines, readings, caption=f"{caption}{draws}", notes=notes)


def by_group(results: Results) -> Table | None:
    """Return the table of one survival outcome of every group and attribute level; None if there are none."""
    outcomes, pathway = results.outcomes, results.scenarios[0].pathway
    groups = outcomes[(outcomes["clock"] == pathway.clock) & (outcomes["population"] != "all")]
    known = set(groups["outcome"])
    outcome = next((name for name in names(pathway.months.in_order) if name in known), None)
    if outcome is None:
        return None
    lines = [
        (reported.population(str(population), pathway), "", by_scenario(rows))
        for population, rows in groups[groups["outcome"] == outcome].groupby("population", sort=False)
    ]
    words, unit = words_and_unit(outcome, pathway)
    readings = [(scenario_in_words(s.name), s.name, intervals.estimate) for s in results.scenarios]
    return comparison(lines, readings, caption=with_unit(f"{capital(words)} after {pathway.clock}", unit))
