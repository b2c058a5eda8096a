"""Which shares the coefficient of each path is a product of, so that shares can move without an engine.

    there(t) = sum_r sign_r w_r P_r(t),   w_r = sum over cells of weight x product of the shares on route r

A route is a path of times with the branches that are taken on it. Shares of patients with benefit and without add up
to the share treated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from simulator.arrays import Booleans
from simulator.engines.exact import history_graph
from simulator.engines.exact.combinations import cells_alike, laws_of
from simulator.engines.exact.history_graph import Graph
from simulator.engines.exact.paths import Paths, Start, Step, Then, Through
from simulator.engines.exact.paths_without_benefit import Dying, Entering, Living
from simulator.engines.exits import Exit
from simulator.engines.model import Model
from simulator.engines.no_benefit import open_exits
from simulator.pathway.pathway import reachable

MOST_ROUTES = 20_000

BENEFIT, WITHOUT = "with benefit", "without benefit"


class TooManyRoutes(Exception):
    """There are more routes than a page can add up."""


@dataclass(frozen=True)
class Branch:
    """A branch that patients take.

    among : the exits that are open to them, whose shares are made to sum to one; () for all
    who : of those who reach the marginal decision, all (""), or those who are treated with benefit, or without
    """

    state: str
    name: str
    among: tuple[str, ...] = ()
    who: str = ""


@dataclass(frozen=True)
class Route:
    """Along a path, by branches, in some cells of the case mix (None for all); `sign` -1 for those who leave."""

    path: int
    branches: tuple[Branch, ...] = ()
    cells: tuple[bool, ...] | None = None
    sign: int = 1

    def onward(self, path: int, branches: Iterable[Branch] = (), cells: Booleans | None = None) -> Route:
        """Return the route of those who go on by a path, in some of the cells."""
        among = self.cells if cells is None else tuple((cells & np.array(self.cells or [True])).tolist())
        return Route(path, (*self.branches, *branches), among, self.sign)


@dataclass(frozen=True)
class Routes:
    """By state: the routes of who enters it, and of who is there (those who left count -1)."""

    entered: dict[str, list[Route]]
    there: dict[str, list[Route]]

    @property
    def all(self) -> list[Route]:
        return [route for by_state in (self.entered, self.there) for routes in by_state.values() for route in routes]

    def add(self, state: str, entered: Iterable[Route] = (), there: Iterable[Route] = ()) -> None:
        self.entered.setdefault(state, []).extend(entered)
        self.there.setdefault(state, []).extend(there)
        if len(self.entered[state]) + len(self.there[state]) > MOST_ROUTES:
            raise TooManyRoutes


def routes(model: Model, paths: Paths) -> Routes:
    """Return the routes of a model from the default clock on. Raises TooManyRoutes."""
    pathway = model.pathway
    ways = open_ways(model)
    graph = history_graph.build(pathway.clock_state, ways=ways)
    rule = pathway.marginal

    def branch(state: str, exit: Exit) -> Branch:
        is_marginal = rule is not None and (state, exit.name) == (rule.decision, rule.branch)
        return Branch(state, exit.name, (), BENEFIT if is_marginal else "")

    all_routes = _along(model, paths, graph, branch)
    if rule is not None and rule.decision in all_routes.entered:
        _add_without_benefit(all_routes, model, paths, ways)
    return all_routes


def open_ways(model: Model) -> history_graph.Ways:
    """Return the exits that patients may take: those with a share, and the others that lead nobody back."""
    taken = {name: [model.instant[name]] if name in model.instant else exits for name, exits in model.exits.items()}
    onward = {state: [exit.to for exit in exits if exit.has_share] for state, exits in taken.items()}
    for state, exits in taken.items():
        for exit in exits:
            if not exit.has_share and state not in reachable([exit.to], onward.__getitem__):
                onward[state].append(exit.to)
    ways = {
        state: [(exit.name, exit.to) for exit in exits if exit.to in onward[state]] for state, exits in taken.items()
    }
    return tuple((state, tuple(exits)) for state, exits in ways.items())


def _along(model: Model, paths: Paths, graph: Graph, branch: Callable[[str, Exit], Branch]) -> Routes:
    """Return the routes on a graph, whose nodes are the states."""
    routes = Routes({}, {})
    routes.add(graph.start.state, [Route(paths.place(Start()))])
    for node in graph.nodes:
        state, came = node.state, routes.entered[node.state]
        taken = {edge.exit: edge.target.state for edge in graph.out_of[node]}
        exits = [exit for exit in model.exits[state] if exit.name in taken]
        timeless = state in model.timeless
        if not timeless:
            routes.add(state, (), came)
        for exit in exits:
            chosen = [branch(state, exit)] if exit.probability is not None and len(exits) > 1 else []
            if timeless:
                left = [route.onward(route.path, chosen) for route in came]
            else:
                place = model.exits[state].index(exit)
                left = [
                    route.onward(paths.place(Through(route.path, *laws[place])), chosen, cells)
                    for cells, laws in laws_of(model.exits[state], paths)
                    for route in came
                ]
                routes.add(state, (), [replace(route, sign=-route.sign) for route in left])
            routes.add(taken[exit.name], left)
    return routes


def _add_without_benefit(routes: Routes, model: Model, paths: Paths, ways: history_graph.Ways) -> None:
    """Add the routes of patients treated without benefit, who die when supportive care would have seen it."""
    pathway, rule = model.pathway, model.pathway.marginal
    assert rule is not None
    shut = replace(model, exits={name: open_exits(pathway, name, exits) for name, exits in model.exits.items()})
    open_to = {name: {exit.name for exit in exits} for name, exits in shut.exits.items()}
    ways = tuple((name, tuple(way for way in taken if way[0] in open_to[name])) for name, taken in ways)
    target = pathway.states[rule.decision].transition(rule.branch).to

    def branch(state: str, exit: Exit) -> Branch:
        is_whole = len(open_to[state]) == len(model.exits[state])
        return Branch(state, exit.name, () if is_whole else tuple(sorted(open_to[state])))

    alive = _along(shut, paths, history_graph.build(target, ways=ways), branch)
    decided = routes.entered[rule.decision]
    marginal = Branch(rule.decision, rule.branch, (), WITHOUT)
    for cells, of_cell in cells_alike(model.exits[rule.otherwise]):
        law = paths.law(of_cell)

        def then(
            routes: Sequence[Route], step: Callable[..., Step], law: int = law, cells: Booleans | None = cells
        ) -> list[Route]:
            return [
                replace(
                    first.onward(first.path, [marginal], cells).onward(
                        paths.place(Then(first.path, paths.place(step(route.path, law)))),
                        route.branches,
                        None if route.cells is None else np.array(route.cells),
                    ),
                    sign=route.sign,
                )
                for first in decided
                for route in routes
            ]

        for state, there in alive.there.items():
            entered = then(alive.entered[state], Entering)
            is_over = model.is_over(state)
            routes.add(state, entered, entered if is_over else then(there, Living))
            for cause, exit in enumerate(model.exits[rule.otherwise] if not is_over else ()):
                dead = then(there, partial(Dying, cause=cause))
                routes.add(exit.to, dead, dead if model.is_over(exit.to) else ())
