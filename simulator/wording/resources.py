"""The use of a centre's resources in words and numbers for a planner. Terminal and report print the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simulator.engines.no_benefit import ways
from simulator.outcomes.resource_use import LABELS, LATE, TIMES, in_order, label
from simulator.outcomes.summaries import PER
from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import reachable
from simulator.plain_text import capital, listed
from simulator.scenario.arrivals import DAYS_A_MONTH
from simulator.scenario.capacity import load_is_unknown
from simulator.wording import rounding
from simulator.wording.difference import EQUAL, Difference
from simulator.wording.headline import policies, scenario_in_words
from simulator.wording.intervals import Row, in_brackets

if TYPE_CHECKING:
    import pandas as pd

    from simulator.pathway.pathway import Pathway
    from simulator.scenario.scenario import Scenario

DISPLAYED = [name for name in LABELS if name != "in_use"]
"""Outcomes of a short table: utilisation stands for the number in use."""

STARTS = "starts_per_year"
"""The one outcome of resources without limit."""

FOR_EVER = "waiting_for_ever"
"""The outcome that is displayed only where units stay closed, or patients block one another's."""

MOST_SENTENCES = 2
"""Options with a sentence each on their waits; more are listed in one."""
_LATE_AND_LOST = ("wait_over_30_days", "lost_while_waiting")

MEASURES = ("estimate", "lower", "upper", "monte_carlo_se", "difference", "difference_lower", "difference_upper")
LONG = 3.0
"""Shorter waits are displayed in days, longer waits in months."""

NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def title(pathway: Pathway) -> str:
    """Return the units of the pathway's resources as a title: "Beds and slots"."""
    units = list(dict.fromkeys(resource.unit or resource.label for resource in pathway.resources.values()))
    return capital(listed(units))


def caution(pathway: Pathway) -> str:
    """Return why survival at the answer's month does not measure whether the units suffice."""
    return (
        f"When units are short, survival at {in_words(pathway.months.answer)} can look better with fewer of them: "
        "patients still waiting avoid the early deaths of a treatment whose benefit comes later. Read it next to "
        "later survival and losses while waiting."
    )


def lost_while_waiting(scenarios: Sequence[Scenario], resources: Iterable[str]) -> str:
    """Return which events end a wait before the patient is served: a sentence a resource."""
    sentences = []
    for resource in resources:
        label = scenarios[0].pathway.resources[resource].label
        events = _or(event for scenario in scenarios for event in losses(scenario, resource))
        lost = f"Patients waiting for {label} can be lost to {events}. "
        sentences.append(lost if events else f"Patients waiting for {label} cannot be lost. ")
    return "".join(sentences)


def losses(scenario: Scenario, resource: str) -> list[str]:
    """Return the events that end a wait before the patient is served.

    They are the waiting state's other exits and, of patients treated without benefit, deaths under supportive care.
    """
    pathway, rule = scenario.pathway, scenario.pathway.marginal
    holding = {name for name, state in pathway.states.items() if state.holds == resource}
    waits = [state for state in pathway.states.values() if any(exit.to in holding for exit in state.transitions)]
    events = [exit.to for wait in waits for exit in wait.transitions if exit.to not in holding]
    if rule is not None and scenario.marginal_benefit != 1.0:
        treated = pathway.states[rule.decision].transition(rule.branch).to
        without_benefit = reachable([treated], lambda name: [to for _, to in ways(pathway, name)])
        if not without_benefit.isdisjoint(wait.name for wait in waits):
            events += [exit.to for exit in pathway.states[rule.otherwise].transitions]
    return [pathway.states[name].label for name in events]


def _or(events: Iterable[str]) -> str:
    return listed(list(dict.fromkeys(events)), "or")


