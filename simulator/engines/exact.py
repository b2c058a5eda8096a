"""The exact engine: one model's curves from renewal equations, without Monte Carlo noise.

Time before the default clock and after it are solved apart; on the entry clock the second follows the first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.curves import Curves, check_horizon, mixed, populations, split_level
from simulator.engines import flows
from simulator.engines.doom import Doom, doom, doomed_share
from simulator.engines.flows import Node
from simulator.engines.lattice import Lattice, choose_step
from simulator.engines.reach import reach
from simulator.engines.renewal import Kernels, Renewal, renewal
from simulator.errors import InputError
from simulator.model import Model, resolve
from simulator.pathway import reaches_itself
from simulator.scenario import Scenario

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
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
    dooms: list[Doom]
    reach: Floats
    _streams: dict[tuple[Node, str], tuple[Floats, Complex]] = field(default_factory=dict)
    _sizes: dict[str, Floats] = field(default_factory=dict)
    _mixes: dict[tuple[Node, str, str, str], tuple[Floats, Complex]] = field(default_factory=dict)

    @property
    def months(self) -> Floats:
        """(n_months,) from 0 to the horizon."""
        return self.lattice.step * np.arange(self.n_months, dtype=np.float64)

    @cached_property
    def weights(self) -> Floats:
        """The case mix of who reaches the default clock, (n_draws or 1, n_cells)."""
        reached = self.model.weights * self.reach
        total = reached.sum(axis=-1, keepdims=True)
        return np.asarray(np.divide(reached, total, out=np.zeros_like(reached), where=total > 0))

    def entered(self, states: Iterable[str], population: str = "all", clock: str | None = None) -> Floats:
        """Return how many of all patients on the clock have entered `states` by each month and are of `population`.

        (n_draws, n_months); a state entered again counts again. Divide by `size` for the population's own share.
        """
        return self._cumulative(states, population, clock, "in")

    def occupied(self, state: str, clock: str | None = None) -> Floats:
        """Return the probability of being in a state, (n_draws, n_months)."""
        if self.model.pathway.states[state].is_absorbing:
            return self._cumulative([state], "all", clock, "in")
        return np.clip(self._cumulative([state], "all", clock, "net"), 0.0, 1.0)

    def size(self, population: str, clock: str | None = None) -> Floats:
        """Return the share of patients on a clock who are of a population, (n_draws,)."""
        if population == "all" and clock not in (None, self.model.pathway.clock):
            return np.ones(self.model.n_draws)
        if population == "all":
            return self._draws((self.weights.sum(axis=-1) > 0.0).astype(np.float64))
        if population not in self.model.pathway.groups:
            return self._draws(self._cells(population, clock).sum(axis=-1))
        if population not in self._sizes:
            self._sizes[population] = self._group_size(population)
        return self._sizes[population]

    def _group_size(self, population: str) -> Floats:
        marks, at = self._marks(population), round(self.model.pathway.group_window / self.lattice.step)
        start = self.after.graph.start
        atom = np.full((1, 1), float(marks(start.marks)))
        stream: Complex = np.zeros((1, 1, 1), dtype=np.complex128)
        for node, edges in self.after.graph.out_of.items():
            for edge in edges:
                # Patients join or leave a population where their marks change.
                sign = int(marks(edge.target.marks)) - int(marks(node.marks))
                if sign:
                    own_atom, own_stream = self.after.crossing(edge)
                    atom, stream = atom + sign * own_atom, stream + sign * own_stream
        doomed, moved = self._doomed_total(marks)
        masses = self.lattice.stream(_mixed(stream, self.weights) + moved + 0.0 * self.lattice.z)
        size = _mixed(atom, self.weights) + doomed + masses[..., :at].sum(axis=-1)
        return np.clip(self._draws(size), 0.0, 1.0)

    def _doomed_total(self, marks: Marks) -> tuple[Floats, Complex]:
        """Return who is treated in vain and of a population, as an atom (n_draws or 1,) and a stream, mixed."""
        atom: Floats = np.zeros((1, 1))
        stream: Complex = np.zeros((1, 1, 1), dtype=np.complex128)
        for each in self.dooms:
            for node in each.into:
                # Who was of the population before the decision has been counted there.
                sign = int(marks(node.marks)) - int(marks(each.decision.marks))
                if sign:
                    own_atom, own_stream = self._doomed(each, node, "net")
                    atom, stream = atom + sign * own_atom, stream + sign * own_stream
        return _mixed(atom, self.weights), _mixed(stream, self.weights)

    def survival(self, population: str = "all", clock: str | None = None) -> Floats:
        """Return S(t) = P(T > t) of a population, (n_draws, n_months); NaN where it is empty."""
        dead = self.entered(self.model.pathway.deaths, population, clock)
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
    def _nodes(self) -> list[Node]:
        added = [node for each in self.dooms for node in each.into if node not in self.after.graph.out_of]
        return [*self.after.graph.nodes, *dict.fromkeys(added)]

    def _total(self, nodes: Iterable[Node], which: str, clock: str, who: str) -> tuple[Floats, Complex]:
        """Return the sum over nodes of atoms (n_draws or 1,) and streams (n_draws or 1, n), mixed over the cells.

        `which` : who comes `in`, or the `net` of who comes and who leaves. `who` : "all", or a level of an attribute.
        """
        atom: Floats = np.zeros(1)
        stream: Complex = np.zeros((1, 1), dtype=np.complex128)
        for node in nodes:
            key = (node, which, clock, who)
            if key not in self._mixes:
                self._mixes[key] = self._mix(*self._after_default(node, which), clock, who)
            own_atom, own_stream = self._mixes[key]
            atom, stream = atom + own_atom, stream + own_stream
        return atom, stream

    def _mix(self, atom: Floats, stream: Complex, clock: str, who: str) -> tuple[Floats, Complex]:
        """Return what follows the default clock, mixed; on the entry clock it follows the arrivals there."""
        cells = self._cells(who, clock)
        if clock == self.model.pathway.clock or self.before is None:
            return _mixed(atom, cells), _mixed(stream, cells)
        arrival = Node(self.model.pathway.clock_state, frozenset())
        if arrival not in self.before.edges:
            return np.zeros(1), np.zeros((1, 1), dtype=np.complex128)
        if not atom.any():
            return np.zeros(1), _mixed(stream * self.before.edges[arrival], cells)
        moved = atom[..., None] * self.before.inflow(arrival) + stream * self.before.edges[arrival]
        return _mixed(atom * self.before.atoms[arrival], cells), _mixed(moved, cells)

    def _after_default(self, node: Node, which: str) -> tuple[Floats, Complex]:
        if (node, which) not in self._streams:
            self._streams[node, which] = self._stream(node, which)
        return self._streams[node, which]

    def _stream(self, node: Node, which: str) -> tuple[Floats, Complex]:
        """Return a node's atom and stream after the default clock, the doomed among them. A choice keeps nobody."""
        atom, stream = np.zeros((1, 1)), np.zeros((1, 1, 1), dtype=np.complex128)
        if which == "net" and self.after.is_choice(node):
            return atom, stream
        if node in self.after.graph.out_of:
            atom, stream = self.after.atoms[node], self.after.inflow(node)
            if which == "net":
                stream = stream - self.after.outflow(node)
        for each in self.dooms:
            if node in each.into:
                own_atom, own_stream = self._doomed(each, node, which)
                atom, stream = atom + own_atom, stream + own_stream
        return atom, stream

    def _doomed(self, doom: Doom, node: Node, which: str) -> tuple[Floats, Complex]:
        """Return the atom and stream at a node of who is treated in vain."""
        if which == "net" and self.after.is_choice(node):
            return np.zeros((1, 1)), np.zeros((1, 1, 1), dtype=np.complex128)
        moved = doom.into[node] - (doom.out_of.get(node, 0.0) if which == "net" else 0.0)
        at_once = doom.atoms.get(node, np.zeros((1, 1)))
        share = doom.share[..., None]
        stream = share * self.after.edges[doom.decision] * moved
        stream = stream + share * at_once[..., None] * self.after.inflow(doom.decision)
        return doom.share * self.after.atoms[doom.decision] * at_once, stream

    def _cumulative(self, states: Iterable[str], population: str, clock: str | None, which: str) -> Floats:
        clock, states, marks = clock or self.model.pathway.clock, set(states), self._marks(population)
        in_group = population in self.model.pathway.groups
        nodes = [node for node in self._nodes if node.state in states and marks(node.marks)]
        atom, stream = self._total(nodes, which, clock, "all" if in_group else population)
        if clock != self.model.pathway.clock and in_group:
            reached = (self.model.weights * self.reach).sum(axis=-1, keepdims=True)
            reached = np.where(reached > 0.0, reached, 1.0)
            atom, stream = atom / reached[..., 0], stream / reached
        elif clock != self.model.pathway.clock and self.before is not None:
            atom, stream = self._with_before(states, population, which, atom, stream)
        masses = self.lattice.stream(stream + 0.0 * self.lattice.z)[:, : self.n_months - 1]
        summed = np.zeros((len(masses), self.n_months))
        np.cumsum(masses, axis=-1, out=summed[:, 1:])
        summed = summed + atom[:, None]
        return np.broadcast_to(summed, (self.model.n_draws, self.n_months))

    def _with_before(
        self, states: set[str], population: str, which: str, atom: Floats, stream: Complex
    ) -> tuple[Floats, Complex]:
        """Add what happens between entry and the default clock."""
        assert self.before is not None
        cells = np.atleast_2d(self._cells(population, list(self.model.pathway.clocks)[1]))
        for node in self.before.graph.nodes:
            if node.state in states and node.state != self.model.pathway.clock_state:
                moved = self.before.inflow(node)
                if which == "net":
                    moved = moved - self.before.outflow(node)
                atom, stream = atom + _mixed(self.before.atoms[node], cells), stream + _mixed(moved, cells)
        return atom, stream


