"""A solved model: what is read off the flows of patients."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from simulator.arrays import Floats
from simulator.engines.curves import split_level
from simulator.engines.exact.history_graph import Node, entered
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.paths import Paths
from simulator.engines.model import Model
from simulator.pathway.pathway import Pathway

Marks = Callable[[frozenset[str]], bool]

ROUNDING = 1e-7
"""A group that is smaller is empty: the damped transform leaves no more digits of it."""


class Flow(Protocol):
    """How many patients come over time, mixed over the case mix."""

    def __add__(self, other: Any) -> Flow: ...

    def scaled(self, factor: Floats) -> Flow:
        """Return the flow times a factor, (n_draws or 1,)."""


class Flows(Protocol):
    """The flows of a model: from path curves or, where patients come back, from renewal equations."""

    @property
    def nodes(self) -> list[Node]:
        """Every node after the default clock."""

    @property
    def nodes_without_benefit(self) -> Collection[Node]:
        """Every node that patients treated without benefit enter."""

    def with_benefit(self) -> Flows:
        """Return the flows of the other patients."""

    def total(self, nodes: Iterable[Node], which: str, weights: Floats, *, from_entry: bool) -> Flow:
        """Return who enters nodes, `in`, or that less who leaves, `net`, mixed by weights (n_draws or 1, n_cells).

        from_entry : on the entry clock, where it follows the arrivals at the default clock
        """

    def before_default(self, states: Iterable[str], which: str, weights: Floats) -> Flow:
        """Return the same of states between entry and the default clock."""

    def joined(self, marks: Marks, weights: Floats) -> Flow:
        """Return entries into a population less exits, on the default clock: where marks change."""

    def cumulative(self, flows: Sequence[Any]) -> list[Floats]:
        """Return how many of each flow have come by every lattice point, (n_draws or 1, n or more)."""

    def between(self, flows: Sequence[Any]) -> list[Floats]:
        """Return the mean of that over every cell, (n_draws or 1, n)."""

    def at(self, flow: Any, months: Sequence[float]) -> Floats:
        """Return how many have come by months, (n_draws or 1, n_months)."""

    def up_to(self, flow: Any, months: Sequence[float]) -> Floats:
        """Return the integral of that from 0 to months, (n_draws or 1, n_months)."""


@dataclass
class Solution:
    """A solved model.

    paths : with what else of the same draws is solved, such as end points, on its lattice
    absorption : the share of each cell who reach the default clock, (n_draws or 1, n_cells or 1)
    """

    model: Model
    paths: Paths
    n_months: int
    flows: Flows
    absorption: Floats
    _flows: dict[tuple[object, ...], Flow] = field(default_factory=dict)
    _joined: dict[str, Flow] = field(default_factory=dict)
    _sizes: dict[str, Floats] = field(default_factory=dict)

    @property
    def lattice(self) -> Lattice:
        return self.paths.lattice

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
        return self._again(absorption=absorption)

    def entered(self, states: Iterable[str], population: str = "all", clock: str | None = None) -> Floats:
        """Return how many of all patients on the clock have entered `states` by each month and are of `population`.

        (n_draws, n_months); a state entered again counts again. Divide by `size` for the population's own share.
        """
        return self._by_month([self.flow(states, population, clock, "in")])[0]

    def flow_of(self, nodes: Iterable[Node], cells: Floats, clock: str) -> Flow:
        """Return who enters nodes after the default clock, mixed by `cells`, (n_draws or 1, n_cells)."""
        return self.flows.total(nodes, "in", cells, from_entry=clock != self.model.pathway.clock)

    def come(self, flow: Flow) -> tuple[Floats, Floats]:
        """Return entries by every lattice point, (n_draws or 1, n), and their means over cells, (..., n - 1)."""
        return self.by_point(flow), self.by_cell(flow)

    def by_point(self, flow: Flow) -> Floats:
        """Return how many of a flow have come by every lattice point, (n_draws or 1, n)."""
        (by,) = self.flows.cumulative([flow])
        return by[:, : self.lattice.n]

    def by_cell(self, flow: Flow) -> Floats:
        """Return the mean of that over every cell, (n_draws or 1, n - 1)."""
        (means,) = self.flows.between([flow])
        return means[:, : self.lattice.n - 1]

    def alone(self, cell: int) -> Solution:
        """Return the same to the end of the lattice, if every patient who starts the default clock is of one cell."""
        model = replace(self.model, weights=np.eye(len(self.model.cells))[cell])
        return self._again(model=model, n_months=self.lattice.n, absorption=np.ones((1, 1)))

    def with_benefit(self) -> Solution:
        """Return the same without patients treated without benefit."""
        return self._again(flows=self.flows.with_benefit())

    def _again(self, **changes: Any) -> Solution:
        return replace(self, **changes, _flows={}, _joined={}, _sizes={})

    def survival_of(self, keys: Sequence[tuple[str, str]]) -> list[Floats]:
        """Return S(t) of (clock, population) keys, (n_draws, n_months); NaN where a population is empty."""
        by = zip(keys, self._by_month(self._dead(keys)), strict=True)
        return [self._alive(dead, *key) for key, dead in by]

    def curves_of(self, keys: Sequence[tuple[str, str]]) -> list[Floats]:
        """Return all curves of (clock, population) keys: their survival."""
        return self.survival_of(keys)

    def mean_survival_of(self, keys: Sequence[tuple[str, str]]) -> list[Floats]:
        """Return the mean of that over each cell, (n_draws, n_months - 1)."""
        means = zip(keys, self.flows.between(self._dead(keys)), strict=True)
        return [self._alive(dead[:, : self.n_months - 1], *key) for key, dead in means]

    def _dead(self, keys: Sequence[tuple[str, str]]) -> list[Flow]:
        return [self.flow(self.model.pathway.deaths, population, clock, "in") for clock, population in keys]

    def _alive(self, dead: Floats, clock: str, population: str) -> Floats:
        size = self.size(population, clock)[:, None]
        empty = ROUNDING if population in self.model.pathway.groups else 0.0
        with np.errstate(invalid="ignore", divide="ignore"):
            alive = np.where(size > empty, 1.0 - dead / size, np.nan)
        np.minimum.accumulate(alive, axis=-1, out=alive)
        return np.clip(alive, 0.0, 1.0, out=alive)

    def survival(self, population: str = "all", clock: str | None = None) -> Floats:
        """Return S(t) = P(T > t) of a population, (n_draws, n_months); NaN where it is empty."""
        (alive,) = self.survival_of([(clock or self.model.pathway.clock, population)])
        return alive

    def mean_survival(self, population: str = "all", clock: str | None = None) -> Floats:
        """Return the mean of S(t) over each cell, (n_draws, n_months - 1); NaN where the population is empty."""
        (means,) = self.mean_survival_of([(clock or self.model.pathway.clock, population)])
        return means

    def occupied(self, states: Sequence[str], clock: str | None = None) -> list[Floats]:
        """Return the probability of being in each of some states, (n_draws, n_months)."""
        return [np.clip(there, 0.0, 1.0) for there in self._by_month(self.there(states, clock))]

    def there(self, states: Sequence[str], clock: str | None = None) -> list[Flow]:
        """Return the patients in each of some states."""
        declared = self.model.pathway.states
        return [self.flow([name], "all", clock, "in" if declared[name].is_absorbing else "net") for name in states]

    def size(self, population: str, clock: str | None = None) -> Floats:
        """Return the share of a clock's patients in a population, (n_draws,)."""
        if population == "all" and clock not in (None, self.model.pathway.clock):
            return np.ones(self.model.n_draws)
        if population == "all":
            return self._draws((self.weights.sum(axis=-1) > 0.0).astype(np.float64))
        if population not in self.model.pathway.groups:
            return self._draws(self._cells(population, clock).sum(axis=-1))
        if population not in self._sizes:
            members = self.flows.at(self.joining(population), [window_of(self.model.pathway, self.lattice)])
            self._sizes[population] = self._draws(np.clip(members[:, 0], 0.0, 1.0))
        return self._sizes[population]

    @property
    def is_settled(self) -> bool:
        """Whether nobody joins or leaves a group after the event, here death."""
        return True

    def keep_size(self, group: str, size: Floats) -> None:
        """Take a group's share, (n_draws,), as known: the lattice need not reach to the end of the window."""
        self._sizes[group] = size

    def size_by_month(self, population: str) -> Floats:
        """Return the share of the default clock's patients in a population so far, (n_draws, n_months)."""
        shape = (self.model.n_draws, self.n_months)
        if population not in self.model.pathway.groups:
            return np.broadcast_to(self.size(population)[:, None], shape)
        members = self._members(population)
        # The window closes a group: later it stays as it is.
        return np.broadcast_to(members[:, np.minimum(np.arange(self.n_months), members.shape[1] - 1)], shape)

    def mean_size(self, group: str) -> Floats:
        """Return the mean over each cell of the share in a group so far, (n_draws or 1, n_months - 1)."""
        return np.clip(self.by_cell(self.joining(group))[:, : self.n_months - 1], 0.0, 1.0)

    def at(self, flow: Flow, months: Sequence[float] | Floats) -> Floats:
        """Return how many of a flow have come by months, (n_draws, n_months)."""
        return self._by_draw(self.flows.at(flow, self._to_horizon(months)))

    def up_to(self, flow: Flow, months: Sequence[float] | Floats) -> Floats:
        """Return the integral of that from 0 to months, (n_draws, n_months)."""
        return self._by_draw(self.flows.up_to(flow, self._to_horizon(months)))

    def members_at(self, population: str, months: Sequence[float]) -> Floats:
        """Return the share of the default clock's patients in a population by months, (n_draws, n_months)."""
        if population not in self.model.pathway.groups:
            return np.repeat(self.size(population)[:, None], len(months), axis=1)
        # The window closes a group: later it stays as it is.
        within = np.minimum(months, self.model.pathway.group_window)
        return np.clip(self.at(self.joining(population), within), 0.0, 1.0)

    def members_up_to(self, population: str, months: Sequence[float]) -> Floats:
        """Return the integral of that from 0 to months, (n_draws, n_months)."""
        if population not in self.model.pathway.groups:
            return np.asarray(self.size(population)[:, None] * np.asarray(months))
        within = np.minimum(months, self.model.pathway.group_window)
        later = self.members_at(population, months) * (np.asarray(months) - within)
        return np.asarray(self.up_to(self.joining(population), within) + later)

    def _to_horizon(self, months: Sequence[float] | Floats) -> list[float]:
        return [min(float(month), float(self.months[-1])) for month in months]

    def _by_draw(self, values: Floats) -> Floats:
        return np.broadcast_to(values, (self.model.n_draws, values.shape[1]))

    def _members(self, population: str) -> Floats:
        """Return the share in a group by every lattice point up to the end of the window, (n_draws or 1, n)."""
        at = round(self.model.pathway.group_window / self.lattice.step)
        (members,) = self.flows.cumulative([self.joining(population)])
        return np.clip(members[:, : at + 1], 0.0, 1.0)

    def joining(self, population: str) -> Flow:
        """Return who joins a group, less who leaves it."""
        if population not in self._joined:
            self._joined[population] = self.flows.joined(self._marks(population), self.weights)
        return self._joined[population]

    def _draws(self, values: Floats) -> Floats:
        return np.broadcast_to(values, (self.model.n_draws,)).copy()

    def _by_month(self, flows: Sequence[Flow]) -> list[Floats]:
        """Return how many of each flow have come by every month, (n_draws, n_months)."""
        shape = (self.model.n_draws, self.n_months)
        return [np.broadcast_to(come[:, : self.n_months], shape) for come in self.flows.cumulative(flows)]

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
        window = self.model.pathway.group_window
        return lambda marks: group.includes(entered(marks, window))

    def flow(self, states: Iterable[str], population: str, clock: str | None = None, which: str = "in") -> Flow:
        """Return who of a population enters states, `in`, or that less who leaves, `net`, on a clock."""
        key = frozenset(states), population, clock or self.model.pathway.clock, which
        if key not in self._flows:
            self._flows[key] = self._flow(*key)
        return self._flows[key]

    def _flow(self, states: frozenset[str], population: str, clock: str, which: str) -> Flow:
        pathway, marks = self.model.pathway, self._marks(population)
        in_group, on_default = population in pathway.groups, clock == pathway.clock
        nodes = [node for node in self.flows.nodes if node.state in states and marks(node.marks)]
        cells = self._cells("all" if in_group else population, clock)
        flow = self.flows.total(nodes, which, cells, from_entry=not on_default)
        if on_default:
            return flow
        if in_group:
            reached = (self.model.weights * self.absorption).sum(axis=-1)
            return flow.scaled(1.0 / np.where(reached > 0.0, reached, 1.0))
        if pathway.start != pathway.clock_state:
            return flow + self.flows.before_default(states - {pathway.clock_state}, which, cells)
        return flow


def window_of(pathway: Pathway, lattice: Lattice) -> float:
    """Return the end of the group window, at the lattice's next point."""
    return lattice.step * round(pathway.group_window / lattice.step)


def months_to(horizon: float, step: float) -> Floats:
    """Return the lattice's points, (n_months,), from month 0 to the horizon or to the first point after it."""
    return step * np.arange(int(np.ceil(horizon / step - 1e-9)) + 1, dtype=np.float64)
