"""The exact engine: one model's curves without Monte Carlo noise, from sums over paths or from renewal equations.

Time before the default clock and after it are solved apart; on the entry clock the second follows the first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from simulator.arrays import Floats
from simulator.engines.curves import Curves, check_horizon, mixed, populations, split_level
from simulator.engines.exact import accuracy, crossing, history_graph, path_flows, renewal_flows
from simulator.engines.exact.embedded import absorption
from simulator.engines.exact.first_events import FirstEvents
from simulator.engines.exact.history_graph import Marking
from simulator.engines.exact.lattice import Lattice, choose_step
from simulator.engines.exact.paths import Paths
from simulator.engines.exact.solution import Flows, Solution, months_to
from simulator.engines.model import Model, resolve
from simulator.engines.no_benefit import ends_of_benefit
from simulator.engines.steps import STEP
from simulator.errors import InputError
from simulator.pathway.end_points import EndPoint
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario

BATCH = 60
"""Draws that are solved at once at most: more take no less time."""
BYTES = 2**28
"""Of what is kept of the draws that are solved at once: of every path its transform and its curves."""
PATHS = {True: 200, False: 50}
"""How many paths there are or so, where patients are told apart by groups and where they are not."""


def batch(pathway: Pathway, horizon: float, only: Wanted | None = None) -> int:
    """Return how many draws are solved at once, by the length of their lattice. `only` : as in `curves`"""
    in_groups = is_windowed(pathway, only)
    n = (pathway.followed(horizon) if in_groups else horizon) / STEP
    return int(np.clip(BYTES / (PATHS[in_groups] * 48 * n), 1, BATCH))


def solve(
    model: Model,
    horizon: float,
    *,
    step: float | None = None,
    window: bool = True,
    paths: Paths | None = None,
    marking: Marking | None = None,
) -> Solution:
    """Return the solved model, to `horizon` months after the default clock (and after entry, on that clock).

    `step` : months a cell; default: chosen so that every sojourn is resolved and, where patients come back, so that
    the error is below `accuracy.LIMIT`. `window` : reach to the end of the group window, so that groups are complete.
    `paths` : of models of the same draws, whose path curves are used and added to. `marking` : with a `step`, what is
    remembered of patients; default: what groups ask for. Raises InputError where a resource is limited, a milestone
    passed, or no lattice is fine enough.
    """
    check_horizon(horizon)
    refuse(model.scenario)
    if step is not None:
        return _solve(model, horizon, step, window, paths, marking)
    step = step_of((model.scenario,), horizon)
    if not accuracy.cycle(model):
        return _solve(model, horizon, step, window)
    return _fine_enough(model, step, horizon, window)


def refuse_coarse(model: Model, horizon: float) -> None:
    """Raise TooCoarse if patients come back so often that no lattice is fine enough."""
    if accuracy.cycle(model):
        solve(model, horizon)


def _moved(coarse: Solution, fine: Solution) -> dict[str, Floats]:
    """Return how far survival, occupancy and end points of two solutions of one model are apart at most, (n_draws,)."""
    alive, there = accuracy.difference(coarse, fine)
    moved = {"survival": alive, "occupancy": there}
    if coarse.model.pathway.end_points:
        free = []
        for end_point in coarse.model.pathway.end_points.values():
            of_coarse, of_fine = (first_events(one, end_point, float(one.months[-1]), False) for one in (coarse, fine))
            free.append(accuracy.of_curves(of_coarse, of_fine))
        moved["end_point"] = np.max(free, axis=0)
    return moved


def _solve(
    model: Model, horizon: float, step: float, window: bool, paths: Paths | None = None, marking: Marking | None = None
) -> Solution:
    pathway = model.pathway
    n_months = months_to(horizon, step).size
    paths = paths or new_paths(pathway, horizon, step, window=window)
    marking = marking or marking_of(pathway, horizon)
    flows = _flows(model, paths, marking, *_graphs(model, marking))
    return Solution(model, paths, n_months, flows, absorption(model))


def _graphs(model: Model, marking: Marking) -> list[history_graph.Graph]:
    """Return the graphs after the default clock and, where it does not start at entry, before it."""
    start, clock = model.pathway.start, model.pathway.clock_state
    after = history_graph.build(clock, marking=marking, ways=model.open_ways)
    if start == clock:
        return [after]
    return [after, history_graph.build(start, ends=frozenset({clock}), ways=model.open_ways)]


def _flows(
    model: Model, paths: Paths, marking: Marking, after: history_graph.Graph, before: history_graph.Graph | None = None
) -> Flows:
    """Return the flows on the graphs after the default clock and before it."""
    # What is followed to an end point only has the same error as the whole, so that causes sum with survival to one.
    comes_back = bool(model.ends) and bool(accuracy.cycle(model))
    if comes_back or after.has_cycle or (before is not None and before.has_cycle):
        return renewal_flows.flows(model, paths.lattice, after, before, marking)
    return path_flows.flows(model, paths, after, before, marking)


def first_events(whole: Solution, end_point: EndPoint, horizon: float, window: bool) -> FirstEvents:
    """Return when patients of a solved model first come to an end point. `window` : as `solve` has it."""
    model, paths, marking = whole.model, whole.paths, marking_of(whole.model.pathway).uncut()
    until = _solve(replace(model, ends=frozenset(end_point.states)), horizon, whole.lattice.step, window, paths)

    def onward(node: history_graph.Node) -> Solution:
        graph = history_graph.build(node.state, marking=marking, marks=node.marks, ways=model.open_ways)
        return Solution(model, paths, paths.lattice.n, _flows(model, paths, marking, graph), np.ones((1, 1)))

    return FirstEvents(whole, replace(until, absorption=whole.absorption), end_point.causes, onward)


def new_paths(pathway: Pathway, horizon: float, step: float, *, window: bool = True, **options: Any) -> Paths:
    """Return no paths yet, on a lattice to the horizon or to the end of the group window. options : those of `Paths`"""
    return Paths(Lattice(step, pathway.followed(horizon) if window else horizon), **options)


def marking_of(pathway: Pathway, horizon: float = np.inf) -> Marking:
    """Return the states that groups ask for, until the end of the window if it is followed."""
    states = frozenset(name for group in pathway.groups.values() for name in group.states)
    return Marking(states, pathway.group_window if states and horizon > pathway.group_window else np.inf)


@lru_cache(maxsize=256)
def step_of(scenarios: tuple[Scenario, ...], horizon: float) -> float:
    """Return the lattice step of scenarios of one pathway, from their declared values: the same for every draw."""
    return choose_step([resolve(replace(scenario, marginal_benefit=1.0)) for scenario in scenarios], horizon)


def one_step(models: Sequence[Model], horizon: float) -> float:
    """Return the step of the lattice on which models of one pathway are compared: the finest that any of them needs.

    On one lattice, patients whom a policy does not touch do not differ at all. Raises InputError as `solve` does.
    """
    for model in models:
        refuse(model.scenario)
    step = step_of(tuple(model.scenario for model in models), horizon)
    ends = [end for model in models if accuracy.cycle(model) for end, _ in ends_of_benefit(model)]
    return min((_fine_enough(end, step, horizon, True).lattice.step for end in ends), default=step)


def _fine_enough(model: Model, step: float, horizon: float, window: bool) -> Solution:
    def difference(coarse: Solution, fine: Solution) -> float:
        return float(np.max(list(_moved(coarse, fine).values())))

    return accuracy.fine_enough(model, step, horizon, lambda step: _solve(model, horizon, step, window), difference)


def refuse(scenario: Scenario) -> None:
    """Raise InputError if a resource is limited, if patients arrive over time, or if there is a milestone."""
    if scenario.is_limited:
        raise InputError(
            "the exact engine has no queues",
            where=f"{scenario.where}: [{'capacity' if scenario.capacity else 'service'}]",
            allowed="run, compare or sweep with --engine auto, microsim or des",
        )
    if scenario.pathway.milestones:
        raise InputError(
            "the exact engine has no milestones: latent times that are carried forward need patients",
            where=f"{scenario.where}: milestones",
            got=list(scenario.pathway.milestones),
            allowed="run, compare or sweep with --engine auto, microsim or des",
        )


Wanted = Collection[tuple[str, ...]]
"""(clock, population) of survival, (clock, population, end point) of survival without its event."""


def curves(
    model: Model, horizon: float, *, step: float | None = None, only: Wanted | None = None, paths: Paths | None = None
) -> Curves:
    """Return everything that is reported of a model. See `solve`.

    only : what is wanted, without occupancy. Default: everything.
    A patient benefits at every visit to the marginal decision or at none, so the two are solved separately.
    """
    ends = ends_of_benefit(model)
    if len(ends) > 1:
        step = step or one_step([model], horizon)
    if step is not None:
        paths = paths or new_paths(model.pathway, horizon, step, window=is_windowed(model.pathway, only))
    parts = [_curves(end, horizon, step, only, paths) for end, _ in ends]
    return mixed(parts, [share for _, share in ends]) if len(ends) > 1 else parts[0]


def compared(
    models: Sequence[Model], horizon: float, *, step: float | None = None, only: Wanted | None = None
) -> list[Curves]:
    """Return the curves of models of one pathway and the same draws, on one lattice; see `curves`."""
    step = step or one_step(models, horizon)
    pathway = models[0].pathway
    paths = new_paths(pathway, horizon, step, window=is_windowed(pathway, only))
    return [curves(model, horizon, step=step, only=only, paths=paths) for model in models]


def is_windowed(pathway: Pathway, only: Wanted | None) -> bool:
    """Return whether anything wanted is a group's."""
    return bool(pathway.groups) and (only is None or any(key[1] in pathway.groups for key in only))


