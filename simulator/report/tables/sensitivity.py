"""What a sensitivity analysis prints: the answer first, then a table a part, in 80 columns."""

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
from simulator.wording.sensitivity import NOTHING_WORTH, TITLES, answer, change, interval, measured, number

ROWS = 10

BLANK = ["", ""]
"""The cells of an input that cannot be told apart."""

EMPTY = "No rows: no parameter has anything to show here."

Row = dict[str, Any]


def as_json(found: Sensitivity) -> str:
    """Return the tables as a JSON object: part -> its rows; an empty cell is null."""
    parts = (f'"{part}": {display.as_json(table)}' for part, table in found.tables.items())
    return "{" + ",\n".join(parts) + "}"


def show(found: Sensitivity, console: Console) -> None:
    """Print the answer, the first rows of every part, what they mean, and what they are not for."""
    made: dict[str, Callable[[Sensitivity, list[Row]], Table]] = {
        "tornado": _tornado,
        "prcc": _prcc,
        "sobol": _sobol,
        "structure": _spread,
        "priors": _spread,
        "evppi": _evppi,
    }
    console.print(answer(found))
    for part, table in found.tables.items():
        console.print()
        shown, empty = (_of_worth(table), f"T{NOTHING_WORTH[1:]}") if part == "evppi" else (table, EMPTY)
        console.print(f"{TITLES[part]} ({part}); {_said(found, part, len(shown))}")
        rows = [{str(key): value for key, value in row.items()} for row in shown.head(ROWS).to_dict("records")]
        console.print(made[part](found, rows) if rows else empty)
    console.print()
    if found.inputs.silent & set(found.inputs.names):
        console.print("* not informed by the cohort: the prior, or an assumption, speaks.")
    if found.inputs.benefit_in_words:
        console.print(found.inputs.benefit_in_words)
    console.print(found.manifest["note"])


def _of_worth(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of what is worth anything, and of what cannot be told; none where not even everything is."""
    return table[(table["value"] > 0.0) | table["value"].isna()] if table["value"].iloc[0] >= WORTH else table.head(0)


def _said(found: Sensitivity, part: str, count: int) -> str:
    """Return what the numbers of a part are, and how many rows are in the file only."""
    what = {
        "tornado": f"{measured(found.question)}, at the ends of 95 % intervals, the others at their medians",
        "prcc": "partial rank correlation with 95 % interval",
        "sobol": "shares of the variance with 95 % intervals, inputs taken as independent",
        "structure": f"{measured(found.question)}; parameters matched, not fitted anew",
        "priors": f"{measured(found.question)}; draws reweighted",
        "evppi": "life-months per 100 patients \N{PLUS-MINUS SIGN} standard error",
    }
    more = f"; the first {ROWS} of {count}" if count > ROWS else ""
    return f"{what[part]}{more}"


def _tornado(found: Sensitivity, rows: list[Row]) -> Table:
    made = terminal.table("parameter", "interval", "at low", "at high", numbers=3)
    for row in rows:
        interval = f"{row['low']:.3g} to {row['high']:.3g}"
        ends = (number(found.question, row[f"outcome_at_{end}"]) for end in ("low", "high"))
        terminal.add(made, _marked(found, row["parameter"]), interval, *ends)
    return made


def _prcc(found: Sensitivity, rows: list[Row]) -> Table:
    made = terminal.table("parameter", "PRCC", "95 % interval", numbers=2)
    for row in rows:
        known = np.isfinite(row["prcc"])
        cells = [f"{row['prcc']:+.2f}", f"{row['lower']:+.2f} to {row['upper']:+.2f}"] if known else BLANK
        terminal.add(made, _marked(found, row["parameter"]), *cells)
    return made


def _sobol(found: Sensitivity, rows: list[Row]) -> Table:
    made = terminal.table("parameter (with its siblings)", "alone", "with interactions", numbers=2)
    for row in rows:
        shares = [
            f"{row[key]:z.2f} ({row[f'{key}_lower']:z.2f} to {row[f'{key}_upper']:z.2f})"
            for key in ("first_order", "total")
        ]
        shares = shares if np.isfinite(row["total"]) else BLANK
        terminal.add(made, _marked(found, row["parameter"]), *shares)
    return made


def _spread(found: Sensitivity, rows: list[Row]) -> Table:
    made = terminal.table("", "estimate", "95 % interval", "change", numbers=3)
    for row in rows:
        # Siblings one below the other; a structure's name has spaces of its own.
        name = row["alternative"].replace(" ", "\n") if row["told"] else row["alternative"]
        if row["effective_draws"] < LEAST_EFFECTIVE:
            terminal.add(made, name, "-", f"worth {row['effective_draws']:.0f} draws", "-")
            continue
        ends = interval(found.question, row["lower"], row["upper"], row["estimate"])
        moved = change(found.question, row) if row["change"] else "0"
        terminal.add(made, name, number(found.question, row["estimate"]), ends, moved)
    return made


def _evppi(found: Sensitivity, rows: list[Row]) -> Table:
    made = terminal.table("parameter", "worth", "of everything", numbers=2)
    for row in rows:
        share = row["share_of_everything"]
        told = f"{100 * share:.0f} %" if np.isfinite(share) else "-"
        worth = f"{row['value']:.1f} \N{PLUS-MINUS SIGN} {row['standard_error']:.1f}"
        cells = [worth, told] if np.isfinite(row["value"]) else BLANK
        terminal.add(made, _marked(found, row["parameter"]), *cells)
    return made


def _marked(found: Sensitivity, name: str) -> str:
    return f"{name} *" if name in found.inputs.silent else name
