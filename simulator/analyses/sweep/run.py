"""A sweep: every cell of a grid through the machinery of `compare`, differences told to the first cell draw by draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simulator.analyses.sweep import checks, notes
from simulator.analyses.sweep.checks import Progress
from simulator.analyses.sweep.grid import COLUMNS, Grid, make_grid
from simulator.arrays import Floats
from simulator.engines.curves import populations
from simulator.engines.exact.engine import BATCH
from simulator.evidence.draws import load_informed_draws, values
from simulator.execution.pool import Each, workers
from simulator.experiment import cost, manifest, resource_tables
from simulator.experiment.engine_choice import choose_engine
from simulator.experiment.parts import ScenarioDraws
from simulator.experiment.results import DIGITS, as_written, clocks
from simulator.experiment.run import count_draws, draws_for_overload, part_of
from simulator.experiment.settings import Settings
from simulator.experiment.summaries import outcomes_of_population, sample
from simulator.files import csv
from simulator.outcomes.labels import follow_up
from simulator.outcomes.uncertainty import Sample
from simulator.pathway.outcome_months import alive_at
from simulator.scenario.scenario import Scenario, load_scenario


@dataclass(frozen=True)
class Sweep:
    """A sweep's table, a row an outcome of a cell, as in its folder; and the manifest that says how it came about.

    lead : the outcome that answers, on which clock; None where no OS is reached
    leading : its values and their noise, of each cell
    notes : what a reader must know, in sentences
    """

    grid: Grid
    table: pd.DataFrame
    manifest: dict[str, Any]
    lead: tuple[str, str] | None
    leading: tuple[Sample, ...]
    notes: tuple[str, ...]

    @property
    def draws(self) -> Floats:
        """The values of the outcome that answers : (n_cells, n_draws)."""
        return np.array([each.values for each in self.leading])

    @property
    def scenario(self) -> Scenario:
        return self.grid.scenario

    def write(self, folder: str | Path) -> None:
        """Write sweep.csv and manifest.json into a folder, made if need be. Raises InputError."""
        folder = manifest.make_folder(folder)
        csv.write(self.table, folder / "sweep.csv", DIGITS)
        manifest.write(self.manifest, folder)


@dataclass(frozen=True)
class _Plan:
    """What every piece of work needs; a piece is a cell and some draws."""

    grid: Grid
    table: pd.DataFrame | None
    engine: str
    settings: Settings
    chunks: tuple[slice, ...]


def sweep(
    scenario: Scenario | str | Path,
    vary: Mapping[str, str | Iterable[float]],
    *,
    yes: bool = True,
    progress: Progress | None = None,
    **settings: object,
) -> Sweep:
    """Return one scenario's results over a grid, e.g. vary={"beds": range(1, 7), "uptake": "0.5,0.9"}.

    Settings as in `experiment.Settings`; yes : start however much it costs. Raises InputError before anything runs.
    """
    chosen = Settings.of(settings)
    grid = make_grid(scenario if isinstance(scenario, Scenario) else load_scenario(scenario), vary)
    pathway = grid.scenario.pathway
    table = load_informed_draws(pathway)
    first = grid.at(0)
    # Cells differ in numbers only: what one cell asks of an engine, all do.
    engine, why = choose_engine(chosen.engine, [first], chosen.horizon)
    n_draws = count_draws(chosen, engine, first.is_limited, table, pathway)
    batch = BATCH if engine == "exact" else 1
    chunks = tuple(slice(begin, min(begin + batch, n_draws)) for begin in range(0, n_draws, batch))
    plan = _Plan(grid, table, engine, chosen, chunks)
    own = values(table, slice(0, n_draws))
    if len(grid) <= checks.MOST_CELLS:
        checks.check_values(grid, own)
    at_once = checks.solutions(grid) <= checks.MOST_SOLUTIONS and len(grid) <= checks.MOST_CELLS
    if at_once and not chosen.overload:
        checks.check_loads(grid, draws_for_overload(table), progress)
    if not yes:
        cost.check_events(_ends(grid), chosen.horizon)
        seconds = _seconds(plan, n_draws)
        if not at_once and not chosen.overload and first.service is not None:
            seconds += checks.seconds_of_loads(grid, draws_for_overload(table))
        checks.check_cost(grid, seconds, chosen, n_draws)
    untouched = checks.check_cells(grid, own, progress)
    if not chosen.overload:
        if not at_once:
            checks.check_loads(grid, draws_for_overload(table), progress)
        checks.check_trials(grid, draws_for_overload(table), table, progress)
    jobs = min(chosen.jobs, len(grid) * len(chunks))
    with workers(jobs, plan) as each:
        tables, leading = _run(plan, each, untouched, progress)
    why = f"{why} (one engine for all {len(grid)} cells)"
    said = notes.of(grid, untouched, chosen.patients)
    told = manifest.manifest([grid.scenario], chosen, engine, why, n_draws)
    told |= {"varied": {axis.name: list(axis.values) for axis in grid.axes}, "cells": len(grid), "notes": said}
    lead = _lead(plan)
    return Sweep(grid, as_written(pd.concat(tables, ignore_index=True)), told, lead, tuple(leading), tuple(said))


def _ends(grid: Grid) -> list[Scenario]:
    """Return the first and the last cell."""
    return [grid.at(cell) for cell in dict.fromkeys((0, len(grid) - 1))]


def _seconds(plan: _Plan, n_draws: int) -> float:
    """Return about how long a sweep would take, from some patients of its first and last cell; 0 if surely short."""
    grid, settings = plan.grid, plan.settings
    ends = _ends(grid)
    if cost.is_surely_short(ends, plan.engine, settings, times=len(grid) / len(ends)):
        return 0.0
    seconds = sum(cost.seconds_of(each, plan.table, plan.engine, settings, n_draws) for each in ends)
    return seconds * len(grid) / len(ends) / min(settings.jobs, len(grid) * len(plan.chunks))


def _lead(plan: _Plan) -> tuple[str, str] | None:
    clock = clocks(plan.grid.scenario)[0]
    months = plan.grid.scenario.pathway.months.in_order
    reached = [month for month in months if month <= plan.settings.horizon]
    return (clock, alive_at(reached[0])) if reached else None


def _run(
    plan: _Plan, each: Each, untouched: Floats, progress: Progress | None
) -> tuple[list[pd.DataFrame], list[Sample]]:
    """Return each cell's rows, and its lead outcome."""
    lead = _lead(plan)
    tables: list[pd.DataFrame] = []
    leading: list[Sample] = []
    parts: list[ScenarioDraws] = []
    first: list[ScenarioDraws] = []
    work = [(cell, rows) for cell in range(len(plan.grid)) for rows in plan.chunks]
    for done, part in enumerate(each(_piece, work), start=1):
        parts.append(part)
        if len(parts) == len(plan.chunks):
            # A cell is summarised as soon as it is complete: the draws of them all would not fit in memory.
            first = first or parts
            cell = len(tables)
            tables.append(_rows(plan, cell, parts, first, untouched[cell]))
            if lead is not None:
                clock, outcome = lead
                leading.append(sample(parts, clock, "all", outcome))
            parts = []
        if progress is not None:
            progress(done, len(plan.grid) * len(plan.chunks), "simulating")
    return tables, leading


