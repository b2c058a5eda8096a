"""Layout of a directed graph in layers (Sugiyama, Tagawa & Toda 1981): each state below its predecessors.

Arrows that close a cycle are reversed first; layers are longest paths; long arrows pass through bends, one a layer;
layers are ordered by barycentres; places across are least squares under that order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from scipy.linalg import block_diag
from scipy.optimize import lsq_linear

SWEEPS = 24

WEIGHTS = (1.0, 2.0, 1e5)
"""Of a link's slope by the number of its ends that are bends (Gansner et al. 1993): long arrows run upright."""

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
    routes: dict[Arrow, list[Node]] = {}
    for arrow, (source, target) in downward.items():
        bends = ((shared[arrow], layer) for layer in range(depth[source] + 1, depth[target]))
        routes[arrow] = [source, *bends, target]
    initial: list[list[Node]] = [[] for _ in range(max(depth.values()) + 1)]
    for node in dict.fromkeys([*states, *(node for nodes in routes.values() for node in nodes)]):
        initial[depth[node] if isinstance(node, str) else node[1]].append(node)
    links = list(dict.fromkeys(link for nodes in routes.values() for link in pairwise(nodes)))
    layers = _ordered(initial, links)

    def room(left: Node, right: Node) -> float:
        widths = [width if isinstance(node, str) else bend for node in (left, right)]
        return sum(widths) / 2 + (gap if isinstance(left, str) and isinstance(right, str) else gap / 2)

    gaps = [[room(*pair) for pair in pairwise(layer)] for layer in layers]
    return Layout(layers, _across(layers, links, gaps), routes, frozenset(returns))


def _returns(states: Sequence[str], arrows: Sequence[Arrow]) -> set[Arrow]:
    """Return the arrows back to a state on the current path of a depth-first walk."""
    onward: dict[str, list[str]] = {name: [] for name in states}
    for source, target in arrows:
        onward[source].append(target)
    returns: set[Arrow] = set()
    done: set[str] = set()

    def walk(path: tuple[str, ...]) -> None:
        for target in onward[path[-1]]:
            if target in path:
                returns.add((path[-1], target))
            elif target not in done:
                walk((*path, target))
        done.add(path[-1])

    for first in states:
        if first not in done:
            walk((first,))
    return returns


def _depths(states: Sequence[str], arrows: set[Arrow]) -> dict[str, int]:
    """Return each state's layer: the length of the longest path to it."""
    depth = dict.fromkeys(states, 0)
    for _ in states:
        for source, target in arrows:
            depth[target] = max(depth[target], depth[source] + 1)
    return depth


def _ordered(layers: list[list[Node]], links: Sequence[tuple[Node, Node]]) -> list[list[Node]]:
    """Return the layers in the order with the fewest crossings among sweeps of barycentres."""
    above: dict[Node, list[Node]] = {}
    below: dict[Node, list[Node]] = {}
    for upper, lower in links:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    best, fewest = layers, _crossings(layers, below)
    for sweep in range(SWEEPS):
        near, step = (above, -1) if sweep % 2 == 0 else (below, 1)
        layers = [list(layer) for layer in layers]
        for index in range(1, len(layers)) if near is above else range(len(layers) - 2, -1, -1):
            place = {node: i for i, node in enumerate(layers[index + step])}
            barycentre = {}
            for i, node in enumerate(layers[index]):
                places = [place[neighbour] for neighbour in near.get(node, ()) if neighbour in place]
                barycentre[node] = sum(places) / len(places) if places else float(i)
            layers[index].sort(key=lambda node: barycentre[node])
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = layers, crossings
    return best


def _crossings(layers: Sequence[Sequence[Node]], below: Mapping[Node, Sequence[Node]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        ends = [[lower.index(neighbour) for neighbour in below.get(node, ())] for node in upper]
        pairs = combinations(ends, 2)
        total += sum(right < left for lefts, rights in pairs for left in lefts for right in rights)
    return total


def _across(
    layers: Sequence[Sequence[Node]], links: Sequence[tuple[Node, Node]], gaps: Sequence[Sequence[float]]
) -> dict[Node, float]:
    """Return the nodes' places: the least squares of the links' slopes that the order and the gaps allow."""
    nodes = [node for layer in layers for node in layer]
    # A node's place is the sum of its layer's start and of the gaps up to it, which are the unknowns.
    places = block_diag(*(np.tri(len(layer)) for layer in layers))
    least = np.concatenate([[-np.inf, *gap] for gap in gaps])
    ends = np.array([[nodes.index(node) for node in link] for link in links], dtype=int).reshape(-1, 2)
    bends = np.array([not isinstance(node, str) for node in nodes], dtype=int)
    strength = np.sqrt(np.array(WEIGHTS)[bends[ends].sum(axis=1)])[:, None]
    slopes = strength * (places[ends[:, 0]] - places[ends[:, 1]])
    # A little weight on every place itself, for graphs in several parts.
    equations = np.vstack([slopes, 1e-3 * places])
    gaps_between = lsq_linear(equations, np.zeros(len(equations)), (least, np.inf), method="bvls", max_iter=10_000).x
    return dict(zip(nodes, (places @ gaps_between).tolist(), strict=True))
