"""A centre over calendar time: one scenario, one parameter draw, and several replications of its years."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from simulator.arrays import Booleans, Floats, Integers
from simulator.engines import tally
from simulator.engines.curves import Curves
from simulator.engines.model import Model, resolve
from simulator.engines.requests import Arrivals, Requests, together
from simulator.engines.trajectories import Trajectories
from simulator.errors import EngineRefusal
from simulator.experiment.engine_choice import choose_engine
from simulator.outcomes import resource_use, waits_by_group
from simulator.randomness import Uniforms
from simulator.scenario.arrivals import MONTHS_A_YEAR, Service
from simulator.scenario.levers import Values
from simulator.scenario.scenario import Scenario

BEYOND = 60.0
"""Months after the counted years in which patients arrive at first; more if a counted patient leaves later."""
MOST_BEYOND = 1_200.0
"""Months after the counted years in which patients arrive at most, even if counted patients still wait."""
AT_ONCE = 16_384
"""Patients simulated together to find arrivals at the default clock: more than most centres see."""

Key = TypeVar("Key", bound=tuple[object, ...])


@dataclass(frozen=True)
class Replication:
    """One replication: all patients' events, the request log, and which patients are counted.

    origin : calendar month in which a patient enters the pathway, (n,)
    """

    trajectories: Trajectories
    requests: Requests
    origin: Floats
    counted: Booleans
    first: float
    last: float

    @property
    def arrival(self) -> Floats:
        """The calendar month of reaching the default clock or, for patients who never do, of entry, (n,)."""
        return _arrival(self.origin, self.trajectories)


@dataclass(frozen=True)
class ResourceDraws:
    """Results of one draw, a value per replication.

    outcomes : (resource, year or 0 for all, outcome) -> unit, (n_replications,); resource "" for the whole centre
    groups : (resource, what patients are grouped by, level, outcome) -> the same
    months : calendar months; queue, in_use : resource -> (n_replications, n_months)
    """

    outcomes: dict[tuple[str, int, str], tuple[str, Floats]]
    months: Floats
    queue: dict[str, Floats]
    in_use: dict[str, Floats]
    groups: dict[tuple[str, str, str, str], tuple[str, Floats]]


def run(
    scenario: Scenario,
    draw_values: Values,
    *,
    engine: str,
    horizon: float,
    patients: int,
    seed: int,
    draw: int,
    replications: int,
    whole: bool = False,
) -> tuple[Curves, Curves, ResourceDraws, Replication]:
    """Return the curves of the counted patients, over all replications; the use of resources; the first replication.

    Second are the curves without each replication in turn : (n_replications, n_months).
    whole : keep every event of the first replication in order, for histories

    Without [service] a replication is `patients` patients who enter at month 0. Raises InputError where a unit is
    never given back.
    """
    from simulator.engines.exact import embedded

    model, before = _models(scenario, draw_values)
    for policy in (model, before):
        if policy is not None:
            embedded.refuse_endless(policy)
    streams = [Uniforms(seed, draw, number) for number in range(replications)]
    results = [
        _replication(
            model, before, uniforms, engine=engine, horizon=horizon, patients=patients, whole=whole and number == 0
        )
        for number, uniforms in enumerate(streams)
    ]
    blocks = [result.trajectories.only(result.counted) for result in results]
    curves, without = tally.replicated(model, horizon, blocks)
    return curves, without, _resource_draws(scenario, results), results[0]


def independent(
    scenario: Scenario, draw_values: Values, *, engine: str, horizon: float, patients: int, uniforms: Uniforms
) -> tuple[Curves, Replication]:
    """Return the curves of patients who do not depend on one another: nothing is limited, and all enter at once."""
    model, before = _models(scenario, draw_values)
    result = _replication(model, before, uniforms, engine=engine, horizon=horizon, patients=patients)
    return tally.of_blocks(model, horizon, [result.trajectories]), result


def replication(
    scenario: Scenario,
    draw_values: Values,
    *,
    engine: str,
    horizon: float,
    patients: int,
    uniforms: Uniforms,
    whole: bool = False,
) -> Replication:
    """Return one replication of a draw, with outcomes until the end of the group window at least.

    Patients arrive until the last counted patient has left. whole : keep every event in order, for histories
    """
    model, before = _models(scenario, draw_values)
    return _replication(model, before, uniforms, engine=engine, horizon=horizon, patients=patients, whole=whole)


def _models(scenario: Scenario, draw_values: Values) -> tuple[Model, Model | None]:
    """Return the model under the policy, and the one before it starts."""
    before = None if scenario.before is None else resolve(scenario.before, draw_values)
    return resolve(scenario, draw_values), before


def _replication(
    model: Model,
    before: Model | None,
    uniforms: Uniforms,
    *,
    engine: str,
    horizon: float,
    patients: int,
    whole: bool = False,
) -> Replication:
    horizon, service = model.pathway.followed(horizon), model.scenario.service

    def follow(arrivals: Arrivals) -> Replication:
        return _follow(arrivals, model, before, uniforms, engine=engine, horizon=horizon, whole=whole)

    if service is None:
        return follow(together(range(patients)))
    beyond = BEYOND
    while True:
        result = follow(arrivals_of_service(model, before, service, beyond, uniforms))
        longest = _last_month(result) - service.last
        if longest <= beyond or beyond >= MOST_BEYOND:
            return result
        beyond = min(1.25 * longest, MOST_BEYOND)


def _follow(
    arrivals: Arrivals,
    model: Model,
    before: Model | None,
    uniforms: Uniforms,
    *,
    engine: str,
    horizon: float,
    whole: bool,
) -> Replication:
    """Return the replication of given arrivals."""
    from simulator.engines.des import engine as des
    from simulator.engines.microsim import queueing

    if engine == "des":
        trajectories, requests = des.simulate(model, uniforms, arrivals, horizon=horizon, before=before)
    else:
        keep = None if whole else tally.counted_states(model.pathway)
        trajectories, requests = queueing.simulate(model, uniforms, arrivals, horizon=horizon, before=before, keep=keep)
    origin, service = arrivals.origin, model.scenario.service
    if service is not None:
        counted = service.counted(_arrival(origin, trajectories))
        return Replication(trajectories, requests, origin, counted, service.first, service.last)
    last = max(float(np.max(requests.over, where=np.isfinite(requests.over), initial=0.0)), 1.0)
    return Replication(trajectories, requests, origin, np.ones(origin.size, dtype=bool), 0.0, last)


def _last_month(replication: Replication) -> float:
    """Return the month in which all counted requests are over: requests of the counted years, and requests of the
    counted patients during follow-up. Later arrivals change none of them."""
    requests = replication.requests
    place = np.searchsorted(replication.trajectories.patients, requests.patients)
    until = (replication.origin + replication.trajectories.follow_up_end)[place]
    in_years = (requests.requested >= replication.first) & (requests.requested < replication.last)
    over = np.where(in_years, requests.over, np.minimum(requests.over, until))
    counts = in_years | (replication.counted[place] & (requests.requested <= until))
    return float(np.max(over, where=counts & np.isfinite(over), initial=replication.last))


def _arrival(origin: Floats, trajectories: Trajectories) -> Floats:
    return np.asarray(origin + np.where(np.isfinite(trajectories.clock_month), trajectories.clock_month, 0.0))


def arrivals_of_service(
    model: Model, before: Model | None, service: Service, beyond: float, uniforms: Uniforms
) -> Arrivals:
    """Return the arrivals of a service: the k-th arrival is the next patient who reaches the default clock.

    Patients arrive until `beyond` months after the counted years, under the policy or `before` it by the month of
    arrival: a policy does not change how many arrive. If hardly any patient reaches the clock, nobody arrives.
    """
    months = service.months(uniforms, beyond)
    under = service.under_policy(uniforms, np.arange(months.size), months)
    if model.pathway.start == model.pathway.clock_state:
        return Arrivals(np.arange(months.size), months, under)
    open_ = np.arange(months.size)
    arrival: list[int] = []
    numbers: list[int] = []
    waited: list[float] = []
    for patients, *clocks in _clocks(before or model, model, uniforms):
        possible = np.array([np.isfinite(clock).any() for clock in clocks])
        open_ = open_[possible[under[open_].astype(int)]]
        taken, policies = 0, under[open_].tolist()
        for patient, *reached in zip(patients.tolist(), *(clock.tolist() for clock in clocks), strict=True):
            if taken == open_.size:
                break
            if reached[policies[taken]] < np.inf:
                arrival.append(int(open_[taken]))
                numbers.append(patient)
                waited.append(reached[policies[taken]])
                taken += 1
        open_ = open_[taken:]
        if not open_.size:
            break
    at = np.array(arrival, dtype=np.int64)
    return Arrivals(np.array(numbers, dtype=np.int64), months[at] - np.array(waited), under[at])


def _clocks(before: Model, model: Model, uniforms: Uniforms) -> Iterator[tuple[Integers, Floats, Floats]]:
    """Yield patients and the months they take to the default clock before a policy and under it, (n,); inf if never."""
    from simulator.engines.microsim.engine import simulate_at_once

    for first in range(0, 2**62, AT_ONCE):
        patients = range(first, first + AT_ONCE)
        under = earlier = simulate_at_once(model, uniforms, patients, horizon=0.0, keep=frozenset())
        if before is not model:
            earlier = simulate_at_once(before, uniforms, patients, horizon=0.0, keep=frozenset())
        yield under.patients, earlier.clock_month, under.clock_month


def still_waiting(
    scenario: Scenario, draw_values: Values, arrivals: float, most_months: float = math.inf
) -> dict[str, tuple[float, float]]:
    """Return each resource's share of arrivals who wait when half, and when all, have arrived, under the policy.

    Where so many arrivals take more than most_months, shares are means of replications.
    """
    assert scenario.service is not None
    rate = scenario.service.arrivals_a_month
    months = min(arrivals / rate, most_months)
    service = Service(years=months / MONTHS_A_YEAR, arrivals_per_year=rate * MONTHS_A_YEAR)
    last_units = {
        name: replace(capacity, calendar=((0.0, capacity.calendar[-1][1]),))
        for name, capacity in scenario.capacity.items()
    }
    trial = replace(scenario, capacity=last_units, service=service, before=None)
    replications = math.ceil(arrivals / (rate * months) - 1e-9)
    model, streams = resolve(trial, draw_values), [Uniforms(1, replication=number) for number in range(replications)]
    arriving = [arrivals_of_service(model, None, service, 0.0, uniforms) for uniforms in streams]
    arrived = sum(int(np.sum(group.origin <= months)) for group in arriving)

    def logs_by(engine: str) -> list[Requests]:
        return [
            _follow(group, model, None, uniforms, engine=engine, horizon=0.0, whole=False).requests
            for group, uniforms in zip(arriving, streams, strict=True)
        ]

    try:
        logs = logs_by(choose_engine("auto", [trial])[0])
    except EngineRefusal as error:
        logs = logs_by(error.instead)

    def waiting(place: int, month: float) -> float:
        requests = [log.of(place) for log in logs]
        waits = [(log.requested <= month) & (log.requested + log.waited > month) for log in requests]
        return float(sum(np.sum(waiting) for waiting in waits)) / max(arrived, 1)

    return {
        name: (waiting(place, 0.5 * months), waiting(place, months)) for place, name in enumerate(scenario.capacity)
    }


def _resource_draws(scenario: Scenario, results: list[Replication]) -> ResourceDraws:
    first, last = results[0].first, min(result.last for result in results)
    # In the middle of a month: units that are offered at its beginning would be seen at their best only.
    months = first + np.arange(0.5 * min(resource_use.STEP, last - first), last - first, resource_use.STEP)
    queue, in_use = {}, {}
    for place, resource in enumerate(scenario.capacity):
        series = [resource_use.over_time(result.requests.of(place), months) for result in results]
        queue[resource] = np.array([waiting for waiting, _ in series])
        in_use[resource] = np.array([used for _, used in series])
    outcomes = _by_replication(_values(scenario, result) for result in results)
    groups = _by_replication(_values_of_groups(scenario, result) for result in results)
    return ResourceDraws(outcomes, months, queue, in_use, groups)


def _by_replication(results: Iterable[Iterable[tuple[Key, tuple[str, float]]]]) -> dict[Key, tuple[str, Floats]]:
    """Return the unit of every outcome, and its values : (n_replications,)."""
    values: dict[Key, tuple[str, list[float]]] = {}
    for result in results:
        for key, (unit, value) in result:
            values.setdefault(key, (unit, []))[1].append(value)
    return {key: (unit, np.array(numbers)) for key, (unit, numbers) in values.items()}


def _values_of_groups(
    scenario: Scenario, result: Replication
) -> Iterator[tuple[tuple[str, str, str, str], tuple[str, float]]]:
    """Yield the outcomes of every group of patients who request a resource."""
    for place, (resource, capacity) in enumerate(scenario.capacity.items()):
        groups = waits_by_group.of_groups(
            result.requests.of(place), result.trajectories, result.origin, scenario.pathway, resource, capacity,
            result.first, result.last, _wait_days(scenario),
        )  # fmt: skip
        for (by, level), figures in groups.items():
            for name, figure in figures.items():
                yield (resource, by, level, name), figure


def _wait_days(scenario: Scenario) -> tuple[int, ...]:
    """Return the further days that waits are held against."""
    return () if scenario.service is None else scenario.service.wait_days


def _values(scenario: Scenario, result: Replication) -> Iterator[tuple[tuple[str, int, str], tuple[str, float]]]:
    pathway, years = scenario.pathway, (result.first, result.last)
    for place, (resource, capacity) in enumerate(scenario.capacity.items()):
        requests, days = result.requests.of(place), _wait_days(scenario)
        for name, figure in resource_use.of_resource(requests, capacity, *years, days).items():
            yield (resource, 0, name), figure
    if scenario.service is not None:
        for resource in scenario.unlimited:
            begun = resource_use.begun(pathway, result.trajectories, result.origin, resource, *years)
            yield (resource, 0, "starts_per_year"), ("a year", begun)
        by_year = resource_use.by_arrival_year(result.trajectories, result.arrival, *years, pathway.months)
        for year, figures in by_year.items():
            for name, figure in figures.items():
                yield ("", year, name), figure
