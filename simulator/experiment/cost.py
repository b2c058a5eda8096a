"""How long work would take: small pieces of it are timed, and work that takes too long is refused without --yes.

The command line refuses. The library does not: whether a script finishes must not depend on how busy a machine is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from simulator.engines.exact import embedded
from simulator.engines.exact.engine import batch
from simulator.engines.model import resolve
from simulator.errors import EngineRefusal, InputError
from simulator.evidence.draws import load_informed_draws
from simulator.experiment.engine_choice import choose_engine
from simulator.experiment.marginal_benefit import simulated, with_marginal_benefits
from simulator.experiment.run import count_draws, parts_of
from simulator.experiment.settings import Settings
from simulator.scenario.arrivals import MONTHS_A_YEAR
from simulator.scenario.scenario import Scenario

MOST_SECONDS = 15 * 60.0
"""Longer work needs --yes."""
SUGGESTED = 3 * 60.0
"""Seconds that a suggested command takes."""
SURELY_SHORT = 5 * 60.0
"""Seconds below which the count of events is a sufficient estimate, and nothing is timed."""
MOST_EVENTS = 1_000.0
"""States that a patient enters within the horizon; with more, a mean stay is too short to be meant."""

WARM_UP = 2.0
"""Seconds above which a first piece of work is not repeated, though it includes imports."""

EVENTS_A_SECOND = {"microsim": 1e6, "queues": 5e4, "des": 5e3}
EXACT_DRAWS_A_SECOND = 20.0
"""To 120 months. All of these are slower than any recent machine."""
TIMED_EVENTS = {"microsim": 200_000, "queues": 20_000, "des": 2_000}


def round_number(count: float) -> int:
    """Return the largest of 1, 2, 5, 10, 20, 50, ... up to `count`."""
    step = 1
    while step * 10 <= count:
        step *= 10
    return step * max(leading for leading in (1, 2, 5) if leading * step <= max(count, 1))


@dataclass(frozen=True)
class Dial:
    """An option to which the time of work is proportional: its value now, and the least useful value.

    rounded : rounds a value down to one to suggest; fixed : seconds that the work takes whatever the value
    """

    option: str
    value: int
    least: int
    rounded: Callable[[float], int] = round_number
    fixed: float = 0.0


def check_time(
    seconds: float, jobs: int, dials: Sequence[Dial], *, what: str, where: str = "", quick: str = ""
) -> None:
    """Refuse work of more than MOST_SECONDS. Raises InputError with its time, and options that make it shorter.

    what : the work, in words; quick : an option that gives a rough answer, if there is one
    """
    if seconds <= MOST_SECONDS:
        return
    several = f" on {jobs} processes" if jobs > 1 else ""
    ways = [way for dial in dials if (way := _shorter(dial, seconds))] + [quick] * bool(quick)
    raise InputError(
        f"{what} would take about {in_words(seconds)}{several}",
        where=where,
        allowed="; ".join([f"up to {in_words(MOST_SECONDS)}", *ways, "or --yes to start anyway"]),
    )


def _shorter(dial: Dial, seconds: float) -> str:
    """Return "--draws 20 takes about 3 minutes", with a round number; "" where even the least takes too long."""
    one = (seconds - dial.fixed) / dial.value
    wanted = max(dial.rounded(min(max(SUGGESTED - dial.fixed, 0.0) / one, dial.value)), dial.least)
    takes = dial.fixed + one * wanted
    return f"{dial.option} {wanted} takes about {in_words(takes)}" if takes <= MOST_SECONDS else ""


def check_events(scenarios: Sequence[Scenario], horizon: float) -> None:
    """Refuse scenarios with thousands of events a patient. Raises InputError naming the scenario."""
    for scenario in scenarios:
        count = events_a_patient(scenario, horizon)
        if count > MOST_EVENTS:
            raise InputError(
                f"a patient would enter about {count:,.0f} states in {horizon:g} months",
                where=scenario.where,
                allowed=f"up to {MOST_EVENTS:,.0f}: longer stays, a shorter --horizon; or --yes to run it anyway",
            )


def events_a_patient(scenario: Scenario, horizon: float) -> float:
    """Return about how many states a patient enters by the horizon, at the declared values."""
    model = resolve(scenario.benefiting(1.0))
    # The run refuses numbers that overflow, with their place.
    with np.errstate(all="ignore"):
        return float(embedded.events(model, within=scenario.pathway.followed(horizon)).mean())


def check_run(scenarios: Sequence[Scenario], settings: Settings) -> None:
    """Refuse a run that takes too long, or whose patients have too many events. Raises InputError before it runs."""
    check_events(scenarios, settings.horizon)
    try:
        _check_engine(scenarios, settings)
    except EngineRefusal as error:
        if settings.engine != "auto":
            raise
        _check_engine(scenarios, replace(settings, engine=error.instead))


def _check_engine(scenarios: Sequence[Scenario], settings: Settings) -> None:
    """Refuse a run that takes one engine too long. Raises InputError."""
    engine, _ = choose_engine(settings.engine, scenarios)
    # A policy that treats more is shown for several marginal benefits.
    if is_surely_short(scenarios, engine, settings, times=4):
        return
    pathway, limited = scenarios[0].pathway, any(scenario.is_limited for scenario in scenarios)
    table = load_informed_draws(pathway)
    n_draws = count_draws(settings, engine, limited, table, pathway)
    displayed = with_marginal_benefits(scenarios, table, n_draws, break_even=not limited)
    seconds = sum(seconds_of(scenario, table, engine, settings, n_draws) for scenario in simulated(displayed, engine))
    dials = [Dial("--draws", n_draws, 10)]
    if limited:
        dials.append(Dial("--replications", settings.replications, 2))
    if engine != "exact" and any(scenario.service is None for scenario in scenarios):
        dials.append(Dial("--patients", settings.patients, 1_000))
    jobs = min(settings.jobs, n_draws)
    check_time(seconds / jobs, jobs, dials, what="this", quick="--quick gives a rough answer in seconds")


def is_surely_short(scenarios: Sequence[Scenario], engine: str, settings: Settings, times: float = 1.0) -> bool:
    """Whether `times` these scenarios are short work by their count of events, however slow the machine."""
    seconds = 0.0
    for scenario in scenarios:
        if engine == "exact":
            seconds += (settings.draws or 400) / EXACT_DRAWS_A_SECOND * max(settings.horizon / 120.0, 1.0)
            continue
        patients = _patients(scenario, settings) * _replications(scenario, settings)
        events = patients * events_a_patient(scenario, settings.horizon)
        seconds += (settings.draws or 100) * events / EVENTS_A_SECOND[_pace(scenario, engine)]
    return times * seconds < SURELY_SHORT


def _pace(scenario: Scenario, engine: str) -> str:
    return "queues" if engine == "microsim" and scenario.is_limited else engine


def _replications(scenario: Scenario, settings: Settings) -> int:
    return settings.replications if scenario.is_limited else 1


def _patients(scenario: Scenario, settings: Settings) -> float:
    """Return about how many patients a replication has."""
    service = scenario.service
    if service is None:
        return float(settings.patients)
    return service.arrivals_a_month * (service.last + scenario.pathway.followed(settings.horizon))


def seconds_of(scenario: Scenario, table: pd.DataFrame | None, engine: str, settings: Settings, n_draws: int) -> float:
    """Return about how many seconds one process takes for a scenario, from a few patients and one parameter set."""
    if engine == "exact":
        rows = slice(0, min(batch(scenario.pathway, settings.horizon), n_draws))
        return timed(partial(parts_of, scenario, table, engine, settings, rows)) * n_draws / rows.stop
    patients, replications = _patients(scenario, settings), _replications(scenario, settings)
    few = min(TIMED_EVENTS[_pace(scenario, engine)] / events_a_patient(scenario, settings.horizon), patients)
    timed_scenario = scenario if scenario.service is None else _with_arrivals(scenario, few, settings)

    def seconds(count: int) -> float:
        small = replace(settings, patients=max(int(few), 1), replications=count)
        return timed(partial(parts_of, timed_scenario, table, engine, small, slice(0, 1)))

    one = repeated = seconds(1)
    if replications > 1:
        # A parameter set takes some time once, and the rest for every replication.
        repeated = min(max(seconds(2) - one, 0.1 * one), one)
    return n_draws * (one - repeated + repeated * replications * patients / few)


def _with_arrivals(scenario: Scenario, arrivals: float, settings: Settings) -> Scenario:
    """Return a scenario with so many arrivals in the same months."""
    assert scenario.service is not None
    months = scenario.service.last + scenario.pathway.followed(settings.horizon)
    rate = MONTHS_A_YEAR * arrivals / months
    service = replace(scenario.service, arrivals_per_year=rate, arrival_months=None)
    before = scenario.before and replace(scenario.before, service=service)
    return replace(scenario, service=service, before=before)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds of a piece of work, done twice unless it is long: the first time includes imports."""
    first = _seconds(work)
    return first if first > WARM_UP else _seconds(work)


def _seconds(work: Callable[[], object]) -> float:
    # Other work on the machine makes it wait, and several threads of its own use more than one processor.
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return min(time.perf_counter() - wall, time.process_time() - processor)


def in_words(seconds: float) -> str:
    """Return "40 seconds", "3 minutes", "2 hours", "12 days", "3 years"."""
    for unit, length, most in (
        ("second", 1.0, 90.0),
        ("minute", 60.0, 90.0),
        ("hour", 3600.0, 48.0),
        ("day", 86_400.0, 730.0),
        ("year", 31_557_600.0, float("inf")),
    ):
        count = max(round(seconds / length), 1)
        if seconds / length < most:
            return f"{count:,} {unit}{'s' if count > 1 else ''}"
    raise AssertionError(seconds)
