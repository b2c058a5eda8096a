"""The marginal patient without benefit: treated, without response, dead when supportive care would have seen it.

They go the way of the treated, with deaths and ends on the way left out (but for deaths of treatment), as far as the
state of no response; at every moment the time of death that supportive care had in store for them, counted from the
decision, may be up.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from simulator.arrays import Complex, Floats
from simulator.engines.exact import history_graph
from simulator.engines.exact.history_graph import CLOSED, Graph, Marking, Node
from simulator.engines.exact.kernels import Kernel, kernels
from simulator.engines.exact.late_entries import Entries, late, of_cells
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.renewal import Renewal, renewal
from simulator.engines.model import Model
from simulator.engines.no_benefit import open_exits


@dataclass(frozen=True)
class NoBenefit:
    """By node, for one patient without benefit, from the decision on: entries and stays at month 0, and transforms
    of entries and exits, as masses a cell. `means` : over each cell, of patients in a sojourn or dead. `late` : of all
    patients, who is moved between nodes, as masses a cell, since they come to a group's state after its window."""

    decision: Node
    share: Floats
    atoms: dict[Node, Floats]
    staying: dict[Node, Floats]
    into: dict[Node, Complex]
    out_of: dict[Node, Complex]
    means: dict[Node, Floats]
    late: dict[Node, Complex] = field(default_factory=dict)


def streams_without_benefit(
    model: Model, lattice: Lattice, decision: Node, share: Floats, marking: Marking, *, came: Complex | None = None
) -> NoBenefit:
    """Return the streams of a patient without benefit, from a decision's node on.

    came : who decides later than at the clock's start, on the cells' edges, if the end of the window is followed
    """
    pathway = model.pathway
    marginal = pathway.marginal
    assert marginal is not None
    target = pathway.states[marginal.decision].transition(marginal.branch).to
    shut = replace(model, exits={name: open_exits(pathway, name, exits) for name, exits in model.exits.items()})
    graph = history_graph.build(target, marking=marking, marks=decision.marks, ways=shut.open_ways)
    alive = renewal(shut, lattice, graph, {})
    streams = _with_deaths(model, lattice, alive, graph, decision, share)
    if came is not None:
        _move_late(streams, model, lattice, alive, share[..., None] * came)
    return streams


def _with_deaths(
    model: Model, lattice: Lattice, alive: Renewal, graph: Graph, decision: Node, share: Floats
) -> NoBenefit:
    assert model.pathway.marginal is not None
    deaths = model.exits[model.pathway.marginal.otherwise]
    laws = kernels(deaths, lattice.step, lattice.n)
    masses = [with_atoms(law, lattice) for law in laws]
    at_once = sum((law.now for law in laws), np.zeros((1, 1)))
    survival = 1.0 - at_once[..., None] - np.cumsum(sum(masses), axis=-1)
    survival = np.concatenate([np.broadcast_to(1.0 - at_once[..., None], survival[..., :1].shape), survival], axis=-1)
    survival = np.clip(survival, 0.0, 1.0)
    streams = NoBenefit(decision, share, {}, {}, {}, {}, {})
    middle = 0.5 * (survival[..., 1:] + survival[..., :-1])
    dying: dict[Node, Floats] = {}
    for node in graph.nodes:
        entered = lattice.stream(alive.inflow(node) + np.zeros_like(lattice.z))
        streams.atoms[node] = alive.atoms[node]
        if alive.is_choice(node):
            streams.into[node] = streams.out_of[node] = lattice.transform(entered * middle)
            continue
        if model.is_over(node.state):
            # Nobody is followed any further, to death neither; who died of treatment dies once.
            streams.into[node] = lattice.transform(entered * middle)
            streams.staying[node] = alive.atoms[node]
            continue
        first = alive.staying(node)
        streams.staying[node] = first * (1.0 - at_once)
        left = lattice.stream(alive.outflow(node) + np.zeros_like(lattice.z))
        there = first[..., None] + np.cumsum(entered - left, axis=-1)
        there = np.concatenate([np.broadcast_to(first[..., None], (*there.shape[:-1], 1)), there], axis=-1)
        entering = entered * middle
        leaving = entering - np.diff(there * survival)
        streams.into[node], streams.out_of[node] = lattice.transform(entering), lattice.transform(leaving)
        for exit, law, mass in zip(deaths, laws, masses, strict=True):
            death = Node(exit.to, node.marks)
            dying[death] = dying.get(death, 0.0) + mass * 0.5 * (there[..., 1:] + there[..., :-1])
            streams.atoms[death] = streams.staying[death] = streams.atoms.get(death, np.zeros((1, 1))) + first * law.now
    streams.into.update({death: lattice.transform(lost) for death, lost in dying.items()})
    _put_means(streams, lattice, alive, graph, [(death.to, law) for death, law in zip(deaths, laws, strict=True)])
    return streams


