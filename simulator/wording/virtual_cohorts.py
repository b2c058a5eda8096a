"""The answers of virtual cohorts in a sentence or two. Terminal and figures print the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.analyses.virtual_cohorts.power import USUAL
from simulator.outcomes.summaries import PER
from simulator.pathway.outcome_months import in_words
from simulator.plain_text import capital
from simulator.scenario.scenario import COHORTS, split_name
from simulator.wording import rounding
from simulator.wording.added import IN_THE_MODEL
from simulator.wording.difference import EQUAL, Difference
from simulator.wording.headline import of_100, scenario_in_words
from simulator.wording.intervals import in_brackets

if TYPE_CHECKING:
    import pandas as pd

    from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime
    from simulator.analyses.virtual_cohorts.power import VirtualCohorts
    from simulator.pathway.pathway import Pathway

ARMS = "The arms are independent patients, followed up as the cohort was."


def percent(share: float) -> str:
    return rounding.number(share, "probability")


def central_range(variation: Mapping[str, float]) -> list[str]:
    """Return the rounded ends of the range of 95 of 100 cohorts."""
    return [rounding.number(variation[end], "probability", end_of=variation["survival"]) for end in ("lower", "upper")]


def points(difference: float) -> str:
    """Return a reported difference in percentage points, "17.5" or "18"."""
    return rounding.fixed(100 * difference, 1).removesuffix(".0")


def month(result: ImmortalTime | VirtualCohorts) -> str:
    """Return the month of the answer's survival, in words."""
    scenario = result.scenario if hasattr(result, "scenario") else result.scenarios[0]
    return in_words(scenario.pathway.months.answer)


def immortal_time(result: ImmortalTime) -> str:
    """Return the naive comparison, led by whether it is clear, and how many cohorts agree with it and with the report.

    The interval and the share of the difference are over parameter sets, the counts after them of simulated cohorts.
    """
    row: Mapping[Any, Any] = result.analyses.iloc[0].to_dict()
    entered, others = (group.label for group in result.groups)
    where = f"Where {entered} changes nothing" if is_milestone(result) else f"Under {result.scenario.name}"
    difference = Difference.of_row(row)
    if not math.isfinite(difference.value):
        return f"{where}, one of the two groups has no patient: {entered}, {others}."
    saved = is_milestone(result) and difference.is_clear and difference.value > 0
    text = difference.lead(
        f"{where}, {percent(row['entered'])} of {PER} patients with {entered} are alive at {month(result)} and "
        f"{percent(row['other'])} of {PER} with {others}: {difference.words}"
        f"{f', yet {entered} saved none of them' if saved else ''}."
    )
    agree = f"Of {PER} cohorts of {result.settings.size}, {percent(row['cohort_same_sign'])} agree on the sign"
    if result.reported is None:
        return f"{text} {agree}."
    return (
        f"{text} {agree}, and {percent(row['as_large_as_reported'])} show the reported difference of "
        f"{points(result.reported)} percentage points or more (Monte Carlo error {_error(row)})."
    )


def immortal_time_title(result: ImmortalTime) -> str:
    """Return the naive difference with its 95 % interval, whether it is clear, and, where it is known, the truth."""
    difference = Difference.of_row(result.analyses.iloc[0].to_dict())
    if not math.isfinite(difference.value) or difference.more_or_fewer == EQUAL:
        return "Guarantee time: the same patients, compared in different ways"
    entered, opening = result.groups[0].label, f"{IN_THE_MODEL},"
    if is_milestone(result):
        opening = f"{capital(entered)} does nothing in this model{', yet,' if difference.is_clear else ':'}"
    words = f"{difference.more_or_fewer} of {PER} are alive at {month(result)} with {entered}"
    return f"{opening} compared naively, {difference.led(words)}{difference.in_brackets}"


