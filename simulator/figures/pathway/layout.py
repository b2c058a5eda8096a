"""Layout of a directed graph in layers (Sugiyama, Tagawa & Toda 1981): each state below its predecessors.

Arrows that close a cycle are reversed first; layers are longest paths; long arrows pass through bends, one a layer;
layers are ordered by barycentres; places across are least squares under that order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from simulator.figures.text import spaced

SWEEPS, SETTLE = 12, 600

STRAIGHT, BENT, SHORT = 8.0, 2.0, 1.0
"""Weight of a link's slope: between two bends, to a bend, between two states (Gansner et al. 1993)."""

Arrow = tuple[str, str]
Node = str | tuple[str, int]
"""A state, or a bend (name, layer). Long arrows to one state share bends; an arrow that leads back has its own."""


@dataclass(frozen=True)
class Layout:
    """The places of states, and the nodes of each arrow.

    layers : the nodes of each layer, from the left; across : each node's place in the unit of the widths
    routes : arrow -> its nodes from the upper to the lower; returns : the arrows that lead back up
    """

    layers: Sequence[Sequence[Node]]
    across: Mapping[Node, float]
    routes: Mapping[Arrow, Sequence[Node]]
    returns: frozenset[Arrow]



def layout(states: Sequence[str], arrows: Sequence[Arrow], *, width: float, gap: float, bend: float) -> Layout:
    """Return the layout of states, the first at the top, without arrows from a state to itself.

    width : of a state; gap : between two states; bend : width of a passing arrow
    """
    arrows = [arrow for arrow in dict.fromkeys(arrows) if arrow[0] != arrow[1]]
    returns = _returns(states, arrows)
    downward = {arrow: (arrow[1], arrow[0]) if arrow in returns else arrow for arrow in arrows}
    depth = _depths(states, set(downward.values()))
    shared = {arrow: " < ".join(arrow) if arrow in returns else arrow[1] for arrow in arrows}
    routes = {arrow: _route(link, depth, shared[arrow]) for arrow, link in downward.items()}
    links = list(dict.fromkeys(link for nodes in routes.values() for link in pairwise(nodes)))
    layers = _ordered(_initial(states, depth, routes.values()), links)

    def room(left: Node, right: Node) -> float:
        widths = [width if isinstance(node, str) else bend for node in (left, right)]
        return sum(widths) / 2 + (gap if isinstance(left, str) and isinstance(right, str) else gap / 2)

    gaps = [[room(*pair) for pair in pairwise(layer)] for layer in layers]
    across = _across(layers, links, gaps)
    for nodes in sorted(routes.values(), key=len):
        _straighten([node for node in nodes if not isinstance(node, str)], layers, gaps, across)
    return Layout(layers, across, routes, frozenset(returns))


def _returns(states: Sequence[str], arrows: Sequence[Arrow]) -> set[Arrow]:
    """Return the arrows back to a state on the current path of a depth-first walk."""
    onward: dict[str, list[str]] = {name: [] for name in states}
    for source, target in arrows:
        onward[source].append(target)
    returns: set[Arrow] = set()
    done: set[str] = set()
    for first in states:
        if first in done:
            continue
        path, work = [first], [iter(onward[first])]
        while work:
            onto = next(work[-1], None)
            if onto is None:
                done.add(path.pop())
                work.pop()
            elif onto in path:
                returns.add((path[-1], onto))
            elif onto not in done:
                path.append(onto)
                work.append(iter(onward[onto]))
    return returns


def _depths(states: Sequence[str], arrows: set[Arrow]) -> dict[str, int]:
    """Return each state's layer: the length of the longest path to it."""
    depth = dict.fromkeys(states, 0)
    for _ in states:
        for source, target in arrows:
            depth[target] = max(depth[target], depth[source] + 1)
    return depth


def _route(link: Arrow, depth: Mapping[str, int], name: str) -> list[Node]:
    source, target = link
    return [source, *((name, layer) for layer in range(depth[source] + 1, depth[target])), target]


