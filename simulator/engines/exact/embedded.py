"""The embedded chain: by which exit a state is left, after how long, and how often patients come to each state.

    P_ij = int S(t) dH_ij(t),   stay_i = int S(t) dt,   visits = (I - P)^-1,   S = exp(-sum_j H_ij)

All of it is of whole lives: nothing ends at a horizon. (Kemeny & Snell 1960, Finite Markov Chains, chapter 3)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from simulator.arrays import Booleans, Floats
from simulator.distributions import Distribution
from simulator.engines.exits import Exit
from simulator.engines.model import Model
from simulator.engines.no_benefit import open_exits, share_without_benefit
from simulator.errors import InputError
from simulator.pathway.pathway import reachable

NEVER = 1e-12
"""An exit that is taken no more often is never taken, so that nobody gets out of a cycle by rounding."""
EXPOSURES = np.geomspace(1e-7, 45.0, 2000)
"""Of -log S at each latent time alone: the grid on which a stay is integrated. Beyond it, S falls as a power of t."""


@dataclass(frozen=True)
class Leaving:
    """How a state is left. Arrays : (n_draws or 1, n_cells or 1).

    by : the probability of each exit, with a `rate`: times exp(-rate t); never : of no exit at all
    stay : returns the mean months in the state; inf where some never leave, or the mean has no end
    """

    by: list[Floats]
    never: Floats
    stay: Callable[[], Floats]


def leaving(model: Model, state: str, rate: float = 0.0) -> Leaving:
    """Return how patients leave a state that is not absorbing. `rate` : per month, at which months count less."""
    exits, zero = model.exits[state], np.zeros((1, 1))
    if state in model.instant:
        return Leaving([zero + (exit is model.instant[state]) for exit in exits], zero, lambda: zero)
    shares = [np.atleast_2d(exit.probability) for exit in exits if exit.probability is not None]
    times = [time for exit in exits if (time := _time(model, exit)) is not None]
    if not times:
        return Leaving(shares, zero, lambda: zero)
    if not shares:
        return earliest(times, rate)
    alone = [earliest([time], rate) for time in times]
    parts = list(zip(shares, alone, strict=True))

    def stay() -> Floats:
        return sum((np.where(p > NEVER, p * np.where(p > NEVER, law.stay(), 0.0), 0.0) for p, law in parts), zero)

    return Leaving([p * law.by[0] for p, law in parts], sum((p * law.never for p, law in parts), zero), stay)


def _time(model: Model, way: Exit) -> Distribution | None:
    """Return an exit's time; in a milestone the one of its name in the state before, as if it were drawn anew."""
    if not way.carried_forward:
        return way.time
    before = (exit for exits in model.exits.values() for exit in exits)
    return next(exit.time for exit in before if exit.name == way.name and exit.time is not None)


def earliest(latent: Sequence[Distribution], rate: float = 0.0) -> Leaving:
    """Return how a state is left by competing latent times, the earliest of which wins."""
    shape = np.broadcast_shapes((1, 1), *(law.cell_shape for law in latent))
    never = np.exp(-sum((_hazard(law, np.full(shape, np.inf)) for law in latent), np.zeros(shape)))
    race = cache(lambda: _race(latent, rate, shape))
    alone = len(latent) == 1 and not rate
    return Leaving([1.0 - never] if alone else race()[0], never, lambda: np.where(never > NEVER, np.inf, race()[1]))


def _race(latent: Sequence[Distribution], rate: float, shape: tuple[int, ...]) -> tuple[list[Floats], Floats]:
    """Return by which latent time the state is left, and the mean months until then, integrated on a grid."""
    times = _grid(latent, shape)
    smooth = {place: _hazard(law, times) for place, law in enumerate(latent) if law.atom is None}
    fixed = {place: _atom(law, shape) for place, law in enumerate(latent) if law.atom is not None}
    total = sum(smooth.values(), np.zeros(times.shape))
    # What is left, from each point of the grid on, of those whom no fixed time has taken yet.
    kept = np.prod([np.where(at <= times, 1.0 - height, 1.0) for at, height in fixed.values()], axis=0)
    survival = np.exp(-total)
    lost, growth, months = survival[:-1] - survival[1:], np.diff(total, axis=0), np.diff(times, axis=0)
    between = np.divide(lost, growth, out=survival[:-1].copy(), where=growth > 0)
    survival_between = (kept * np.ones(times.shape))[:-1] * between
    discount = np.exp(-rate * times)
    counted = survival_between * 0.5 * (discount[:-1] + discount[1:])
    by = []
    for place in range(len(latent)):
        if place in smooth:
            by.append(np.sum(counted * np.diff(smooth[place], axis=0), axis=0))
            continue
        at, height = fixed[place]
        sooner = [(a < at) | ((a == at) & (number < place)) for number, (a, _) in fixed.items()]
        left = np.prod([np.where(s, 1.0 - h, 1.0) for s, (_, h) in zip(sooner, fixed.values(), strict=True)], axis=0)
        others = np.exp(-sum((_hazard(latent[number], at) for number in smooth), np.zeros(shape)))
        by.append(np.where(np.isfinite(at), left * others * height * np.exp(-rate * at), 0.0))
    stay = np.sum(survival_between * months, axis=0)
    return by, stay + _tail([latent[number] for number in smooth], times[-1], (kept * survival)[-1])


