"""State occupancy month by month: stacked shares of patients, a panel a scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from string import ascii_uppercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from simulator.arrays import Floats
from simulator.evidence.cohort import Cohort
from simulator.figures import notes, state_looks, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Grid, Sheet, title_panel
from simulator.figures.state_looks import Look
from simulator.figures.survival import curve
from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import BREAK_EVEN
from simulator.wording import added, rounding, statements
from simulator.wording.headline import scenario_in_words
from simulator.wording.table import Row, Table, columns

NAME = "state_occupancy"
MOST = 8
"""Colours for states of the living; if there are more states, the smallest share one."""

OTHER = "other states"
ALIVE = "alive"

_WINDOWS = (6.0, 12.0, 24.0, 36.0, 60.0)

KEY_ROW, COLUMN, SIZE = 0.19, 0.42, style.SMALL + 0.5
"""Inches of a row and a column of the key's table, and points of its letters."""

MOST_COLUMNS, MOST_PANELS = 4, 6

EDGE = 0.5
"""Points of the line between two layers, which may be of like shades in grey."""


@dataclass(frozen=True)
class Layer:
    """One colour of the stack: its label, its states, and whether they are deaths."""

    label: str
    states: tuple[str, ...]
    look: Look
    dead: bool = False


@dataclass(frozen=True)
class Stack:
    """The layers from the foot up, and scenario -> each layer's probability : (n_months,)."""

    clock: str
    months: Floats
    layers: tuple[Layer, ...]
    heights: dict[str, list[Floats]] = field(default_factory=dict)

    @property
    def end(self) -> float:
        return float(self.months[-1])

    def alive(self, scenario: str) -> Floats:
        """Return the probability of being alive : (n_months,)."""
        living = [h for layer, h in zip(self.layers, self.heights[scenario], strict=True) if not layer.dead]
        return np.asarray(np.sum(living, axis=0))

    def mean_months(self, height: Floats) -> str:
        """Return the mean months spent, from the start to the end of the stack."""
        return rounding.number(float(np.trapezoid(height, self.months)), "months")


@style.applied()
def picture(
    occupancy: pd.DataFrame, survival: pd.DataFrame, pathway: Pathway, titles: Mapping[str, str] | None = None, *,
    clock: str, cohort: Cohort | None = None, width: float = style.WIDTH,
) -> Picture:  # fmt: skip
    """Return the figure: the living from the foot up, the last states of the pathway lowest, then the dead.

    occupancy : the run's occupancy table, drawn as long as patients still move (see `window`)
    survival : the run's survival table, which has intervals
    titles : scenario -> its title, if any; width : inches, a compact figure has its key below the panels
    """
    chart = stack(occupancy[occupancy["scenario"].isin(displayed(occupancy, clock))], pathway, clock)
    names, small, is_wide = list(chart.heights), style.small(width), width >= style.WIDTH
    columns = len(names) if len(names) <= MOST_COLUMNS else 0
    words = max(text.width(layer.label, SIZE) for layer in chart.layers)
    key = KEY_ROW * (len(chart.layers) + 3)
    aside = 0.73 + words + COLUMN * columns if is_wide else style.MARGIN
    across, plot, widest = (3, 2.6, 6.0) if is_wide else (2, 1.7, 4.3)
    grid = Grid(len(names), across, plot=plot, aside=aside, widest=widest, sheet=width)
    lettered = [f"{_letter(place)}  " if len(names) > 1 else "" for place in range(len(names))]
    heads = [
        text.broken_name(f"{letter}{scenario_in_words(name)}", grid.width)
        for letter, name in zip(lettered, names, strict=True)
    ]
    below = [text.in_two_lines((titles or {}).get(name, ""), grid.width, size=small) for name in names]
    lines, notes_of_all = (max(words.count("\n") for words in texts) for texts in (heads, below))
    notes_of_all += any(below)
    grid = replace(grid, above=0.32 + 0.18 * lines + 0.155 * notes_of_all)
    body = max(grid.height, grid.above + 0.3 + key) if is_wide else grid.height + key
    every = curve.drawn_as_curves(curve.select(survival, clock, "all"))
    alive = {one.scenario: one.estimate(chart.end) for one in every if not one.is_empty}
    statement = statements.alive(alive, f"{in_words(chart.end)} after {clock}", where=_most_are_in(chart))
    is_known = any(value.ends is not None for value in alive.values())
    values = f"Means of {curve.sets(every)}." if is_known else curve.unseen(every)
    subtitle = [_subtitle(chart, values, has_table=bool(columns)), *curve.not_drawn(alive, names, "panels")]
    # A compact figure has no foot.
    subtitle += [] if is_wide else _others(chart, pathway)
    statement = added.of_sets(statement, curve.fewest_draws(every))
    sheet = Sheet(statement, " ".join(subtitle), notes.foot(_footing(chart, pathway), cohort, width), body, width=width)
    for axes, name, head, note in zip(sheet.panels(grid), names, heads, below, strict=True):
        _fill(axes, chart, name)
        title_panel(axes, head, note + "\n " * (notes_of_all - len(note.splitlines())))
    left = grid.left + grid.columns * (grid.width + grid.gap) if is_wide else style.MARGIN
    top = sheet.top - (grid.above if is_wide else grid.height + 0.1)
    _write_key(sheet, left, top, chart, names if columns else [], words)
    return sheet.picture(NAME, numbers=_numbers(chart))