def explanation(
    manifest: Mapping[str, Any], scenarios: Sequence[Scenario], resources: Sequence[str], *, by_month: bool
) -> str:
    """Return what the figures of resources count, what their brackets and errors mean, and where all of them are."""
    text = (
        "Requests and starts are counted in the calendar months after the warm-up. Waits are of patients served; "
        f"the shares over 30 days and lost are of all requests. {lost_while_waiting(scenarios, resources)}"
    )
    draws, replications = manifest["draws"], manifest["replications"]
    if replications > 1 and draws > 1:
        text += (
            f"Brackets: 95 % intervals over {draws} parameter sets, without simulation noise; none where noise hides "
            "the differences between parameter sets. "
        )
    if replications > 1:
        text += f"\N{PLUS-MINUS SIGN}: Monte Carlo standard error, {replications} replications per parameter set. "
    return f"{text}All figures, with differences, are in service.csv{' and, month by month, in queue.csv' * by_month}."


def rows_of(service: pd.DataFrame, scenario: str, resource: str) -> dict[str, Row]:
    """Return the rows of a scenario's resource by outcome, over the whole run."""
    rows = service[(service["scenario"] == scenario) & (service["resource"] == resource)]
    return {str(row["outcome"]): row for row in rows.to_dict("records")}


def unlimited_starts(service: pd.DataFrame, scenario: Scenario) -> dict[str, Row]:
    """Return the row of starts of every resource that a scenario does not limit, by resource."""
    tables = {resource: rows_of(service, scenario.name, resource) for resource in scenario.unlimited}
    return {resource: rows[STARTS] for resource, rows in tables.items() if rows}


def starts_label(scenario: Scenario, resource: str) -> str:
    """Return "slots started a year"."""
    return f"{scenario.pathway.resources[resource].label} started a year"


def in_days(rows: Iterable[Row]) -> bool:
    """Return whether waits are short enough to be displayed in days."""
    longest = [row["estimate"] for row in rows if row["outcome"] in TIMES and math.isfinite(row["estimate"])]
    return max(longest, default=0.0) < LONG


def displayed(row: Row, *, days: bool) -> Row:
    """Return a row of the service table in its displayed unit: per cent for shares, days for waits that are short."""
    unit, factor = "%", 100.0
    if row["unit"] != "probability":
        if row["outcome"] not in TIMES or not days:
            return row
        unit, factor = "days", DAYS_A_MONTH
    return {**row, **{name: factor * row[name] for name in MEASURES}, "unit": unit}


def units(scenario: Scenario, resource: str) -> str:
    """Return a capacity: "one bed, three from month 24", "one slot offered a month", "scanner (two)"."""
    declared, capacity = scenario.pathway.resources[resource], scenario.capacity[resource]
    (_, first), *later = capacity.calendar
    if len(later) > 3:
        numbers = [count for _, count in capacity.calendar]
        return f"{min(numbers)} to {max(numbers)} {declared.label} by a calendar"
    if first == 1 or declared.label.endswith("s"):
        text = f"{number(first) if first else 'no'} {declared.labelled(first)}"
    else:
        # A resource without a declared label has no plural.
        text = f"{declared.label} ({number(first)})"
    if capacity.offered_every is not None:
        every = "a month" if capacity.offered_every == 1.0 else f"every {capacity.offered_every:g} months"
        text += f" offered {every}"
    return ", ".join([text, *(f"{number(count)} from month {month:g}" for month, count in later)])


def units_beside_name(scenario: Scenario, resource: str) -> str:
    """Return `units` next to a scenario's name; empty where the name has them: "2 beds"."""
    declared, capacity = scenario.pathway.resources[resource], scenario.capacity[resource]
    plain = capacity.is_constant and capacity.offered_every is None
    return "" if plain and scenario.name == declared.counted(capacity.units) else units(scenario, resource)


def name_with_units(scenario: Scenario, resource: str) -> str:
    """Return "centre: two beds"."""
    return ": ".join(filter(None, (scenario_in_words(scenario.name), units_beside_name(scenario, resource))))


