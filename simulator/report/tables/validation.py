"""The terminal output of `aftercart validate`: the number of figures inside and the misses, then all figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simulator.figures.calibration.external import in_words
from simulator.report import terminal
from simulator.wording.validation import note

if TYPE_CHECKING:
    import pandas as pd

    from calibration.likelihood.targets import Targets
    from calibration.transport.marginal_benefit import Benefit
    from simulator.pathway.pathway import Pathway


def show(every: Sequence[Targets], table: pd.DataFrame, benefit: Benefit | None, *, quiet: bool) -> None:
    """Print the answer, and unless `quiet` the tables."""
    console = terminal.console()
    console.print(" ".join([answer(table), *([] if benefit is None else [of_benefit(benefit)])]))
    if quiet:
        return
    console.print()
    console.print(
        "Predicted: mean and 95 % interval of cohorts of that size. As extreme: share of simulated cohorts at least "
        "as far out as the reported figure, on the nearer side"
    )
    figures = terminal.table("", "reported", "predicted", "as extreme", "", numbers=4)
    for row in table.to_dict("records"):
        reported, predicted = in_words(row).split(" reported, ")
        terminal.add(
            figures,
            _named(row),
            reported,
            predicted.replace(" predicted", "").replace(", a miss", ""),
            f"{100 * min(row['at_most'], row['at_least']):.0f} %",
            "inside" if row["inside"] == "yes" else "MISS",
        )
    console.print(figures)
    if benefit is not None:
        console.print()
        console.print(
            "Marginal benefit (share of additional patients who benefit), under "
            f"{_fixed_draws(every[0].pathway)}; 95 % intervals"
        )
        means = terminal.table("", "mean", numbers=1)
        for row in benefit.summary.to_dict("records"):
            terminal.add(means, row["how"], f"{row['mean']:.2f} ({row['lower']:.2f}-{row['upper']:.2f})")
        console.print(means)
    console.print()
    for targets in every:
        if targets.dependence:
            console.print(f"{targets.cohort.name}: {' '.join(targets.dependence.split())}")
    console.print(note(every, benefit))


def answer(table: pd.DataFrame) -> str:
    """Return the misses; without any, the number of figures within their intervals and the nearest to a miss."""
    missed = table[table["inside"] != "yes"]
    source = f"reported by {table['cohort'].nunique()} cohort{'s' if table['cohort'].nunique() > 1 else ''}"
    inside = f"{len(table) - len(missed)} of {len(table)} figures {source} lie within the 95 % predictive interval"
    if len(missed):
        misses = [f"{_named(row)}, {in_words(row)}" for row in missed.to_dict("records")]
        are = "is a miss" if len(missed) == 1 else "are misses"
        return f"{len(missed)} of {len(table)} figures {source} {are}: {'; '.join(misses)}."
    row = min(table.to_dict("records"), key=lambda row: min(row["at_most"], row["at_least"]))
    return f"{inside}. The nearest to a miss: {_named(row)}, {in_words(row)}."


def _fixed_draws(pathway: Pathway) -> str:
    """Return the source of the draws that the other cohorts do not change: a calibrated cohort, or a file."""
    draws = str(pathway.draws)
    return (
        f"the parameter sets of pathway '{pathway.name}', {draws}"
        if draws.endswith(".csv")
        else f"the posterior of {draws}"
    )


def _named(row: Mapping[Any, Any]) -> str:
    return f"{row['cohort']}: {row['target'].replace('_', ' ')}"


def of_benefit(benefit: Benefit) -> str:
    """Return the marginal benefit that the cohorts together suggest."""
    row = next(benefit.summary[benefit.summary["how"] == benefit.chosen].itertuples())
    mean, lower, upper = (100.0 * float(getattr(row, column)) for column in ("mean", "lower", "upper"))
    cohorts = "cohorts that treated more suggest"
    source = f"{row.cohorts} {cohorts}" if row.cohorts != 1 else "a cohort that treated more suggests"
    wide = ": compatible with almost all benefiting, or almost none" if lower < 10.0 and upper > 90.0 else ""
    return (
        f"Of 100 additional patients under a policy, {source} that {mean:.0f} benefit as today's patients do "
        f"(95 % interval {lower:.0f} to {upper:.0f}){wide}."
    )