def _move_late(streams: NoBenefit, model: Model, lattice: Lattice, alive: Renewal, came: Complex) -> None:
    """Move who comes to a group's state after the window back to the marks before: their deaths and end points."""
    assert model.pathway.marginal is not None
    window = round(model.pathway.group_window / lattice.step)
    deaths = model.exits[model.pathway.marginal.otherwise]
    dying = [with_atoms(law, lattice) for law in kernels(deaths, lattice.step, lattice.n)]
    alive_at = np.clip(1.0 + sum(dying) - np.cumsum(sum(dying), axis=-1), 0.0, 1.0)

    def in_time(edges: Complex) -> Floats:
        return lattice.stream(edges + np.zeros_like(lattice.z))

    def passing(passed: Complex, onward: Floats, there: Floats) -> Floats:
        first, second = (Entries(np.zeros((1, 1, 1)), in_time(edges)) for edges in (came, passed))
        return late(first, second, onward, there, window)

    edges = [edge for edges in alive.graph.out_of.values() for edge in edges if edge.source.marks != edge.target.marks]
    passes = [(edge.source.marks, edge.target, alive.onward(edge)) for edge in edges]
    if streams.decision.marks != alive.graph.start.marks:
        passes.append((streams.decision.marks, alive.graph.start, np.ones((1, 1, 1), dtype=np.complex128)))
    for marks, target, passed in passes:
        graph = history_graph.build(target.state, ways=alive.model.open_ways)
        onward = renewal(alive.model, lattice, graph, {})
        ends = [node for node in graph.nodes if model.is_over(node.state)]
        staying = (onward.edges[node] - onward.leaving(node) for node in graph.nodes if node not in ends)
        there = np.cumsum(in_time(sum(staying, np.zeros((1, 1, 1), dtype=np.complex128))), axis=-1)
        moved = [(node.state, of_cells(passing(passed, in_time(onward.edges[node]), alive_at))) for node in ends]
        moved += [(exit.to, passing(passed, there, mass)) for exit, mass in zip(deaths, dying, strict=True)]
        for state, masses in moved:
            for node, sign in ((Node(state, marks | {CLOSED}), 1.0), (Node(state, target.marks), -1.0)):
                streams.late[node] = streams.late.get(node, 0.0) + sign * lattice.transform(masses)


def _put_means(
    streams: NoBenefit, lattice: Lattice, alive: Renewal, graph: Graph, deaths: list[tuple[str, Kernel]]
) -> None:
    """Add the means over cells of patients in a sojourn and of the dead.

    With S and what is there as means over cells, deaths[k] - deaths[k - 1] = -(S[k] - S[k - 1]) times what is there
    about the edge of both cells, (there[k - 1] + there[k]) / 2. Who is followed no further has come while S lasted.
    """
    dying = [lattice.stream(lattice.kernel(law).edges) for _, law in deaths]
    survival = 1.0 - np.cumsum(sum(dying), axis=-1)
    for node in graph.nodes:
        if alive.is_choice(node):
            continue
        if alive.model.is_over(node.state):
            come = np.diff(lattice.between(alive.edges[node]), prepend=0.0)
            streams.means[node] = np.cumsum(_about(survival) * come, axis=-1)
            continue
        there = lattice.between(alive.edges[node] - alive.leaving(node))
        streams.means[node] = there * survival
        for (to, _), lost in zip(deaths, dying, strict=True):
            death = Node(to, node.marks)
            streams.means[death] = streams.means.get(death, 0.0) + np.cumsum(_about(there) * lost, axis=-1)


def _about(means: Floats) -> Floats:
    """Return means over cells about the edge of each with the cell before."""
    return np.asarray(0.5 * (means + np.concatenate([means[..., :1], means[..., :-1]], axis=-1)))


def with_atoms(kernel: Kernel, lattice: Lattice) -> Floats:
    """Return what leaves later than at once, as masses a cell."""
    mass = kernel.mass
    for atom in kernel.atoms:
        at = atom.cell[..., None] == np.arange(lattice.n)
        mass = mass + np.where(at, atom.mass[..., None], 0.0)
    return mass
