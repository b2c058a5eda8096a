"""The exact engine: one model's curves from renewal equations, without Monte Carlo noise.

Time before the default clock and after it are solved apart; on the entry clock the second follows the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulator.curves import Curves, check_horizon, populations, split_level
from simulator.engines import flows
from simulator.engines.doom import Doom, doom, doomed_share
from simulator.engines.flows import CLOSED, DECIDED, Node
from simulator.engines.kernels import competing
from simulator.engines.lattice import Lattice, choose_step
from simulator.engines.renewal import Kernels, Renewal, renewal
from simulator.errors import InputError
from simulator.model import Model, resolve

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
Marks = Callable[[frozenset[str]], bool]


@dataclass
class Solution:
    """A solved model. `after` starts at the default clock; `before` leads to it, or is None if it starts at entry."""

    model: Model
    lattice: Lattice
    n_months: int
    before: Renewal | None
    after: Renewal
    dooms: list[Doom]
    reach: Floats
    _streams: dict[tuple[Node, str], tuple[Floats, Complex]] = field(default_factory=dict)

    @property
    def months(self) -> Floats:
        """(n_months,) from 0 to the horizon."""
        return self.lattice.step * np.arange(self.n_months)

    @cached_property
    def weights(self) -> Floats:
        """The case mix of who reaches the default clock, (n_draws or 1, n_cells)."""
        reached = self.model.weights * self.reach
        return reached / reached.sum(axis=-1, keepdims=True)

    def entered(self, states: Iterable[str], population: str = "all", clock: str | None = None) -> Floats:
        """Return how many of all patients on the clock have entered `states` by each month and are of `population`.

        (n_draws, n_months); a state that is entered again counts again. Divide by `size` for the population's own share.
        """
        return self._cumulative(states, population, clock, "in")

    def occupied(self, state: str, clock: str | None = None) -> Floats:
        """Return the probability of being in a state, (n_draws, n_months)."""
        entered = self._cumulative([state], "all", clock, "in")
        if self.model.pathway.states[state].is_absorbing:
            return entered
        return np.clip(entered - self._cumulative([state], "all", clock, "out"), 0.0, 1.0)

    def size(self, population: str, clock: str | None = None) -> Floats:
        """Return the share of patients on a clock who are of a population, (n_draws,)."""
        if population == "all":
            return np.ones(self.model.n_draws)
        if population not in self.model.pathway.groups:
            return self._draws(self._cells(population, clock).sum(axis=-1))
        marks, at = self._marks(population), round(self.model.pathway.group_window / self.lattice.step)
        total = np.zeros((1, 1))
        for node in self._nodes():
            if marks(node.marks):
                for sign, which in ((1.0, "in"), (-1.0, "out")):
                    atom, stream = self._stream(node, which)
                    sums = self.lattice.stream(self._mixed(stream, self.weights) + 0.0 * self.lattice.z)
                    total = total + sign * (self._mixed(atom, self.weights) + sums[..., :at].sum(axis=-1, keepdims=True))
        return self._draws(total[..., 0])

    def survival(self, population: str = "all", clock: str | None = None) -> Floats:
        """Return S(t) = P(T > t) of a population, (n_draws, n_months); NaN where it is empty."""
        dead = self.entered(self.model.pathway.deaths, population, clock)
        size = self.size(population, clock)[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            alive = np.where(size > 1e-12, 1.0 - dead / size, np.nan)
        return np.clip(np.minimum.accumulate(alive, axis=-1), 0.0, 1.0)

    def _draws(self, values: Floats) -> Floats:
        return np.broadcast_to(values, (self.model.n_draws,)).copy()

    def _cells(self, population: str, clock: str | None = None) -> Floats:
        """Return the weights of a population's cells, (n_draws or 1, n_cells).

        On the default clock, among those who reach it; on the entry clock everybody counts, but for groups.
        """
        weights = self.weights
        if clock not in (None, self.model.pathway.clock):
            weights = np.atleast_2d(self.model.weights)
            if population in self.model.pathway.groups:
                weights = weights / (weights * self.reach).sum(axis=-1, keepdims=True)
        if population == "all" or population in self.model.pathway.groups:
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

    def _nodes(self) -> list[Node]:
        added = [node for each in self.dooms for node in each.into if node not in self.after.graph.out_of]
        return [*self.after.graph.nodes, *dict.fromkeys(added)]

    def _stream(self, node: Node, which: str) -> tuple[Floats, Complex]:
        """Return a node's atom and stream after the default clock, `in` or `out`, the doomed among them."""
        if (node, which) not in self._streams:
            self._streams[node, which] = self._add_doomed(node, which, *self._own_stream(node, which))
        return self._streams[node, which]

    def _own_stream(self, node: Node, which: str) -> tuple[Floats, Complex]:
        none: Complex = np.zeros((1, 1, 1), dtype=np.complex128)
        if node not in self.after.graph.out_of:
            return np.zeros((1, 1)), none
        atom = self.after.atoms[node]
        if which == "in":
            return atom, self.after.inflow(node)
        if self.after.is_choice(node):
            return atom, self.after.inflow(node)
        return np.zeros((1, 1)), self.after.outflow(node)

    def _add_doomed(self, node: Node, which: str, atom: Floats, stream: Complex) -> tuple[Floats, Complex]:
        for each in self.dooms:
            if node not in each.into:
                continue
            begun = each.share * self.after.atoms[each.decision]
            going = each.share[..., None] * self.after.inflow(each.decision)
            edges = each.share[..., None] * self.after.edges[each.decision]
            at_once = each.atoms.get(node, np.zeros((1, 1)))
            passes = self.after.is_choice(node)
            if which == "in" or passes:
                stream = stream + edges * each.into[node] + at_once[..., None] * going
                atom = atom + begun * at_once
            elif node in each.out_of:
                stream = stream + edges * each.out_of[node]
        return atom, stream

    def _mixed(self, values: NDArray[np.generic], weights: Floats) -> NDArray[np.generic]:
        """Return values (n_draws or 1, n_cells or 1, ...) mixed over the cells, (n_draws or 1, ...)."""
        if values.shape[1] == 1:
            return values[:, 0] * weights.sum(axis=-1).reshape(-1, *(1,) * (values.ndim - 2))
        if values.ndim == 2:
            return (values * weights).sum(axis=-1)
        return np.einsum("dcf,dc->df", values, np.broadcast_to(weights, (max(len(values), len(weights)), weights.shape[1])) if len(values) == 1 else np.broadcast_to(weights, (len(values), weights.shape[1])))

    def _cumulative(self, states: Iterable[str], population: str, clock: str | None, which: str) -> Floats:
        clock = clock or self.model.pathway.clock
        states, marks = set(states), self._marks(population)
        nodes = [node for node in self._nodes() if node.state in states and marks(node.marks)]
        from_entry = clock != self.model.pathway.clock and self.before is not None
        atom: Floats = np.zeros((1, 1))
        total: Complex = np.zeros((1, 1, 1), dtype=np.complex128)
        for node in nodes:
            own_atom, stream = self._stream(node, which)
            if from_entry:
                stream = self._arriving(own_atom, stream)
            else:
                atom = atom + own_atom
            total = total + stream
        cells = self._cells(population, clock)
        if from_entry:
            total, atom = self._with_before(states, population, which, total, atom)
        mixed = self._mixed(total, cells) + 0.0 * self.lattice.z
        start = self._mixed(atom, cells)
        masses = self.lattice.stream(mixed)[:, : self.n_months - 1]
        summed = np.concatenate([np.zeros((len(masses), 1)), np.cumsum(masses, axis=-1)], axis=-1)
        return np.broadcast_to(summed + np.reshape(start, (-1, 1)), (self.model.n_draws, self.n_months)).copy()

    def _arriving(self, atom: Floats, stream: Complex) -> Complex:
        """Return a stream after the default clock as one from entry on."""
        assert self.before is not None
        arrival = Node(self.model.pathway.clock_state, frozenset())
        return atom[..., None] * self.before.inflow(arrival) + stream * self.before.edges[arrival]

    def _with_before(
        self, states: set[str], population: str, which: str, total: Complex, atom: Floats
    ) -> tuple[Complex, Floats]:
        """Add what happens before the default clock, which is not in any group."""
        assert self.before is not None
        if population in self.model.pathway.groups:
            return total, atom
        for node in self.before.graph.nodes:
            if node.state in states and node.state != self.model.pathway.clock_state:
                if which == "in":
                    total = total + self.before.inflow(node)
                    atom = atom + self.before.atoms[node]
                else:
                    total = total + self.before.outflow(node)
        return total, atom