def displayed(occupancy: pd.DataFrame, clock: str) -> list[str]:
    """Return the scenarios that have a panel: not the smallest share; of more than four, policies alone.

    Estimates of a policy differ in shares, not in what happens: the policy itself stands for them. Of more than
    `MOST_PANELS` policies, the first alone.
    """
    every = started(occupancy, clock)
    drawn = [name for name in every if not name.endswith(f"@{BREAK_EVEN}")] or every
    if len(drawn) > MOST_COLUMNS:
        drawn = [name for name in drawn if style.family(name) == name or style.family(name) not in drawn]
    return drawn if len(drawn) <= MOST_PANELS else drawn[:1]


def _subtitle(chart: Stack, values: str, *, has_table: bool) -> str:
    table = " The table: mean months per patient in each state in that time." if has_table else ""
    return (
        f"Where patients are in the first {in_words(chart.end)} after {chart.clock}. {values} Patients below the black "
        f"line are alive.{table}"
    )


def _most_are_in(chart: Stack) -> str:
    """Return the state of more than half of those alive at the end under the first scenario; empty for none."""
    first, heights = next(iter(chart.heights.items()))
    alive = float(chart.alive(first)[-1])
    named = ((layer, height) for layer, height in zip(chart.layers, heights, strict=True) if layer.label != OTHER)
    return next((layer.label for layer, height in named if not layer.dead and height[-1] > 0.5 * alive), "")


def _numbers(chart: Stack) -> Table:
    """Return where patients are at the end, a row a state from the largest share down, a column a scenario."""
    rows = []
    for place, layer in enumerate(chart.layers):
        shares = [float(heights[place][-1]) for heights in chart.heights.values()]
        rows.append((max(shares), Row(layer.label, [rounding.number(share, "probability") for share in shares])))
    rows.sort(key=lambda row: -row[0])
    caption = f"Where patients are {in_words(chart.end)} after {chart.clock}, % of all"
    heads = columns("", *map(scenario_in_words, chart.heights))
    return Table(heads, [row for largest, row in rows if largest >= 0.005], caption)


def window(tables: Sequence[pd.DataFrame]) -> float:
    """Return the first round month after which fewer than one patient in ten is elsewhere at the horizon.

    tables : month by state, the probability of being in the state.
    """
    horizon = float(max(table.index[-1] for table in tables))
    for month in _WINDOWS:
        if month < horizon and all(_moved(table, month) < 0.1 for table in tables):
            return month
    return horizon


def _moved(table: pd.DataFrame, month: float) -> float:
    """Return the smallest share of patients that must still move (total variation)."""
    at = [np.interp(month, table.index, table[name]) for name in table.columns]
    return 0.5 * float(np.abs(np.array(at) - table.iloc[-1].to_numpy(dtype=float)).sum())


def stack(occupancy: pd.DataFrame, pathway: Pathway, clock: str) -> Stack:
    """Return the stacks of a run's occupancy on a clock, for the scenarios in which patients start it."""
    rows = occupancy[occupancy["clock"] == clock]
    tables = {}
    for name in started(occupancy, clock):
        table = rows[rows["scenario"] == name].pivot(index="month", columns="state", values="probability")
        tables[name] = table.reindex(columns=list(pathway.states)).fillna(0.0)
    end = window(list(tables.values()))
    tables = {name: table.loc[:end] for name, table in tables.items()}
    months = next(iter(tables.values())).index.to_numpy(dtype=float)
    layers = _layers(tables, months, pathway)
    heights = {
        name: [table[list(layer.states)].to_numpy(dtype=float).sum(axis=1) for layer in layers]
        for name, table in tables.items()
    }
    return Stack(clock, months, layers, heights)


def started(occupancy: pd.DataFrame, clock: str) -> list[str]:
    """Return the scenarios in which patients start a clock."""
    rows = occupancy[(occupancy["clock"] == clock) & (occupancy["probability"] > 0)]
    return curve.scenarios_in(rows)


