"""What the figures of a sensitivity analysis say: a statement a part, and the estimates that it is about."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from simulator.analyses.sensitivity.alternatives import LEAST_EFFECTIVE
from simulator.analyses.sensitivity.inputs import Inputs
from simulator.analyses.sensitivity.lead import Lead
from simulator.analyses.sensitivity.question import Decision, Question
from simulator.analyses.sensitivity.run import SEEN, Sensitivity
from simulator.analyses.sensitivity.value_of_information import EVERYTHING
from simulator.outcomes.labels import words_and_unit
from simulator.outcomes.summaries import PER
from simulator.plain_text import capital
from simulator.scenario.scenario import COHORTS
from simulator.wording import rounding
from simulator.wording.added import IN_THE_MODEL
from simulator.wording.difference import Difference
from simulator.wording.sensitivity import answer_of, factor, in_units, number, unit_of, unknown_priors

LEAST: Mapping[str, tuple[str, float]] = {"tornado": ("swing", 1.0), "prcc": ("prcc", 0.1), "sobol": ("total", 0.01)}
"""Part -> column and size of the smallest row that is drawn."""

FEWEST = 3
"""Rows that are drawn however small they are."""

Row = Mapping[Any, Any]


def title(analysis: Sensitivity, part: str) -> str:
    """Return what a part's figure says."""
    statements: Mapping[str, Callable[[Sensitivity, pd.DataFrame], str]] = {
        "tornado": _tornado,
        "prcc": _prcc,
        "sobol": _sobol,
        "structure": _structure,
        "priors": _priors,
        "evppi": _evppi,
    }
    return f"{IN_THE_MODEL}, {statements[part](analysis, analysis.tables[part])}"


def estimates(analysis: Sensitivity) -> str:
    """Return the estimates that `compare` leads with, and which of them the figure is about."""
    question, (first, *others) = analysis.question, analysis.leads
    if not others:
        return f"Estimate: {_of_100(question, first)}."
    (other,) = others
    premise = "other cohorts suggest" if other.benefit == COHORTS else "half of today's treated do (an assumption)"
    return (
        f"Here {_of_100(question, other)}, if the newly treated benefit as {premise}; "
        f"{_of_100(question, first)}, if they benefit as today's treated do."
    )


def _of_100(question: Question, lead: Lead) -> str:
    """Return an estimate with its interval: "14 more of 100 (95 % interval 0 to 32)"."""
    answer = answer_of(question, lead)
    if isinstance(answer, Difference):
        unit = f" of {PER}" if answer.unit == "probability" else _points(question)
        return answer.led(f"{answer.more_or_fewer}{unit}{answer.in_brackets}")
    value, _, interval = answer.partition(" ")
    return f"{value}{_points(question)}{interval and f' {interval}'}"


def meaning(inputs: Inputs, name: str) -> str:
    """Return an input in words, with a capital; the text before a semicolon."""
    return capital(_words(inputs, name))


def drawn(analysis: Sensitivity, part: str, most: int) -> pd.DataFrame:
    """Return the rows that a figure shows: those with numbers, of at least the size in `LEAST`, `most` of them."""
    table = analysis.tables[part]
    if part == "evppi":
        assert analysis.question.decision is not None
        worthwhile = table["value"].iloc[0] >= analysis.question.decision.worth
        return table[(table["value"] > 0.0) | (table.index == 0)].head(most) if worthwhile else table.head(0)
    if part not in LEAST:
        return table.head(most if len(table) > 1 else 0)
    size = _sizes(analysis, part)
    return table.loc[(size > SEEN) & ((size >= _least(analysis, part)) | (size.index < FEWEST))].head(most)


def omitted(analysis: Sensitivity, part: str, displayed: pd.DataFrame) -> str:
    """Return how many rows with numbers a figure leaves out, and how small they are; empty if none."""
    if part not in LEAST:
        rest = len(analysis.tables[part]) - len(displayed) - (part in ("structure", "priors"))
        return f"{rest} more in {part}.csv" if rest and part != "evppi" else ""
    size = _sizes(analysis, part).drop(displayed.index).dropna()
    if size.empty:
        return ""
    least = _least(analysis, part)
    if _sizes(analysis, part).loc[displayed.index].min() < least:
        return f"{len(size)} more, each smaller"
    bound = least if size.max() < least else math.ceil(size.max() / least) * least
    words = {"prcc": f"{bound:.1f} in size", "sobol": f"{100 * bound:.0f} %"}
    return f"{len(size)} more, each under {words.get(part) or _in_unit(analysis.question, bound)}"


