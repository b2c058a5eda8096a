"""How long patients wait: a row a scenario and resource, all requests by how their wait ends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from simulator.evidence.cohort import Cohort
from simulator.experiment.results import Results
from simulator.figures import notes, row_chart, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Sample, Sheet, area
from simulator.outcomes.summaries import PER
from simulator.scenario.scenario import Scenario
from simulator.wording import added, intervals, resources
from simulator.wording.headline import scenario_in_words
from simulator.wording.intervals import Row

NAME = "how_long_they_wait"
ROW, LINE, BELOW = 0.58, 0.16, 0.5
"""Inches of a row, with its name above its bar, of one more line there, and of the scale below."""

LEFT, AFTER = style.MARGIN + 0.04, 0.12
"""Inches left of the bars, and from a name to its units."""

LATE = "over 30 days"
LEAST = 0.0005
"""The smallest part that has an edge and an entry in the key."""

LOST, HATCH = "#4d4d4d", "////"
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "served_at_once": {"facecolor": "#e3eef6"},
    "served_within_7_days": {"facecolor": "#b9d7ea"},
    "served_within_30_days": {"facecolor": "#74afd3"},
    "lost_within_30_days": {"facecolor": "white", "edgecolor": LOST, "hatch": HATCH},
    "lost_after_30_days": {"facecolor": "white", "edgecolor": LOST, "hatch": HATCH},
    "served_after_30_days": {"facecolor": "#a34700"},
    "waiting_for_ever": {"facecolor": "black"},
}
"""Part of a bar -> its look; the parts are all requests."""

Table = Mapping[str, Row]


@style.applied()
def picture(results: Results, *, cohort: Cohort | None = None, width: float = style.WIDTH) -> Picture | None:
    """Return the figure; None without limited resources. width : inches"""
    rows = [] if results.service is None else list(_rows(results))
    if not rows:
        return None
    title = added.of_sets(resources.title_of_waits(rows), results.manifest["draws"])
    late = [str(intervals.estimate(table["wait_over_30_days"])) for *_, table in rows]
    changes = [str(intervals.difference(table["wait_over_30_days"])) for *_, table in rows]
    needed = [*(text.width(words, style.TEXT, "bold") for words in (LATE, *late)), *map(text.width, changes)]
    right = width - style.MARGIN - max(needed)
    across = right - LEFT - style.MARGIN
    footing = [notes.source_in_words(cohort)]
    displayed = [name for name in LOOKS if any(parts(table)[name] > LEAST for *_, table in rows)]
    names = [scenario_in_words(scenario.name) for scenario, *_ in rows]
    units = [resources.units_beside_name(scenario, resource) for scenario, resource, _ in rows]
    room = width - 3 * style.MARGIN
    widths = [text.width(a, style.TEXT, "bold") + AFTER + text.width(b) for a, b in zip(names, units, strict=True)]
    below = LINE if max(widths) > room else 0.0
    tall = ROW + below
    body = tall * len(rows) + BELOW + 0.2
    sheet = Sheet(title, _subtitle(results, rows), footing, body, key=_key(rows, displayed), width=width)
    bottom = sheet.bottom + BELOW
    axes = row_chart.rows_of(sheet, LEFT, bottom, across, len(rows), tall)
    # The names stand between the bars, on the sheet.
    axes.set_facecolor("none")
    axes.grid(visible=False)
    axes.set(xlim=(0, PER), xlabel=f"Of {PER} requests, by how the wait ends")
    top = bottom + tall * len(rows)
    sheet.page.text(right, top + 0.03, LATE, va="bottom", color=style.QUIET)
    for place, (*_, table) in enumerate(rows):
        foot = bottom + tall * (len(rows) - place - 1)
        _bar(axes, place, table, tall)
        name = text.fitted(names[place], room, style.TEXT, "bold")
        sheet.page.text(LEFT, foot + 0.48 + below, name, va="center", weight="bold")
        after = LEFT if below else LEFT + text.width(name, style.TEXT, "bold") + AFTER
        sheet.page.text(after, foot + 0.48, text.fitted(units[place], room), va="center", color=style.QUIET)
        lift = 0.07 if changes[place] else 0.0
        sheet.page.text(right, foot + 0.23 + lift, late[place], va="center", weight="bold")
        sheet.page.text(right, foot + 0.13, changes[place], va="center", color=style.QUIET)
    return sheet.picture(NAME)


def _rows(results: Results) -> Sequence[tuple[Scenario, str, Table]]:
    """Return the scenarios with every resource that they limit, and its outcomes, where anybody requests it."""
    assert results.service is not None
    tables = [
        (scenario, resource, resources.rows_of(results.service, scenario.name, resource))
        for resource in dict.fromkeys(name for scenario in results.scenarios for name in scenario.capacity)
        for scenario in results.scenarios
        if resource in scenario.capacity
    ]
    # Runs of earlier versions do not have the ends of waits.
    return [row for row in tables if row[2].get("served_at_once", {}).get("estimate", -1.0) >= 0.0]


def parts(table: Table) -> dict[str, float]:
    """Return the shares of all requests in a bar, which sum to 1, by name."""
    shares = {name: float(row["estimate"]) for name, row in table.items()}
    lost_late = max(shares["lost_while_waiting"] - shares["lost_within_30_days"], 0.0)
    for_ever = shares.get("waiting_for_ever", 0.0)
    shares |= {"lost_after_30_days": lost_late, "waiting_for_ever": for_ever}
    shares["served_after_30_days"] = max(shares["wait_over_30_days"] - lost_late - for_ever, 0.0)
    return {name: shares[name] for name in LOOKS}


def _subtitle(results: Results, rows: Sequence[tuple[Scenario, str, Table]]) -> str:
    draws, replications = results.manifest["draws"], results.manifest["replications"]
    is_late = any(table["wait_over_30_days"]["estimate"] > 0.0 for *_, table in rows)
    mark = "Bracket" if is_late else "At the right"
    compared = any(math.isfinite(table["wait_over_30_days"]["difference"]) for *_, table in rows)
    change = f" (grey: the difference from {scenario_in_words(results.scenarios[0].name)})" if compared else ""
    bars = f"Bars: means of all requests. {mark}: waits over 30 days, however they end{change}"
    if draws > 1 and replications > 1:
        over = intervals.sets(draws)
        return f"{bars}, with the 95 % interval over {over} where simulation noise allows one."
    return f"{bars}. {intervals.unseen(draws, replications)}"


def _key(rows: Sequence[tuple[Scenario, str, Table]], displayed: Sequence[str]) -> list[Sample]:
    events = resources.losses_in_words([(scenario, resource) for scenario, resource, _ in rows])
    words = {
        "served_at_once": "served at once",
        "served_within_7_days": "within 7 days",
        "served_within_30_days": "in 8 to 30 days",
        "served_after_30_days": "after 30 days",
        "lost_within_30_days": events,
        "waiting_for_ever": "waiting for ever",
    }
    names = [name for name in words if name in displayed or (name[:4] == "lost" and "lost_after_30_days" in displayed)]
    return [Sample(words[name], area(0.2, 0.14, **{"linewidth": 0.6, **LOOKS[name]})) for name in names]


def _bar(axes: Axes, place: int, table: Table, tall: float) -> None:
    """Draw the parts of a row's bar, and a bracket below those that wait over 30 days. tall : inches of the row"""
    begin, foot = 0.0, -place - 0.5
    for name, share in parts(table).items():
        axes.add_patch(
            Rectangle(
                (begin, foot + 0.1 / tall), PER * share, 0.26 / tall, linewidth=0.6 * (share > LEAST), **LOOKS[name]
            )
        )
        begin += PER * share
    late = PER * float(table["wait_over_30_days"]["estimate"])
    if late > 0.0:
        axes.plot([PER - late, PER], [foot + 0.06 / tall] * 2, color=style.INK, linewidth=2, solid_capstyle="butt")
