"""A solved model: what is read off the streams of patients, mixed over the case mix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np

from simulator.arrays import Complex, Floats
from simulator.engines.curves import split_level, up_to
from simulator.engines.exact.history_graph import Edge, Node
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.no_benefit import NoBenefit
from simulator.engines.exact.renewal import Renewal
from simulator.engines.model import Model

Marks = Callable[[frozenset[str]], bool]

ROUNDING = 1e-7
"""A group that is smaller is empty: the damped transform leaves no more digits of it."""


@dataclass
class Solution:
    """A solved model. `after` starts at the default clock; `before` leads to it, or is None if it starts at entry."""

    model: Model
    lattice: Lattice
    n_months: int
    before: Renewal | None
    after: Renewal
    no_benefits: list[NoBenefit]
    absorption: Floats
    _streams: dict[tuple[Node, str, bool], tuple[Floats, Complex]] = field(default_factory=dict)
    _joins: dict[str, tuple[Floats, Floats]] = field(default_factory=dict)
    _mixes: dict[tuple[Node, str, bool, str, str], tuple[Floats, Complex]] = field(default_factory=dict)

    @property
    def months(self) -> Floats:
        """(n_months,) from 0 to the horizon."""
        return self.lattice.step * np.arange(self.n_months, dtype=np.float64)

    @cached_property
    def weights(self) -> Floats:
        """The case mix of who reaches the default clock, (n_draws or 1, n_cells)."""
        reached = self.model.weights * self.absorption
        total = reached.sum(axis=-1, keepdims=True)
        return np.asarray(np.divide(reached, total, out=np.zeros_like(reached), where=total > 0))

    def of_a_cohort(self) -> Solution:
        """Return the same, in which the scenario's case mix is that of the patients who reach the default clock."""
        model, reported = self.model, self.model.scenario.population
        places = [place for place, name in enumerate(model.attributes) if name in reported]
        kinds = [tuple(cell[place] for place in places) for cell in model.cells]
        shape = np.broadcast_shapes(self.absorption.shape, (1, len(kinds)))
        absorption = np.array(np.broadcast_to(self.absorption, shape))
        for kind in set(kinds):
            alike = np.array([other == kind for other in kinds])
            reached = (model.weights * self.absorption)[..., alike].sum(axis=-1, keepdims=True)
            share = reached / max(model.weights[alike].sum(), np.finfo(float).tiny)
            absorption[..., alike] = np.divide(
                absorption[..., alike], share, out=absorption[..., alike], where=share > 0
            )
        return replace(self, absorption=absorption, _joins={}, _mixes={})

    def entered(self, states: Iterable[str], population: str = "all", clock: str | None = None) -> Floats:
        """Return how many of all patients on the clock have entered `states` by each month and are of `population`.

        (n_draws, n_months); a state entered again counts again. Divide by `size` for the population's own share.
        """
        return self._cumulative(states, population, clock, "in")

    def came(self, nodes: Iterable[Node], cells: Floats, clock: str) -> tuple[Floats, Floats]:
        """Return who enters nodes after the default clock, mixed by `cells`, (n_draws or 1, n_cells).

        By every lattice point, (n_draws or 1, n + 1), and as means over the lattice's cells, (n_draws or 1, n).
        """
        parts = [
            [self._mix(*self._after_default(node, "in", e), e, clock, cells) for node in nodes] for e in (False, True)
        ]
        return self._by_point(*map(_summed, parts))

    def came_before(self, state: str, cells: Floats) -> tuple[Floats, Floats]:
        """Return the same of who enters a state between entry and the default clock, or starts that clock."""
        node, before = Node(state, frozenset()), self.before
        if before is None or node not in before.edges:
            return self._by_point(_summed([]), _summed([]))
        edges = np.zeros(1), _mixed(before.edges[node], cells)
        return self._by_point((_mixed(before.atoms[node], cells), _mixed(before.inflow(node), cells)), edges)

    def _by_point(self, masses: tuple[Floats, Complex], edges: tuple[Floats, Complex]) -> tuple[Floats, Floats]:
        atom, stream = masses[0], self.lattice.stream(masses[1] + 0.0 * self.lattice.z)
        atom = np.broadcast_to(atom, len(stream))[:, None]
        return np.cumsum(np.concatenate([atom, stream], axis=-1), axis=-1), self.lattice.between(edges[1])

    def alone(self, cell: int) -> Solution:
        """Return the same to the end of the lattice, if every patient who starts the default clock is of one cell."""
        weights = np.eye(len(self.model.cells))[cell]
        model, n_months = replace(self.model, weights=weights), self.lattice.n + 1
        return replace(self, model=model, n_months=n_months, absorption=np.ones((1, 1)), _joins={}, _mixes={})

    def with_benefit(self) -> Solution:
        """Return the same without the patients who are treated without benefit."""
        return replace(self, no_benefits=[], _streams={}, _joins={}, _mixes={})

    def months_in(self, states: Iterable[str], month: float) -> Floats:
        """Return the months spent in `states` up to a month after the default clock's start, (n_draws,)."""
        return up_to(self.between(states, "all", None, "net"), self.lattice.step, month)

    def between(self, states: Iterable[str], population: str, clock: str | None, which: str) -> Floats:
        """Return the mean over each cell of patients present, `net`, or arrived, `in`, (n_draws, n_months - 1)."""
        _, stream = self._moves(states, population, clock, which, True)
        means = self.lattice.between(stream)[:, : self.n_months - 1]
        return np.broadcast_to(means, (self.model.n_draws, self.n_months - 1))

    def mean_survival(self, population: str = "all", clock: str | None = None) -> Floats:
        """Return the mean of S(t) over each cell, (n_draws, n_months - 1); NaN where the population is empty."""
        return self._alive(self.between(self.model.pathway.deaths, population, clock, "in"), population, clock)

    def occupied(self, state: str, clock: str | None = None) -> Floats:
        """Return the probability of being in a state, (n_draws, n_months)."""
        if self.model.pathway.states[state].is_absorbing:
            return self._cumulative([state], "all", clock, "in")
        return np.clip(self._cumulative([state], "all", clock, "net"), 0.0, 1.0)

    def size(self, population: str, clock: str | None = None) -> Floats:
        """Return the share of a clock's patients in a population, (n_draws,)."""
        if population == "all" and clock not in (None, self.model.pathway.clock):
            return np.ones(self.model.n_draws)
        if population == "all":
            return self._draws((self.weights.sum(axis=-1) > 0.0).astype(np.float64))
        if population not in self.model.pathway.groups:
            return self._draws(self._cells(population, clock).sum(axis=-1))
        atom, masses = self._joining(population)
        return np.clip(self._draws(atom + masses.sum(axis=-1)), 0.0, 1.0)

    def size_by_month(self, population: str) -> Floats:
        """Return the share of the default clock's patients in a population so far, (n_draws, n_months)."""
        if population not in self.model.pathway.groups:
            return np.broadcast_to(self.size(population)[:, None], (self.model.n_draws, self.n_months))
        atom, masses = self._joining(population)
        # The window closes a group: later it stays as it is.
        summed = np.cumsum(np.concatenate([atom[:, None], masses], axis=-1), axis=-1)
        months = np.minimum(np.arange(self.n_months), summed.shape[-1] - 1)
        return np.broadcast_to(np.clip(summed[:, months], 0.0, 1.0), (self.model.n_draws, self.n_months))

    def mean_size(self, population: str) -> Floats:
        """Return the mean over each cell of the share in a population so far, (n_draws, n_months - 1)."""
        shape = (self.model.n_draws, self.n_months - 1)
        if population not in self.model.pathway.groups:
            return np.broadcast_to(self.size(population)[:, None], shape)
        marks = self._marks(population)
        stream: Complex = np.full((1, 1, 1), complex(marks(self.after.graph.start.marks)))
        for edge, sign in self._crossed(marks):
            stream = stream + sign * self.after.onward(edge)
        means = self.lattice.between(
            _mixed(stream, self.weights) + self.lattice.on_edges(*self._total_without_benefit(marks))
        )
        return np.broadcast_to(np.clip(means[:, : self.n_months - 1], 0.0, 1.0), shape)

    def _crossed(self, marks: Marks) -> Iterator[tuple[Edge, int]]:
        """Yield the edges by which patients join a population, 1, or leave it, -1: where their marks change."""
        for node, edges in self.after.graph.out_of.items():
            for edge in edges:
                if sign := int(marks(edge.target.marks)) - int(marks(node.marks)):
                    yield edge, sign

    def _joining(self, population: str) -> tuple[Floats, Floats]:
        """Return a population's share at month 0, (n_draws or 1,), and, by cell,
        those who join less those who leave."""
        if population in self._joins:
            return self._joins[population]
        marks, at = self._marks(population), round(self.model.pathway.group_window / self.lattice.step)
        start = self.after.graph.start
        atom = np.full((1, 1), float(marks(start.marks)))
        stream: Complex = np.zeros((1, 1, 1), dtype=np.complex128)
        for edge, sign in self._crossed(marks):
            own_atom, own_stream = self.after.crossing(edge)
            atom, stream = atom + sign * own_atom, stream + sign * own_stream
        without_benefit, moved = self._total_without_benefit(marks)
        masses = self.lattice.stream(_mixed(stream, self.weights) + moved + 0.0 * self.lattice.z)
        at_once = np.broadcast_to(_mixed(atom, self.weights) + without_benefit, masses.shape[:1])
        self._joins[population] = at_once, masses[..., :at]
        return self._joins[population]

    def _total_without_benefit(self, marks: Marks) -> tuple[Floats, Complex]:
        """Return a population's patients without benefit, as an atom (n_draws or 1,) and a stream, mixed."""
        atom: Floats = np.zeros((1, 1))
        stream: Complex = np.zeros((1, 1, 1), dtype=np.complex128)
        for no_benefit in self.no_benefits:
            for node in no_benefit.into:
                # Who was of the population before the decision has been counted there.
                sign = int(marks(node.marks)) - int(marks(no_benefit.decision.marks))
                if sign:
                    own_atom, own_stream = self._of_no_benefit(no_benefit, node, "net")
                    atom, stream = atom + sign * own_atom, stream + sign * own_stream
        return _mixed(atom, self.weights), _mixed(stream, self.weights)

    def survival(self, population: str = "all", clock: str | None = None) -> Floats:
        """Return S(t) = P(T > t) of a population, (n_draws, n_months); NaN where it is empty."""
        return self._alive(self.entered(self.model.pathway.deaths, population, clock), population, clock)

    def _alive(self, dead: Floats, population: str, clock: str | None) -> Floats:
        size = self.size(population, clock)[:, None]
        empty = ROUNDING if population in self.model.pathway.groups else 0.0
        with np.errstate(invalid="ignore", divide="ignore"):
            alive = np.where(size > empty, 1.0 - dead / size, np.nan)
        return np.clip(np.minimum.accumulate(alive, axis=-1), 0.0, 1.0)

    def _draws(self, values: Floats) -> Floats:
        return np.broadcast_to(values, (self.model.n_draws,)).copy()

    def _cells(self, population: str, clock: str | None = None) -> Floats:
        """Return the weights of a population's cells, (n_draws or 1, n_cells).

        On the default clock, among those who reach it; on the entry clock everybody counts.
        """
        on_default = clock in (None, self.model.pathway.clock)
        weights = self.weights if on_default else np.atleast_2d(self.model.weights)
        if population == "all":
            return weights
        attribute, level = split_level(self.model.pathway, population)
        if attribute not in self.model.attributes:
            return weights * self.model.mix[attribute].get(level, 0.0)
        return weights * self.model.in_level(attribute, level)

    def _marks(self, population: str) -> Marks:
        group = self.model.pathway.groups.get(population)
        if group is None:
            return lambda marks: True
        wanted, unwanted = set(group.entered), set(group.not_entered)
        return lambda marks: bool(marks & wanted) and not marks & unwanted

    @cached_property
    def nodes(self) -> list[Node]:
        added = [
            node for no_benefit in self.no_benefits for node in no_benefit.into if node not in self.after.graph.out_of
        ]
        return [*self.after.graph.nodes, *dict.fromkeys(added)]

    def _total(self, nodes: Iterable[Node], which: str, on_edges: bool, clock: str, who: str) -> tuple[Floats, Complex]:
        """Return the sum over nodes of atoms (n_draws or 1,) and streams (n_draws or 1, n), mixed over the cells.

        `which` : entries, `in`, or entries less exits, `net`. `who` : "all", or a level of an attribute.
        `on_edges` : on the cells' edges, the atoms among them, instead of masses a cell.
        """
        atom: Floats = np.zeros(1)
        stream: Complex = np.zeros((1, 1), dtype=np.complex128)
        for node in nodes:
            key = (node, which, on_edges, clock, who)
            if key not in self._mixes:
                at_node = self._after_default(node, which, on_edges)
                self._mixes[key] = self._mix(*at_node, on_edges, clock, self._cells(who, clock))
            own_atom, own_stream = self._mixes[key]
            atom, stream = atom + own_atom, stream + own_stream
        return atom, stream

    def _mix(self, atom: Floats, stream: Complex, on_edges: bool, clock: str, cells: Floats) -> tuple[Floats, Complex]:
        """Return what follows the default clock, mixed; on the entry clock it follows the arrivals there."""
        if clock == self.model.pathway.clock or self.before is None:
            return _mixed(atom, cells), _mixed(stream, cells)
        arrival = Node(self.model.pathway.clock_state, frozenset())
        if arrival not in self.before.edges:
            return np.zeros(1), np.zeros((1, 1), dtype=np.complex128)
        if on_edges or not atom.any():
            return np.zeros(1), _mixed(stream * self.before.edges[arrival], cells)
        moved = atom[..., None] * self.before.inflow(arrival) + stream * self.before.edges[arrival]
        return _mixed(atom * self.before.atoms[arrival], cells), _mixed(moved, cells)

    def _after_default(self, node: Node, which: str, on_edges: bool) -> tuple[Floats, Complex]:
        key = (node, which, on_edges)
        if key not in self._streams:
            self._streams[key] = self._on_edges(node, which) if on_edges else self._stream(node, which)
        return self._streams[key]

    def _on_edges(self, node: Node, which: str) -> tuple[Floats, Complex]:
        """Return a node's stream on the cells' edges after the default clock, without an atom."""
        stream: Complex = np.zeros((1, 1, 1), dtype=np.complex128)
        if which == "net" and self.after.is_choice(node):
            return np.zeros((1, 1)), stream
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
        return np.zeros((1, 1)), stream

    def _stream(self, node: Node, which: str) -> tuple[Floats, Complex]:
        """Return a node's atom and stream after the default clock, no benefit included. A choice keeps nobody."""
        atom, stream = np.zeros((1, 1)), np.zeros((1, 1, 1), dtype=np.complex128)
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
        return atom, stream

    def _of_no_benefit(self, no_benefit: NoBenefit, node: Node, which: str) -> tuple[Floats, Complex]:
        """Return the atom and stream of patients without benefit at a node."""
        if which == "net" and self.after.is_choice(node):
            return np.zeros((1, 1)), np.zeros((1, 1, 1), dtype=np.complex128)
        moved = no_benefit.into[node] - (no_benefit.out_of.get(node, 0.0) if which == "net" else 0.0)
        at_once = (no_benefit.atoms if which == "in" else no_benefit.staying).get(node, np.zeros((1, 1)))
        share = no_benefit.share[..., None]
        stream = share * self.after.edges[no_benefit.decision] * moved
        stream = stream + share * at_once[..., None] * self.after.inflow(no_benefit.decision)
        return no_benefit.share * self.after.atoms[no_benefit.decision] * at_once, stream

    def _cumulative(self, states: Iterable[str], population: str, clock: str | None, which: str) -> Floats:
        atom, stream = self._moves(states, population, clock, which, False)
        masses = self.lattice.stream(stream + 0.0 * self.lattice.z)[:, : self.n_months - 1]
        summed = np.zeros((len(masses), self.n_months))
        np.cumsum(masses, axis=-1, out=summed[:, 1:])
        summed = summed + atom[:, None]
        return np.broadcast_to(summed, (self.model.n_draws, self.n_months))

    def _moves(
        self, states: Iterable[str], population: str, clock: str | None, which: str, on_edges: bool
    ) -> tuple[Floats, Complex]:
        """Return the atom (n_draws or 1,) and stream (n_draws or 1, n) of a population into states; see `_total`."""
        clock, states, marks = clock or self.model.pathway.clock, set(states), self._marks(population)
        in_group = population in self.model.pathway.groups
        nodes = [node for node in self.nodes if node.state in states and marks(node.marks)]
        atom, stream = self._total(nodes, which, on_edges, clock, "all" if in_group else population)
        if clock != self.model.pathway.clock and in_group:
            reached = (self.model.weights * self.absorption).sum(axis=-1, keepdims=True)
            reached = np.where(reached > 0.0, reached, 1.0)
            atom, stream = atom / reached[..., 0], stream / reached
        elif clock != self.model.pathway.clock and self.before is not None:
            atom, stream = self._with_before(states, population, which, on_edges, atom, stream)
        return atom, stream

    def _with_before(
        self, states: set[str], population: str, which: str, on_edges: bool, atom: Floats, stream: Complex
    ) -> tuple[Floats, Complex]:
        """Add what happens between entry and the default clock."""
        assert self.before is not None
        cells = np.atleast_2d(self._cells(population, list(self.model.pathway.clocks)[1]))
        for node in self.before.graph.nodes:
            if node.state in states and node.state != self.model.pathway.clock_state:
                came, left = (
                    (self.before.edges[node], self.before.leaving)
                    if on_edges
                    else (self.before.inflow(node), self.before.outflow)
                )
                stream = stream + _mixed(came - left(node) if which == "net" else came, cells)
                if not on_edges:
                    first = self.before.staying(node) if which == "net" else self.before.atoms[node]
                    atom = atom + _mixed(first, cells)
        return atom, stream


def _summed(flows: Sequence[tuple[Floats, Complex]]) -> tuple[Floats, Complex]:
    """Return the sum of atoms, (n_draws or 1,), and of streams, (n_draws or 1, n)."""
    nobody = np.zeros(1), np.zeros((1, 1), dtype=np.complex128)
    return reduce(lambda total, flow: (total[0] + flow[0], total[1] + flow[1]), flows, nobody)


def _mixed(values: Any, weights: Floats) -> Any:
    """Return values (n_draws or 1, n_cells or 1, ...) mixed over the cells by weights (n_draws or 1, n_cells)."""
    if values.shape[1] == 1:
        return values[:, 0] * weights.sum(axis=-1).reshape(-1, *(1,) * (values.ndim - 2))
    if values.ndim == 2:
        return (values * weights).sum(axis=-1)
    # Real and imaginary parts side by side, so that this is a product of real matrices.
    pairs = np.ascontiguousarray(values).view(np.float64)
    return (weights[:, None, :] @ pairs)[:, 0].view(values.dtype)
