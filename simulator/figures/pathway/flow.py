"""The cohort's flow figure from its reported counts, with the simulated count next to each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from simulator.evidence.cohort import Cohort
from simulator.figures import notes, row_chart, style, text
from simulator.figures.pathway.stages import ALIVE, ALL, DEAD, Node, Stages, stages
from simulator.figures.picture import Picture
from simulator.figures.sheet import HALO, Sheet
from simulator.pathway.pathway import Pathway
from simulator.wording import rounding, statements
from simulator.wording.intervals import Estimate
from simulator.wording.table import Row, Table, columns

NAME = "cohort_flow"
PATIENT, TALLEST = 0.085, 6.0
"""Inches a patient, and of all patients together at most."""

BAR, POOL = 0.13, 0.05
LABEL = 0.36
GAP = 0.12

STEEPEST = 0.65
"""Of a stream's way, the part that is level at most: the rest would be too steep."""

_SIZE = style.SMALL
_FLOW = style.shade(style.SKY, 1.55)
_TO_FATE = {ALIVE: (style.shade(style.GREEN, 1.65), "////"), DEAD: ("#d4d4d4", "")}
"""Colours of the streams; those to a fate with a hatch, as the colours are alike in grey."""
_BAR_COLOURS = {ALIVE: style.GREEN, DEAD: style.QUIET}
"""Of the fates; all other bars are blue."""

Interval = tuple[float, float, float]
"""Mean, lower, upper."""


@dataclass(frozen=True)
class Bar:
    """A node's reported patients; its left edge, foot and height in inches; reach : of its words, right of it."""

    key: str
    label: str
    count: int
    left: float
    foot: float
    height: float
    reach: float = 0.0

    @property
    def top(self) -> float:
        return self.foot + self.height


@style.applied()
def picture(pathway: Pathway, cohort: Cohort | None, *, width: float = style.WIDTH) -> Picture | None:
    """Return the figure, widths proportional to reported patients; None without a cohort or stages in its targets.

    Next to each reported count stands the predictive count of a fitted cohort: n patients simulated afresh for each
    draw, grouped and followed like the reported ones.
    width : inches; a compact figure has a bar a stage, as streams between the labels of five stages need twice the room
    """
    flow = None if cohort is None else stages(pathway, cohort)
    if cohort is None or flow is None or not flow.columns:
        return None
    predicted = simulated(flow, cohort)
    expected = _estimate(predicted[ALIVE]) if ALIVE in predicted else None
    title = statements.flow(flow.root.count, flow.fate(ALIVE) if flow.fates else None, expected)
    what = f"What happened to the {flow.root.count} patients."
    again = f"{cohort.n} patients simulated as these were treated, not under a policy: mean, 95 % predictive interval."
    if width < style.WIDTH:
        subtitle = f"{what} Bars: as reported.{f' Dots and lines: {again}' if predicted else ''}"
        return _in_rows(flow, predicted, title, subtitle, notes.foot([], cohort, width), width)
    subtitle = f"{what} Bold: as reported; widths are in proportion.{f' Grey: {again}' if predicted else ''}"
    bars, height = _place(flow)
    sheet = Sheet(title, subtitle, _footing(flow, pathway, cohort), height + 0.15)
    drawing = sheet.drawing(sheet.bottom + 0.1)
    bars = {key: replace(bar, reach=_reach(bar, predicted.get(key))) for key, bar in bars.items()}
    _draw_ribbons(drawing, flow, bars)
    for bar in bars.values():
        _draw_bar(drawing, bar, predicted.get(bar.key))
    return sheet.picture(NAME, numbers=_numbers(flow, predicted))


def _in_rows(
    flow: Stages, predicted: Mapping[str, Interval], title: str, subtitle: str, footing: Sequence[str], width: float
) -> Picture:
    """Return the figure with a row a stage: reported patients as a bar, simulated ones as a dot with its interval."""
    whole = {node.key: f"{node.count} ({node.label})" for node in flow.nodes}
    nodes = [*(node for column in flow.columns for node in column), *_fate_nodes(flow)]
    rows = []
    for node in nodes:
        known = predicted.get(node.key)
        again = "" if known is None else f"; simulated: {_estimate(known)}"
        rows.append(row_chart.Row(f"{node.label}: {node.count}", f"of {whole[node.population or ALL]}{again}"))
    scale = f"Patients, of {flow.root.count} from {flow.root.label}"
    sheet, axes = row_chart.chart(title, subtitle, footing, rows, scale, width=width)
    axes.set_xlim(0, flow.root.count)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    for place, node in enumerate(nodes):
        colour = style.shade(_BAR_COLOURS.get(node.key, style.BLUE), 1.5)
        axes.barh(-place, node.count, 2 * row_chart.half_bar(axes), color=colour, zorder=3)
        if node.key in predicted:
            row_chart.point(axes, place, *predicted[node.key], colour=style.INK, face=style.INK)
    return sheet.picture(NAME)