def _error(row: Mapping[Any, Any]) -> str:
    """Return the binomial standard error of the number of 100 cohorts that show the difference."""
    p, n = row["as_large_as_reported"], row["cohorts"]
    return f"{100 * math.sqrt(p * (1 - p) / (n - 1)):.1f}" if n > 1 else "not known"


def is_milestone(result: ImmortalTime) -> bool:
    """Return whether the states of the group are milestones of the scenario, which change nothing."""
    return set(result.groups[0].entered) <= set(result.scenario.pathway.milestones)


def why_analyses_differ(result: ImmortalTime) -> str:
    """Return why the analyses differ."""
    entered = result.groups[0].label
    sentences = [
        f"Naive groups are formed by later events: patients with {entered} had to survive until then.",
        "A landmark excludes patients who died before it. Simon and Makuch let patients change groups on the day.",
    ]
    if result.decision is not None:
        pathway = result.scenario.pathway
        failure = " or ".join(pathway.states[state].label for state in result.failure)
        decision, without = pathway.states[result.decision].label, f" without {failure}" if failure else ""
        sentences.append(
            f"Neither makes patients who reach {decision} comparable with patients who do not. Counted from "
            f"{decision}, as survival{without}, the risk while waiting is counted, too."
        )
    return " ".join(sentences)


def analysis_label(kind: str, begins: float) -> str:
    """Return the name of an analysis: "landmark at 3 months"."""
    names = {"naive": "naive: ever versus never", "simon_makuch": "Simon-Makuch, switching"}
    return names.get(kind, f"landmark at {in_words(begins)}")


def short_label(kind: str, begins: float) -> str:
    """Return the name of an analysis in a table of 80 columns: "landmark month 3"."""
    return {"naive": "naive", "simon_makuch": "Simon-Makuch"}.get(kind, f"landmark month {begins:g}")


def endpoint(result: ImmortalTime, clock: str) -> str:
    """Return the endpoint on a clock: alive, or alive without the failure."""
    pathway = result.scenario.pathway
    if clock == pathway.clock or not result.failure:
        return "alive"
    return "alive without " + " or ".join(pathway.states[state].label for state in result.failure)


def clock_label(clock: str, pathway: Pathway) -> str:
    return pathway.states[clock].label if clock in pathway.states else clock


def clock_caption(result: ImmortalTime, clock: str) -> str:
    """Return what a clock's table shows."""
    measured = f"{endpoint(result, clock)} at {month(result)}, %"
    difference = f"difference, parameter sets with its sign, and its range over cohorts of {result.settings.size}"
    return f"From {clock_label(clock, result.scenario.pathway)}: {measured}; {difference}"


def power_caption(result: VirtualCohorts) -> str:
    """Return what the table of power shows."""
    first = result.scenarios[0].name
    numbers = "mean and 95 % interval over parameter sets; \N{PLUS-MINUS SIGN} Monte Carlo error"
    return f"Power against {first}, %: {numbers}"


def size(result: ImmortalTime | VirtualCohorts) -> str:
    """Return how many cohorts of which size were simulated."""
    draws = f"{result.n_draws} parameter sets" if result.n_draws > 1 else "one parameter set"
    return f"{result.settings.cohorts} cohorts of {result.settings.size} over {draws}."


def cohorts(result: VirtualCohorts) -> str:
    """Return the power of the comparison if there is one, and the range of cohorts by chance alone."""
    n, variation = result.settings.size, result.variation
    sentences = []
    if result.power is not None:
        first = result.scenarios[0].name
        for name, rows in result.power.groupby("scenario", sort=False):
            sentences.append(_power(str(name), first, rows, n))
    lower, upper = central_range(variation)
    sentences.append(
        f"{of_100(result.scenarios[0].pathway)}, {percent(variation['survival'])} are alive at {month(result)} under "
        f"{result.scenarios[0].name}, but 95 of 100 cohorts of {n} show between {lower} and {upper}."
    )
    return " ".join(sentences)