def _initial(states: Sequence[str], depth: Mapping[str, int], routes: Iterable[Sequence[Node]]) -> list[list[Node]]:
    layers: list[list[Node]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in states:
        layers[depth[name]].append(name)
    for nodes in routes:
        for node in nodes:
            if not isinstance(node, str) and node not in layers[node[1]]:
                layers[node[1]].append(node)
    return layers


def _ordered(layers: list[list[Node]], links: Sequence[tuple[Node, Node]]) -> list[list[Node]]:
    """Return the layers in the order with the fewest crossings among sweeps of barycentres."""
    above, below = _neighbours(links)
    best, fewest = layers, _crossings(layers, below)
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        layers = [list(layer) for layer in layers]
        for index in range(1, len(layers)) if down else range(len(layers) - 2, -1, -1):
            place = {node: i for i, node in enumerate(layers[index - 1 if down else index + 1])}
            near = above if down else below
            keys = {}
            for i, node in enumerate(layers[index]):
                places = [place[neighbour] for neighbour in near.get(node, ()) if neighbour in place]
                keys[node] = sum(places) / len(places) if places else float(i)
            layers[index].sort(key=lambda node: keys[node])
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = layers, crossings
    return best


def _neighbours(links: Sequence[tuple[Node, Node]]) -> tuple[dict[Node, list[Node]], dict[Node, list[Node]]]:
    above: dict[Node, list[Node]] = {}
    below: dict[Node, list[Node]] = {}
    for upper, lower in links:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    return above, below


def _crossings(layers: Sequence[Sequence[Node]], below: Mapping[Node, Sequence[Node]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        place = {node: i for i, node in enumerate(lower)}
        ends = [sorted(place[neighbour] for neighbour in below.get(node, ())) for node in upper]
        total += sum(
            right < left
            for i, lefts in enumerate(ends)
            for rights in ends[i + 1 :]
            for left in lefts
            for right in rights
        )
    return total


def _across(
    layers: Sequence[Sequence[Node]], links: Sequence[tuple[Node, Node]], gaps: Sequence[Sequence[float]]
) -> dict[Node, float]:
    """Return the nodes' places: each as near to the mean of its neighbours as the order and the gaps allow."""
    above, below = _neighbours(links)
    across = {node: place for layer, gap in zip(layers, gaps, strict=True) for node, place in _start(layer, gap)}
    for sweep in range(SETTLE):
        # The first sweeps look one way, to untangle; the rest both ways, so that no layer drifts to one side.
        nears = (above, below) if sweep >= 2 * SWEEPS else ((above,) if sweep % 2 == 0 else (below,))
        before = dict(across)
        for index in range(len(layers)) if sweep % 2 == 0 else range(len(layers) - 1, -1, -1):
            preferred = [_preferred(node, nears, across) for node in layers[index]]
            wanted, weights = [place for place, _ in preferred], [weight for _, weight in preferred]
            across.update(zip(layers[index], spaced(wanted, gaps[index], weights), strict=True))
        if len(nears) > 1 and max(abs(across[node] - before[node]) for node in across) < 1e-3:
            break
    return across


def _start(layer: Sequence[Node], gaps: Sequence[float]) -> list[tuple[Node, float]]:
    middle = sum(gaps) / 2
    places = [sum(gaps[:i]) - middle for i in range(len(layer))]
    return list(zip(layer, places, strict=True))


def _preferred(
    node: Node, nears: Sequence[Mapping[Node, Sequence[Node]]], across: Mapping[Node, float]
) -> tuple[float, float]:
    """Return a node's preferred place by its neighbours, and the weight of the preference."""
    total, weight = 0.01 * across[node], 0.01
    for near in nears:
        for neighbour in near.get(node, ()):
            bends = (not isinstance(node, str)) + (not isinstance(neighbour, str))
            strength = (SHORT, BENT, STRAIGHT)[bends]
            total, weight = total + strength * across[neighbour], weight + strength
    return total / weight, weight


def _straighten(
    bends: Sequence[Node], layers: Sequence[Sequence[Node]], gaps: Sequence[Sequence[float]], across: dict[Node, float]
) -> None:
    """Move an arrow's bends to as few upright lines as the nodes next to them allow."""
    lines: list[tuple[float, float, list[Node]]] = []
    for node in bends:
        low, high = _room(node, layers, gaps, across)
        if lines and max(low, lines[-1][0]) <= min(high, lines[-1][1]):
            low, high = max(low, lines[-1][0]), min(high, lines[-1][1])
            lines[-1] = (low, high, [*lines[-1][2], node])
        else:
            lines.append((low, high, [node]))
    for low, high, nodes in lines:
        middle = sum(across[node] for node in nodes) / len(nodes)
        across.update(dict.fromkeys(nodes, min(max(middle, low), high)))


def _room(
    node: Node, layers: Sequence[Sequence[Node]], gaps: Sequence[Sequence[float]], across: Mapping[Node, float]
) -> tuple[float, float]:
    """Return the leftmost and rightmost place of a bend."""
    index = int(node[1])
    layer, spaces = layers[index], gaps[index]
    place = layer.index(node)
    low = across[layer[place - 1]] + spaces[place - 1] if place else -math.inf
    high = across[layer[place + 1]] - spaces[place] if place + 1 < len(layer) else math.inf
    return low, high
