"""The sheet of a part of a sensitivity analysis: its statement, its rows in words, and which the cohort informs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes

from simulator.analyses.sensitivity.run import Sensitivity
from simulator.evidence.cohort import Cohort
from simulator.figures import notes, row_chart, style
from simulator.figures.row_chart import Row
from simulator.figures.sheet import Sample, Sheet, marker_sample
from simulator.plain_text import capital
from simulator.wording import sensitivity_titles
from simulator.wording.sensitivity import measured

MOST, MOST_COMPACT = 15, 6
"""Rows; the table has the rest."""

INFORMED, SILENT = "\N{BLACK CIRCLE}", "\N{WHITE CIRCLE}"
"""Marks of a parameter that the cohort informs, and of one that rests on the prior or on an assumption."""


def displayed(analysis: Sensitivity, part: str, width: float) -> pd.DataFrame:
    """Return the rows that are drawn on a sheet of a width."""
    return sensitivity_titles.drawn(analysis, part, MOST if width >= style.WIDTH else MOST_COMPACT)


def scale(analysis: Sensitivity) -> str:
    """Return the label of a scale of the outcome."""
    return capital(measured(analysis.question))


def chart(
    analysis: Sensitivity,
    part: str,
    table: pd.DataFrame,
    cohort: Cohort | None,
    drawn: str,
    note: str,
    scale: str,
    *,
    width: float,
    key: Sequence[Sample] = (),
    above: float = 0.0,
) -> tuple[Sheet, Axes]:
    """Return the sheet of a part, with its rows' names, and the axes for their marks; see `row_chart.chart`.

    table : the drawn rows; drawn : what is drawn, a sentence of the subtitle; note : a sentence of the foot
    """
    rows = _rows(analysis, table, cohort)
    if cohort is not None:
        marks = {row.below[:1] for row in rows}
        informed = marker_sample(f"informed by the {cohort.n} patients", "o", style.QUIET, style.QUIET)
        silent = marker_sample("rests on the prior or on an assumption", "o", style.QUIET, "white")
        key = [*key, *([informed] if INFORMED in marks else []), *([silent] if SILENT in marks else [])]
    footing = [note, analysis.inputs.benefit_in_words, notes.source_in_words(cohort)]
    if "parameter" in table:
        footing.insert(2, analysis.inputs.blank_in_words)
    subtitle = f"{sensitivity_titles.estimates(analysis)} {drawn}"
    title = sensitivity_titles.title(analysis, part)
    key = [replace(sample, size=style.small(width)) for sample in key]
    rest = sensitivity_titles.omitted(analysis, part, table)
    return row_chart.chart(title, subtitle, footing, rows, scale, key, width=width, rest=rest, above=above)


def _rows(analysis: Sensitivity, table: pd.DataFrame, cohort: Cohort | None) -> list[Row]:
    """Return the rows in words, with the names of the parameters below, marked where a cohort may inform them."""
    inputs = analysis.inputs
    if "parameter" not in table:
        alternatives = zip(table["alternative"], table["told"], strict=True)
        return [_alternative(analysis, name, description) for name, description in alternatives]
    rows = []
    together = table.get("together", pd.Series("", index=table.index))
    for name, siblings in zip(table["parameter"], together, strict=True):
        if name not in inputs.names:
            rows.append(Row("Perfect information on every number"))
            continue
        names = siblings.split() or [name]
        mark = "" if cohort is None else f"{SILENT if name in inputs.silent else INFORMED} "
        rows.append(Row(sensitivity_titles.of_inputs(inputs, names), f"{mark}{', '.join(names)}"))
    return rows


def _alternative(analysis: Sensitivity, name: str, description: str) -> Row:
    """Return the row of another structure, or of a weaker prior of some parameters."""
    if not description:
        return Row(capital(name))
    names = name.split()
    return Row(sensitivity_titles.of_inputs(analysis.inputs, names), f"{', '.join(names)}: {description}")
