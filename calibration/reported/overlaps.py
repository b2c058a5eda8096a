"""Arms whose patients are added up as one population, or compared, must exclude one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, product

from calibration.reported.kinds.kind import Kind
from simulator.engines.exact import history_graph
from simulator.engines.exact.history_graph import Marking
from simulator.engines.model import Model
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort


def check_exclusive(figures: Iterable[Kind], cohort: Cohort, model: Model) -> None:
    """Refuse rows of arms that are added up, or compared, with patients in common. Raises InputError with the line."""
    for figure in figures:
        is_added_up = figure.is_fitted and figure.adds_up
        for one, other in combinations(cohort.arms.get(figure.population, ()) if is_added_up else (), 2):
            if _in_common(one, other, model):
                raise InputError(
                    "arms that are added up have patients in common",
                    where=figure.where,
                    got=f"{one} and {other}",
                    allowed="groups of the pathway that exclude one another",
                )
        for one, other in combinations(figure.populations, 2):
            pairs = product(_parts(one, cohort, model), _parts(other, cohort, model))
            if any(_in_common(part, other_part, model) for part, other_part in pairs):
                raise InputError(
                    "populations that are compared have patients in common",
                    where=f"{figure.where}, versus",
                    got=f"{one} and {other}",
                    allowed=f"in `versus`, a population without patients of {one}",
                )


def _parts(population: str, cohort: Cohort, model: Model) -> Sequence[str]:
    """Return the groups of an arm; a level, or a name that is both arm and group, as it is."""
    return cohort.arms[population] if population not in model.pathway.groups and "=" not in population else [population]


def _in_common(one: str, other: str, model: Model) -> bool:
    """Return whether patients can stay in a state as members of both arms; of two levels, if of two attributes."""
    pathway = model.pathway
    if "=" in one or "=" in other:
        return one == other or one.split("=")[0] != other.split("=")[0]
    if "all" in (one, other):
        return True
    groups = [pathway.groups[one], pathway.groups[other]]
    marking = Marking(frozenset(state for group in groups for state in group.states))
    graph = history_graph.build(pathway.clock_state, marking=marking, ways=model.open_ways)
    stays = (node for node in graph.nodes if node.state not in model.timeless)
    return any(all(group.includes(node.marks) for group in groups) for node in stays)
