"""The terminal's report of a run: the answer, outcomes, the use of resources, and reported figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from simulator.evidence.cohort import Cohort
from simulator.experiment.manifest import ROUGH
from simulator.experiment.results import Results
from simulator.report import levers
from simulator.report.tables import options, outcomes, resources, structures
from simulator.report.tables.calibration import predictive
from simulator.scenario.scenario import Scenario
from simulator.wording import beds, changes, headline, limits, opening, rounding
from simulator.wording.table import Part


def answer(results: Results) -> str:
    """Return the answer of a run: paragraphs with empty lines between them, of many options first the one that changes
    most."""
    of_many = [opening.point(results)] * (results.service is None and options.are_several(results.scenarios))
    return "\n\n".join([*[ROUGH] * results.is_rough, *of_many, *opening.paragraphs(results)])


def report(results: Results, cohort: Cohort | None, *, fit: bool = False, diff: bool = False) -> Iterator[Part]:
    """Yield the answer, then the tables and notes.

    fit : also every reported figure next to the simulated one; diff : also what the scenarios declare otherwise
    """
    scenarios, manifest = results.scenarios, results.manifest
    yield answer(results)
    if diff:
        yield from declared_otherwise(options.leading(scenarios), cohort)
    # A centre's table of a year and its waits come first.
    for tables in (resources.use, _outcomes):
        yield from tables(results)
    if fit and cohort is not None:
        yield from predictive(cohort, scenarios[0].pathway)
    yield from limits.all_assumed(options.leading(scenarios))
    yield from structures.sentences(headline.compared(scenarios), cohort)
    if beyond := limits.extrapolation(cohort, manifest["horizon"]):
        yield beyond
    if cohort is not None and cohort.predictive is not None and not fit:
        yield "How reported and simulated figures agree: --fit, or the report."
    yield f"Engine: {manifest['engine']} ({manifest['engine_because']})."
    yield manifest["note"]


def declared_otherwise(scenarios: Sequence[Scenario], cohort: Cohort | None) -> Iterator[Part]:
    """Yield what each option changes next to the first, in words; then the keys of the files that differ."""
    first, *others = scenarios
    before = list(levers.lines(first))
    for option in others:
        after = list(levers.lines(option))
        words = "; ".join(changes.of(option, first, cohort)) or "nothing"
        yield f"Different under {option.name} than under {first.name}: {words}."
        gone, new = ([line for line in one if line not in other] for one, other in ((before, after), (after, before)))
        yield "\n".join([*(f"  {rounding.MINUS} {line}" for line in gone), *(f"  + {line}" for line in new)])


def _outcomes(results: Results) -> Iterator[Part]:
    """Yield the outcomes: a table a policy, or of several one with a column an option."""
    scenarios = results.scenarios
    # A target is for waits: how patients fare stands in the report.
    if beds.is_asked(results):
        return
    if options.are_several(scenarios):
        yield outcomes.side_by_side(results, opening.clocks(results)[0])
        return
    said: set[str] = set()
    for policy in headline.compared(scenarios):
        clock = policy[-1].leads_with or policy[-1].pathway.clock
        for table in outcomes.of_policy(results, policy, clock, outcomes.IN_BRIEF):
            yield replace(table, notes=[note for note in table.notes if note not in said])
            said.update(table.notes)