def _numbers(flow: Stages, predicted: Mapping[str, Interval]) -> Table:
    """Return the patients of every stage, and alive and dead at the end: reported, and simulated if predicted."""
    named = [(node.key, node.label, node.count) for column in flow.columns for node in column]
    named += [(fate, f"{fate} at the end", flow.fate(fate)) for fate in (ALIVE, DEAD) if flow.fates]
    rows = [
        Row(label, [f"{count}", *([_estimate(predicted[key]) if key in predicted else ""] if predicted else [])])
        for key, label, count in named
    ]
    heads = columns("", "reported", *(["simulated (95 %)"] if predicted else []))
    return Table(heads, rows, f"Of {flow.root.count} patients from {flow.root.label}")


def simulated(flow: Stages, cohort: Cohort) -> dict[str, Interval]:
    """Return the predictive count of each node and fate: mean, lower, upper; empty for a cohort that is not fitted."""
    if cohort.predictive is None:
        return {}
    table = cohort.predictive[cohort.predictive["unit"] == "patients"].set_index("target")
    counts = {node.key: _row(table, node.target) for node in flow.nodes if node.target in table.index}
    total = flow.deaths.loc[flow.deaths["state"] == "", "name"]
    if len(total) and total.iloc[0] in table.index:
        mean, lower, upper = counts[DEAD] = _row(table, str(total.iloc[0]))
        n = flow.root.count
        counts[ALIVE] = (n - mean, n - upper, n - lower)
    return counts


def _row(table: pd.DataFrame, target: str) -> Interval:
    mean, lower, upper = (float(table.loc[target, column]) for column in ("simulated", "lower", "upper"))  # type: ignore[arg-type]
    return mean, lower, upper


def _estimate(interval: Interval) -> Estimate:
    """Return the mean, and the ends, which are whole patients."""
    mean, lower, upper = interval
    return Estimate(rounding.number(mean, "patients"), (f"{lower:.0f}", f"{upper:.0f}"))


def _footing(flow: Stages, pathway: Pathway, cohort: Cohort) -> list[str]:
    causes = [
        f"{pathway.states[state].label} {count:.0f}"
        for state, count in zip(flow.deaths["state"], flow.deaths["count"], strict=True)
        if state in pathway.states
    ]
    meet = "Where streams meet in one bar, the source does not report which patients went from one to the next."
    return [
        meet if any(len(sources) > 1 for sources, _ in _splits(flow)) else "",
        f"Deaths by cause, as reported: {', '.join(causes)}." if causes else "",
        "Alive and dead: at the end of follow-up." if flow.fates else "",
        notes.source_in_words(cohort),
    ]


def _patient(flow: Stages) -> float:
    """Return the inches of a patient."""
    return min(PATIENT, TALLEST / flow.root.count)


def _place(flow: Stages) -> tuple[dict[str, Bar], float]:
    """Return every node's bar, and the height of all. The foot is at 0."""
    columns, patient = [(flow.root,), *flow.columns], _patient(flow)
    n_columns = len(columns) + bool(flow.fates)
    step = (style.WIDTH - 2 * style.MARGIN - 1.35) / max(1, n_columns - 1)
    bars: dict[str, Bar] = {}
    # An arm without further splits stays at the foot, so that its stream runs below the others.
    split = {node.population for node in flow.nodes}
    last = [node for node in flow.columns[0] if node.key not in split]
    low = sum(patient * node.count + LABEL + GAP for node in last)
    rest = [[node for node in column if node not in last] for column in columns[1:]]
    tallest = max((_tall(column, patient) for column in rest if column), default=0.0)
    height = max(low + tallest, _tall(columns[0], patient), _tall(_fate_nodes(flow), patient))
    for place, column in enumerate(rest, start=1):
        middle = low + (height - low) / 2
        _stack(bars, column, style.MARGIN + place * step, middle + _tall(column, patient) / 2, patient)
    _stack(bars, last, style.MARGIN + step, low - GAP, patient)
    _stack(bars, [flow.root], style.MARGIN, (height + _tall([flow.root], patient)) / 2, patient)
    if flow.fates:
        _stack(bars, _fate_nodes(flow), style.MARGIN + len(columns) * step, height, patient)
        dead = bars[DEAD]
        foot = min(bars[node.key].foot for node in last) if last else 0.0
        bars[DEAD] = replace(dead, foot=foot)
    return bars, height


def _fate_nodes(flow: Stages) -> list[Node]:
    return [Node(fate, fate, flow.fate(fate), "") for fate in (ALIVE, DEAD)] if flow.fates else []


def _tall(column: Sequence[Node], patient: float) -> float:
    return sum(patient * node.count + LABEL for node in column) + GAP * max(0, len(column) - 1)


def _stack(bars: dict[str, Bar], column: Sequence[Node], left: float, top: float, patient: float) -> None:
    for node in column:
        height = patient * node.count
        top -= LABEL + height
        bars[node.key] = Bar(node.key, node.label, node.count, left, top, height)
        top -= GAP


def _reach(bar: Bar, predicted: Interval | None) -> float:
    """Return the inches from a bar to the right end of its words."""
    second = 0.0 if predicted is None else _before(bar) + text.width(str(_estimate(predicted)), _SIZE)
    return max(text.width(bar.label, _SIZE), second) + 0.04 - BAR


