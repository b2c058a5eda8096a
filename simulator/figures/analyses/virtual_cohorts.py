"""Virtual cohorts of n: their Kaplan-Meier curves, the distribution of their OS, and the power against n."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.analyses.virtual_cohorts.power import VirtualCohorts
from simulator.figures import notes, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Sheet
from simulator.figures.style import Line
from simulator.figures.survival import curve
from simulator.wording import virtual_cohorts
from simulator.wording.headline import scenario_in_words

PLOT = 3.0
"""Inches of the axes up."""


@style.applied()
def pictures(result: VirtualCohorts) -> list[Picture]:
    """Return the figure of the cohorts, and the figure of the power if policies are compared."""
    return [_cohorts(result), *([] if result.power is None else [_power(result, result.power)])]


def _cohorts(result: VirtualCohorts) -> Picture:
    n, scenario = result.settings.size, result.scenarios[0]
    count = result.curves["cohort"].nunique()
    footing = [virtual_cohorts.standard_deviations(result), _followed(result), notes.source_in_words(result.cohort)]
    circles = "" if result.cohort is None else f" {notes.REPORTED}"
    subtitle = f"{count} of {len(result.cohorts)} cohorts of {n} under {scenario.name}, each by Kaplan-Meier.{circles}"
    sheet = Sheet(f"What a cohort of {n} can show", subtitle, footing, 0.5 + PLOT + 0.15)
    _fill_curves(sheet.axes(0.65, sheet.bottom + 0.5, 5.4, PLOT), result, scenario.pathway.clock)
    _fill_histogram(sheet.axes(6.75, sheet.bottom + 0.5, style.WIDTH - 7.0, PLOT), result)
    return sheet.picture("virtual_cohorts", virtual_cohorts.cohorts(result))


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


def _fill_histogram(axes: Axes, result: VirtualCohorts) -> None:
    """Draw the distribution of the cohorts' OS: a bar a number of survivors, if nobody is censored before."""
    n = result.settings.size
    edges = 100 * (np.arange(n + 2) - 0.5) / n
    axes.hist(100 * result.cohorts["survival"], bins=edges.tolist(), color=style.shade(style.BLUE, 1.5), zorder=2)
    lower, upper = (100 * result.variation[end] for end in ("lower", "upper"))
    axes.axvspan(lower, upper, color=style.HAIR, zorder=0)
    highest = axes.get_ylim()[1]
    label = f"Grey: 95 % of cohorts, {' to '.join(virtual_cohorts.central_range(result.variation))} %"
    axes.set_title(label, fontsize=style.SMALL, fontweight="normal", color=style.QUIET)
    reported, error = virtual_cohorts.reported_count(result), virtual_cohorts.reported_error(result)
    if reported is not None and error is not None:
        value = reported[0] / reported[1]
        axes.errorbar([100 * value], [1.08 * highest], xerr=[100 * error], fmt="o", color=style.INK, mfc="white",
                      capsize=2.5, zorder=5)  # fmt: skip
    label = f"Alive at {virtual_cohorts.month(result)} (%)"
    axes.set(xlim=(0, 100), ylim=(0, 1.16 * highest), xlabel=label, ylabel="Cohorts")


def _power_in_words(power: pd.DataFrame) -> str:
    sentences = []
    for name, rows in power.groupby("scenario", sort=False):
        powers = ", ".join(
            f"{virtual_cohorts.percent(row['power'])} % with {row['patients_an_arm']} an arm"
            for row in rows.to_dict("records")
        )
        sentences.append(f"{scenario_in_words(str(name))}: {powers}.")
    return f"Power of the log-rank test. {' '.join(sentences)}"


def _power(result: VirtualCohorts, power: pd.DataFrame) -> Picture:
    first = result.scenarios[0].name
    names = list(dict.fromkeys(power["scenario"]))
    footing = [
        "Bands: 95 % interval over the parameter sets, without sampling variation. Bars: Monte Carlo error (95 %).",
        f"Two arms of independent patients, P < 0.05. {_followed(result)}",
        *notes.benefits_in_words(names),
        notes.source_in_words(result.cohort),
    ]
    subtitle = f"How often the log-rank test distinguishes a policy from {first}"
    sheet = Sheet("Power against the size of an arm", subtitle, footing, 0.5 + PLOT + 0.15)
    lines = style.lines([scenario.name for scenario in result.scenarios])
    _fill_power(sheet.axes(0.65, sheet.bottom + 0.5, 6.6, PLOT), power, names, lines)
    return sheet.picture("power", _power_in_words(power))


def _fill_power(axes: Axes, power: pd.DataFrame, names: list[str], lines: Mapping[str, Line]) -> None:
    curve.percent_axis(axes, label="Significant comparisons (%)")
    sizes = sorted(set(power["patients_an_arm"].tolist()))
    axes.set_xscale("log")
    axes.set(xticks=sizes, xticklabels=[f"{size:g}" for size in sizes], xlabel="Patients an arm")
    axes.set_xticks([], minor=True)
    axes.set_xlim(0.9 * sizes[0], 1.02 * sizes[-1])
    usual = 100 * virtual_cohorts.USUAL_POWER
    axes.axhline(usual, color=style.FAINT, linewidth=0.7, linestyle=(0, (1, 2)))
    axes.text(0.91 * sizes[0], usual + 1, f"{usual:g} %", fontsize=style.SMALL, color=style.QUIET)
    ends = []
    for name in names:
        rows = power[power["scenario"] == name]
        x, line = rows["patients_an_arm"].to_numpy(dtype=float), lines[name]
        columns = ("power", "lower", "upper", "monte_carlo_se")
        y, lower, upper, error = (100 * rows[column].to_numpy(dtype=float) for column in columns)
        axes.errorbar(x, y, yerr=1.96 * np.nan_to_num(error), color=line.colour, linestyle=line.dash, linewidth=1.8,
                      marker="o", markersize=4, capsize=2, elinewidth=0.9, zorder=3)  # fmt: skip
        if np.isfinite(lower).all():
            axes.fill_between(x, lower, upper, color=line.colour, alpha=0.13, linewidth=0, zorder=1)
        ends.append(y[-1])
    for name, place in zip(names, text.label_places(ends, 7.0, 1.0, 100.0), strict=True):
        colour = lines[name].dark
        axes.text(1.06 * sizes[-1], place, scenario_in_words(name), color=colour, fontweight="bold", va="center")
