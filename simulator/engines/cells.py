"""The case mix in an engine: which attributes matter, the share of each cell, and each patient's levels."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.pathway.references import attributes_in
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario

Cell = tuple[str, ...]
"""A level of each attribute that matters."""


@lru_cache(maxsize=64)
def cells_of(scenario: Scenario) -> tuple[tuple[str, ...], tuple[Cell, ...], Floats]:
    """Return the attributes that matter, the cells of their levels, and the share of patients in each, (n_cells,).

    Those matter that decide something, and those that go with them.
    """
    pathway = scenario.pathway
    transitions = [transition for state in pathway.states.values() for transition in state.transitions]
    references = [reference for transition in transitions for reference in transition.references]
    references += [declared.ratios for declared in scenario.hazard_ratios.values()]
    deciding = {name for transition in transitions for name in transition.eligible}
    deciding |= {name for reference in references for name in attributes_in(reference)}
    together = {name for joint in scenario.joints if not deciding.isdisjoint(joint.of) for name in joint.of}
    attributes = tuple(name for name in pathway.attributes if name in together)
    cells = tuple(product(*(pathway.attributes[name].levels for name in attributes)))
    joints = [joint for joint in scenario.joints if joint.of[0] in attributes]
    levels = [dict(zip(attributes, cell, strict=True)) for cell in cells]
    return attributes, cells, np.array([np.prod([joint.share(cell) for joint in joints]) for cell in levels])


def levels_of(scenario: Scenario, uniforms: Uniforms, patients: Integers) -> dict[str, Integers]:
    """Return the place of each patient's level, attribute -> (n,): one after the other, given those before."""
    levels: dict[str, Integers] = {}
    for name in scenario.pathway.attributes:
        joint = next(joint for joint in scenario.joints if name in joint.of)
        before = joint.of[: joint.of.index(name)]
        edges = joint.edges(name)[tuple(levels[other] for other in before)]
        levels[name] = np.sum(edges <= uniforms.at(f"@{name}", patients)[:, np.newaxis], axis=-1)
    return levels
