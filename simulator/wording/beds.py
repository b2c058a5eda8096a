"""Which numbers of beds meet a target: the first sentence of such a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from simulator.experiment.results import Results
from simulator.outcomes import target as targets
from simulator.outcomes.resource_use import LATE, label
from simulator.outcomes.summaries import PER
from simulator.outcomes.target import Target
from simulator.plain_text import listed
from simulator.scenario.scenario import Scenario
from simulator.wording import intervals, resources, rounding
from simulator.wording.headline import policies
from simulator.wording.intervals import Row


def is_asked(results: Results) -> bool:
    """Return whether a run has a target."""
    return "target" in results.manifest and results.service is not None


def answer(results: Results) -> str:
    """Return the fewest units that meet the run's target, and what one less and one more do; empty without a target."""
    if not is_asked(results):
        return ""
    assert results.service is not None
    target, resource = targets.read(results.manifest["target"], "manifest.json: target"), results.manifest["resource"]
    options = [policy[0] for policy in policies(results.scenarios)]
    rows = [resources.rows_of(results.service, option.name, resource) for option in options]
    if all(np.isnan(of_option[target.outcome]["estimate"]) for of_option in rows):
        return f"No patient requests one of the {options[0].pathway.resources[resource].labelled(2)}."
    wanted, meets = f"the target ({in_words(target)})", fewest(results)
    if meets is None:
        last = options[-1].name
        fewer = [f"{option.capacity[resource].units:g}" for option in options[:-1]]
        none = f"None of {listed([*fewer, last])} meets" if fewer else f"{last} {_does(options[0], resource)} not meet"
        return f"{none} {wanted}: with {last}, {_of_requests(rows[-1], target, options[-1], resource)}"
    first = options.index(meets)
    verb = "meets" if options[first].capacity[resource].units == 1 else "meet"
    share = _share(results, options[first], resource, target)
    sentence = f"{options[first].name} {verb} {wanted}{share}"
    sentence += f": {_of_requests(rows[first], target, options[first], resource)}"
    return " ".join(
        [
            sentence,
            *_neighbours(results, options, rows, target, first),
            _in_use(rows[first], options[first].capacity[resource].units),
        ]
    )


def fewest(results: Results) -> Scenario | None:
    """Return the option with the fewest units that meets the run's target; None of a run without, and if none does."""
    if not is_asked(results):
        return None
    assert results.service is not None
    target, resource = targets.read(results.manifest["target"], "manifest.json: target"), results.manifest["resource"]
    for option, *_ in policies(results.scenarios):
        row = resources.rows_of(results.service, option.name, resource)[target.outcome]
        if target.is_met(np.array(row["estimate"])):
            return option
    return None


def _does(option: Scenario, resource: str) -> str:
    return "does" if option.capacity[resource].units == 1 else "do"


def in_words(target: Target) -> str:
    """Return "wait over 30 days: at most 5 %"."""
    most = "at most" if target.sign == "<=" else "at least"
    return f"{label(target.outcome)}: {most} {target.given}"


def _of_requests(row: Mapping[str, Row], target: Target, option: Scenario, resource: str) -> str:
    """Return what becomes of patients who request a unit, after the target's outcome where it is none of that."""
    waits = target.outcome if LATE.fullmatch(target.outcome) else "wait_over_30_days"
    of_patients = resources.waits_and_losses(row, option, resource, waits)
    if target.outcome in (waits, "lost_while_waiting"):
        return of_patients
    of_target = resources.displayed(row[target.outcome], days=True)
    # Labels have the units of other outcomes: "requests a year".
    unit = of_target["unit"] if of_target["unit"] in ("%", "days") else ""
    return f"{label(target.outcome)} {replace(intervals.estimate(of_target), unit=unit)}; {of_patients}"


def _share(results: Results, option: Scenario, resource: str, target: Target) -> str:
    """Return in how many parameter sets a target is met; empty of one set, and of runs that do not keep them."""
    table = results.service_draws
    if table is None:
        return ""
    values = table.loc[(table["scenario"] == option.name) & (table["resource"] == resource), target.outcome].to_numpy()
    met = rounding.number(float(np.mean(target.is_met(values))), "probability")
    return f", in {met} of {PER} parameter sets" if len(values) > 1 else ""


def _neighbours(
    results: Results, options: Sequence[Scenario], rows: Sequence[Mapping[str, Row]], target: Target, first: int
) -> Iterator[str]:
    """Yield what one unit less does, and what one more changes."""
    resource = results.manifest["resource"]
    values = [resources.displayed(row[target.outcome], days=True) for row in rows]
    numbers = [f"{rounding.number(value['estimate'], value['unit'])} {value['unit']}" for value in values]
    if first:
        less = options[first - 1]
        loads = results.manifest.get("offered_load", {}).get(less.name, {}).get(resource, {})
        growth = f", and its queue grows without limit {loads['grows']}" if loads.get("grows") else ""
        share = _share(results, less, resource, target)
        yield f"{less.name} {_does(less, resource)} not ({numbers[first - 1]}{share and f'; met{share[1:]}'}){growth}."
    if first + 1 < len(options):
        more = options[first + 1]
        is_next = more.capacity[resource].units == options[first].capacity[resource].units + 1
        changes = "One more changes" if is_next else f"{more.name} change"
        same = numbers[first] == numbers[first + 1]
        yield f"{changes} {'nothing' if same else f'{numbers[first]} to {numbers[first + 1]}'}."


def _in_use(row: Mapping[str, Row], units: float) -> str:
    """Return how many units are in use on average; empty of units that are offered and taken."""
    return f"In use: {intervals.estimate(row['in_use']).value} of {units:g}." if "in_use" in row else ""
