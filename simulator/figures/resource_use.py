"""How many patients wait for a resource: the shares of time, by calendar quarter where something changes in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.arrays import Floats
from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Grid, Sample, Sheet, area, title_panel
from simulator.figures.survival import curve
from simulator.outcomes.resource_use import QUEUES
from simulator.scenario.scenario import Scenario
from simulator.wording import resources, rounding, statements
from simulator.wording.headline import policies, scenario_in_words
from simulator.wording.table import Row, Table, columns

NAME = "queue_over_time"
QUARTER = 3.0
"""Months of a bar: the shares of one month are of few replications."""

COLOURS = ("#e6f0f0", "#a9cfd0", "#64a6a9", "#2f7478", "#123f43")
"""Of nobody waiting to many: light to dark, and no policy's or state's."""

Panels = Sequence[tuple[Scenario, str, pd.DataFrame]]
"""Scenario, resource, and rows of the run's queue table."""


@style.applied()
def picture(
    queue: pd.DataFrame, scenarios: Sequence[Scenario], manifest: Mapping[str, Any], cohort: Cohort | None = None,
    width: float = style.WIDTH,
) -> Picture | None:  # fmt: skip
    """Return the figure, a panel a scenario; None where nothing changes in time. queue : the run's; width : inches

    Few wait at most centres: a band of so small counts would fill its panel whatever they are. None without the shares
    (runs of earlier versions).
    """
    panels = list(_panels(queue, scenarios)) if queue.columns.isin(list(QUEUES)).any() else []
    if not any(_changes(scenario, resource) for scenario, resource, _ in panels):
        return None
    label = panels[0][0].pathway.resources[panels[0][1]].label
    leading = {policy[0].name for policy in policies(scenarios)}
    of_first = [panel for panel in panels if panel[1] == panels[0][1] and panel[0].name in leading]
    ends = {scenario_in_words(panel[0].name): _ends(panel) for panel in of_first}
    title = statements.nobody_waits(ends, label)
    grid = Grid(len(panels), 3 if width >= style.WIDTH else 1, 1.7, gap=0.4, widest=width, sheet=width)
    small = style.small(width)
    units = [resources.units_beside_name(one, name) for one, name, _ in panels]
    units = [text.in_two_lines(words, grid.width, size=small) for words in units]
    names = [text.broken_name(scenario_in_words(one.name), grid.width) for one, *_ in panels]
    lines = max(words.count("\n") for words in units) + 1
    grid = replace(grid, above=0.57 + 0.155 * (lines + max(name.count("\n") for name in names)))
    foot = notes.foot(_footing(scenarios), cohort, width)
    sheet = Sheet(title, _subtitle(manifest), foot, grid.height, key=_key(), width=width)
    for axes, (scenario, resource, rows), name, words in zip(sheet.panels(grid), panels, names, units, strict=True):
        _fill(axes, scenario, rows)
        _mark(axes, _changes(scenario, resource), grid.width, small)
        title_panel(axes, name, words + "\n " * (lines - 1 - words.count("\n")), free=1)
    return sheet.picture(NAME, numbers=_numbers(panels))


def _ends(panel: tuple[Scenario, str, pd.DataFrame]) -> tuple[float, float]:
    """Return the shares of time in which nobody waits, in the first and in the last quarter of a panel."""
    *_, rows = panel
    first, last = (float(_shares(part)[0]) / 100 for part in (rows.head(int(QUARTER)), rows.tail(int(QUARTER))))
    return first, last


def _panels(queue: pd.DataFrame, scenarios: Sequence[Scenario]) -> Iterator[tuple[Scenario, str, pd.DataFrame]]:
    """Yield scenario, resource and rows, by resource, then in the order of the scenarios."""
    for resource in dict.fromkeys(name for scenario in scenarios for name in scenario.capacity):
        for scenario in scenarios:
            rows = queue[(queue["scenario"] == scenario.name) & (queue["resource"] == resource)]
            if len(rows):
                yield scenario, resource, rows