def _mixed(values: Any, weights: Floats) -> Any:
    """Return values (n_draws or 1, n_cells or 1, ...) mixed over the cells by weights (n_draws or 1, n_cells)."""
    if values.shape[1] == 1:
        return values[:, 0] * weights.sum(axis=-1).reshape(-1, *(1,) * (values.ndim - 2))
    if values.ndim == 2:
        return (values * weights).sum(axis=-1)
    # Real and imaginary parts side by side, so that this is a product of real matrices.
    pairs = np.ascontiguousarray(values).view(np.float64)
    return (weights[:, None, :] @ pairs)[:, 0].view(values.dtype)


def solve(model: Model, horizon: float, *, step: float | None = None, window: bool = True) -> Solution:
    """Return the solved model, to `horizon` months after the default clock (and after entry, on that clock).

    `step` : months a cell; default: chosen so that every sojourn is resolved. `window` : reach to the end of the group
    window, so that groups are complete. Raises InputError where a resource is limited, or a milestone passed.
    """
    check_horizon(horizon)
    refuse(model)
    pathway = model.pathway
    if step is None:
        step = step_of(model.scenario, horizon)
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
        if doomed is not None and node.state == decision
    ]
    return Solution(model, lattice, n_months, before, after, dooms, reach(model, before))


