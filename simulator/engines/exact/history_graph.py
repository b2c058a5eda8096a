"""The graph that the exact engine solves: a state together with what has been entered before it.

A node is (state, marks). Marks are the states that groups ask for, once entered; `CLOSED` once the group window is
over. Nodes come in order: each strongly connected set after all that lead to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

CLOSED = "(window over)"


class Node(NamedTuple):
    state: str
    marks: frozenset[str]


@dataclass(frozen=True)
class Edge:
    """A way between nodes by an exit. `when`: "always", or "early" and "late" about the end of the group window."""

    source: Node
    target: Node
    exit: str
    when: str = "always"


@dataclass(frozen=True)
class Graph:
    start: Node
    order: tuple[tuple[Node, ...], ...]
    into: dict[Node, tuple[Edge, ...]]
    out_of: dict[Node, tuple[Edge, ...]]

    @property
    def windowed(self) -> bool:
        """Return whether entries before and after the end of the group window differ."""
        return any(edge.when != "always" for edges in self.out_of.values() for edge in edges)

    @property
    def nodes(self) -> list[Node]:
        return [node for component in self.order for node in component]

    @property
    def has_cycle(self) -> bool:
        """Whether patients may come back to a node."""
        itself = (edge.target == node for node, edges in self.out_of.items() for edge in edges)
        return any(len(component) > 1 for component in self.order) or any(itself)


Ways = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""By state: its exits as (name, to)."""


@lru_cache(maxsize=1024)
def build(
    start: str,
    *,
    marking: frozenset[str],
    marks: frozenset[str] = frozenset(),
    ends: frozenset[str] = frozenset(),
    windowed: bool = False,
    ways: Ways,
) -> Graph:
    """Return the nodes that can be reached from `start`, by patients with some `marks`.

    `marking`: states that leave a mark; `ends`: states from which nobody goes on; `windowed`: entries after the
    window leave no mark; `ways`: the open exits.
    """
    open_to = dict(ways)
    first = Node(start, marks if CLOSED in marks else marks | marking & {start})
    out_of: dict[Node, tuple[Edge, ...]] = {}
    waiting = [first]
    while waiting:
        node = waiting.pop()
        if node in out_of:
            continue
        edges: list[Edge] = []
        if node.state not in ends:
            for name, to in open_to[node.state]:
                edges.extend(_edges(node, name, to, marking, windowed))
        out_of[node] = tuple(edges)
        waiting.extend(edge.target for edge in edges)
    into: dict[Node, list[Edge]] = {node: [] for node in out_of}
    for edges_out in out_of.values():
        for edge in edges_out:
            into[edge.target].append(edge)
    order = components(first, lambda node: [edge.target for edge in out_of[node]])
    return Graph(first, order, {node: tuple(edges) for node, edges in into.items()}, out_of)


def _edges(node: Node, name: str, to: str, marking: frozenset[str], windowed: bool) -> list[Edge]:
    marks = node.marks
    new = (marking & {to}) - marks
    if not new or CLOSED in marks:
        return [Edge(node, Node(to, marks), name)]
    if not windowed:
        return [Edge(node, Node(to, marks | new), name)]
    return [Edge(node, Node(to, marks | new), name, "early"), Edge(node, Node(to, marks | {CLOSED}), name, "late")]


def components(start: Node, onward: Callable[[Node], Sequence[Node]]) -> tuple[tuple[Node, ...], ...]:
    """Return the strongly connected sets, each after all that lead to it (Tarjan 1972, without recursion)."""
    index: dict[Node, int] = {start: 0}
    low: dict[Node, int] = {start: 0}
    path, on_path = [start], {start}
    work = [(start, iter(onward(start)))]
    components: list[tuple[Node, ...]] = []
    while work:
        node, children = work[-1]
        child = next(children, None)
        if child is None:
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == index[node]:
                cut = path.index(node)
                components.append(tuple(path[cut:]))
                on_path.difference_update(path[cut:])
                del path[cut:]
        elif child not in index:
            index[child] = low[child] = len(index)
            path.append(child)
            on_path.add(child)
            work.append((child, iter(onward(child))))
        elif child in on_path:
            low[node] = min(low[node], index[child])
    return tuple(reversed(components))
