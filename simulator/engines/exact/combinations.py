"""How many patients go along each path: the coefficients of path curves at every node of a graph without cycles.

entries into a node = sum_p c_p P_p,   c_p the product of shares on the path, in the cells of the case mix that go it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from simulator.arrays import Booleans, Floats
from simulator.engines.exact.history_graph import Edge, Graph, Node
from simulator.engines.exact.paths import Cut, Paths, Sum, Through
from simulator.engines.exits import Exit
from simulator.engines.model import Model

Combination = dict[int, Floats]
"""Path -> the share of patients who go along it, (n_draws or 1, n_cells or 1)."""


@dataclass(frozen=True)
class Way:
    """An exit of a sojourn in some cells of the case mix: its law, its place in it, and the share who take it.

    cells : (n_cells,) those in which times are alike; None for all
    """

    cells: Booleans | None
    law: int
    exit: int
    share: Floats | None


@dataclass(frozen=True)
class Combinations:
    """A model's combinations of path curves.

    without_benefit : the share treated without benefit at the decision; merging : the paths into a node become one in
    each cell of the case mix, so that there are as many as states
    """

    model: Model
    graph: Graph
    paths: Paths
    start: Combination
    without_benefit: Floats | None = None
    merging: bool = False
    entered: dict[Node, Combination] = field(default_factory=dict)
    passed: dict[Edge, Combination] = field(default_factory=dict)
    _left: dict[tuple[Node, str], Combination] = field(default_factory=dict)

    def solve(self) -> Combinations:
        """Find who enters every node, and passes every edge. Raises TooManyPaths."""
        self.entered.update({node: {} for node in self.graph.nodes})
        self.entered[self.graph.start] = dict(self.start)
        for node in self.graph.nodes:
            if self.merging:
                self.entered[node] = merged(self.entered[node], self.paths)
            for edge in self.graph.out_of[node]:
                self.passed[edge] = self._cut(edge, self.left(node, edge.exit))
                add(self.entered[edge.target], self.passed[edge])
            self.paths.check_number()
        return self

    def left(self, node: Node, exit: str) -> Combination:
        """Return who leaves a node by an exit."""
        if (node, exit) not in self._left:
            self._left[node, exit] = self._leaving(node, exit)
        return self._left[node, exit]

    def _leaving(self, node: Node, exit: str) -> Combination:
        came = self.entered[node]
        if node.state in self.model.timeless:
            share = self.share(node.state, exit)
            return {path: share * coefficient for path, coefficient in came.items()}
        gone: Combination = {}
        for way in self.ways(node.state, exit):
            for path, coefficient in came.items():
                share = coefficient if way.share is None else coefficient * way.share
                share = share if way.cells is None else share * way.cells
                if share.any():
                    add(gone, {self.paths.place(Through(path, way.law, way.exit)): share})
        return gone

    def staying(self, node: Node) -> Combination:
        """Return entries into a node less exits; none of a choice."""
        if node.state in self.model.timeless:
            return {}
        there = dict(self.entered[node])
        for exit in dict.fromkeys(edge.exit for edge in self.graph.out_of[node]):
            add(there, self.left(node, exit), -1.0)
        return there

    def _cut(self, edge: Edge, passing: Combination) -> Combination:
        """Return the part of who passes by an edge's exit in its months."""
        for months, late in ((edge.after, True), (edge.by, False)):
            if 0.0 < months < np.inf:
                passing = {self.paths.place(Cut(path, months, late)): share for path, share in passing.items()}
        return passing

    def share(self, state: str, exit: str) -> Floats:
        """Return the probability of a branch, of patients with benefit, (n_draws or 1, n_cells or 1)."""
        if state in self.model.instant:
            return np.ones((1, 1))
        probability = next(way.probability for way in self.model.exits[state] if way.name == exit)
        assert probability is not None
        rule = self.model.pathway.marginal
        if self.without_benefit is None or rule is None or (state, exit) != (rule.decision, rule.branch):
            return np.atleast_2d(probability)
        return np.atleast_2d(probability) - self.without_benefit

    def ways(self, state: str, exit: str) -> list[Way]:
        """Return the ways of an exit, one for every set of cells in which the state's times are alike."""
        exits = self.model.exits[state]
        number, way = next((number, way) for number, way in enumerate(exits) if way.name == exit)
        share = None if way.probability is None else np.atleast_2d(way.probability)
        return [Way(cells, *laws[number], share) for cells, laws in laws_of(exits, self.paths)]