def number(count: int) -> str:
    """Return a small number as a word."""
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def answer(service: pd.DataFrame | None, scenarios: Sequence[Scenario]) -> str:
    """Return how many more or fewer requests wait, under the option that differs most from the first.

    Of a resource that an option changes, if there is one. Empty of one option, or if nobody requests a unit.
    """
    if service is None:
        return ""
    first, *others = (policy[0] for policy in policies(scenarios))
    limited = {name: [one for one in others if name in one.capacity] for name in first.capacity}
    changed = {name: [one for one in limited[name] if one.capacity[name] != first.capacity[name]] for name in limited}
    for resource, options in [*changed.items(), *limited.items()]:
        late = {one.name: rows_of(service, one.name, resource)["wait_over_30_days"] for one in (first, *options)}
        known = [one for one in options if math.isfinite(late[one.name]["difference"])]
        if known:
            most = max(known, key=lambda one: abs(late[one.name]["difference"]))
            difference = Difference.of_row(late[most.name])
            unseen = "" if math.isfinite(difference.lower) else "; uncertainty is not shown"
            lost = [rows_of(service, one.name, resource)["lost_while_waiting"] for one in (most, first)]
            events = _or(event for one in (first, most) for event in losses(one, resource))
            is_lost = events and any(row["estimate"] > 0.0 for row in lost)
            of_lost = f"; {_percents(lost)} are lost to {events} while waiting" if is_lost else ""
            return difference.lead(
                f"Of {PER} requests for {first.pathway.resources[resource].labelled(2)}, "
                f"{difference.words} wait over 30 days under {most.name}: "
                f"{_percents([late[most.name], late[first.name]])} under {first.name}{of_lost}{unseen}."
            )
    return ""


def _percents(rows: Sequence[Row]) -> str:
    """Return "3.6 instead of 1.1"."""
    return " instead of ".join(rounding.number(row["estimate"], "probability") for row in rows)


def sentence(service: pd.DataFrame | None, scenarios: Sequence[Scenario]) -> str:
    """Return the use of resources, a sentence each, by every policy's optimistic estimate; empty without limits."""
    if service is None:
        return ""
    leading = [policy[0] for policy in policies(scenarios) if policy[0].capacity]
    if len(leading) > MOST_SENTENCES:
        return " ".join(_in_a_row(service, leading, name) for name in leading[0].capacity)
    sentences = []
    for scenario in leading:
        for resource in _worst_first(service, scenario):
            amount = units(scenario, resource)
            if len(leading) > 1:
                amount = ", ".join(filter(None, (f"under {scenario.name}", units_beside_name(scenario, resource))))
            amount = f"{capital(amount)}: "
            rows = rows_of(service, scenario.name, resource)
            use = _waits_and_use(rows, scenario, resource)
            sentences.append(" ".join(filter(None, [amount + waits_and_losses(rows, scenario, resource), use])))
    return " ".join(sentences)


def _worst_first(service: pd.DataFrame, scenario: Scenario) -> list[str]:
    """Return the resources of a scenario; first the one that patients wait longest for."""
    rows = {name: rows_of(service, scenario.name, name).get("wait_mean") for name in scenario.capacity}
    waits = {name: math.nan if row is None else row["estimate"] for name, row in rows.items()}
    # Where nobody is served, there is no wait.
    return sorted(waits, key=lambda name: math.inf if math.isnan(waits[name]) else -waits[name])


def _waits_and_use(rows: Mapping[str, Row], scenario: Scenario, resource: str) -> str:
    """Return the mean wait of patients served, and how many units are in use; empty where nobody is served."""
    wait, used = rows.get("wait_mean"), rows.get("in_use")
    if wait is None or not math.isfinite(wait["estimate"]):
        return ""
    wait = displayed(wait, days=in_days([wait]))
    text = f"Patients served wait {rounding.number(wait['estimate'], wait['unit'])} {wait['unit']} on average"
    text += in_brackets(wait["lower"], wait["upper"], wait["unit"], wait["estimate"]).replace("95 % interval ", "")
    if used is None or not scenario.capacity[resource].is_constant:
        return f"{text}."
    count = scenario.capacity[resource].units
    unit = scenario.pathway.resources[resource].labelled(count)
    ends = in_brackets(used["lower"], used["upper"], "units", used["estimate"]).replace("95 % interval ", "")
    are = "is" if count == 1 else "are"
    return f"{text}; {rounding.number(used['estimate'], 'units')} of {count} {unit} {are} in use{ends}."


