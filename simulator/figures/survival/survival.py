"""Overall survival of every scenario with its band, the reported figures, and the numbers alive below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.evidence.cohort import Cohort
from simulator.figures import style, text
from simulator.figures.style import Line
from simulator.figures.survival import curve, risk_table
from simulator.figures.survival.curve import Curve, FollowUp
from simulator.pathway.outcome_months import UNDECLARED, OutcomeMonths, in_words
from simulator.scenario.scenario import BREAK_EVEN, COHORTS, split_name

NAME = 1.68
"""Inches of a line of a scenario's name at the end of its curve."""
MOST_BANDS = 4
"""With more curves than this, bands would hide one another: see `panels.by_policy`."""

NAME_LINE = 0.155
"""Inches from one line of a name to the next."""

PLOT = 3.5
"""Inches from 0 to 100 %."""

GAP = 0.42
"""Inches between the panels."""


@dataclass(frozen=True)
class _Panel:
    left: float
    width: float
    end: float
    ticks: list[float]
    title: str


def draw(
    survival: pd.DataFrame,
    *,
    clock: str,
    cohort: Cohort | None = None,
    population: str = "all",
    months: OutcomeMonths = UNDECLARED,
) -> Figure:
    """Return the figure of one population on one clock, a curve a scenario.

    survival : the run's survival table
    cohort : its reported figures, size and follow-up are drawn, on its own clock
    months : the pathway's; if the horizon is long, the early months get a panel: most deaths fall in them
    """
    with style.applied():
        return _draw(survival, clock, cohort, population, months.early)


def alt_text(
    survival: pd.DataFrame,
    *,
    clock: str,
    cohort: Cohort | None = None,
    population: str = "all",
    months: OutcomeMonths = UNDECLARED,
) -> str:
    """Return the figure in words with numbers."""
    sentences = [f"Overall survival, months since {clock}."]
    for drawn in curve.select(survival, clock, population):
        sentences.append(_curve_in_words(drawn, months.survival))
    if cohort is not None:
        rows = cohort.reported_survival(population, clock)
        figures = [_reported_in_words(*row) for row in zip(*(rows[c] for c in rows.columns), strict=True)]
        if figures:
            sentences.append(f"Reported for the cohort of {cohort.n}: {'; '.join(figures)}.")
    return " ".join(sentences)


def _curve_in_words(drawn: Curve, months: Sequence[float]) -> str:
    if drawn.is_empty:
        return f"{drawn.scenario}: no patients."
    figures = []
    horizon = float(drawn.months[-1])
    for month in sorted({*months, horizon}):
        if month <= horizon:
            figures.append(f"{drawn.in_words(month)} alive at {in_words(month)}")
    return f"{drawn.scenario}: {', '.join(figures)}."


def _reported_in_words(month: float, count: float, n: float, value: float, standard_error: float) -> str:
    error = "" if np.isnan(standard_error) else f" (standard error {standard_error:g})"
    return f"{value:g} %{error} alive at {in_words(month)}, {count:.0f} of {n:.0f}"


