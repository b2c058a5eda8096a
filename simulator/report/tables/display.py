"""The terminal output of a run: the answer first, then the tables, in 80 columns."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from simulator.experiment.manifest import ROUGH
from simulator.outcomes.labels import label, until
from simulator.report import terminal
from simulator.scenario.scenario import BREAK_EVEN, COHORTS
from simulator.wording import intervals, resources
from simulator.wording.headline import CAUTIOUS_NOTE, answer, benefit_heading, policies

if TYPE_CHECKING:
    import pandas as pd

    from calibration.fit import Fit
    from simulator.analyses.verification import Check
    from simulator.evidence.cohort import Cohort
    from simulator.experiment.results import Results
    from simulator.scenario.scenario import Scenario


def as_json(outcomes: pd.DataFrame) -> str:
    """Return a table as a JSON array of its rows; an empty cell is null."""
    rows = [{str(key): _json(value) for key, value in row.items()} for row in outcomes.to_dict("records")]
    return json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)


def _json(value: Any) -> Any:
    """Return a cell for JSON, with all digits; null if it is empty or infinite."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show_answer(results: Results, console: Console) -> None:
    sentences = [answer(results.outcomes, results.scenarios), resources.sentence(results.service, results.scenarios)]
    console.print(" ".join(sentence for sentence in [ROUGH * results.is_rough, *sentences] if sentence))


def show(results: Results, cohort: Cohort | None, console: Console) -> None:
    """Print the answer, the outcomes of every policy next to the first, its resources, and the predictive table."""
    from simulator.report.tables import resource_display

    show_answer(results, console)
    for policy in _compared(results.scenarios):
        clock = policy[-1].leads_with or policy[-1].pathway.clock
        console.print()
        counts = until(results.scenarios[0].pathway, results.manifest["horizon"])
        console.print(f"All patients, from {clock}{counts}{intervals.over_draws(results.manifest['draws'])}")
        console.print(_outcomes(results.outcomes, policy, clock))
    if any(scenario.marginal_benefit == COHORTS for scenario in results.scenarios):
        console.print(CAUTIOUS_NOTE)
    resource_display.show(results, console)
    if cohort is not None and cohort.predictive is not None:
        console.print()
        console.print(f"Reported for {cohort.n} patients, simulated for {cohort.n} new patients; 95 % intervals")
        console.print(_predictive(cohort.predictive))
    console.print()
    console.print(f"Engine: {results.manifest['engine']} ({results.manifest['engine_because']}).")
    console.print(results.manifest["note"])



def _compared(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    """Return the first scenario with each of the other policies at all its marginal benefits."""
    (first, *ends), *others = policies(scenarios)
    return [[first, *policy] for policy in others] or [[first, *ends]]


def _outcomes(outcomes: pd.DataFrame, scenarios: Sequence[Scenario], clock: str) -> Table:
    """Return the table of a first scenario, a policy, their difference, and the difference at other benefits."""
    of_all = outcomes[(outcomes["population"] == "all") & (outcomes["clock"] == clock)]
    rows = {(row["scenario"], row["outcome"]): row for row in of_all.to_dict("records")}
    # The break-even share stands in the answer; its outcomes are in the files.
    scenarios = [scenario for scenario in scenarios if scenario.marginal_benefit != BREAK_EVEN]
    first, policy, ends = scenarios[0], scenarios[1:2], scenarios[2:]
    headings = [first.name, *(scenario.name for scenario in policy), *("difference" for _ in policy)]
    headings += [benefit_heading(scenario) for scenario in ends]
    table = terminal.table("", *headings, numbers=len(headings))
    for outcome in dict.fromkeys(name for _, name in rows):
        columns = [rows.get((scenario.name, outcome)) for scenario in scenarios]
        cells = [_cell(intervals.estimate, row) for row in columns[:2]]
        cells += [_cell(intervals.difference, row) for row in columns[1:2]]
        cells += [_cell(intervals.difference_alone, row) for row in columns[2:]]
        terminal.add(table, label(outcome, first.pathway), *cells)
    return table


def _cell(words: Callable[[intervals.Row], str], row: intervals.Row | None) -> str:
    return "" if row is None else words(row)


def _predictive(predictive: pd.DataFrame) -> Table:
    table = terminal.table("figure", "reported", "simulated", "inside", numbers=3)
    for row in predictive.to_dict("records"):
        simulated = intervals.estimate({**row, "estimate": row["simulated"]})
        terminal.add(table, row["target"].replace("_", " "), intervals.reported(row), simulated, row["inside"])
    return table


def show_fit(fit: Fit, console: Console) -> None:
    """Print the prior and posterior of each parameter, and how good the sample is."""
    table = terminal.table("parameter", "prior", "posterior", "learned", numbers=3)
    for row in fit.posterior.to_dict("records"):
        before, after = (_summary(row, when) for when in ("prior", "posterior"))
        terminal.add(table, row["parameter"], before, after, f"{row['contraction']:.2f}")
    console.print("Means (95 % intervals); learned (contraction): 1 - posterior / prior variance")
    console.print(table)
    sample = fit.diagnostics
    console.print()
    console.print(
        f"Sample: {sample.points} points, effective size {sample.effective_sample_size:.0f}, Pareto k-hat "
        f"{sample.k_hat:.2f}, largest weight {sample.largest_weight:.2%}, unique draws {sample.unique_share:.0%}"
    )


def of_checks(checks: Sequence[Check]) -> Table:
    """Return the table of verified laws."""
    table = terminal.table("", "law", "error", "limit", "", numbers=3)
    for check in checks:
        verdict = "ok" if check.passed else "FAILED"
        terminal.add(table, check.subject, check.law, f"{check.measured:.2g}", f"{check.limit:.2g}", verdict)
    return table


def _summary(row: dict[Any, Any], when: str) -> str:
    mean, lower, upper = (row[f"{when}_{statistic}"] for statistic in ("mean", "lower", "upper"))
    # Two digits of the upper limit, so that a rate of 0.002 a month is not 0.00.
    places = 1 if upper >= 10 else 2 if upper >= 0.1 or upper <= 0 else min(6, 1 - math.floor(math.log10(upper)))
    return f"{mean:.{places}f} ({lower:.{places}f}-{upper:.{places}f})"
