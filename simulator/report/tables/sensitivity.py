"""The report of a sensitivity analysis: the answer first, then a table a part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from simulator.analyses.sensitivity.alternatives import LEAST_EFFECTIVE
from simulator.analyses.sensitivity.question import Decision
from simulator.analyses.sensitivity.run import Sensitivity
from simulator.plain_text import capital
from simulator.wording import rounding, sensitivity
from simulator.wording.intervals import Estimate
from simulator.wording.sensitivity import change, interval, number
from simulator.wording.table import Part, Row, Table, columns

ROWS = 10
"""Rows of a part, the largest first; the others stand in its file."""

Record = Mapping[Any, Any]


def report(analysis: Sensitivity) -> Iterator[Part]:
    """Yield the answer, the first rows of every part, their meaning and limits."""
    yield sensitivity.answer(analysis)
    for part, table in analysis.tables.items():
        empty = sensitivity.EMPTY
        if part == "evppi":
            decision = _decision(analysis)
            table, empty = _of_worth(table, decision.worth), capital(sensitivity.nothing_worth(decision))
        headings, cells = PARTS[part]
        caption = sensitivity.caption(analysis, part, len(table), ROWS)
        rows = [_row(analysis, record, cells(analysis, record)) for record in table.head(ROWS).to_dict("records")]
        yield Table(columns(*headings), rows, caption) if rows else f"{caption}\n{empty}"
    if analysis.inputs.silent & set(analysis.inputs.names):
        yield sensitivity.NOT_INFORMED
    yield analysis.inputs.benefit_in_words
    yield analysis.manifest["note"]


def _decision(analysis: Sensitivity) -> Decision:
    assert analysis.question.decision is not None
    return analysis.question.decision


def _of_worth(table: pd.DataFrame, worth: float) -> pd.DataFrame:
    """Return the rows with a value or an unknown value; none if perfect information has no value."""
    return table[(table["value"] > 0.0) | table["value"].isna()] if table["value"].iloc[0] >= worth else table.head(0)


def _row(analysis: Sensitivity, record: Record, cells: Sequence[str | Estimate]) -> Row:
    if "parameter" in record:
        name = record["parameter"]
        return Row(f"{name} *" if name in analysis.inputs.silent else name, cells)
    # Siblings stand one below the other; a structure's name contains spaces.
    name = record["alternative"]
    return Row(name.replace(" ", "\n") if record["told"] else name, cells)


def _tornado(analysis: Sensitivity, record: Record) -> list[str]:
    ends = [number(analysis.question, record[f"outcome_at_{end}"]) for end in ("low", "high")]
    return [f"{record['low']:.3g} to {record['high']:.3g}", *ends]


def _prcc(analysis: Sensitivity, record: Record) -> list[str]:
    if not np.isfinite(record["prcc"]):
        return ["", ""]
    correlation, low, high = (rounding.fixed(record[name], 2, sign="+") for name in ("prcc", "lower", "upper"))
    return [correlation, f"{low} to {high}"]


def _sobol(analysis: Sensitivity, record: Record) -> list[str]:
    if not np.isfinite(record["total"]):
        return ["", ""]
    cells = []
    for key in ("first_order", "total"):
        value, lower, upper = (rounding.fixed(record[f"{key}{end}"], 2) for end in ("", "_lower", "_upper"))
        cells.append(str(Estimate(value, (lower, upper))))
    return cells


def _alternative(analysis: Sensitivity, record: Record) -> list[str]:
    if record["effective_draws"] < LEAST_EFFECTIVE:
        return [rounding.NONE, f"worth {record['effective_draws']:.0f} sets", rounding.NONE]
    question, estimate = analysis.question, record["estimate"]
    moved = change(question, record) if record["change"] else "0"
    return [number(question, estimate), interval(question, record["lower"], record["upper"], estimate), moved]


def _evppi(analysis: Sensitivity, record: Record) -> list[str]:
    if not np.isfinite(record["value"]):
        return ["", ""]
    share = record["share_of_everything"]
    return [
        sensitivity.worth(_decision(analysis), record),
        f"{100 * share:.0f} %" if np.isfinite(share) else rounding.NONE,
    ]


PARTS: dict[str, tuple[Sequence[str], Callable[[Sensitivity, Record], list[str]]]] = {
    "tornado": (["parameter", "interval", "at low", "at high"], _tornado),
    "prcc": (["parameter", "PRCC", "95 % interval"], _prcc),
    "sobol": (["parameter (with those of its choice)", "alone", "with interactions"], _sobol),
    "structure": (["", "estimate", "95 % interval", "change"], _alternative),
    "priors": (["", "estimate", "95 % interval", "change"], _alternative),
    "evppi": (["parameter", "worth", "of perfect"], _evppi),
}
"""Part -> its headings, and the cells of a row; empty cells are those of inputs that the data cannot separate."""
