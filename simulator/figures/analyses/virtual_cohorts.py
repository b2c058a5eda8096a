"""Virtual cohorts of n: their Kaplan-Meier curves, and the distribution of their OS."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from simulator.analyses.virtual_cohorts.power import VirtualCohorts
from simulator.figures import notes, style
from simulator.figures.analyses import power
from simulator.figures.picture import Picture, in_two_widths
from simulator.figures.sheet import Sheet
from simulator.figures.survival import curve
from simulator.wording import virtual_cohorts

PLOT, LEFT, BELOW, ABOVE = 3.0, 0.65, 0.5, 0.4
"""Inches of the axes up, left of them, below them, and above those that stand below others."""


@style.applied()
def pictures(result: VirtualCohorts) -> list[Picture]:
    """Return the figure of the cohorts, and the figure of the power if policies are compared."""
    draw = [partial(_cohorts, result)]
    if result.power is not None:
        draw.append(partial(power.picture, result, result.power, _followed(result)))
    return [in_two_widths(one) for one in draw]


def _cohorts(result: VirtualCohorts, *, width: float = style.WIDTH) -> Picture:
    n, scenario = result.settings.size, result.scenarios[0]
    count = result.curves["cohort"].nunique()
    footing = [virtual_cohorts.standard_deviations(result), _followed(result), notes.source_in_words(result.cohort)]
    circles = "" if result.cohort is None else f" {notes.REPORTED}"
    subtitle = f"{count} of {len(result.cohorts)} cohorts of {n} under {scenario.name}, each by Kaplan-Meier.{circles}"
    is_narrow = width < style.WIDTH
    below = PLOT + BELOW + ABOVE if is_narrow else 0.0
    sheet = Sheet(virtual_cohorts.cohorts_title(result), subtitle, footing, BELOW + PLOT + 0.15 + below, width=width)
    across = width - LEFT - 0.25 if is_narrow else 5.4
    _fill_curves(sheet.axes(LEFT, sheet.bottom + BELOW + below, across, PLOT), result, scenario.pathway.clock)
    left = LEFT if is_narrow else 6.75
    _fill_histogram(sheet.axes(left, sheet.bottom + BELOW, width - left - 0.25, PLOT), result, sheet.small)
    return sheet.picture("virtual_cohorts")


def _followed(result: VirtualCohorts) -> str:
    follow_up = None if result.cohort is None else result.cohort.follow_up
    if follow_up is None:
        return f"Every patient is followed up for {result.settings.horizon:g} months."
    lower, upper = follow_up
    return f"Followed up for {lower:g} to {upper:g} months, uniformly (assumption)."


def _fill_curves(axes: Axes, result: VirtualCohorts, clock: str) -> None:
    end = result.scenarios[0].pathway.months.of_panels
    curve.percent_axis(axes)
    curve.month_axis(axes, end, 9, f"Months since {clock}")
    for _, rows in result.curves.groupby("cohort"):
        months = np.concatenate([[0.0], rows["month"].to_numpy(), [end]])
        alive = np.concatenate([[1.0], rows["survival"].to_numpy(), rows["survival"].to_numpy()[-1:]])
        axes.step(months, 100 * alive, where="post", color=style.BLUE, alpha=0.16, linewidth=0.7, zorder=2)
    if result.cohort is not None:
        curve.plot_reported(axes, result.cohort.reported_survival("all", clock), end=end)


def _fill_histogram(axes: Axes, result: VirtualCohorts, small: float) -> None:
    """Draw the distribution of the cohorts' OS: a bar a number of survivors, if nobody is censored before."""
    n = result.settings.size
    edges = 100 * (np.arange(n + 2) - 0.5) / n
    axes.hist(100 * result.cohorts["survival"], bins=edges.tolist(), color=style.shade(style.BLUE, 1.5), zorder=2)
    lower, upper = (100 * result.variation[end] for end in ("lower", "upper"))
    axes.axvspan(lower, upper, color=style.HAIR, zorder=0)
    highest = axes.get_ylim()[1]
    label = f"Grey: 95 % of cohorts, {' to '.join(virtual_cohorts.central_range(result.variation))} %"
    axes.set_title(label, fontsize=small, fontweight="normal", color=style.QUIET)
    reported, error = virtual_cohorts.reported_count(result), virtual_cohorts.reported_error(result)
    if reported is not None and error is not None:
        value = reported[0] / reported[1]
        axes.errorbar([100 * value], [1.08 * highest], xerr=[100 * error], fmt="o", color=style.INK, mfc="white",
                      capsize=2.5, zorder=5)  # fmt: skip
    label = f"Alive at {virtual_cohorts.month(result)} (%)"
    axes.set(xlim=(0, 100), ylim=(0, 1.16 * highest), xlabel=label, ylabel="Cohorts")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