def _changes(scenario: Scenario, resource: str) -> dict[float, str]:
    """Return calendar month -> what changes then: "five beds", "policy starts"; entry of all at once is a change."""
    declared = scenario.pathway.resources[resource]
    _, *later = scenario.capacity[resource].calendar
    changes = {month: f"{resources.number(count)} {declared.labelled(count)}" for month, count in later}
    service = scenario.service
    starts = 0.0 if service is None else service.policy_from_month
    if starts is not None:
        words = "all enter" if service is None else "policy starts"
        changes[starts] = ", ".join(filter(None, [changes.get(starts), words]))
    return changes


def _shares(rows: pd.DataFrame) -> Floats:
    """Return the mean share of time of every number waiting, in % : (n_classes,)."""
    return np.asarray(100.0 * rows[list(QUEUES)].to_numpy(dtype=float).mean(axis=0))


def _fill(axes: Axes, scenario: Scenario, rows: pd.DataFrame) -> None:
    """Draw the shares of every quarter as a bar from its first month to its last."""
    curve.percent_axis(axes, label="Share of time (%)")
    months = np.floor(rows["month"].to_numpy(dtype=float))
    first, last = months[0], months[-1] + 1.0
    quarters = [quarter for _, quarter in rows.groupby((months - first) // QUARTER)]
    begin = [np.floor(quarter["month"].iloc[0]) for quarter in quarters]
    length = [len(quarter) for quarter in quarters]
    shares = np.array([_shares(quarter) for quarter in quarters]).T
    for share, foot, colour in zip(shares, np.cumsum(shares, axis=0) - shares, COLOURS, strict=True):
        axes.bar(begin, share, length, foot, align="edge", color=colour, edgecolor="white", lw=0.3, zorder=2)
    axes.set(xlim=(first, last), ylim=(0, 100))
    axes.set_xticks([first + month for month in curve.month_ticks(last - first, 5)])
    axes.set_xlabel("Calendar month" if scenario.service is not None else "Months since all entered")


def _mark(axes: Axes, changes: Mapping[float, str], width: float, small: float) -> None:
    """Draw a line a change, with its words above where they do not touch the words before them."""
    first, last = axes.get_xlim()
    free = 0.0
    for month, words in sorted(changes.items()):
        place = width * (month - first) / (last - first)
        if not 0.0 < place < width:
            continue
        axes.axvline(month, color=style.INK, linewidth=1.3, zorder=4)
        needed = text.width(words, small)
        start = min(place, width - needed)
        if start >= free:
            axes.text(start / width, 1.03, words, transform=axes.transAxes, fontsize=small, va="bottom")
            free = start + needed + 0.1


def _numbers(panels: Panels) -> Table:
    """Return the shares of the time, and how often nobody waits in the first and the last quarter, a column a panel."""
    rows = [
        Row(words, [rounding.number(_shares(rows)[place] / 100, "probability") for *_, rows in panels])
        for place, words in enumerate(QUEUES.values())
    ]
    for words, shares in zip(("first", "last"), zip(*map(_ends, panels), strict=True), strict=True):
        cells = [rounding.number(share, "probability") for share in shares]
        rows.append(Row(f"nobody waits in the {words} quarter", cells))
    heads = [resources.name_with_units(one, resource) for one, resource, _ in panels]
    return Table(columns("", *heads), rows, "Share of time, %")


def _key() -> list[Sample]:
    looks = zip(QUEUES.values(), COLOURS, strict=True)
    return [Sample(words, area(facecolor=colour, linewidth=0)) for words, colour in looks]


def _subtitle(manifest: Mapping[str, Any]) -> str:
    draws, replications = manifest["draws"], manifest["replications"]
    of_all = f"{_count(draws, 'parameter set')} with {_count(replications, 'replication')} each"
    return f"Share of the time with so many patients waiting, by quarter, of {of_all}: parameters and chance together."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _footing(scenarios: Sequence[Scenario]) -> list[str]:
    sentences = ["Read in the middle of every calendar month."]
    if any(scenario.capacity and scenario.service is not None for scenario in scenarios):
        sentences.append("The warm-up from an empty centre is not shown.")
    if any(capacity.offered_every is not None for scenario in scenarios for capacity in scenario.capacity.values()):
        sentences.append("Offered units are lost if no patient waits.")
    names = [scenario.name for scenario in scenarios]
    return [*sentences, *notes.benefits_in_words(names)]
