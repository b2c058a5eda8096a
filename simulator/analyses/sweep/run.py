"""A sweep: all cells of a grid run as by `compare`, with differences from the first cell draw by draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd

from simulator import execution
from simulator.analyses.sweep import checks, notes
from simulator.analyses.sweep.checks import Progress
from simulator.analyses.sweep.grid import COLUMNS, Grid, make_grid
from simulator.arrays import Floats, slices
from simulator.engines.curves import populations
from simulator.engines.exact import engine as exact
from simulator.engines.exact.outcome_readings import readings
from simulator.engines.model import Model, resolve_each, stacked
from simulator.errors import EngineRefusal
from simulator.evidence.draws import load_informed_draws, values
from simulator.experiment import cost, manifest, resource_tables
from simulator.experiment.engine_choice import choose_engine
from simulator.experiment.marginal_benefit import treats_more_than
from simulator.experiment.parts import ScenarioDraws, outcomes_of, treated_share
from simulator.experiment.results import as_written, clocks, write_files
from simulator.experiment.run import count_draws, draws_for_overload, parts_of
from simulator.experiment.settings import Settings, SweepOptions, with_options
from simulator.experiment.summaries import outcomes_of_population, outcomes_table, sample
from simulator.outcomes.summaries import Outcomes
from simulator.outcomes.uncertainty import Sample
from simulator.pathway.outcome_months import alive_at
from simulator.scenario.scenario import Scenario, load_scenario


@dataclass(frozen=True)
class Sweep:
    """A sweep's table, a row an outcome of a cell, as in its folder; and the manifest.

    lead : the clock and the outcome of the answer; None where the horizon reaches no OS
    leading : its values and their noise, by cell
    notes : on the numbers, in sentences
    """

    grid: Grid
    table: pd.DataFrame
    manifest: dict[str, Any]
    lead: tuple[str, str] | None
    leading: tuple[Sample, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return what is varied, the settings, and the size of the table."""
        varied = "; ".join(
            f"{axis.name} = {', '.join(f'{value:g}' for value in axis.values)}" for axis in self.grid.axes
        )
        ran = "{engine}, {draws} parameter sets, {horizon:g} months".format_map(self.manifest)
        return f"Sweep of {self.scenario.name} over {varied}: {ran}\n  table: {len(self.table):,} rows"

    @property
    def answer(self) -> str:
        """The answer in words, as the command line prints it. Wording stands above and is found by name."""
        return str(import_module("simulator.wording.sweep").answer(self))

    @property
    def draws(self) -> Floats:
        """The values of the lead outcome : (n_cells, n_draws)."""
        return np.array([leading.values for leading in self.leading])

    @cached_property
    def rows(self) -> dict[tuple[str, ...], list[dict[Any, Any]]]:
        """Outcome, clock, population, resource -> the rows of every cell, in the order of the cells."""
        rows: dict[tuple[str, ...], list[dict[Any, Any]]] = {}
        for row in self.table.to_dict("records"):
            key = row["outcome"], row["clock"], row["population"], row["resource"]
            rows.setdefault(key, []).append(row)
        return rows

    @property
    def scenario(self) -> Scenario:
        return self.grid.scenario

    def write(self, folder: str | Path) -> None:
        """Write sweep.csv and manifest.json into a folder, made if need be. Raises InputError."""
        write_files({"sweep": self.table}, self.manifest, folder, self.scenario.pathway)


BLOCK = 32
"""Cells that are solved together by the exact engine: those that differ in shares only have the same path curves."""


MANY = 500
"""Draws of a cell that are put into its scenario together: that takes as long for one."""


@dataclass(frozen=True)
class _Plan:
    """The data that every piece of work needs; a piece is some cells and some draws."""

    grid: Grid
    table: pd.DataFrame | None
    engine: str
    settings: Settings
    n_draws: int

    @property
    def blocks(self) -> list[slice]:
        """The cells that are solved and kept together: the draws of all cells would not fit in memory."""
        return slices(len(self.grid), BLOCK if self.engine == "exact" else 1)

    @property
    def chunks(self) -> list[slice]:
        """The draws of a piece."""
        return slices(self.n_draws, MANY if self.engine == "exact" else 1)


@with_options(SweepOptions)
def sweep(
    scenario: Scenario | str | Path,
    vary: Mapping[str, str | Iterable[float]],
    *,
    yes: bool = True,
    progress: Progress | None = None,
    **options: Unpack[SweepOptions],
) -> Sweep:
    """Return one scenario's results over a grid; its `table` has a row an outcome of a cell, a column a varied value.

    vary : name -> values, as {"beds": range(1, 7), "uptake": "0.5,0.9"}; yes : start however long it takes
    Raises InputError before anything runs.
    """
    return simulate(scenario, vary, Settings(**options), yes=yes, progress=progress)