def solve(model: Model, horizon: float, *, step: float | None = None, window: bool = True) -> Solution:
    """Return the solved model, to `horizon` months after the default clock (and after entry, on that clock).

    `step` : months a cell; default: chosen so that every sojourn is resolved. `window` : reach to the end of the group
    window, so that groups are complete. Raises InputError where a resource is limited: queues need another engine.
    """
    check_horizon(horizon)
    refuse_queues(model)
    pathway = model.pathway
    if step is None:
        step = choose_step(resolve(model.scenario), horizon)
    n_months = int(np.ceil(horizon / step - 1e-9)) + 1
    marking = frozenset(name for g in pathway.groups.values() for name in g.entered + g.not_entered)
    reach_to = max(horizon, pathway.group_window) if marking and window else horizon
    lattice = Lattice(step, reach_to)
    doomed = doomed_share(model)
    decision = pathway.marginal.decision if doomed is not None and pathway.marginal else None
    ready: Kernels = {}
    graph = flows.build(
        pathway.clock_state,
        marking=marking,
        windowed=bool(marking) and horizon > pathway.group_window,
        decision=decision,
        ways=model.open_ways,
    )
    after = renewal(model, lattice, graph, ready, doomed)
    before = None
    if pathway.start != pathway.clock_state:
        ends = frozenset({pathway.clock_state})
        way = flows.build(pathway.start, marking=frozenset(), ends=ends, ways=model.open_ways)
        before = renewal(model, lattice, way, ready)
    dooms = [
        doom(model, lattice, node, doomed, marking)
        for node in graph.nodes
        if doomed is not None and node.state == decision and DECIDED not in node.marks and CLOSED not in node.marks
    ]
    return Solution(model, lattice, n_months, before, after, dooms, _reach(model, before))