def _in_a_row(service: pd.DataFrame, options: Sequence[Scenario], resource: str) -> str:
    """Return how many wait for long, and how many are lost, under many options, in a sentence."""
    options = [option for option in options if resource in option.capacity]
    parts = []
    for option in options:
        rows = rows_of(service, option.name, resource)
        late, lost = (rounding.number(rows[name]["estimate"], "probability") for name in _LATE_AND_LOST)
        parts.append(f"{late} and {lost} with {units(option, resource)} ({option.name})")
    events = _or(event for option in options for event in losses(option, resource))
    lost_to = f"lost to {events} while waiting" if events else "lost"
    label = options[0].pathway.resources[resource].labelled(2)
    return f"Of {PER} requests for {label}, so many wait over 30 days, and are {lost_to}: {'; '.join(parts)}."


def waits_and_losses(
    rows: Mapping[str, Row], scenario: Scenario, resource: str, waits: str = "wait_over_30_days"
) -> str:
    """Return what becomes of patients who request a unit: how many wait for long, and how many are lost.

    rows : the resource's, by outcome; waits : the outcome of those who wait for long
    """
    capacity, late, lost = scenario.capacity[resource], rows[waits], rows["lost_while_waiting"]
    events = _or(losses(scenario, resource))
    to = f" to {events}" if events else ""
    for_ever = rows.get(FOR_EVER)
    it = "it" if capacity.is_constant and capacity.units == 1 else "one"
    if not math.isfinite(late["estimate"]):
        return f"no patient requests {it}."
    long = label(waits).partition(",")[0]
    parts = [f"{_percent(late)} {long}{_interval(late, '95 % interval ')}"]
    others = (rows[name] for name in in_order(rows) if LATE.fullmatch(name) and name != waits)
    parts += [f"{_percent(row)} over {row['outcome'].split('_')[2]} days{_interval(row)}" for row in others]
    parts += [f"{_percent(lost)} are lost{to} while waiting{_interval(lost)}"]
    if for_ever is not None and for_ever["estimate"] > 0.0:
        parts += [f"{_percent(for_ever)} wait for ever{_interval(for_ever)}"]
    return f"of patients who request {it}, {', '.join(parts[:-1])} and {parts[-1]}."


def title_of_waits(rows: Sequence[tuple[Scenario, str, Mapping[str, Row]]]) -> str:
    """Return how many more of 100 requests wait over 30 days under the policy that differs most from the first.

    rows : scenarios with a resource and its outcomes; of one scenario alone: how many wait for the first resource
    """
    leading = {policy[0].name for policy in policies(list({one.name: one for one, *_ in rows}.values()))}
    late = [(scenario, name, table["wait_over_30_days"]) for scenario, name, table in rows if scenario.name in leading]
    known = [one for one in late if math.isfinite(one[2]["difference"])]
    far, resource, after = max(known, key=lambda one: abs(one[2]["difference"]), default=late[0])
    first, _, before = next(one for one in late if one[1] == resource)
    under = scenario_in_words(first.name)
    requests = f"requests for {first.pathway.resources[resource].labelled(2)} wait over 30 days under"
    if not known:
        return f"In the model, {_percent(before)} of {requests} {under}{_interval(before, '95 % interval ')}"
    difference = Difference.of_row(after)
    end, start = (rounding.number(row["estimate"], "probability") for row in (after, before))
    equal = difference.more_or_fewer == EQUAL
    than = f" as under {under}: {start}" if equal else f": {end} instead of {start} under {under}"
    words = f"{difference.more_or_fewer} of {PER} {requests} {far.name}{difference.in_brackets}{than}"
    return f"In the model, {difference.led(words)}"


def losses_in_words(rows: Sequence[tuple[Scenario, str]]) -> str:
    """Return what ends a wait before the patient is served: "death or discharge while waiting"."""
    events = _or(event for scenario, resource in rows for event in losses(scenario, resource))
    return f"{events or 'lost'} while waiting"


