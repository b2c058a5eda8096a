"""The pathway as a diagram, drawn from its declaration: boxes by kind; solid arrows take time, dashed ones none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path as Curve

from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style, text
from simulator.figures.pathway.layout import Arrow, Layout, Node, layout
from simulator.figures.picture import Picture
from simulator.figures.sheet import SAMPLE, Sample, Sheet, line_sample
from simulator.figures.style import Dash, Line
from simulator.pathway.pathway import Pathway, State, Transition, reachable
from simulator.pathway.references import names_in
from simulator.wording.table import Column, Row, Table

NAME = "pathway_diagram"
GAP, BEND = 0.22, 0.16
ROW_GAP = 0.36
SIZE = style.SMALL + 0.5
_LINE = 0.135
_PORT = 0.13
_HEAD = 0.075
KEY = 0.35
"""Inches of the key below the diagram."""

KINDS = {
    "sojourn": "time passes here",
    "decision": "decision: a policy can change it",
    "chance": "chance",
    "death": "death",
    "end": "end",
}


@dataclass(frozen=True)
class Box:
    """A state's rectangle in inches, and the lines of its label."""

    left: float
    bottom: float
    width: float
    height: float
    lines: tuple[str, ...]

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.bottom + self.height / 2


@dataclass(frozen=True)
class Plan:
    """The places of a diagram's boxes and arrows, in inches from the lower left. rows : (foot, top) of each layer."""

    pathway: Pathway
    layout: Layout
    boxes: Mapping[str, Box]
    width: float
    height: float
    rows: Sequence[tuple[float, float]]

    @cached_property
    def closed(self) -> frozenset[Arrow]:
        """The branches whose declared probability is zero: only a scenario opens them."""
        used = {
            (name, transition.to)
            for name, state in self.pathway.states.items()
            for transition in state.transitions
            if not _is_closed(transition, self.pathway)
        }
        return frozenset(self.layout.routes) - used

    @cached_property
    def open(self) -> frozenset[str]:
        """The states that patients reach without a scenario."""

        def onward(name: str) -> list[str]:
            targets = [transition.to for transition in self.pathway.states[name].transitions]
            return [target for target in targets if (name, target) not in self.closed]

        return frozenset(reachable([self.pathway.start], onward))


@style.applied()
def picture(pathway: Pathway, *, cohort: Cohort | None = None) -> Picture:
    """Return the diagram of a pathway; the footing names the cohort that calibrates it."""
    chart = plan(pathway)
    sheet = Sheet(pathway.title, "", _footing(pathway, cohort), chart.height + KEY + 0.08, width=chart.width)
    drawing = sheet.drawing(sheet.bottom + KEY)
    for arrow in chart.layout.routes:
        _draw_arrow(drawing, chart, arrow)
    for name, box in chart.boxes.items():
        state = pathway.states[name]
        if any(transition.to == name for transition in state.transitions):
            _draw_loop(drawing, box)
        _draw_box(drawing, state, box, faint=name not in chart.open, bold=name in pathway.clocks.values())
    sheet.write_key(_key(chart), style.MARGIN, sheet.bottom + 0.05)
    return sheet.picture(NAME, _point(pathway), _exits(pathway))


def _point(pathway: Pathway) -> str:
    """Return how many states there are, from which on, and how many of them are final."""
    final = sum(not state.transitions for state in pathway.states.values())
    first = pathway.states[pathway.start].label
    return f"A diagram of {len(pathway.states)} states, from {first} to {final} that nobody leaves."


