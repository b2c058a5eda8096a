"""The answers of a sensitivity analysis, a sentence or two a part. Terminal and figures print the same."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from simulator.analyses.sensitivity.alternatives import LEAST_EFFECTIVE
from simulator.analyses.sensitivity.lead import Lead
from simulator.analyses.sensitivity.prcc import LEAST_EFFECTIVE as LEAST_RANKED
from simulator.analyses.sensitivity.question import Decision, Question
from simulator.analyses.sensitivity.run import SEEN, Sensitivity
from simulator.analyses.sensitivity.value_of_information import EVERYTHING
from simulator.outcomes.labels import label
from simulator.pathway.outcome_months import in_words
from simulator.plain_text import listed
from simulator.scenario.scenario import COHORTS
from simulator.wording import rounding
from simulator.wording.difference import Difference
from simulator.wording.headline import of_100
from simulator.wording.intervals import in_brackets

NAMED = 3
"""Inputs that a sentence names."""

CENTRE, ENDS = "outcome_at_centre", ("outcome_at_low", "outcome_at_high")

EMPTY = "No parameter has a value to show here."
NOT_INFORMED = "* not informed by the cohort: the value rests on the prior or on an assumption."

TITLES = {
    "tornado": "One parameter at a time",
    "prcc": "What the outcome depends on, over all parameter sets",
    "sobol": "Shares of the variance",
    "structure": "Other shapes of the sojourn times",
    "priors": "One assumed prior weakened at a time",
    "evppi": "Value of knowing a parameter",
}


def answer(analysis: Sensitivity) -> str:
    """Return the answer of `run` or `compare`, then the sentences of every part, and why numbers are missing."""
    parts = [sentence(analysis, part) for part in analysis.tables]
    return " ".join(text for text in (_lead(analysis), *parts, analysis.inputs.blank_in_words) if text)


def sentence(analysis: Sensitivity, part: str) -> str:
    """Return the answer of one part."""
    sentences: dict[str, Callable[[Sensitivity, pd.DataFrame], str]] = {
        "tornado": _tornado,
        "prcc": _prcc,
        "sobol": _sobol,
        "structure": _structure,
        "priors": _priors,
        "evppi": _evppi,
    }
    return sentences[part](analysis, analysis.tables[part])


def factor(question: Question) -> float:
    """Return the factor from a value to its display: probabilities are displayed per 100 patients."""
    return rounding.factor(unit_of(question))


def number(question: Question, value: float) -> str:
    """Return "13", "+13" for a difference, "2.4"; a dash for a missing value."""
    sign = "" if question.base is None else "+"
    return rounding.number(value, unit_of(question), sign=sign)


def interval(question: Question, lower: float, upper: float, estimate: float) -> str:
    """Return "+2 to +13" with the decimals of its estimate, as every table has it; empty where none can be seen."""
    sign = "" if question.base is None else "+"
    return " to ".join(rounding.interval(lower, upper, unit_of(question), estimate, sign=sign) or ())


def change(question: Question, row: Any) -> str:
    """Return a change and its standard error: "+0.42 ± 0.02"."""
    by, error = (factor(question) * row[column] for column in ("change", "change_se"))
    places = 1 if abs(by) >= 1 else 2
    return f"{rounding.fixed(by, places, sign='+')} \N{PLUS-MINUS SIGN} {error:.{places}f}"


def measured(question: Question) -> str:
    """Return the label of the question's outcome: "alive at 12 months, %: policy less baseline"."""
    scenarios = question.scenario.name
    if question.base is not None:
        scenarios = f"{scenarios} less {question.base.name}"
    pathway = question.scenario.pathway
    since = "" if question.clock == pathway.clock else f" from {question.clock}"
    population = "" if question.population == "all" else f", {question.population}"
    return f"{label(question.outcome, pathway)}{since}{population}: {scenarios}"


def caption(analysis: Sensitivity, part: str, count: int, displayed: int) -> str:
    """Return the title of a part's table, the meaning of its numbers, and how many of its rows are shown."""
    outcome = measured(analysis.question)
    meanings = {
        "tornado": f"{outcome}, at the ends of 95 % intervals, other parameters at their medians",
        "prcc": "partial rank correlation with 95 % interval",
        "sobol": "shares of the variance with 95 % intervals; inputs assumed independent",
        "structure": f"{outcome}; parameters matched, not refitted",
        "priors": f"{outcome}; parameter sets reweighted",
    }
    if (decision := analysis.question.decision) is not None:
        meanings["evppi"] = f"{decision.unit}s per 100 patients \N{PLUS-MINUS SIGN} standard error"
    more = f"; the first {displayed} of {count}" if count > displayed else ""
    return f"{TITLES[part]} ({part}); {meanings[part]}{more}"


