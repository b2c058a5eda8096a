"""What cohorts of n can show: their Kaplan-Meier curves, the spread of their OS, and the power against n."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from simulator.analyses.virtual_cohorts.power import VirtualCohorts
from simulator.figures import style, text
from simulator.figures.gallery import Picture
from simulator.figures.survival import curve, survival
from simulator.wording import virtual_cohorts

PLOT, LEFT, FOOT, HEAD = 3.0, 0.65, 0.55, 0.15


def pictures(found: VirtualCohorts) -> list[Picture]:
    """Return the figure of the cohorts, and that of the power where policies are compared."""
    words = virtual_cohorts.cohorts(found)
    made = [Picture("virtual_cohorts", "What cohorts of this size show", words, _cohorts(found))]
    if found.power is not None:
        made.append(Picture("power", "Power against the size of an arm", _power_in_words(found.power), _power(found)))
    return made


def _source(found: VirtualCohorts) -> str:
    return "Not for individual patients." if found.cohort is None else survival.source_in_words(found.cohort)


def _cohorts(found: VirtualCohorts) -> Figure:
    n, clock = found.settings.size, found.scenarios[0].pathway.clock
    drawn = found.curves["cohort"].nunique()
    footing = f"{virtual_cohorts.standard_deviations(found)} {_followed(found)} {_source(found)}"
    subtitle = f"{drawn} of {len(found.cohorts)} cohorts of {n} under {found.scenarios[0].name}, each by Kaplan-Meier."
    with style.applied():
        foot = text.footing_height(footing) + FOOT
        figure = style.canvas(style.WIDTH, foot + PLOT + HEAD + text.heading_height(subtitle))
        text.heading(figure, f"What a cohort of {n} can show", subtitle)
        text.footing(figure, footing)
        left = style.axes(figure, LEFT, foot, 5.4, PLOT)
        _fill_curves(left, found, clock)
        right = style.axes(figure, LEFT + 6.1, foot, style.WIDTH - LEFT - 6.1 - 0.25, PLOT)
        _fill_spread(right, found)
    return figure


def _followed(found: VirtualCohorts) -> str:
    follow_up = None if found.cohort is None else found.cohort.follow_up
    if follow_up is None:
        return f"Everybody is followed for {found.settings.horizon:g} months."
    lower, upper = follow_up
    return f"Followed for {lower:g} to {upper:g} months, uniformly (assumption)."


def _fill_curves(axes: Axes, found: VirtualCohorts, clock: str) -> None:
    end = found.scenarios[0].pathway.months.of_panels
    curve.percent_axis(axes)
    axes.set_xlim(0, end)
    axes.set_xticks(curve.month_ticks(end, 9))
    axes.set_xlabel(f"Months since {clock}")
    for _, own in found.curves.groupby("cohort"):
        months = np.concatenate([[0.0], own["month"].to_numpy(), [end]])
        alive = np.concatenate([[1.0], own["survival"].to_numpy(), own["survival"].to_numpy()[-1:]])
        axes.step(months, 100 * alive, where="post", color=style.BLUE, alpha=0.16, linewidth=0.7, zorder=2)
    if found.cohort is not None:
        curve.plot_reported(axes, found.cohort.reported_survival("all", clock), end=end)
        axes.text(0.98 * end, 97, "Circles: as reported, ± one standard error", ha="right", fontsize=style.SMALL)


def _fill_spread(axes: Axes, found: VirtualCohorts) -> None:
    """Draw how many cohorts show which OS: a bar a number of survivors, where nobody is censored before."""
    n = found.settings.size
    edges = 100 * (np.arange(n + 2) - 0.5) / n
    axes.hist(100 * found.cohorts["survival"], bins=edges.tolist(), color=style.shade(style.BLUE, 1.5), zorder=2)
    lower, upper = (100 * found.variation[each] for each in ("lower", "upper"))
    axes.axvspan(lower, upper, color=style.HAIR, zorder=0)
    highest = axes.get_ylim()[1]
    said = f"95 % of cohorts: {' to '.join(virtual_cohorts.central_range(found.variation))}"
    axes.text((lower + upper) / 2, 1.16 * highest, said, ha="center", fontsize=style.SMALL)
    reported, error = virtual_cohorts.reported_count(found), virtual_cohorts.reported_error(found)
    if reported is not None and error is not None:
        value = reported[0] / reported[1]
        axes.errorbar([100 * value], [1.07 * highest], xerr=[100 * error], fmt="o", color=style.INK, mfc="white",
                      capsize=2.5, zorder=5)  # fmt: skip
    axes.set_ylim(0, 1.25 * highest)
    axes.set_xlim(0, 100)
    axes.set_xlabel(f"Alive at {virtual_cohorts.month(found)} (%)")
    axes.set_ylabel("Cohorts")


def _power_in_words(power: pd.DataFrame) -> str:
    said = []
    for name, rows in power.groupby("scenario", sort=False):
        told = ", ".join(
            f"{virtual_cohorts.percent(row['power'])} % with {row['patients_an_arm']} an arm"
            for row in rows.to_dict("records")
        )
        said.append(f"{name}: {told}.")
    return f"Power of the log-rank test. {' '.join(said)}"


def _power(found: VirtualCohorts) -> Figure:
    power, first = found.power, found.scenarios[0].name
    assert power is not None
    names = list(dict.fromkeys(power["scenario"]))
    ends = survival.ends_in_words(names)
    footing = " ".join(
        [
            "Bands: 95 % interval over the parameters' draws, sampling taken away; bars: Monte Carlo error (95 %).",
            f"Two arms of independent patients, P < 0.05. {_followed(found)}",
            *ends,
            _source(found),
        ]
    )
    with style.applied():
        subtitle = f"How often the log-rank test tells a policy from {first}"
        foot = text.footing_height(footing) + FOOT
        figure = style.canvas(style.WIDTH, foot + PLOT + 0.15 + text.heading_height(subtitle))
        text.heading(figure, "Power against the size of an arm", subtitle)
        text.footing(figure, footing)
        axes = style.axes(figure, LEFT, foot, 6.6, PLOT)
        _fill_power(axes, power, names, [first, *names])
    return figure


def _fill_power(axes: Axes, power: pd.DataFrame, names: list[str], all_names: list[str]) -> None:
    lines = style.lines(all_names)
    curve.percent_axis(axes, label="Comparisons that differ (%)")
    sizes = sorted(set(power["patients_an_arm"].tolist()))
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([float(size) for size in sizes]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{size:g}" for size in sizes])
    axes.set_xlim(0.9 * sizes[0], 1.02 * sizes[-1])
    axes.set_xlabel("Patients an arm")
    axes.axhline(100 * virtual_cohorts.USUAL_POWER, color=style.FAINT, linewidth=0.7, linestyle=(0, (1, 2)))
    ends = []
    for name in names:
        rows = power[power["scenario"] == name]
        x, line = rows["patients_an_arm"].to_numpy(dtype=float), lines[name]
        y, lower, upper, error = (100 * rows[e].to_numpy(dtype=float) for e in
                                  ("power", "lower", "upper", "monte_carlo_se"))  # fmt: skip
        axes.errorbar(x, y, yerr=1.96 * np.nan_to_num(error), color=line.colour, linestyle=line.dash, linewidth=1.8,
                      marker="o", markersize=4, capsize=2, elinewidth=0.9, zorder=3)  # fmt: skip
        if np.isfinite(lower).all():
            axes.fill_between(x, lower, upper, color=line.colour, alpha=0.13, linewidth=0, zorder=1)
        ends.append(y[-1])
    places = text.spread(ends, 7.0, 1.0, 100.0)
    for name, place in zip(names, places, strict=True):
        axes.text(1.06 * sizes[-1], place, name, color=lines[name].dark, fontweight="bold", va="center")
