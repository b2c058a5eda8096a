"""The terminal output of a check of a calibration: the verdict first, then the tables, in 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from simulator.pathway.outcome_months import alive_at, in_words, mean_to
from simulator.report import terminal

if TYPE_CHECKING:
    from calibration.validation.check import Check


def verdict(check: Check) -> str:
    """Return in a sentence whether ranks are uniform, intervals cover, and the lattice is fine enough."""
    name, n = check.targets.cohort.name, check.targets.cohort.n
    of = f"in {len(check.ranks)} fits of simulated cohorts of {n}"
    if not (failed := check.failures()):
        return (
            f"The calibration of {name} recovers the true values: {of}, all {check.ranks.shape[1]} quantities rank "
            "uniformly, and intervals cover the truth as often as they should."
        )
    sentence = f"The calibration of {name} fails a check: {of}, {'; '.join(failed)}."
    return f"{sentence} {_by_chance(check)}" if check.ranks_fail() else sentence


def _by_chance(check: Check) -> str:
    """Return how often a right calibration fails by chance, and how to find out."""
    by_chance = f"{100 * check.false_alarm:g}"
    return (
        f"Of 100 checks of a correct calibration, {by_chance} find uneven ranks by chance, and {by_chance} such "
        "intervals. To see whether this is chance, use another --seed and --out, or more --fits."
    )


def _power(check: Check) -> str:
    """Return the largest error that this number of fits would miss."""
    narrowest = 100 * check.narrowest_band
    return f"With {len(check.ranks)} fits, shares of ranks up to {narrowest:.0f} points wrong still pass as uniform."


def show(check: Check, console: Console) -> None:
    """Print the verdict, the coverage, the cross-validation, the lattice error, and the limits."""
    console.print(verdict(check))
    console.print()
    if len(check.ranks):
        console.print(f"Intervals that cover the truth, % of {len(check.ranks)} fits (range by chance)")
        console.print(_coverage(check))
        console.print(_power(check))
    for reason, count in check.refused.items():
        console.print(f"{count} of {len(check.trials)} simulated cohorts could not be fitted: {reason}.")
    console.print()
    predicted = check.left_out[check.left_out["inside"] != ""]
    inside = int((predicted["inside"] == "yes").sum())
    console.print(f"Each figure, predicted by a fit without it: {inside} of {len(predicted)} are within 95 % intervals")
    console.print(_cross_validation(check))
    for row in check.left_out[check.left_out["inside"] == ""].to_dict("records"):
        console.print(f"{row['target'].replace('_', ' ')}: {row['how']}.")
    if (check.left_out["informs"] == "no").any():
        console.print("* Other rows report the same information, so the fit was not without it.")
    moved, limit = f"{check.moved:.4f}", check.most_moved
    console.print(f"Halving the lattice step changes the log-likelihood by {moved} at most (limit {limit}).")
    console.print()
    console.print(check.manifest()["note"])


def _coverage(check: Check) -> Table:
    levels = sorted(set(check.coverage["level"]))
    table = terminal.table("", *(f"{100 * level:g} %" for level in levels), numbers=len(levels))
    by_level = [check.coverage[check.coverage["level"] == level].set_index("quantity") for level in levels]
    months = check.targets.pathway.months
    answer, early = alive_at(months.answer), mean_to(months.early)
    # Two quantities by name, then the range over all.
    named = {answer: f"OS at {in_words(months.answer)}", early: f"mean survival to month {months.early:g}"}
    for name, words in named.items():
        rows = [level.loc[name].to_dict() for level in by_level]
        cells = (
            f"{100 * row['share']:.0f} ({100 * row['lower'] / row['fits']:.0f}-{100 * row['upper'] / row['fits']:.0f})"
            for row in rows
        )
        terminal.add(table, words, *cells)
    spans = (f"{100 * rows['share'].min():.0f}-{100 * rows['share'].max():.0f}" for rows in by_level)
    terminal.add(table, f"least and most of all {len(by_level[0])} quantities", *spans)
    return table


def _cross_validation(check: Check) -> Table:
    table = terminal.table("figure", "reported", "predicted", "inside", numbers=3)
    for row in check.left_out[check.left_out["inside"] != ""].to_dict("records"):
        places = 1 if row["unit"] == "months" else 0
        predicted = f"{row['lower']:.{places}f}-{row['upper']:.{places}f}"
        name = row["target"].replace("_", " ") + ("" if row["informs"] == "yes" else " *")
        terminal.add(table, name, f"{row['reported']:.{places}f} {row['unit']}", predicted, row["inside"])
    return table
