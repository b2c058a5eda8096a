"""A centre's year: how many of a year's patients are alive, and what they take, in sentences and as rows.

a year = an outcome per patient times the arrivals of a year;   differences where options have the same arrivals
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from simulator.experiment.results import Results
from simulator.outcomes.summaries import PER
from simulator.pathway.outcome_months import MONTHS_A_YEAR, alive_at, in_words
from simulator.plain_text import listed
from simulator.scenario.scenario import COHORTS, Scenario
from simulator.wording import resources, rounding
from simulator.wording.difference import EQUAL, Difference
from simulator.wording.headline import policies
from simulator.wording.intervals import Row, in_brackets, kinds
from simulator.wording.table import Line

UNIT = "a year"
_COMPARED = ("difference", "difference_lower", "difference_upper")
_MEASURES = ("estimate", "lower", "upper", "monte_carlo_se", *_COMPARED)


def arrivals(scenario: Scenario) -> float:
    """Return how many patients a year start the default clock; NaN where they do not arrive over time."""
    return math.nan if scenario.service is None else MONTHS_A_YEAR * scenario.service.arrivals_a_month


def lines(results: Results) -> list[Line]:
    """Return what a year's patients come to: survivors at the answer's month, counts, losses and units in use.

    None without arrivals, or where the horizon reaches no month of survival.
    """
    of_scenarios = [scenario for scenario in results.scenarios if scenario.service is not None]
    month = _month(results)
    if not of_scenarios or month is None:
        return []
    pathway = of_scenarios[0].pathway
    labels = {alive_at(month): f"alive at {in_words(month)}"}
    labels |= {name: count.label for name, count in pathway.counts.items()}
    rows = results.outcomes
    rows = rows[(rows["clock"] == pathway.clock) & (rows["population"] == "all") & rows["outcome"].isin(list(labels))]
    known = {(row["outcome"], row["scenario"]): row for row in rows.to_dict("records")}
    is_comparable = len({arrivals(scenario) for scenario in results.scenarios}) == 1
    made: list[Line] = []
    for name, label in labels.items():
        of_outcome = {
            one.name: _of_a_year(known[name, one.name], arrivals(one), is_comparable)
            for one in of_scenarios
            if (name, one.name) in known
        }
        made.append((label, "", of_outcome))
    return [*made, *_of_resources(results, of_scenarios)]


def _month(results: Results) -> float | None:
    """Return the first month, in the order of answers, that the horizon reaches."""
    months = results.scenarios[0].pathway.months.in_order
    return next((month for month in months if month <= results.manifest["horizon"]), None)


def _of_a_year(row: Row, a_year: float, is_comparable: bool) -> dict[str, Any]:
    factor = a_year if row["unit"] == "probability" else a_year / PER
    measures = {name: factor * row[name] for name in _MEASURES}
    hidden = {} if is_comparable else dict.fromkeys(_COMPARED, math.nan)
    return {**row, **measures, **hidden, "unit": UNIT}


def _of_resources(results: Results, scenarios: Sequence[Scenario]) -> list[Line]:
    """Return who is lost while waiting for every resource, and the mean number of its units in use.

    Runs of earlier versions do not have the first; units that are offered and taken are not held.
    """
    assert results.service is not None
    made: list[Line] = []
    for name in dict.fromkeys(name for scenario in scenarios for name in scenario.capacity):
        label = scenarios[0].pathway.resources[name].label
        tables = {one.name: resources.rows_of(results.service, one.name, name) for one in scenarios}
        words = {"lost_per_year": f"lost while waiting for {label}", "in_use": f"{label} in use, on average"}
        for outcome, text in words.items():
            of_outcome = {scenario: rows[outcome] for scenario, rows in tables.items() if outcome in rows}
            made += [(text, "", of_outcome)] if of_outcome else []
    return made


def sentence(results: Results, *, stands_for_all: Scenario | None = None) -> str:
    """Return how many of a year's patients are alive, and what they take; empty without arrivals.

    stands_for_all : one of the options, where survival is about the same under all of many
    """
    made, month = lines(results), _month(results)
    options = [policy for policy in policies(results.scenarios) if policy[0].service is not None]
    if not made or month is None or not math.isfinite(made[0][2][options[0][0].name]["estimate"]):
        return ""
    counts = made[1 : 1 + len(options[0][0].pathway.counts)]
    year = f"In a year of {_arriving(options[0][0])}, "
    if len(options) == 1 or (stands_for_all and len(options) > 2):
        name = (stands_for_all or options[0][0]).name
        under = f" under {name}" if len(options) > 1 else ""
        alive = f"{_number(made[0][2][name])} are alive at {in_words(month)}{under}{_interval(made[0][2][name])}"
        taken = [f"{_number(by_name[name])} {label}{_interval(by_name[name], '')}" for label, _, by_name in counts]
        until = f", with {listed(taken)} by month {results.manifest['horizon']:g}" if taken else ""
        return f"{year}{alive}{until}."
    if len({arrivals(policy[0]) for policy in options}) > 1:
        year = "In a year, "
    if len(options) == 2 and math.isfinite(made[0][2][options[1][0].name]["difference"]):
        return _compared(year, made[0][2], counts, options, month, results.manifest["horizon"])
    named = kinds()
    of_options = (
        f"{_number(made[0][2][one.name])} {'' if year != 'In a year, ' else f'of {_arriving(one)} '}"
        f"under {one.name}{_interval(made[0][2][one.name], next(named))}"
        for one, *_ in options
    )
    return f"{year}alive at {in_words(month)}: {listed(list(of_options))}."


def _compared(
    year: str,
    alive: Mapping[Any, Any],
    counts: Sequence[Line],
    options: Sequence[Sequence[Scenario]],
    month: float,
    horizon: float,
) -> str:
    """Return what a policy adds in a year, cautiously too, and what more it takes."""
    (first, *_), (policy, *others) = options
    difference = _difference(alive[policy.name])
    text = difference.lead(
        f"{year}{difference.words} are alive at {in_words(month)} under {policy.name}: "
        f"{_number(alive[policy.name])} instead of {_number(alive[first.name])}."
    )
    cautious = next((one.name for one in others if one.marginal_benefit == COHORTS), None)
    if cautious is not None:
        text += f" Cautious estimate: {_difference(alive[cautious])}."
    more = [(label, by_name, _difference(by_name[policy.name])) for label, _, by_name in counts]
    taken = [
        f"{one.more_or_fewer} {label} ({_number(by_name[policy.name])} instead of {_number(by_name[first.name])})"
        for label, by_name, one in more
        if one.more_or_fewer != EQUAL
    ]
    return f"{text} By month {horizon:g} this takes {listed(taken)}." if taken else text


def _difference(row: Row) -> Difference:
    return Difference.of_row(row)._replace(unit=UNIT)


def _arriving(scenario: Scenario) -> str:
    return f"{rounding.number(arrivals(scenario), UNIT)} {scenario.pathway.patients}"


def _number(row: Row) -> str:
    return rounding.number(row["estimate"], UNIT)


def _interval(row: Row, name: str = "95 % interval ") -> str:
    words = in_brackets(row["lower"], row["upper"], UNIT, row["estimate"])
    return words.replace("95 % interval ", name)
