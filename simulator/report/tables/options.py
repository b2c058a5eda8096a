"""A table with a column an option: estimates and, in rows below them, how they differ from the first option."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence

from simulator.scenario.scenario import COHORTS, Scenario, split_name
from simulator.wording import intervals
from simulator.wording.headline import policies, scenario_in_words
from simulator.wording.intervals import Estimate
from simulator.wording.intervals import Row as Record
from simulator.wording.table import Content, Line, Row, Table, columns

FROM_TWO_POLICIES_ON = 3
"""Scenarios without their other benefits from which on each has one column; two stand next to their difference."""
DIFFERENCE, CAUTIOUS = "  difference", "  cautious"


def leading(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return the options: a policy at its first marginal benefit."""
    return [policy[0] for policy in policies(scenarios)]


def are_several(scenarios: Sequence[Scenario]) -> bool:
    """Return whether there are so many options that each has one column."""
    return len(leading(scenarios)) >= FROM_TWO_POLICIES_ON


def side_by_side(
    lines: Sequence[Line],
    scenarios: Sequence[Scenario],
    read: Callable[[Record], Content],
    *,
    compared: Container[str],
    caption: str,
    notes: Sequence[str] = (),
    headings: Mapping[str, str] | None = None,
) -> Table:
    """Return the table of options.

    lines : of all scenarios; compared : labels of lines whose differences from the first option have rows
    read : what a cell shows of an option; headings : scenario -> its heading, default its name
    """
    options = leading(scenarios)
    cautious = {split_name(one.name)[0]: one.name for one in scenarios if one.marginal_benefit == COHORTS}
    rows: list[Row] = []
    for label, unit, by_name in lines:
        of_options = [by_name.get(option.name) for option in options]
        rows.append(Row(label, ["" if one is None else read(one) for one in of_options], unit))
        if label in compared:
            of_cautious = [by_name.get(cautious.get(option.policy, "")) for option in options]
            rows += _differences(DIFFERENCE, of_options)
            rows += _differences(CAUTIOUS, of_cautious)
    names = [(headings or {}).get(option.name, scenario_in_words(option.name)) for option in options]
    return Table(columns("", *names), rows, caption, notes)


def _differences(label: str, records: Sequence[Record | None]) -> Iterator[Row]:
    """Yield the row of differences from the first option; none where nothing differs as displayed."""
    cells = ["" if one is None else intervals.difference(one) for one in records]
    if any(isinstance(cell, Estimate) and (cell.value != "0" or cell.ends) for cell in cells):
        yield Row(label, cells)
