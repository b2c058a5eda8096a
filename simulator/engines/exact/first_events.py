"""First entries into the states of an end point, by cause: the model is solved as it is, and with these states as ends.

A group has who enters its states before the event or after it. Of who is not yet settled at the event, a share

    P(event by t, in the group) = int_0^t G_j(W - s) dF_j(s)

belongs to it: F_j of events at node j, G_j who is in the group so long after them, W the end of the group window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import add
from typing import NamedTuple

import numpy as np

from simulator.arrays import Floats
from simulator.engines.exact import measures
from simulator.engines.exact.accuracy import TooCoarse
from simulator.engines.exact.embedded import visits
from simulator.engines.exact.history_graph import CLOSED, Node
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.solution import ROUNDING, Flow, Solution
from simulator.engines.model import Model
from simulator.engines.no_benefit import ways
from simulator.pathway.pathway import Group, reachable

Come = tuple[Floats, Floats]
"""Patients who have come by every lattice point, (n_draws or 1, n), and the means over cells, (..., n - 1)."""
NOBODY: Come = (np.zeros((1, 1)), np.zeros((1, 1)))


@dataclass(frozen=True)
class FirstEvents:
    """`whole`: the solved model; `until`: the same, followed to the states of the `causes` only.

    onward : node -> the model, solved for patients who start there
    """

    whole: Solution
    until: Solution
    causes: Mapping[str, tuple[str, ...]]
    onward: Callable[[Node], Solution]
    _kept: dict[tuple[tuple[str, ...], str, str], _Events] = field(default_factory=dict)
    _started: dict[Node, Solution] = field(default_factory=dict)
    _incidences: dict[tuple[str, str], dict[str, Floats]] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        return self.whole.model

    @property
    def lattice(self) -> Lattice:
        return self.whole.lattice

    @cached_property
    def treated(self) -> Solution:
        """`until` of the patients who are not treated without benefit."""
        return self.until.with_benefit()

    @property
    def months(self) -> Floats:
        return self.whole.months

    @cached_property
    def is_settled(self) -> bool:
        """Whether nobody joins or leaves a group after the event."""
        states = {name for names in self.causes.values() for name in names}
        pathway, flows = self.model.pathway, self.until.flows
        later = [(node, self.model.onward) for node in flows.nodes if node.state in states]
        later += [(node, self._without_benefit) for node in flows.nodes_without_benefit if node.state in states]
        undecided = any(_settled(node, group, to) is None for node, to in later for group in pathway.groups.values())
        return not undecided and states.isdisjoint(pathway.states_before_clock)

    def keep_size(self, group: str, size: Floats) -> None:
        """Take a group's share as known; see `Solution`."""
        self.whole.keep_size(group, size)

    @cached_property
    def _without_benefit(self) -> dict[str, list[str]]:
        """By state, where patients without benefit may go."""
        pathway = self.model.pathway
        in_vain = pathway.states if self.until.flows.nodes_without_benefit else {}
        return {name: [to for _, to in ways(pathway, name)] for name in in_vain}

    def size(self, population: str) -> Floats:
        """Return the share of the default clock's patients in a population, (n_draws,)."""
        return self.whole.size(population)

    def survival_of(self, keys: Sequence[tuple[str, str]]) -> list[Floats]:
        """Return the probability of no event by a month, (n_draws, n_months), by (clock, population).

        NaN where a population is empty.
        """
        self._find(keys)
        return [np.clip(1.0 - np.sum(list(self._incidences[key].values()), axis=0), 0.0, 1.0) for key in keys]

    def curves_of(self, keys: Sequence[tuple[str, str]]) -> list[Floats]:
        """Return all curves of (clock, population) keys: the probability of no event, and of events by cause."""
        return [*self.survival_of(keys), *(by for key in keys for by in self._incidences[key].values())]

    def mean_survival_of(self, keys: Sequence[tuple[str, str]]) -> list[Floats]:
        """Return the mean of that over each cell, (n_draws, n_months - 1)."""
        n_cells = self.whole.n_months - 1
        events = [[self._events(states, name, clock) for states in self.causes.values()] for clock, name in keys]
        means = self.until.flows.between([reduce(add, (first.flow for first in of_key)) for of_key in events])
        come = [by[:, :-1] + sum(first.joined[1] for first in of_key) for by, of_key in zip(means, events, strict=True)]
        shares = (self._share(by[:, :n_cells], name, clock) for by, (clock, name) in zip(come, keys, strict=True))
        return [np.clip(1.0 - share, 0.0, 1.0) for share in shares]

    def survival(self, population: str, clock: str) -> Floats:
        """Return the probability of no event by a month, (n_draws, n_months); NaN where the population is empty."""
        (alive,) = self.survival_of([(clock, population)])
        return alive

    def incidence(self, cause: str, population: str, clock: str) -> Floats:
        """Return the probability of a first event of a cause by a month, (n_draws, n_months)."""
        self._find([(clock, population)])
        return self._incidences[clock, population][cause]

    def _find(self, keys: Sequence[tuple[str, str]]) -> None:
        """Find first events by cause, of (clock, population) keys of which they are not known."""
        missing = [key for key in keys if key not in self._incidences]
        events = [(key, self._events(states, *key[::-1])) for key in missing for states in self.causes.values()]
        by = self.until.flows.cumulative([first.flow for _, first in events])
        shares = iter(
            self._share((come[:, : self.lattice.n] + first.joined[0])[:, : self.whole.n_months], *key[::-1])
            for (key, first), come in zip(events, by, strict=True)
        )
        for key in missing:
            of_causes = {name: next(shares) for name in self.causes}
            # In a group that forms after the event, the lattice's error may make the events more than its patients.
            total = np.sum(list(of_causes.values()), axis=0)
            most = np.where(total > 1.0 + ROUNDING, total, 1.0)
            self._incidences[key] = {name: share / most for name, share in of_causes.items()}

    def flow(self, cause: str, population: str, clock: str) -> Flow:
        """Return first events of a cause as a flow, without those of patients whose groups are not settled."""
        return self._events(self.causes[cause], population, clock).flow

    def _share(self, come: Floats, population: str, clock: str) -> Floats:
        """Return events as a share of a population."""
        size = self.whole.size(population, clock)[:, None]
        empty = ROUNDING if population in self.model.pathway.groups else 0.0
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(size > empty, come / size, np.nan)
        return np.clip(np.maximum.accumulate(values, axis=-1), 0.0, 1.0)

    def _events(self, states: tuple[str, ...], population: str, clock: str) -> _Events:
        key = states, population, clock
        if key not in self._kept:
            group = self.model.pathway.groups.get(population)
            if group is None:
                self._kept[key] = _Events(self.until.flow(states, population, clock))
            else:
                self._kept[key] = self._of_group(set(states), group, clock)
        return self._kept[key]

    def _of_group(self, states: set[str], group: Group, clock: str) -> _Events:
        """Return first events of patients who are in a group at the end of its window."""
        pathway, until = self.model.pathway, self.until
        on_default = clock == pathway.clock
        weights = until.weights if on_default else np.atleast_2d(self.model.weights)
        in_vain = until.flows.nodes_without_benefit
        flow, joined = until.flow_of([], weights, clock), NOBODY
        for node in (node for node in until.flows.nodes if node.state in states):
            is_in = _settled(node, group, self.model.onward)
            if is_in is None:
                joined = _sum(joined, self._of_node(node, group, clock, weights))
            others = self.treated.flow_of([node], weights, clock)
            flow = flow + others if is_in else flow
            if node in in_vain and (is_in := _settled(node, group, self._without_benefit)) is None:
                raise _unsettled(self.model, node, group)
            if node in in_vain and is_in:
                flow = flow + until.flow_of([node], weights, clock) + others.scaled(np.array([-1.0]))
        if on_default:
            return _Events(flow, joined)
        reached = (self.model.weights * self.whole.absorption).sum(axis=-1)
        scale = 1.0 / np.where(reached > 0.0, reached, 1.0)
        flow, before = flow.scaled(scale), self._before(states, group, weights * scale[:, None])
        return _Events(flow + before, _scaled(joined, scale[:, None]))

    def _of_node(self, node: Node, group: Group, clock: str, weights: Floats) -> Come:
        """Return first events at a node, of patients who benefit and are in a group at the end of its window."""
        pathway = self.model.pathway
        if node not in self._started:
            self._started[node] = self.onward(node)
        total = NOBODY
        for cell, one in enumerate(np.eye(len(self.model.cells))):
            came = self.treated.come(self.treated.flow_of([node], weights * one, pathway.clock))
            joining = self._joining(came, node, group, cell)
            if clock != pathway.clock and pathway.start != pathway.clock_state:
                arrivals = self.treated.flows.before_default([pathway.clock_state], "in", one[None])
                joining = self._following(self.treated.come(arrivals), joining)
            total = _sum(total, joining)
        return total

    def _following(self, first: Come, then: Come) -> Come:
        """Return who comes after the first ones, as in `then` from each of them on."""
        came, way = (measures.as_onward(_measure(come, self.lattice), self.lattice) for come in (first, then))
        both = measures.along(came, way, self.lattice)
        return measures.come(both, self.lattice), measures.mean(both, self.lattice)[:, :-1]

    def _joining(self, come: Come, node: Node, group: Group, cell: int) -> Come:
        """Return the part of who came to a node that is in a group at the end of its window."""
        by, means = come
        started = self._started[node].alone(cell)
        members, mean = started.size_by_month(group.name), started.mean_size(group.name)
        # At a point of the lattice many may join at once: so many are of the group just before.
        before = np.concatenate([members[:, :1], 2.0 * mean - members[:, :-1]], axis=1)
        left = round(self.model.pathway.group_window / self.lattice.step) - np.arange(by.shape[1])
        closed = float(bool(node.marks & set(group.entered)))
        at_end = np.where(left >= 0, members[:, np.maximum(left, 0)], closed)
        at_start = np.where(left > 0, before[:, np.maximum(left, 0)], closed)[:, :-1]
        came = np.diff(by)
        late = by[:, :-1] + 0.5 * came - means
        middle, slope = 0.5 * (at_start + at_end[:, 1:]), at_end[:, 1:] - at_start
        # Within a cell both are linear, their means kept: int G dF, and how far after the cell's middle it lies.
        masses, moments = middle * came + slope * late, middle * late + slope * came / 12.0
        joint = np.cumsum(np.concatenate([by[:, :1] * at_end[:, :1], masses], axis=-1), axis=-1)
        return joint, joint[:, :-1] + 0.5 * masses - moments

    def _before(self, states: set[str], group: Group, weights: Floats) -> Flow:
        """Return events before the default clock, of patients who reach it and are in a group later."""
        pathway, flows = self.model.pathway, self.until.flows
        total = flows.before_default([], "in", weights)
        for state in sorted(states & pathway.states_before_clock):
            reach = visits(self.model, state, until=pathway.clock_state).get(pathway.clock_state, np.zeros((1, 1)))
            reach = np.broadcast_to(reach, (len(reach), len(self.model.cells)))
            for cell, one in enumerate(np.eye(len(self.model.cells))):
                share = reach[:, cell] * self.whole.alone(cell).size(group.name)
                total = total + flows.before_default([state], "in", weights * one).scaled(share)
        return total


