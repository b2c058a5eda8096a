"""End points: survival without the event and, a panel a cause, who has had it, a curve a scenario."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pandas as pd

from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style
from simulator.figures.picture import Picture
from simulator.figures.style import Line
from simulator.figures.survival import curve, panels
from simulator.figures.survival.panels import Panel
from simulator.pathway.end_points import EndPoint, in_words_of
from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import Pathway
from simulator.plain_text import capital
from simulator.wording import added, statements
from simulator.wording.table import Row, Table, columns


def pictures(
    table: pd.DataFrame, pathway: Pathway, *, clock: str, cohort: Cohort | None = None
) -> Iterator[Callable[..., Picture]]:
    """Yield what draws the figure of an end point on a clock, of all patients, at any `width`. table : of the run"""
    lines = style.lines(curve.scenarios_in(table))
    for end_point in pathway.end_points.values():
        of_one = table[table["end_point"] == end_point.name]
        yield partial(_picture, of_one, end_point, pathway, clock, cohort, lines)


def _picture(
    table: pd.DataFrame, end_point: EndPoint, pathway: Pathway, clock: str, cohort: Cohort | None,
    lines: Mapping[str, Line], width: float = style.WIDTH,
) -> Picture:  # fmt: skip
    shares = table.rename(columns={"probability": "survival"})
    titles = {"": capital(end_point.label), **{cause: capital(in_words_of(cause)) for cause in end_point.causes}}
    of_cause = {cause: curve.select(shares[shares["cause"] == cause], clock, "all") for cause in titles}
    by_cause = {cause: curve.at_most_six(curves) for cause, curves in of_cause.items()}
    month = min(pathway.months.answer, float(table["month"].max()))
    drawn, rows = [], []
    for cause, curves in by_cause.items():
        note = f"{curves[0].in_words(month)} at {in_words(month)}" if len(curves) == 1 else ""
        drawn.append(Panel(titles[cause], note, curves, pd.DataFrame(), up="Patients (%)"))
        every = curve.drawn_as_curves(of_cause[cause])
        rows.append(Row(titles[cause], ["" if one.is_empty else one.estimate(month) for one in every]))
    footing = [
        "A patient's first event counts, so that survival without it and the shares by cause sum to 100 %.",
        *notes.explained(pathway.abbreviations, titles.values()),
    ]
    topic = f"{titles['']} from {clock}, and first events by cause."
    left_out = curve.left_out(of_cause[""], by_cause[""])
    values = {one.scenario: one.estimate(month) for one in by_cause[""] if not one.is_empty}
    statement = statements.without_event(end_point.label, in_words(month), values, alone=len(of_cause[""]) == 1)
    statement = added.of_sets(statement, curve.fewest_draws(of_cause[""]))
    of_drawn = {one.scenario: lines[one.scenario] for one in by_cause[""]}
    end = pathway.months.of_panels
    sheet = panels.draw(
        statement, drawn, of_drawn, clock, cohort, footing, end=end, subtitle=" ".join([topic, *left_out]), width=width
    )
    displayed = curve.drawn_as_curves(of_cause[""])
    caption = f"{in_words(month).capitalize()} after {clock}; intervals: 95 %, over {curve.sets(displayed)}"
    numbers = Table(columns("", *(one.label for one in displayed)), rows, caption)
    return sheet.picture(f"end_point_{end_point.name}", numbers=numbers)
