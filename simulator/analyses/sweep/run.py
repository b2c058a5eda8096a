"""A sweep: all cells of a grid run as by `compare`, with differences from the first cell draw by draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd

from simulator import execution
from simulator.analyses.sweep import checks, notes
from simulator.analyses.sweep.checks import Progress
from simulator.analyses.sweep.grid import COLUMNS, Grid, make_grid
from simulator.arrays import Floats
from simulator.engines.curves import populations
from simulator.engines.exact.engine import batch
from simulator.evidence.draws import load_informed_draws, values
from simulator.experiment import cost, manifest, resource_tables
from simulator.experiment.engine_choice import choose_engine
from simulator.experiment.parts import ScenarioDraws
from simulator.experiment.results import as_written, clocks, write_files
from simulator.experiment.run import count_draws, draws_for_overload, part_of
from simulator.experiment.settings import Settings, SweepOptions, with_options
from simulator.experiment.summaries import outcomes_of_population, sample
from simulator.outcomes.labels import follow_up
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

    @property
    def draws(self) -> Floats:
        """The values of the lead outcome : (n_cells, n_draws)."""
        return np.array([leading.values for leading in self.leading])

    @property
    def scenario(self) -> Scenario:
        return self.grid.scenario

    def write(self, folder: str | Path) -> None:
        """Write sweep.csv and manifest.json into a folder, made if need be. Raises InputError."""
        write_files({"sweep": self.table}, self.manifest, folder)


@dataclass(frozen=True)
class _Plan:
    """The data that every piece of work needs; a piece is a cell and some draws."""

    grid: Grid
    table: pd.DataFrame | None
    engine: str
    settings: Settings
    chunks: tuple[slice, ...]


@with_options(SweepOptions)
def sweep(
    scenario: Scenario | str | Path,
    vary: Mapping[str, str | Iterable[float]],
    *,
    yes: bool = True,
    progress: Progress | None = None,
    **options: Unpack[SweepOptions],
) -> Sweep:
    """Return one scenario's results over a grid, e.g. vary={"beds": range(1, 7), "uptake": "0.5,0.9"}.

    Options as in `Settings`; yes : start however long it takes. Raises InputError before anything runs.
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
    grid = make_grid(scenario if isinstance(scenario, Scenario) else load_scenario(scenario), vary)
    pathway = grid.scenario.pathway
    table = load_informed_draws(pathway)
    first = grid.at(0)
    # Cells differ in numbers only: one engine can run them all.
    engine, why = choose_engine(chosen.engine, [first], chosen.horizon)
    n_draws = count_draws(chosen, engine, first.is_limited, table, pathway)
    size = batch(pathway, chosen.horizon) if engine == "exact" else 1
    chunks = tuple(slice(begin, min(begin + size, n_draws)) for begin in range(0, n_draws, size))
    plan = _Plan(grid, table, engine, chosen, chunks)
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
    parts: list[ScenarioDraws] = []
    first: list[ScenarioDraws] = []
    work = [(cell, rows) for cell in range(len(plan.grid)) for rows in plan.chunks]
    piece, jobs = partial(_piece, plan), plan.settings.jobs
    for part in execution.map(piece, work, jobs=jobs, progress=progress, stage="simulating"):
        parts.append(part)
        if len(parts) == len(plan.chunks):
            # A cell is summarised as soon as it is complete: the draws of all cells would not fit in memory.
            first = first or parts
            cell = len(tables)
            tables.append(_rows(plan, cell, parts, first, untouched[cell]))
            if lead is not None:
                clock, outcome = lead
                leading.append(sample(parts, clock, "all", outcome))
            parts = []
    return tables, leading


def _rows(
    plan: _Plan, cell: int, draws: list[ScenarioDraws], first: list[ScenarioDraws], untouched: float
) -> pd.DataFrame:
    """Return a cell's rows, as in outcomes.csv and, over all years, in service.csv."""
    grid, scenario = plan.grid, plan.grid.at(cell)
    rows: list[dict[str, Any]] = []
    for clock in clocks(scenario):
        for name in populations(scenario.pathway):
            of_population = outcomes_of_population(scenario, clock, name, draws, first if cell else None)
            rows += [outcome.row() for outcome in of_population]
    rows = [row | {"follow_up": follow_up(row["outcome"], plan.settings.horizon, scenario.pathway)} for row in rows]
    if draws[0].resources is not None:
        resources = [[part.resources for part in parts if part.resources is not None] for parts in (first, draws)]
        service = resource_tables.service([grid.at(0), scenario], resources).assign(clock="", population="")
        half = len(service) // 2
        service = service.tail(half) if cell else service.head(half)
        rows += [{str(key): value for key, value in row.items()} for row in service.to_dict("records")]
    if np.isfinite(untouched):
        row = {"outcome": "draws_with_marginal_patients", "unit": "probability", "estimate": 1.0 - untouched}
        rows.append({"clock": scenario.pathway.clock, "population": "all", "monte_carlo_se": 0.0, **row})
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    table["resource"] = table["resource"].astype(object).where(table["resource"].notna(), "").astype(str)
    for place, (axis, value) in enumerate(zip(grid.axes, grid.values(cell), strict=True)):
        table.insert(place, axis.name, value)
    return table


def _piece(plan: _Plan, item: tuple[int, slice]) -> ScenarioDraws:
    cell, rows = item
    part = part_of(plan.grid.at(cell), plan.table, plan.engine, plan.settings, rows)
    resources = part.resources
    if resources is not None:
        overall = {key: outcome for key, outcome in resources.outcomes.items() if key[1] == 0}
        resources = replace(resources, outcomes=overall, queue={}, in_use={})
    return replace(part, survival={}, end_points={}, noise={}, occupancy={}, resources=resources)
