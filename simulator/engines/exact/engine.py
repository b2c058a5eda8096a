"""The exact engine: one model's curves from renewal equations, without Monte Carlo noise.

Time before the default clock and after it are solved apart; on the entry clock the second follows the first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from simulator.arrays import Floats
from simulator.engines.curves import Curves, check_horizon, mixed, populations, split_level
from simulator.engines.exact import accuracy, crossing, history_graph
from simulator.engines.exact.embedded import absorption
from simulator.engines.exact.first_events import FirstEvents
from simulator.engines.exact.lattice import Lattice, choose_step
from simulator.engines.exact.no_benefit import NoBenefit, streams_without_benefit
from simulator.engines.exact.renewal import Kernels, Renewal, renewal
from simulator.engines.exact.solution import Solution
from simulator.engines.model import Model, resolve
from simulator.engines.no_benefit import ends_of_benefit, share_without_benefit
from simulator.errors import InputError
from simulator.pathway.end_points import EndPoint
from simulator.scenario.scenario import Scenario

BATCH = 10
"""Draws that are solved at once: more take more memory, and no less time."""


def solve(model: Model, horizon: float, *, step: float | None = None, window: bool = True) -> Solution:
    """Return the solved model, to `horizon` months after the default clock (and after entry, on that clock).

    `step` : months a cell; default: chosen so that every sojourn is resolved and, where patients come back, so that
    the error is below `accuracy.LIMIT`. `window` : reach to the end of the group window, so that groups are complete.
    Raises InputError where a resource is limited, a milestone passed, or no lattice is fine enough.
    """
    check_horizon(horizon)
    refuse(model.scenario)
    if step is not None:
        return _solve(model, horizon, step, window)
    step = step_of((model.scenario,), horizon)
    if not accuracy.cycle(model):
        return _solve(model, horizon, step, window)
    return _fine_enough(model, step, horizon, window)


def refuse_coarse(model: Model, horizon: float) -> None:
    """Raise TooCoarse if patients come back so often that no lattice is fine enough."""
    if accuracy.cycle(model):
        solve(model, horizon)


def lattice_error(model: Model, horizon: float) -> tuple[float, Floats, Floats]:
    """Return the months a cell, and by how much survival and occupancy are wrong at most, (n_draws,) each.

        error <= 4 / 3 |own - finer|,   on cells of a quarter, whose error is a quarter or less

    Raises InputError as `solve` does.
    """
    coarse = solve(model, horizon, window=False)
    step = coarse.lattice.step
    alive, there = accuracy.difference(coarse, _solve(model, horizon, step / 4, False))
    return step, 4.0 / 3.0 * alive, 4.0 / 3.0 * there


def moved_by_wider_cells(model: Model, horizon: float) -> tuple[Floats, Floats]:
    """Return by how much cells twice as wide move survival and occupancy at most, (n_draws,) each.

    Of all patients and of groups, on the default clock only: enough to see which draws a lattice suits least.
    """
    coarse = solve(model, horizon, window=False)
    wider = _solve(model, horizon, 2 * coarse.lattice.step, False)
    return accuracy.difference(wider, coarse, clocks=[model.pathway.clock], who=["all", *model.pathway.groups])


def _solve(model: Model, horizon: float, step: float, window: bool) -> Solution:
    pathway = model.pathway
    n_months = int(np.ceil(horizon / step - 1e-9)) + 1
    marking = _marking(model)
    reach_to = max(horizon, pathway.group_window) if marking and window else horizon
    lattice = Lattice(step, reach_to)
    ready: Kernels = {}
    graph = history_graph.build(
        pathway.clock_state,
        marking=marking,
        windowed=bool(marking) and horizon > pathway.group_window,
        ways=model.open_ways,
    )
    after, no_benefits = _after(model, lattice, graph, marking, ready)
    before = None
    if pathway.start != pathway.clock_state:
        ends = frozenset({pathway.clock_state})
        way = history_graph.build(pathway.start, marking=frozenset(), ends=ends, ways=model.open_ways)
        before = renewal(model, lattice, way, ready)
    return Solution(model, lattice, n_months, before, after, no_benefits, absorption(model))


def _after(
    model: Model, lattice: Lattice, graph: history_graph.Graph, marking: frozenset[str], ready: Kernels
) -> tuple[Renewal, list[NoBenefit]]:
    """Return the streams on a graph, and those of patients without benefit from the marginal decision on."""
    without_benefit = share_without_benefit(model)
    decision = model.pathway.marginal.decision if without_benefit is not None and model.pathway.marginal else None
    no_benefits = [
        streams_without_benefit(model, lattice, node, without_benefit, marking)
        for node in graph.nodes
        if without_benefit is not None and node.state == decision
    ]
    return renewal(model, lattice, graph, ready, without_benefit), no_benefits


def first_events(whole: Solution, end_point: EndPoint, horizon: float, window: bool) -> FirstEvents:
    """Return when patients of a solved model first come to an end point. `window` : as `solve` has it."""
    model, lattice = whole.model, whole.lattice
    until = _solve(replace(model, ends=frozenset(end_point.states)), horizon, lattice.step, window)
    marking = _marking(model)

    def onward(node: history_graph.Node) -> Solution:
        graph = history_graph.build(node.state, marking=marking, marks=node.marks, ways=model.open_ways)
        return Solution(model, lattice, lattice.n, None, *_after(model, lattice, graph, marking, {}), np.ones((1, 1)))

    return FirstEvents(whole, replace(until, absorption=whole.absorption), end_point.causes, onward)


def _marking(model: Model) -> frozenset[str]:
    """Return the states that groups ask for."""
    return frozenset(name for g in model.pathway.groups.values() for name in g.entered + g.not_entered)


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
    return accuracy.fine_enough(model, step, horizon, lambda step: _solve(model, horizon, step, window))


def refuse(scenario: Scenario) -> None:
    """Raise InputError if a resource is limited, if patients arrive over time, or if there is a milestone."""
    if scenario.is_limited:
        raise InputError(
            "the exact engine has no queues",
            where=f"{scenario.where}: [{'capacity' if scenario.capacity else 'service'}]",
            allowed="--engine auto, microsim or des",
        )
    if scenario.pathway.milestones:
        raise InputError(
            "the exact engine has no milestones: latent times that are carried forward need patients",
            where=f"{scenario.where}: milestones",
            got=list(scenario.pathway.milestones),
            allowed="--engine auto, microsim or des",
        )


Wanted = Collection[tuple[str, ...]]
"""(clock, population) of survival, (clock, population, end point) of survival without its event."""


def curves(model: Model, horizon: float, *, step: float | None = None, only: Wanted | None = None) -> Curves:
    """Return everything that is reported of a model. See `solve`.

    only : what is wanted; without occupancy, five times as fast. Default: everything.
    A patient benefits at every visit to the marginal decision or at none, so the two are solved separately.
    """
    ends = ends_of_benefit(model)
    if len(ends) == 1:
        return _curves(model, horizon, step, only)
    step = step or one_step([model], horizon)
    return mixed([_curves(end, horizon, step, only) for end, _ in ends], [share for _, share in ends])


def _curves(model: Model, horizon: float, step: float | None, only: Wanted | None) -> Curves:
    pathway = model.pathway
    every = [(clock, name) for clock in pathway.clocks for name in populations(pathway)]
    wanted = every if only is None else [key for key in every if key in only]
    window = any(name in pathway.groups for _, name in wanted)
    solution = solve(model, horizon, step=step, window=window)
    end_points: dict[str, Curves] = {}
    for end_point in pathway.end_points.values():
        free = wanted if only is None else [key for key in every if (*key, end_point.name) in only]
        if free:
            end_points[end_point.name] = _without_event(solution, end_point, horizon, free)
    alive = _read(solution, wanted, solve)
    return replace(
        alive,
        occupancy={
            clock: {name: solution.occupied(name, clock) for name in _stays(model)}
            for clock in (pathway.clocks if only is None else ())
        },
        counts={name: _count(solution, name, horizon) for name in pathway.counts},
        end_points=end_points,
    )


def _without_event(whole: Solution, end_point: EndPoint, horizon: float, wanted: Sequence[tuple[str, str]]) -> Curves:
    """Return the curves of patients without an end point's event, and its incidence by cause."""
    window = any(name in whole.model.pathway.groups for _, name in wanted)
    first = first_events(whole, end_point, horizon, window)

    def solve_again(model: Model, until: float, step: float, window: bool) -> FirstEvents:
        return first_events(solve(model, until, step=step, window=window), end_point, until, window)

    incidence = {
        cause: {(clock, name): first.incidence(cause, _who(whole.model, name), clock)[0] for clock, name in wanted}
        for cause in end_point.causes
    }
    return replace(_read(first, wanted, solve_again), incidence=incidence)


