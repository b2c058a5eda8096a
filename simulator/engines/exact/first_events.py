"""First entries into the states of an end point, by cause: the model is solved as it is, and with these states as ends.

A group has who enters its states before the event or after it. Of who is not yet settled at the event, a share

    P(event by t, in the group) = int_0^t G_j(W - s) dF_j(s)

belongs to it: F_j of events at node j, G_j who is in the group so long after them, W the end of the group window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from simulator.arrays import Floats
from simulator.engines.exact.accuracy import TooCoarse
from simulator.engines.exact.embedded import visits
from simulator.engines.exact.history_graph import CLOSED, Node
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.solution import ROUNDING, Solution
from simulator.engines.model import Model
from simulator.engines.no_benefit import ways
from simulator.pathway.pathway import Group, reachable

Flow = tuple[Floats, Floats]
"""Who has come by every lattice point, (n_draws or 1, n), and as means over the lattice's cells, (..., n - 1)."""


@dataclass(frozen=True)
class FirstEvents:
    """`whole`: the solved model; `until`: the same, followed to the states of the `causes` only.

    onward : node -> the model, solved for patients who start there
    """

    whole: Solution
    until: Solution
    causes: Mapping[str, tuple[str, ...]]
    onward: Callable[[Node], Solution]
    _kept: dict[tuple[str, str, str], Flow] = field(default_factory=dict)
    _started: dict[Node, Solution] = field(default_factory=dict)

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

    def survival_of(self, keys: Sequence[tuple[str, str]]) -> tuple[list[Floats], list[Floats]]:
        """Return the probability of no event by a month, (n_draws, n_months), and its means, by (clock, population).

        NaN where a population is empty.
        """
        by_cause = [[self.incidence(cause, name, clock) for cause in self.causes] for clock, name in keys]
        alive, means = (
            [np.clip(1.0 - sum(flow[k] for flow in causes), 0.0, 1.0) for causes in by_cause] for k in (0, 1)
        )
        return alive, means

    def survival(self, population: str, clock: str) -> Floats:
        """Return the probability of no event by a month, (n_draws, n_months); NaN where the population is empty."""
        (alive,), _ = self.survival_of([(clock, population)])
        return alive

    def incidence(self, cause: str, population: str, clock: str) -> Flow:
        """Return the probability of a first event of a cause by a month, (n_draws, n_months), and its means."""
        if (cause, population, clock) not in self._kept:
            self._kept[cause, population, clock] = self._incidence(self.causes[cause], population, clock)
        return self._kept[cause, population, clock]

    def _incidence(self, states: tuple[str, ...], population: str, clock: str) -> Flow:
        n_months, n_draws = self.whole.n_months, self.model.n_draws
        size, empty = self.whole.size(population, clock)[:, None], 0.0
        if group := self.model.pathway.groups.get(population):
            by, means = self._of_group(set(states), group, clock)
            empty = ROUNDING
        else:
            by = self.until.entered(states, population, clock)
            means = self.until.between(states, population, clock, "in")

        def share(flow: Floats, n: int) -> Floats:
            flow = np.broadcast_to(flow[:, :n], (n_draws, n))
            with np.errstate(invalid="ignore", divide="ignore"):
                values = np.where(size > empty, flow / size, np.nan)
            return np.clip(np.maximum.accumulate(values, axis=-1), 0.0, 1.0)

        return share(by, n_months), share(means, n_months - 1)

    def _of_group(self, states: set[str], group: Group, clock: str) -> Flow:
        """Return first events of patients who are in a group at the end of its window."""
        pathway, until, treated = self.model.pathway, self.until, self.treated
        on_default = clock == pathway.clock
        weights = until.weights if on_default else np.atleast_2d(self.model.weights)
        in_vain = until.flows.nodes_without_benefit
        total = NOBODY
        for node in (node for node in until.flows.nodes if node.state in states):
            total = _sum(total, self._of_node(node, group, clock, weights))
            if node in in_vain:
                is_in = _settled(node, group, self._without_benefit)
                if is_in is None:
                    raise _unsettled(self.model, node, group)
                everybody, others = until.came([node], weights, clock), treated.came([node], weights, clock)
                total = _sum(total, _scaled(everybody, float(is_in)), _scaled(others, -float(is_in)))
        if on_default:
            return total
        reached = (self.model.weights * self.whole.absorption).sum(axis=-1)[:, None]
        before = self._before(states, group, weights)
        return _scaled(_sum(total, before), 1.0 / np.where(reached > 0.0, reached, 1.0))

    def _of_node(self, node: Node, group: Group, clock: str, weights: Floats) -> Flow:
        """Return first events at a node, of patients who benefit and are in a group at the end of its window."""
        is_in, pathway = _settled(node, group, self.model.onward), self.model.pathway
        if is_in is not None:
            return self.treated.came([node], weights, clock) if is_in else NOBODY
        if node not in self._started:
            self._started[node] = self.onward(node)
        total = NOBODY
        for cell, one in enumerate(np.eye(len(self.model.cells))):
            joining = self._joining(self.treated.came([node], weights * one, pathway.clock), node, group, cell)
            if clock != pathway.clock and pathway.start != pathway.clock_state:
                joining = _following(self.treated.came_before(pathway.clock_state, one[None]), joining)
            total = _sum(total, joining)
        return total

    def _joining(self, came: Flow, node: Node, group: Group, cell: int) -> Flow:
        """Return the part of who came to a node that is in a group at the end of its window."""
        by, means = came
        members = self._started[node].alone(cell).size_by_month(group.name)
        left = round(self.model.pathway.group_window / self.lattice.step) - np.arange(by.shape[1])
        share = np.where(left >= 0, members[:, np.maximum(left, 0)], float(bool(node.marks & set(group.entered))))
        masses = np.diff(by) * 0.5 * (share[:, 1:] + share[:, :-1])
        joint = np.cumsum(np.concatenate([by[:, :1] * share[:, :1], masses], axis=-1), axis=-1)
        return joint, np.cumsum(np.diff(means, prepend=0.0) * share[:, :-1], axis=-1)

    def _before(self, states: set[str], group: Group, weights: Floats) -> Flow:
        """Return events before the default clock, of patients who reach it and are in a group later."""
        pathway, total = self.model.pathway, NOBODY
        for state in sorted(states & pathway.states_before_clock):
            reach = visits(self.model, state, until=pathway.clock_state).get(pathway.clock_state, np.zeros((1, 1)))
            reach = np.broadcast_to(reach, (len(reach), len(self.model.cells)))
            for cell, one in enumerate(np.eye(len(self.model.cells))):
                share = reach[:, cell] * self.whole.alone(cell).size(group.name)
                total = _sum(total, _scaled(self.until.came_before(state, weights * one), share[:, None]))
        return total


NOBODY: Flow = (np.zeros((1, 1)), np.zeros((1, 1)))


def _sum(*flows: Flow) -> Flow:
    by, means = zip(*flows, strict=True)
    return np.asarray(sum(by)), np.asarray(sum(means))


def _scaled(flow: Flow, factor: Floats | float) -> Flow:
    return flow[0] * factor, flow[1] * factor


def _following(first: Flow, then: Flow) -> Flow:
    """Return a flow that begins for each patient when they come in the first one."""
    (by, means), (by_then, means_then) = first, then
    edges, at_once = np.diff(means, prepend=0.0), by_then[:, :1]
    return at_once * by + _convolved(edges, by_then - at_once), _convolved(edges, means_then)


def _convolved(masses: Floats, values: Floats) -> Floats:
    """Return a convolution, (n_draws or 1, n), as far as the values go."""
    n, padded = values.shape[1], masses.shape[1] + values.shape[1]
    return np.asarray(np.fft.irfft(np.fft.rfft(masses, padded) * np.fft.rfft(values, padded), padded)[:, :n])


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
        allowed="--engine microsim",
    )
