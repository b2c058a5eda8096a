"""How far other structures of the model move the headline of a policy, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from simulator.evidence.cohort import Cohort
from simulator.evidence.structures import DECLARED, to_fit
from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import Pathway
from simulator.wording import rounding
from simulator.wording.difference import Difference
from simulator.wording.intervals import Row

if TYPE_CHECKING:
    import pandas as pd


def sentence(rows: pd.DataFrame, cohort: Cohort, pathway: Pathway) -> str:
    """Return what the interval leaves out, and by how much; "" where no other structure was fitted.

    rows : of one policy, see `simulator.evidence.structures`
    """
    others = [row for row in rows.to_dict("records") if row["structure"] in cohort.structures]
    if not others:
        return ""
    ends = min(others, key=itemgetter("moved")), max(others, key=itemgetter("moved"))
    low, high = (rounding.number(row["moved"], "probability", sign="+") for row in ends)
    lowest, highest = (_figure(row, cohort.structures[row["structure"]].meaning) for row in ends)
    what = "survival" if math.isnan(ends[0]["difference"]) else "the difference"
    move = f"{len(others)} other readings, priors and structures, fitted to the same {cohort.n} patients, move"
    if len(others) == 1:
        move = f"1 other reading, prior or structure, fitted to the same {cohort.n} patients, moves"
    return (
        f"{ends[0]['scenario']}: the interval covers the parameters of one model. {move} {what} at "
        f"{in_words(pathway.months.answer)} by {low} to {high} per 100: lowest {lowest}, highest {highest}"
        f"{''.join(_verdicts(rows, others))}."
    )


def _verdicts(rows: pd.DataFrame, others: Sequence[Row]) -> Iterator[str]:
    """Yield in how many structures a difference is clear that is not as declared, or the other way round."""
    by_name = {row["structure"]: Difference.of_row(row) for row in rows.to_dict("records")}
    declared, differences = by_name.get(DECLARED), [by_name[row["structure"]] for row in others]
    if declared is None:
        return
    if changed := sum(difference.is_clear != declared.is_clear for difference in differences):
        yield f"; in {changed} of them it is {'not clear' if declared.is_clear else 'clear'}"
    clear = [difference for difference in differences if difference.is_clear and declared.is_clear]
    if turned := sum(difference.value * declared.value < 0.0 for difference in clear):
        yield f"; in {turned} of them it has the other sign"


def _figure(row: Row, structure: str) -> str:
    """Return the survival or the difference of a structure; of one that is not clear, why."""
    if math.isnan(row["difference"]):
        return f"{rounding.number(row['survival'], 'probability')} ({structure})"
    difference = Difference.of_row(row)
    unclear = "" if difference.is_clear else f"; {difference.led(difference.details)}"
    return f"{difference.more_or_fewer} ({structure}{unclear})"


def of_all(table: pd.DataFrame, cohort: Cohort, pathway: Pathway) -> Iterator[str]:
    """Yield the sentence of every policy of a table."""
    for _, rows in table.groupby("scenario", sort=False):
        yield sentence(rows, cohort, pathway)


def name(structure: str, cohort: Cohort) -> str:
    """Return a structure in words."""
    declared, again = to_fit({})
    names = {declared: "as declared", again: "as declared, fitted anew"}
    return names.get(structure) or cohort.structures[structure].meaning