def _rows(
    plan: _Plan, cell: int, own: list[ScenarioDraws], first: list[ScenarioDraws], untouched: float
) -> pd.DataFrame:
    """Return a cell's rows : those of outcomes.csv, and of service.csv over all years."""
    grid, scenario = plan.grid, plan.grid.at(cell)
    default = scenario.pathway.clock
    before = first if cell else None
    rows: list[dict[str, Any]] = []
    for clock in clocks(scenario):
        for name in populations(scenario.pathway):
            rows += [outcome.row() for outcome in outcomes_of_population(scenario, clock, name, own, before)]
    rows = [row | {"follow_up": follow_up(row["outcome"], plan.settings.horizon)} for row in rows]
    if own[0].resources is not None:
        resources = [[part.resources for part in each if part.resources is not None] for each in (first, own)]
        found = resource_tables.service([grid.at(0), scenario], resources).assign(clock="", population="")
        half = len(found) // 2
        found = found.tail(half) if cell else found.head(half)
        rows += [{str(key): value for key, value in each.items()} for each in found.to_dict("records")]
    if np.isfinite(untouched):
        told = {"outcome": "draws_with_marginal_patients", "unit": "probability", "estimate": 1.0 - untouched}
        rows.append({"clock": default, "population": "all", "monte_carlo_se": 0.0, **told})
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
    return replace(part, survival={}, noise={}, occupancy={}, resources=resources)
