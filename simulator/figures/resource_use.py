"""Resources over calendar time: a panel a resource and scenario, with patients waiting, use, and capacity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from simulator.arrays import Floats
from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Grid, Sample, Sheet, area, line_sample, title_panel
from simulator.figures.style import BLUE, INK, VERMILLION, Dash
from simulator.figures.survival import curve
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario
from simulator.wording import resources, rounding
from simulator.wording.headline import scenario_in_words

INTERVAL, FUTURE = 0.33, 0.1
"""Opacity of the bands: the 95 % interval over draws, and 95 % of all replications."""

SERIES: Mapping[str, tuple[str, str, Dash, str]] = {
    "waiting": ("waiting", VERMILLION, "solid", "///"),
    "in_use": ("in use", BLUE, (0.0, (6.0, 1.3)), ""),
}


@style.applied()
def picture(
    queue: pd.DataFrame, scenarios: Sequence[Scenario], manifest: Mapping[str, Any], cohort: Cohort | None = None
) -> Picture:
    """Return the figure. queue : the run's queue table."""
    panels = list(_panels(queue, scenarios))
    grid = Grid(len(panels), 3, plot=1.7, gap=0.4, widest=style.WIDTH)
    title, footing = f"{resources.title(scenarios[0].pathway)} over time", _footing(scenarios, cohort)
    sheet = Sheet(title, _subtitle(manifest), footing, grid.height, key=_key(has_intervals=_has_intervals(manifest)))
    highest = {resource: _highest(queue, scenarios, resource) for _, resource, _ in panels}
    sentences = ["Patients waiting and units in use by calendar month, means over parameter sets and replications."]
    for axes, (scenario, resource, rows) in zip(sheet.panels(grid, one_scale=False), panels, strict=True):
        _fill(axes, scenario, resource, rows, highest[resource])
        units = text.fitted(resources.units(scenario, resource), grid.width, style.SMALL)
        title_panel(axes, text.fitted(scenario_in_words(scenario.name), grid.width, style.TEXT, "bold"), units)
        axes.set_ylabel("Number")
        sentences.append(_in_words(scenario, resource, rows))
    return sheet.picture("queue_over_time", " ".join(sentences))


def _in_words(scenario: Scenario, resource: str, rows: pd.DataFrame) -> str:
    months, waiting, used = (rows[name].to_numpy(dtype=float) for name in ("month", "waiting", "in_use"))
    peak_index = int(np.argmax(waiting))
    numbers = (waiting[0], waiting[-1], waiting[peak_index])
    first, last, peak = (rounding.number(value, "patients") for value in numbers)
    top = rounding.number(rows["waiting_most"].iloc[peak_index], "patients", end_of=waiting[peak_index])
    return (
        f"{scenario_in_words(scenario.name)}, {resources.units(scenario, resource)}: "
        f"{first} wait in month {int(months[0])} and {last} in month {int(months[-1])}; "
        f"most in month {int(months[peak_index])}, {peak} "
        f"(95 % of replications up to {top}); {rounding.number(used.mean(), 'units')} in use on average."
    )


def _panels(queue: pd.DataFrame, scenarios: Sequence[Scenario]) -> Iterator[tuple[Scenario, str, pd.DataFrame]]:
    """Yield scenario, resource and rows of every panel, by resource, then in the order of the scenarios."""
    for resource in dict.fromkeys(name for scenario in scenarios for name in scenario.capacity):
        for scenario in scenarios:
            rows = queue[(queue["scenario"] == scenario.name) & (queue["resource"] == resource)]
            if len(rows):
                yield scenario, resource, rows


def _highest(queue: pd.DataFrame, scenarios: Sequence[Scenario], resource: str) -> float:
    """Return the upper end of the axis of every panel of a resource."""
    rows = queue[queue["resource"] == resource]
    columns = [f"{name}{end}" for name in SERIES for end in ("", "_upper", "_most")]
    highest = float(np.nanmax(rows[columns].to_numpy(dtype=float)))
    capacities = [scenario.capacity[resource] for scenario in scenarios if resource in scenario.capacity]
    units = [n for capacity in capacities if capacity.offered_every is None for _, n in capacity.calendar]
    return max([highest, *map(float, units), 1.0]) * 1.08


