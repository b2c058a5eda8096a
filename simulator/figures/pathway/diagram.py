"""The pathway as a diagram, drawn from its declaration: boxes by kind; solid arrows take time, dashed ones none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path as Curve

from simulator.evidence.cohort import Cohort
from simulator.figures import style, text
from simulator.figures.pathway.layout import Arrow, Layout, Node, layout
from simulator.figures.survival import survival
from simulator.pathway.pathway import Pathway, Reference, State, Transition, names_in, reachable

GAP, BEND = 0.22, 0.16
ROW_GAP = 0.36
SIZE = style.SMALL + 0.5
_LINE = 0.135
_PORT = 0.13
_HEAD = 0.075

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

    def overlaps(self, other: Box) -> bool:
        """Return whether two rectangles share more than an edge."""
        return (
            self.left < other.left + other.width
            and other.left < self.left + self.width
            and self.bottom < other.bottom + other.height
            and other.bottom < self.bottom + self.height
        )


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
        branches = set()
        for name, state in self.pathway.states.items():
            for target in {transition.to for transition in state.transitions}:
                parallel = [transition for transition in state.transitions if transition.to == target]
                if all(_is_closed(transition, self.pathway) for transition in parallel):
                    branches.add((name, target))
        return frozenset(branches)

    @cached_property
    def open(self) -> frozenset[str]:
        """The states that patients reach without a scenario."""

        def onward(name: str) -> list[str]:
            targets = [transition.to for transition in self.pathway.states[name].transitions]
            return [target for target in targets if (name, target) not in self.closed]

        return frozenset(reachable([self.pathway.start], onward))


def draw(pathway: Pathway, *, cohort: Cohort | None = None) -> Figure:
    """Return the diagram of a pathway; the footing names the cohort that calibrates it."""
    with style.applied():
        chart = plan(pathway)
        footing = _footing(pathway, cohort)
        foot = text.footing_height(footing, chart.width) + 0.4
        figure = style.canvas(chart.width, chart.height + foot + 0.5)
        text.heading(figure, pathway.title)
        text.footing(figure, footing)
        sheet = style.sheet(figure)
        sheet.set_ylim(-foot, chart.height + 0.5)
        for arrow in chart.layout.routes:
            _draw_arrow(sheet, chart, arrow)
        for name, box in chart.boxes.items():
            if any(transition.to == name for transition in pathway.states[name].transitions):
                _draw_loop(sheet, box)
            _draw_box(sheet, pathway, pathway.states[name], box, faint=name not in chart.open)
        _draw_key(sheet, chart)
    return figure


def alt_text(pathway: Pathway) -> str:
    """Return the pathway in words: every state and the states after it."""
    sentences = [f"Pathway diagram of {len(pathway.states)} states, from {pathway.states[pathway.start].label}."]
    for name in pathway.in_order():
        state = pathway.states[name]
        targets = list(dict.fromkeys(pathway.states[transition.to].label for transition in state.transitions))
        if targets:
            sentences.append(f"{state.label} ({state.kind}) leads to {_listed(targets)}.")
        else:
            sentences.append(f"{state.label} is {'a death' if state.kind == 'death' else 'an end'}.")
    return " ".join(sentences)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def plan(pathway: Pathway) -> Plan:
    """Return the places of a diagram's boxes and arrows."""
    names = pathway.in_order()
    arrows = [(name, transition.to) for name in names for transition in pathway.states[name].transitions]
    across = style.WIDTH - 2 * style.MARGIN
    for width in (1.5, 1.35, 1.2, 1.05, 0.9):
        draft = layout(names, arrows, width=width, gap=GAP, bend=BEND)
        left = min(draft.across[node] - width / 2 for node in draft.across)
        right = max(draft.across[node] + width / 2 for node in draft.across)
        if right - left <= across:
            break
    figure_width = max(style.WIDTH, right - left + 2 * style.MARGIN)
    shift = (figure_width - right - left) / 2
    lines = {name: _label(pathway, name, width) for name in names}
    rows = _rows([[len(lines[node]) for node in layer if isinstance(node, str)] for layer in draft.layers])
    boxes = {}
    for (foot, top), layer in zip(rows, draft.layers, strict=True):
        for node in layer:
            if isinstance(node, str):
                box_height = _box_height(len(lines[node]))
                place = draft.across[node] + shift - width / 2
                boxes[node] = Box(place, (foot + top - box_height) / 2, width, box_height, lines[node])
    moved = Layout(draft.layers, {node: x + shift for node, x in draft.across.items()}, draft.routes, draft.returns)
    return Plan(pathway, moved, boxes, figure_width, rows[0][1], rows)


