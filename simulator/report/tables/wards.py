"""What the wards did, on the terminal: a table a scenario and resource, in 80 columns."""

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
from simulator.wording.resources import DISPLAYED, STARTS, Figure

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from simulator.experiment.results import Results
    from simulator.scenario.scenario import Scenario

def show(results: Results, console: Console) -> None:
    """Print what every limited resource did, and whether the replications sufficed; both ends of a policy together."""
    if results.service is None:
        return
    for policy, *ends in policies(results.scenarios):
        for resource in policy.capacity:
            rows = [resources.rows_of(results.service, each.name, resource) for each in (policy, *ends)]
            lines = {LABELS[outcome]: [row[outcome] for row in rows] for outcome in DISPLAYED}
            console.print()
            whole = f"{resources.units(policy, resource)}; {resources.WHOLE_STAYS}"
            console.print(f"{policy.name}, {whole}{_uncertainty(results)}")
            console.print(_table(lines, ends, results.scenarios[0]))
            if note := resources.stability(rows[0], results.manifest, policy, resource):
                console.print(note)
            console.print(resources.precision(rows[0], policy, results.manifest["replications"]))
        if lines := _never_short(results.service, [policy, *ends]):
            console.print()
            console.print(f"{policy.name}, never short{_uncertainty(results)}")
            console.print(_table(lines, ends, results.scenarios[0]))
    if any(scenario.capacity for scenario in results.scenarios):
        console.print()
        console.print(resources.caution(results.scenarios[0].pathway))


def _never_short(service: pd.DataFrame, ends: Sequence[Scenario]) -> dict[str, list[Row]]:
    """Return the rows of both ends of a policy, by what is begun of a resource that is not limited."""
    return {
        resources.starts_label(ends[0], resource): [resources.rows_of(service, e.name, resource)[STARTS] for e in ends]
        for resource in resources.unlimited(service, ends[0])
    }


def _uncertainty(results: Results) -> str:
    draws = results.manifest["draws"]
    interval = f"; 95 % intervals over {draws} draws" if draws > 1 else "; one set of parameters, so no intervals"
    return f"{interval}; ± Monte Carlo standard error"


def _table(lines: Mapping[str, Sequence[Row]], ends: Sequence[Scenario], first: Scenario) -> Table:
    """Return a table: figures, errors, differences to the first scenario, figures at the other end.

    lines : what each line tells, and its row under the policy, then at its other ends
    """
    days = resources.in_days(row for rows in lines.values() for row in rows)
    compared = any(math.isfinite(row["difference"]) for row, *_ in lines.values())
    headings = ["", "±", *([f"to {first.name}"] if compared else [])]
    headings += [benefit_heading(each) for each in ends]
    made = terminal.table("", *headings, numbers=len(headings))
    for label, (row, *others) in lines.items():
        told = resources.figure(row, days=days)
        cells = [_estimate(told), told.error_text]
        if compared:
            cells.append(_estimate(resources.figure(row, days=days, difference=True), "+"))
        for other in others:
            there = resources.figure(other, days=days)
            cells.append(rounding.number(there.estimate, there.unit))
        terminal.add(made, label + (f", {told.unit}" if told.unit in ("%", "days", "months") else ""), *cells)
    return made


def _estimate(told: Figure, sign: str = "") -> str:
    if sign and not math.isfinite(told.estimate):
        return ""
    return intervals.with_interval(told.estimate, told.lower, told.upper, told.unit, sign=sign)
