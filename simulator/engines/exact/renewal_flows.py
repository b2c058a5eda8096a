"""Flows of a model from renewal equations, mixed over the case mix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulator.arrays import Complex, Floats
from simulator.engines.exact.flows_without_benefit import NoBenefit, streams_without_benefit
from simulator.engines.exact.history_graph import CLOSED, Edge, Graph, Marking, Node
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.readings import come_by, summed_up_to
from simulator.engines.exact.renewal import Kernels, Renewal, renewal
from simulator.engines.model import Model
from simulator.engines.no_benefit import share_without_benefit

Marks = Callable[[frozenset[str]], bool]


@dataclass(frozen=True)
class RenewalFlow:
    """Who comes, as masses a cell, or on the cells' edges.

    masses : returns the atom at month 0, (n_draws or 1,), and masses a cell; edges : all of it; transformed
    """

    masses: Callable[[], tuple[Floats, Complex]]
    edges: Callable[[], Complex]

    def __add__(self, other: RenewalFlow) -> RenewalFlow:
        def masses() -> tuple[Floats, Complex]:
            (atom, stream), (other_atom, other_stream) = self.masses(), other.masses()
            return atom + other_atom, stream + other_stream

        return RenewalFlow(masses, lambda: self.edges() + other.edges())

    def scaled(self, factor: Floats) -> RenewalFlow:
        """Return the flow times a factor, (n_draws or 1,)."""

        def masses() -> tuple[Floats, Complex]:
            atom, stream = self.masses()
            return atom * factor, stream * factor[:, None]

        return RenewalFlow(masses, lambda: self.edges() * factor[:, None])


@dataclass(frozen=True)
class RenewalFlows:
    """The flows of a model: after the default clock, before it (None where it starts at entry), without benefit."""

    after: Renewal
    before: Renewal | None
    no_benefits: Sequence[NoBenefit]
    _streams: dict[tuple[Node, str, bool], tuple[Floats, Complex]] = field(default_factory=dict)

    @property
    def lattice(self) -> Lattice:
        return self.after.lattice

    @property
    def nodes(self) -> list[Node]:
        """Every node after the default clock."""
        added = (node for no_benefit in self.no_benefits for node in (*no_benefit.into, *no_benefit.late))
        return list(dict.fromkeys([*self.after.graph.nodes, *added]))

    @property
    def nodes_without_benefit(self) -> set[Node]:
        """Every node that patients treated without benefit enter."""
        return {node for no_benefit in self.no_benefits for node in (*no_benefit.into, *no_benefit.late)}

    def with_benefit(self) -> RenewalFlows:
        """Return the flows of the other patients."""
        return RenewalFlows(self.after, self.before, ())

    def total(self, nodes: Iterable[Node], which: str, weights: Floats, *, from_entry: bool) -> RenewalFlow:
        """Return who enters nodes, `in`, or that less who leaves, `net`, mixed by weights (n_draws or 1, n_cells).

        from_entry : on the entry clock, where it follows the arrivals at the default clock
        """
        nodes = list(nodes)

        def masses() -> tuple[Floats, Complex]:
            atom, stream = self._sum(nodes, which, False)
            return self._from_entry(atom, stream, weights) if from_entry else _both_mixed(atom, stream, weights)

        def edges() -> Complex:
            _, stream = self._sum(nodes, which, True)
            arrivals = self._arrivals[1] if from_entry and self.before is not None else np.ones((1, 1, 1))
            return np.asarray(_mixed(stream * arrivals, weights))

        return RenewalFlow(masses, edges)

    def before_default(self, states: Iterable[str], which: str, weights: Floats) -> RenewalFlow:
        """Return the same of states between entry and the default clock."""
        before, states = self.before, set(states)
        nodes = [] if before is None else [node for node in before.graph.nodes if node.state in states]

        def masses() -> tuple[Floats, Complex]:
            atom, stream = _nobody()
            for node in nodes:
                assert before is not None
                first = before.staying(node) if which == "net" else before.atoms[node]
                left = before.outflow(node) if which == "net" else 0.0
                atom, stream = atom + first, stream + before.inflow(node) - left
            return _both_mixed(atom, stream, weights)

        def edges() -> Complex:
            stream = _nobody()[1]
            for node in nodes:
                assert before is not None
                stream = stream + before.edges[node] - (before.leaving(node) if which == "net" else 0.0)
            return np.asarray(_mixed(stream, weights))

        return RenewalFlow(masses, edges)

    def joined(self, marks: Marks, weights: Floats) -> RenewalFlow:
        """Return entries into a population less exits, on the default clock: where marks change."""
        first = float(marks(self.after.graph.start.marks))

        def without_benefit() -> tuple[Floats, Complex]:
            atom, stream = _nobody()
            for no_benefit in self.no_benefits:
                for node in no_benefit.into:
                    # Who was of the population before the decision has been counted there.
                    if sign := int(marks(node.marks)) - int(marks(no_benefit.decision.marks)):
                        own_atom, own_stream = self._of_no_benefit(no_benefit, node, "net")
                        atom, stream = atom + sign * own_atom, stream + sign * own_stream
            return atom, stream

        def masses() -> tuple[Floats, Complex]:
            atom, stream = without_benefit()
            atom = atom + first
            for edge, sign in self._crossed(marks):
                own_atom, own_stream = self.after.crossing(edge)
                atom, stream = atom + sign * own_atom, stream + sign * own_stream
            return _both_mixed(atom, stream, weights)

        def edges() -> Complex:
            stream = self.lattice.on_edges(*without_benefit()) + first
            for edge, sign in self._crossed(marks):
                stream = stream + sign * self.after.onward(edge)
            return np.asarray(_mixed(stream, weights))

        return RenewalFlow(masses, edges)

    def cumulative(self, flows: Sequence[RenewalFlow]) -> list[Floats]:
        """Return how many of each flow have come by every lattice point, (n_draws or 1, n + 1)."""
        return [self._cumulative(*flow.masses()) for flow in flows]

    def _cumulative(self, atom: Floats, stream: Complex) -> Floats:
        moved = np.cumsum(self.lattice.stream(stream), axis=-1)
        return np.asarray(atom[:, None] + np.concatenate([np.zeros((len(moved), 1)), moved], axis=-1))

    def between(self, flows: Sequence[RenewalFlow]) -> list[Floats]:
        """Return the mean of that over every cell, (n_draws or 1, n)."""
        return [self.lattice.between(flow.edges()) for flow in flows]

    def at(self, flow: RenewalFlow, months: Sequence[float]) -> Floats:
        """Return how many have come by months, (n_draws or 1, n_months), linear between the lattice's points."""
        (by,) = self.cumulative([flow])
        return come_by(months, by, self.lattice.step)

    def up_to(self, flow: RenewalFlow, months: Sequence[float]) -> Floats:
        """Return the integral of that from 0 to months, (n_draws or 1, n_months)."""
        (by,), (means,) = self.cumulative([flow]), self.between([flow])
        return summed_up_to(months, by, means, self.lattice.step)

    def _crossed(self, marks: Marks) -> Iterator[tuple[Edge, int]]:
        """Yield the edges by which patients join a population, 1, or leave it, -1: where their marks change."""
        for node, edges in self.after.graph.out_of.items():
            for edge in edges:
                if sign := int(marks(edge.target.marks)) - int(marks(node.marks)):
                    yield edge, sign

    def _sum(self, nodes: Iterable[Node], which: str, on_edges: bool) -> tuple[Floats, Complex]:
        atom, stream = _nobody()
        for node in nodes:
            key = (node, which, on_edges)
            if key not in self._streams:
                self._streams[key] = self._on_edges(node, which) if on_edges else self._stream(node, which)
            own_atom, own_stream = self._streams[key]
            atom, stream = atom + own_atom, stream + own_stream
        return atom, stream

    @property
    def _arrivals(self) -> tuple[Floats, Complex, Complex]:
        """Who arrives at the default clock: the atom, all on the cells' edges, and masses a cell."""
        arrival = Node(self.after.model.pathway.clock_state, frozenset())
        if self.before is None or arrival not in self.before.edges:
            atom, stream = _nobody()
            return atom, stream, stream
        return self.before.atoms[arrival], self.before.edges[arrival], self.before.inflow(arrival)

    def _from_entry(self, atom: Floats, stream: Complex, weights: Floats) -> tuple[Floats, Complex]:
        """Return who comes after the default clock, counted from entry, mixed."""
        if self.before is None:
            return _both_mixed(atom, stream, weights)
        first, edges, masses = self._arrivals
        moved = stream * edges
        if atom.any():
            moved = moved + atom[..., None] * masses
        return _both_mixed(atom * first, moved, weights)

    def _on_edges(self, node: Node, which: str) -> tuple[Floats, Complex]:
        """Return a node's stream on the cells' edges after the default clock, without an atom."""
        nobody, stream = _nobody()
        if which == "net" and self.after.is_choice(node):
            return nobody, stream
        if node in self.after.graph.out_of:
            stream = self.after.edges[node]
            if which == "net":
                stream = stream - self.after.leaving(node)
        for no_benefit in self.no_benefits:
            if which == "in" and node in no_benefit.out_of:
                stream = stream + self.lattice.on_edges(*self._of_no_benefit(no_benefit, node, which))
            elif node in no_benefit.means:
                moved = self.lattice.transform(np.diff(no_benefit.means[node], prepend=0.0))
                stream = stream + no_benefit.share[..., None] * self.after.edges[no_benefit.decision] * moved
            if which == "in" and node in no_benefit.late:
                stream = stream + self.lattice.halves * no_benefit.late[node]
        return nobody, stream

    def _stream(self, node: Node, which: str) -> tuple[Floats, Complex]:
        """Return a node's atom and stream after the default clock, no benefit included. A choice keeps nobody."""
        atom, stream = _nobody()
        if which == "net" and self.after.is_choice(node):
            return atom, stream
        if node in self.after.graph.out_of:
            atom, stream = self.after.atoms[node], self.after.inflow(node)
            if which == "net":
                atom, stream = self.after.staying(node), stream - self.after.outflow(node)
        for no_benefit in self.no_benefits:
            if node in no_benefit.into:
                own_atom, own_stream = self._of_no_benefit(no_benefit, node, which)
                atom, stream = atom + own_atom, stream + own_stream
            if which == "in" and node in no_benefit.late:
                stream = stream + no_benefit.late[node]
        return atom, stream

    def _of_no_benefit(self, no_benefit: NoBenefit, node: Node, which: str) -> tuple[Floats, Complex]:
        """Return the atom and stream of patients without benefit at a node."""
        if which == "net" and self.after.is_choice(node):
            return _nobody()
        moved = no_benefit.into[node] - (no_benefit.out_of.get(node, 0.0) if which == "net" else 0.0)
        at_once = (no_benefit.atoms if which == "in" else no_benefit.staying).get(node, np.zeros((1, 1)))
        share = no_benefit.share[..., None]
        stream = share * self.after.edges[no_benefit.decision] * moved
        stream = stream + share * at_once[..., None] * self.after.inflow(no_benefit.decision)
        return no_benefit.share * self.after.atoms[no_benefit.decision] * at_once, stream


