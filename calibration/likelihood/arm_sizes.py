"""Arms whose size a row of `entered` counts already: the table of deaths and survivors must not count it again.

60 of 100 entered treatment, and 10 of the 60 treated died: how many are treated is one figure, and not two.
"""

from __future__ import annotations

from collections.abc import Sequence

from calibration.likelihood.branchings import Branching, Event, Order
from calibration.likelihood.cells import ALIVE, ELSEWHERE, Cell, Equation, Row
from calibration.likelihood.tables import Tables
from calibration.reported import population_sizes
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Group, Pathway


def counted_sizes(
    rows: Sequence[Row], branchings: Sequence[Branching], cohort: Cohort, pathway: Pathway, order: Order, where: str
) -> Tables | None:
    """Return the sizes that a table's rows give of arms that branchings count; None if they give none.

    Its cells are the arms and, last, everybody else. where : the file of the rows
    """
    counted = arms_counted(branchings, cohort, pathway, order)
    row_of_arms = {frozenset(cohort.arms[row.population]): row for row in rows}
    row_of_arms = {members: row for members, row in row_of_arms.items() if members <= counted}
    if not row_of_arms:
        return None
    arms = sorted(frozenset().union(*row_of_arms))
    cells = tuple(Cell(arm, ALIVE, 0.0, 0.0) for arm in (*arms, ELSEWHERE))
    equations = [Equation(frozenset(range(len(cells))), cohort.n, f"{where}: n")]
    for members, row in row_of_arms.items():
        size = row.count if row.kind == "patients" else row.n
        equations.append(Equation(frozenset(map(arms.index, members)), size, row.where))
    return Tables(cells, tuple(equations), where)


def arms_counted(branchings: Sequence[Branching], cohort: Cohort, pathway: Pathway, order: Order) -> set[str]:
    """Return the arms of which an event counts all patients and no others, and those that such arms leave."""
    counted: set[str] = set()
    if not population_sizes.are_whole(cohort, pathway):
        return counted
    arms = {arm for members in cohort.arms.values() for arm in members} & pathway.groups.keys()
    for branching in branchings:
        members = cohort.arms[branching.population]
        events = [event for event in branching.events if event.month == float("inf")]
        same = {arm for arm in arms if any(_same(pathway.groups[arm], event, order) for event in events)}
        others = set(members) - same
        counted |= same | (others if len(others) == 1 and same & set(members) else set())
    return counted


def _same(group: Group, event: Event, order: Order) -> bool:
    """Return whether an event's patients are those of a group."""
    joined = Event(group.entered)
    settled = not group.not_entered or order.exclude(group.entered, group.not_entered)
    return settled and order.inside(joined, event) and order.inside(event, joined)
