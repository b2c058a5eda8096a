"""A centre over calendar time: one scenario, one parameter draw, and several replications of its years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from simulator.arrays import Booleans, Floats, Integers
from simulator.engines.curves import Curves
from simulator.engines.model import Model, resolve
from simulator.engines.requests import Arrivals, Requests, together
from simulator.engines.trajectories import Trajectories
from simulator.outcomes import resource_use
from simulator.randomness import Uniforms
from simulator.scenario.arrivals import MONTHS_A_YEAR, Service
from simulator.scenario.levers import Values
from simulator.scenario.scenario import Scenario

BEYOND = 60.0
"""Months after the counted years in which patients arrive at first; more if the last who is counted leaves later."""
MOST_BEYOND = 1_200.0
"""Months after the counted years in which patients arrive at most, whoever may still be waiting by then."""
AT_ONCE = 16_384
"""Patients among whom those who reach the default clock are looked for: more than most centres see."""


@dataclass(frozen=True)
class Replication:
    """One replication: everybody's events, the request log, and which patients are counted.

    origin : calendar month in which each enters the pathway
    """

    trajectories: Trajectories
    requests: Requests
    origin: Floats
    counted: Booleans
    first: float
    last: float

    @property
    def arrival(self) -> Floats:
        """The calendar month in which each comes to the default clock, or, who never does, into the pathway."""
        return _arrival(self.origin, self.trajectories)


@dataclass(frozen=True)
class ResourceDraws:
    """What one draw gives, a value a replication.

    outcomes : (resource, year or 0 for all, outcome) -> unit, (n_replications,); resource "" for the whole centre
    months : calendar months; queue, in_use : resource -> (n_replications, n_months)
    """

    outcomes: dict[tuple[str, int, str], tuple[str, Floats]]
    months: Floats
    queue: dict[str, Floats]
    in_use: dict[str, Floats]


def run(
    scenario: Scenario,
    own: Values,
    *,
    engine: str,
    horizon: float,
    patients: int,
    seed: int,
    draw: int,
    replications: int,
) -> tuple[Curves, Curves, ResourceDraws]:
    """Return the curves of the patients who are counted, over all replications, and what the request logs say.

    Between them the curves without each replication in turn : (n_replications, n_months).

    Without [service] a replication is `patients` patients who enter at month 0. Raises InputError where a unit is
    never given back.
    """
    from simulator.engines import tally
    from simulator.engines.exact import embedded

    for each in (scenario, scenario.before):
        if each is not None:
            embedded.refuse_endless(resolve(each, own))
    every = [
        replication(
            scenario, own, engine=engine, horizon=horizon, patients=patients, uniforms=Uniforms(seed, draw, number)
        )
        for number in range(replications)
    ]
    model, blocks = resolve(scenario, own), [each.trajectories.only(each.counted) for each in every]
    curves, without = tally.of_blocks(model, horizon, blocks), tally.without_each(model, horizon, blocks)
    return curves, without, _resource_draws(scenario, every)


def independent(
    scenario: Scenario, own: Values, *, engine: str, horizon: float, patients: int, uniforms: Uniforms
) -> Curves:
    """Return the curves of patients who do not depend on one another, for nothing is limited and all enter at once."""
    from simulator.engines import tally

    found = replication(scenario, own, engine=engine, horizon=horizon, patients=patients, uniforms=uniforms)
    return tally.of_blocks(resolve(scenario, own), horizon, [found.trajectories])


def replication(
    scenario: Scenario,
    own: Values,
    *,
    engine: str,
    horizon: float,
    patients: int,
    uniforms: Uniforms,
    whole: bool = False,
) -> Replication:
    """Return one replication of a draw. Outcomes are those until the end of the group window at least.

    Patients arrive until the last who is counted has left. whole : keep every event and their order, for histories
    """
    model = resolve(scenario, own)
    before = None if scenario.before is None else resolve(scenario.before, own)
    horizon, service = scenario.pathway.followed(horizon), scenario.service

    def follow(arrivals: Arrivals) -> Replication:
        return _follow(arrivals, model, before, uniforms, engine=engine, horizon=horizon, whole=whole)

    if service is None:
        return follow(together(range(patients)))
    beyond = BEYOND
    while True:
        found = follow(arrivals_of_service(model, before, service, beyond, uniforms))
        longest = _last_leaves(found) - service.last
        if longest <= beyond or beyond >= MOST_BEYOND:
            return found
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
    """Return what becomes of arrivals."""
    from simulator.engines import tally
    from simulator.engines.des import engine as des
    from simulator.engines.microsim import queueing

    if engine == "des":
        block, requests = des.simulate(model, uniforms, arrivals, horizon=horizon, before=before)
    else:
        keep = None if whole else tally.counted_states(model.pathway)
        block, requests = queueing.simulate(model, uniforms, arrivals, horizon=horizon, before=before, keep=keep)
    service = model.scenario.service
    if service is not None:
        counted = service.counted(_arrival(arrivals.origin, block))
        return Replication(block, requests, arrivals.origin, counted, service.first, service.last)
    last = max(float(np.max(requests.over, where=np.isfinite(requests.over), initial=0.0)), 1.0)
    return Replication(block, requests, arrivals.origin, np.ones(arrivals.origin.size, dtype=bool), 0.0, last)


def _last_leaves(replication: Replication) -> float:
    """Return the month in which all is over that is counted: requests of the counted years, and, while they are
    followed, of the counted patients. Whoever arrives later changes none of it."""
    requests = replication.requests
    place = np.searchsorted(replication.trajectories.patients, requests.patients)
    until = (replication.origin + replication.trajectories.follow_up_end)[place]
    over = np.where(
        (requests.requested >= replication.first) & (requests.requested < replication.last),
        requests.over,
        np.minimum(requests.over, until),
    )
    counts = (replication.counted[place] & (requests.requested <= until)) | (
        (requests.requested >= replication.first) & (requests.requested < replication.last)
    )
    return float(np.max(over, where=counts & np.isfinite(over), initial=replication.last))


def _arrival(origin: Floats, trajectories: Trajectories) -> Floats:
    return np.asarray(origin + np.where(np.isfinite(trajectories.clock_month), trajectories.clock_month, 0.0))


def arrivals_of_service(
    model: Model, before: Model | None, service: Service, beyond: float, uniforms: Uniforms
) -> Arrivals:
    """Return the arrivals of a service: the k-th arrival is the next patient who reaches the default clock.

    They arrive until `beyond` months after the counted years.

    That is under the policy or `before` it, by the month of the arrival: a policy does not change how many arrive.
    Under a model in which hardly anybody does, nobody arrives.
    """
    months = service.months(uniforms, beyond)
    under = service.under_policy(uniforms, np.arange(months.size), months)
    if model.pathway.start == model.pathway.clock_state:
        return Arrivals(np.arange(months.size), months, under)
    open_ = np.arange(months.size)
    found: list[tuple[int, int, float]] = []
    for patients, *clocks in _clocks(before or model, model, uniforms):
        possible = np.array([np.isfinite(clock).any() for clock in clocks])
        open_ = open_[possible[under[open_].astype(int)]]
        if not open_.size:
            break
        taken = 0
        for place, patient in enumerate(patients.tolist()):
            if taken == open_.size:
                break
            reached = clocks[int(under[open_[taken]])][place]
            if reached < np.inf:
                found.append((int(open_[taken]), patient, float(reached)))
                taken += 1
        open_ = open_[taken:]
    arrival = np.array([each for each, _, _ in found], dtype=np.int64)
    numbers = np.array([patient for _, patient, _ in found], dtype=np.int64)
    waited = np.array([reached for _, _, reached in found], dtype=float)
    return Arrivals(numbers, months[arrival] - waited, under[arrival])


def _clocks(before: Model, model: Model, uniforms: Uniforms) -> Iterator[tuple[Integers, Floats, Floats]]:
    """Yield patients and the months they take to the default clock before a policy and under it, (n,); inf if never."""
    from simulator.engines.microsim.engine import simulate_at_once

    for first in range(0, 2**62, AT_ONCE):
        patients = range(first, first + AT_ONCE)
        block = simulate_at_once(model, uniforms, patients, horizon=0.0, keep=frozenset())
        other = block
        if before is not model:
            other = simulate_at_once(before, uniforms, patients, horizon=0.0, keep=frozenset())
        yield block.patients, other.clock_month, block.clock_month


def still_waiting(scenario: Scenario, own: Values, arrivals_of_trial: int) -> tuple[float, float]:
    """Return what share of arrivals wait when half have come, and when all have, under the policy for ever."""
    from simulator.engines.des import engine as des

    assert scenario.service is not None
    rate = scenario.service.arrivals_a_month
    service = Service(years=arrivals_of_trial / rate / MONTHS_A_YEAR, arrivals_per_year=rate * MONTHS_A_YEAR)
    units = {name: replace(each, calendar=((0.0, each.calendar[-1][1]),)) for name, each in scenario.capacity.items()}
    model = resolve(replace(scenario, capacity=units, service=service, before=None), own)
    uniforms = Uniforms(1)
    _, requests = des.simulate(model, uniforms, arrivals_of_service(model, None, service, 0.0, uniforms), horizon=0.0)

    def waiting(month: float) -> float:
        return (
            float(np.sum((requests.requested <= month) & (requests.requested + requests.waited > month)))
            / arrivals_of_trial
        )

    return waiting(0.5 * service.last), waiting(service.last)


def _resource_draws(scenario: Scenario, every: list[Replication]) -> ResourceDraws:
    values: dict[tuple[str, int, str], tuple[str, list[float]]] = {}
    for each in every:
        for key, (unit, value) in _values(scenario, each):
            values.setdefault(key, (unit, []))[1].append(value)
    first, last = every[0].first, min(each.last for each in every)
    # In the middle of each month: what is offered or changes at its beginning would be seen at its best only.
    months = first + np.arange(0.5 * min(resource_use.STEP, last - first), last - first, resource_use.STEP)
    queue, in_use = {}, {}
    for place, resource in enumerate(scenario.capacity):
        series = [resource_use.over_time(each.requests.of(place), months) for each in every]
        queue[resource] = np.array([waiting for waiting, _ in series])
        in_use[resource] = np.array([used for _, used in series])
    outcomes = {key: (unit, np.array(found)) for key, (unit, found) in values.items()}
    return ResourceDraws(outcomes, months, queue, in_use)


def _values(scenario: Scenario, replication: Replication) -> Iterator[tuple[tuple[str, int, str], tuple[str, float]]]:
    for place, (resource, capacity) in enumerate(scenario.capacity.items()):
        for name, told in resource_use.of_resource(
            replication.requests.of(place), capacity, replication.first, replication.last
        ).items():
            yield (resource, 0, name), told
    if scenario.service is not None:
        for resource in scenario.unlimited:
            begun = resource_use.begun(
                scenario.pathway,
                replication.trajectories,
                replication.origin,
                resource,
                replication.first,
                replication.last,
            )
            yield (resource, 0, "starts_per_year"), ("a year", begun)
        months = scenario.pathway.months
        by_year = resource_use.by_arrival_year(
            replication.trajectories, replication.arrival, replication.first, replication.last, months
        )
        for year, found in by_year.items():
            for name, told in found.items():
                yield ("", year, name), told
