"""A centre over calendar time: one scenario, one parameter draw, and several replications of its years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator import waits
from simulator.block import Block
from simulator.curves import Curves
from simulator.levers import Values
from simulator.model import Model, resolve
from simulator.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario import Scenario
from simulator.service import Service
from simulator.ward import Intake, Requests, together

Floats = NDArray[np.float64]

AT_ONCE = 16_384
"""Patients among whom those who reach the default clock are looked for: more than most centres see."""


@dataclass(frozen=True)
class Years:
    """One replication: everybody's events, the wards' book, and which patients are counted.

    origin : calendar month in which each enters the pathway
    """

    block: Block
    book: Requests
    origin: Floats
    counted: NDArray[np.bool_]
    first: float
    last: float

    @property
    def arrival(self) -> Floats:
        """The calendar month in which each comes to the default clock, or, who never does, into the pathway."""
        return _arrival(self.origin, self.block)


@dataclass(frozen=True)
class WardPart:
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
) -> tuple[Curves, Curves, WardPart]:
    """Return the curves of the patients who are counted, over all replications, and what the wards' books say.

    Between them the curves without each replication in turn : (n_replications, n_months).

    Without [service] a replication is `patients` patients who enter at month 0.
    """
    from simulator.engines import tally

    every = [
        years(scenario, own, engine=engine, horizon=horizon, patients=patients, uniforms=Uniforms(seed, draw, number))
        for number in range(replications)
    ]
    model, blocks = resolve(scenario, own), [each.block.only(each.counted) for each in every]
    curves, without = tally.of_blocks(model, horizon, blocks), tally.without_each(model, horizon, blocks)
    return curves, without, _ward_part(scenario, every)


def years(
    scenario: Scenario,
    own: Values,
    *,
    engine: str,
    horizon: float,
    patients: int,
    uniforms: Uniforms,
    whole: bool = False,
) -> Years:
    """Return one replication of a draw. Patients are followed to the end of the group window at least.

    whole : keep every event and their order, for histories, and not only what is counted
    """
    from simulator.engines import des, queues, tally

    model = resolve(scenario, own)
    before = None if scenario.before is None else resolve(scenario.before, own)
    horizon = followed(scenario.pathway, horizon)
    service = scenario.service
    intake = together(range(patients)) if service is None else arrivals(model, before, service, horizon, uniforms)
    if engine == "des":
        block, book = des.simulate(model, uniforms, intake, horizon=horizon, before=before)
    else:
        keep = None if whole else tally.counted_states(model.pathway)
        block, book = queues.simulate(model, uniforms, intake, horizon=horizon, before=before, keep=keep)
    if service is not None:
        counted = service.counted(_arrival(intake.origin, block))
        return Years(block, book, intake.origin, counted, service.first, service.last)
    ends = np.minimum(book.released, np.where(np.isfinite(book.gone), book.gone, np.inf))
    last = max(float(ends[np.isfinite(ends)].max(initial=0.0)), 1.0)
    return Years(block, book, intake.origin, np.ones(intake.origin.size, dtype=bool), 0.0, last)


def _arrival(origin: Floats, block: Block) -> Floats:
    return np.asarray(origin + np.where(np.isfinite(block.clock_month), block.clock_month, 0.0))


def arrivals(model: Model, before: Model | None, service: Service, horizon: float, uniforms: Uniforms) -> Intake:
    """Return the intake of a service: the k-th arrival is the k-th patient who reaches the default clock."""
    months = service.months(uniforms, horizon)
    pathway = model.pathway
    if pathway.start == pathway.clock_state:
        patients = np.arange(months.size)
        return Intake(patients, months, service.under_policy(uniforms, patients, months))
    numbers, clocks = _reaching(before or model, uniforms, months.size)
    under = service.under_policy(uniforms, numbers, months)
    if before is not None:
        own = dict(zip(*_reaching(model, uniforms, months.size, numbers), strict=True))
        clocks = np.array([own.get(n, np.inf) if u else c for n, c, u in zip(numbers, clocks, under, strict=True)])
        here = np.isfinite(clocks)
        numbers, clocks, under, months = numbers[here], clocks[here], under[here], months[here]
    return Intake(numbers, months - clocks, under)


def _reaching(
    model: Model, uniforms: Uniforms, wanted: int, among: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], Floats]:
    """Return the first `wanted` patients who reach the default clock, or those of some, and the months they take."""
    from simulator.engines.microsim import simulate

    blocks = (
        simulate(model, uniforms, range(first, first + AT_ONCE), horizon=0.0, keep=frozenset())
        for first in range(0, 2**62, AT_ONCE)
    )
    numbers, clocks = np.empty(0, dtype=np.int64), np.empty(0)
    for block in (each for found in blocks for each in found):
        reached = np.isfinite(block.clock_month)
        numbers = np.append(numbers, block.patients[reached])
        clocks = np.append(clocks, block.clock_month[reached])
        if among is None and numbers.size >= wanted:
            return numbers[:wanted], clocks[:wanted]
        if among is not None and block.patients[-1] >= among.max(initial=-1):
            return numbers, clocks
        if not reached.any():
            break
    return numbers[:wanted], clocks[:wanted]


def _ward_part(scenario: Scenario, every: list[Years]) -> WardPart:
    values: dict[tuple[str, int, str], tuple[str, list[float]]] = {}
    for each in every:
        for key, (unit, value) in _values(scenario, each):
            values.setdefault(key, (unit, []))[1].append(value)
    first, last = every[0].first, min(each.last for each in every)
    # In the middle of each month: what is offered or changes at its beginning would be seen at its best only.
    months = first + np.arange(0.5 * min(waits.STEP, last - first), last - first, waits.STEP)
    queue, in_use = {}, {}
    for place, resource in enumerate(scenario.capacity):
        series = [waits.over_time(each.book.of(place), months) for each in every]
        queue[resource] = np.array([waiting for waiting, _ in series])
        in_use[resource] = np.array([used for _, used in series])
    outcomes = {key: (unit, np.array(found)) for key, (unit, found) in values.items()}
    return WardPart(outcomes, months, queue, in_use)


def _values(scenario: Scenario, years: Years) -> Iterator[tuple[tuple[str, int, str], tuple[str, float]]]:
    for place, (resource, capacity) in enumerate(scenario.capacity.items()):
        for name, told in waits.of_ward(years.book.of(place), capacity, years.first, years.last).items():
            yield (resource, 0, name), told
    if scenario.service is not None:
        for resource in scenario.unlimited:
            begun = waits.begun(scenario.pathway, years.block, years.origin, resource, years.first, years.last)
            yield (resource, 0, "starts_per_year"), ("a year", begun)
        for year, found in waits.by_arrival_year(years.block, years.arrival, years.first, years.last).items():
            for name, told in found.items():
                yield ("", year, name), told


def load(scenario: Scenario, own: Values, horizon: float) -> dict[str, float]:
    """Return each resource's offered load, the mean over draws; see `loads`."""
    return {resource: float(each.mean()) for resource, each in loads(scenario, own, horizon).items()}