def simulate(
    scenario: Scenario | str | Path,
    vary: Mapping[str, str | Iterable[float]],
    chosen: Settings,
    *,
    yes: bool = True,
    progress: Progress | None = None,
) -> Sweep:
    """Return `sweep` with its settings in one object."""
    grid = make_grid(load_scenario(scenario), vary)
    try:
        return _simulate(grid, chosen, yes, progress)
    except EngineRefusal as error:
        if chosen.engine != "auto":
            raise
        # The engine can run the first cell's declared values, and not another cell or one of the draws.
        instead = _simulate(grid, replace(chosen, engine=error.instead), yes, progress)
        instead.manifest["engine_because"] = f"{error.what}: {error.got}"
        return instead


def _simulate(grid: Grid, chosen: Settings, yes: bool, progress: Progress | None) -> Sweep:
    """Return a sweep by one engine. Raises EngineRefusal, which names another."""
    pathway = grid.scenario.pathway
    table = load_informed_draws(pathway)
    first = grid.at(0)
    # Cells differ in numbers only: one engine can run them all.
    engine, why = choose_engine(chosen.engine, [first], chosen.horizon)
    n_draws = count_draws(chosen, engine, first.is_limited, table, pathway)
    plan = _Plan(grid, table, engine, chosen, n_draws)
    draw_values = values(table, slice(0, n_draws))
    if len(grid) <= checks.MOST_CELLS:
        checks.check_values(grid, draw_values)
    at_once = checks.solutions(grid) <= checks.MOST_SOLUTIONS and len(grid) <= checks.MOST_CELLS
    if at_once and not chosen.overload:
        checks.check_loads(grid, draws_for_overload(table), progress)
    if not yes:
        cost.check_events(_ends(grid), chosen.horizon)
        seconds = _seconds(plan, n_draws)
        if not at_once and not chosen.overload and first.service is not None:
            seconds += checks.seconds_of_loads(grid, draws_for_overload(table))
        checks.check_cost(grid, seconds, chosen, n_draws)
    untouched = checks.check_cells(grid, draw_values, progress)
    if not chosen.overload:
        if not at_once:
            checks.check_loads(grid, draws_for_overload(table), progress)
        checks.check_trials(grid, draws_for_overload(table), table, progress)
    tables, leading = _run(plan, untouched, progress)
    why = f"{why} (one engine for all {len(grid)} cells)"
    sentences = notes.of(grid, untouched, chosen.patients)
    about = manifest.manifest([grid.scenario], chosen, engine, why, n_draws)
    about |= {"varied": {axis.name: list(axis.values) for axis in grid.axes}, "cells": len(grid), "notes": sentences}
    lead = _lead(plan)
    return Sweep(grid, as_written(pd.concat(tables, ignore_index=True)), about, lead, tuple(leading), tuple(sentences))


def _ends(grid: Grid) -> list[Scenario]:
    """Return the first and the last cell."""
    return [grid.at(cell) for cell in dict.fromkeys((0, len(grid) - 1))]


def _seconds(plan: _Plan, n_draws: int) -> float:
    """Return about how many seconds a sweep takes, from a few patients of its end cells; 0 if surely short."""
    grid, settings = plan.grid, plan.settings
    ends = _ends(grid)
    if cost.is_surely_short(ends, plan.engine, settings, times=len(grid) / len(ends)):
        return 0.0
    seconds = sum(cost.seconds_of(end, plan.table, plan.engine, settings, n_draws) for end in ends)
    return seconds * len(grid) / len(ends) / min(settings.jobs, len(grid) * len(plan.chunks))


def _lead(plan: _Plan) -> tuple[str, str] | None:
    clock = clocks(plan.grid.scenario)[0]
    months = plan.grid.scenario.pathway.months.in_order
    reached = [month for month in months if month <= plan.settings.horizon]
    return (clock, alive_at(reached[0])) if reached else None


def _run(plan: _Plan, untouched: Floats, progress: Progress | None) -> tuple[list[pd.DataFrame], list[Sample]]:
    """Return the cells' rows, and their lead outcomes."""
    lead = _lead(plan)
    tables: list[pd.DataFrame] = []
    leading: list[Sample] = []
    first: Sequence[ScenarioDraws] = ()
    work = [(cells, rows) for cells in plan.blocks for rows in plan.chunks]
    piece, jobs, pieces = partial(_piece, plan), plan.settings.jobs, list[list[ScenarioDraws]]()
    for of_cells in execution.map(piece, work, jobs=jobs, progress=progress, stage="simulating"):
        pieces.append(of_cells)
        if len(pieces) < len(plan.chunks):
            continue
        for parts in zip(*pieces, strict=True):
            first = first or parts
            cell = len(tables)
            tables.append(_rows(plan, cell, parts, first, untouched[cell]))
            if lead is not None:
                clock, outcome = lead
                leading.append(sample(parts, clock, "all", outcome))
        pieces = []
    return tables, leading


