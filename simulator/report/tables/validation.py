"""What `aftercart validate` prints: how many figures are met, and which are missed; then every one of them."""

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
    """Print the answer, and unless it is to be quiet what lies behind it."""
    console = terminal.console()
    console.print(" ".join([answer(table), *([] if benefit is None else [of_benefit(benefit)])]))
    if quiet:
        return
    console.print()
    console.print("Predicted with 95 % intervals of cohorts of that size; as extreme: the share of simulated cohorts "
                  "whose figure is the reported one or further out, on the nearer side")
    made = terminal.table("", "reported", "predicted", "as extreme", "", numbers=4)
    for row in table.to_dict("records"):
        said = in_words(row).split(" reported, ")
        terminal.add(
            made,
            _named(row),
            said[0],
            said[1].replace(" predicted", "").replace(", a miss", ""),
            f"{100 * min(row['at_most'], row['at_least']):.0f} %",
            "inside" if row["inside"] == "yes" else "MISS",
        )
    console.print(made)
    if benefit is not None:
        console.print()
        console.print(f"The marginal benefit, under {_whose(every[0].pathway)}; in brackets 95 % intervals")
        made = terminal.table("", "mean", numbers=1)
        for row in benefit.summary.to_dict("records"):
            terminal.add(made, row["how"], f"{row['mean']:.2f} ({row['lower']:.2f}-{row['upper']:.2f})")
        console.print(made)
    console.print()
    for each in every:
        if each.dependence:
            console.print(f"{each.cohort.name}: {' '.join(each.dependence.split())}")
    console.print(note(every, benefit))


def answer(table: pd.DataFrame) -> str:
    """Return how many figures lie within their intervals, and what the others are; or which is nearest to a miss."""
    missed = table[table["inside"] != "yes"]
    whose = f"reported by {table['cohort'].nunique()} cohort{'s' if table['cohort'].nunique() > 1 else ''}"
    inside = f"{len(table) - len(missed)} of {len(table)} figures {whose} lie within the 95 % predictive interval"
    if len(missed):
        told = [f"{_named(row)}, {in_words(row)}" for row in missed.to_dict("records")]
        are = "is a miss" if len(missed) == 1 else "are misses"
        return f"{len(missed)} of {len(table)} figures {whose} {are}: {'; '.join(told)}."
    row = min(table.to_dict("records"), key=lambda row: min(row["at_most"], row["at_least"]))
    return f"{inside}. Nearest to a miss: {_named(row)}, {in_words(row)}."


def _whose(pathway: Pathway) -> str:
    """Return whose draws they are that stay as they were: a calibrated cohort's, or a file's."""
    told = str(pathway.draws)
    return f"the draws of pathway '{pathway.name}', {told}" if told.endswith(".csv") else f"the posterior of {told}"


def _named(row: Mapping[Any, Any]) -> str:
    return f"{row['cohort']}: {row['target'].replace('_', ' ')}"


def of_benefit(benefit: Benefit) -> str:
    """Return what the cohorts together say of the marginal patient."""
    row = next(benefit.summary[benefit.summary["how"] == benefit.chosen].itertuples())
    mean, lower, upper = (100.0 * float(getattr(row, each)) for each in ("mean", "lower", "upper"))
    more = "that treated more"
    whose = f"{row.cohorts} cohorts {more} suggest" if row.cohorts != 1 else f"a cohort {more} suggests"
    wide = ": neither nearly all nor nearly none is excluded" if lower < 10.0 and upper > 90.0 else ""
    return (
        f"Of 100 patients whom a policy treats in addition, {whose} that {mean:.0f} gain what today's treated gain "
        f"(95 % interval {lower:.0f} to {upper:.0f}){wide}."
    )
