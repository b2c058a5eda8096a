"""Entries into every state, where patients come back: renewal equations on a lattice, mixed over the case mix.

    e_j = a_j + sum_i e_i * q_ij      entries into j; q_ij the kernel of leaving i for j; * convolution

(Cinlar 1969; Howard 1971, semi-Markov processes). In the transform, convolution is a product, a choice a share, and a
cycle a linear system a frequency. Cumulative entries use the exact kernel; only entries that go on are put on the
cells' edges, with their mean time kept, so the error falls with the square of the step. A fixed sojourn shifts masses a
cell as they are: on the edges, half a cell would seem to leave at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simulator.arrays import Complex, Floats
from simulator.engines.exact import elimination
from simulator.engines.exact.history_graph import Edge, Graph, Node
from simulator.engines.exact.kernels import kernels
from simulator.engines.exact.lattice import Lattice, Passage
from simulator.engines.model import Model

NOBODY = 1e-18
"""A share of patients that is followed no further within one instant."""

Kernels = dict[str, dict[str, Passage]]
"""By state and exit."""


@dataclass
class Renewal:
    """The renewal equations of one graph. Transforms have the shape (n_draws or 1, n_cells or 1, n_frequencies).

    `without_benefit`: the share treated without benefit at the marginal decision.
    """

    model: Model
    graph: Graph
    lattice: Lattice
    kernels: Kernels
    without_benefit: Floats | None = None
    atoms: dict[Node, Floats] = field(default_factory=dict)
    edges: dict[Node, Complex] = field(default_factory=dict)
    inflows: dict[Node, Complex] = field(default_factory=dict)
    shares: dict[Edge, Floats] = field(default_factory=dict)

    def solve(self) -> Renewal:
        """Find every node's atom at month 0 and the entries that go on, component by component."""
        self._put_atoms()
        for component in self.graph.order:
            inside = set(component)
            outer = {node: self._arriving(node, inside) for node in component}
            inner = {e: self._through(e) for node in component for e in self.graph.into[node] if e.source in inside}
            self.edges |= self._cycle(inner, outer) if inner else outer
        return self

    def _put_atoms(self) -> None:
        """Find who enters each node at month 0: the start, and what follows it at once."""
        self.atoms = {node: np.zeros((1, 1)) for node in self.graph.nodes}
        moving = {self.graph.start: np.ones((1, 1))}
        while moving:
            onward: dict[Node, Floats] = {}
            for node, mass in moving.items():
                self.atoms[node] = self.atoms[node] + mass
                for edge in self.graph.out_of[node]:
                    moved = self._at_once(edge) * mass
                    if edge.after == 0.0 and np.any(moved > NOBODY):
                        onward[edge.target] = onward.get(edge.target, 0.0) + moved
            moving = onward

    def _at_once(self, edge: Edge) -> Floats:
        """Return the share who pass an edge before any time passes, (n_draws or 1, n_cells or 1)."""
        return self.share(edge) if self.is_choice(edge.source) else self.kernels[edge.source.state][edge.exit].now

    def staying(self, node: Node) -> Floats:
        """Return the share in a node at month 0, after what happens at once, (n_draws or 1, n_cells or 1)."""
        if self.is_choice(node):
            return np.zeros((1, 1))
        left = sum((self._at_once(edge) for edge in self.graph.out_of[node] if edge.after == 0.0), np.zeros((1, 1)))
        return self.atoms[node] * (1.0 - left)

    def _arriving(self, node: Node, inside: set[Node]) -> Complex:
        """Return the entries into a node from outside its component, on the cells' edges."""
        total: Complex | None = None
        if node == self.graph.start:
            total = np.ones((1, 1, 1), dtype=np.complex128)
        for edge in self.graph.into[node]:
            if edge.source not in inside:
                moved = self.onward(edge)
                total = moved if total is None else total + moved
        return np.zeros((1, 1, 1), dtype=np.complex128) if total is None else total

    def is_choice(self, node: Node) -> bool:
        """Return whether no time passes at a node."""
        return node.state in self.model.timeless

    def share(self, edge: Edge) -> Floats:
        """Return a branch's probability, (n_draws or 1, n_cells or 1)."""
        if edge not in self.shares:
            self.shares[edge] = self._share(edge)
        return self.shares[edge]

    def _share(self, edge: Edge) -> Floats:
        if edge.source.state in self.model.instant:
            return np.ones((1, 1))
        probability = next(e.probability for e in self.model.exits[edge.source.state] if e.name == edge.exit)
        assert probability is not None
        share = np.atleast_2d(probability)
        marginal = self.model.pathway.marginal
        if self.without_benefit is None or marginal is None:
            return share
        if (edge.source.state, edge.exit) != (marginal.decision, marginal.branch):
            return share
        return share - self.without_benefit

    def _through(self, edge: Edge) -> Complex | Floats:
        """Return what an edge multiplies entries on the cells' edges by."""
        if self.is_choice(edge.source):
            return self.share(edge)[..., None]
        return self.kernels[edge.source.state][edge.exit].edges

    def onward(self, edge: Edge) -> Complex:
        """Return who passes a graph's edge in its months, on the cells' edges."""
        moved = self._through(edge) * self.edges[edge.source]
        if not edge.is_cut:
            return moved
        atom, masses = self._passing(edge)
        if edge.after > 0.0:
            _, moved = self.lattice.split_edges(moved, atom, masses, edge.after)
            atom, masses = 0.0 * atom, self.lattice.split(masses, edge.after)[1]
        return moved if np.isinf(edge.by) else self.lattice.split_edges(moved, atom, masses, edge.by)[0]

    def _cycle(self, parts: Mapping[Edge, Complex | Floats], outer: Mapping[Node, Complex]) -> dict[Node, Complex]:
        """Solve e = b + M e, a system a frequency."""
        factors: dict[tuple[Node, Node], Complex | Floats] = {}
        for edge, part in parts.items():
            way = edge.source, edge.target
            factors[way] = factors[way] + part if way in factors else part
        return elimination.solve(factors, outer, self.lattice.z.size)

    def inflow(self, node: Node) -> Complex:
        """Return the transform of who enters a node, as masses a cell, without the atom at month 0."""
        if node not in self.inflows:
            component = next(nodes for nodes in self.graph.order if node in nodes)
            self.inflows |= self._inflows(component)
        return self.inflows[node]

    def crossing(self, edge: Edge) -> tuple[Floats, Complex]:
        """Return who passes an edge: at month 0, and as masses a cell."""
        atom, masses = self._passing(edge)
        if edge.after > 0.0:
            atom, masses = 0.0 * atom, self.lattice.split(masses, edge.after)[1]
        return atom, masses if np.isinf(edge.by) else self.lattice.split(masses, edge.by)[0]

    def _passing(self, edge: Edge) -> tuple[Floats, Complex]:
        """Return who passes by an edge's exit in any month: at month 0, and as masses a cell."""
        if self.is_choice(edge.source):
            share = self.share(edge)
            return share * self.atoms[edge.source], share[..., None] * self.inflow(edge.source)
        moved = self._at_first(edge.source, edge.exit)
        kernel = self.kernels[edge.source.state][edge.exit]
        moved = moved if kernel.shifted is None else moved + kernel.shifted * self.inflow(edge.source)
        return kernel.now * self.atoms[edge.source], moved

    def _at_first(self, node: Node, name: str) -> Complex:
        """Return who leaves a sojourn by an exit, as masses a cell, but for a fixed time after entries past month 0."""
        passage = self.kernels[node.state][name]
        moved = passage.masses * self.edges[node]
        if passage.at is None or not self.atoms[node].any():
            return moved
        return moved + passage.at * self.atoms[node][..., None]

    def _inflows(self, component: tuple[Node, ...]) -> dict[Node, Complex]:
        """Return who enters the nodes of a component: what choices and fixed sojourns pass on in it is solved for."""
        inside = set(component)
        parts: dict[Edge, Complex | Floats] = {}
        outer: dict[Node, Complex] = {}
        for node in component:
            total: Complex = np.zeros((1, 1, 1), dtype=np.complex128)
            for edge in self.graph.into[node]:
                if edge.source not in inside:
                    total = total + self.crossing(edge)[1]
                elif self.is_choice(edge.source):
                    parts[edge] = self.share(edge)[..., None]
                else:
                    total = total + self._at_first(edge.source, edge.exit)
                    shifted = self.kernels[edge.source.state][edge.exit].shifted
                    parts |= {} if shifted is None else {edge: shifted}
            outer[node] = total
        return self._cycle(parts, outer) if parts else outer

    def leaving(self, node: Node) -> Complex:
        """Return the transform of who leaves a node, on the cells' edges."""
        if self.is_choice(node):
            return self.edges[node]
        kernels = self.kernels.get(node.state, {}) if self.graph.out_of[node] else {}
        left = sum((kernel.edges for kernel in kernels.values()), np.zeros((1, 1, 1), dtype=np.complex128))
        return np.asarray(left * self.edges[node])

    def outflow(self, node: Node) -> Complex:
        """Return the transform of who leaves a sojourn, as masses a cell, without who does so at month 0."""
        total: Complex = np.zeros((1, 1, 1), dtype=np.complex128)
        if not self.graph.out_of[node]:
            return total
        for name, passage in self.kernels.get(node.state, {}).items():
            total = total + self._at_first(node, name)
            total = total if passage.shifted is None else total + passage.shifted * self.inflow(node)
        return total


def transforms(model: Model, lattice: Lattice, states: list[str], ready: Kernels) -> None:
    """Add the kernels of sojourns to those that are ready; states whose exits are declared alike share theirs."""
    alike: dict[tuple[str, ...], list[Passage]] = {}
    for name in states:
        exits = model.exits[name]
        if exits and exits[0].time is not None and name not in model.instant:
            declared = tuple(exit.declaration for exit in exits)
            if declared not in alike:
                alike[declared] = [lattice.kernel(kernel) for kernel in kernels(exits, lattice.step, lattice.n)]
            ready[name] = {exit.name: part for exit, part in zip(exits, alike[declared], strict=True)}


def renewal(
    model: Model, lattice: Lattice, graph: Graph, ready: Kernels, without_benefit: Floats | None = None
) -> Renewal:
    """Return the solved renewal equations of a graph; kernels in `ready` are used and added to."""
    needed = [name for name in dict.fromkeys(node.state for node in graph.nodes) if name not in ready]
    transforms(model, lattice, needed, ready)
    return Renewal(model, graph, lattice, ready, without_benefit).solve()
