"""Arms whose patients are added up, in the table of patients or as one population, must exclude one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

import pandas as pd

from calibration.reported.consistency import where
from calibration.reported.kinds import TIMED
from simulator.engines.exact import history_graph
from simulator.engines.model import Model
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Group


def check_exclusive(used: pd.DataFrame, in_table: Sequence[object], cohort: Cohort, model: Model, folder: Path) -> None:
    """Refuse arms that are added up and have patients in common. Raises InputError naming the lines.

    used : the fitted rows; in_table : the index of those of the table of patients
    """
    first: dict[str, object] = {}
    for line, row in used[~used["kind"].isin(TIMED)].iterrows():
        arms = cohort.arms.get(row["population"], ())
        _refuse_common(dict.fromkeys(arms, line), model, folder)
        if line in in_table:
            first = dict.fromkeys(arms, line) | first
    _refuse_common(first, model, folder)


def _refuse_common(lines: dict[str, object], model: Model, folder: Path) -> None:
    """Refuse two arms with patients in common. lines : arm -> the row that reports it"""
    for one, other in combinations(lines, 2):
        if _in_common(one, other, model):
            raise InputError(
                "arms that are added up have patients in common",
                where=where(folder, *sorted({lines[one], lines[other]}, key=str)),
                got=f"{one} and {other}",
                allowed='groups of the pathway that exclude one another, or use = "predictive" for the rows of one arm',
            )


def _in_common(one: str, other: str, model: Model) -> bool:
    """Return whether patients can stay in a state as members of both arms."""
    pathway = model.pathway
    if "all" in (one, other):
        return True
    groups = [pathway.groups[one], pathway.groups[other]]
    marking = frozenset(state for group in groups for state in (*group.entered, *group.not_entered))
    graph = history_graph.build(pathway.clock_state, marking=marking, ways=model.open_ways)
    stays = (node for node in graph.nodes if node.state not in model.timeless)
    return any(all(_is_member(group, node.marks) for group in groups) for node in stays)


def _is_member(group: Group, marks: Iterable[str]) -> bool:
    return not set(marks).isdisjoint(group.entered) and set(marks).isdisjoint(group.not_entered)