def _power(name: str, first: str, rows: pd.DataFrame, n: int) -> str:
    row: Mapping[Any, Any] = rows.iloc[0].to_dict()
    interval = in_brackets(row["lower"], row["upper"], "probability", row["power"])
    enough = rows[rows["power"] >= USUAL]
    size = f"even {rows['patients_an_arm'].max()} patients an arm, the most tried, do not reach {percent(USUAL)}"
    if len(enough):
        smallest = enough["patients_an_arm"].iloc[0]
        size = f"of the sizes tried, {smallest} patients an arm are the fewest that reach {percent(USUAL)}"
    return (
        f"With {n} patients an arm, {percent(row['power'])} of 100 comparisons{interval} distinguish "
        f"{scenario_in_words(name)} from {first} (log-rank P < 0.05); {size}."
    )


def cohorts_title(result: VirtualCohorts) -> str:
    """Return the share alive and, of cohorts of n, the range by chance alone."""
    lower, upper = central_range(result.variation)
    return (
        f"{IN_THE_MODEL}, {percent(result.variation['survival'])} of {PER} are alive at {month(result)} under "
        f"{result.scenarios[0].name}; 95 of 100 cohorts of {result.settings.size} show {lower} to {upper}"
    )


def power_title(result: VirtualCohorts, power: pd.DataFrame) -> str:
    """Return how often a trial as large as the cohort distinguishes the first policy, and by the cautious estimate."""
    n, first = result.settings.size, result.scenarios[0].name
    rows = power[power["patients_an_arm"] == power["patients_an_arm"].min()].to_dict("records")
    ends = rounding.interval(rows[0]["lower"], rows[0]["upper"], "probability", rows[0]["power"])
    across = f" ({' to '.join(ends)} across the parameter sets)" if ends else ""
    title = (
        f"{IN_THE_MODEL}, {percent(rows[0]['power'])} of 100 trials with {n} patients an arm distinguish "
        f"{rows[0]['scenario']} from {first}{across}"
    )
    policy, benefit = split_name(str(rows[0]["scenario"]))[0], {split_name(str(row["scenario"])): row for row in rows}
    cautious = benefit.get((policy, COHORTS))
    return title if cautious is None else f"{title}; cautious estimate {percent(cautious['power'])}"


def standard_deviations(result: VirtualCohorts) -> str:
    """Return the standard deviation of the cohorts' OS by its sources, next to the reported standard error."""
    variation = result.variation
    if not math.isfinite(variation["sampling"]):
        return "With one cohort per parameter set, sampling cannot be separated from parameter uncertainty."
    clauses = [
        f"Standard deviation of cohorts' OS at {month(result)} by sampling: {100 * variation['sampling']:.1f} points",
        f"a single cohort's standard error (Greenwood) is {100 * variation['standard_error']:.1f} on average",
    ]
    if (reported := reported_error(result)) is not None:
        clauses.append(f"the reported standard error is {100 * reported:.2f}")
    if math.isfinite(variation["parameters"]):
        clauses.append(f"by uncertain parameters, which none of these includes: {100 * variation['parameters']:.1f}")
    return "; ".join(clauses) + "."


def reported_error(result: VirtualCohorts) -> float | None:
    """Return Greenwood's standard error of the reported OS, from its count; None if no count is reported."""
    if (reported := reported_count(result)) is None:
        return None
    alive, n = reported
    return math.sqrt(alive / n * (1 - alive / n) / n)


def reported_count(result: VirtualCohorts) -> tuple[float, float] | None:
    """Return the reported number alive at the answer's month and its denominator; None if neither is reported."""
    if result.cohort is None:
        return None
    pathway = result.scenarios[0].pathway
    rows = result.cohort.reported_survival("all", pathway.clock)
    rows = rows[(rows["month"] == pathway.months.answer) & rows["count"].notna()]
    return None if rows.empty else (float(rows["count"].iloc[0]), float(rows["n"].iloc[0]))
