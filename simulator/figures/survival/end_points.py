"""End points: survival without the event and, a panel a cause, who has had it, a curve a scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style
from simulator.figures.picture import Picture
from simulator.figures.style import Line
from simulator.figures.survival import curve, panels
from simulator.figures.survival.curve import Curve
from simulator.figures.survival.panels import Panel
from simulator.pathway.end_points import EndPoint, in_words_of
from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import Pathway
from simulator.plain_text import capital
from simulator.scenario.scenario import BREAK_EVEN
from simulator.wording.table import Row, Table, columns

BANDED = 2
"""Later curves have no band, and are not in the title."""


def pictures(table: pd.DataFrame, pathway: Pathway, *, clock: str, cohort: Cohort | None = None) -> Iterator[Picture]:
    """Yield a figure an end point, of all patients on a clock. table : the run's end points"""
    lines = style.lines(curve.scenarios_in(table))
    # The smallest share that must benefit is a matter of overall survival.
    table = table[~table["scenario"].str.endswith(f"@{BREAK_EVEN}")]
    for end_point in pathway.end_points.values():
        yield _picture(table[table["end_point"] == end_point.name], end_point, pathway, clock, cohort, lines)


def _picture(
    table: pd.DataFrame, end_point: EndPoint, pathway: Pathway, clock: str, cohort: Cohort | None,
    lines: Mapping[str, Line],
) -> Picture:  # fmt: skip
    shares = table.rename(columns={"probability": "survival"})
    titles = {"": capital(end_point.label), **{cause: capital(in_words_of(cause)) for cause in end_point.causes}}
    by_cause = {cause: curve.select(shares[shares["cause"] == cause], clock, "all") for cause in titles}
    month = min(pathway.months.answer, float(table["month"].max()))
    drawn, rows = [], []
    for cause, curves in by_cause.items():
        note = f"{_values(curves, month)} at {in_words(month)}" if len(curves) == 1 else ""
        plain = [one if place < BANDED else _without_band(one) for place, one in enumerate(curves)]
        drawn.append(Panel(titles[cause], note, plain, pd.DataFrame(), up="Patients (%)"))
        rows.append(Row(titles[cause], ["" if one.is_empty else one.estimate(month) for one in curves]))
    footing = [
        "A patient's first event counts, so that survival without it and the shares by cause sum to 100 %.",
        *notes.explained(pathway.abbreviations, titles.values()),
    ]
    title, first = f"{titles['']} from {clock}, and first events by cause", by_cause[""][:BANDED]
    statement = f"In the model, {end_point.label} at {in_words(month)} is {_values(first, month)}"
    of_drawn = {name: lines[name] for name in curve.scenarios_in(table)}
    months = pathway.months.of_panels
    sheet = panels.draw(statement, drawn, of_drawn, clock, cohort, footing, end=months, subtitle=f"{title}.")
    caption = f"{in_words(month).capitalize()} after {clock}; intervals: 95 %, over the parameter sets"
    numbers = Table(columns("", *(one.label for one in by_cause[""])), rows, caption)
    return sheet.picture(f"end_point_{end_point.name}", numbers=numbers)


def _without_band(curve_of_one: Curve) -> Curve:
    nothing = np.full_like(curve_of_one.survival, np.nan)
    return replace(curve_of_one, lower=nothing, upper=nothing)


def _values(curves: Sequence[Curve], month: float) -> str:
    """Return "34 % (25 to 44)", or "34 % under today and 47 % under earlier" of two scenarios."""
    if len(curves) == 1:
        return curves[0].in_words(month)
    known = [one for one in curves if not one.is_empty]
    return " and ".join(f"{one.in_words(month).partition(' (')[0]} under {one.label}" for one in known)
