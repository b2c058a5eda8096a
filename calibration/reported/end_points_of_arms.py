"""End points of an arm are fitted where its patients are known at month 0, as of a treatment that starts there.

Patients who had the event before they would have joined are missing from an arm that forms later, and censored
patients never join it. Such an arm's estimate is followed through late entries for death only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from calibration.reported.kinds.events import ToEvent
from calibration.reported.kinds.kind import COMPARE, Kind
from simulator.engines.exact import history_graph
from simulator.engines.exact.history_graph import Marking, Node
from simulator.engines.model import Model
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import reachable


def check_end_points(figures: Iterable[Kind], cohort: Cohort, model: Model) -> None:
    """Refuse a fitted end point of an arm that patients join or leave after month 0. Raises InputError."""
    for figure in figures:
        members = () if cohort.is_everybody(figure.population) else cohort.arms.get(figure.population, ())
        if not (figure.is_fitted and isinstance(figure, ToEvent) and figure.end_point and members):
            continue
        if not is_known_at_once(members, model):
            raise InputError(
                "an end point of an arm that patients join or leave after month 0 cannot be fitted",
                where=f"{figure.where}, population",
                got=figure.population,
                allowed=f"an arm that is known at month 0; `entered` or `deaths` of this arm by a month; or {COMPARE}",
            )


def is_known_at_once(members: Sequence[str], model: Model) -> bool:
    """Return whether it is settled before any time passes which patients are of some groups, together."""
    groups = [model.pathway.groups[name] for name in members]
    marking = Marking(frozenset(state for group in groups for state in group.states))
    graph = history_graph.build(model.pathway.clock_state, marking=marking, ways=model.open_ways)

    def is_in(node: Node) -> bool:
        return any(group.includes(node.marks) for group in groups)

    def onward(node: Node) -> list[Node]:
        return [edge.target for edge in graph.out_of[node]]

    at_once = reachable([graph.start], lambda node: onward(node) if node.state in model.timeless else [])
    later = ((first, node) for first in at_once for node in reachable([first], onward) if _stays({first, node}, model))
    return all(is_in(first) == is_in(node) for first, node in later)


def _stays(nodes: Iterable[Node], model: Model) -> bool:
    """Return whether time passes at all of some nodes."""
    return model.timeless.isdisjoint(node.state for node in nodes)
