"""What a run prints: the answer first, then what lies behind it, in 80 columns."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from simulator.experiment.manifest import ROUGH
from simulator.outcomes.labels import label, until
from simulator.report.terminal import add, table
from simulator.scenario.scenario import BREAK_EVEN
from simulator.wording import intervals, resources
from simulator.wording.headline import answer, benefit_heading, policies

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
    """Return a cell as JSON has it, with all digits; null where it is empty or infinite."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show_answer(results: Results, console: Console) -> None:
    said = [answer(results.outcomes, results.scenarios), resources.sentence(results.service, results.scenarios)]
    console.print(" ".join(each for each in [ROUGH * results.is_rough, *said] if each))


def show(results: Results, cohort: Cohort | None, console: Console) -> None:
    """Print the answer, the outcomes of every policy beside the first, its wards, and the predictive table."""
    from simulator.report.tables import wards

    show_answer(results, console)
    for policy in _compared(results.scenarios):
        clock = policy[-1].leads_with or policy[-1].pathway.clock
        console.print()
        counts = until(results.scenarios[0].pathway, results.manifest["horizon"])
        console.print(f"All patients, from {clock}{counts}{_intervals(results.manifest['draws'])}")
        console.print(_outcomes(results.outcomes, policy, clock))
    wards.show(results, console)
    if cohort is not None and cohort.predictive is not None:
        console.print()
        console.print(f"Each figure reported of {cohort.n} patients, and {cohort.n} simulated afresh; 95 % intervals")
        console.print(_predictive(cohort.predictive))
    console.print()
    console.print(f"Engine: {results.manifest['engine']} ({results.manifest['engine_because']}).")
    console.print(results.manifest["note"])


def _intervals(draws: int) -> str:
    return f"; 95 % intervals over {draws} draws" if draws > 1 else "; one set of parameters, so no intervals"


def _compared(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    """Return the first scenario with each policy that it is compared with, both ends of one together."""
    (first, *ends), *others = policies(scenarios)
    return [[first, *each] for each in others] or [[first, *ends]]


def _outcomes(outcomes: pd.DataFrame, shown: Sequence[Scenario], clock: str) -> Table:
    """Return the table of a first scenario, a policy, their difference, and that at its other end."""
    of_all = outcomes[(outcomes["population"] == "all") & (outcomes["clock"] == clock)]
    rows = {(row["scenario"], row["outcome"]): row for row in of_all.to_dict("records")}
    # The answer tells the break-even; its own outcomes are in the files.
    shown = [each for each in shown if each.marginal_benefit != BREAK_EVEN]
    first, policy, ends = shown[0], shown[1:2], shown[2:]
    headings = [first.name, *(each.name for each in policy), *("difference" for _ in policy)]
    headings += [benefit_heading(each) for each in ends]
    made = table("", *headings, numbers=len(headings))
    for outcome in dict.fromkeys(name for _, name in rows):
        found = [rows.get((each.name, outcome)) for each in shown]
        cells = [_cell(intervals.estimate, each) for each in found[:2]]
        cells += [_cell(intervals.difference, each) for each in found[1:2]]
        cells += [_cell(intervals.difference_alone, each) for each in found[2:]]
        add(made, label(outcome, first.pathway), *cells)
    return made


def _cell(how: Callable[[intervals.Row], str], row: intervals.Row | None) -> str:
    return "" if row is None else how(row)


def _predictive(predictive: pd.DataFrame) -> Table:
    made = table("figure", "reported", "simulated", "inside", numbers=3)
    for row in predictive.to_dict("records"):
        simulated = intervals.estimate({**row, "estimate": row["simulated"]})
        add(made, row["target"].replace("_", " "), intervals.reported(row), simulated, row["inside"])
    return made


def show_fit(fit: Fit, console: Console) -> None:
    """Print what a calibration learned: prior and posterior of each parameter, and how good the sample is."""
    made = table("parameter", "prior", "posterior", "learnt", numbers=3)
    for row in fit.posterior.to_dict("records"):
        before, after = (_summary(row, when) for when in ("prior", "posterior"))
        add(made, row["parameter"], before, after, f"{row['contraction']:.2f}")
    console.print("Means (95 % intervals); learnt: contraction, 1 - posterior / prior variance")
    console.print(made)
    found = fit.diagnostics
    console.print()
    console.print(
        f"Sample: {found.points} points, effective size {found.effective_sample_size:.0f}, Pareto k-hat "
        f"{found.k_hat:.2f}, largest weight {found.largest_weight:.2%}, unique draws {found.unique_share:.0%}"
    )


def of_checks(checks: Sequence[Check]) -> Table:
    """Return the table of what was verified."""
    made = table("", "law", "found", "limit", "", numbers=3)
    for check in checks:
        verdict = "ok" if check.passed else "FAILED"
        add(made, check.subject, check.law, f"{check.measured:.2g}", f"{check.limit:.2g}", verdict)
    return made


def _summary(row: dict[Any, Any], when: str) -> str:
    mean, lower, upper = (row[f"{when}_{each}"] for each in ("mean", "lower", "upper"))
    # A rate of 0.002 a month is not 0.00: two digits of the upper limit.
    places = 1 if upper >= 10 else 2 if upper >= 0.1 or upper <= 0 else min(6, 1 - math.floor(math.log10(upper)))
    return f"{mean:.{places}f} ({lower:.{places}f}-{upper:.{places}f})"
