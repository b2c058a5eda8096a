"""What a sensitivity analysis says, a sentence or two a part; terminal and figures say the same words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from simulator.analyses.sensitivity.alternatives import LEAST_EFFECTIVE
from simulator.analyses.sensitivity.inputs import listed
from simulator.analyses.sensitivity.lead import Lead
from simulator.analyses.sensitivity.prcc import LEAST_EFFECTIVE as LEAST_RANKED
from simulator.analyses.sensitivity.question import Question
from simulator.analyses.sensitivity.run import SEEN, Sensitivity
from simulator.analyses.sensitivity.value_of_information import EVERYTHING, WORTH
from simulator.outcomes.labels import label
from simulator.pathway.outcome_months import in_words
from simulator.scenario.scenario import COHORTS
from simulator.wording import rounding
from simulator.wording.headline import difference_in_words, of_100

NAMED = 3
"""Inputs that a sentence names."""

CENTRE, ENDS = "outcome_at_centre", ("outcome_at_low", "outcome_at_high")

NOTHING_WORTH = f"to know everything would be worth less than {WORTH:g} life-month per 100 patients."

TITLES = {
    "tornado": "One parameter at a time",
    "prcc": "What the outcome goes with, over all draws",
    "sobol": "Shares of the variance",
    "structure": "Other shapes of the sojourn times",
    "priors": "Without one assumed prior",
    "evppi": "What it is worth to know",
}


def answer(found: Sensitivity) -> str:
    """Return what `run` or `compare` answers, then the sentences of every part, and why numbers are left out."""
    said = [_lead(found), *(sentence(found, part) for part in found.tables), found.inputs.blank_in_words]
    return " ".join(each for each in said if each)


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
    return rounding.factor(_unit(question))


def number(question: Question, value: float) -> str:
    """Return "13", "+13" of a difference, "2.4"; "-" where there is none."""
    sign = "" if question.base is None else "+"
    return rounding.number(value, _unit(question), sign=sign)


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


def _lead(found: Sensitivity) -> str:
    """Return the first sentences: the estimates of `compare`, for each benefit that it shows."""
    first, *others = found.leads
    said = [f"{_estimates(found.question, first)}."]
    varied = "what varies here" if others and others[0].benefit == COHORTS else "the middle of what varies here"
    for each in others:
        whom = "other cohorts suggest" if each.benefit == COHORTS else "half of today's patients do (an assumption)"
        said = [f"{said[0][:-1]}, if additional patients benefit as today's do."]
        said.append(f"If they benefit as {whom}, {varied}: {_difference(found.question, each)}.")
    return " ".join(said)


def _estimates(question: Question, lead: Lead) -> str:
    """Return "Of 100 patients who fall ill, 26 more are alive at 12 months under A: 58 instead of 32 under B"."""
    alive, pathway = re.fullmatch(r"os_([\d.]+)", question.outcome), question.scenario.pathway
    if alive is None or question.population != "all" or question.clock != pathway.clock:
        told = measured(question)
        said = f"{told[0].upper()}{told[1:]}: {_difference(question, lead)}"
    else:
        are = f"are alive at {in_words(alive[1])} under {question.scenario.name}"
        said = f"{of_100(pathway)}, {_difference(question, lead)} {are}"
    if question.base is None or not lead.options:
        return said
    before, after = (rounding.number(float(option.estimate), _unit(question)) for option in lead.options)
    return f"{said}: {after} instead of {before} under {question.base.name}"


def _difference(question: Question, lead: Lead) -> str:
    """Return the outcome or its difference with its interval: "26 more (95 % interval 15 to 39)"."""
    estimate, lower, upper = (float(each) for each in lead.asked[:3])
    if question.base is not None and _unit(question) == "probability":
        return difference_in_words(estimate, lower, upper)
    ends = rounding.interval(lower, upper, _unit(question), estimate, sign="" if question.base is None else "+")
    return number(question, estimate) + ("" if ends is None else f" (95 % interval {ends[0]} to {ends[1]})")


def _unit(question: Question) -> str:
    return question.units()[question.outcome]


def _tornado(found: Sensitivity, table: pd.DataFrame) -> str:
    asked = found.question
    rows = [row for row in _top(table) if row["swing"] > SEEN]
    middle = f"With every parameter at its median it is {number(asked, float(table[CENTRE].iloc[0]))}."
    if table["swing"].isna().all():
        return f"{middle} No parameter moves alone."
    if not rows:
        return f"{middle} No parameter changes that."
    rows = [row for row in rows if any(number(asked, row[end]) != number(asked, row[CENTRE]) for end in ENDS)]
    if not rows:
        return f"{middle} No parameter changes that by as much as is shown."
    moved = [
        f"{row['parameter']} ({number(asked, row['outcome_at_low'])} to {number(asked, row['outcome_at_high'])})"
        for row in rows
    ]
    return f"{middle} Over its own 95 % interval, what moves it most is {listed(moved)}."


def _prcc(found: Sensitivity, table: pd.DataFrame) -> str:
    moved = [f"{row['parameter']} ({row['prcc']:+.2f})" for row in _top(table[table["prcc"].notna()])]
    count = len(found.inputs.draws)
    if not moved and count < len(found.inputs.names) + 4:
        return f"{count} draws are too few to rank {len(found.inputs.names)} parameters."
    if not moved:
        return f"Over {count} draws no parameter can be ranked.{_few(found, table)}"
    most = f"it goes most closely with {listed(moved)}"
    return f"Over {count} draws, with the other parameters held, {most}.{_few(found, table)}"


def _few(found: Sensitivity, table: pd.DataFrame) -> str:
    """Return " The correlation of a rests on fewer than 20 draws and is left out."; empty where there are none."""
    few = table.loc[table["effective_draws"] < LEAST_RANKED, "parameter"]
    names = [name for name in few if name not in found.inputs.blank]
    if not names:
        return ""
    verb, are = ("rest", "are") if len(names) > 1 else ("rests", "is")
    what = f"The correlation{'s' * (len(names) > 1)} of {listed(names)}"
    return f" {what} {verb} on fewer than {LEAST_RANKED:g} draws and {are} left out."


def _sobol(found: Sensitivity, table: pd.DataFrame) -> str:
    told = table[table["total"].notna()]
    if told.empty:
        return "No parameter has a share of its variance to show."
    # An estimated share may lie above 1, and one whose interval reaches 0 says nothing.
    told = told[told["total_lower"] > 0]
    if told.empty:
        count = found.manifest["sobol_samples"]
        return f"{count} samples are too few to say what share of its variance goes with any: --samples {4 * count}."
    moved = [f"{_together(row)} ({100 * min(row['total'], 1.0):.0f} %)" for row in _top(told)]
    return f"Most of its variance, interactions included, goes with {listed(moved)}."


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
        return f"{choice} {NOTHING_WORTH}"
    known = table[(table["parameter"] != EVERYTHING) & (table["value"] > 2.0 * table["standard_error"])]
    worth = f"to know everything would be worth {_error(everything)} life-months per 100 patients"
    if known.empty:
        return f"{choice} {worth}, but no single number alone shows a value: they matter together."
    named = [f"{row['parameter']} ({_error(row)})" for row in _top(known)]
    return f"{choice} {worth}. The number to collect next is {named[0]}{_then(named[1:])}."


def _life_months(count: float) -> str:
    return f"{count:g} life-month{'' if count == 1 else 's'}"


def _then(named: list[str]) -> str:
    return f", then {listed(named)}" if named else ""


def _error(row: Any) -> str:
    return f"{row['value']:.1f} \N{PLUS-MINUS SIGN} {row['standard_error']:.1f}"


def _together(row: Any) -> str:
    """Return an input's name, or those of siblings: "share_a with share_b, share_c"."""
    first, *others = row["together"].split() or [row["parameter"]]
    return f"{first} with {', '.join(others)}" if others else str(first)


def _top(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.head(NAMED).to_dict("records")]
