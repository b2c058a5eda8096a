"""Whether patients ever come to the default clock: absorption probabilities of the embedded chain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.engines.embedded import NEVER, leads_to, leaving
from simulator.engines.flows import Node
from simulator.engines.renewal import Renewal
from simulator.model import Model

Floats = NDArray[np.float64]

def reach(model: Model, before: Renewal | None) -> Floats:
    """Return the probability of ever reaching the default clock, (n_draws or 1, n_cells or 1)."""
    if before is None:
        return np.ones((1, 1))
    states = [node.state for node in before.graph.nodes]
    place = {name: i for i, name in enumerate(states)}
    if model.pathway.clock_state not in place:
        return np.zeros((1, 1))
    going = {name: leaving(model, name).by for name in states if before.graph.out_of[Node(name, frozenset())]}
    shape = np.broadcast_shapes((1, 1), *(p.shape for each in going.values() for p in each))
    onward = np.zeros((*shape, len(states), len(states)))
    for name, shares in going.items():
        for each, p in zip(model.exits[name], shares, strict=True):
            if each.to in place:
                onward[..., place[name], place[each.to]] += p
    target = np.zeros((*shape, len(states), 1))
    target[..., place[model.pathway.clock_state], 0] = 1.0
    # Where whoever goes round in a circle never gets out, the chain alone has no single solution.
    onward[~leads_to(onward > NEVER, target > 0.0)[..., 0]] = 0.0
    chain = np.eye(len(states)) - onward
    return np.clip(np.linalg.solve(chain, target)[..., place[model.pathway.start], 0], 0.0, 1.0)