def _draw(survival: pd.DataFrame, clock: str, cohort: Cohort | None, population: str, early: float) -> Figure:
    curves = curve.select(survival, clock, population)
    lines = style.lines(curve.scenarios_in(survival))
    horizon = float(survival["month"].max())
    own_clock = cohort is not None and cohort.clock == clock
    follow_up = cohort.follow_up if cohort is not None and own_clock else None
    reported = cohort.reported_survival(population, clock) if cohort is not None else pd.DataFrame()
    n = cohort.n if cohort is not None else 100
    rows = risk_table.rows_of(curves, reported, n)

    names = [curve.scenario for curve in curves]
    left = max(1.0, min(3.2, 0.85 + max(text.width(name, style.SMALL + 0.5) for name in (*names, "reported"))))
    ends = {name: text.broken_name(name, NAME) for name in names}
    # If names would hide one another, the table below is the key.
    ends = ends if len(names) * _most_lines(ends) * NAME_LINE <= PLOT else {}
    right = 0.32 + max((text.width(name, style.TEXT, "bold") for name in ends.values()), default=0.0)
    on_cohort_clock = curve.select(survival, cohort.clock, population) if cohort is not None else []
    all_start = not any(curve.is_empty for curve in on_cohort_clock)
    subtitle, footing = _subtitle(curves, reported), _footing(curves, cohort, clock, all_start=all_start)
    foot = text.footing_height(footing) + 0.12
    bottom = foot + risk_table.height(len(rows)) + 0.55
    height = bottom + PLOT + 0.14 + text.heading_height(subtitle)

    figure = style.canvas(style.WIDTH, height)
    text.heading(figure, f"Overall survival from {clock}", subtitle)
    text.footing(figure, footing)
    sheet = style.sheet(figure)
    risk_table.label(sheet, left, bottom - 0.62, f"Number at risk (of {n})", [name for name, _ in rows], lines)
    panels = _panels(left, style.WIDTH - right - left, horizon, clock, early)
    all_axes = [style.axes(figure, panel.left, bottom, panel.width, PLOT) for panel in panels]
    for axes, panel in zip(all_axes, panels, strict=True):
        _fill(axes, panel, curves, lines, reported, follow_up)
        risk_table.draw(sheet, axes, bottom - 0.62, rows, panel.ticks, panel.end)
    for axes in all_axes[1:]:
        axes.set_ylabel("")
        axes.tick_params(axis="y", labelleft=False)
    _write_reported(all_axes[0], reported, panels[0].end)
    _write_names(all_axes[-1], curves, ends, lines, panels[-1].end)
    return figure


def _panels(left: float, across: float, horizon: float, clock: str, early: float) -> list[_Panel]:
    """Return one panel; if the horizon is long, a panel of the first months and a panel of all."""
    if horizon < 1.5 * early:
        return [_Panel(left, across, horizon, curve.month_ticks(horizon, 9), f"Months since {clock}")]
    first = 0.6 * (across - GAP)
    return [
        _Panel(left, first, early, curve.month_ticks(early, 9), f"Months since {clock}: the first {early:g}"),
        _Panel(left + first + GAP, 0.4 * (across - GAP), horizon, curve.month_ticks(horizon, 6), f"All {horizon:g}"),
    ]


def _fill(
    axes: Axes,
    panel: _Panel,
    curves: Sequence[Curve],
    lines: dict[str, Line],
    reported: pd.DataFrame,
    follow_up: FollowUp,
) -> None:
    curve.percent_axis(axes)
    axes.set_xlim(0, panel.end)
    axes.set_xticks(panel.ticks)
    axes.set_xlabel(panel.title)
    for place, drawn in enumerate(curves):
        banded = has_band(curves, place)
        curve.plot(axes, drawn, lines[drawn.scenario], follow_up=follow_up, end=panel.end, band=0.16 if banded else 0.0)
    curve.mark_follow_up(axes, follow_up, panel.end)
    curve.name_follow_up(axes, follow_up, panel.end)
    if len(reported):
        curve.plot_reported(axes, reported, end=panel.end)


def has_band(curves: Sequence[Curve], place: int) -> bool:
    """Return whether a curve gets its band: only the first of many, and no break-even, whose band is a shifted copy."""
    return place == 0 or (len(curves) <= MOST_BANDS and not curves[place].scenario.endswith(f"@{BREAK_EVEN}"))


def _write_reported(axes: Axes, reported: pd.DataFrame, end: float) -> None:
    """Write each reported figure low under its point, where no curve runs; above a low point."""
    for row in reported[reported["month"] <= end].itertuples() if len(reported) else ():
        month, value, error = (float(number) for number in (row.month, row.value, row.standard_error))  # type: ignore[arg-type]
        error = 0.0 if np.isnan(error) else error
        words = f"{row.count:g} of {row.n:g}\n{value:g}{f' ± {error:g}' if error else ''} %"
        if value - error > 20:
            axes.plot([month, month], [13.5, value - error - 1.5], color=style.FAINT, linewidth=0.6, zorder=2)
            axes.text(month, 12.5, words, ha="center", va="top", fontsize=style.SMALL, linespacing=1.25, zorder=6)
        else:
            place = value + error + 2.5
            axes.text(month, place, words, ha="center", va="bottom", fontsize=style.SMALL, linespacing=1.25, zorder=6)