def _curves(model: Model, horizon: float, step: float | None, only: Wanted | None, paths: Paths | None) -> Curves:
    pathway = model.pathway
    every = [(clock, name) for clock in pathway.clocks for name in populations(pathway)]
    wanted = every if only is None else [key for key in every if key in only]
    window = is_windowed(pathway, only)
    solution = solve(model, horizon, step=step, window=window, paths=paths)
    end_points: dict[str, Curves] = {}
    for end_point in pathway.end_points.values():
        free = wanted if only is None else [key for key in every if (*key, end_point.name) in only]
        if free:
            first = first_events(solution, end_point, horizon, window)
            end_points[end_point.name] = _without_event(first, end_point, free)
    return replace(
        _read(solution, wanted, solve),
        occupancy={
            clock: dict(zip(stays(model), solution.occupied(stays(model), clock), strict=True))
            for clock in (pathway.clocks if only is None else ())
        },
        counts={name: count(solution, name, horizon=horizon) for name in pathway.counts},
        end_points=end_points,
    )


def _without_event(first: FirstEvents, end_point: EndPoint, wanted: Sequence[tuple[str, str]]) -> Curves:
    """Return the curves of patients without an end point's event, and its incidence by cause."""
    free = _read(first, wanted, partial(first_events_again, end_point))
    incidence = {
        cause: {(clock, name): first.incidence(cause, alike(first.model, name), clock) for clock, name in wanted}
        for cause in end_point.causes
    }
    return replace(free, incidence=incidence)