def _box_height(n_lines: int) -> float:
    return 0.16 + _LINE * n_lines


def _rows(n_lines: Sequence[Sequence[int]]) -> list[tuple[float, float]]:
    """Return the foot and the top of each layer, as tall as its tallest box; the foot of the last is 0."""
    rows: list[tuple[float, float]] = []
    foot = 0.0
    for layer in reversed(n_lines):
        top = foot + _box_height(max(layer))
        rows.append((foot, top))
        foot = top + ROW_GAP
    return rows[::-1]


def _label(pathway: Pathway, name: str, width: float) -> tuple[str, ...]:
    state = pathway.states[name]
    lines = text.wrap(state.label, width - 0.14, SIZE)
    if state.holds is not None:
        lines += text.wrap(f"[{pathway.resources[state.holds].label}]", width - 0.14, SIZE)
    return lines


def _is_closed(transition: Transition, pathway: Pathway) -> bool:
    reference = transition.probability
    if reference is None or reference == "rest":
        return False
    return all(value == 0 for value in _values(reference, pathway))


def _values(reference: Reference, pathway: Pathway) -> list[float]:
    """Return the values of a reference's parameters; 1 for a parameter with a prior."""
    if isinstance(reference, float):
        return [reference]
    parameters = [pathway.parameters[name] for name in names_in(reference)]
    return [parameter.value if parameter.prior is None else 1.0 for parameter in parameters] or [1.0]


def _footing(pathway: Pathway, cohort: Cohort | None) -> str:
    sentences = [f"Clock “{clock}” starts at {pathway.states[state].label}." for clock, state in pathway.clocks.items()]
    if pathway.resources:
        sentences.append("In brackets: the resource used.")
    states, resources = pathway.states.values(), pathway.resources.values()
    labels = [pathway.title, *(state.label for state in states), *(resource.label for resource in resources)]
    sentences += text.explained(pathway.abbreviations, labels)
    source = "Not for individual patients."
    if cohort is not None:
        source = f"Calibrated to {survival.source_in_words(cohort)}"
    return " ".join(["Solid arrows take time, dashed arrows none.", *sentences, "Drawn from the pathway file.", source])


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


def _draw_arrow(sheet: Axes, chart: Plan, arrow: Arrow) -> None:
    back = arrow in chart.layout.returns
    points = points_of(chart, arrow)
    source = chart.pathway.states[arrow[0]]
    faint = arrow in chart.closed or arrow[0] not in chart.open
    colour = style.shade(style.PURPLE if back else style.QUIET, 1.5 if faint else 1.0)
    line = PathPatch(
        _smooth(points),
        fill=False,
        edgecolor=colour,
        linewidth=1.3 if back else 0.9,
        linestyle=(0, (3.0, 1.8)) if source.is_choice else "solid",
        zorder=1 if faint else 2,
    )
    sheet.add_patch(line)
    x, y = points[-1]
    up = _HEAD if back else -_HEAD
    head = [(x, y), (x - 0.6 * _HEAD, y - up), (x + 0.6 * _HEAD, y - up)]
    sheet.add_patch(Polygon(head, facecolor=colour, edgecolor="none", zorder=1 if faint else 3))


