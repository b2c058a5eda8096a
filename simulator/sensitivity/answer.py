"""What a sensitivity analysis says, a sentence or two a part; terminal and figures say the same words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from simulator import rounding
from simulator.answer import EQUAL, more_or_fewer, of_100
from simulator.outcome_words import label
from simulator.sensitivity.information import EVERYTHING
from simulator.sensitivity.question import Question
from simulator.sensitivity.run import SEEN, Sensitivity
from simulator.sensitivity.spread import LEAST_EFFECTIVE

NAMED = 3
"""Inputs that a sentence names."""

CENTRE, ENDS = "outcome_at_centre", ("outcome_at_low", "outcome_at_high")

WORTH = 1.0
"""Life-months per 100 patients: less is not worth a registry."""

TITLES = {
    "tornado": "One parameter at a time",
    "prcc": "What the outcome goes with, over all draws",
    "sobol": "Shares of the variance",
    "structure": "Other shapes of the sojourn times",
    "priors": "Without one assumed prior",
    "evppi": "What it is worth to know",
}


def answer(found: Sensitivity) -> str:
    """Return the sentences of every part, what answers first."""
    return " ".join(sentence(found, part) for part in found.tables)


def sentence(found: Sensitivity, part: str) -> str:
    """Return what one part says."""
    saying: dict[str, Callable[[Sensitivity, pd.DataFrame], str]] = {
        "tornado": _tornado,
        "prcc": _prcc,
        "sobol": _sobol,
        "structure": _structure,
        "priors": _priors,
        "evppi": _evppi,
    }
    return saying[part](found, found.tables[part])


def factor(question: Question) -> float:
    """Return by what values are multiplied to be shown: probabilities are told of 100 patients."""
    return rounding.factor(question.units()[question.outcome])


def number(question: Question, value: float) -> str:
    """Return "13", "+13" of a difference, "2.4"; "-" where there is none."""
    sign = "" if question.base is None else "+"
    return rounding.number(value, question.units()[question.outcome], sign=sign)


def change(question: Question, row: Any) -> str:
    """Return "+0.42 ± 0.02", a change and its standard error."""
    by, error = (factor(question) * row[each] for each in ("change", "change_se"))
    places = 1 if abs(by) >= 1 else 2
    return f"{by:+z.{places}f} \N{PLUS-MINUS SIGN} {error:.{places}f}"


def measured(question: Question) -> str:
    """Return what is measured: "alive at 12 months, %: policy less baseline"."""
    who = question.scenario.name
    if question.base is not None:
        who = f"{who} less {question.base.name}"
    pathway = question.scenario.pathway
    since = "" if question.clock == pathway.clock else f" from {question.clock}"
    whom = "" if question.population == "all" else f", {question.population}"
    return f"{label(question.outcome, pathway)}{since}{whom}: {who}"


def _stated(question: Question, value: float) -> str:
    """Return a value as the beginning of a sentence."""
    alive, pathway = re.fullmatch(r"os_([\d.]+)", question.outcome), question.scenario.pathway
    if alive is None or question.population != "all" or question.clock != pathway.clock:
        told = measured(question)
        return f"{told[0].upper()}{told[1:]}: {number(question, value)}"
    who = of_100(pathway)
    when = f"alive at {alive[1]} months under {question.scenario.name}"
    if question.base is None:
        return f"{who}, {number(question, value)} are {when}"
    more = more_or_fewer(value)
    return f"{who}, {more} are {when} {'as' if more == EQUAL else 'than'} under {question.base.name}"


def _tornado(found: Sensitivity, table: pd.DataFrame) -> str:
    asked = found.question
    rows = [row for row in _top(table) if row["swing"] > SEEN]
    middle = f"{_stated(asked, float(table[CENTRE].iloc[0]))}, with every parameter at its median."
    if not rows:
        return f"{middle} No parameter changes that."
    rows = [row for row in rows if any(number(asked, row[end]) != number(asked, row[CENTRE]) for end in ENDS)]
    if not rows:
        return f"{middle} No parameter changes that by as much as is shown."
    moved = [
        f"{row['parameter']} ({number(asked, row['outcome_at_low'])} to {number(asked, row['outcome_at_high'])})"
        for row in rows
    ]
    return f"{middle} Over its own 95 % interval, what moves it most is {_listed(moved)}."


def _prcc(found: Sensitivity, table: pd.DataFrame) -> str:
    moved = [f"{row['parameter']} ({row['prcc']:+.2f})" for row in _top(table)]
    count = len(found.inputs.draws)
    return f"Over {count} draws, with the other parameters held, it goes most closely with {_listed(moved)}."


def _sobol(found: Sensitivity, table: pd.DataFrame) -> str:
    moved = [f"{_together(row)} ({100 * row['total']:.0f} %)" for row in _top(table)]
    return f"Most of its variance, interactions included, goes with {_listed(moved)}."


def _structure(found: Sensitivity, table: pd.DataFrame) -> str:
    other = table.iloc[1:]
    if other.empty:
        return "No time of the pathway can have another shape."
    most = other.iloc[int(other["change"].abs().argmax())]
    return f"Other shapes of the times change it by {change(found.question, most)} at most ({most['alternative']})."


def _priors(found: Sensitivity, table: pd.DataFrame) -> str:
    other = table.iloc[1:]
    untold = int((other["effective_draws"] < LEAST_EFFECTIVE).sum())
    missing = f" Of {untold} nothing can be told without a new fit." if untold else ""
    told = other[other["change"].notna()]
    if told.empty:
        return f"No assumed prior was left out.{missing}"
    most = told.iloc[int(told["change"].abs().argmax())]
    name = most["alternative"].replace(" ", ", ")
    by = change(found.question, most)
    count = "1 assumed prior" if len(told) == 1 else f"{len(told)} assumed priors"
    return f"Of {count}, leaving out that of {name} changes it most, by {by}.{missing}"


def _evppi(found: Sensitivity, table: pd.DataFrame) -> str:
    asked, everything = found.question, table.iloc[0]
    assert asked.base is not None
    assert asked.decision is not None
    costs = ", ".join(f"{name} at {_life_months(rate)} each" for name, rate in asked.decision.costs.items())
    counted = f", with {costs}" if costs else ", costs left out"
    choice = f"For the choice between {asked.base.name} and {asked.scenario.name}{counted}:"
    if everything["value"] < WORTH:
        return f"{choice} to know everything would be worth less than {_life_months(WORTH)} per 100 patients."
    known = table[(table["parameter"] != EVERYTHING) & (table["value"] > 2.0 * table["standard_error"])]
    worth = f"to know everything would be worth {_error(everything)} life-months per 100 patients"
    if known.empty:
        return f"{choice} {worth}, but no single number alone shows a value: they matter together."
    named = [f"{row['parameter']} ({_error(row)})" for row in _top(known)]
    return f"{choice} {worth}. The number to collect next is {named[0]}{_then(named[1:])}."


def _life_months(count: float) -> str:
    return f"{count:g} life-month{'' if count == 1 else 's'}"


def _then(named: list[str]) -> str:
    return f", then {_listed(named)}" if named else ""


def _error(row: Any) -> str:
    return f"{row['value']:.1f} \N{PLUS-MINUS SIGN} {row['standard_error']:.1f}"


def _together(row: Any) -> str:
    """Return an input's name, or those of siblings: "share_a with share_b, share_c"."""
    first, *others = row["together"].split() or [row["parameter"]]
    return f"{first} with {', '.join(others)}" if others else str(first)


def _top(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.head(NAMED).to_dict("records")]


def _listed(words: list[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
