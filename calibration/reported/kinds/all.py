"""All kinds of figure: the rows of targets.csv are read into them, and the guide prints them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from calibration.reported import figure
from calibration.reported.kinds.counts import Deaths, Entered, EnteredDeath, Patients, Survivors
from calibration.reported.kinds.kind import BY_KIND, Kind
from calibration.reported.kinds.survival import Survival
from calibration.reported.kinds.times import Maximum, Median, MedianFollowUp, MedianSurvival, Minimum
from simulator.pathway.checks import unknown
from simulator.pathway.pathway import Pathway

KINDS: dict[str, type[Kind]] = {
    kind.kind: kind
    for kind in (
        Patients,
        Entered,
        Deaths,
        Survivors,
        Survival,
        MedianSurvival,
        MedianFollowUp,
        Median,
        Minimum,
        Maximum,
    )
}


def read(rows: pd.DataFrame, pathway: Pathway, folder: Path) -> tuple[Kind, ...]:
    """Return the rows of targets.csv, each read into its kind. Raises InputError naming the line of an unknown one."""
    figures = []
    for line, row in zip(rows.index, rows.to_dict("records"), strict=True):
        kind = str(row["kind"])
        if kind not in KINDS:
            raise unknown("kind", kind, KINDS, figure.where(folder, line))
        is_death = kind == "entered" and row["state"] in pathway.deaths
        figures.append((EnteredDeath if is_death else KINDS[kind])(**figure.cells(row, line, folder)))
    return tuple(figures)


def guide() -> str:
    """Return the table of kinds and columns that the guide prints, in Markdown."""
    lines = [f"| `kind` | what it reports | {' | '.join(f'`{column}`' for column in BY_KIND)} | `unit` |"]
    lines.append("|---" * (len(BY_KIND) + 3) + "|")
    for name, kind in KINDS.items():
        marks = ["needed" if column in kind.needs else "read" if column in kind.reads else "" for column in BY_KIND]
        lines.append(f"| `{name}` | {kind.meaning} | {' | '.join(marks)} | {', '.join(kind.units)} |")
    return "\n".join(lines)
