"""What a centre's wards do, in words and in numbers as a planner reads them. Terminal and report say the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.outcomes.resource_use import LABELS
from simulator.pathway.outcome_months import in_words
from simulator.scenario.arrivals import DAYS_A_MONTH
from simulator.wording import rounding
from simulator.wording.headline import policies

if TYPE_CHECKING:
    import pandas as pd

    from simulator.pathway.pathway import Pathway, Resource
    from simulator.scenario.capacity import Capacity
    from simulator.scenario.scenario import Scenario

Row = Mapping[Any, Any]

SHOWN = [name for name in LABELS if name != "in_use"]
"""Where there is little room: how many are in use is told by the utilisation too."""

STARTS = "starts_per_year"
"""Which is told of resources that are not limited too."""

WAITS = ("wait_mean", "wait_median", "wait_90th_percentile")
LONG = 3.0
"""Months from which on waits are told in months, and below in days."""

NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True)
class Figure:
    """A row as it is shown: its unit, and its numbers in that unit."""

    unit: str
    estimate: float
    lower: float
    upper: float
    error: float

    @property
    def error_told(self) -> str:
        """The Monte Carlo error in two digits; empty where it is not known."""
        return f"{self.error:.2g}" if math.isfinite(self.error) else ""

    @property
    def ends(self) -> tuple[str, str] | None:
        """The interval as it is shown; None where there is none to be seen."""
        return rounding.interval(self.lower, self.upper, self.unit, self.estimate)


def title(pathway: Pathway) -> str:
    """Return what may be short, by the units that the pathway counts them in: "Beds and slots"."""
    units = list(dict.fromkeys(resource.unit or resource.label for resource in pathway.resources.values()))
    return _capital(" and ".join([", ".join(units[:-1]), units[-1]] if len(units) > 1 else units))


def caution(pathway: Pathway) -> str:
    """Return why survival at the answer's month is no measure of whether units suffice."""
    return (
        f"When units are short, survival at {in_words(pathway.months.answer)} can look better with fewer of them: "
        "patients still waiting avoid the early deaths of a treatment whose benefit comes later. Read it beside later "
        "survival and what is lost while waiting."
    )


def lost_to(pathway: Pathway, resources: Iterable[str]) -> str:
    """Return what ends a wait before it is served, as the pathway declares it, a sentence a resource."""
    said = []
    for resource in resources:
        holding = {name for name, state in pathway.states.items() if state.holds == resource}
        waits = [state for state in pathway.states.values() if any(way.to in holding for way in state.transitions)]
        onward = [way.to for wait in waits for way in wait.transitions if way.to not in holding]
        ends = " or ".join(dict.fromkeys(pathway.states[name].label for name in onward))
        came = f"{ends} came first" if ends else "nobody is, since nothing else can happen meanwhile"
        said.append(f"Lost while waiting for {pathway.resources[resource].label}: {came}. ")
    return "".join(said)


def rows_of(service: pd.DataFrame, scenario: str, resource: str) -> dict[str, Row]:
    """Return the rows of a scenario's resource, by outcome; of the whole run, not of a year of arrival."""
    own = service[(service["scenario"] == scenario) & (service["resource"] == resource)]
    return {str(row["outcome"]): row for row in own.to_dict("records")}


def never_short(service: pd.DataFrame, scenario: Scenario) -> list[str]:
    """Return the resources that a scenario does not limit and whose starts its service counts."""
    return [each for each in scenario.unlimited if rows_of(service, scenario.name, each)]


def begun(scenario: Scenario, resource: str) -> str:
    """Return what is counted of a resource: "slots begun a year"."""
    return f"{scenario.pathway.resources[resource].label} begun a year"


def in_days(rows: Iterable[Row]) -> bool:
    """Return whether waits are short enough to be told in days."""
    longest = [row["estimate"] for row in rows if row["outcome"] in WAITS and math.isfinite(row["estimate"])]
    return max(longest, default=0.0) < LONG


def figure(row: Row, *, days: bool, difference: bool = False) -> Figure:
    """Return a row of the service table as it is shown, or its difference to the first scenario."""
    unit, factor = str(row["unit"]), 1.0
    if unit == "probability":
        unit, factor = "%", 100.0
    elif row["outcome"] in WAITS and days:
        unit, factor = "days", DAYS_A_MONTH
    names = ("difference", "difference_lower", "difference_upper") if difference else ("estimate", "lower", "upper")
    estimate, lower, upper = (factor * float(row[name]) for name in names)
    error = math.nan if difference else factor * float(row["monte_carlo_se"])
    return Figure(unit, estimate, lower, upper, error)