def _before(bar: Bar) -> float:
    """Return the inches from a bar's left edge to its simulated patients."""
    return text.width(f"{bar.count}", style.TEXT, "bold") + 0.08


def _draw_bar(drawing: Axes, bar: Bar, predicted: Interval | None) -> None:
    colour = _BAR_COLOURS.get(bar.key, style.BLUE)
    drawing.add_patch(Rectangle((bar.left, bar.foot), BAR, bar.height, facecolor=colour, edgecolor="none", zorder=4))
    count, y = f"{bar.count}", bar.top + 0.04
    written = [
        drawing.text(bar.left, bar.top + 0.2, bar.label, fontsize=_SIZE),
        drawing.text(bar.left, y, count, fontsize=style.TEXT, fontweight="bold"),
    ]
    if predicted is not None:
        written.append(
            drawing.text(bar.left + _before(bar), y, str(_estimate(predicted)), fontsize=_SIZE, color=style.QUIET)
        )
    for words in written:
        words.set(va="bottom", zorder=6, path_effects=[HALO])


def _draw_ribbons(drawing: Axes, flow: Stages, bars: Mapping[str, Bar]) -> None:
    """Draw the streams from left to right: inside each population, then to its fate."""
    for sources, targets in _splits(flow):
        _stream(drawing, [bars[node.key] for node in sources], [bars[node.key] for node in targets])
    for fate in (ALIVE, DEAD) if flow.fates else ():
        _to_fate(drawing, flow, bars, fate)


def _splits(flow: Stages) -> Iterator[tuple[Sequence[Node], Sequence[Node]]]:
    """Yield the stages from which and to which a population goes on, from left to right inside each population."""
    for population in [flow.root, *(node for node in flow.nodes if node is not flow.root)]:
        sources: Sequence[Node] = [population]
        for column in flow.columns:
            if column[0].population == population.key:
                yield sources, column
                sources = column


def _stream(drawing: Axes, sources: Sequence[Bar], targets: Sequence[Bar]) -> None:
    """Draw the patients of one bar splitting; the patients of several bars meet in a pool first."""
    left, right = sources[0].left + BAR, targets[0].left
    # Late in the gap, into which the labels of the bars on the left reach.
    middle = left + 0.76 * (right - left)
    total, tall = sum(bar.count for bar in targets), sum(bar.height for bar in targets)
    if len(sources) == 1:
        top = sources[0].top
        for bar in sorted(targets, key=lambda bar: -bar.top):
            source = (left, top - bar.height, top)
            ribbon(drawing, source, (right, bar.foot, bar.top), _FLOW, reach=sources[0].reach)
            top -= bar.height
        return
    centre = sum(bar.count * (bar.foot + bar.top) / 2 for bar in (*sources, *targets)) / (2 * total)
    foot = centre - tall / 2
    drawing.add_patch(
        Rectangle((middle - POOL / 2, foot), POOL, tall, facecolor=style.FAINT, edgecolor="none", zorder=3)
    )
    for bars, inward in ((sources, True), (targets, False)):
        top = foot + tall
        for bar in bars:
            pool = (middle, top - bar.height, top)
            if inward:
                ribbon(drawing, (left, bar.foot, bar.top), pool, _FLOW, reach=bar.reach)
            else:
                ribbon(drawing, pool, (right, bar.foot, bar.top), _FLOW)
            top -= bar.height


def _to_fate(drawing: Axes, flow: Stages, bars: Mapping[str, Bar], fate: str) -> None:
    arms = [arm for arm, end in flow.fates if end == fate and arm in bars]
    target = bars[fate]
    top = target.top
    for arm in sorted(arms, key=lambda arm: -bars[arm].top):
        tall = _patient(flow) * flow.fates[arm, fate]
        source = bars[arm]
        start = source.top if fate == ALIVE else source.foot + tall
        ends = (target.left, top - tall, top)
        ribbon(drawing, (source.left + BAR, start - tall, start), ends, *_TO_FATE[fate], reach=source.reach)
        top -= tall


def ribbon(
    drawing: Axes, start: tuple[float, float, float], end: tuple[float, float, float], colour: str, hatch: str = "",
    *, reach: float = 0.0,
) -> None:  # fmt: skip
    """Draw a stream between two upright edges (across, foot, top). reach : of words, along which it is level"""
    (x0, low0, high0), (x1, low1, high1) = start, end
    if high0 - low0 < 1e-9:
        return
    # A cubic Bezier curve that leaves and arrives level, its handles at the middle.
    t = np.linspace(0.0, 1.0, 41)
    along, up = 1.5 * t * (1 - t) + t**3, t**2 * (3 - 2 * t)
    level = min(reach, STEEPEST * (x1 - x0))
    across = np.concatenate([[x0], x0 + level + (x1 - x0 - level) * along])
    up = np.concatenate([[0.0], up])
    edges = (low0 + (low1 - low0) * up, high0 + (high1 - high0) * up)
    drawing.fill_between(across, *edges, facecolor=colour, edgecolor="white", hatch=hatch, linewidth=0.5, zorder=2)
