"""The answer of a run in a sentence or two: how many more patients are alive. Terminal and report print the same."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from simulator.outcomes.summaries import PER
from simulator.pathway.outcome_months import BY_PRIOR, alive_at, in_words
from simulator.pathway.references import names_in
from simulator.scenario.scenario import BREAK_EVEN, COHORTS, split_name
from simulator.wording import rounding
from simulator.wording.difference import Difference
from simulator.wording.intervals import MORE_THAN_ALL, Row, in_brackets

if TYPE_CHECKING:
    import pandas as pd

    from simulator.pathway.pathway import Pathway
    from simulator.scenario.scenario import Scenario

CAUTIOUS = "cautious estimate"
ABSORBS = (
    "worse treatment of everybody in those cohorts, confounding by indication (fitter patients are treated), and the "
    "model's error in how today's treated fare (if it has too few of them alive, the estimate is too high)"
)
"""What the benefit that other cohorts suggest contains besides a benefit."""
CAUTIOUS_NOTE = (
    f"{CAUTIOUS.capitalize()}: the additional patients benefit as other cohorts suggest. This also absorbs {ABSORBS}."
)

MOST_NEEDED = 2.0
"""A larger share that would have to benefit is not displayed."""

NOT_REACHED = "Not reached within the horizon: a dash, or an interval without an upper end."
NEITHER_REACHED = "A difference of medians leaves out the parameter sets in which neither is reached."


_Alive = Mapping[tuple[str, str, float], Row]
"""Scenario, clock and month -> the row of all patients' OS, where there is one."""


class _NoSurvival(LookupError):
    """There is no OS at any month of the pathway: the horizon is short, or nobody starts the clock."""


def answer(outcomes: pd.DataFrame, scenarios: Sequence[Scenario]) -> str:
    """Return the plain-language answer of a run, for `all` patients.

    outcomes : the run's outcomes table (scenario, clock, population, outcome, estimate, lower, upper, ...)
    scenarios : NAME and NAME@0.5 are two; the others are compared with the first
    """
    first, *others = policies(scenarios)
    alive = _alive(outcomes, first[0].pathway)
    try:
        if not others:
            sentences = [_one_policy(outcomes, alive, scenario, first[0]) for scenario in first]
        else:
            sentences = [
                _compared(outcomes, alive, scenario, policy[0], first[0]) for policy in others for scenario in policy
            ]
        return " ".join([*sentences, *(newly_eligible(policy[0]) for policy in (first, *others) if policy[0].replace)])
    except _NoSurvival:
        return nothing_to_show(first[0].pathway)


def _alive(outcomes: pd.DataFrame, pathway: Pathway) -> _Alive:
    months = {alive_at(month): month for month in pathway.months.survival}
    rows = outcomes[(outcomes["population"] == "all") & outcomes["outcome"].isin(list(months))]
    records = rows[rows["estimate"].notna()].to_dict("records")
    return {(row["scenario"], row["clock"], months[row["outcome"]]): row for row in records}


def nothing_to_show(pathway: Pathway) -> str:
    """Return the sentence of a run whose horizon reaches no survival month, or whose clock nobody starts."""
    first = pathway.months.survival[0]
    return (
        f"There is no overall survival to show: it needs a horizon of at least {in_words(first)}, "
        "and patients who start the clock."
    )


def of_100(pathway: Pathway) -> str:
    """Return the denominator in words: "Of 100 patients who fall ill"."""
    return f"Of {PER} {pathway.patients}"


def newly_eligible(scenario: Scenario) -> str:
    """Return who may have a treatment that takes over another's share, and could not have that one, in a sentence."""
    pathway, attributes = scenario.pathway, scenario.pathway.attributes
    ways = (way for state in pathway.states.values() for way in state.transitions)
    branches = {name: way for way in ways for name in names_in(way.probability)}
    who = [
        attributes[attribute].labels[level]
        for name, replaced in scenario.replace.items()
        for attribute, levels in branches[replaced].eligible.items()
        for level, share in levels.items()
        if share == 0.0 and branches[name].eligible.get(attribute, {}).get(level) != 0.0
    ]
    return f"Newly eligible under {scenario.name}: {', '.join(who) or 'nobody'}."