def _exits(pathway: Pathway) -> Table:
    """Return every state with the states after it."""
    states = [pathway.states[name] for name in pathway.in_order]
    targets = [dict.fromkeys(pathway.states[exit.to].label for exit in state.transitions) for state in states]
    rows = [
        Row(state.label, [KINDS[state.kind].partition(":")[0], _listed(list(after))])
        for state, after in zip(states, targets, strict=True)
        if after
    ]
    return Table([Column(head, is_number=False) for head in ("State", "Kind", "Leads to")], rows, style="")


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def plan(pathway: Pathway) -> Plan:
    """Return the places of a diagram's boxes and arrows."""
    names = pathway.in_order
    arrows = [(name, transition.to) for name in names for transition in pathway.states[name].transitions]
    for width in (1.5, 1.35, 1.2, 1.05, 0.9):
        draft = layout(names, arrows, width=width, gap=GAP, bend=BEND)
        left = min(draft.across[node] - width / 2 for node in draft.across)
        right = max(draft.across[node] + width / 2 for node in draft.across)
        if right - left <= style.WIDTH - 2 * style.MARGIN:
            break
    figure_width = max(style.WIDTH, right - left + 2 * style.MARGIN)
    shift = (figure_width - right - left) / 2
    across = {node: place + shift for node, place in draft.across.items()}
    boxes, rows, foot = {}, [], 0.0
    for layer in reversed(draft.layers):
        lines = {node: _label(pathway, node, width) for node in layer if isinstance(node, str)}
        heights = {node: 0.16 + _LINE * len(lines[node]) for node in lines}
        tallest = max(heights.values())
        for node, height in heights.items():
            left_edge, bottom = across[node] - width / 2, foot + (tallest - height) / 2
            boxes[node] = Box(left_edge, bottom, width, height, lines[node])
        rows.append((foot, foot + tallest))
        foot += tallest + ROW_GAP
    return Plan(pathway, replace(draft, across=across), boxes, figure_width, rows[-1][1], rows[::-1])


def _label(pathway: Pathway, name: str, width: float) -> tuple[str, ...]:
    state = pathway.states[name]
    lines = text.wrap(state.label, width - 0.2, SIZE, "bold" if name in pathway.clocks.values() else "normal")
    if state.holds is not None:
        lines += text.wrap(f"[{pathway.resources[state.holds].label}]", width - 0.2, SIZE)
    return lines


def _is_closed(transition: Transition, pathway: Pathway) -> bool:
    probability = transition.probability
    if probability is None or isinstance(probability, float):
        return probability == 0
    parameters = [pathway.parameters[name] for name in names_in(probability) if probability != "rest"]
    return bool(parameters) and all(parameter.prior is None and parameter.value == 0 for parameter in parameters)


def _footing(pathway: Pathway, cohort: Cohort | None) -> list[str]:
    states, resources = pathway.states, pathway.resources
    labels = [pathway.title, *(state.label for state in states.values()), *(use.label for use in resources.values())]
    return [
        "Solid arrows take time, dashed arrows none.",
        *(f"Clock “{clock}” starts at {states[state].label}." for clock, state in pathway.clocks.items()),
        "In brackets: the resource used." if resources else "",
        *notes.explained(pathway.abbreviations, labels),
        "Drawn from the pathway file.",
        f"{'' if cohort is None else 'Calibrated to '}{notes.source_in_words(cohort)}",
    ]


def _ports(chart: Plan, name: str, side: str) -> dict[tuple[Node, bool], float]:
    """Return the places of arrows on a box's upper or lower edge, by neighbour and whether the arrow leads back."""
    ends = set()
    for arrow, nodes in chart.layout.routes.items():
        for upper, lower in pairwise(nodes):
            state, other = (lower, upper) if side == "top" else (upper, lower)
            if state == name:
                ends.add((other, arrow in chart.layout.returns))
    order = sorted(ends, key=lambda end: (chart.layout.across[end[0]], end[1], str(end[0])))
    box = chart.boxes[name]
    step = min(_PORT, (box.width - 0.3) / max(1, len(order) - 1))
    return {end: box.middle[0] + step * (place - (len(order) - 1) / 2) for place, end in enumerate(order)}


def _draw_arrow(drawing: Axes, chart: Plan, arrow: Arrow) -> None:
    back = arrow in chart.layout.returns
    points = points_of(chart, arrow)
    faint = arrow in chart.closed or arrow[0] not in chart.open
    colour = style.shade(style.PURPLE if back else style.QUIET, 1.5 if faint else 1.0)
    dash: Dash = (0.0, (3.0, 1.8)) if chart.pathway.states[arrow[0]].is_choice else "solid"
    x, y = points[-1]
    tail = y - _HEAD if back else y + _HEAD
    head = [(x, y), (x - 0.6 * _HEAD, tail), (x + 0.6 * _HEAD, tail)]
    _draw_line(drawing, _smooth(points), head, colour, 1.3 if back else 0.9, dash, zorder=1 if faint else 2)


