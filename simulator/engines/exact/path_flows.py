"""Flows of a model without cycles, as combinations of path curves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulator.arrays import Floats
from simulator.engines.exact.combinations import Combination, Combinations, add, mixed
from simulator.engines.exact.history_graph import Graph, Marking, Node
from simulator.engines.exact.paths import Paths, Start, Then, TooManyPaths
from simulator.engines.exact.paths_without_benefit import WithoutBenefit, without_benefit
from simulator.engines.model import Model
from simulator.engines.no_benefit import share_without_benefit

Marks = Callable[[frozenset[str]], bool]
Shares = Mapping[int, Floats]
"""Path -> its coefficient over the case mix, (n_draws or 1,)."""


@dataclass(frozen=True)
class PathFlow:
    """A sum of path curves."""

    shares: Shares

    def __add__(self, other: PathFlow) -> PathFlow:
        total = dict(self.shares)
        add(total, other.shares)
        return PathFlow(total)

    def scaled(self, factor: Floats) -> PathFlow:
        """Return the flow times a factor, (n_draws or 1,)."""
        return PathFlow({path: share * factor for path, share in self.shares.items()})


@dataclass(frozen=True)
class PathFlows:
    """The flows of a model: after the default clock, before it (None where it starts at entry), without benefit."""

    after: Combinations
    before: Combinations | None
    no_benefit: Sequence[WithoutBenefit]
    _totals: dict[tuple[tuple[Node, ...], str], tuple[tuple[int, ...], Floats]] = field(default_factory=dict)

    @property
    def nodes(self) -> list[Node]:
        """Every node after the default clock."""
        added = (node for part in self.no_benefit for node in part.entered)
        return list(dict.fromkeys([*self.after.graph.nodes, *added]))

    @property
    def nodes_without_benefit(self) -> set[Node]:
        """Every node that patients treated without benefit enter."""
        return {node for part in self.no_benefit for node in part.entered}

    def with_benefit(self) -> PathFlows:
        """Return the flows of the other patients."""
        return PathFlows(self.after, self.before, ())

    def total(self, nodes: Iterable[Node], which: str, weights: Floats, *, from_entry: bool) -> PathFlow:
        """Return who enters nodes, `in`, or that less who leaves, `net`, mixed by weights (n_draws or 1, n_cells).

        from_entry : on the entry clock, where it follows the arrivals at the default clock
        """
        used, coefficients = self._at(tuple(nodes), which)
        if not from_entry or self.before is None:
            return PathFlow(dict(zip(used, (coefficients * weights).sum(axis=-1), strict=True)))
        paths, shares = self.after.paths, dict[int, Floats]()
        arrivals = self.before.entered.get(Node(self.after.model.pathway.clock_state, frozenset()), {})
        for before, share in arrivals.items():
            mixed_on = (coefficients * (weights * share)).sum(axis=-1)
            for path, of_path, has_some in zip(used, mixed_on, mixed_on.any(axis=-1), strict=True):
                if has_some:
                    shares[paths.place(Then(before, path))] = of_path
        return PathFlow(shares)

    def before_default(self, states: Iterable[str], which: str, weights: Floats) -> PathFlow:
        """Return the same of states between entry and the default clock."""
        states = set(states)
        total: Combination = {}
        for node in self.before.graph.nodes if self.before is not None else ():
            assert self.before is not None
            if node.state in states:
                add(total, self.before.entered[node] if which == "in" else self.before.staying(node))
        return PathFlow(mixed(total, weights))

    def joined(self, marks: Marks, weights: Floats) -> PathFlow:
        """Return entries into a population less exits, on the default clock: where marks change."""
        total: Combination = {}
        if marks(self.after.graph.start.marks):
            add(total, self.after.start)
        for edge, passed in self.after.passed.items():
            if sign := int(marks(edge.target.marks)) - int(marks(edge.source.marks)):
                add(total, passed, sign)
        for part in self.no_benefit:
            for (source, target), passed in part.marked.items():
                if sign := int(marks(target)) - int(marks(source)):
                    add(total, passed, sign)
        return PathFlow(mixed(total, weights))

    def _at(self, nodes: tuple[Node, ...], which: str) -> tuple[tuple[int, ...], Floats]:
        """Return who enters nodes after the default clock, or that less who leaves them: their paths, and the share of
        patients on each, (n_paths, n_draws or 1, n_cells or 1), which is mixed for many populations."""
        if (nodes, which) in self._totals:
            return self._totals[nodes, which]
        total: Combination = {}
        for node in nodes:
            if node in self.after.graph.out_of:
                add(total, self.after.entered[node] if which == "in" else self.after.staying(node))
            for part in self.no_benefit:
                add(total, (part.entered if which == "in" else part.there).get(node, {}))
        coefficients = np.stack(np.broadcast_arrays(*total.values())) if total else np.zeros((0, 1, 1))
        self._totals[nodes, which] = tuple(total), coefficients
        return self._totals[nodes, which]

    def cumulative(self, flows: Sequence[PathFlow]) -> list[Floats]:
        """Return how many of each flow have come by every lattice point, (n_draws or 1, n)."""
        return self._sums(flows, self.after.paths.curve)

    def between(self, flows: Sequence[PathFlow]) -> list[Floats]:
        """Return the mean of that over every cell, (n_draws or 1, n)."""
        return self._sums(flows, self.after.paths.mean)

    def _sums(self, flows: Sequence[PathFlow], curve: Callable[[int], Floats]) -> list[Floats]:
        used, shares = of_paths(flows)
        if not used:
            return [np.zeros((1, self.after.paths.lattice.n))] * len(flows)
        curves = np.broadcast_arrays(*(self.after.paths.repeated(curve(path)) for path in used))
        # One product of matrices a draw: paths are many, and so are the flows that go along them.
        return list(np.moveaxis(np.matmul(shares, np.stack(curves, axis=1)), 1, 0))

    def at(self, flow: PathFlow, months: Sequence[float]) -> Floats:
        """Return how many have come by months, (n_draws or 1, n_months)."""
        return self._read(flow, self.after.paths.at, months)

    def up_to(self, flow: PathFlow, months: Sequence[float]) -> Floats:
        """Return the integral of that from 0 to months, (n_draws or 1, n_months)."""
        return self._read(flow, self.after.paths.up_to, months)

    def _read(
        self, flow: PathFlow, read: Callable[[int, tuple[float, ...]], Floats], months: Sequence[float]
    ) -> Floats:
        repeated, months = self.after.paths.repeated, tuple(months)
        parts = (share[:, None] * repeated(read(path, months)) for path, share in flow.shares.items())
        return np.asarray(sum(parts, np.zeros((1, len(months)))))


def of_paths(flows: Sequence[PathFlow]) -> tuple[tuple[int, ...], Floats]:
    """Return all paths that flows use, and their shares, (n_draws or 1, n_flows, n_used)."""
    used = tuple(sorted({path for flow in flows for path in flow.shares}))
    places = {path: place for place, path in enumerate(used)}
    n_draws = max((share.size for flow in flows for share in flow.shares.values()), default=1)
    shares = np.zeros((len(flows), len(used), n_draws))
    for number, flow in enumerate(flows):
        for path, share in flow.shares.items():
            shares[number, places[path]] = share
    return used, np.ascontiguousarray(shares.transpose(2, 0, 1))


def flows(model: Model, paths: Paths, after: Graph, before: Graph | None, marking: Marking) -> PathFlows:
    """Return the flows of a model on the graphs after the default clock and before it.

    Paths of models of the same draws are used and added to; where there are too many, they are merged in the states.
    Raises TooManyPaths where draws are repeated.
    """
    try:
        return _flows(model, paths, after, before, marking, merging=False)
    except TooManyPaths:
        if paths.repeats > 1:
            raise
        return _flows(model, Paths(paths.lattice, np.inf), after, before, marking, merging=True)


def _flows(
    model: Model, paths: Paths, after: Graph, before: Graph | None, marking: Marking, *, merging: bool
) -> PathFlows:
    start = {paths.place(Start()): np.ones((1, 1))}
    treated = Combinations(model, after, paths, start, share_without_benefit(model), merging).solve()
    reached = None if before is None else Combinations(model, before, paths, start, merging=merging).solve()
    rule = model.pathway.marginal
    decisions = [node for node in after.nodes if rule is not None and node.state == rule.decision]
    has_some = treated.without_benefit is not None
    parts = [without_benefit(treated, node, marking) for node in decisions if has_some]
    return PathFlows(treated, reached, parts)