def _read(
    solution: Solution | FirstEvents, wanted: Sequence[tuple[str, str]], solve: Callable[..., Solution | FirstEvents]
) -> Curves:
    """Return survival and its means, of a solution's kind; `solve` as in `Crossing`."""
    like = {(clock, name): (clock, alike(solution.model, name)) for clock, name in wanted}
    keys = list(dict.fromkeys(like.values()))
    alive, means_alive = solution.survival_of(keys), solution.mean_survival_of(keys)
    survival = {key: alive[keys.index(same)] for key, same in like.items()}
    means = {key: means_alive[keys.index(same)] for key, same in like.items()}
    return Curves(
        months=solution.months,
        survival=survival,
        means=means,
        lifetimes=crossing.Crossing(solution, survival, means, solve).paths,
        occupancy={},
        sizes={name: solution.size(name) for _, name in wanted},
        counts={},
        count_variances={},
    )


def alike(model: Model, population: str) -> str:
    """Return whose curves are the same: all, for a level, with patients, of an attribute that decides nothing."""
    if population == "all" or population in model.pathway.groups:
        return population
    attribute, level = split_level(model.pathway, population)
    return "all" if attribute not in model.attributes and model.mix[attribute][level] > 0.0 else population


def stays(model: Model) -> list[str]:
    return [name for name, state in model.pathway.states.items() if not state.is_choice]


def count(solution: Solution, name: str, *, horizon: float) -> Floats:
    count = solution.model.pathway.counts[name]
    if count.entries:
        flow = solution.flow(count.entries, "all", None, "in")
        return solution.at(flow, [float(solution.months[-1])])[:, 0]
    return solution.up_to(solution.flow(count.months, "all", None, "net"), [horizon])[:, 0]


def first_events_again(end_point: EndPoint, model: Model, until: float, step: float, window: bool) -> FirstEvents:
    return first_events(solve(model, until, step=step, window=window), end_point, until, window)