def _write_names(
    axes: Axes, curves: Sequence[Curve], names: Mapping[str, str], lines: Mapping[str, Line], end: float
) -> None:
    """Write each scenario's name at the end of its curve; names : scenario -> its name broken into lines."""
    named = [curve for curve in curves if not curve.is_empty and curve.scenario in names]
    wanted = [100 * curve.at(min(end, float(curve.months[-1])))[0] for curve in named]
    # 102 % are PLOT inches.
    places = text.label_places(wanted, _most_lines(names) * NAME_LINE * 102 / PLOT, 1.0, 101.0)
    for drawn, y, label_y in zip(named, wanted, places, strict=True):
        axes.plot(
            [end, end * 1.03, end * 1.05], [y, label_y, label_y], color=style.FAINT, linewidth=0.6, clip_on=False
        )
        name, colour = names[drawn.scenario], lines[drawn.scenario].dark
        axes.text(end * 1.06, label_y, name, color=colour, fontweight="bold", va="center", linespacing=1.0)


def _most_lines(names: Mapping[str, str]) -> int:
    return max((name.count("\n") + 1 for name in names.values()), default=1)


def _subtitle(curves: Sequence[Curve], reported: pd.DataFrame) -> str:
    sentences = ["Lines: simulated."]
    if any(curve.has_band for curve in curves):
        banded = "" if len(curves) <= MOST_BANDS else f" (of {curves[0].scenario} only)"
        sentences.append(f"Bands: 95 % interval over the parameter sets{banded}.")
    if len(reported):
        sentences.append("Circles: reported, ± one standard error.")
    return " ".join(sentences)


def _footing(curves: Sequence[Curve], cohort: Cohort | None, clock: str, *, all_start: bool) -> str:
    """Return the notes. all_start : whether patients start the cohort's clock in every scenario."""
    sentences = benefits_in_words([curve.scenario for curve in curves])
    empty = [curve.scenario for curve in curves if curve.is_empty]
    if empty:
        sentences.append(f"No patient reaches {clock} under {', '.join(empty)}.")
    if cohort is None:
        values = "come from parameter sets" if any(curve.has_band for curve in curves) else "have their declared values"
        sentences.append(f"No cohort is shown; the parameters {values}.")
        return " ".join([*sentences, source_in_words(None)])
    if clock == cohort.clock and cohort.follow_up is not None:
        thins, ends = cohort.follow_up
        sentences.append(f"Lighter after month {thins:g}, when the first survivors' follow-up ends;")
        sentences.append(f"dashed after month {ends:g}, when the last ends.")
    if clock != cohort.clock and all_start:
        sentences.append(f"From {clock}, for patients who reach {cohort.clock}, as every patient of the cohort did.")
    sentences.append(source_in_words(cohort))
    return " ".join(sentences)


def benefits_in_words(scenarios: Sequence[str]) -> list[str]:
    """Return the meaning of every NAME@0.5."""
    benefits = dict.fromkeys(benefit for _, benefit in map(split_name, scenarios) if benefit is not None)
    sentences = []
    for benefit in benefits:
        if isinstance(benefit, str):
            sentences.append(f"@{benefit}: {_BENEFITS[benefit]}.")
        else:
            share = "half" if benefit == 0.5 else f"{100 * benefit:g} %"
            sentences.append(f"@{benefit:g}: only {share} of the additional patients benefit (assumption).")
    return sentences


_BENEFITS = {
    COHORTS: "the additional patients benefit as other cohorts suggest (an extrapolation, not a measured effect)",
    BREAK_EVEN: "just enough additional patients benefit for the policy to reach the margin, at most all (no band)",
}


def source_in_words(cohort: Cohort | None) -> str:
    """Return the cohort's size, its source, and the limits of its figures; without a cohort, the limits alone."""
    if cohort is None:
        return "Not for individual patients."
    source = f"n = {cohort.n}: {cohort.citation.rstrip('.')}."
    return f"{source} A simulation of stated assumptions; not for individual patients."