def _percent(row: Row) -> str:
    return f"{rounding.number(row['estimate'], 'probability')} %"


def _interval(row: Row, name: str = "") -> str:
    ends = rounding.interval(row["lower"], row["upper"], "probability", row["estimate"])
    return "" if ends is None else f" ({name}{ends[0]} to {ends[1]})"


def precision(rows: Mapping[str, Row], scenario: Scenario, replications: int, *, briefly: bool = False) -> str:
    """Return how many replications the wanted precision needs, and whether the run had as many.

    briefly : without the names of the figures that are less precise
    """
    if replications < 2:
        return (
            "One replication cannot separate simulation noise from parameter uncertainty: use --replications 2 or more."
        )
    wanted = {name: row["replications_wanted"] for name, row in rows.items() if name in DISPLAYED}
    wanted = {name: int(count) for name, count in wanted.items() if math.isfinite(count)}
    short = {name: count for name, count in wanted.items() if count > replications}
    within = 0.1 if scenario.service is None else scenario.service.precision
    noise = "Simulation noise (95 % Monte Carlo error)"
    if not wanted:
        return "Nothing varies here, so there is no simulation noise to report."
    if not short:
        enough = f"{replications} replications per parameter set, {max(wanted.values())} needed"
        return f"{noise} is within {100 * within:g} % of every estimate ({enough})."
    listed = "" if briefly else f": {'; '.join(LABELS[name] for name in short)}"
    return (
        f"{noise} is above {100 * within:g} % of the estimate for {len(short)} of {len(wanted)} figures{listed}. "
        f"For less noise use --replications {max(short.values())}."
    )


WHOLE_STAYS = "waits and use cover whole stays, even past the horizon"
"""The note of a resource's table next to counts that stop at the horizon."""


def stability(rows: Mapping[str, Row], manifest: Mapping[str, Any], scenario: Scenario, resource: str) -> str:
    """Return whether a queue stays bounded, and why, and who waits for ever; empty where nobody doubts it."""
    load = manifest.get("offered_load", {}).get(scenario.name, {}).get(resource)
    for_ever = _for_ever(rows, scenario)
    bounded = "" if load is None else _bounded(load, rows, scenario, not for_ever)
    return " ".join(filter(None, (bounded, for_ever)))


def _for_ever(rows: Mapping[str, Row], scenario: Scenario) -> str:
    row = rows.get(FOR_EVER)
    if row is None or not row["estimate"] > 0.0:
        return ""
    blocked = load_is_unknown(scenario.pathway, scenario.capacity)
    return f"{_percent(row)} of requests wait for ever: {blocked or 'no more units open'}."


def _bounded(load: Mapping[str, Any], rows: Mapping[str, Row], scenario: Scenario, all_end: bool) -> str:
    """Return whether the queue stays bounded, and why. all_end : whether no patient waits for ever"""
    listed = scenario.service is not None and scenario.service.arrival_months is not None
    grows = not listed and (load["never_leaving"] is None or load["never_leaving"] >= 1.0)
    somewhere = load.get("grows", "") if not grows else ""
    if load["all"] is not None and load["all"] < 1.0 and not (grows or somewhere):
        return ""
    demand = "There are no units" if load["all"] is None else f"Demand is {100 * load['all']:.0f} % of capacity"
    lost = 100 * float(rows["lost_while_waiting"]["estimate"])
    if grows:
        return f"{demand}, and the queue grows without limit: its waits depend on the years simulated."
    if somewhere:
        return f"{demand}. The queue grows without limit {somewhere}: waits there depend on the years simulated."
    if not all_end:
        return f"{demand}."
    if listed:
        return f"{demand}. The queue is served in the end, because the list of arrivals ends."
    if load["in_the_end"] is not None and load["in_the_end"] < 1.0:
        return f"{demand}. The queue is served in the end, when demand is {100 * load['in_the_end']:.0f} % of capacity."
    if lost < 0.05:
        return f"{demand}. Patients who leave keep the queue bounded, but hardly any leave in the years counted."
    return f"{demand}. The queue is stable, because {lost:.1f} % of patients leave it before they are served."
