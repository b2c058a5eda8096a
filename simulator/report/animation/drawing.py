"""The pathway as it is drawn on the page: the boxes of states in which patients stay, with a place for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from simulator.figures.pathway.diagram import places_along
from simulator.figures.pathway.plan import ROW_GAP, Box, Plan, plan, points_of
from simulator.pathway.pathway import Pathway, Transition

UNIT = 100.0
"""Units of the page an inch of the plan."""

ROOM = 10.8
"""Inches that the boxes of the plan may take across, before they become narrower."""

PITCHES, TALLEST = (9.0, 8.0, 7.0, 6.2, 5.5, 4.8, 4.2, 3.6), 300.0
"""Units of a place: the widest with which the places of all layers are not taller than so many units."""

COUNT, EDGE = 15.0, 5.0
"""Units of the line with a box's counts, and between its places and its edges."""

CURVE = 5
"""Every so many points of an arrow's curve are kept."""


def reduced(pathway: Pathway, states: Sequence[str], ways: Sequence[tuple[str, str]]) -> Pathway:
    """Return the pathway of some states, the start first, with other arrows: choices between them are left out."""
    onward: dict[str, list[Transition]] = {name: [] for name in states}
    for source, to in ways:
        onward[source].append(Transition(to, to))
    order = {name: place for place, name in enumerate(states)}
    kept = {}
    for name in states:
        transitions = tuple(sorted(onward[name], key=lambda way: order[way.to]))
        kept[name] = replace(pathway.states[name], transitions=transitions)
    clocks = {clock: state for clock, state in pathway.clocks.items() if state in kept}
    return replace(pathway, states=kept, start=states[0], clocks=clocks, extended=None)


def drawing(of: Pathway, most: Sequence[Mapping[str, int]], waiting: Mapping[str, int]) -> dict[str, Any]:
    """Return boxes and arrows, in units from the upper left.

    most : scenario by scenario, the places of every state's box; waiting : state that holds a resource -> the most who
    wait for it
    """
    chart = plan(of, room=ROOM)
    width = UNIT * next(iter(chart.boxes.values())).width
    in_layers = [[name for name in layer if isinstance(name, str)] for layer in chart.layout.layers]

    def rows(name: str, columns: int) -> int:
        return max(-(-places[name] // columns) for places in most)

    for pitch in PITCHES:
        columns = int((width / len(most) - 2 * EDGE) // pitch)
        if pitch * sum(max(rows(name, columns) for name in names) for names in in_layers) <= TALLEST:
            break

    def tall(name: str) -> float:
        return COUNT + rows(name, columns) * pitch + EDGE if rows(name, columns) else 0.0

    above = {name: pitch * -(-count // columns) for name, count in waiting.items()}
    more = {name: tall(name) / UNIT for name in chart.boxes}
    chart = stretched(chart, more, {name: free / UNIT for name, free in above.items()})
    top = chart.height + 0.05

    def placed(x: float, y: float) -> list[float]:
        return [round(UNIT * x, 1), round(UNIT * (top - y), 1)]

    boxes = [
        {
            "state": name,
            "kind": of.states[name].kind,
            "at": placed(box.left, box.bottom + box.height),
            "size": [round(UNIT * box.width, 1), round(UNIT * box.height, 1)],
            "lines": list(box.lines),
            "places": round(tall(name), 1),
        }
        for name, box in chart.boxes.items()
    ]
    arrows = []
    for arrow in chart.layout.routes:
        curve = places_along(points_of(chart, arrow))
        curve = curve[[*range(0, len(curve) - 1, CURVE), len(curve) - 1]]
        arrows.append({"from": arrow[0], "to": arrow[1], "curve": [placed(x, y) for x, y in curve.tolist()]})
    size = [round(UNIT * chart.width, 1), round(UNIT * (top + 0.05), 1)]
    return {"size": size, "boxes": boxes, "arrows": arrows, "pitch": pitch, "columns": columns, "edge": EDGE,
            "count": COUNT}  # fmt: skip


def stretched(chart: Plan, more: Mapping[str, float], above: Mapping[str, float]) -> Plan:
    """Return a plan with boxes taller by some inches, and inches that are kept free above a box."""
    boxes, rows, foot, free = {}, [], 0.0, 0.0
    for layer in reversed(chart.layout.layers):
        names = [name for name in layer if isinstance(name, str)]
        heights = {name: chart.boxes[name].height + more[name] for name in names}
        tallest = max(heights.values(), default=0.0)
        for name in names:
            box = chart.boxes[name]
            boxes[name] = Box(box.left, foot + (tallest - heights[name]) / 2, box.width, heights[name], box.lines)
        rows.append((foot, foot + tallest))
        free = max((above.get(name, 0.0) for name in names), default=0.0)
        foot += tallest + free + ROW_GAP
    return replace(chart, boxes=boxes, rows=rows[::-1], height=foot - ROW_GAP)