def _sizes(analysis: Sensitivity, part: str) -> pd.Series[float]:
    sizes = analysis.tables[part][LEAST[part][0]].abs()
    return sizes * factor(analysis.question) if part == "tornado" else sizes


def _least(analysis: Sensitivity, part: str) -> float:
    return 0.1 if part == "tornado" and unit_of(analysis.question) == "months" else LEAST[part][1]


def _in_unit(question: Question, size: float) -> str:
    unit = unit_of(question)
    words = "point" if unit == "probability" else "month" if unit == "months" else "of 100"
    return f"{size:g} {words}{'s' if words != 'of 100' and size != 1 else ''}"


def _it(question: Question) -> str:
    """Return the outcome in words: "the difference in survival at 12 months (policy less base)"."""
    words, _ = words_and_unit(question.outcome, question.scenario.pathway)
    words = re.sub("^alive at", "survival at", words)
    whose = "" if question.population == "all" else f" of {question.population}"
    since = "" if question.clock == question.scenario.pathway.clock else f" from {question.clock}"
    if question.base is None:
        return f"{words}{since}{whose} under {question.scenario.name}"
    return f"the difference in {words}{since}{whose} ({question.scenario.name} less {question.base.name})"


def _points(question: Question) -> str:
    """Return the unit behind two numbers of the outcome: " points", " %", " months"."""
    unit = unit_of(question)
    if unit == "probability":
        return " %" if question.base is None else " points"
    return f" {unit}" if unit == "months" else ""


def _tornado(analysis: Sensitivity, table: pd.DataFrame) -> str:
    question, it = analysis.question, _it(analysis.question)
    rows = [row for row in table.to_dict("records") if row["swing"] > SEEN]
    if not rows:
        return f"no number alone moves {it}"
    first, *others = rows
    # As the table has them, not with the decimals of an estimate.
    ends = [number(question, end) for end in sorted((first["outcome_at_low"], first["outcome_at_high"]))]
    if ends[0] == ends[1]:
        return f"no number alone moves {it} visibly"
    most = f"{it} depends most on the {_words(analysis.inputs, first['parameter'])}: {' to '.join(ends)}"
    next_most = f"; every other number moves it by {_swing(question, others[0])} or less" if others else ""
    return f"{most}{_points(question)}{next_most}"


def _swing(question: Question, row: Row) -> str:
    return rounding.number(row["swing"], unit_of(question))


def _prcc(analysis: Sensitivity, table: pd.DataFrame) -> str:
    known = table[table["prcc"].notna()].to_dict("records")
    it = _it(analysis.question)
    if not known:
        return f"{len(analysis.inputs.draws)} parameter sets are too few to rank what {it} depends on"
    value, lower, upper = (rounding.fixed(known[0][name], 2, sign="+") for name in ("prcc", "lower", "upper"))
    words = _words(analysis.inputs, known[0]["parameter"])
    return f"{it} correlates most with the {words}: {value} (95 % interval {lower} to {upper})"


def _sobol(analysis: Sensitivity, table: pd.DataFrame) -> str:
    it = _it(analysis.question)
    known = table[table["total"].notna() & (table["total_lower"] > 0)].to_dict("records")
    if not known:
        return f"{analysis.manifest['sobol_samples']} samples are too few to say what {it} varies with"
    row = known[0]
    share, lower, upper = (f"{100 * min(max(row[name], 0.0), 1.0):.0f}" for name in SHARES)
    siblings = row["together"].split()
    others = f" and {len(siblings) - 1} more that belong to it" if len(siblings) > 1 else ""
    words = f"the {_words(analysis.inputs, row['parameter'])}{others}"
    return f"{share} % of the variance of {it} is due to {words} (95 % interval {lower} to {upper} %)"


SHARES = ("total", "total_lower", "total_upper")