def flows(model: Model, lattice: Lattice, after: Graph, before: Graph | None, marking: Marking) -> RenewalFlows:
    """Return the flows of a model on the graphs after the default clock and before it."""
    ready: Kernels = {}
    share, rule = share_without_benefit(model), model.pathway.marginal
    solved = renewal(model, lattice, after, ready, share)
    reached = None if before is None else renewal(model, lattice, before, ready)
    no_benefits = []
    for node in after.nodes:
        if share is not None and rule is not None and node.state == rule.decision:
            at_start = node == after.start
            came = solved.edges[node] if after.is_cut and not at_start and CLOSED not in node.marks else None
            since = marking if at_start else marking.uncut()
            no_benefits.append(streams_without_benefit(model, lattice, node, share, since, came=came))
    return RenewalFlows(solved, reached, no_benefits)


def _nobody() -> tuple[Floats, Complex]:
    return np.zeros((1, 1)), np.zeros((1, 1, 1), dtype=np.complex128)


def _both_mixed(atom: Floats, stream: Complex, weights: Floats) -> tuple[Floats, Complex]:
    return np.asarray(_mixed(atom, weights)), np.asarray(_mixed(stream, weights))


def _mixed(values: Any, weights: Floats) -> Any:
    """Return values (n_draws or 1, n_cells or 1, ...) mixed over the cells by weights (n_draws or 1, n_cells)."""
    if values.shape[1] == 1:
        return values[:, 0] * weights.sum(axis=-1).reshape(-1, *(1,) * (values.ndim - 2))
    if values.ndim == 2:
        return (values * weights).sum(axis=-1)
    # Real and imaginary parts side by side, so that this is a product of real matrices.
    pairs = np.ascontiguousarray(values).view(np.float64)
    return (weights[:, None, :] @ pairs)[:, 0].view(values.dtype)
