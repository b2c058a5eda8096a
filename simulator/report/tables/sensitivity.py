"""The terminal output of a sensitivity analysis: the answer first, then a table a part, in 80 columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from simulator.analyses.sensitivity.alternatives import LEAST_EFFECTIVE
from simulator.analyses.sensitivity.run import Sensitivity
from simulator.analyses.sensitivity.value_of_information import WORTH
from simulator.report import terminal
from simulator.report.tables import display
from simulator.wording.numbers import capital
from simulator.wording.sensitivity import NOTHING_WORTH, TITLES, answer, change, interval, measured, number

ROWS = 10

BLANK = ["", ""]
"""The cells of an input that the data cannot separate from others."""

EMPTY = "No parameter has a value to show here."

Row = dict[str, Any]


def as_json(analysis: Sensitivity) -> str:
    """Return the tables as a JSON object: part -> rows; an empty cell is null."""
    parts = (f'"{part}": {display.as_json(table)}' for part, table in analysis.tables.items())
    return "{" + ",\n".join(parts) + "}"


def show(analysis: Sensitivity, console: Console) -> None:
    """Print the answer, the first rows of every part, their meaning and limits."""
    tables: dict[str, Callable[[Sensitivity, list[Row]], Table]] = {
        "tornado": _tornado,
        "prcc": _prcc,
        "sobol": _sobol,
        "structure": _alternatives,
        "priors": _alternatives,
        "evppi": _evppi,
    }
    console.print(answer(analysis))
    for part, table in analysis.tables.items():
        console.print()
        table, empty = (_of_worth(table), capital(NOTHING_WORTH)) if part == "evppi" else (table, EMPTY)
        console.print(f"{TITLES[part]} ({part}); {_subtitle(analysis, part, len(table))}")
        rows = [{str(key): value for key, value in row.items()} for row in table.head(ROWS).to_dict("records")]
        console.print(tables[part](analysis, rows) if rows else empty)
    console.print()
    if analysis.inputs.silent & set(analysis.inputs.names):
        console.print("* not informed by the cohort: the value rests on the prior or on an assumption.")
    if analysis.inputs.benefit_in_words:
        console.print(analysis.inputs.benefit_in_words)
    console.print(analysis.manifest["note"])


def _of_worth(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a value or an unknown value; none if perfect information has no value."""
    return table[(table["value"] > 0.0) | table["value"].isna()] if table["value"].iloc[0] >= WORTH else table.head(0)


def _subtitle(analysis: Sensitivity, part: str, count: int) -> str:
    """Return the meaning of a part's numbers, and the number of rows in its file."""
    meanings = {
        "tornado": f"{measured(analysis.question)}, at the ends of 95 % intervals, other parameters at their medians",
        "prcc": "partial rank correlation with 95 % interval",
        "sobol": "shares of the variance with 95 % intervals; inputs assumed independent",
        "structure": f"{measured(analysis.question)}; parameters matched, not refitted",
        "priors": f"{measured(analysis.question)}; parameter sets reweighted",
        "evppi": "life-months per 100 patients \N{PLUS-MINUS SIGN} standard error",
    }
    more = f"; the first {ROWS} of {count}" if count > ROWS else ""
    return f"{meanings[part]}{more}"


def _tornado(analysis: Sensitivity, rows: list[Row]) -> Table:
    table = terminal.table("parameter", "interval", "at low", "at high", numbers=3)
    for row in rows:
        interval = f"{row['low']:.3g} to {row['high']:.3g}"
        ends = (number(analysis.question, row[f"outcome_at_{end}"]) for end in ("low", "high"))
        terminal.add(table, _marked(analysis, row["parameter"]), interval, *ends)
    return table


def _prcc(analysis: Sensitivity, rows: list[Row]) -> Table:
    table = terminal.table("parameter", "PRCC", "95 % interval", numbers=2)
    for row in rows:
        known = np.isfinite(row["prcc"])
        cells = [f"{row['prcc']:+.2f}", f"{row['lower']:+.2f} to {row['upper']:+.2f}"] if known else BLANK
        terminal.add(table, _marked(analysis, row["parameter"]), *cells)
    return table


def _sobol(analysis: Sensitivity, rows: list[Row]) -> Table:
    table = terminal.table("parameter (with those of its choice)", "alone", "with interactions", numbers=2)
    for row in rows:
        shares = [
            f"{row[key]:z.2f} ({row[f'{key}_lower']:z.2f} to {row[f'{key}_upper']:z.2f})"
            for key in ("first_order", "total")
        ]
        shares = shares if np.isfinite(row["total"]) else BLANK
        terminal.add(table, _marked(analysis, row["parameter"]), *shares)
    return table


def _alternatives(analysis: Sensitivity, rows: list[Row]) -> Table:
    table = terminal.table("", "estimate", "95 % interval", "change", numbers=3)
    for row in rows:
        # Siblings stand one below the other; a structure's name contains spaces.
        name = row["alternative"].replace(" ", "\n") if row["told"] else row["alternative"]
        if row["effective_draws"] < LEAST_EFFECTIVE:
            terminal.add(table, name, "-", f"worth {row['effective_draws']:.0f} sets", "-")
            continue
        ends = interval(analysis.question, row["lower"], row["upper"], row["estimate"])
        moved = change(analysis.question, row) if row["change"] else "0"
        terminal.add(table, name, number(analysis.question, row["estimate"]), ends, moved)
    return table


def _evppi(analysis: Sensitivity, rows: list[Row]) -> Table:
    table = terminal.table("parameter", "worth", "of perfect", numbers=2)
    for row in rows:
        share = row["share_of_everything"]
        percent = f"{100 * share:.0f} %" if np.isfinite(share) else "-"
        worth = f"{row['value']:.1f} \N{PLUS-MINUS SIGN} {row['standard_error']:.1f}"
        cells = [worth, percent] if np.isfinite(row["value"]) else BLANK
        terminal.add(table, _marked(analysis, row["parameter"]), *cells)
    return table


def _marked(analysis: Sensitivity, name: str) -> str:
    return f"{name} *" if name in analysis.inputs.silent else name