def loads(scenario: Scenario, own: Values, horizon: float) -> dict[str, Floats]:
    """Return each resource's offered load : (n_draws,): what is asked for, were it never short, over what there is.

        load = arrivals a month x months held an arrival / units        (requests an arrival, where units are offered)

    over the counted years as a whole: of a policy that starts in them, and of units that change, the means.
    """
    service = scenario.service
    if service is None:
        return {}
    asked = _asked(scenario, own, horizon)
    if scenario.before is not None:
        share, before = service.policy_share, _asked(scenario.before, own, horizon)
        asked = {resource: share * each + (1.0 - share) * before[resource] for resource, each in asked.items()}
    return {
        resource: _over(service.arrivals_a_month * asked[resource], each.mean_units(service.first, service.last))
        for resource, each in scenario.capacity.items()
    }


def final_loads(scenario: Scenario, own: Values, horizon: float) -> dict[str, Floats]:
    """Return the loads for ever, once all that changes over the years has changed; {} if nothing does."""
    service = scenario.service
    changes = scenario.before is not None or not all(each.is_constant for each in scenario.capacity.values())
    if service is None or service.arrival_months is not None or not changes:
        return {}
    end = service.last + followed(scenario.pathway, horizon)
    asked = _asked(scenario if service.is_policy_by(end) else scenario.before or scenario, own, horizon)
    return {
        resource: _over(service.arrivals_a_month * asked[resource], each.units_a_month(end))
        for resource, each in scenario.capacity.items()
    }


def _over(demand: Floats, units: float) -> Floats:
    return demand / units if units else np.where(demand > 0, np.inf, 0.0)


def followed(pathway: Pathway, horizon: float) -> float:
    """Return the months for which patients are followed: to the end of the group window at least."""
    return max(horizon, pathway.group_window) if pathway.groups else horizon


def _asked(scenario: Scenario, own: Values, horizon: float) -> dict[str, Floats]:
    """Return the months that an arrival holds each limited resource, or its requests where units are offered.

    Arrays : (n_draws,)
    """
    from simulator.engines import exact

    free = replace(scenario, capacity={}, service=None, before=None)
    solution = exact.solve(resolve(free, own), followed(scenario.pathway, horizon), window=False)
    found = {}
    for resource, capacity in scenario.capacity.items():
        states = [name for name, state in scenario.pathway.states.items() if state.holds == resource]
        if capacity.offered_every is not None:
            asked = solution.entered(states)[:, -1]
        else:
            held = np.sum([solution.occupied(each) for each in states], axis=0)
            asked = np.trapezoid(held, dx=solution.lattice.step, axis=-1)
        found[resource] = asked
    return found