def policies(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    """Return the scenarios by policy: NAME and NAME@0.5 are one policy at two marginal benefits."""
    by_policy: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        by_policy.setdefault(scenario.policy, []).append(scenario)
    return list(by_policy.values())


def compared(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    """Return the first scenario with each of the other policies, or with its own other marginal benefits."""
    (first, *ends), *others = policies(scenarios)
    return [[first, *policy] for policy in others] or [[first, *ends]]


def _one_policy(outcomes: pd.DataFrame, alive: _Alive, scenario: Scenario, first: Scenario) -> str:
    clock, month, row, _ = _first_answer(alive, scenario, scenario, _clocks(first))
    count = f"{_per_100(row['estimate'])}{in_brackets(row['lower'], row['upper'], 'probability', row['estimate'])}"
    if scenario is not first:
        return _at_another_benefit(outcomes, scenario, count)
    return f"{_denominator(alive, scenario)}, {count} are alive {when(scenario, clock, month)} under {scenario.name}."


def _compared(outcomes: pd.DataFrame, alive: _Alive, scenario: Scenario, optimistic: Scenario, first: Scenario) -> str:
    clock, month, row, before = _first_answer(alive, scenario, first, _clocks(scenario))
    if scenario is not optimistic:
        return _at_another_benefit(
            outcomes, scenario, f"{Difference.of_row(row)}{_by_prior(outcomes, scenario, month)}"
        )
    difference = Difference.of_row(row)
    sentence = (
        f"{_denominator(alive, scenario)}, {difference.words} are alive {when(scenario, clock, month)} "
        f"under {scenario.name}: {_per_100(row['estimate'])} instead of {_per_100(before['estimate'])} "
        f"under {first.name}."
    )
    sentence = difference.lead(sentence)
    default = scenario.pathway.clock
    if clock == default:
        return sentence
    never = [policy.name for policy in (first, scenario) if not _starts(alive, policy, default)]
    if never:
        return f"{sentence} No patient reaches {default} under {' and '.join(never)}."
    _, month, row, _ = _first_answer(alive, scenario, first, [default])
    return f"{sentence} At {in_words(month)} after {default}, {Difference.of_row(row)}."


def _clocks(scenario: Scenario) -> list[str]:
    """Return the clocks in order of preference: a clock that nobody starts has no answer."""
    leads = scenario.leads_with or scenario.pathway.clock
    return sorted(scenario.pathway.clocks, key=lambda clock: clock != leads)


def _first_answer(
    alive: _Alive, scenario: Scenario, first: Scenario, clocks: Sequence[str]
) -> tuple[str, float, Row, Row]:
    """Return the first clock and month that have an answer, and the rows of a scenario and of its reference."""
    for clock in clocks:
        for month in scenario.pathway.months.in_order:
            row, before = (alive.get((policy.name, clock, month)) for policy in (scenario, first))
            if row is not None and before is not None:
                return clock, month, row, before
    raise _NoSurvival(scenario.name, *clocks)


def _denominator(alive: _Alive, scenario: Scenario) -> str:
    pathway = scenario.pathway
    return of_100(pathway) if _starts(alive, scenario, pathway.clock) else f"Of {PER} patients"


def _starts(alive: _Alive, scenario: Scenario, clock: str) -> bool:
    """Return whether anybody starts a clock: then there is an OS at one month at least."""
    return any((scenario.name, clock) == key[:2] for key in alive)


def when(scenario: Scenario, clock: str, month: float) -> str:
    """Return "at 12 months" on the default clock, "12 months after onset" on another."""
    return f"at {in_words(month)}" if clock == scenario.pathway.clock else f"{in_words(month)} after {clock}"


def benefit_in_words(name: str) -> str:
    """Return the marginal benefit of NAME@benefit: "if 50 % benefit", "cautious estimate"; empty without one."""
    benefit = split_name(name)[1]
    if benefit is None or isinstance(benefit, str):
        return {None: "", COHORTS: CAUTIOUS, BREAK_EVEN: "smallest share"}[benefit]
    return f"if {100 * benefit:.0f} % benefit"


def scenario_in_words(name: str) -> str:
    """Return a scenario's name with its marginal benefit in words: "policy (cautious estimate)"."""
    benefit = benefit_in_words(name)
    return f"{split_name(name)[0]} ({benefit})" if benefit else name


def _at_another_benefit(outcomes: pd.DataFrame, scenario: Scenario, alive: str) -> str:
    if scenario.marginal_benefit == BREAK_EVEN:
        return _break_even(outcomes, scenario)
    return f"{benefit_assumption(scenario)}, {alive}."


def _by_prior(outcomes: pd.DataFrame, scenario: Scenario, month: float) -> str:
    """Return what the prior of the benefit alone gives, beside what cohorts suggest; empty where that is not known."""
    named = outcomes["outcome"] == f"{alive_at(month)}{BY_PRIOR}"
    rows = outcomes[(outcomes["scenario"] == scenario.name) & named].to_dict("records")
    return f"; the prior alone gives {Difference.of_row(rows[0])}" if rows else ""


def benefit_assumption(scenario: Scenario) -> str:
    """Return how many of the additional patients benefit, as the beginning of a sentence."""
    benefit = scenario.marginal_benefit
    if benefit == COHORTS:
        measured = "an extrapolation, not a measured effect"
        return f"If the additional patients (treated only under it) benefit as other cohorts suggest ({measured})"
    share = {0.0: "none", 0.5: "only half", 1.0: "all"}.get(float(benefit), f"{100 * float(benefit):.0f} %")
    return f"If {share} of the additional patients (treated only under it) benefit (an assumption)"


def _break_even(outcomes: pd.DataFrame, scenario: Scenario) -> str:
    """Return the share that must benefit for a margin, and the probability of that margin by the cautious estimate."""
    rows = outcomes[[split_name(name)[0] == scenario.policy for name in outcomes["scenario"]]]
    for row in rows.to_dict("records"):
        key = re.fullmatch(r"break_even_for_([\d.]+)_more_at_([\d.]+)", row["outcome"])
        if key:
            margin, month = key.groups()
            more = f"{margin} more of 100 alive at {in_words(month)}"
            return f"{share_needed(row, more)}{_share_of_draws(rows, margin, month)}."
    return ""


def share_needed(row: Row, more: str) -> str:
    """Return how many additional patients must benefit, in a sentence without its stop. more : the margin in words"""
    if not row["estimate"] <= 1.0:
        number, ends = _per_100(min(row["estimate"], MOST_NEEDED)), ends_of_share(row)
        needed = f"{'more than ' if row['estimate'] > MOST_NEEDED else ''}{number} of 100 would have to"
        words = f": {needed}{f' (95 % interval {ends})' if ends else ''}" if math.isfinite(row["estimate"]) else ""
        return f"Even if all additional patients benefit, most parameter sets do not give {more}{words}"
    if row["estimate"] <= 0.0:
        return f"Even if no additional patient benefits, most parameter sets give {more}"
    ends = ends_of_share(row)
    interval = f" (95 % interval {ends})" if ends else ""
    return f"For {more}, {_per_100(row['estimate'])} of 100 additional patients must benefit{interval}"


def ends_of_share(row: Row) -> str:
    """Return "13 to 33", the interval of the share that must benefit, of 100; empty without one."""
    if not row["lower"] < row["estimate"]:
        return ""
    upper = row["upper"] if math.isfinite(row["upper"]) else math.inf
    low, high = (rounding.number(end, "probability", end_of=row["estimate"]) for end in (max(row["lower"], 0.0), upper))
    return f"{low} to {MORE_THAN_ALL if upper > 1.0 else high}"


def _share_of_draws(rows: pd.DataFrame, margin: str, month: str) -> str:
    """Return the share of draws that reach the margin as other cohorts suggest; empty without that estimate."""
    cautious = rows[[split_name(name)[1] == COHORTS for name in rows["scenario"]]]
    reached = f"draws_with_{margin}_more_at_{month}"
    shares, by_prior = (cautious[cautious["outcome"] == name]["estimate"] for name in (reached, f"{reached}{BY_PRIOR}"))
    if not len(shares):
        return ""
    beside = f", and {_per_100(by_prior.iloc[0])} by the prior alone" if len(by_prior) else ""
    return f"; as other cohorts suggest, {_per_100(shares.iloc[0])} of 100 parameter sets reach that{beside}"


def _per_100(probability: float) -> str:
    return rounding.number(probability, "probability")
