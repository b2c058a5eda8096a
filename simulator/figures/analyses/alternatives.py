"""The answer under other structures and weaker priors: changes on a scale of their own, the whole interval above."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from simulator.analyses.sensitivity.alternatives import LEAST_EFFECTIVE
from simulator.analyses.sensitivity.run import Sensitivity
from simulator.analyses.sensitivity.structural import WITH_CURE, through
from simulator.evidence.cohort import Cohort
from simulator.figures import row_chart, style
from simulator.figures.analyses.sensitivity_chart import chart, displayed
from simulator.figures.picture import Picture
from simulator.figures.row_chart import Layout, Row
from simulator.figures.sheet import Sheet
from simulator.pathway.outcome_months import OutcomeMonths
from simulator.wording import sensitivity_titles
from simulator.wording.sensitivity import change, factor, measured

DRAWN = "Circles: changes of the estimate, with 95 % intervals, on a scale of their own."
UNKNOWN = f"Unknown: the reweighted parameter sets are worth fewer than {LEAST_EFFECTIVE:g}; only a new fit shows it."
GAP = 0.16
"""Inches between the whole interval and the changes."""


def picture(analysis: Sensitivity, part: str, cohort: Cohort | None, *, width: float = style.WIDTH) -> Picture:
    """Return the figure of `structure` or `priors`."""
    whole = displayed(analysis, part, width)
    declared, table = whole.iloc[0].to_dict(), whole.iloc[1:]
    months = analysis.question.scenario.pathway.months
    meanings = {
        "structure": "Log-normal times match the declared times in median and ratio of quartiles; times "
        f"{_matched(table, months)}. Parameters are not refitted.",
        "priors": "One prior at a time is made flat (probabilities) or twice as wide, by reweighting the parameter "
        "sets.",
    }
    strip = Layout([Row(*sensitivity_titles.as_declared(analysis, declared))], "", width)
    scale = f"Change of: {measured(analysis.question)}"
    drawn = f"{DRAWN} {UNKNOWN}" if (table["effective_draws"] < LEAST_EFFECTIVE).any() else DRAWN
    sheet, axes = chart(
        analysis, part, table, cohort, drawn, meanings[part], scale, width=width, above=strip.height + GAP
    )
    times = factor(analysis.question)
    for place, row in enumerate(table.to_dict("records")):
        if row["effective_draws"] < LEAST_EFFECTIVE:
            words = f"unknown: worth {row['effective_draws']:.0f} sets"
            axes.annotate(words, (0.0, -place), (5, 0), textcoords="offset points", va="center", fontsize=sheet.small)
            continue
        at, error = times * row["change"], 1.96 * times * row["change_se"]
        row_chart.point(axes, place, at, at - error, at + error)
        words, side = change(analysis.question, row), 1 if at >= 0 else -1
        axes.annotate(
            words, (at + side * error, -place), (5 * side, 0), textcoords="offset points", va="center",
            ha="left" if side > 0 else "right", fontsize=sheet.small,
        )  # fmt: skip
    row_chart.zero_line(axes, 0.0)
    low, high = axes.get_xlim()
    axes.set_xlim(low - 0.25 * (high - low), high + 0.25 * (high - low))
    _draw_whole(analysis, sheet, strip, declared, table)
    return sheet.picture(part)


def _draw_whole(
    analysis: Sensitivity, sheet: Sheet, strip: Layout, declared: Mapping[Any, Any], table: pd.DataFrame
) -> None:
    """Draw the estimate as declared with its whole interval, and in black how far the changes move it."""
    axes = row_chart.fill(sheet, sheet.top - strip.height, strip)
    axes.set_axis_off()
    times = factor(analysis.question)
    at, low, high = (times * float(declared[name]) for name in ("estimate", "lower", "upper"))
    row_chart.whisker(axes, 0, low, high, style.QUIET)
    moved = [at, *(at + times * table["change"].dropna())]
    axes.plot([min(moved), max(moved)], [0, 0], color=style.INK, linewidth=8, solid_capstyle="butt", zorder=5)
    axes.plot(at, 0, "o", color=style.INK, markersize=4.8, zorder=6)
    room = 0.14 * max(high - low, 1e-9)
    axes.set_xlim(low - room, high + room)
    for end, words, side in zip(
        (low, high), sensitivity_titles.ends(analysis, declared), ("right", "left"), strict=True
    ):
        axes.annotate(
            words, (end, 0), (-6 if side == "right" else 6, 0), textcoords="offset points", ha=side, va="center",
            fontsize=sheet.small, color=style.QUIET,
        )  # fmt: skip


def _matched(table: pd.DataFrame, months: OutcomeMonths) -> str:
    """Return the points that times with, or without, a cured fraction share with the declared times."""
    if set(table["alternative"]) & set(WITH_CURE):
        return "to death with 10 % of patients cured (an assumption) match in lower quartile and median"
    first, last = through(months)
    return f"without a cured fraction match in survival at {first:g} and {last:g} months"
