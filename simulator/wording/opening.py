"""The paragraphs that open a report: what a policy adds or, where options differ in their units, who waits."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.experiment.results import Results
from simulator.outcomes.summaries import PER
from simulator.scenario.scenario import Scenario
from simulator.wording import added, headline, resources, rounding
from simulator.wording.added import Added


def paragraphs(results: Results) -> list[str]:
    """Return the answer, then a paragraph a policy, and the waits; the waits first where they are the question."""
    scenarios = results.scenarios
    answers = [headline.answer(results.outcomes, policy) for policy in headline.compared(scenarios)]
    waits = resources.sentence(results.service, scenarios)
    if results.service is None or not (answer := resources.answer(results.service, scenarios)):
        return [text for text in (*answers, waits) if text]
    clock = scenarios[-1].leads_with or scenarios[0].pathway.clock
    rows = added.at_answer(results.outcomes, scenarios, clock)
    unclear = len(rows) == len(answers) > 1 and not any(row.difference.is_clear for row in rows)
    return [answer, waits, *([_as_many(rows, scenarios[0])] if unclear else answers)]


def _as_many(rows: Sequence[Added], first: Scenario) -> str:
    """Return the survival under options between which it does not clearly differ, in one sentence."""
    before = rounding.number(rows[0].before, "probability")
    alive = [f"{before} of {PER} {rows[0].patients} are alive under {first.name}"]
    for row in rows:
        after = rounding.number(row.before + row.difference.value, "probability")
        alive.append(f"{after} under {row.scenario.name}")
    return f"No clear difference in survival {rows[0].when}: {', '.join(alive[:-1])} and {alive[-1]}."
