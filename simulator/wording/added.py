"""What policies add: the paired differences that the figures of a comparison draw, and their titles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.outcomes.summaries import PER
from simulator.pathway.outcome_months import alive_at, in_words
from simulator.plain_text import listed
from simulator.scenario.scenario import BREAK_EVEN, COHORTS
from simulator.wording import intervals, rounding
from simulator.wording.difference import EQUAL, Difference
from simulator.wording.headline import benefit_in_words, ends_of_share, policies, share_needed, when
from simulator.wording.intervals import Row

if TYPE_CHECKING:
    import pandas as pd

    from simulator.scenario.scenario import Scenario

IN_THE_MODEL = "In the model"
MOST_NAMES = 3
"""Policies in a title at most."""


def of_sets(statement: str, draws: int) -> str:
    """Return a statement of the model, which of one parameter set says so: its numbers have no intervals."""
    alone = f"{IN_THE_MODEL} with one parameter set"
    return statement.replace(IN_THE_MODEL, alone, 1) if draws == 1 else statement


@dataclass(frozen=True)
class Added:
    """How many more are alive at a month under a policy than under the first: shares of all patients.

    before : alive under the first; other : the policy at another benefit, the cautious one if there is one, and its
    difference
    """

    scenario: Scenario
    clock: str
    month: float
    before: float
    difference: Difference
    other: tuple[Scenario, Difference] | None = None

    @property
    def when(self) -> str:
        """The month in words: "at 12 months"."""
        return when(self.scenario, self.clock, self.month)

    @property
    def patients(self) -> str:
        """Who starts the clock, in words."""
        pathway = self.scenario.pathway
        return pathway.patients if self.clock == pathway.clock else "patients"


def at_answer(outcomes: pd.DataFrame, scenarios: Sequence[Scenario], clock: str) -> list[Added]:
    """Return what each policy adds at the first month, in the order of answers, that every one of them reaches."""
    _, *others = policies(scenarios)
    by_month = (at_month(outcomes, others, clock, month) for month in scenarios[0].pathway.months.in_order)
    return max(by_month, key=len, default=[])


def by_month(outcomes: pd.DataFrame, scenarios: Sequence[Scenario], clock: str) -> list[Added]:
    """Return what policies add at every month of the pathway that they reach."""
    _, *others = policies(scenarios)
    months = scenarios[0].pathway.months.survival
    return [one for month in months for one in at_month(outcomes, others, clock, month)]


def at_month(outcomes: pd.DataFrame, compared: Sequence[Sequence[Scenario]], clock: str, month: float) -> list[Added]:
    """Return what policies add at a month, in their order. compared : each policy at its benefits"""
    rows = outcomes[(outcomes["clock"] == clock) & (outcomes["population"] == "all")]
    rows = rows[(rows["outcome"] == alive_at(month)) & rows["difference"].notna()]
    known: dict[str, Row] = {row["scenario"]: row for row in rows.to_dict("records")}
    added = []
    for scenario, *others in compared:
        if scenario.name in known:
            row = known[scenario.name]
            displayed = [other for other in others if other.marginal_benefit != BREAK_EVEN and other.name in known]
            displayed.sort(key=lambda other: other.marginal_benefit != COHORTS)
            other = (displayed[0], Difference.of_row(known[displayed[0].name])) if displayed else None
            before = row["estimate"] - row["difference"]
            added.append(Added(scenario, clock, month, before, Difference.of_row(row), other))
    return added


def title(added: Sequence[Added], first: str) -> str:
    """Return the statement of what is added to the first policy at a month, by a policy or by the one that adds most.

    Policies that change as many, as rounded, are named, too.
    """
    month, most = added[0].when, _changes_most(added)
    if len(added) == 1:
        (one,) = added
        words = one.difference.led(f"{one.difference.more_or_fewer} of {PER} alive {month} under {one.scenario.name}")
        if one.difference.more_or_fewer == EQUAL:
            words = f"{EQUAL} of {PER} are alive {month} under {one.scenario.name} as under {first}"
        return f"{IN_THE_MODEL}, {words}{one.difference.in_brackets}{_cautiously(one)}"
    if most is None:
        return f"{IN_THE_MODEL}, no policy clearly changes how many are alive {month}"
    words = f"{most.difference.more_or_fewer} of {PER} alive {month}{most.difference.in_brackets}"
    return f"{IN_THE_MODEL}, {most.scenario.name} changes most: {words}{_cautiously(most)}{_ties(added, most)}"


def _changes_most(added: Sequence[Added]) -> Added | None:
    """Return the largest of the clear differences; None where there is none."""
    clear = [one for one in added if one.difference.is_clear and one.difference.more_or_fewer != EQUAL]
    return max(clear, key=lambda one: abs(one.difference.value), default=None)


def _ties(added: Sequence[Added], most: Added) -> str:
    """Return the other policies whose difference is clear, and displayed as the same number."""
    number = most.difference.more_or_fewer
    alike = (one for one in added if one.difference.is_clear and one.difference.more_or_fewer == number)
    names = [one.scenario.name for one in alike if one is not most]
    listed_names, more = names[: MOST_NAMES - 1], len(names) - MOST_NAMES + 1
    rest = [f"{more} more {'policy' if more == 1 else 'policies'}"] if more > 0 else []
    return f"; also {number} under {listed([*listed_names, *rest])}" if listed_names else ""


def _cautiously(one: Added) -> str:
    if one.other is None or one.other[0].marginal_benefit != COHORTS:
        return ""
    return f"; cautious estimate {one.other[1]}"


def at_other_benefit(one: Added) -> str:
    """Return "cautious estimate: 14 more (95 % interval 0 to 32)"; empty without another benefit."""
    return "" if one.other is None else f"{benefit_in_words(one.other[0].name)}: {one.other[1]}"


def unseen(added: Sequence[Added], draws: int) -> str:
    """Return that no interval of these differences is known, and why; empty where one is."""
    known = any(math.isfinite(one.lower) for one in differences(added))
    return "" if known else intervals.unseen(draws)


def differences(added: Sequence[Added]) -> list[Difference]:
    """Return the difference of every policy or month, and that at its other benefit."""
    return [one for row in added for one in (row.difference, *(row.other[1:] if row.other else ()))]


def of_100(one: Added) -> tuple[int, int]:
    """Return how many of 100 are alive under the first policy, and how many more (or fewer) under this one."""
    before, more = round(PER * one.before), round(PER * one.difference.value)
    return before, min(max(more, -before), PER - before)


def title_of_100(added: Sequence[Added], first: str) -> str:
    """Return the statement of patients as dots: alive under the first policy, and more under the policy."""
    before = f"{rounding.number(added[0].before, 'probability')} are"
    # So few that no dot stands for them.
    before = "fewer than one is" if added[0].before > 0.0 and not of_100(added[0])[0] else before
    words = f"of {PER} {added[0].patients}, {before} alive {added[0].when} under {first}"
    most = _changes_most(added) if len(added) > 1 else added[0]
    if most is None:
        return f"{IN_THE_MODEL}, {words}; no policy clearly changes that"
    return f"{IN_THE_MODEL}, {words}; {most.difference} under {most.scenario.name}{_ties(added, most)}"


def shares_needed(outcomes: pd.DataFrame, margin: float) -> dict[str, Row]:
    """Return the row of the smallest share that must benefit of every policy that treats more, by its name."""
    is_share = outcomes["outcome"].str.startswith(f"break_even_for_{margin:g}_more_at_")
    return {row["scenario"]: row for row in outcomes[is_share].to_dict("records")}


def title_of_shares(needed: Mapping[str, Row], margin: float, month: float) -> str:
    """Return the statement of the shares that must benefit. needed : policy -> row"""
    more = f"{margin:g} more of {PER} alive at {in_words(month)}"
    if len(needed) == 1:
        (row,) = needed.values()
        sentence = share_needed(row, more)
        return f"{IN_THE_MODEL}, {sentence[0].lower()}{sentence[1:]}"
    names, kinds = list(needed)[:MOST_NAMES], intervals.kinds()
    shares = [f"{_of_additional(needed[name], kinds)} under {name}" for name in names]
    others = f" (and {len(needed) - MOST_NAMES} more policies)" if len(needed) > MOST_NAMES else ""
    return f"{IN_THE_MODEL}, for {more}, of {PER} additional patients must benefit: {', '.join(shares)}{others}"


def _of_additional(row: Row, kinds: Iterator[str]) -> str:
    share, ends = row["estimate"], ends_of_share(row)
    if not share <= 1.0:
        return intervals.MORE_THAN_ALL
    return f"{rounding.number(max(share, 0.0), 'probability')}{f' ({next(kinds)}{ends})' if ends else ''}"