def _read(
    solution: Solution | FirstEvents, wanted: Sequence[tuple[str, str]], solve: Callable[..., Solution | FirstEvents]
) -> Curves:
    """Return survival and its means, of a solution's kind; `solve` as in `Crossing`."""
    survival: dict[tuple[str, str], Floats] = {}
    means: dict[tuple[str, str], Floats] = {}
    for clock, name in wanted:
        who = _who(solution.model, name)
        if (clock, who) not in survival:
            survival[clock, who] = solution.survival(who, clock)
            means[clock, who] = solution.mean_survival(who, clock)
        survival[clock, name], means[clock, name] = survival[clock, who], means[clock, who]
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


def _who(model: Model, population: str) -> str:
    """Return the population whose curves are the same: all, for a level of an attribute that decides nothing."""
    return "all" if _is_like_all(model, population) else population


def _is_like_all(model: Model, population: str) -> bool:
    """Return whether a population is a level, with patients, of an attribute that decides nothing."""
    if population == "all" or population in model.pathway.groups:
        return False
    attribute, level = split_level(model.pathway, population)
    return attribute not in model.attributes and model.mix[attribute][level] > 0.0


def _stays(model: Model) -> list[str]:
    return [name for name, state in model.pathway.states.items() if not state.is_choice]


def _count(solution: Solution, name: str, horizon: float) -> Floats:
    count = solution.model.pathway.counts[name]
    if count.entries:
        return solution.entered(count.entries)[:, -1]
    return solution.months_in(count.months, horizon)