def _layers(tables: dict[str, pd.DataFrame], months: Floats, pathway: Pathway) -> tuple[Layer, ...]:
    total = np.sum([table.to_numpy(dtype=float) for table in tables.values()], axis=0)
    spent = dict(zip(pathway.states, np.trapezoid(total, months, axis=0).tolist(), strict=True))
    occupied = [state for state in pathway.states.values() if spent[state.name] > 1e-9]
    living = sorted((state for state in occupied if state.kind != "death"), key=lambda state: -spent[state.name])
    most = MOST if len(living) <= MOST else MOST - 1
    groups: dict[str, tuple[str, ...]] = {state.label: (state.name,) for state in living[:most]}
    if living[most:]:
        groups[OTHER] = tuple(state.name for state in living[most:])
    looks, order = state_looks.looks(pathway), list(pathway.in_order)
    # As the colours, places are those of the pathway, whatever happens in this run; other states are uppermost.
    layers = [
        Layer(label, groups[label], state_looks.OTHER if label == OTHER else looks[groups[label][0]])
        for label in sorted(groups, key=lambda label: -1 if label == OTHER else order.index(groups[label][0]))[::-1]
    ]
    deaths = (state for state in occupied if state.kind == "death")
    dead = [Layer(state.label, (state.name,), looks[state.name], dead=True) for state in deaths]
    return (*layers, *dead)


def _letter(place: int) -> str:
    return ascii_uppercase[place] if place < len(ascii_uppercase) else str(place + 1)


def _footing(chart: Stack, pathway: Pathway) -> list[str]:
    sentences = [*notes.benefits_in_words(list(chart.heights)), *_others(chart, pathway)]
    labels = [*(layer.label for layer in chart.layers), *_labels_of_others(chart, pathway)[:MOST]]
    return [*sentences, *notes.explained(pathway.abbreviations, labels)]


def _others(chart: Stack, pathway: Pathway) -> list[str]:
    """Return the sentence that names the states which share a layer, if some do."""
    labels = _labels_of_others(chart, pathway)
    more = f" and {len(labels) - MOST} more" if len(labels) > MOST else ""
    return [f"Other states: {', '.join(labels[:MOST])}{more}."] if labels else []


def _labels_of_others(chart: Stack, pathway: Pathway) -> list[str]:
    return [pathway.states[name].label for layer in chart.layers if layer.label == OTHER for name in layer.states]


def _fill(axes: Axes, chart: Stack, scenario: str) -> None:
    curve.percent_axis(axes, label="Patients (%)")
    axes.set_ylim(0, 100)
    curve.month_axis(axes, chart.end, 7, f"Months since {chart.clock}")
    tops = 100 * np.cumsum([np.zeros(len(chart.months)), *chart.heights[scenario]], axis=0)
    for layer, (foot, top) in zip(chart.layers, pairwise(tops), strict=True):
        axes.fill_between(chart.months, foot, top, **layer.look.drawn)
        axes.plot(chart.months, top, color=style.QUIET, linewidth=EDGE)
    if any(layer.dead for layer in chart.layers):
        axes.plot(chart.months, 100 * chart.alive(scenario), color=style.BLACK, linewidth=1.5, clip_on=False)


def _write_key(sheet: Sheet, left: float, top: float, chart: Stack, names: Sequence[str], words: float) -> None:
    """Write the colours from the top of the stack down, and next to the living the mean months of named scenarios."""
    columns = [left + 0.3 + words + COLUMN * (place + 1) for place in range(len(names))]

    def write(y: float, label: str, row: Sequence[str], weight: str = "normal") -> None:
        sheet.page.text(left + 0.28, y, label, fontsize=SIZE, fontweight=weight, va="center")
        for x, cell in zip(columns, row, strict=False):
            sheet.page.text(x, y, cell, fontsize=SIZE, fontweight=weight, ha="right", va="center")

    if len(names) > 1:
        write(top - 0.02, "", [_letter(place) for place in range(len(names))], "bold")
    y, above_alive = top, True
    for place, layer in reversed(list(enumerate(chart.layers))):
        if above_alive and not layer.dead:
            above_alive = False
            y -= KEY_ROW + 0.06
            sheet.page.plot([left, left + 0.2], [y, y], color=style.BLACK, linewidth=1.5)
            write(y, ALIVE, [chart.mean_months(chart.alive(name)) for name in names], "bold")
        y -= KEY_ROW
        for look in (layer.look.drawn, {"fill": False, "edgecolor": style.QUIET, "linewidth": EDGE}):
            sheet.page.add_patch(Rectangle((left, y - 0.06), 0.2, 0.12, **look))
        write(y, layer.label, [] if layer.dead else [chart.mean_months(chart.heights[name][place]) for name in names])
