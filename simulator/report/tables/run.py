"""The terminal's report of a run: the answer, outcomes, the use of resources, and reported figures."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.evidence.cohort import Cohort
from simulator.experiment.manifest import ROUGH
from simulator.experiment.results import Results
from simulator.report.tables import outcomes, resources, structures
from simulator.report.tables.calibration import predictive
from simulator.wording import beds, headline, limits, opening
from simulator.wording.table import Part


def answer(results: Results) -> str:
    """Return the answer of a run in words, with the sentence on waits where resources are limited."""
    return " ".join([*[ROUGH] * results.is_rough, *opening.paragraphs(results)])


def report(results: Results, cohort: Cohort | None) -> Iterator[Part]:
    """Yield the answer, then the tables and notes."""
    scenarios, manifest = results.scenarios, results.manifest
    yield answer(results)
    # A target is for waits: how patients fare stands in the report.
    for policy in [] if beds.is_asked(results) else headline.compared(scenarios):
        clock = policy[-1].leads_with or policy[-1].pathway.clock
        yield from outcomes.of_policy(results, policy, clock, outcomes.IN_BRIEF)
    yield from resources.use(results)
    if cohort is not None and cohort.predictive is not None:
        yield from predictive(cohort, scenarios[0].pathway)
    yield from filter(None, (limits.assumed(policy[0]) for policy in headline.policies(scenarios)))
    yield from structures.sentences(headline.compared(scenarios), cohort)
    if beyond := limits.extrapolation(cohort, manifest["horizon"]):
        yield beyond
    yield f"Engine: {manifest['engine']} ({manifest['engine_because']})."
    yield manifest["note"]