def _rows(
    plan: _Plan, cell: int, draws: Sequence[ScenarioDraws], first: Sequence[ScenarioDraws], untouched: float
) -> pd.DataFrame:
    """Return a cell's rows, as in outcomes.csv and, over all years, in service.csv."""
    grid, scenario = plan.grid, plan.grid.at(cell)
    treats_more = treats_more_than(scenario, grid.at(0))
    before = first if cell else None
    outcomes = [
        outcome
        for clock in clocks(scenario)
        for name in populations(scenario.pathway)
        for outcome in outcomes_of_population(scenario, clock, name, draws, before, treats_more=treats_more)
    ]
    tables = [outcomes_table(outcomes, plan.settings.horizon, scenario.pathway)]
    if draws[0].resources is not None:
        resources = [[part.resources for part in parts if part.resources is not None] for parts in (first, draws)]
        service = resource_tables.service([grid.at(0), scenario], resources).assign(clock="", population="")
        half = len(service) // 2
        tables.append(service.tail(half) if cell else service.head(half))
    if np.isfinite(untouched):
        row = {"outcome": "draws_with_marginal_patients", "unit": "probability", "estimate": 1.0 - untouched}
        tables.append(
            pd.DataFrame([{"clock": scenario.pathway.clock, "population": "all", "monte_carlo_se": 0.0, **row}])
        )
    table = pd.concat(tables, ignore_index=True).reindex(columns=COLUMNS)
    table["resource"] = table["resource"].astype(object).where(table["resource"].notna(), "").astype(str)
    for place, (axis, value) in enumerate(zip(grid.axes, grid.values(cell), strict=True)):
        table.insert(place, axis.name, value)
    return table


def _piece(plan: _Plan, item: tuple[slice, slice]) -> list[ScenarioDraws]:
    """Return the outcomes of some cells for some draws."""
    cells, rows = item
    scenarios = [plan.grid.at(cell) for cell in range(cells.start, cells.stop)]
    if plan.engine == "exact":
        parts = _solved(plan, scenarios, rows)
    else:
        of_each = (parts_of(scenario, plan.table, plan.engine, plan.settings, rows) for scenario in scenarios)
        parts = [part for (part,) in of_each]
    return [_outcomes_only(part) for part in parts]


def _solved(plan: _Plan, scenarios: Sequence[Scenario], rows: slice) -> list[ScenarioDraws]:
    """Return the exact engine's outcomes of cells."""
    models = list(resolve_each(scenarios, values(plan.table, rows)))
    alike: dict[tuple[object, ...], list[int]] = {}
    for place, model in enumerate(models):
        times = [exit.time.key for exits in model.exits.values() for exit in exits if exit.time is not None]
        alike.setdefault((model.open_ways, *times), []).append(place)
    parts: dict[int, ScenarioDraws] = {}
    for places in alike.values():
        step = exact.one_step([models[places[0]]], plan.settings.horizon)
        parts |= zip(places, _read(plan, [models[place] for place in places], step, rows), strict=True)
    return [part for _, part in sorted(parts.items())]


def _read(plan: _Plan, models: Sequence[Model], step: float, rows: slice) -> list[ScenarioDraws]:
    """Return the outcomes of models that differ in shares only."""
    pathway, horizon = plan.grid.scenario.pathway, plan.settings.horizon
    parts = []
    # No cell's own curves are kept, so that twice as many draws fit in memory as in a run.
    for draws in slices(models[0].n_draws, 2 * exact.batch(pathway, horizon)):
        some = stacked(models, range(models[0].n_draws)[draws])
        read = readings(some, horizon, step, exact.new_paths(pathway, horizon, step, repeats=len(models)))
        if read is None and len(models) > 1:
            return [part for model in models for part in _read(plan, [model], step, rows)]
        if read is None:
            return _by_cell(parts_of(models[0].scenario, plan.table, plan.engine, plan.settings, rows), 1)
        parts.append(ScenarioDraws({}, {}, {}, {}, outcomes_of(read, pathway), treated_share(read, pathway)))
    return _by_cell(parts, len(models))


def _by_cell(parts: Sequence[ScenarioDraws], n_cells: int) -> list[ScenarioDraws]:
    """Return a part a cell, of parts that have outcomes of some draws of every cell in turn."""

    def joined(values: Iterable[Floats]) -> Floats:
        return np.concatenate([of_part.reshape(n_cells, -1) for of_part in values], axis=1)

    treated = joined(part.treated for part in parts)
    outcomes: list[dict[tuple[str, str], Outcomes]] = [{} for _ in range(n_cells)]
    for key, of_population in parts[0].outcomes.items():
        for name, (unit, _, _) in of_population.items():
            values = joined(part.outcomes[key][name][1] for part in parts)
            noise = joined(part.outcomes[key][name][2] for part in parts)
            for cell, of_cell in enumerate(outcomes):
                of_cell.setdefault(key, {})[name] = (unit, values[cell], noise[cell])
    return [ScenarioDraws({}, {}, {}, {}, *of_cell) for of_cell in zip(outcomes, treated, strict=True)]


def _outcomes_only(part: ScenarioDraws) -> ScenarioDraws:
    """Return a part without what no table of a sweep shows."""
    resources = part.resources
    if resources is not None:
        overall = {key: outcome for key, outcome in resources.outcomes.items() if key[1] == 0}
        resources = replace(resources, outcomes=overall, queue={}, in_use={})
    return replace(part, survival={}, end_points={}, noise={}, occupancy={}, resources=resources)
