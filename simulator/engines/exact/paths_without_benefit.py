"""Paths of patients treated without benefit, who die when supportive care would have seen it.

there without benefit = C_r(t) S(t)      C_r a path curve from the decision on, S survival under supportive care
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from simulator.arrays import Floats
from simulator.engines.exact import history_graph
from simulator.engines.exact.combinations import Combination, Combinations, add, cells_alike, merged
from simulator.engines.exact.history_graph import CLOSED, Marking, Node
from simulator.engines.exact.late_entries import late, of_cells, on_edges
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.measures import InTime, Leaving, Measure, added, transformed, whole
from simulator.engines.exact.paths import AlongPath, Paths, Start, Step, Then
from simulator.engines.no_benefit import open_exits


class Meeting(NamedTuple):
    """Who has gone along a path, and who is dead under supportive care, by the lattice's cells, (n_draws or 1, n).

    before : gone along it at a cell's start; at_points, came, late : who go along it at the points, in a cell, and the
    moment; alive, dying, dying_late : who lives at a cell's start, and who dies in it, and the moment
    """

    before: Floats
    at_points: Floats
    came: Floats
    late: Floats
    alive: Floats
    dying: Floats
    dying_late: Floats

    @property
    def came_means(self) -> Floats:
        """The mean over the cell of who came in it."""
        return 0.5 * self.came - self.late

    @property
    def dead_means(self) -> Floats:
        """The mean over the cell of who died in it."""
        return 0.5 * self.dying - self.dying_late


def meeting(path: int, law: int, paths: Paths) -> Meeting:
    """Return how a path and the deaths by a law meet."""

    def make() -> Meeting:
        came = paths.measure_in_time(path)
        died = _dying(paths.law_in_time(law), paths.lattice)
        before = _by_cell(came)
        return Meeting(before, *came, 1.0 - _by_cell(died), died.masses, died.moments)

    return paths.once(("meeting", path, law), make)


def _dying(exits: Sequence[Leaving], lattice: Lattice) -> InTime:
    """Return who dies by any of some exits, from the decision on."""
    return whole(added(*(part for exit in exits for part in (exit.smooth, exit.at_points))), lattice)


def _by_cell(measure: InTime) -> Floats:
    """Return how many have come by the start of every cell, who come at its first point among them."""
    come = np.cumsum(measure.points, axis=-1) + np.cumsum(measure.masses, axis=-1)
    come -= measure.masses
    return come


@dataclass(frozen=True)
class Entering(AlongPath):
    """Along a path, alive. mass = int S dC in each cell"""

    law: int

    def measure(self, paths: Paths) -> Measure:
        m = meeting(self.path, self.law, paths)
        alive = m.alive - m.dead_means
        masses = alive * m.came - m.dying * m.late
        moments = alive * m.late - m.dying * m.came / 12.0
        return transformed(Measure(m.at_points * m.alive, masses, moments), paths.lattice)


@dataclass(frozen=True)
class Living(AlongPath):
    """Gone along a path, and alive: C S."""

    law: int

    def measure(self, paths: Paths) -> Measure:
        m = meeting(self.path, self.law, paths)
        there = m.before * m.alive
        masses = (m.before + m.came) * (m.alive - m.dying) - there
        inside = m.alive * m.came_means - m.before * m.dead_means - m.came_means * m.dead_means
        moments = 0.5 * masses - (inside - m.came * m.dying / 12.0)
        points = np.diff(there, prepend=0.0)
        points[:, 1:] -= masses[:, :-1]
        return transformed(Measure(points, masses, moments), paths.lattice)


@dataclass(frozen=True)
class Dying(AlongPath):
    """Gone along a path, and dead since by a cause. mass = int C dD in each cell"""

    law: int
    cause: int

    def measure(self, paths: Paths) -> Measure:
        m, died = (
            meeting(self.path, self.law, paths),
            _dying([paths.law_in_time(self.law)[self.cause]], paths.lattice),
        )
        there = m.before + m.came_means
        masses = there * died.masses + m.came * died.moments
        moments = there * died.moments + m.came * died.masses / 12.0
        # Who goes along it at the moment of death has died before.
        points = (m.before - m.at_points) * died.points
        return transformed(Measure(points, masses, moments), paths.lattice)


@dataclass(frozen=True)
class Late:
    """Along a path to the decision, then to a group's state after its window, and on: alive, or dying by a cause."""

    came: int
    first: int
    onward: int
    law: int
    months: float
    cause: int | None = None

    @property
    def before(self) -> tuple[int, ...]:
        return self.came, self.first, self.onward

    def measure(self, paths: Paths) -> Measure:
        lattice, window = paths.lattice, round(self.months / paths.lattice.step)
        came, first, onward = (on_edges(paths.measure_in_time(path)) for path in self.before)
        died = _dying(paths.law_in_time(self.law), lattice)
        if self.cause is None:
            alive = 1.0 - _by_cell(died) + 0.5 * died.points
            masses = of_cells(late(came, first, onward.at_points + onward.spread, alive, window))
        else:
            dying = _dying([paths.law_in_time(self.law)[self.cause]], lattice)
            there = np.cumsum(onward.at_points + onward.spread, axis=-1)
            masses = late(came, first, there, dying.masses, window)
            before = there - onward.at_points - 0.5 * onward.spread
            masses = masses + of_cells(late(came, first, before, dying.points, window))
        return transformed(Measure(None, masses, np.zeros_like(masses)), lattice)


