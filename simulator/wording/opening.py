"""The paragraphs that open a report: what a policy adds or, of a centre, who waits and what a year brings."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.experiment.results import Results
from simulator.outcomes.summaries import PER
from simulator.scenario.scenario import Scenario
from simulator.wording import added, beds, centre, headline, resources, rounding
from simulator.wording.added import Added
from simulator.wording.difference import EQUAL


def paragraphs(results: Results) -> list[str]:
    """Return the answer: of a centre first what meets a target or who waits, and its patients of a year; then per 100,
    a paragraph a policy."""
    scenarios = results.scenarios
    answers = [headline.answer(results.outcomes, policy) for policy in headline.compared(scenarios)]
    if results.service is None:
        return answers
    waits = [resources.answer(results.service, scenarios), resources.sentence(results.service, scenarios)]
    verdict = beds.answer(results)
    rows = added.at_answer(results.outcomes, scenarios, clocks(results)[0])
    below = all(PER * abs(row.difference.value) < results.manifest.get("margin", 0.0) for row in rows)
    alike = below and len(rows) > 1
    of_100 = [_about_as_many(rows, scenarios[0])] if alike else answers
    year = centre.sentence(results, stands_for_all=(beds.fewest(results) or scenarios[0]) if alike else None)
    return [text for text in (*([verdict] if verdict else waits), year, *of_100) if text]


def point(results: Results) -> str:
    """Return the answer in a sentence: the difference that a policy makes, or else how many are alive."""
    rows = added.at_answer(results.outcomes, results.scenarios, clocks(results)[0])
    if rows:
        return f"{added.title(rows, results.scenarios[0].name)}."
    sentence, stop, _ = headline.answer(results.outcomes, results.scenarios).partition(". ")
    return f"{sentence}." if stop else sentence


def clocks(results: Results) -> list[str]:
    """Return the pathway's clocks, the default one first unless every policy leads with another."""
    declared = results.scenarios[0].pathway.clocks
    policies = results.scenarios[1:] or results.scenarios
    leads = {policy.leads_with for policy in policies}
    first = leads.pop() if len(leads) == 1 else None
    return sorted(declared, key=lambda clock: clock != first)


def _about_as_many(rows: Sequence[Added], first: Scenario) -> str:
    """Return the survival under options that differ by less than the margin, in one sentence."""
    before = rounding.number(rows[0].before, "probability")
    alive = [f"{before} of {PER} {rows[0].patients} are alive under {first.name}"]
    for row in rows:
        after = rounding.number(row.before + row.difference.value, "probability")
        alive.append(f"{after} under {row.scenario.name}")
    most = max(rows, key=lambda row: abs(row.difference.value))
    differs = "differs little" if any(row.difference.is_clear for row in rows) else "does not clearly differ"
    equal = most.difference.more_or_fewer == EQUAL
    at_most = "" if equal else f"; at most {most.difference.words} than under {first.name}"
    return f"Survival {rows[0].when} {differs}: {', '.join(alive[:-1])} and {alive[-1]}{at_most}."
