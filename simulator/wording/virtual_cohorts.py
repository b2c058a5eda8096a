"""What virtual cohorts answer, in a sentence or two: the same words on the terminal, in figures and in tests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.pathway.outcome_months import in_words
from simulator.wording import rounding
from simulator.wording.headline import more_or_fewer, of_100

if TYPE_CHECKING:
    import pandas as pd

    from simulator.analyses.virtual_cohorts.immortal_time import Guarantee
    from simulator.analyses.virtual_cohorts.power import VirtualCohorts
    from simulator.pathway.pathway import Pathway

WANTED = 0.8
"""Of the power, as is usual."""


def percent(share: float) -> str:
    return rounding.number(share, "probability")


def range_of(spread: Mapping[str, float]) -> list[str]:
    """Return between what 95 of 100 cohorts lie, as it is shown."""
    return [rounding.number(spread[end], "probability", end_of=spread["survival"]) for end in ("lower", "upper")]


def points(difference: float) -> str:
    """Return a reported difference in percentage points, "17.5" or "18"."""
    return f"{100 * difference:.1f}".removesuffix(".0")


def month(found: Guarantee | VirtualCohorts) -> str:
    """Return the month at which survival answers, in words."""
    scenario = found.scenario if hasattr(found, "scenario") else found.scenarios[0]
    return in_words(scenario.pathway.months.answer)


def guarantee(found: Guarantee) -> str:
    """Return what the naive comparison says, and what that is worth."""
    row: Mapping[Any, Any] = found.analyses.iloc[0].to_dict()
    entered, others = (group.label for group in found.groups)
    where = f"Where {entered} changes nothing" if is_milestone(found) else f"Under {found.scenario.name}"
    if not math.isfinite(row["difference"]):
        return f"{where}, nobody is in one of the two groups: {entered}, {others}."
    said = (
        f"{where}, {percent(row['entered'])} of 100 patients with {entered} are alive at {month(found)} and "
        f"{percent(row['other'])} of 100 with {others}: {more_or_fewer(row['difference'])}"
    )
    said += ", and not one owes it to it." if is_milestone(found) and row["difference"] > 0 else "."
    if found.reported is not None:
        said += (
            f" A cohort of {found.settings.size} shows {points(found.reported)} points more, as reported, or a greater "
            f"difference, in {percent(row['as_large_as_reported'])} of 100 cases (Monte Carlo error {_error(row)})."
        )
    return said


def _error(row: Mapping[Any, Any]) -> str:
    """Return the binomial standard error of how many of 100 cohorts show it."""
    p, n = row["as_large_as_reported"], row["cohorts"]
    return f"{100 * math.sqrt(p * (1 - p) / (n - 1)):.1f}" if n > 1 else "not known"


def is_milestone(found: Guarantee) -> bool:
    """Return whether what the group has entered changes nothing in the scenario."""
    return set(found.groups[0].entered) <= set(found.scenario.pathway.milestones)


def explained(found: Guarantee) -> str:
    """Return why the analyses differ."""
    entered = found.groups[0].label
    said = [
        f"Naive groups are formed by what happens later: whoever counts as {entered} had to live until then.",
        "A landmark leaves out who is dead by then; Simon and Makuch let patients switch groups on the day.",
    ]
    if found.decision is not None:
        pathway = found.scenario.pathway
        failure = " or ".join(pathway.states[each].label for each in found.failure)
        without, by = (f" without {failure}", ", by survival without it,") if failure else ("", "")
        said.append(
            f"Neither makes alike who comes as far as {pathway.states[found.decision].label}{without} and who "
            f"does not: counted from there{by or ','} waiting is at the risk that it is."
        )
    return " ".join(said)


def analysis_label(kind: str, begins: float) -> str:
    """Return the name of an analysis: "landmark at 3 months"."""
    names = {"naive": "naive: ever against never", "simon_makuch": "Simon-Makuch, switching"}
    return names.get(kind, f"landmark at {in_words(begins)}")


def measure(found: Guarantee, clock: str) -> str:
    """Return what is told on a clock: alive, or alive without the failure."""
    pathway = found.scenario.pathway
    if clock == pathway.clock or not found.failure:
        return "alive"
    return "alive without " + " or ".join(pathway.states[each].label for each in found.failure)


def clock_label(clock: str, pathway: Pathway) -> str:
    return pathway.states[clock].label if clock in pathway.states else clock


def cohorts(found: VirtualCohorts) -> str:
    """Return the power of the comparison if there is one, and how far cohorts are apart by chance alone."""
    n, spread = found.settings.size, found.spread
    said = []
    if found.power is not None:
        first = found.scenarios[0].name
        for name, rows in found.power.groupby("scenario", sort=False):
            said.append(_power(str(name), first, rows, n))
    lower, upper = range_of(spread)
    said.append(
        f"{of_100(found.scenarios[0].pathway)}, {percent(spread['survival'])} are alive at {month(found)} under "
        f"{found.scenarios[0].name}, but 95 of 100 cohorts of {n} show between {lower} and {upper}."
    )
    return " ".join(said)


def _power(name: str, first: str, rows: pd.DataFrame, n: int) -> str:
    told: Mapping[Any, Any] = rows.iloc[0].to_dict()
    enough = rows[rows["power"] >= WANTED]
    ends = rounding.interval(told["lower"], told["upper"], "probability", told["power"])
    between = "" if ends is None else f" (95 % interval {ends[0]} to {ends[1]})"
    most, wanted = rows["patients_an_arm"].max(), percent(WANTED)
    many = f"{most} an arm, the most that were tried, do not reach {wanted}"
    if len(enough):
        many = f"{enough['patients_an_arm'].iloc[0]} an arm, of the sizes tried, are the first to reach {wanted}"
    return (
        f"With {n} patients an arm, {percent(told['power'])} of 100 comparisons{between} tell {name} from {first} "
        f"(log-rank P < 0.05); {many}."
    )


def spread_in_words(found: VirtualCohorts) -> str:
    """Return where the spread of the cohorts' OS comes from, beside the standard error that is reported."""
    spread = found.spread
    if not math.isfinite(spread["sampling"]):
        return "With one cohort a draw, sampling cannot be told from what the parameters leave open."
    said = [
        f"Standard deviation of their OS at {month(found)} by sampling: {100 * spread['sampling']:.1f} points",
        f"a cohort's own (Greenwood) error is {100 * spread['standard_error']:.1f} on average",
    ]
    if (reported := reported_error(found)) is not None:
        said.append(f"the reported one is {100 * reported:.2f}")
    if math.isfinite(spread["parameters"]):
        said.append(f"what the parameters leave open adds {100 * spread['parameters']:.1f}, not counted in it")
    return "; ".join(said) + "."


def reported_error(found: VirtualCohorts) -> float | None:
    """Return Greenwood's standard error of the reported OS, from its count; None if none is reported."""
    if (reported := reported_count(found)) is None:
        return None
    alive, n = reported
    return math.sqrt(alive / n * (1 - alive / n) / n)


def reported_count(found: VirtualCohorts) -> tuple[float, float] | None:
    """Return how many of how many the cohort's paper counts alive at the answer's month; None if it does not."""
    if found.cohort is None:
        return None
    pathway = found.scenarios[0].pathway
    rows = found.cohort.reported_survival("all", pathway.clock)
    rows = rows[(rows["month"] == pathway.months.answer) & rows["count"].notna()]
    return None if rows.empty else (float(rows["count"].iloc[0]), float(rows["n"].iloc[0]))