Marks = frozenset[str]


@dataclass(frozen=True)
class WithoutBenefit:
    """Who enters each node, who is there, and who passes from marks to others, without benefit; their decision."""

    decision: Node
    entered: dict[Node, Combination] = field(default_factory=dict)
    there: dict[Node, Combination] = field(default_factory=dict)
    marked: dict[tuple[Marks, Marks], Combination] = field(default_factory=dict)


def without_benefit(treated: Combinations, decision: Node, marking: Marking) -> WithoutBenefit:
    """Return the combinations of patients without benefit, from a decision's node on."""
    model, paths, share = treated.model, treated.paths, treated.without_benefit
    rule = model.pathway.marginal
    assert rule is not None
    assert share is not None
    target = model.pathway.states[rule.decision].transition(rule.branch).to
    shut = replace(model, exits={name: open_exits(model.pathway, name, ways) for name, ways in model.exits.items()})
    start = {paths.place(Start()): np.ones((1, 1))}
    # Where the decision comes after the clock has started, the window ends at another month for each patient.
    at_start = treated.entered[decision].keys() <= start.keys()
    marking = marking if at_start else marking.uncut()
    graph = history_graph.build(target, marking=marking, marks=decision.marks, ways=shut.open_ways)
    alive = Combinations(shut, graph, paths, start, merging=treated.merging).solve()
    part = WithoutBenefit(decision)
    untreated = model.exits[rule.otherwise]
    for cells, of_cell in cells_alike(untreated):
        law = paths.law(of_cell)
        for before, share_before in treated.entered[decision].items():
            treated_so = share * share_before * (1.0 if cells is None else cells)

            one = _Treated(paths, before, law, treated_so)
            add(part.marked.setdefault((decision.marks, graph.start.marks), {}), one.then(alive.start, Entering))
            for edge, passed in alive.passed.items():
                marks = edge.source.marks, edge.target.marks
                add(part.marked.setdefault(marks, {}), one.then(passed, Entering) if marks[0] != marks[1] else {})
            for node in graph.nodes:
                add(part.entered.setdefault(node, {}), one.then(alive.entered[node], Entering))
                # Who is followed no further is not followed to death either; who died of treatment dies once.
                staying = {} if model.is_over(node.state) else alive.staying(node)
                add(part.there.setdefault(node, {}), one.then(staying, Living))
                for cause, exit in enumerate(untreated):
                    dead = one.then(staying, partial(Dying, cause=cause))
                    add(part.entered.setdefault(Node(exit.to, node.marks), {}), dead)
    if treated.graph.is_cut and not at_start and CLOSED not in decision.marks:
        _move_late(part, treated, alive, decision)
    for node, entered in part.entered.items():
        if model.is_over(node.state):
            part.there[node] = entered
    return part


def _move_late(part: WithoutBenefit, treated: Combinations, alive: Combinations, decision: Node) -> None:
    """Move who comes to a group's state after the window back to the marks before: their deaths and end points."""
    model, paths, window = treated.model, treated.paths, treated.model.pathway.group_window
    rule, share = model.pathway.marginal, treated.without_benefit
    assert rule is not None
    assert share is not None
    untreated = model.exits[rule.otherwise]
    edges = [(edge.source.marks, edge.target, passed) for edge, passed in alive.passed.items()]
    for marks, target, first in [(decision.marks, alive.graph.start, alive.start), *edges]:
        if marks == target.marks:
            continue
        graph = history_graph.build(target.state, ways=alive.model.open_ways)
        onward = Combinations(alive.model, graph, paths, alive.start, merging=alive.merging).solve()
        staying: Combination = {}
        for node in graph.nodes:
            add(staying, {} if model.is_over(node.state) else onward.staying(node))
        events: list[tuple[str, Combination, int | None]] = [
            (node.state, onward.entered[node], None) for node in graph.nodes if model.is_over(node.state)
        ]
        events += [(exit.to, staying, cause) for cause, exit in enumerate(untreated)]
        for cells, of_cell in cells_alike(untreated):
            law = paths.law(of_cell)
            of_law = share * (1.0 if cells is None else cells)
            come = {path: of_law * came for path, came in treated.entered[decision].items()}
            for state, after, cause in events:
                moved: Combination = {}
                parts = (merged(part_of_path, paths).items() for part_of_path in (come, first, after))
                for (one, of_one), (two, of_two), (three, of_three) in product(*parts):
                    moved[paths.place(Late(one, two, three, law, window, cause))] = of_one * of_two * of_three
                add(part.entered.setdefault(Node(state, marks | {CLOSED}), {}), moved)
                add(part.entered.setdefault(Node(state, target.marks), {}), moved, -1.0)


@dataclass(frozen=True)
class _Treated:
    """Patients who come to the decision along a path, in some cells of the case mix, and a law of their deaths."""

    paths: Paths
    before: int
    law: int
    share: Floats

    def then(self, onward: Combination, step: Callable[..., Step]) -> Combination:
        """Return who goes on along some paths."""
        places = {path: self.paths.place(step(path, self.law)) for path in onward}
        return {self.paths.place(Then(self.before, places[path])): self.share * onward[path] for path in onward}
