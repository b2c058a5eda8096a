"""Experiments: scenarios x draws, run by an engine and gathered draw by draw."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import pandas as pd

from simulator import execution
from simulator.arrays import Floats, slices
from simulator.engines.curves import Curves, Readable
from simulator.engines.exact import engine as exact
from simulator.engines.exact.embedded import refuse_endless
from simulator.engines.exact.joint_readings import read_in_parts
from simulator.engines.model import resolve, resolve_each
from simulator.errors import EngineRefusal, InputError
from simulator.evidence.draws import choose, load_informed_draws, single, values
from simulator.experiment import centre, events, overload
from simulator.experiment.engine_choice import choose_engine
from simulator.experiment.events import Histories
from simulator.experiment.lattice_error import measured
from simulator.experiment.marginal_benefit import mixture, simulated, survival_at_benefit, with_marginal_benefits
from simulator.experiment.parts import ScenarioDraws, draws_of_curves, report_months, with_noise
from simulator.experiment.results import Results, gather
from simulator.experiment.settings import Given, Options, Progress, Settings, with_options
from simulator.experiment.shards import Counted, Simulation, shards, whole
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.levers import Values
from simulator.scenario.scenario import (
    COHORTS,
    INFORMED,
    PRIOR_ALONE,
    Scenario,
    check_names,
    check_one_pathway,
    load_scenario,
)

ROUGH_DRAWS = 10
TOGETHER = 4
"""Batches of draws whose paths are found together."""


@with_options(Options)
def run(scenario: Given, *, progress: Progress | None = None, **options: Unpack[Options]) -> Results:
    """Return the results of one scenario, by its name, in a file, or as one. Raises InputError.

    A scenario that treats more patients is shown under several assumptions of who benefits: NAME, NAME@cohorts, ...
    """
    return simulate([scenario], Settings(**options), progress)


@with_options(Options)
def compare(
    *scenarios: Given | list[Given] | tuple[Given, ...], progress: Progress | None = None, **options: Unpack[Options]
) -> Results:
    """Return the results of scenarios, with differences from the first; a list stands for its members. InputError.

    A scenario that treats more patients is shown under several assumptions of who benefits: NAME, NAME@cohorts, ...
    """
    return simulate(scenarios, Settings(**options), progress)


def simulate(
    scenarios: Iterable[Given | list[Given] | tuple[Given, ...]],
    settings: Settings,
    progress: Progress | None = None,
    report_load: Callable[[Scenario, dict[str, Floats]], None] | None = None,
    pool: execution.Pool | None = None,
) -> Results:
    """Return the results of scenarios, with differences from the first. Raises InputError.

    report_load : called before anything runs, with the offered loads of a scenario's resources : (n_draws,)
    pool : the processes that do the work; None: as many as the settings say, for this work alone
    """
    loaded = _loaded(scenarios)
    pathway = loaded[0].pathway
    table = load_informed_draws(pathway)
    if settings.histories:
        settings = replace(settings, engine=events.engine(settings.engine, loaded))
    engine, why = choose_engine(settings.engine, loaded, settings.horizon)
    limited = any(scenario.is_limited for scenario in loaded)
    n_draws = count_draws(settings, engine, limited, table, pathway)
    few = draws_for_overload(table)
    offered: dict[str, dict[str, dict[str, float | str | None]]] = {}
    # Survival is linear in the benefit only where nobody waits.
    break_even = not limited and settings.horizon >= pathway.months.answer
    displayed = with_marginal_benefits(loaded, table, n_draws, break_even=break_even)
    for scenario in displayed:
        if scenario.capacity:
            refuse_endless(resolve(scenario, few))
    for scenario in loaded:
        if scenario.service is not None and scenario.capacity:
            offered[scenario.name] = overload.check(scenario, table, n_draws, settings.overload, report_load)
    work = _Work(displayed, simulated(displayed, engine), table, engine, settings)
    try:
        by_shards = engine == "microsim" and not limited
        parts = (_by_shards if by_shards else _by_draws)(work, n_draws, progress, pool or settings.jobs)
    except EngineRefusal as error:
        if settings.engine != "auto":
            raise
        # The engine can run the declared values, and not one of the draws. Offered loads have been reported.
        instead = simulate(loaded, replace(settings, engine=error.instead), progress, None, pool)
        instead.manifest["engine_because"] = f"{error.what}: {error.got}"
        return instead
    results = gather(displayed, parts, settings, engine, why, n_draws)
    if engine == "exact":
        results.manifest["lattice"] = measured(work.scenarios, table, settings.horizon, n_draws)
    if offered:
        results.manifest["offered_load"] = offered
    return results


def _loaded(given: Iterable[Given | list[Given] | tuple[Given, ...]]) -> list[Scenario]:
    """Return scenarios of one pathway with distinct names. Raises InputError."""
    flat = [name for member in given for name in (member if isinstance(member, list | tuple) else [member])]
    if not flat:
        raise InputError("no scenario", where="compare", allowed='compare("baseline", "OTHER")')
    loaded = list(map(load_scenario, flat))
    check_one_pathway(loaded)
    check_names(loaded)
    return loaded


def _by_draws(
    work: _Work, n_draws: int, progress: Progress | None, jobs: int | execution.Pool
) -> list[list[ScenarioDraws]]:
    """Return the parts of draws; the exact engine takes several draws together."""
    pathway, horizon = work.scenarios[0].pathway, work.settings.horizon
    draws = slices(n_draws, TOGETHER * exact.batch(pathway, horizon) if work.engine == "exact" else 1)
    return [part for parts in execution.map(work.of, draws, jobs=jobs, progress=progress) for part in parts]


def _by_shards(
    work: _Work, n_draws: int, progress: Progress | None, jobs: int | execution.Pool
) -> list[list[ScenarioDraws]]:
    """Return the parts of draws whose patients are simulated in pieces."""
    settings, draws = work.settings, range(n_draws)
    pieces = [shard for i in draws for shard in shards(i + 1, single(work.table, i), settings.patients)]
    simulation = Simulation(work.scenarios, settings.seed, settings.horizon, settings.histories)
    parts: list[list[ScenarioDraws]] = []
    for counted in whole(pieces, execution.map(simulation.counted, pieces, jobs=jobs, progress=progress)):
        if counted is not None:
            parts.append(work.of_counted(counted, slice(len(parts), len(parts) + 1)))
    return parts


def parts_of(
    scenario: Scenario, table: pd.DataFrame | None, engine: str, settings: Settings, rows: slice
) -> list[ScenarioDraws]:
    """Return one scenario's parts for some draws: one draw for the engines that simulate, any number for exact."""
    work = _Work([scenario], [scenario], table, engine, replace(settings, jobs=1, histories=False))
    if engine != "microsim" or scenario.is_limited:
        return [part for (part,) in work.of(rows)]
    simulation = Simulation(work.scenarios, settings.seed, settings.horizon)
    pieces = shards(rows.start + 1, single(table, rows.start), settings.patients)
    *_, counted = whole(pieces, map(simulation.counted, pieces))
    assert counted is not None
    return work.of_counted(counted, rows)


