"""The graph that the exact engine solves: a state together with what has been entered before it.

A node is (state, marks). Marks are the states that groups ask for, once entered; `CLOSED` once the group window is
over. Entries may be told apart by months, too: then a mark says after which of them. Nodes come in order: each strongly
connected set after all that lead to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from math import inf
from typing import NamedTuple

CLOSED = "(window over)"


class Node(NamedTuple):
    state: str
    marks: frozenset[str]


@dataclass(frozen=True)
class Marking:
    """The states that leave a mark when they are first entered.

    window : the month after which entries leave none; cuts : (state, months) that tell its entries apart
    """

    states: frozenset[str] = frozenset()
    window: float = inf
    cuts: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def uncut(self) -> Marking:
        """Return the same states, whose entries leave a mark in any month."""
        return Marking(self.states)

    def marks(self, state: str) -> list[tuple[str, float, float]]:
        """Return the marks that entries into a state leave, each with the months (after, by] of the entry."""
        cuts = dict(self.cuts).get(state, ())
        edges = [0.0, *(cuts or ([self.window] if self.window < inf else [])), inf]
        late = [f"{state}@{month!r}" if cuts else CLOSED for month in edges[1:-1]]
        return [(mark, *months) for mark, months in zip([state, *late], pairwise(edges), strict=True)]


# Of every course of patients a cohort's rows ask.
@lru_cache(maxsize=4096)
def entered(marks: frozenset[str], by: float = inf) -> frozenset[str]:
    """Return the states that marks say were entered by a month: the end of an interval of cuts, or inf."""
    split_marks = (mark.partition("@") for mark in marks - {CLOSED})
    return frozenset(state for state, _, after in split_marks if float(after or 0.0) < by)


@dataclass(frozen=True)
class Edge:
    """A way between nodes by an exit, for those who pass it in the months (after, by], and at month 0 if `after` is."""

    source: Node
    target: Node
    exit: str
    after: float = 0.0
    by: float = inf

    @property
    def is_cut(self) -> bool:
        """Whether not all who pass by the exit pass this edge."""
        return self.after > 0.0 or self.by < inf


@dataclass(frozen=True)
class Graph:
    start: Node
    order: tuple[tuple[Node, ...], ...]
    into: dict[Node, tuple[Edge, ...]]
    out_of: dict[Node, tuple[Edge, ...]]

    @property
    def is_cut(self) -> bool:
        """Whether entries are told apart by months."""
        return any(edge.is_cut for edges in self.out_of.values() for edge in edges)

    @property
    def nodes(self) -> list[Node]:
        return [node for component in self.order for node in component]

    @cached_property
    def has_cycle(self) -> bool:
        """Whether patients may come back to a node."""
        itself = (edge.target == node for node, edges in self.out_of.items() for edge in edges)
        return any(len(component) > 1 for component in self.order) or any(itself)


UNMARKED = Marking()
Ways = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""By state: its exits as (name, to)."""


@lru_cache(maxsize=1024)
def build(
    start: str,
    *,
    marking: Marking = UNMARKED,
    marks: frozenset[str] = frozenset(),
    ends: frozenset[str] = frozenset(),
    ways: Ways,
) -> Graph:
    """Return the nodes that can be reached from `start`, by patients with some `marks`.

    `ends`: states from which nobody goes on; `ways`: the open exits.
    """
    open_to = dict(ways)
    first = Node(start, marks if CLOSED in marks else marks | marking.states & {start})
    out_of: dict[Node, tuple[Edge, ...]] = {}
    waiting = [first]
    while waiting:
        node = waiting.pop()
        if node in out_of:
            continue
        edges: list[Edge] = []
        if node.state not in ends:
            for name, to in open_to[node.state]:
                edges.extend(_edges(node, name, to, marking))
        out_of[node] = tuple(edges)
        waiting.extend(edge.target for edge in edges)
    into: dict[Node, list[Edge]] = {node: [] for node in out_of}
    for edges_out in out_of.values():
        for edge in edges_out:
            into[edge.target].append(edge)
    order = components(first, lambda node: [edge.target for edge in out_of[node]])
    return Graph(first, order, {node: tuple(edges) for node, edges in into.items()}, out_of)


def _edges(node: Node, name: str, to: str, marking: Marking) -> list[Edge]:
    marks = node.marks
    if CLOSED in marks or to not in marking.states - entered(marks):
        return [Edge(node, Node(to, marks), name)]
    return [Edge(node, Node(to, marks | {mark}), name, after, by) for mark, after, by in marking.marks(to)]


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