def noisy_shares(analysis: Sensitivity, table: pd.DataFrame) -> str:
    """Return that shares of the variance, or their intervals, above 100 % are noise, and how to lessen it.

    Empty if there are none.
    """
    if not (table[["first_order_upper", "total_upper"]] > 1.0).any(axis=None):
        return ""
    samples = 4 * analysis.manifest["sobol_samples"]
    return f" Estimated above 100 % by noise, drawn at 100 %: use --samples {samples}."


def _structure(analysis: Sensitivity, table: pd.DataFrame) -> str:
    return _moved(analysis, table, "other shapes of the sojourn times move", "no sojourn time can have another shape")


def _priors(analysis: Sensitivity, table: pd.DataFrame) -> str:
    unknown = unknown_priors(table)
    missing = f"; for {unknown} of {len(table) - 1} priors it is unknown" if unknown else ""
    moved = _moved(analysis, table, "weakening one assumed prior at a time moves", "no assumed prior can be weakened")
    return f"{moved}{missing}"


def _moved(analysis: Sensitivity, table: pd.DataFrame, moves: str, nothing: str) -> str:
    question, it = analysis.question, _it(analysis.question)
    known = table.iloc[1:][lambda rows: (rows["effective_draws"] >= LEAST_EFFECTIVE) & rows["change"].notna()]
    if known.empty:
        return nothing
    changes = factor(question) * np.array([known["change"].min(), known["change"].max()])
    places = 1 if np.abs(changes).max() >= 1 else 2
    if np.abs(changes).max() < 0.005:
        return f"{moves} {it} by less than 0.01{_unit_of_change(question)}"
    by = " to ".join(dict.fromkeys(rounding.fixed(change, places, sign="+") for change in changes))
    whole = " to ".join(dict.fromkeys(ends(analysis, table.iloc[0].to_dict())))
    return f"{moves} {it} by {by}{_unit_of_change(question)}; its 95 % interval is {whole}"


def _unit_of_change(question: Question) -> str:
    return " points" if unit_of(question) == "probability" else _points(question)


def as_declared(analysis: Sensitivity, row: Row) -> tuple[str, str]:
    """Return the estimate as declared in words, and what is drawn next to it."""
    return f"As declared: {number(analysis.question, row['estimate'])}", (
        "grey: its whole 95 % interval; black: all changes below, on that scale"
    )


def ends(analysis: Sensitivity, row: Row) -> list[str]:
    """Return both ends of an estimate's interval."""
    unit, sign = unit_of(analysis.question), "" if analysis.question.base is None else "+"
    numbers = (rounding.number(row[end], unit, sign=sign, end_of=row["estimate"]) for end in ("lower", "upper"))
    return list(numbers)


def _evppi(analysis: Sensitivity, table: pd.DataFrame) -> str:
    question = analysis.question
    assert question.decision is not None
    known = table[(table["parameter"] != EVERYTHING) & (table["value"] > 2.0 * table["standard_error"])]
    if known.empty:
        perfect = _worth(question.decision, table.iloc[0])
        return f"knowing every number before choosing is worth {perfect}; no single one stands out"
    row = known.iloc[0]
    return (
        f"the number to measure next is the {_words(analysis.inputs, str(row['parameter']))}: to know it before "
        f"choosing is worth {_worth(question.decision, row)}"
    )


def _worth(decision: Decision, row: Any) -> str:
    """Return the value of information with the interval that the figure draws."""
    error = 1.96 * row["standard_error"]
    low, high = (in_units(decision, max(row["value"] + by, 0.0)) for by in (-error, error))
    value = in_units(decision, row["value"])
    return f"{value} {decision.unit}s per 100 patients (95 % interval of the estimate {low} to {high})"


def _words(inputs: Inputs, name: str) -> str:
    """Return an input in words, without what stands in brackets or behind a semicolon."""
    return re.sub(r" \([^()]*\)", "", inputs.meaning(name).partition(";")[0])


def of_inputs(inputs: Inputs, names: Sequence[str]) -> str:
    """Return several inputs in words: the first, and how many more of its choice."""
    first, *others = names
    return meaning(inputs, first) + (f", with {len(others)} more of its choice" if others else "")