def _lead(analysis: Sensitivity) -> str:
    """Return the first sentences: the estimates of `compare` at each marginal benefit."""
    first, *others = analysis.leads
    sentences = [f"{_estimates(analysis.question, first)}."]
    for lead in others:
        suggested = "If they benefit as other cohorts suggest, as varied here"
        half = "If only half of them benefit (an assumption), the middle of the range varied here"
        sentences = [f"{sentences[0][:-1]}, if additional patients benefit as today's treated do."]
        premise = suggested if lead.benefit == COHORTS else half
        sentences.append(f"{premise}: {answer_of(analysis.question, lead)}.")
    return " ".join(sentences)


def _estimates(question: Question, lead: Lead) -> str:
    """Return "Of 100 patients who fall ill, 26 more are alive at 12 months under A: 58 instead of 32 under B"."""
    alive, pathway = re.fullmatch(r"os_([\d.]+)", question.outcome), question.scenario.pathway
    if alive is None or question.population != "all" or question.clock != pathway.clock:
        title = measured(question)
        text = f"{title[0].upper()}{title[1:]}: {answer_of(question, lead)}"
    else:
        are = f"are alive at {in_words(alive[1])} under {question.scenario.name}"
        answer = answer_of(question, lead)
        if isinstance(answer, Difference):
            text = answer.lead(f"{of_100(pathway)}, {answer.words} {are}")
        else:
            text = f"{of_100(pathway)}, {answer} {are}"
    if question.base is None or not lead.options:
        return text
    before, after = (rounding.number(float(option.estimate), unit_of(question)) for option in lead.options)
    return f"{text}: {after} instead of {before} under {question.base.name}"


def answer_of(question: Question, lead: Lead) -> Difference | str:
    """Return the outcome or its difference with its interval: "26 more (95 % interval 15 to 39)"."""
    estimate, lower, upper = (float(end) for end in lead.answer[:3])
    if question.base is not None and math.isfinite(estimate):
        return Difference(estimate, lower, upper, lead.same_sign, unit_of(question))
    return number(question, estimate) + in_brackets(lower, upper, unit_of(question), estimate)


def unit_of(question: Question) -> str:
    """Return the unit of the outcome in the tables."""
    return question.units()[question.outcome]


def _tornado(analysis: Sensitivity, table: pd.DataFrame) -> str:
    question = analysis.question
    rows = [row for row in _top(table) if row["swing"] > SEEN]
    middle = f"With every parameter at its median, the outcome is {number(question, float(table[CENTRE].iloc[0]))}."
    if table["swing"].isna().all():
        return f"{middle} No parameter varies alone."
    if not rows:
        return f"{middle} No parameter changes it."
    rows = [row for row in rows if any(number(question, row[end]) != number(question, row[CENTRE]) for end in ENDS)]
    if not rows:
        return f"{middle} No parameter changes it visibly."
    ends = [" to ".join(number(question, end) for end in sorted(row[end] for end in ENDS)) for row in rows]
    moved = [f"{row['parameter']} ({end})" for row, end in zip(rows, ends, strict=True)]
    verb = "changes" if len(moved) == 1 else "change"
    return f"{middle} Each varied over its 95 % interval, {listed(moved)} {verb} it most."


def _prcc(analysis: Sensitivity, table: pd.DataFrame) -> str:
    moved = [
        f"{row['parameter']} ({rounding.fixed(row['prcc'], 2, sign='+')})" for row in _top(table[table["prcc"].notna()])
    ]
    count = len(analysis.inputs.draws)
    if not moved and count < len(analysis.inputs.names) + 4:
        return f"{count} parameter sets are too few to rank {len(analysis.inputs.names)} parameters."
    if not moved:
        return f"Over {count} parameter sets, no parameter can be ranked.{_unranked(analysis, table)}"
    most = f"the outcome correlates most with {listed(moved)}"
    return f"Over {count} parameter sets, with the other parameters held, {most}.{_unranked(analysis, table)}"


def _unranked(analysis: Sensitivity, table: pd.DataFrame) -> str:
    """Return " The correlation of a rests on fewer than 20 parameter sets and is omitted."; empty if all are ranked."""
    few = table.loc[table["effective_draws"] < LEAST_RANKED, "parameter"]
    names = [name for name in few if name not in analysis.inputs.blank]
    if not names:
        return ""
    verb, are = ("rest", "are") if len(names) > 1 else ("rests", "is")
    correlations = f"The correlation{'s' * (len(names) > 1)} of {listed(names)}"
    return f" {correlations} {verb} on fewer than {LEAST_RANKED:g} parameter sets and {are} omitted."