def laws_of(exits: tuple[Exit, ...], paths: Paths) -> list[tuple[Booleans | None, list[tuple[int, int]]]]:
    """Return the sets of cells in which times are alike, with each exit's law there and its place in it.

    The exits are of one sojourn: competing, or each with a probability.
    """
    competing = exits[0].probability is None

    def make() -> tuple[object, list[tuple[Booleans | None, list[tuple[int, int]]]]]:
        laws = []
        for cells, of_cell in cells_alike([replace(exit, probability=None) for exit in exits]):
            one = [(paths.law(of_cell), place) for place in range(len(exits))] if competing else []
            laws.append((cells, one or [(paths.law([exit]), 0) for exit in of_cell]))
        return exits, laws

    # Whatever the shares, those of a policy or of a draw, times may be the very same; they are kept with their ids.
    _, laws = paths.once(("laws", competing, *(id(exit.time) for exit in exits)), make)
    return laws


def cells_alike(exits: Sequence[Exit]) -> list[tuple[Booleans | None, list[Exit]]]:
    """Return the sets of cells of the case mix in which all times and shares are alike, with the exits of each."""
    different: list[Floats] = []
    for exit in exits:
        different += [] if exit.time is None else exit.time.by_cell()
        share = np.asarray(exit.probability)
        different += [share] if share.ndim and share.shape[-1] > 1 else []
    if not different:
        return [(None, list(exits))]
    table = np.concatenate([np.reshape(values, (-1, values.shape[-1])) for values in different])
    alike: dict[bytes, list[int]] = {}
    for cell, of_cell in enumerate(table.T):
        alike.setdefault(of_cell.tobytes(), []).append(cell)
    if len(alike) == 1:
        return [(None, [_of_cell(exit, 0) for exit in exits])]
    return [
        (np.isin(np.arange(table.shape[1]), cells), [_of_cell(exit, cells[0]) for exit in exits])
        for cells in alike.values()
    ]


def _of_cell(exit: Exit, cell: int) -> Exit:
    share = exit.probability if exit.probability is None else np.atleast_2d(exit.probability)
    share = share[:, cell : cell + 1] if share is not None and share.shape[1] > 1 else share
    return replace(exit, time=None if exit.time is None else exit.time.column(cell), probability=share)


def add(to: Combination, more: Mapping[int, Floats], sign: float = 1.0) -> None:
    """Add a combination to another in place."""
    for path, coefficient in more.items():
        to[path] = to[path] + sign * coefficient if path in to else sign * coefficient


def merged(combination: Combination, paths: Paths) -> Combination:
    """Return a combination as sums of paths, one for all cells of the case mix that go along them alike."""
    n_cells = max((share.shape[1] for share in combination.values()), default=1)
    sums: Combination = {}
    for cell in range(n_cells):
        shares = {path: share[:, cell if share.shape[1] > 1 else 0] for path, share in combination.items()}
        some = {path: share for path, share in shares.items() if share.any()}
        if some:
            place = paths.place(Sum(tuple(some), tuple(share.tobytes() for share in some.values())))
            add(sums, {place: np.arange(n_cells)[None, :] == cell})
    return {place: cells.astype(np.float64) for place, cells in sums.items()}


def mixed(combination: Mapping[int, Floats], weights: Floats) -> dict[int, Floats]:
    """Return path -> its coefficient over the case mix, (n_draws or 1,). weights : (n_draws or 1, n_cells)"""
    return {path: (coefficient * weights).sum(axis=-1) for path, coefficient in combination.items()}
