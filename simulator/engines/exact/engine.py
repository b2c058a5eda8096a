"""The exact engine: one model's curves from renewal equations, without Monte Carlo noise.

Time before the default clock and after it are solved apart; on the entry clock the second follows the first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from simulator.arrays import Floats
from simulator.engines.curves import Curves, check_horizon, mixed, populations, split_level
from simulator.engines.exact import accuracy, crossing, history_graph
from simulator.engines.exact.embedded import absorption
from simulator.engines.exact.lattice import Lattice, choose_step
from simulator.engines.exact.no_benefit import streams_without_benefit
from simulator.engines.exact.renewal import Kernels, renewal
from simulator.engines.exact.solution import Solution
from simulator.engines.model import Model, resolve
from simulator.engines.no_benefit import ends_of_benefit, share_without_benefit
from simulator.errors import InputError
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
    marking = frozenset(name for g in pathway.groups.values() for name in g.entered + g.not_entered)
    reach_to = max(horizon, pathway.group_window) if marking and window else horizon
    lattice = Lattice(step, reach_to)
    without_benefit = share_without_benefit(model)
    decision = pathway.marginal.decision if without_benefit is not None and pathway.marginal else None
    ready: Kernels = {}
    graph = history_graph.build(
        pathway.clock_state,
        marking=marking,
        windowed=bool(marking) and horizon > pathway.group_window,
        ways=model.open_ways,
    )
    after = renewal(model, lattice, graph, ready, without_benefit)
    before = None
    if pathway.start != pathway.clock_state:
        ends = frozenset({pathway.clock_state})
        way = history_graph.build(pathway.start, marking=frozenset(), ends=ends, ways=model.open_ways)
        before = renewal(model, lattice, way, ready)
    no_benefits = [
        streams_without_benefit(model, lattice, node, without_benefit, marking)
        for node in graph.nodes
        if without_benefit is not None and node.state == decision
    ]
    return Solution(model, lattice, n_months, before, after, no_benefits, absorption(model))


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


def curves(
    model: Model, horizon: float, *, step: float | None = None, only: Collection[tuple[str, str]] | None = None
) -> Curves:
    """Return everything that is reported of a model. See `solve`.

    only : (clock, population) of the survival wanted; without occupancy, five times as fast. Default: everything.
    A patient benefits at every visit to the marginal decision or at none, so the two are solved separately.
    """
    ends = ends_of_benefit(model)
    if len(ends) == 1:
        return _curves(model, horizon, step, only)
    step = step or one_step([model], horizon)
    return mixed([_curves(end, horizon, step, only) for end, _ in ends], [share for _, share in ends])


def _curves(model: Model, horizon: float, step: float | None, only: Collection[tuple[str, str]] | None) -> Curves:
    pathway = model.pathway
    every = [(clock, name) for clock in pathway.clocks for name in populations(pathway)]
    wanted = every if only is None else [key for key in every if key in only]
    solution = solve(model, horizon, step=step, window=any(name in pathway.groups for _, name in wanted))
    survival: dict[tuple[str, str], Floats] = {}
    means: dict[tuple[str, str], Floats] = {}
    for clock, name in wanted:
        who = "all" if _is_like_all(model, name) else name
        if (clock, who) not in survival:
            survival[clock, who] = solution.survival(who, clock)
            means[clock, who] = solution.mean_survival(who, clock)
        survival[clock, name], means[clock, name] = survival[clock, who], means[clock, who]
    return Curves(
        months=solution.months,
        survival=survival,
        means=means,
        lifetimes=crossing.Crossing(solution, survival, means, solve).paths,
        occupancy={
            clock: {name: solution.occupied(name, clock) for name in _stays(model)}
            for clock in (pathway.clocks if only is None else ())
        },
        sizes={name: solution.size(name) for _, name in wanted},
        counts={name: _count(solution, name, horizon) for name in pathway.counts},
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


def _count(solution: Solution, name: str, horizon: float) -> Floats:
    count = solution.model.pathway.counts[name]
    if count.entries:
        return solution.entered(count.entries)[:, -1]
    return solution.months_in(count.months, horizon)
