"""Overall survival of every scenario with its band, the reported figures, and the numbers alive below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Sheet
from simulator.figures.style import Line
from simulator.figures.survival import curve, risk_table
from simulator.figures.survival.curve import Curve, FollowUp
from simulator.pathway.outcome_months import UNDECLARED, OutcomeMonths, in_words
from simulator.wording.headline import scenario_in_words

NAME = 1.68
"""Inches of a line of a scenario's name at the end of its curve."""

NAME_LINE = 0.155
"""Inches from one line of a name to the next."""

PLOT = 3.5
"""Inches from 0 to 100 %."""

GAP = 0.42
"""Inches between the panels."""


@style.applied()
def picture(
    survival: pd.DataFrame,
    *,
    clock: str,
    cohort: Cohort | None = None,
    months: OutcomeMonths = UNDECLARED,
    name: str = "overall_survival",
) -> Picture:
    """Return the figure of all patients on one clock, a curve a scenario.

    survival : the run's survival table
    cohort : its reported figures, size and follow-up are drawn, on its own clock
    months : the pathway's; if the horizon is long, the early months get a panel: most deaths fall in them
    """
    curves = curve.select(survival, clock, "all")
    lines = style.lines(curve.scenarios_in(survival))
    reported = curve.reported_survival(cohort, "all", clock)
    n = cohort.n if cohort is not None and curve.select(survival, cohort.clock, "all") else 100
    rows = risk_table.rows_of(curves, reported, n)

    left = max(1.0, min(3.2, 0.85 + max(text.width(scenario_in_words(name), risk_table.SIZE) for name, _ in rows)))
    ends = {drawn.scenario: text.broken_name(drawn.label, NAME) for drawn in curves}
    # If names would hide one another, the table below is the key.
    ends = ends if len(ends) * _most_lines(ends) * NAME_LINE <= PLOT else {}
    right = 0.32 + max((text.width(label, style.TEXT, "bold") for label in ends.values()), default=0.0)

    subtitle = " ".join(["Lines: simulated.", *curve.marks_in_words([curves], curves[0].scenario, [reported])])
    below = risk_table.height(len(rows)) + 0.62
    of_cohort = cohort is not None and clock != cohort.clock and _all_start(survival, cohort)
    condition = f", of patients who later reach {cohort.clock}" if cohort is not None and of_cohort else ""
    footing = _footing(curves, cohort, clock, of_cohort=of_cohort)
    sheet = Sheet(f"Overall survival from {clock}{condition}", subtitle, footing, below + PLOT + 0.14)
    followed = curve.follow_up(cohort, clock)
    panels = []
    place = left
    across, horizon = style.WIDTH - right - left, float(survival["month"].max())
    for width, end, ticks, label in _panels(across, horizon, clock, months.early):
        axes = sheet.axes(place, sheet.bottom + below, width, PLOT)
        curve.draw(axes, curves, lines, reported=reported, followed=followed, end=end, ticks=ticks, label=label)
        _name_follow_up(axes, followed, end)
        panels.append(axes)
        place += width + GAP
    for axes in panels[1:]:
        axes.set_ylabel("")
        axes.tick_params(axis="y", labelleft=False)
    risk_table.write(sheet, panels, sheet.bottom + below - 0.62, f"Alive, of {n} (expected)", rows, lines)
    _write_reported(panels[0], reported)
    _write_names(panels[-1], curves, ends, lines)
    numbers = curve.numbers({drawn.label: drawn for drawn in curves}, months.survival, clock)
    points = curve.reported_in_words(reported)
    return sheet.picture(name, numbers=replace(numbers, notes=[f"Reported: {points}."] if points else []))


def _panels(across: float, horizon: float, clock: str, early: float) -> list[tuple[float, float, int, str]]:
    """Return width, last month, ticks and label: one panel; of a long horizon, one of the first months, one of all."""
    if horizon <= 2.0 * early:
        return [(across, horizon, 9, f"Months since {clock}")]
    return [
        (0.6 * (across - GAP), early, 9, f"Months since {clock}: the first {early:g}"),
        (0.4 * (across - GAP), horizon, 6, f"The whole {in_words(horizon)}"),
    ]


def _inches(axes: Axes) -> float:
    """Return the width of a panel."""
    return axes.get_position().width * axes.get_figure(root=True).get_figwidth()  # type: ignore[union-attr]


