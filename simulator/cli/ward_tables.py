"""What the wards did, on the terminal: a table a scenario and resource, in 80 columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from simulator import ward_words
from simulator.answer import policies
from simulator.cli import tables
from simulator.ward_words import LABELS, SHOWN, Figure, Row

if TYPE_CHECKING:
    from rich.table import Table

    from simulator.results import Results
    from simulator.scenario import Scenario

Rows = Mapping[str, Row]


def show(results: Results, console: Console) -> None:
    """Print what every limited resource did, and whether the replications sufficed; both ends of a policy together."""
    if results.service is None:
        return
    for policy, *ends in policies(results.scenarios):
        for resource in policy.capacity:
            rows = [ward_words.rows_of(results.service, each.name, resource) for each in (policy, *ends)]
            there = ward_words.units(policy, resource)
            console.print()
            console.print(f"{policy.name}, {there}{_uncertainty(results)}", soft_wrap=False)
            console.print(_table(rows[0], rows[1:], ends, results.scenarios[0]))
            console.print(ward_words.precision(rows[0], policy, results.manifest["replications"]))
    if any(each.capacity for each in results.scenarios):
        console.print()
        console.print(ward_words.CAUTION)


def _uncertainty(results: Results) -> str:
    draws = results.manifest["draws"]
    interval = f"; 95 % intervals over {draws} draws" if draws > 1 else "; one set of parameters, so no intervals"
    return f"{interval}; ± Monte Carlo standard error"


def _table(rows: Rows, rows_of_ends: Sequence[Rows], ends: Sequence[Scenario], first: Scenario) -> Table:
    """Return a resource's table: figures, errors, differences to the first scenario, figures at the other end."""
    days = ward_words.in_days([*rows.values(), *(row for own in rows_of_ends for row in own.values())])
    compared = any(math.isfinite(row["difference"]) for row in rows.values())
    headings = ["", "±", *([f"to {first.name}"] if compared else [])]
    headings += [f"if {each.marginal_benefit:.0%} gain" for each in ends]
    made = tables.table("", *headings, numbers=len(headings))
    for outcome in SHOWN:
        told = ward_words.figure(rows[outcome], days=days)
        cells = [_estimate(told), told.error_told]
        if compared:
            cells.append(_estimate(ward_words.figure(rows[outcome], days=days, difference=True), "+"))
        for own in rows_of_ends:
            there = ward_words.figure(own[outcome], days=days)
            cells.append(f"{there.estimate:z.{there.places}f}" if math.isfinite(there.estimate) else "-")
        tables.add(made, LABELS[outcome] + (f", {told.unit}" if told.unit in ("%", "days", "months") else ""), *cells)
    return made


def _estimate(told: Figure, sign: str = "") -> str:
    if not math.isfinite(told.estimate):
        return "" if sign else "-"
    form = f"z.{told.places}f"
    said = f"{told.estimate:{sign}{form}}"
    if not told.has_interval:
        return said
    between = " to " if told.lower < 0 else "-"
    return f"{said} ({told.lower:{form}}{between}{told.upper:{form}})"
