"""The stages in a cohort's reported counts: partitions of its patients, read from the targets and the pathway.

A stage is a set of nodes whose counts sum to the size of their population. Nothing is listed here:
the arms come from the cohort, the states from its targets, labels and order from the pathway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway

ALL, ALIVE, DEAD = "all", "alive", "dead"


@dataclass(frozen=True)
class Node:
    """The patients of a population who enter one of some states and none of some others.

    population : the node that includes them (all, or an arm); count : as reported
    target : the name of the target that reports it
    """

    key: str
    label: str
    count: int
    population: str
    target: str = ""
    entered: tuple[str, ...] = ()
    not_entered: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stages:
    """The nodes from the left.

    root : all patients; columns : the nodes of each stage; fates : (arm, fate) -> count by the end of follow-up
    deaths : the targets that count the deaths of all patients, in total and by their state
    """

    root: Node
    columns: tuple[tuple[Node, ...], ...]
    fates: Mapping[tuple[str, str], int]
    deaths: pd.DataFrame

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node but the fates."""
        return (self.root, *(node for column in self.columns for node in column))

    def fate(self, fate: str) -> int:
        """Return the number alive, or dead, by the end of follow-up."""
        return sum(count for (_, end), count in self.fates.items() if end == fate)


def stages(pathway: Pathway, cohort: Cohort) -> Stages:
    """Return the stages in a cohort's targets; without columns if there are none."""
    place = {name: index for index, name in enumerate(pathway.in_order)}
    start = pathway.states[pathway.clock_state]
    root = Node(ALL, start.label, cohort.n, "", entered=(start.name,))
    columns = []
    pending = [root]
    while pending:
        population = pending.pop(0)
        split = _arms(pathway, cohort, population)
        columns += [*_entered(pathway, cohort, population), *([split] if split else [])]
        pending += split
    # Who is of a node is known at the last of its states; a column stands where the first of its nodes is known.
    columns.sort(key=lambda nodes: min(max(place[state] for state in (*n.entered, *n.not_entered)) for n in nodes))
    return Stages(root, tuple(tuple(column) for column in columns), _fates(cohort), _rows(cohort, "deaths", ALL))


def _rows(cohort: Cohort, kind: str, population: str) -> pd.DataFrame:
    rows = cohort.targets
    chosen = (rows["kind"] == kind) & (rows["population"] == population) & (rows["attribute"] == "")
    return rows[chosen & rows["count"].notna() & rows["month"].isna()]


def _arms(pathway: Pathway, cohort: Cohort, population: Node) -> list[Node]:
    """Return the largest arms inside a population, if their counts sum to it."""
    inside = set(cohort.arms.get(population.key, ()))
    arms = {name: set(parts) for name, parts in cohort.arms.items() if set(parts) < inside and name in pathway.groups}
    largest = [name for name, parts in arms.items() if not any(parts < other for other in arms.values())]
    nodes = []
    for name in largest:
        group, rows = pathway.groups[name], _rows(cohort, "patients", name)
        if len(rows):
            count, target = int(rows["count"].iloc[0]), str(rows["name"].iloc[0])
            nodes.append(Node(name, group.label, count, population.key, target, group.entered, group.not_entered))
    return nodes if sum(node.count for node in nodes) == population.count else []


def _entered(pathway: Pathway, cohort: Cohort, population: Node) -> list[list[Node]]:
    """Return the runs of states, as the targets list them, whose counts sum to a population's size."""
    runs: list[list[Node]] = []
    run: list[Node] = []
    for row in _rows(cohort, "entered", population.key).itertuples():
        name, count = str(row.state), int(row.count)  # type: ignore[call-overload]
        if name in pathway.states:
            run.append(Node(name, pathway.states[name].label, count, population.key, str(row.name), (name,)))
        if run and sum(node.count for node in run) == population.count:
            runs.append(run)
            run = []
    return runs


def _fates(cohort: Cohort) -> dict[tuple[str, str], int]:
    """Return (arm, fate) -> the number dead or alive by the end of follow-up, of the disjoint arms of all patients."""
    counts = {}
    for arm in cohort.arms.get(ALL, ()):
        deaths, patients = _rows(cohort, "deaths", arm), _rows(cohort, "patients", arm)
        deaths = deaths[deaths["state"] == ""]
        if len(deaths) and len(patients):
            dead = int(deaths["count"].iloc[0])
            counts[arm, ALIVE] = int(patients["count"].iloc[0]) - dead
            counts[arm, DEAD] = dead
    return counts