def count_draws(chosen: Settings, engine: str, limited: bool, table: pd.DataFrame | None, pathway: Pathway) -> int:
    """Return how many draws to use. Raises InputError if fewer exist than are requested."""
    if chosen.draws is not None or table is None:
        return choose(table, chosen.draws, pathway)
    if chosen.rough:
        return min(ROUGH_DRAWS, len(table))
    return choose(table, None if engine == "exact" else min(50 if limited else 100, len(table)), pathway)


def draws_for_overload(table: pd.DataFrame | None) -> Values:
    """Return the draws that decide whether demand exceeds capacity, however many are run."""
    return values(table, slice(0, overload.FEW))


@dataclass(frozen=True)
class _Work:
    """What all chunks need: the scenarios to display, and the scenarios to simulate for them."""

    displayed: Sequence[Scenario]
    scenarios: Sequence[Scenario]
    table: pd.DataFrame | None
    engine: str
    settings: Settings

    def of(self, rows: slice) -> list[list[ScenarioDraws]]:
        """Return chunks of draws, with a part of every scenario: one draw for the engines that simulate."""
        return list(self._solved(rows)) if self.engine == "exact" else [self._simulated(rows)]

    def _solved(self, rows: slice) -> Iterator[list[ScenarioDraws]]:
        models = list(resolve_each(self.scenarios, values(self.table, rows)))
        horizon = self.settings.horizon
        reported = report_months(horizon, self.scenarios[0].pathway.months.early)
        for some, read in read_in_parts(models, horizon, reported=tuple(reported.tolist())):
            yield self.parts(read, slice(rows.start + some.start, rows.start + some.stop))

    def _simulated(self, rows: slice) -> list[ScenarioDraws]:
        one, draw = single(self.table, rows.start), rows.start + 1
        if any(scenario.is_limited for scenario in self.displayed):
            return [_of_centre(scenario, one, self.engine, self.settings, draw) for scenario in self.scenarios]
        horizon, patients, uniforms = self.settings.horizon, self.settings.patients, Uniforms(self.settings.seed, draw)
        results = [
            centre.independent(scenario, one, engine=self.engine, horizon=horizon, patients=patients, uniforms=uniforms)
            for scenario in self.scenarios
        ]
        histories: list[Histories] = []
        if self.settings.histories and draw == 1:
            replications = (replication for _, replication in results)
            # For groups alone patients are followed for longer.
            histories = [
                events.of_replication(*pair, horizon) for pair in zip(self.scenarios, replications, strict=True)
            ]
        return self.parts([curves for curves, _ in results], rows, histories)

    def of_counted(self, counted: Sequence[Counted], rows: slice) -> list[ScenarioDraws]:
        """Return a part of every displayed scenario, from the counted patients of the simulated ones."""
        histories = [Histories(pd.concat(part.events, ignore_index=True)) for part in counted if part.events]
        return self.parts([part.tally.curves() for part in counted], rows, histories)

    def parts(
        self, curves: Sequence[Curves | Readable], rows: slice, histories: Sequence[Histories] = ()
    ) -> list[ScenarioDraws]:
        """Return a part of every displayed scenario, from the curves and any histories of the simulated ones."""
        by_name = {scenario.name: simulated for scenario, simulated in zip(self.scenarios, curves, strict=True)}
        kept = {scenario.name: history for scenario, history in zip(self.scenarios, histories, strict=False)}
        parts = [self._part(scenario, by_name, rows) for scenario in self.displayed]
        # At break-even curves are a mixture, which has no patients.
        return [
            replace(part, histories=kept.get(scenario.name))
            for scenario, part in zip(self.displayed, parts, strict=True)
        ]

    def _part(self, scenario: Scenario, curves: Mapping[str, Curves | Readable], rows: slice) -> ScenarioDraws:
        """Return the part of a scenario: of its curves, or of a mixture where its benefit differs between draws."""
        if scenario.name in curves:
            return draws_of_curves(curves[scenario.name], scenario)
        benefits = {} if self.table is None else {name: self.table[name].to_numpy()[rows] for name in self.table}
        informed, prior = benefits.get(INFORMED), benefits.get(PRIOR_ALONE)
        mixed, break_even = mixture(scenario, self.displayed, curves, informed, self.settings.margin)
        if break_even is not None:
            break_even = replace(break_even, informed=informed, prior=prior)
        part = replace(draws_of_curves(mixed, scenario), break_even=break_even)
        if scenario.marginal_benefit != COHORTS or prior is None:
            return part
        return replace(part, by_prior=survival_at_benefit(scenario, self.displayed, curves, prior))


def _of_centre(scenario: Scenario, draw_values: Values, engine: str, settings: Settings, draw: int) -> ScenarioDraws:
    keep = settings.histories and draw == 1
    curves, without, resources, replication = centre.run(
        scenario,
        draw_values,
        engine=engine,
        horizon=settings.horizon,
        patients=settings.patients,
        seed=settings.seed,
        draw=draw,
        replications=settings.replications,
        whole=keep,
    )
    part = with_noise(draws_of_curves(curves, scenario), draws_of_curves(without, scenario))
    # Nobody waits, so nothing depends on later events; for groups alone patients are followed for longer.
    until = settings.horizon if engine == "microsim" and not scenario.is_limited else math.inf
    histories = events.of_replication(scenario, replication, until) if keep else None
    return replace(part, resources=resources, histories=histories)
