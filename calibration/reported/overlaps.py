"""Arms whose patients are added up as one population, or compared, must exclude one another.

An arm with the name of a group has that group's patients: whoever reads the one may mean the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product

from calibration.reported.kinds.kind import Kind
from simulator.engines.exact import history_graph
from simulator.engines.exact.history_graph import Marking
from simulator.engines.model import Model
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort


def check_exclusive(figures: Iterable[Kind], cohort: Cohort, model: Model) -> None:
    """Refuse rows of arms that are added up, or compared, with patients in common, or that are not what they are named.

    Raises InputError with the line.
    """
    for figure in figures:
        members = cohort.arms.get(figure.population, ())
        for one, other in combinations(members if figure.adds_up else (), 2):
            if _in_common(one, other, model):
                raise InputError(
                    "arms that are added up have patients in common",
                    where=figure.where,
                    got=f"{one} and {other}",
                    allowed="groups of the pathway that exclude one another",
                )
        if not _is_named_rightly(figure.population, members, model):
            raise InputError(
                "an arm with the name of a group, and other patients",
                where=f"{figure.where}, population",
                got=f"{figure.population} = {', '.join(members)}",
                allowed=f"in [arms], the patients of the group {figure.population}, or another name",
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


def _is_named_rightly(arm: str, members: Sequence[str], model: Model) -> bool:
    """Return whether an arm with the name of a group has the patients of that group, wherever they can stay."""
    groups = model.pathway.groups
    if arm not in groups or set(members) <= {arm}:
        return True
    return all(
        groups[arm].includes(entered) == any(name == "all" or groups[name].includes(entered) for name in members)
        for entered in _histories([arm, *(name for name in members if name in groups)], model)
    )


def _in_common(one: str, other: str, model: Model) -> bool:
    """Return whether patients can stay in a state as members of both arms; of two levels, if of two attributes."""
    groups = model.pathway.groups
    if "=" in one or "=" in other:
        return one == other or one.split("=")[0] != other.split("=")[0]
    if "all" in (one, other):
        return True
    both = (groups[one], groups[other])
    return any(all(group.includes(entered) for group in both) for entered in _histories((one, other), model))


def _histories(names: Iterable[str], model: Model) -> Iterator[frozenset[str]]:
    """Yield the states, of those that groups name, that patients who stay in some state can have entered."""
    pathway = model.pathway
    marking = Marking(frozenset(state for name in names for state in pathway.groups[name].states))
    graph = history_graph.build(pathway.clock_state, marking=marking, ways=model.open_ways)
    yield from (node.marks for node in graph.nodes if node.state not in model.timeless)