def _draw_loop(drawing: Axes, box: Box) -> None:
    """Draw the arrow from a state to itself, on its right."""
    x, y = box.left + box.width, box.middle[1]
    out, high, low = x + 0.75 * GAP, y + 0.08, y - 0.08
    path = Curve([(x, high), (out, high + 0.05), (out, low - 0.05), (x, low)], [Curve.MOVETO, *[Curve.CURVE4] * 3])
    head = [(x, low), (x + _HEAD, low + 0.5 * _HEAD), (x + _HEAD, low - 0.6 * _HEAD)]
    _draw_line(drawing, path, head, style.PURPLE, 1.3, "solid", zorder=2)


def _draw_line(
    drawing: Axes, path: Curve, head: Sequence[tuple[float, float]], colour: str, width: float, dash: Dash, zorder: int
) -> None:
    look = {"edgecolor": colour, "linewidth": width, "linestyle": dash}
    drawing.add_patch(PathPatch(path, fill=False, zorder=zorder, **look))
    drawing.add_patch(Polygon(head, facecolor=colour, edgecolor="none", zorder=zorder))


def points_of(chart: Plan, arrow: Arrow) -> list[tuple[float, float]]:
    """Return the points of an arrow; it is upright at each, and through each layer that it crosses."""
    nodes = chart.layout.routes[arrow]
    back = arrow in chart.layout.returns
    upper, lower = str(nodes[0]), str(nodes[-1])
    first, last = chart.boxes[upper], chart.boxes[lower]
    points = [(_ports(chart, upper, "bottom")[nodes[1], back], first.bottom)]
    for node in nodes[1:-1]:
        points += [(chart.layout.across[node], edge) for edge in reversed(chart.rows[int(node[1])])]
    points.append((_ports(chart, lower, "top")[nodes[-2], back], last.bottom + last.height))
    return points[::-1] if back else points


def _smooth(points: Sequence[tuple[float, float]]) -> Curve:
    """Return a curve through points, upright at each of them."""
    vertices, codes = [points[0]], [int(Curve.MOVETO)]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        vertices += [(x0, middle), (x1, middle), (x1, y1)]
        codes += [int(Curve.CURVE4)] * 3
    return Curve(vertices, codes)


def _draw_box(drawing: Axes, state: State, box: Box, *, faint: bool, bold: bool) -> None:
    drawing.add_patch(_shape(state.kind, box, faint=faint))
    drawing.text(
        *box.middle,
        "\n".join(box.lines),
        ha="center",
        va="center_baseline" if len(box.lines) == 1 else "center",
        fontsize=SIZE,
        color="white" if state.kind == "death" else style.QUIET if faint else style.INK,
        fontweight="bold" if bold else "normal",
        linespacing=1.12,
        zorder=5,
        gid=f"state-{state.name}",
    )


def _shape(kind: str, box: Box, *, faint: bool = False) -> FancyBboxPatch:
    fill = {"decision": style.shade(style.SKY, 1.75), "chance": style.shade(style.YELLOW, 1.7), "death": "#4d4d4d"}
    rounding = min({"chance": 0.18, "sojourn": 0.06, "end": 0.06}.get(kind, 0.0), 0.45 * box.height)
    return FancyBboxPatch(
        (box.left, box.bottom),
        box.width,
        box.height,
        boxstyle=f"round,pad=0,rounding_size={rounding}" if rounding else "square,pad=0",
        facecolor="white" if faint else fill.get(kind, "white"),
        edgecolor=style.FAINT if faint else style.INK,
        linestyle=(0, (3.0, 1.6)) if kind in ("decision", "chance") else "solid",
        linewidth=2.0 if kind == "end" else 0.9,
        zorder=4,
    )


def _key(chart: Plan) -> list[Sample]:
    """Return an entry for each kind of box and arrow that occurs."""
    states = chart.pathway.states.values()
    occurring = {state.kind for state in states}
    box = Box(0.0, -0.07, SAMPLE, 0.14, ())
    key = [Sample(words, _shape(kind, box), size=style.SMALL) for kind, words in KINDS.items() if kind in occurring]
    has_loop = any(exit.to == state.name for state in states for exit in state.transitions)
    lines = [
        ("leads back", style.PURPLE, bool(chart.layout.returns) or has_loop),
        ("used only by a scenario", style.FAINT, bool(chart.closed)),
    ]
    for words, colour, occurs in lines:
        if occurs:
            sample = line_sample(words, Line(colour, "solid"), 1.3)
            key.append(replace(sample, colour=style.INK, weight="normal", size=style.SMALL))
    return key
