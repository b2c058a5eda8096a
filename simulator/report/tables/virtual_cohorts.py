"""The terminal output of `guarantee-time` and `virtual-cohorts`: the answer, then the tables, in 80 columns."""

from __future__ import annotations

import math

from rich.console import Console

from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime
from simulator.analyses.virtual_cohorts.power import VirtualCohorts
from simulator.experiment.manifest import note
from simulator.report import terminal
from simulator.wording import intervals, rounding, virtual_cohorts


def show(result: ImmortalTime | VirtualCohorts, answer: str, console: Console) -> None:
    """Print the answer, the tables, their settings and limits."""
    console.print(answer)
    if isinstance(result, ImmortalTime):
        _show_immortal_time(result, console)
    else:
        _show_cohorts(result, console)
    console.print()
    draws = f"{result.n_draws} parameter sets" if result.n_draws > 1 else "one parameter set"
    console.print(f"{result.settings.cohorts} cohorts of {result.settings.size} over {draws}.")
    scenario = result.scenario if isinstance(result, ImmortalTime) else result.scenarios[0]
    console.print(note(scenario.pathway))


def _show_immortal_time(result: ImmortalTime, console: Console) -> None:
    pathway = result.scenario.pathway
    for clock in result.analyses["clock"].unique():
        rows = result.analyses[result.analyses["clock"] == clock].to_dict("records")
        console.print()
        measured = f"{virtual_cohorts.endpoint(result, clock)} at {virtual_cohorts.month(result)}"
        console.print(
            f"From {virtual_cohorts.clock_label(clock, pathway)}: {measured}, %; "
            f"difference, and its range over cohorts of {result.settings.size}"
        )
        table = terminal.table("", *(group.label for group in result.groups), "difference", "range", "P<.05", numbers=5)
        for row in rows:
            cells = [intervals.estimate(_as_row(row, column)) for column in ("entered", "other")]
            cells.append(intervals.estimate(_as_row(row, "difference"), sign="+"))
            known = row["cohorts"] > 0
            ends = rounding.interval(row["cohort_lower"], row["cohort_upper"], "probability", row["difference"])
            cells.append("-" if ends is None else " to ".join(ends))
            label = virtual_cohorts.analysis_label(row["analysis"], row["begins"]).partition(":")[0].partition(",")[0]
            significant = f"{rounding.number(row['significant'], 'probability')} %" if known else "-"
            terminal.add(table, label, *cells, significant)
        console.print(table)
    console.print(virtual_cohorts.why_analyses_differ(result))


def _as_row(row: intervals.Row, name: str) -> intervals.Row:
    return {"unit": "probability", "estimate": row[name], "lower": row[f"{name}_lower"], "upper": row[f"{name}_upper"]}


def _show_cohorts(result: VirtualCohorts, console: Console) -> None:
    console.print()
    console.print(virtual_cohorts.standard_deviations(result))
    if result.power is None:
        return
    console.print()
    console.print(
        f"Power against {result.scenarios[0].name}, %: mean and 95 % interval over parameter sets; ± Monte Carlo error"
    )
    names = list(dict.fromkeys(result.power["scenario"]))
    table = terminal.table("patients an arm", *names, numbers=len(names))
    for size, rows in result.power.groupby("patients_an_arm"):
        terminal.add(table, f"{size}", *(_power(row) for row in rows.to_dict("records")))
    console.print(table)
    console.print("The arms are independent patients, followed up as the cohort was.")


def _power(row: intervals.Row) -> str:
    power = intervals.estimate({**row, "unit": "probability", "estimate": row["power"]})
    error = row["monte_carlo_se"]
    return f"{power} ± {rounding.number(error, 'probability')}" if math.isfinite(error) else power