def refuse_queues(model: Model) -> None:
    """Raise InputError if a resource is limited."""
    for resource, capacity in model.scenario.capacity.items():
        raise InputError(
            "the exact engine has no queues",
            where=f"{model.scenario.where}: [capacity] {resource}",
            got=capacity,
            allowed="no [capacity], or an engine with queues",
        )


def _reach(model: Model, before: Renewal | None) -> Floats:
    """Return the probability of ever reaching the default clock, (n_draws or 1, n_cells or 1): absorption of a chain."""
    if before is None:
        return np.ones((1, 1))
    states = [node.state for node in before.graph.nodes]
    place = {name: i for i, name in enumerate(states)}
    going = {name: _ever(model, name) for name in states if before.graph.out_of[Node(name, frozenset())]}
    shape = np.broadcast_shapes((1, 1), *(p.shape for each in going.values() for p in each))
    chain = np.zeros((*shape, len(states), len(states)))
    chain[..., range(len(states)), range(len(states))] = 1.0
    for name, shares in going.items():
        for each, p in zip(model.exits[name], shares, strict=True):
            chain[..., place[name], place[each.to]] -= p
    target = np.zeros((*shape, len(states), 1))
    target[..., place[model.pathway.clock_state], 0] = 1.0
    return np.clip(np.linalg.solve(chain, target)[..., place[model.pathway.start], 0], 0.0, 1.0)


def _ever(model: Model, state: str) -> Sequence[Floats]:
    """Return the probability that a state is ever left by each exit."""
    exits = model.exits[state]
    if exits[0].time is None:
        return [np.atleast_2d(each.probability) for each in exits if each.probability is not None]
    times = np.concatenate([[0.0], np.geomspace(1e-6, 1e7, 8000)])
    shares = []
    told = exits[0].probability is not None
    for group in [[each] for each in exits] if told else [list(exits)]:
        masses = competing([each.time for each in group if each.time is not None], times)
        for each, smooth, atom in zip(group, masses.smooth, masses.atoms, strict=True):
            share = smooth.sum(axis=-1) + (0.0 if atom is None else atom[1])
            shares.append(share if each.probability is None else share * np.atleast_2d(each.probability))
    return shares


def curves(model: Model, horizon: float, *, step: float | None = None) -> Curves:
    """Return everything that is reported of a model. See `solve`."""
    solution = solve(model, horizon, step=step)
    pathway = model.pathway
    return Curves(
        months=solution.months,
        survival={(c, p): solution.survival(p, c) for c in pathway.clocks for p in populations(pathway)},
        occupancy={c: {s: solution.occupied(s, c) for s in _stays(model)} for c in pathway.clocks},
        sizes={p: solution.size(p) for p in populations(pathway)},
        counts={name: _count(solution, name) for name in pathway.counts},
        count_variances={},
    )


def _stays(model: Model) -> list[str]:
    return [name for name, state in model.pathway.states.items() if not state.is_choice]


def _count(solution: Solution, name: str) -> Floats:
    count = solution.model.pathway.counts[name]
    if count.entries:
        return solution.entered(count.entries)[:, -1]
    total = np.zeros(solution.model.n_draws)
    for state in count.months:
        total += np.trapezoid(solution.occupied(state), dx=solution.lattice.step, axis=-1)
    return total
