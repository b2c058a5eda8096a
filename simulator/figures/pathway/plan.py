"""The places of a diagram's boxes and arrows, in inches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from simulator.figures import style, text
from simulator.figures.pathway import branches
from simulator.figures.pathway.branches import Branches, held_change
from simulator.figures.pathway.layout import Arrow, Layout, Node, layout
from simulator.pathway.pathway import Pathway

GAP, BEND = 0.22, 0.16
ROW_GAP = 0.36
SIZE = style.SMALL + 0.5
_LINE = 0.135
_PORT = 0.13


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
    """The places of a diagram's boxes and arrows, in inches from the lower left. rows : (foot, top) of each layer.

    branches : how patients divide in the scenarios of a run; empty for a pathway alone
    in_boxes : arrows whose shares stand in the box of their choice
    """

    pathway: Pathway
    layout: Layout
    boxes: Mapping[str, Box]
    width: float
    height: float
    rows: Sequence[tuple[float, float]]
    branches: Branches
    in_boxes: frozenset[Arrow] = frozenset()

    @property
    def small(self) -> float:
        """Points of the diagram's small text."""
        return style.small(self.width)

    @cached_property
    def closed(self) -> frozenset[Arrow]:
        """The branches that nobody takes."""
        return branches.closed(self.pathway, self.branches)

    @cached_property
    def open(self) -> frozenset[str]:
        """The states that patients reach."""
        return branches.reached(self.pathway, self.branches)


def plan(
    pathway: Pathway, of_run: Branches | None = None, room: float = style.WIDTH, in_boxes: Collection[Arrow] = ()
) -> Plan:
    """Return the places of a diagram's boxes and arrows.

    of_run : how patients divide, if a run is drawn; room : inches that the diagram may take; it is wider if it must be
    in_boxes : see Plan
    """
    of_run = of_run or Branches()
    names = pathway.in_order
    arrows = [(name, transition.to) for name in names for transition in pathway.states[name].transitions]
    for width in (1.5, 1.35, 1.2, 1.05, 0.9):
        draft = layout(names, arrows, width=width, gap=GAP, bend=BEND)
        left = min(draft.across[node] - width / 2 for node in draft.across)
        right = max(draft.across[node] + width / 2 for node in draft.across)
        if right - left <= room - 2 * style.MARGIN:
            break
    figure_width = max(room, right - left + 2 * style.MARGIN)
    shift = (figure_width - right - left) / 2
    across = {node: place + shift for node, place in draft.across.items()}
    boxes, rows, foot = {}, [], 0.0
    for layer in reversed(draft.layers):
        lines = {node: _label(pathway, node, width) for node in layer if isinstance(node, str)}
        for choice, to in (arrow for arrow in of_run.shares if arrow in in_boxes and arrow[0] in lines):
            share = f"{of_run.in_words((choice, to))} {pathway.states[to].label}"
            lines[choice] += text.wrap(held_change(share), width - 0.1, SIZE, _weight(pathway, choice))
        heights = {node: 0.16 + _LINE * len(lines[node]) for node in lines}
        tallest = max(heights.values())
        for node, height in heights.items():
            left_edge, bottom = across[node] - width / 2, foot + (tallest - height) / 2
            boxes[node] = Box(left_edge, bottom, width, height, lines[node])
        rows.append((foot, foot + tallest))
        foot += tallest + ROW_GAP
    drawn = replace(draft, across=across)
    return Plan(pathway, drawn, boxes, figure_width, rows[-1][1], rows[::-1], of_run, frozenset(in_boxes))


def _label(pathway: Pathway, name: str, width: float) -> tuple[str, ...]:
    state = pathway.states[name]
    lines = text.wrap(state.label, width - 0.2, SIZE, _weight(pathway, name))
    if state.holds is not None:
        lines += text.wrap(f"[{pathway.resources[state.holds].label}]", width - 0.2, SIZE)
    return lines


def _weight(pathway: Pathway, name: str) -> str:
    """Return the weight of a box's letters: those of the start of a clock are bold."""
    return "bold" if name in pathway.clocks.values() else "normal"


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