def _grid(latent: Sequence[Distribution], shape: tuple[int, ...]) -> Floats:
    """Return the months between which some latent time alone runs through EXPOSURES, (n, *shape), in order."""
    first = [np.zeros((1, *shape)), np.full((1, *shape), 1e-300)]
    exposures = EXPOSURES.reshape(-1, *(1,) * len(shape))
    months = [np.broadcast_to(law.inverse_cumulative_hazard(exposures), (EXPOSURES.size, *shape)) for law in latent]
    months += [np.broadcast_to(law.atom, (1, *shape)) for law in latent if law.atom is not None]
    times = np.sort(np.concatenate([*first, *months]), axis=0)
    return np.where(np.isfinite(times), times, np.max(times, axis=0, where=np.isfinite(times), initial=0.0))


def _hazard(latent: Distribution, times: Floats) -> Floats:
    return np.minimum(np.asarray(latent.cumulative_hazard(times)), 1e300)


def _atom(latent: Distribution, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return when a fixed time is, and the share that leave then, both of a shape."""
    at = np.broadcast_to(np.asarray(latent.atom), shape)
    height = -np.expm1(-_hazard(latent, np.where(np.isfinite(at), at, 0.0)))
    return at, np.where(np.isfinite(at), height, 0.0)


def _tail(smooth: Sequence[Distribution], end: Floats, survival: Floats) -> Floats:
    """Return the mean months spent after an end, from where on S falls as t^-power; inf where that is too slow."""
    further = 1.001
    grown = [_hazard(law, further * end) - _hazard(law, end) for law in smooth]
    power = sum(grown, np.zeros(end.shape)) / np.log(further)
    with np.errstate(divide="ignore", over="ignore"):
        tail = np.where(power > 1.0, end * survival / np.maximum(power - 1.0, 1e-300), np.inf)
    return np.where(survival > 0.0, tail, 0.0)


def visits(
    model: Model, start: str | None = None, within: float = np.inf, until: str | None = None
) -> dict[str, Floats]:
    """Return the expected number of entries into each state, a patient who enters `start` (default: the pathway's).

    state -> (n_draws or 1, n_cells or 1), of the states that can be reached; the first entry counts. Infinite in the
    states of a cycle that is never left. `within` : months; finite, entries count times exp(-t / within), which is
    nearly the number within so many months. `until` : a state after whose first entry none counts.
    """
    start = start or model.pathway.start
    ways = {name: {} if name == until else dict(exits) for name, exits in model.open_ways}
    states = sorted(reachable([start], lambda name: ways[name].values()), key=list(ways).index)
    staying = [name for name in states if ways[name]]
    left = {name: leaving(model, name, 1.0 / within) for name in staying}
    shape = np.broadcast_shapes(
        (1, 1), *(p.shape for leaving_of in left.values() for p in (*leaving_of.by, leaving_of.never))
    )
    place = {name: i for i, name in enumerate(states)}
    onward = np.zeros((*shape, len(states), len(states)))
    for name, leaving_of in left.items():
        for way, p in zip(model.exits[name], leaving_of.by, strict=True):
            if way.name in ways[name]:
                onward[..., place[name], place[way.to]] += p
    ends = np.ones((*shape, len(states), 1))
    for name, leaving_of in left.items():
        ends[..., place[name], 0] = np.maximum(leaving_of.never, float(np.isfinite(within)))
    return dict(zip(states, np.moveaxis(entries(onward, ends, place[start]), -1, 0), strict=True))


def absorption(model: Model) -> Floats:
    """Return the probability of ever reaching the default clock, (n_draws or 1, n_cells or 1)."""
    clock = model.pathway.clock_state
    return visits(model, until=clock).get(clock, np.zeros((1, 1)))


def entries(onward: Floats, ends: Floats, start: int) -> Floats:
    """Return the expected number of entries into each state from a start, (..., n_states); inf where without end.

    onward : (..., n_states, n_states) probabilities of going on; ends : (..., n_states, 1) of going nowhere
    """
    ending = leads_to(onward > NEVER, ends > NEVER)[..., 0]
    again = ~ending if ending.all() else _recurrent(onward > NEVER, ending)
    open_ = np.where(again[..., None], 0.0, onward)
    first = np.zeros((*onward.shape[:-1], 1))
    first[..., start, 0] = 1.0
    visits = np.linalg.solve(np.swapaxes(np.eye(onward.shape[-1]) - open_, -1, -2), first)[..., 0]
    for_ever = again & leads_to(np.swapaxes(onward, -1, -2) > NEVER, (again & (visits > NEVER))[..., None])[..., 0]
    return np.where(for_ever, np.inf, np.maximum(visits, 0.0)).astype(np.float64)


def events(model: Model, within: float = np.inf) -> Floats:
    """Return the expected number of entries into states a patient, (n_draws,), as `visits` has them.

    As if latent times were drawn anew in a milestone, and whoever is treated without benefit lived as the others.
    """
    by_cell = sum(visits(model, within=within).values(), np.zeros((1, 1)))
    weights = np.atleast_2d(model.weights)
    return np.broadcast_to(np.sum(np.where(weights > 0.0, by_cell, 0.0) * weights, axis=-1), (model.n_draws,))


def leads_to(onward: Booleans, target: Booleans) -> Booleans:
    """Return from which states, the rows of `onward`, any target can be reached, (..., n_states, 1)."""
    for _ in range(onward.shape[-1]):
        before = target
        target = target | (onward & np.swapaxes(target, -1, -2)).any(axis=-1, keepdims=True)
        if np.array_equal(before, target):
            break
    return target


def _recurrent(onward: Booleans, ending: Booleans) -> Booleans:
    """Return which states are of a cycle that is never left, (..., n_states): whatever they lead to leads back."""
    n = onward.shape[-1]
    reached = np.stack([leads_to(onward, np.arange(n)[:, None] == i)[..., 0] for i in range(n)], axis=-1)
    back = np.all(~reached | np.swapaxes(reached, -1, -2), axis=-1)
    return np.asarray(~ending & back)


def refuse_endless(model: Model) -> None:
    """Raise InputError where patients come back to a limited resource without end, or a unit is never given back.

    Of patients without benefit those count who would never have died untreated: nothing else ends what they go through.
    """
    _refuse_endless(model, model.pathway.start, np.atleast_2d(model.weights) > 0.0, "patients")
    marginal, share = model.pathway.marginal, share_without_benefit(model)
    if marginal is None or share is None:
        return
    undying = leaving(model, marginal.otherwise).never > NEVER
    treated = model.pathway.states[marginal.decision].transition(marginal.branch).to
    shut = replace(model, exits={name: open_exits(model.pathway, name, exits) for name, exits in model.exits.items()})
    who = (np.atleast_2d(model.weights) > 0.0) & (share > NEVER) & undying
    or_else = f", or a time in '{marginal.otherwise}' that always ends"
    _refuse_endless(shut, treated, who, "patients treated without benefit", or_else)


def _refuse_endless(model: Model, start: str, who: Booleans, patients: str, or_else: str = "") -> None:
    """Refuse what `refuse_endless` does of patients who enter a state; who : (n_draws or 1, n_cells or 1)."""
    pathway, capacity = model.pathway, model.scenario.capacity
    holding = {name: state.holds for name, state in pathway.states.items() if state.holds in capacity}
    for_ever = np.ones((1, 1), dtype=bool)
    never = {name: leaving(model, name).never > NEVER if model.exits[name] else for_ever for name in holding}
    again = [name for name in holding if name in reachable(model.onward[name], model.onward.__getitem__)]
    if not who.any() or not (again or any(share.any() for share in never.values())):
        return
    often = {name: np.where(who, visit, 0.0) for name, visit in visits(model, start).items()}
    cycle = ", ".join(name for name, often_of in often.items() if np.isinf(often_of).any())
    for name in (state for state in holding if state in often):
        where = f"{model.scenario.where}: [capacity] {holding[name]}"
        if np.isinf(often[name]).any():
            raise InputError(
                f"{patients} return to it without end",
                where=where,
                got=f"a cycle that is never left: {cycle}",
                allowed=f"an exit from the cycle{or_else}, or no limit",
            )
        if np.any((often[name] > NEVER) & never[name]):
            raise InputError(
                "some units are never released",
                where=where,
                got=f"{patients} who never leave '{name}'",
                allowed=f"a stay that always ends (no cure, and a hazard that does not fall to zero){or_else}",
            )
