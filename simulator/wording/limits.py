"""What a run's numbers are, and what they are not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from simulator.evidence.cohort import Cohort
from simulator.evidence.replaced import replaced
from simulator.pathway.pathway import FROM_PRIORS, Pathway
from simulator.plain_text import listed
from simulator.scenario.scenario import Scenario
from simulator.wording import intervals

PURPOSE = (
    "It is for planning and teaching about groups of patients, and not for decisions about an individual patient.",
    "A policy's effect is a simulation of stated assumptions. It is not the effect of a treatment.",
)


def of(cohort: Cohort | None, pathway: Pathway, horizon: float, stale: str | None) -> list[str]:
    """Return what a run is not for, and what its intervals leave out. stale : a warning, or None"""
    if cohort is not None:
        source = ", doi ".join(part for part in (cohort.citation.rstrip("."), cohort.doi) if part)
        origin = (
            f"It is calibrated to n = {cohort.n} reported patients: {cohort.title} ({source}). "
            "The intervals include what these patients and the sourced priors do not determine about the parameters. "
            "They do not include how far patients elsewhere differ from these."
        )
        if laws := replaced(pathway):
            origin += f" {pathway.name} replaces {laws}: what stands instead was not fitted to these patients."
        if added := sum(name not in pathway.fitted.parameters for name in pathway.from_priors):
            origin += f" Parameters that it adds, drawn from their priors: {added}."
    elif pathway.draws == FROM_PRIORS:
        origin = (
            "It is not calibrated to a cohort: parameters are drawn from the priors that the pathway file declares. "
            "The intervals show what these priors leave open."
        )
    elif pathway.draws is None:
        origin = "It is not calibrated to a cohort: each parameter has the value that the pathway file declares."
    else:
        origin = (
            f"Its parameter sets come from {pathway.draws}. If they were fitted to a cohort, the page can show the "
            "reported figures, too: set draws in the pathway file to the cohort's folder."
        )
    return [sentence for sentence in (stale, *PURPOSE, origin, extrapolation(cohort, horizon)) if sentence]


def extrapolation(cohort: Cohort | None, horizon: float) -> str:
    """Return from which month on figures are extrapolated, up to a horizon in months; "" if nowhere."""
    if cohort is None or cohort.follow_up is None or horizon <= cohort.follow_up[1]:
        return ""
    month, start = cohort.follow_up[1], cohort.clock
    return f"Beyond month {month:g} after {start}, the longest follow-up, every figure is an extrapolation."


def conditional(pathway: Pathway, clock: str) -> str:
    """Return that figures of an earlier clock are of patients who all come to the default one; "" if they need not."""
    before = [pathway.states[name] for name in pathway.states_before_clock]
    times = [way.time for state in before for way in state.transitions if way.time is not None]
    may_end = any(state.is_absorbing for state in before) or any("cure" in time.arguments for time in times)
    if clock == pathway.clock or may_end:
        return ""
    event = pathway.states[pathway.clock_state].label
    return f"Only patients who come to {event} are in this pathway: figures from {clock} are conditional on {event}."


def all_assumed(scenarios: Sequence[Scenario]) -> Iterator[str]:
    """Yield what scenarios assume; where several assume the same, once."""
    names: dict[str, list[str]] = {}
    for scenario in scenarios:
        names.setdefault(assumed(scenario).partition(": ")[2], []).append(scenario.policy)
    for words, alike in names.items():
        if words:
            yield f"{listed(alike)} assume{'s' if len(alike) == 1 else ''}: {words}"


def assumed(scenario: Scenario) -> str:
    """Return the first sentence of what a scenario assumes; "" if it does not say."""
    first = re.split(r"(?<=[.!?])\s", " ".join(scenario.assumes.split()), maxsplit=1)[0]
    return f"{scenario.policy} assumes: {first}" if first else ""


def numbers(draws: int, *, has_differences: bool, has_errors: bool) -> str:
    """Return what the numbers of an outcomes table are, and where all of them stand."""
    note = "There is one parameter set, so there are no intervals."
    if draws > 1:
        note = (
            f"Numbers are means over {intervals.sets(draws)} (of median survival, the median), with 95 % intervals in "
            f"brackets.{' Differences are taken within each parameter set.' * has_differences}"
        )
    return f"{note} All outcomes{', with Monte Carlo errors,' * has_errors} are in outcomes.csv."
