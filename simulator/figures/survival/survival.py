"""Overall survival of every scenario with its band, the reported figures over it, and the numbers alive below it."""

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
"""Inches that a line of a scenario's name may take where its curve ends."""
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
    cohort : whose reported figures, size and follow-up are shown, on its own clock
    months : the pathway's; the early ones get a panel of their own where the horizon is long: most deaths fall in them
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
    """Return what the figure says, in words with numbers."""
    said = [f"Overall survival, months since {clock}."]
    for each in curve.select(survival, clock, population):
        said.append(_curve_in_words(each, months.survival))
    if cohort is not None:
        rows = cohort.reported_survival(population, clock)
        figures = [_reported_in_words(*each) for each in zip(*(rows[c] for c in rows.columns), strict=True)]
        if figures:
            said.append(f"Reported for the cohort of {cohort.n}: {'; '.join(figures)}.")
    return " ".join(said)


def _curve_in_words(each: Curve, read_at: Sequence[float]) -> str:
    if each.is_empty:
        return f"{each.scenario}: nobody."
    figures = []
    horizon = float(each.months[-1])
    for month in sorted({*read_at, horizon}):
        if month <= horizon:
            figures.append(f"{each.in_words(month)} alive at {in_words(month)}")
    return f"{each.scenario}: {', '.join(figures)}."


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
    # Where names would hide one another, the table below is the key.
    ends = ends if len(names) * _most_lines(ends) * NAME_LINE <= PLOT else {}
    right = 0.32 + max((text.width(each, style.TEXT, "bold") for each in ends.values()), default=0.0)
    follows = curve.select(survival, cohort.clock, population) if cohort is not None else []
    everybody = not any(each.is_empty for each in follows)
    subtitle, footing = _subtitle(curves, reported), _footing(curves, cohort, clock, everybody=everybody)
    foot = text.footing_height(footing) + 0.12
    bottom = foot + risk_table.height(len(rows)) + 0.55
    height = bottom + PLOT + 0.14 + text.heading_height(subtitle)

    figure = style.canvas(style.WIDTH, height)
    text.heading(figure, f"Overall survival from {clock}", subtitle)
    text.footing(figure, footing)
    whole = style.sheet(figure)
    risk_table.label(whole, left, bottom - 0.62, f"Number at risk (of {n})", [name for name, _ in rows], lines)
    panels = _panels(left, style.WIDTH - right - left, horizon, clock, early)
    drawn = [style.axes(figure, panel.left, bottom, panel.width, PLOT) for panel in panels]
    for axes, panel in zip(drawn, panels, strict=True):
        _fill(axes, panel, curves, lines, reported, follow_up)
        risk_table.draw(whole, axes, bottom - 0.62, rows, panel.ticks, panel.end)
    for axes in drawn[1:]:
        axes.set_ylabel("")
        axes.tick_params(axis="y", labelleft=False)
    _write_reported(drawn[0], reported, panels[0].end)
    _write_names(drawn[-1], curves, ends, lines, panels[-1].end)
    return figure


def _panels(left: float, across: float, horizon: float, clock: str, early: float) -> list[_Panel]:
    """Return one panel; or, where the horizon is long, one of the first months and one of them all."""
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
    for place, each in enumerate(curves):
        banded = has_band(curves, place)
        curve.plot(axes, each, lines[each.scenario], follow_up=follow_up, end=panel.end, band=0.16 if banded else 0.0)
    curve.mark_follow_up(axes, follow_up, panel.end)
    curve.name_follow_up(axes, follow_up, panel.end)
    if len(reported):
        curve.plot_reported(axes, reported, end=panel.end)


def has_band(curves: Sequence[Curve], place: int) -> bool:
    """Return whether a curve gets its band: not of many, nor at break-even, where it is the first one's moved."""
    return place == 0 or (len(curves) <= MOST_BANDS and not curves[place].scenario.endswith(f"@{BREAK_EVEN}"))


