"""What `guarantee-time` and `virtual-cohorts` print after the answer, in 80 columns."""

from __future__ import annotations

import math

from rich.console import Console

from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime
from simulator.analyses.virtual_cohorts.power import VirtualCohorts
from simulator.experiment.manifest import note
from simulator.report import terminal
from simulator.wording import intervals, rounding, virtual_cohorts


def show(found: ImmortalTime | VirtualCohorts, console: Console) -> None:
    """Print the tables, what must be known beside them, and what it is not for."""
    if isinstance(found, ImmortalTime):
        _show_guarantee(found, console)
    else:
        _show_cohorts(found, console)
    console.print()
    draws = f"{found.n_draws} draws" if found.n_draws > 1 else "one draw"
    console.print(f"{found.settings.cohorts} cohorts of {found.settings.size} over {draws}.")
    scenario = found.scenario if isinstance(found, ImmortalTime) else found.scenarios[0]
    console.print(note(scenario.pathway))


def _show_guarantee(found: ImmortalTime, console: Console) -> None:
    pathway = found.scenario.pathway
    for clock in found.analyses["clock"].unique():
        rows = found.analyses[found.analyses["clock"] == clock].to_dict("records")
        console.print()
        measured = f"{virtual_cohorts.endpoint(found, clock)} at {virtual_cohorts.month(found)}"
        console.print(
            f"From {virtual_cohorts.clock_label(clock, pathway)}: {measured}, %; "
            f"the difference, and its range in cohorts of {found.settings.size}"
        )
        made = terminal.table("", *(group.label for group in found.groups), "difference", "range", "P<.05", numbers=5)
        for row in rows:
            cells = [intervals.estimate(_as_row(row, each)) for each in ("entered", "other")]
            cells.append(intervals.estimate(_as_row(row, "difference"), sign="+"))
            known = row["cohorts"] > 0
            ends = rounding.interval(row["cohort_lower"], row["cohort_upper"], "probability", row["difference"])
            cells.append("-" if ends is None else " to ".join(ends))
            label = virtual_cohorts.analysis_label(row["analysis"], row["begins"]).partition(":")[0].partition(",")[0]
            significant = f"{rounding.number(row['significant'], 'probability')} %" if known else "-"
            terminal.add(made, label, *cells, significant)
        console.print(made)
    console.print(virtual_cohorts.why_analyses_differ(found))


def _as_row(row: intervals.Row, name: str) -> intervals.Row:
    return {"unit": "probability", "estimate": row[name], "lower": row[f"{name}_lower"], "upper": row[f"{name}_upper"]}


def _show_cohorts(found: VirtualCohorts, console: Console) -> None:
    console.print()
    console.print(virtual_cohorts.standard_deviations(found))
    if found.power is None:
        return
    console.print()
    console.print(
        f"Power against {found.scenarios[0].name}, %: mean over draws, 95 % interval over them; ± Monte Carlo error"
    )
    names = list(dict.fromkeys(found.power["scenario"]))
    made = terminal.table("patients an arm", *names, numbers=len(names))
    for size, rows in found.power.groupby("patients_an_arm"):
        terminal.add(made, f"{size}", *(_power(row) for row in rows.to_dict("records")))
    console.print(made)
    console.print("Both arms are independent patients, followed as the cohort was.")


def _power(row: intervals.Row) -> str:
    told = intervals.estimate({**row, "unit": "probability", "estimate": row["power"]})
    error = row["monte_carlo_se"]
    return f"{told} ± {rounding.number(error, 'probability')}" if math.isfinite(error) else told
