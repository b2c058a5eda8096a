"""Whether patients ever come to the default clock: absorption probabilities of the embedded chain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.engines.flows import Node
from simulator.engines.kernels import competing
from simulator.engines.renewal import Renewal
from simulator.model import Exit, Model

Floats = NDArray[np.float64]

NEVER = 1e-12
"""A way that is taken no more often is never taken, so that nobody gets out of a circle by rounding."""


def reach(model: Model, before: Renewal | None) -> Floats:
    """Return the probability of ever reaching the default clock, (n_draws or 1, n_cells or 1)."""
    if before is None:
        return np.ones((1, 1))
    states = [node.state for node in before.graph.nodes]
    place = {name: i for i, name in enumerate(states)}
    if model.pathway.clock_state not in place:
        return np.zeros((1, 1))
    going = {name: _ever(model, name) for name in states if before.graph.out_of[Node(name, frozenset())]}
    shape = np.broadcast_shapes((1, 1), *(p.shape for each in going.values() for p in each))
    onward = np.zeros((*shape, len(states), len(states)))
    for name, shares in going.items():
        for each, p in zip(model.exits[name], shares, strict=True):
            if each.to in place:
                onward[..., place[name], place[each.to]] += p
    target = np.zeros((*shape, len(states), 1))
    target[..., place[model.pathway.clock_state], 0] = 1.0
    # Where whoever goes round in a circle never gets out, the chain alone has no single solution.
    onward[~_possible(onward > NEVER, target > 0.0)[..., 0]] = 0.0
    chain = np.eye(len(states)) - onward
    return np.clip(np.linalg.solve(chain, target)[..., place[model.pathway.start], 0], 0.0, 1.0)


def _possible(onward: NDArray[np.bool_], target: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return from which states the target can be reached, (..., n_states, 1)."""
    for _ in range(target.shape[-2]):
        target = target | (onward & np.swapaxes(target, -1, -2)).any(axis=-1, keepdims=True)
    return target


def _ever(model: Model, state: str) -> Sequence[Floats]:
    """Return the probability that a state is ever left by each exit."""
    exits = model.exits[state]
    if state in model.instant:
        return [np.full((1, 1), float(each is model.instant[state])) for each in exits]
    if exits[0].time is None:
        return [np.atleast_2d(each.probability) for each in exits if each.probability is not None]
    if exits[0].probability is not None or len(exits) == 1:
        return [_ever_leaves(each) for each in exits]
    times = np.concatenate([[0.0], np.geomspace(1e-6, 1e7, 8000)])
    masses = competing([each.time for each in exits if each.time is not None], times)
    return [
        smooth.sum(axis=-1) + (0.0 if atom is None else atom[1])
        for smooth, atom in zip(masses.smooth, masses.atoms, strict=True)
    ]


def _ever_leaves(way: Exit) -> Floats:
    """Return the probability of a destination, if there is one, times that of ever leaving for it."""
    assert way.time is not None
    leaves = np.atleast_2d(way.time.cdf(np.inf))
    return leaves if way.probability is None else leaves * np.atleast_2d(way.probability)