@lru_cache(maxsize=256)
def step_of(scenario: Scenario, horizon: float) -> float:
    """Return a scenario's lattice step, from its declared values: the same for every draw."""
    return choose_step(resolve(replace(scenario, marginal_benefit=1.0)), horizon)


def refuse(model: Model) -> None:
    """Raise InputError if a resource is limited, or if latent times go on in a milestone."""
    if model.pathway.milestones:
        raise InputError(
            "the exact engine has no milestones",
            where=f"{model.scenario.where}: milestones",
            got=list(model.pathway.milestones),
            allowed="microsim or des",
        )
    for resource, capacity in model.scenario.capacity.items():
        raise InputError(
            "the exact engine has no queues",
            where=f"{model.scenario.where}: [capacity] {resource}",
            got=capacity,
            allowed="no [capacity], or an engine with queues",
        )


def curves(
    model: Model, horizon: float, *, step: float | None = None, only: Collection[tuple[str, str]] | None = None
) -> Curves:
    """Return everything that is reported of a model. See `solve`.

    only : (clock, population) of the survival wanted; without occupancy, five times as fast. Default: everything.
    Who can come back to the marginal decision gains at every visit or at none, so the two are solved apart.
    """
    marginal, told = model.marginal, model.pathway.marginal
    if marginal is None or told is None or not marginal.raised:
        return _curves(model, horizon, step, only)
    gain = np.broadcast_to(marginal.benefit, (model.n_draws, 1))[:, 0]
    alike = np.all(gain == 0.0) or np.all(gain == 1.0)
    if alike or not reaches_itself(model.pathway, told.decision):
        return _curves(model, horizon, step, only)
    ends = (replace(model, marginal=replace(marginal, benefit=end)) for end in (1.0, 0.0))
    return mixed([_curves(each, horizon, step, only) for each in ends], [gain, 1.0 - gain])


def _curves(model: Model, horizon: float, step: float | None, only: Collection[tuple[str, str]] | None) -> Curves:
    pathway = model.pathway
    every = [(clock, name) for clock in pathway.clocks for name in populations(pathway)]
    wanted = every if only is None else [each for each in every if each in only]
    solution = solve(model, horizon, step=step, window=any(name in pathway.groups for _, name in wanted))
    survival: dict[tuple[str, str], Floats] = {}
    for clock, name in wanted:
        who = "all" if _is_like_all(model, name) else name
        same = survival.get((clock, who))
        survival[clock, name] = solution.survival(who, clock) if same is None else same
    return Curves(
        months=solution.months,
        survival=survival,
        occupancy={
            clock: {name: solution.occupied(name, clock) for name in _stays(model)}
            for clock in (pathway.clocks if only is None else ())
        },
        sizes={name: solution.size(name) for _, name in wanted},
        counts={name: _count(solution, name) for name in pathway.counts},
        count_variances={},
    )


def _is_like_all(model: Model, population: str) -> bool:
    """Return whether a population is a level, with patients, of an attribute that decides nothing."""
    if population == "all" or population in model.pathway.groups:
        return False
    attribute, level = split_level(model.pathway, population)
    return attribute not in model.attributes and model.mix[attribute][level] > 0.0


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