def _draw_loop(sheet: Axes, box: Box) -> None:
    """Draw the arrow from a state to itself, on its right."""
    x, y = box.left + box.width, box.middle[1]
    out, high, low = x + 0.75 * GAP, y + 0.08, y - 0.08
    path = Curve([(x, high), (out, high + 0.05), (out, low - 0.05), (x, low)], [Curve.MOVETO, *[Curve.CURVE4] * 3])
    sheet.add_patch(PathPatch(path, fill=False, edgecolor=style.PURPLE, linewidth=1.3, zorder=2))
    head = [(x, low), (x + _HEAD, low + 0.5 * _HEAD), (x + _HEAD, low - 0.6 * _HEAD)]
    sheet.add_patch(Polygon(head, facecolor=style.PURPLE, edgecolor="none", zorder=3))


def points_of(chart: Plan, arrow: Arrow) -> list[tuple[float, float]]:
    """Return the points of an arrow; it is upright at each, and through each layer that it crosses."""
    nodes = chart.layout.routes[arrow]
    back = arrow in chart.layout.returns
    upper, lower = nodes[0], nodes[-1]
    assert isinstance(upper, str)
    assert isinstance(lower, str)
    first, last = chart.boxes[upper], chart.boxes[lower]
    points = [(_ports(chart, upper, "bottom")[nodes[1], back], first.bottom)]
    for node in nodes[1:-1]:
        assert not isinstance(node, str)
        foot, top = chart.rows[node[1]]
        points += [(chart.layout.across[node], top), (chart.layout.across[node], foot)]
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


def _draw_box(sheet: Axes, pathway: Pathway, state: State, box: Box, *, faint: bool) -> None:
    _shape(sheet, state.kind, box, faint=faint)
    x, y = box.middle
    colour = "white" if state.kind == "death" else style.FAINT if faint else style.INK
    bold = "bold" if state.name in pathway.clocks.values() else "normal"
    sheet.text(
        x,
        y,
        "\n".join(box.lines),
        ha="center",
        va="center_baseline" if len(box.lines) == 1 else "center",
        fontsize=SIZE,
        color=colour,
        fontweight=bold,
        linespacing=1.12,
        zorder=5,
        gid=f"state-{state.name}",
    )


def _shape(sheet: Axes, kind: str, box: Box, *, faint: bool) -> None:
    fill = {"decision": style.shade(style.SKY, 1.75), "chance": style.shade(style.YELLOW, 1.7), "death": "#4d4d4d"}
    rounding = min({"chance": 0.18, "sojourn": 0.06, "end": 0.06}.get(kind, 0.0), 0.45 * box.height)
    edge = style.FAINT if faint else style.INK
    sheet.add_patch(
        FancyBboxPatch(
            (box.left, box.bottom),
            box.width,
            box.height,
            boxstyle=f"round,pad=0,rounding_size={rounding}" if rounding else "square,pad=0",
            facecolor="white" if faint else fill.get(kind, "white"),
            edgecolor=edge,
            linestyle=(0, (3.0, 1.6)) if kind in ("decision", "chance") else "solid",
            linewidth=2.0 if kind == "end" else 0.9,
            zorder=4,
        )
    )


def _draw_key(sheet: Axes, chart: Plan) -> None:
    """Draw a sample of each kind of box and arrow that occurs, in one row below the diagram."""
    x, y = style.MARGIN, -0.3
    states = chart.pathway.states.values()
    for kind in [kind for kind in KINDS if any(state.kind == kind for state in states)]:
        _shape(sheet, kind, Box(x, y - 0.07, 0.28, 0.14, ()), faint=False)
        sheet.text(x + 0.36, y, KINDS[kind], va="center", fontsize=style.SMALL)
        x += 0.36 + text.width(KINDS[kind], style.SMALL) + 0.22
    has_loop = any(exit.to == state.name for state in states for exit in state.transitions)
    samples = [
        ("leads back", style.PURPLE, bool(chart.layout.returns) or has_loop),
        ("used only by a scenario", style.FAINT, bool(chart.closed)),
    ]
    for words, colour, occurs in samples:
        if occurs:
            sheet.plot([x, x + 0.28], [y, y], color=colour, linewidth=1.3)
            sheet.text(x + 0.36, y, words, va="center", fontsize=style.SMALL)
            x += 0.36 + text.width(words, style.SMALL) + 0.22
