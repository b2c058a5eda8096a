"""From scenarios to the page: patients are simulated, placed in the drawn pathway, and written whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulator.analyses import histories
from simulator.errors import InputError
from simulator.experiment.events import Histories
from simulator.experiment.manifest import note
from simulator.experiment.marginal_benefit import with_marginal_benefits
from simulator.experiment.settings import Progress, Settings
from simulator.explorer import one_file
from simulator.explorer.making import check_file
from simulator.files import whole
from simulator.report.animation import cohorts, stays
from simulator.report.animation.drawing import drawing, reduced
from simulator.report.animation.stays import Stay
from simulator.scenario.scenario import Scenario
from simulator.wording import limits
from simulator.wording.headline import benefit_assumption

PACKAGE = "simulator.report.animation"
SCRIPTS = ("patients", "diagram", "cohorts", "view")
"""Files of the page's own code, after the explorer's elements."""

PATIENTS, HORIZON, COHORTS = 300, 60.0, 20
MOST = 1_000
"""Patients on one page: more cannot be distinguished."""


def make(
    scenarios: Sequence[Scenario],
    out: Path,
    *,
    settings: Settings | None = None,
    n_cohorts: int = COHORTS,
    progress: Progress = lambda done, total: None,
) -> int:
    """Write the page of one scenario, or of two side by side; return its bytes. Raises InputError.

    settings : the patients, the months that are shown, the seed and the engine; n_cohorts : of the first scenario
    """
    chosen = settings or Settings(patients=PATIENTS, horizon=HORIZON)
    if chosen.patients > MOST:
        raise InputError("too many to be seen", where="--patients", got=chosen.patients, allowed=f"1 to {MOST:,}")
    check_file(out)
    drawn = histories.source(scenarios, replace(chosen, draws=1))
    progress(0, 2)
    kept = drawn.everybody(1)
    progress(1, 2)
    data = _data(drawn, kept)
    data["cohorts"] = cohorts.curves(scenarios[0], n_cohorts, chosen.horizon, chosen.seed, drawn.settings.engine)
    content = one_file.page(PACKAGE, str(data["title"]), script(), data).encode()
    whole.write(out, content)
    progress(2, 2)
    return len(content)


def script() -> str:
    """Return the page's own code, one script of several files."""
    return "\n".join([one_file.script("simulator.explorer", ["elements"]), one_file.script(PACKAGE, SCRIPTS)])


def _data(drawn: histories.Source, kept: Sequence[Histories]) -> dict[str, Any]:
    """Return what the page shows."""
    scenarios, horizon = drawn.scenarios, drawn.settings.horizon
    pathway = scenarios[0].pathway
    leading = scenarios[-1].leads_with or pathway.clock
    clock = None if drawn.is_limited else leading
    of_scenarios = [stays.stays_of(pathway, clock, one, horizon) for one in kept]
    waits = [list(stays.waits_of(one, horizon)) for one in kept]
    patients = max((len({stay.patient for stay in of}) for of in of_scenarios), default=0)
    if not patients:
        what = f"no patient starts the clock '{leading}'" if clock else f"no patient arrives by month {horizon:g}"
        raise InputError(what, where=scenarios[0].where, allowed="a scenario with patients, or more months (--horizon)")
    if patients > MOST:
        what = "too many patients arrive to be seen"
        raise InputError(what, where="--horizon", got=horizon, allowed=f"months in which up to {MOST:,} arrive")
    start = pathway.start if clock is None else pathway.clocks[clock]
    stayed = {stay.state for of in of_scenarios for stay in of}
    # Where a milestone takes an exit from a state, what follows is in the other scenario's order alone.
    ordered = dict.fromkeys(name for scenario in scenarios for name in scenario.pathway.in_order)
    states = [start, *(name for name in ordered if name in stayed and name != start)]
    seen = reduced(pathway, states, stays.ways(of_scenarios, start))
    states = list(seen.in_order)
    resources = {
        name: next(state for state in states if pathway.states[state].holds == name)
        for name in pathway.resources
        if any(name in scenario.capacity for scenario in scenarios)
        and any(pathway.states[state].holds == name for state in states)
    }
    waiting = {
        state: max(stays.most_waiting([wait for wait in of if wait.resource == name]) for of in waits)
        for name, state in resources.items()
    }
    most = [stays.most_at_once(of, states) for of in of_scenarios]
    return {
        "title": " versus ".join(scenario.title or scenario.name for scenario in scenarios),
        "states": [{"name": name, "label": pathway.states[name].label, "kind": pathway.states[name].kind,
                    "holds": pathway.states[name].holds} for name in states],
        "start": states.index(start),
        "resources": [{"name": name, "label": pathway.resources[name].labelled(2), "state": states.index(state)}
                      for name, state in resources.items()],
        "scenarios": [_scenario(scenario, of, waits_of, states, list(resources)) for scenario, of, waits_of in zip(
            scenarios, of_scenarios, waits, strict=True)],
        "drawing": drawing(seen, most, waiting),
        "horizon": horizon,
        "answer": pathway.months.answer,
        "months": [month for month in (0.0, *sorted(pathway.months.survival)) if month <= horizon],
        "clock": clock or "",
        "patients": pathway.patients,
        "about": _about(drawn, clock),
        "limits": [*limits.PURPOSE, note(pathway)],
    }  # fmt: skip


def _scenario(
    scenario: Scenario, of: Sequence[Stay], waits: Sequence[stays.Wait], states: Sequence[str], resources: Sequence[str]
) -> dict[str, Any]:
    places = {name: place for place, name in enumerate(states)}
    by_patient: dict[int, list[list[float]]] = {}
    for stay in of:
        by_patient.setdefault(stay.patient, []).append([_month(stay.since), places[stay.state], stay.slot])
    known = {patient: place for place, patient in enumerate(by_patient)}
    return {
        "name": scenario.name,
        "patients": list(by_patient),
        "stays": list(by_patient.values()),
        "waits": [
            [known[wait.patient], resources.index(wait.resource), _month(wait.since),
             None if wait.until == float("inf") else _month(wait.until)]
            for wait in waits if wait.patient in known and wait.resource in resources
        ],
        "units": [stays.calendar(scenario, name) for name in resources],
    }  # fmt: skip


def _month(month: float) -> float:
    """Return a month with all digits that count: whole months are compared with it."""
    return float(f"{month:.9g}")


def _about(drawn: histories.Source, clock: str | None) -> list[str]:
    """Return what the page shows, in sentences."""
    sentences = [
        "Every dot is one simulated patient. No dot is a real person.",
        "The patients are of one parameter set, so uncertainty is not shown here: aftercart compare has it.",
    ]
    if len(drawn.scenarios) > 1:
        sentences.append("The same patient has the same random numbers under both scenarios.")
    if clock is None:
        sentences.append("Months are calendar months. All who arrive are shown, also those before the counted years.")
    for scenario in drawn.scenarios:
        if len(with_marginal_benefits([scenario], drawn.table, 1, break_even=False)) > 1:
            sentences.append(f"{scenario.name}: {benefit_assumption(scenario)}.")
    return sentences