def _fill(axes: Axes, scenario: Scenario, resource: str, rows: pd.DataFrame, highest: float) -> None:
    months = rows["month"].to_numpy(dtype=float)
    first, last = float(np.floor(months[0])), float(np.floor(months[0])) + max(np.ceil(np.ptp(months)), 1.0)
    for name, (_, colour, dash, hatch) in SERIES.items():
        columns = (name, *(f"{name}_{end}" for end in ("lower", "upper", "least", "most")))
        mean, lower, upper, least, most = (rows[column].to_numpy(dtype=float) for column in columns)
        axes.fill_between(months, least, most, facecolor=colour, alpha=FUTURE, linewidth=0, zorder=1)
        if hatch:
            edge = style.shade(colour, 1.5)
            axes.fill_between(months, least, most, facecolor="none", edgecolor=edge, hatch=hatch, lw=0, zorder=1)
        axes.fill_between(months, lower, upper, facecolor=colour, alpha=INTERVAL, linewidth=0, zorder=2)
        axes.plot(months, mean, color=colour, linestyle=dash, linewidth=1.8, dash_capstyle="butt", zorder=4)
    _step(axes, scenario.capacity[resource], first, last)
    service = scenario.service
    if service is not None and service.policy_from_month is not None and first < service.policy_from_month < last:
        month = service.policy_from_month
        axes.axvline(month, color=style.FAINT, linewidth=0.8, linestyle=(0, (1, 2)), zorder=0)
        place = month + 0.012 * (last - first)
        axes.text(place, 0.99 * highest, "policy\nstarts", fontsize=style.SMALL, color=style.QUIET, va="top")
    axes.set_xlim(first, last)
    axes.set_xticks([first + month_tick for month_tick in curve.month_ticks(last - first, 5)])
    axes.set_xlabel("Calendar month" if service is not None else "Months since all entered")
    axes.set_ylim(0, highest)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))


def _step(axes: Axes, capacity: Capacity, first: float, last: float) -> None:
    """Draw the capacity, unless units are only offered now and then."""
    if capacity.offered_every is not None:
        return
    months = [first, *(month for month, _ in capacity.calendar if first < month < last), last]
    units: Floats = np.array([capacity.at(month) for month in months], dtype=np.float64)
    axes.step(months, units, where="post", color=INK, linewidth=1.1, zorder=3)


def _key(*, has_intervals: bool) -> list[Sample]:
    key = [line_sample(words, style.Line(colour, dash)) for words, colour, dash, _ in SERIES.values()]
    key.append(line_sample("capacity", style.Line(INK, "solid"), 1.1))
    bands = [("interval of the mean", INTERVAL)] if has_intervals else []
    for words, opacity in (*bands, ("one future", FUTURE)):
        key.append(Sample(words, area(facecolor=INK, alpha=opacity, linewidth=0), style.QUIET))
    return key


def _subtitle(manifest: Mapping[str, Any]) -> str:
    draws, replications = manifest["draws"], manifest["replications"]
    interval = ""
    if _has_intervals(manifest):
        interval = "Dark bands: 95 % interval of the mean over parameter sets, where simulation noise allows one. "
    means = f"{_count(draws, 'parameter set')}, {_count(replications, 'replication')} each"
    return (
        f"Lines: means in the middle of each month over {means}. {interval}"
        "Pale bands: 95 % of all replications, what one future may look like (parameters and chance)."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _has_intervals(manifest: Mapping[str, Any]) -> bool:
    """Return whether there are several draws, and the replications to separate them from chance."""
    return bool(manifest["draws"] > 1 and manifest["replications"] > 1)


def _footing(scenarios: Sequence[Scenario], cohort: Cohort | None) -> list[str]:
    sentences = []
    if any(scenario.capacity and scenario.service is not None for scenario in scenarios):
        sentences.append("The warm-up from an empty centre is not shown.")
    if any(capacity.offered_every is not None for scenario in scenarios for capacity in scenario.capacity.values()):
        sentences.append("Offered units are lost if no patient waits, so no capacity is shown for them.")
    names = [scenario.name for scenario in scenarios]
    return [*sentences, *notes.benefits_in_words(names), notes.source_in_words(cohort)]