def units(scenario: Scenario, resource: str) -> str:
    """Return how many there are: "one bed, three from month 24", "one slot offered a month", "scanner (two)"."""
    told, capacity = scenario.pathway.resources[resource], scenario.capacity[resource]
    (_, first), *later = capacity.calendar
    if len(later) > 3:
        numbers = [each for _, each in capacity.calendar]
        return f"{min(numbers)} to {max(numbers)} {told.label} by a calendar"
    if first == 1 or told.label.endswith("s"):
        said = f"{number(first) if first else 'no'} {label(told, first)}"
    else:
        # A label that is no plural, as of a resource that declares none.
        said = f"{told.label} ({number(first)})"
    if capacity.offered_every is not None:
        every = "a month" if capacity.offered_every == 1.0 else f"every {capacity.offered_every:g} months"
        said += f" offered {every}"
    return ", ".join([said, *(f"{number(each)} from month {month:g}" for month, each in later)])


def number(count: int) -> str:
    """Return a small number as a word."""
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def label(resource: Resource, count: int) -> str:
    """Return a resource's label, of one without the plural's s."""
    told = resource.label
    return told[:-1] if count == 1 and told.endswith("s") and not told.endswith("ss") else told


def sentence(service: pd.DataFrame | None, scenarios: Sequence[Scenario]) -> str:
    """Return what the wards do, a sentence a resource; of both ends of a policy, the first. Empty without wards."""
    if service is None:
        return ""
    told = [ends[0] for ends in policies(scenarios) if ends[0].capacity]
    said = []
    for each in told:
        under = f"under {each.name}, " if len(told) > 1 else ""
        for resource, capacity in each.capacity.items():
            said.append(_capital(f"{under}{units(each, resource)}: ") + _fate(service, each, resource, capacity))
    return " ".join(said)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _fate(service: pd.DataFrame, scenario: Scenario, resource: str, capacity: Capacity) -> str:
    rows = rows_of(service, scenario.name, resource)
    late, lost = rows["wait_over_30_days"], rows["lost_while_waiting"]
    it = "it" if capacity.is_constant and capacity.units == 1 else "one"
    if not math.isfinite(late["estimate"]):
        return f"nobody asks for {it}."
    return (
        f"of those who ask for {it}, {_percent(late)} wait over 30 days{_interval(late, '95 % interval ')} and "
        f"{_percent(lost)} are lost while they wait{_interval(lost)}."
    )


def _percent(row: Row) -> str:
    return f"{rounding.number(row['estimate'], 'probability')} %"


def _interval(row: Row, what: str = "") -> str:
    ends = rounding.interval(row["lower"], row["upper"], "probability", row["estimate"])
    return "" if ends is None else f" ({what}{ends[0]} to {ends[1]})"


def precision(rows: Mapping[str, Row], scenario: Scenario, replications: int) -> str:
    """Return how many replications the wanted precision needs, and whether there were so many."""
    if replications < 2:
        return "One replication cannot tell Monte Carlo error from the draws' spread: --replications 2 or more."
    wanted = {name: row["replications_wanted"] for name, row in rows.items() if name in SHOWN}
    wanted = {name: int(each) for name, each in wanted.items() if math.isfinite(each)}
    short = {name: each for name, each in wanted.items() if each > replications}
    within = 0.1 if scenario.service is None else scenario.service.precision
    goal = f"a Monte Carlo error (95 %) within {100 * within:g} % of the estimate"
    if not wanted:
        return f"Nothing varies here that {goal} could be told of."
    if not short:
        return f"{replications} replications a draw suffice for {goal} ({max(wanted.values())} needed)."
    listed = "; ".join(f"{LABELS[name]}: {each:,}" for name, each in short.items())
    return (
        f"{replications} replications a draw give {len(wanted) - len(short)} of {len(wanted)} figures {goal}; "
        f"the others need more: {listed}."
    )


WHOLE = "waits and use are of whole stays, beyond the horizon too"
"""What a table of a resource says beside counts that stop at the horizon."""


def stability(rows: Mapping[str, Row], manifest: Mapping[str, Any], scenario: Scenario, resource: str) -> str:
    """Return whether a queue stays bounded, and why, where that is in doubt; else nothing."""
    told = manifest.get("offered_load", {}).get(scenario.name, {}).get(resource)
    if told is None:
        return ""
    listed = scenario.service is not None and scenario.service.arrival_months is not None
    grows = not listed and (told["never_leaving"] is None or told["never_leaving"] >= 1.0)
    somewhere = told.get("grows", "") if not grows else ""
    if told["all"] is not None and told["all"] < 1.0 and not (grows or somewhere):
        return ""
    demand = "There are no units" if told["all"] is None else f"Demand is {100 * told['all']:.0f} % of capacity"
    lost = 100 * float(rows["lost_while_waiting"]["estimate"])
    if listed:
        return f"{demand}. The queue is served in the end, since arrivals end with the list."
    if grows:
        return f"{demand}, and the queue grows without limit: its waits are of the years that were chosen."
    if somewhere:
        return f"{demand}. The queue grows without limit {somewhere}: waits there are of the years that were chosen."
    return f"{demand}. The queue is stable, since {lost:.1f} % leave it before they are served."
