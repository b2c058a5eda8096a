"""What a report says as a paper does: its title, and a conclusion for a director in two sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulator.evidence.cohort import Cohort
from simulator.experiment.results import Results
from simulator.outcomes.labels import words_and_unit
from simulator.outcomes.summaries import PER
from simulator.pathway.outcome_months import alive_at, in_words
from simulator.plain_text import capital, listed
from simulator.scenario.scenario import COHORTS, Scenario
from simulator.wording import added, opening, rounding
from simulator.wording.added import Added
from simulator.wording.difference import EQUAL, Difference
from simulator.wording.headline import policies
from simulator.wording.intervals import Row

LONGEST = 100
"""Characters of a title that names its options; of a longer one the number of options stands in their place."""
UNSURE = "the model cannot say how sure it is: one parameter set, or too few runs, give no interval"
FEW = 100
"""Patients below whose number "only" stands before it."""


def title(results: Results) -> str:
    """Return the title of a report: "More beds compared with Today's practice"."""
    first, *others = (in_title(policy[0]) for policy in policies(results.scenarios))
    if not others:
        return first
    named = f"{listed(others)} compared with {first}"
    return named if len(others) == 1 or len(named) <= LONGEST else f"{len(others)} options compared with {first}"


def in_title(scenario: Scenario) -> str:
    return scenario.title or scenario.policy


def lead(results: Results) -> tuple[str, list[str]]:
    """Return the first sentence of the answer, and the paragraphs after it: of several options, which adds most."""
    answer, *others = opening.paragraphs(results)
    if len(policies(results.scenarios)) > 2 and results.service is None:
        return opening.point(results), [answer, *others]
    first = first_sentence(answer)
    return first, [rest for rest in (answer[len(first) :].strip(), *others) if rest]


def first_sentence(text: str) -> str:
    sentence, stop, _ = text.partition(". ")
    return f"{sentence}." if stop else sentence


def conclusion(results: Results, cohort: Cohort | None) -> list[str]:
    """Return two sentences for a director: what the options do and take, and how sure the model is of that."""
    rows = added.at_answer(results.outcomes, results.scenarios, opening.clocks(results)[0])
    most = max(rows, key=_size, default=None)
    if most is None or results.service is not None:
        does = first_sentence(opening.paragraphs(results)[0])
    else:
        does = f"{_adds(most, rows, results.scenarios[0].name)}{_takes(most.scenario, results)}."
    return [capital(does), f"{_behind(cohort)} {_range(most, results)}."]


def _size(one: Added) -> tuple[bool, float]:
    """Return what the option that changes most has most of: a clear difference comes before a larger one."""
    return one.difference.is_clear, abs(one.difference.value)


def _adds(one: Added, rows: Sequence[Added], first: str) -> str:
    number, name = one.difference.more_or_fewer, one.scenario.name
    than = f"{'as' if number == EQUAL else 'than'} under {first}"
    alive = f"{number} of {PER} {one.patients} are alive {one.when} under {name} {than}"
    if len(rows) == 1 or not one.difference.is_clear:
        return one.difference.lead(alive)
    return f"Of {len(rows)} options, {name} changes survival most: {number} of {PER} are alive {one.when} {than}"


def _takes(scenario: Scenario, results: Results) -> str:
    """Return what an option takes more or less of: ", and per 100 patients it takes 18 more courses"; or nothing."""
    pathway, takes = scenario.pathway, dict[str, list[str]]()
    for row in _of(results, scenario.name, pathway.clock):
        difference = Difference.of_row(row)._replace(unit=str(row["unit"]))
        if row["outcome"] in pathway.counts and difference.is_clear and difference.more_or_fewer != EQUAL:
            words, unit = words_and_unit(str(row["outcome"]), pathway)
            takes.setdefault(unit, []).append(f"{difference.more_or_fewer} {words}")
    return "".join(f", and {unit} it takes {listed(counts)}" for unit, counts in list(takes.items())[:1])


def _of(results: Results, name: str, clock: str) -> Iterator[Row]:
    outcomes = results.outcomes
    rows = outcomes[(outcomes["scenario"] == name) & (outcomes["clock"] == clock) & (outcomes["population"] == "all")]
    yield from rows[rows["difference"].notna()].to_dict("records")


def _behind(cohort: Cohort | None) -> str:
    if cohort is None:
        return "Not calibrated to patients,"
    return f"With {'only ' if cohort.n < FEW else ''}{cohort.n} patients behind it,"


def _range(one: Added | None, results: Results) -> str:
    """Return what the model cannot say better: the interval of the difference, or of how many are alive."""
    if one is None:
        return _range_alive(results)
    if not one.difference.interval:
        differs = f"clear difference in survival {one.when}"
        return UNSURE if one.difference.is_clear else f"the model shows no {differs}"
    words = f"the model can say no better than {_ends(one.difference)} per {PER}"
    if one.other is not None and one.other[0].marginal_benefit == COHORTS and one.other[1].interval:
        words += f", and {_ends(one.other[1])} if the additional patients respond as they did elsewhere"
    return words


def _ends(difference: Difference) -> str:
    """Return "17 to 28 more survivors", "9.0 fewer to 7.0 more survivors"."""
    words = difference.interval
    return f"{words} survivors" if words.endswith(("more", "fewer")) else f"{words} {_direction(difference)} survivors"


def _direction(difference: Difference) -> str:
    return "more" if difference.value > 0 else "fewer"


def _range_alive(results: Results) -> str:
    clock, scenario = opening.clocks(results)[0], results.scenarios[0]
    outcomes = results.outcomes
    of_first = outcomes[(outcomes["scenario"] == scenario.name) & (outcomes["population"] == "all")]
    rows = {row["outcome"]: row for row in of_first[of_first["clock"] == clock].to_dict("records")}
    for month in scenario.pathway.months.in_order:
        row = rows.get(alive_at(month))
        if row is not None and (ends := rounding.interval(row["lower"], row["upper"], "probability", row["estimate"])):
            return f"the model can say no better than {ends[0]} to {ends[1]} of {PER} alive at {in_words(month)}"
    return UNSURE