def _name_follow_up(axes: Axes, followed: FollowUp, end: float) -> None:
    """Write the meaning of each mark of follow-up next to it, or left of it at the end; the second lower if need be."""
    months_an_inch = end / _inches(axes)
    free = 0.0
    for month, patients in zip(followed or (), ("fewer", "none"), strict=False):
        if month >= end:
            continue
        words = f"from month\n{month:g}: {patients}\nfollowed"
        needed = (text.width(words, style.SMALL) + 0.06) * months_an_inch
        start = month + 0.03 * months_an_inch if month + needed <= end else month - needed
        top = 99.0 if start >= free else 99.0 - 102 * 3.4 * style.SMALL * 1.2 / 72 / PLOT
        axes.text(max(start, 0.0), top, words, fontsize=style.SMALL, color=style.QUIET, va="top")
        free = start + needed


def _write_reported(axes: Axes, reported: pd.DataFrame) -> None:
    """Write each reported figure low under its point, where no curve runs; above a low point."""
    for row in reported.to_dict("records"):
        month, value, error = row["month"], row["value"], row["standard_error"]
        if month > axes.get_xlim()[1]:
            continue
        known = not np.isnan(error)
        words = f"{row['count']:g} of {row['n']:g}\n{value:g}{f' ± {error:g}' if known and error else ''} %"
        low, high = (value - error, value + error) if known else (value, value)
        place, side = (12.5, "top") if low > 20 else (high + 2.5, "bottom")
        # The words of the last month end where the panel does.
        furthest = axes.get_xlim()[1] * (1 - text.width(words, style.SMALL) / 2 / _inches(axes))
        across = min(month, furthest)
        axes.text(across, place, words, ha="center", va=side, fontsize=style.SMALL, linespacing=1.25, zorder=6)
        if low > 20:
            axes.plot([month, month], [13.5, low - 1.5], color=style.FAINT, linewidth=0.6, zorder=2)


def _write_names(axes: Axes, curves: Sequence[Curve], names: Mapping[str, str], lines: Mapping[str, Line]) -> None:
    """Write each scenario's name at the end of its curve; names : scenario -> its name broken into lines."""
    end = axes.get_xlim()[1]
    named = [drawn for drawn in curves if not drawn.is_empty and drawn.scenario in names]
    wanted = [100 * drawn.at(min(end, float(drawn.months[-1])))[0] for drawn in named]
    # 102 % are PLOT inches; the blocks of lines end at the panel's.
    block, months_an_inch = _most_lines(names) * NAME_LINE * 102 / PLOT, end / _inches(axes)
    places = text.label_places(wanted, block, block / 2, 102.0 - block / 2)
    for drawn, y, label_y in zip(named, wanted, places, strict=True):
        name, colour = names[drawn.scenario], lines[drawn.scenario].dark
        link = (end + months_an_inch * np.array([0.0, 0.07, 0.12]), [y, label_y, label_y])
        axes.plot(*link, color=style.FAINT, linewidth=0.6, clip_on=False)
        place = end + 0.14 * months_an_inch
        axes.text(place, label_y, name, color=colour, fontweight="bold", va="center", linespacing=1.0)


def _most_lines(names: Mapping[str, str]) -> int:
    return max((name.count("\n") + 1 for name in names.values()), default=1)


def _all_start(survival: pd.DataFrame, cohort: Cohort) -> bool:
    """Return whether patients start the cohort's clock in every scenario."""
    drawn = curve.select(survival, cohort.clock, "all")
    return bool(drawn) and not any(one.is_empty for one in drawn)


def _footing(curves: Sequence[Curve], cohort: Cohort | None, clock: str, *, of_cohort: bool) -> list[str]:
    sentences = notes.benefits_in_words([drawn.scenario for drawn in curves])
    empty = [drawn.label for drawn in curves if drawn.is_empty]
    if empty:
        sentences.append(f"No patient reaches {clock} under {', '.join(empty)}.")
    if cohort is None:
        values = "come from parameter sets" if any(drawn.has_band for drawn in curves) else "have their declared values"
        sentences.append(f"No cohort is shown; the parameters {values}.")
    elif of_cohort:
        sentences.append(f"Every patient of the cohort reached {cohort.clock}.")
    elif clock == cohort.clock and cohort.follow_up is not None:
        (thins, ends), last = cohort.follow_up, max(float(drawn.months[-1]) for drawn in curves)
        dashed = f"; dashed after month {ends:g}, when the last ends: an extrapolation" if ends < last else ""
        if thins < last:
            sentences.append(f"Thin after month {thins:g}, when the first survivors' follow-up ends{dashed}.")
    return [*sentences, notes.source_in_words(cohort)]