class _Events(NamedTuple):
    """First events: a flow, and what is not one."""

    flow: Flow
    joined: Come = NOBODY


def _sum(*parts: Come) -> Come:
    by, means = zip(*parts, strict=True)
    return np.asarray(sum(by)), np.asarray(sum(means))


def _scaled(come: Come, factor: Floats) -> Come:
    return come[0] * factor, come[1] * factor


def _measure(come: Come, lattice: Lattice) -> measures.Measure:
    """Return the transformed measure of who has come; who comes at a point of the lattice ends the cell before it."""
    by, means = come
    masses = np.diff(by, append=by[:, -1:])
    late = by[:, :-1] + 0.5 * masses[:, :-1] - means
    points = np.pad(by[:, :1], ((0, 0), (0, by.shape[1] - 1)))
    return measures.transformed(measures.Measure(points, masses, np.pad(late, ((0, 0), (0, 1)))), lattice)


def _settled(node: Node, group: Group, onward: Mapping[str, Iterable[str]]) -> bool | None:
    """Return whether patients at a node are in a group for good, or are not; None where that may change."""
    ahead = set() if CLOSED in node.marks else reachable(onward[node.state], onward.__getitem__)
    if node.marks & set(group.not_entered):
        return False
    if node.marks & set(group.entered):
        return None if ahead & set(group.not_entered) else True
    return None if ahead & set(group.entered) else False


def _unsettled(model: Model, node: Node, group: Group) -> TooCoarse:
    return TooCoarse(
        "the exact engine does not follow patients without benefit into a group after an event",
        where=f"{model.scenario.where}: [groups.{group.name}]",
        got=f"an event at '{node.state}'",
        allowed="run, compare or sweep with --engine auto or microsim",
    )
