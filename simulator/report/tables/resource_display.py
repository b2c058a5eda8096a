"""The use of every resource on the terminal: a table a scenario and resource, in 80 columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from simulator.outcomes.resource_use import LABELS
from simulator.report import terminal
from simulator.wording import intervals, resources, rounding
from simulator.wording.headline import benefit_heading, policies
from simulator.wording.intervals import Row
from simulator.wording.resources import DISPLAYED, Figure

if TYPE_CHECKING:
    from rich.table import Table

    from simulator.experiment.results import Results
    from simulator.scenario.scenario import Scenario


def show(results: Results, console: Console) -> None:
    """Print the use of every resource by policy, and whether the replications sufficed."""
    if results.service is None:
        return
    for policy, *ends in policies(results.scenarios):
        for resource in policy.capacity:
            rows = [resources.rows_of(results.service, scenario.name, resource) for scenario in (policy, *ends)]
            lines = {LABELS[outcome]: [row[outcome] for row in rows] for outcome in DISPLAYED}
            console.print()
            heading = f"{resources.units(policy, resource)}; {resources.WHOLE_STAYS}"
            console.print(f"{policy.name}, {heading}{_uncertainty(results)}")
            console.print(_table(lines, ends, results.scenarios[0]))
            if note := resources.stability(rows[0], results.manifest, policy, resource):
                console.print(note)
            console.print(resources.precision(rows[0], policy, results.manifest["replications"]))
        starts, *others = (resources.unlimited_starts(results.service, scenario) for scenario in (policy, *ends))
        if starts:
            lines = {
                resources.starts_label(policy, resource): [row, *(rows[resource] for rows in others)]
                for resource, row in starts.items()
            }
            console.print()
            console.print(f"{policy.name}, not limited{_uncertainty(results)}")
            console.print(_table(lines, ends, results.scenarios[0]))
    if any(scenario.capacity for scenario in results.scenarios):
        console.print()
        console.print(resources.caution(results.scenarios[0].pathway))


def _uncertainty(results: Results) -> str:
    """Return what the numbers after an estimate are; empty for one replication, which says nothing of chance."""
    manifest = results.manifest
    if manifest["replications"] < 2:
        return ""
    return f"{intervals.over_draws(manifest['draws'])}; ± Monte Carlo standard error"


def _table(lines: Mapping[str, Sequence[Row]], ends: Sequence[Scenario], first: Scenario) -> Table:
    """Return a table: figures, errors, differences from the first scenario, figures at other marginal benefits.

    lines : label -> the row under the policy, then the rows at other marginal benefits
    """
    days = resources.in_days(row for rows in lines.values() for row in rows)
    compared = any(math.isfinite(row["difference"]) for row, *_ in lines.values())
    has_errors = any(math.isfinite(row["monte_carlo_se"]) for row, *_ in lines.values())
    headings = ["", *(["±"] if has_errors else []), *([f"to {first.name}"] if compared else [])]
    headings += [benefit_heading(scenario) for scenario in ends]
    table = terminal.table("", *headings, numbers=len(headings))
    for label, (row, *others) in lines.items():
        figure = resources.figure(row, days=days)
        cells = [_estimate(figure), *([figure.error_text] if has_errors else [])]
        if compared:
            cells.append(_estimate(resources.figure(row, days=days, difference=True), "+"))
        for other in others:
            at_benefit = resources.figure(other, days=days)
            cells.append(rounding.number(at_benefit.estimate, at_benefit.unit))
        terminal.add(table, label + (f", {figure.unit}" if figure.unit in ("%", "days", "months") else ""), *cells)
    return table


def _estimate(figure: Figure, sign: str = "") -> str:
    if sign and not math.isfinite(figure.estimate):
        return ""
    return intervals.with_interval(figure.estimate, figure.lower, figure.upper, figure.unit, sign=sign)
