"""State occupancy month by month: stacked shares of patients, a panel a scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from simulator.arrays import Floats
from simulator.evidence.cohort import Cohort
from simulator.figures import style, text
from simulator.figures.survival import curve, survival
from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import Pathway
from simulator.wording import rounding

MOST = 8
"""Colours for states of the living; if there are more states, the smallest share one."""

OTHER = "other states"
ALIVE = "alive"

_WINDOWS = (6.0, 12.0, 24.0, 36.0, 60.0)
_LIVING = (style.BLUE, style.SKY, style.GREEN, style.YELLOW, style.ORANGE, style.VERMILLION, style.PURPLE, "#8c6d4f")
_HATCHES = ("", "////", "", "----", "", "\\\\\\\\", "", "||||")
_DEAD, _DEAD_HATCHES = ("#959595", "#bdbdbd", "#7a7a7a", "#d2d2d2"), ("", "////", "", "----")

_PLOT, _TOP, _FOOT, _LEFT, _GAP, _LINE = 2.6, 0.32, 0.5, 0.62, 0.28, 0.18
_ROW, _COLUMN, _SIZE = 0.19, 0.42, style.SMALL + 0.5
_MOST_COLUMNS = 4


@dataclass(frozen=True)
class Layer:
    """One colour of the stack: its label, its states, and whether they are deaths."""

    label: str
    states: tuple[str, ...]
    colour: str
    hatch: str
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


def draw(occupancy: pd.DataFrame, pathway: Pathway, *, clock: str, cohort: Cohort | None = None) -> Figure:
    """Return the figure: the living from the foot up, the latest states lowest, then the dead.

    occupancy : the run's occupancy table, drawn as long as patients still move (see `window`).
    """
    with style.applied():
        return _draw(stack(occupancy, pathway, clock), pathway, cohort)


def alt_text(occupancy: pd.DataFrame, pathway: Pathway, *, clock: str) -> str:
    """Return the figure in words with numbers."""
    chart = stack(occupancy, pathway, clock)
    sentences = [f"State occupancy, the first {in_words(chart.end)} since {clock}."]
    for name, heights in chart.heights.items():
        shares = [(layer.label, 100 * height[-1]) for layer, height in zip(chart.layers, heights, strict=True)]
        largest = sorted(shares, key=lambda layer_share: -layer_share[1])[:5]
        words = ", ".join(f"{label} {rounding.number(share, '%')} %" for label, share in largest if share >= 0.5)
        sentences.append(f"{name} at {in_words(chart.end)}: {words}.")
    return " ".join(sentences)


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
    tables = {
        name: rows[rows["scenario"] == name].pivot(index="month", columns="state", values="probability").fillna(0.0)
        for name in started(occupancy, clock)
    }
    end = window(list(tables.values()))
    tables = {name: table.loc[:end] for name, table in tables.items()}
    months = next(iter(tables.values())).index.to_numpy(dtype=float)
    layers = _layers(tables, months, pathway)
    heights = {
        name: [_of(table, layer.states).sum(axis=1).to_numpy(dtype=float) for layer in layers]
        for name, table in tables.items()
    }
    return Stack(clock, months, layers, heights)


def started(occupancy: pd.DataFrame, clock: str) -> list[str]:
    """Return the scenarios in which patients start a clock."""
    rows = occupancy[(occupancy["clock"] == clock) & (occupancy["probability"] > 0)]
    return curve.scenarios_in(rows)


def _of(table: pd.DataFrame, states: Iterable[str]) -> pd.DataFrame:
    """Return the columns of some states, zero for a state that the table lacks."""
    return table.reindex(columns=list(states), fill_value=0.0)


def _layers(tables: dict[str, pd.DataFrame], months: Floats, pathway: Pathway) -> tuple[Layer, ...]:
    total = np.sum([_of(table, pathway.states).to_numpy(dtype=float) for table in tables.values()], axis=0)
    spent = dict(zip(pathway.states, np.trapezoid(total, months, axis=0).tolist(), strict=True))
    centre = dict(zip(pathway.states, np.trapezoid(total * months[:, None], months, axis=0).tolist(), strict=True))
    occupied = [name for name in pathway.states if spent[name] > 1e-9]
    living = sorted((name for name in occupied if pathway.states[name].kind != "death"), key=lambda name: -spent[name])
    named, rest = (living, []) if len(living) <= MOST else (living[: MOST - 1], living[MOST - 1 :])
    groups: list[tuple[str, tuple[str, ...]]] = [(pathway.states[name].label, (name,)) for name in named]
    groups += [(OTHER, tuple(rest))] if rest else []

    def lateness(group: tuple[str, tuple[str, ...]]) -> float:
        return -float(sum(centre[name] for name in group[1]) / sum(spent[name] for name in group[1]))

    layers, used = [], 0
    for label, states in sorted(groups, key=lateness):
        if label == OTHER:
            layers.append(Layer(label, states, "#ededed", ""))
        else:
            layers.append(Layer(label, states, _LIVING[used], _HATCHES[used]))
            used += 1
    for place, name in enumerate(name for name in occupied if pathway.states[name].kind == "death"):
        colour, hatch = _DEAD[place % len(_DEAD)], _DEAD_HATCHES[place % len(_DEAD)]
        layers.append(Layer(pathway.states[name].label, (name,), colour, hatch, dead=True))
    return tuple(layers)


def _draw(chart: Stack, pathway: Pathway, cohort: Cohort | None) -> Figure:
    names = list(chart.heights)
    shares = f"Shares of all patients in the first {in_words(chart.end)}"
    subtitle = f"{shares}; patients below the black line are alive."
    if len(names) <= _MOST_COLUMNS:
        subtitle += " The table: mean months per patient in each state in that time."
    footing = _footing(chart, pathway, cohort)
    across = min(3, len(names))
    down = -(-len(names) // across)
    words = max(text.width(layer.label, _SIZE) for layer in chart.layers)
    columns = len(names) if len(names) <= _MOST_COLUMNS else 0
    key = 0.45 + words + _COLUMN * columns
    width = min(4.6, (style.WIDTH - _LEFT - key - _GAP * across) / across)
    titles = [text.broken_name(_numbered(name, place, names), width) for place, name in enumerate(names)]
    above = _TOP + _LINE * max(title.count("\n") for title in titles)
    head, foot = text.heading_height(subtitle), text.footing_height(footing) + 0.05
    body = max(down * (above + _PLOT + _FOOT), above + 0.3 + _ROW * (len(chart.layers) + 2))
    figure = style.canvas(style.WIDTH, head + body + foot)
    text.heading(figure, f"Where patients are, months since {chart.clock}", subtitle)
    text.footing(figure, footing)
    up = figure.get_size_inches()[1]
    for place, name in enumerate(names):
        row, column = divmod(place, across)
        bottom = up - head - (row + 1) * (above + _PLOT + _FOOT) + _FOOT
        axes = style.axes(figure, _LEFT + column * (width + _GAP), bottom, width, _PLOT)
        _fill(axes, chart, name)
        axes.set_title(titles[place], loc="left", fontsize=style.TEXT, fontweight="bold", pad=6)
        if column:
            axes.set_ylabel("")
            axes.tick_params(axis="y", labelleft=False)
    _write_key(style.sheet(figure), _LEFT + across * (width + _GAP), up - head - above, chart, words)
    return figure


def _numbered(name: str, place: int, names: Sequence[str]) -> str:
    return f"{_letter(place)}  {name}" if len(names) > 1 else name


def _letter(place: int) -> str:
    return ascii_uppercase[place] if place < len(ascii_uppercase) else str(place + 1)


def _footing(chart: Stack, pathway: Pathway, cohort: Cohort | None) -> str:
    sentences = survival.benefits_in_words(list(chart.heights))
    rest = next((layer.states for layer in chart.layers if layer.label == OTHER), ())
    if rest:
        sentences.append(f"Other states: {', '.join(pathway.states[name].label for name in rest)}.")
    named = [*(layer.label for layer in chart.layers), *(pathway.states[name].label for name in rest)]
    sentences += text.explained(pathway.abbreviations, named)
    sentences.append(survival.source_in_words(cohort))
    return " ".join(sentences)


def _fill(axes: Axes, chart: Stack, scenario: str) -> None:
    curve.percent_axis(axes, label="Patients (%)")
    axes.set_ylim(0, 100)
    axes.set_xlim(0, chart.end)
    axes.set_xticks(curve.month_ticks(chart.end, 7))
    axes.set_xlabel(f"Months since {chart.clock}")
    base = np.zeros(len(chart.months))
    for layer, height in zip(chart.layers, chart.heights[scenario], strict=True):
        axes.fill_between(
            chart.months,
            100 * base,
            100 * (base + height),
            facecolor=layer.colour,
            hatch=layer.hatch or None,
            edgecolor="white",
            linewidth=0.4,
        )
        base = base + height
    if any(layer.dead for layer in chart.layers):
        axes.plot(chart.months, 100 * chart.alive(scenario), color=style.BLACK, linewidth=1.5, clip_on=False)


def _write_key(sheet: Axes, left: float, top: float, chart: Stack, words: float) -> None:
    """Write the colours from the top of the stack down, and next to the living each scenario's mean months."""
    names = list(chart.heights) if len(chart.heights) <= _MOST_COLUMNS else []
    columns = {name: left + 0.3 + words + _COLUMN * (place + 1) for place, name in enumerate(names)}
    if len(columns) > 1:
        for place, x in enumerate(columns.values()):
            sheet.text(x, top - 0.02, _letter(place), fontsize=_SIZE, fontweight="bold", ha="right", va="center")
    y = top
    for place in reversed(range(len(chart.layers))):
        layer = chart.layers[place]
        if not layer.dead and (place == len(chart.layers) - 1 or chart.layers[place + 1].dead):
            y -= _ROW + 0.06
            sheet.plot([left, left + 0.2], [y, y], color=style.BLACK, linewidth=1.5)
            sheet.text(left + 0.28, y, ALIVE, fontsize=_SIZE, fontweight="bold", va="center")
            for name, x in columns.items():
                months = chart.mean_months(chart.alive(name))
                sheet.text(x, y, months, fontsize=_SIZE, fontweight="bold", va="center", ha="right")
        y -= _ROW
        _write_row(sheet, left, y, layer)
        if not layer.dead:
            for name, x in columns.items():
                sheet.text(x, y, chart.mean_months(chart.heights[name][place]), fontsize=_SIZE, va="center", ha="right")


def _write_row(sheet: Axes, left: float, y: float, layer: Layer) -> None:
    swatch = (left, y - 0.06)
    filled = Rectangle(swatch, 0.2, 0.12, facecolor=layer.colour, hatch=layer.hatch or None, edgecolor="white", lw=0.4)
    sheet.add_patch(filled)
    sheet.add_patch(Rectangle(swatch, 0.2, 0.12, fill=False, edgecolor=style.QUIET, linewidth=0.5))
    sheet.text(left + 0.28, y, layer.label, fontsize=_SIZE, va="center")