def _sobol(analysis: Sensitivity, table: pd.DataFrame) -> str:
    known = table[table["total"].notna()]
    if known.empty:
        return "No parameter has a share of the variance to show."
    # An estimated share may lie above 1; a share whose interval reaches 0 is not known.
    known = known[known["total_lower"] > 0]
    if known.empty:
        count = analysis.manifest["sobol_samples"]
        return f"{count} samples are too few to attribute the variance to any parameter: use --samples {4 * count}."
    moved = [f"{_siblings(row)} ({100 * min(row['total'], 1.0):.0f} %)" for row in _top(known)]
    return f"Most of the variance, interactions included, is due to {listed(moved)}."


def _structure(analysis: Sensitivity, table: pd.DataFrame) -> str:
    other = table.iloc[1:]
    if other.empty:
        return "No sojourn time of the pathway can have another shape."
    most = other.iloc[int(other["change"].abs().argmax())]
    return (
        f"Other shapes of sojourn times change it by {change(analysis.question, most)} at most ({most['alternative']})."
    )


def _priors(analysis: Sensitivity, table: pd.DataFrame) -> str:
    other = table.iloc[1:]
    unknown = unknown_priors(table)
    missing = f" For {unknown}, the effect is unknown without a new fit." if unknown else ""
    known = other[other["change"].notna()]
    if known.empty:
        return f"No assumed prior was weakened.{missing}"
    most = known.iloc[int(known["change"].abs().argmax())]
    name = most["alternative"].replace(" ", ", ")
    by = change(analysis.question, most)
    count = "1 assumed prior" if len(known) == 1 else f"{len(known)} assumed priors"
    return f"Of {count}, weakening the prior of {name} changes it most, by {by}.{missing}"


def unknown_priors(table: pd.DataFrame) -> int:
    """Return of how many priors the effect is not known: too few reweighted parameter sets would count."""
    return int((table["effective_draws"].iloc[1:] < LEAST_EFFECTIVE).sum())


def _evppi(analysis: Sensitivity, table: pd.DataFrame) -> str:
    question, everything = analysis.question, table.iloc[0]
    assert question.base is not None
    assert question.decision is not None
    decision = question.decision
    choice = f"For the choice between {question.base.name} and {question.scenario.name}, {costs(question)}:"
    if everything["value"] < decision.worth:
        return f"{choice} {nothing_worth(decision)}"
    known = table[(table["parameter"] != EVERYTHING) & (table["value"] > 2.0 * table["standard_error"])]
    perfect = f"perfect information would be worth {worth(decision, everything)} {decision.unit}s per 100 patients"
    if known.empty:
        return f"{choice} {perfect}, but the worth of no single number exceeds twice its error."
    named = [f"{row['parameter']} ({worth(decision, row)})" for row in _top(known)]
    then = f", then {listed(named[1:])}" if named[1:] else ""
    return f"{choice} {perfect}. The number to measure next is {named[0]}{then}."


def costs(question: Question) -> str:
    """Return "with bed-months at 1 life-month each", or that nothing costs."""
    decision, counts = question.decision, question.scenario.pathway.counts
    assert decision is not None
    counted = [f"{counts[name].label} at {_units(decision, rate)} each" for name, rate in decision.costs.items()]
    return f"with {', '.join(counted)}" if counted else "without costs"


def nothing_worth(decision: Decision) -> str:
    """Return "perfect information would be worth less than 1 life-month per 100 patients."."""
    return f"perfect information would be worth less than {_units(decision, decision.worth)} per 100 patients."


def _units(decision: Decision, count: float) -> str:
    """Return "1 life-month", "0.2 survivors"."""
    return f"{count:g} {decision.unit}{'' if count == 1 else 's'}"


def worth(decision: Decision, row: Any) -> str:
    """Return the value of information and its standard error: "2.3 \N{PLUS-MINUS SIGN} 0.4"."""
    value, error = (in_units(decision, row[column]) for column in ("value", "standard_error"))
    return f"{value} \N{PLUS-MINUS SIGN} {error}"


def in_units(decision: Decision, count: float) -> str:
    """Return a number of a decision's units, with a decimal more than its least worth."""
    return f"{count:.{1 if decision.worth >= 1.0 else 2}f}"


def _siblings(row: Any) -> str:
    """Return an input's name, or the names of siblings: "share_a with share_b, share_c"."""
    first, *others = row["together"].split() or [row["parameter"]]
    return f"{first} with {', '.join(others)}" if others else str(first)


def _top(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.head(NAMED).to_dict("records")