def _write_reported(axes: Axes, reported: pd.DataFrame, end: float) -> None:
    """Write each reported figure low under its point, where no curve runs; over it if it is low itself."""
    for row in reported[reported["month"] <= end].itertuples() if len(reported) else ():
        month, value, error = (float(each) for each in (row.month, row.value, row.standard_error))  # type: ignore[arg-type]
        error = 0.0 if np.isnan(error) else error
        said = f"{row.count:g} of {row.n:g}\n{value:g}{f' ± {error:g}' if error else ''} %"
        if value - error > 20:
            axes.plot([month, month], [13.5, value - error - 1.5], color=style.FAINT, linewidth=0.6, zorder=2)
            axes.text(month, 12.5, said, ha="center", va="top", fontsize=style.SMALL, linespacing=1.25, zorder=6)
        else:
            place = value + error + 2.5
            axes.text(month, place, said, ha="center", va="bottom", fontsize=style.SMALL, linespacing=1.25, zorder=6)


def _write_names(
    axes: Axes, curves: Sequence[Curve], names: Mapping[str, str], lines: Mapping[str, Line], end: float
) -> None:
    """Write each scenario's name where its curve ends; names : as they are broken into lines."""
    drawn = [curve for curve in curves if not curve.is_empty and curve.scenario in names]
    wanted = [100 * each.at(min(end, float(each.months[-1])))[0] for each in drawn]
    # 102 % are PLOT inches.
    places = text.spread(wanted, _most_lines(names) * NAME_LINE * 102 / PLOT, 1.0, 101.0)
    for each, y, label_y in zip(drawn, wanted, places, strict=True):
        axes.plot(
            [end, end * 1.03, end * 1.05], [y, label_y, label_y], color=style.FAINT, linewidth=0.6, clip_on=False
        )
        name, colour = names[each.scenario], lines[each.scenario].dark
        axes.text(end * 1.06, label_y, name, color=colour, fontweight="bold", va="center", linespacing=1.0)


def _most_lines(names: Mapping[str, str]) -> int:
    return max((name.count("\n") + 1 for name in names.values()), default=1)


def _subtitle(curves: Sequence[Curve], reported: pd.DataFrame) -> str:
    said = ["Lines: simulated."]
    if any(curve.has_band for curve in curves):
        whose = "" if len(curves) <= MOST_BANDS else f" (of {curves[0].scenario} only)"
        said.append(f"Bands: 95 % interval over the parameters' draws{whose}.")
    if len(reported):
        said.append("Circles: as reported, ± one standard error.")
    return " ".join(said)


def _footing(curves: Sequence[Curve], cohort: Cohort | None, clock: str, *, everybody: bool) -> str:
    """Return the notes; `everybody` : whether the cohort's clock starts for someone under every scenario."""
    said = ends_in_words([curve.scenario for curve in curves])
    nobody = [curve.scenario for curve in curves if curve.is_empty]
    if nobody:
        said.append(f"Nobody comes to {clock} under {', '.join(nobody)}.")
    if cohort is None:
        whose = "their own draws" if any(curve.has_band for curve in curves) else "their declared values"
        said.append(f"No cohort is shown; the parameters are at {whose}.")
        said.append("Not for individual patients.")
        return " ".join(said)
    if clock == cohort.clock and cohort.follow_up is not None:
        thins, ends = cohort.follow_up
        said.append(f"Lighter after month {thins:g}, when survivors' follow-up begins to end;")
        said.append(f"dashed after {ends:g}, the longest.")
    if clock != cohort.clock and everybody:
        said.append(f"From {clock}, given that {cohort.clock} follows, as it did for everybody in the cohort.")
    said.append(source_in_words(cohort))
    return " ".join(said)


def ends_in_words(scenarios: Sequence[str]) -> list[str]:
    """Return what NAME@0.5 means, if there is one."""
    benefits = dict.fromkeys(benefit for _, benefit in map(split_name, scenarios) if benefit is not None)
    said = []
    for benefit in benefits:
        if isinstance(benefit, str):
            said.append(f"@{benefit}: {_OF_EACH_DRAW[benefit]}.")
        else:
            share = "half" if benefit == 0.5 else f"{100 * benefit:g} %"
            said.append(f"@{benefit:g}: if only {share} of those treated in addition gain (assumption).")
    return said


_OF_EACH_DRAW = {
    COHORTS: "those treated in addition gain as other cohorts suggest (transport, not a treatment effect)",
    BREAK_EVEN: "just so many of them gain that the policy pays by the margin asked for, at most all (no band drawn)",
}


def source_in_words(cohort: Cohort) -> str:
    """Return the cohort's size, its source, and what its figures are not for."""
    source = f"n = {cohort.n}: {cohort.citation.rstrip('.')}."
    return f"{source} A simulation of stated assumptions; not for individual patients."
