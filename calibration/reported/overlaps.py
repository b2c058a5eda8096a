"""Arms whose patients are added up as one population must exclude one another."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from calibration.reported.kinds.kind import Kind
from simulator.engines.exact import history_graph
from simulator.engines.exact.history_graph import Marking
from simulator.engines.model import Model
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort


def check_exclusive(used: Iterable[Kind], cohort: Cohort, model: Model) -> None:
    """Refuse rows of arms that are added up and have patients in common. Raises InputError naming the line.

    used : the fitted figures
    """
    for figure in used:
        for one, other in combinations(cohort.arms.get(figure.population, ()) if figure.adds_up else (), 2):
            if _in_common(one, other, model):
                raise InputError(
                    "arms that are added up have patients in common",
                    where=figure.where,
                    got=f"{one} and {other}",
                    allowed="groups of the pathway that exclude one another",
                )


def _in_common(one: str, other: str, model: Model) -> bool:
    """Return whether patients can stay in a state as members of both arms."""
    pathway = model.pathway
    if "all" in (one, other):
        return True
    groups = [pathway.groups[one], pathway.groups[other]]
    marking = Marking(frozenset(state for group in groups for state in group.states))
    graph = history_graph.build(pathway.clock_state, marking=marking, ways=model.open_ways)
    stays = (node for node in graph.nodes if node.state not in model.timeless)
    return any(all(group.includes(node.marks) for group in groups) for node in stays)
