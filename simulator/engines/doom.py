"""The marginal patient who gains nothing: treated, without response, dead when supportive care would have seen it.

They go the way of the treated, with deaths and ends on the way left out, as far as the state of no response; at every
moment the time of death that supportive care had in store for them, counted from the decision, may be up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.engines import flows
from simulator.engines.flows import Graph, Node
from simulator.engines.kernels import Kernel, kernels
from simulator.engines.lattice import Lattice
from simulator.engines.renewal import Renewal, renewal
from simulator.model import Exit, Model
from simulator.pathway import Pathway

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Doom:
    """By node, for one doomed patient from the decision on: atoms, and the transforms of who enters and leaves."""

    decision: Node
    share: Floats
    atoms: dict[Node, Floats]
    into: dict[Node, Complex]
    out_of: dict[Node, Complex]


def doomed_share(model: Model) -> Floats | None:
    """Return the share at the decision who are treated in vain, (n_draws or 1, n_cells or 1); None if nobody is."""
    marginal = model.marginal
    if marginal is None or not marginal.raised or np.all(np.equal(marginal.benefit, 1.0)):
        return None
    raised = np.maximum(np.atleast_2d(marginal.share) - np.atleast_2d(marginal.own_share), 0.0)
    return (1.0 - marginal.benefit) * raised


def ways(pathway: Pathway, state: str) -> list[tuple[str, str]]:
    """Return the exits of a state, as (name, to), that are open to who is treated in vain."""
    marginal = pathway.marginal
    assert marginal is not None
    if state == marginal.no_benefit:
        return []
    exits = [(each.name, each.to) for each in pathway.states[state].transitions]
    onward = [each for each in exits if not pathway.states[each[1]].is_absorbing]
    if pathway.states[state].is_choice:
        return [each for each in onward if each[1] == marginal.no_benefit] or onward
    return onward


def open_exits(pathway: Pathway, state: str, exits: Iterable[Exit]) -> tuple[Exit, ...]:
    """Return the exits that are open to who is treated in vain, their probabilities made to sum to one."""
    kept = {name for name, _ in ways(pathway, state)}
    found = [each for each in exits if each.name in kept]
    if not found or found[0].probability is None:
        return tuple(found)
    total = sum((np.asarray(each.probability) for each in found), np.zeros(()))
    return tuple(
        replace(each, probability=_share(np.asarray(each.probability), total, len(found))) for each in found
    )


def _share(part: Floats, total: Floats, n: int) -> Floats:
    """Return a part of a total; one in n where there is none: a policy without non-responders treats in vain too."""
    shape = np.broadcast_shapes(part.shape, total.shape)
    return np.asarray(np.divide(part, total, out=np.full(shape, 1.0 / n), where=total > 0))


def doom(model: Model, lattice: Lattice, decision: Node, share: Floats, marking: frozenset[str]) -> Doom:
    """Return the streams of a patient who is treated in vain from a decision's node on."""
    pathway = model.pathway
    marginal = pathway.marginal
    assert marginal is not None
    target = pathway.states[marginal.decision].transition(marginal.branch).to
    shut = replace(model, exits={name: open_exits(pathway, name, exits) for name, exits in model.exits.items()})
    graph = flows.build(target, marking=marking, marks=decision.marks, ways=shut.open_ways)
    alive = renewal(shut, lattice, graph, {})
    return _with_deaths(model, lattice, alive, graph, decision, share)


def _with_deaths(
    model: Model, lattice: Lattice, alive: Renewal, graph: Graph, decision: Node, share: Floats
) -> Doom:
    assert model.pathway.marginal is not None
    deaths = model.exits[model.pathway.marginal.otherwise]
    masses = [_with_atoms(each, lattice) for each in kernels(deaths, lattice.step, lattice.n)]
    survival = 1.0 - np.cumsum(sum(masses), axis=-1)
    survival = np.clip(np.concatenate([np.ones_like(survival[..., :1]), survival], axis=-1), 0.0, 1.0)
    atoms, into, out_of = {}, {}, {}
    for node in graph.nodes:
        entered = lattice.stream(alive.inflow(node) + np.zeros_like(lattice.z))
        atoms[node] = alive.atoms[node]
        middle = 0.5 * (survival[..., 1:] + survival[..., :-1])
        if alive.is_choice(node):
            into[node] = out_of[node] = lattice.transform(entered * middle)
            continue
        left = lattice.stream(alive.outflow(node) + np.zeros_like(lattice.z))
        there = alive.atoms[node][..., None] + np.cumsum(entered - left, axis=-1)
        there = np.concatenate(
            [np.broadcast_to(alive.atoms[node][..., None], (*there.shape[:-1], 1)), there], axis=-1
        )
        entering = entered * middle
        leaving = entering - np.diff(there * survival)
        into[node], out_of[node] = lattice.transform(entering), lattice.transform(leaving)
        for each, mass in zip(deaths, masses, strict=True):
            death = Node(each.to, node.marks)
            dying = lattice.transform(mass * 0.5 * (there[..., 1:] + there[..., :-1]))
            into[death] = into.get(death, 0.0 * dying) + dying
    return Doom(decision, share, atoms, into, out_of)


def _with_atoms(kernel: Kernel, lattice: Lattice) -> Floats:
    mass = kernel.mass
    for atom in kernel.atoms:
        at = atom.cell[..., None] == np.arange(lattice.n)
        mass = mass + np.where(at, atom.mass[..., None], 0.0)
    return mass
