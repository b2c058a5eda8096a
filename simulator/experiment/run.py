"""Experiments: scenarios x draws, run by an engine and gathered draw by draw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from simulator.arrays import Floats
from simulator.engines.curves import Curves
from simulator.engines.exact.accuracy import TooCoarse
from simulator.engines.exact.embedded import refuse_endless
from simulator.engines.exact.engine import BATCH
from simulator.engines.model import Model, resolve
from simulator.errors import InputError
from simulator.evidence.draws import choose, load_informed_draws, single, values
from simulator.execution.pool import workers
from simulator.experiment import centre, overload
from simulator.experiment.engine_choice import choose_engine
from simulator.experiment.lattice_error import measured
from simulator.experiment.marginal_benefit import mixture, simulated, with_benefits
from simulator.experiment.parts import ScenarioDraws, draws_of_curves, with_noise
from simulator.experiment.results import Results, gather
from simulator.experiment.settings import Progress, Settings
from simulator.experiment.shards import Simulation, shards, whole
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.levers import Values
from simulator.scenario.scenario import INFORMED, Scenario, check_names, check_one_pathway, load_scenario

Given = Scenario | str | Path


ROUGH_DRAWS = 10


def run(scenario: Scenario | str | Path, *, progress: Progress | None = None, **settings: object) -> Results:
    """Return the results of one scenario. Settings as in `Settings`. Raises InputError."""
    return compare(scenario, progress=progress, **settings)  # type: ignore[arg-type]


def compare(
    *scenarios: Given | list[Given] | tuple[Given, ...],
    progress: Progress | None = None,
    tell_load: Callable[[Scenario, dict[str, Floats]], None] | None = None,
    **settings: object,
) -> Results:
    """Return the results of scenarios, differences told to the first; a list stands for its members. InputError.

    A scenario that treats more than its draws' own policy is shown for several marginal benefits: see `with_benefits`.
    tell_load : called before anything runs, with the offered loads of a scenario's resources : (n_draws,)
    """
    chosen = Settings.of(settings)
    loaded = _loaded(scenarios)
    pathway = loaded[0].pathway
    table = load_informed_draws(pathway)
    engine, why = choose_engine(chosen.engine, loaded, chosen.horizon)
    limited = any(each.is_limited for each in loaded)
    n_draws = count_draws(chosen, engine, limited, table, pathway)
    few = for_loads(table)
    offered: dict[str, dict[str, dict[str, float | str | None]]] = {}
    for each in loaded:
        if each.capacity:
            refuse_endless(resolve(each, few))
        if each.service is not None and each.capacity:
            offered[each.name] = overload.check(each, table, n_draws, chosen.overload, tell_load)
    # Survival is a line in the benefit only where nobody waits.
    break_even = not limited and chosen.horizon >= pathway.months.answer
    shown = with_benefits(loaded, table, n_draws, break_even=break_even)
    work = _Work(shown, simulated(shown, engine), table, engine, chosen)
    try:
        by_shards = engine == "microsim" and not limited
        parts = _by_shards(work, n_draws, progress) if by_shards else _by_draws(work, n_draws, progress)
    except TooCoarse as error:
        if chosen.engine != "auto":
            raise
        # The declared values have a lattice, and one of the draws has none.
        instead = compare(*loaded, progress=progress, tell_load=tell_load, **{**settings, "engine": "microsim"})
        instead.manifest["engine_because"] = f"{error.what}: {error.got}"
        return instead
    results = gather(shown, parts, chosen, engine, why, n_draws)
    if engine == "exact":
        results.manifest["lattice"] = measured(work.scenarios, table, chosen.horizon, n_draws)
    if offered:
        results.manifest["offered_load"] = offered
    return results


def _loaded(given: Iterable[Given | list[Given] | tuple[Given, ...]]) -> list[Scenario]:
    """Return scenarios of one pathway, each by a name of its own. Raises InputError."""
    flat = [name for each in given for name in (each if isinstance(each, list | tuple) else [each])]
    for each in flat:
        if not isinstance(each, Scenario | str | Path):
            raise InputError("not a scenario", where="compare", got=each, allowed="a name, a file, or a Scenario")
    if not flat:
        raise InputError("no scenario", where="compare", allowed='compare("baseline", "OTHER")')
    loaded = [each if isinstance(each, Scenario) else load_scenario(each) for each in flat]
    check_one_pathway(loaded)
    check_names(loaded)
    return loaded


def _by_draws(work: _Work, n_draws: int, progress: Progress | None) -> list[list[ScenarioDraws]]:
    """Return the parts of draws: of several together for exact."""
    batch = BATCH if work.engine == "exact" else 1
    draws = [slice(first, min(first + batch, n_draws)) for first in range(0, n_draws, batch)]
    parts: list[list[ScenarioDraws]] = []
    with workers(min(work.settings.jobs, len(draws)), work) as each_draw:
        for number, found in enumerate(each_draw(_Work.of, draws), start=1):
            parts.append(found)
            if progress is not None:
                progress(number, len(draws))
    return parts


def _by_shards(work: _Work, n_draws: int, progress: Progress | None) -> list[list[ScenarioDraws]]:
    """Return the parts of draws whose patients are simulated in pieces."""
    settings, draws = work.settings, range(n_draws)
    pieces = [shard for i in draws for shard in shards(i + 1, single(work.table, i), settings.patients)]
    simulation = Simulation(work.scenarios, settings.seed, settings.horizon)
    parts: list[list[ScenarioDraws]] = []
    with workers(min(settings.jobs, len(pieces)), simulation) as each_piece:
        for number, tallies in enumerate(whole(pieces, each_piece(Simulation.tallies, pieces)), start=1):
            if tallies is not None:
                rows = slice(len(parts), len(parts) + 1)
                parts.append(work.parts([tally.curves() for tally in tallies], rows))
            if progress is not None:
                progress(number, len(pieces))
    return parts


def part_of(
    scenario: Scenario, table: pd.DataFrame | None, engine: str, settings: Settings, rows: slice
) -> ScenarioDraws:
    """Return what one scenario gives for some draws: one for the engines that simulate, any number for exact."""
    work = _Work([scenario], [scenario], table, engine, replace(settings, jobs=1))
    if engine != "microsim" or scenario.is_limited:
        (found,) = work.of(rows)
        return found
    simulation = Simulation(work.scenarios, settings.seed, settings.horizon)
    pieces = shards(rows.start + 1, single(table, rows.start), settings.patients)
    *_, tallies = whole(pieces, map(simulation.tallies, pieces))
    assert tallies is not None
    (found,) = work.parts([tally.curves() for tally in tallies], rows)
    return found


def count_draws(chosen: Settings, engine: str, limited: bool, table: pd.DataFrame | None, pathway: Pathway) -> int:
    """Return how many draws to use. Raises InputError if fewer exist than are wanted."""
    if chosen.draws is not None or table is None:
        return choose(table, chosen.draws, pathway)
    if chosen.rough:
        return min(ROUGH_DRAWS, len(table))
    return choose(table, None if engine == "exact" else min(50 if limited else 100, len(table)), pathway)


def for_loads(table: pd.DataFrame | None) -> Values:
    """Return the draws that say whether a load can be served, however many are run."""
    return values(table, slice(0, overload.FEW))


@dataclass(frozen=True)
class _Work:
    """What all chunks need: the scenarios that are shown, and those that are simulated for it."""

    shown: Sequence[Scenario]
    scenarios: Sequence[Scenario]
    table: pd.DataFrame | None
    engine: str
    settings: Settings

    def of(self, rows: slice) -> list[ScenarioDraws]:
        """Return every scenario's part for some draws: one for the engines that simulate."""
        if self.engine == "exact":
            own = values(self.table, rows)
            return self.parts(
                _exact([resolve(scenario, own) for scenario in self.scenarios], self.settings.horizon), rows
            )
        one, draw = single(self.table, rows.start), rows.start + 1
        if any(each.is_limited for each in self.shown):
            return [_of_centre(scenario, one, self.engine, self.settings, draw) for scenario in self.scenarios]
        found = [_independent(scenario, one, self.engine, self.settings, draw) for scenario in self.scenarios]
        return self.parts(found, rows)

    def parts(self, found: Sequence[Curves], rows: slice) -> list[ScenarioDraws]:
        """Return a part of every scenario that is shown, from the curves of those that are simulated."""
        curves = {scenario.name: own for scenario, own in zip(self.scenarios, found, strict=True)}
        return [
            draws_of_curves(curves[each.name], each) if each.name in curves else self._mixture(each, curves, rows)
            for each in self.shown
        ]

    def _mixture(self, scenario: Scenario, curves: Mapping[str, Curves], rows: slice) -> ScenarioDraws:
        """Return the part of a scenario whose benefit is each draw's own."""
        gain = None if self.table is None or INFORMED not in self.table else self.table[INFORMED].to_numpy()[rows]
        found, break_even = mixture(scenario, self.shown, curves, gain, self.settings.margin)
        return replace(draws_of_curves(found, scenario), break_even=break_even)


def _independent(scenario: Scenario, own: Values, engine: str, settings: Settings, draw: int) -> Curves:
    """Return the curves of a draw's patients where nothing is limited: more patients, not replications, say more."""
    return centre.independent(
        scenario,
        own,
        engine=engine,
        horizon=settings.horizon,
        patients=settings.patients,
        uniforms=Uniforms(settings.seed, draw),
    )


def _of_centre(scenario: Scenario, own: Values, engine: str, settings: Settings, draw: int) -> ScenarioDraws:
    curves, without, resources = centre.run(
        scenario,
        own,
        engine=engine,
        horizon=settings.horizon,
        patients=settings.patients,
        seed=settings.seed,
        draw=draw,
        replications=settings.replications,
    )
    return replace(
        with_noise(draws_of_curves(curves, scenario), draws_of_curves(without, scenario)), resources=resources
    )


def _exact(models: Sequence[Model], horizon: float) -> list[Curves]:
    """Return the curves of models that are compared, on one lattice."""
    from simulator.engines.exact import engine as exact

    step = exact.one_step(models, horizon)
    return [exact.curves(model, horizon, step=step) for model in models]


