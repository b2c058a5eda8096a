"""Results: the tidy tables of an experiment, and the manifest that says how they came about.

`lower` and `upper` are the 95 % interval over parameter draws, `monte_carlo_se` is the noise of the simulation, 0 for
exact: see `simulator.outcomes.uncertainty`. Patients who share a ward depend on one another, so their noise is what a
draw's replications show; patients without limits are independent, and theirs is binomial. Where nobody knows it the
cell is empty and the interval holds it: of a single replication, and of a difference of simulations without limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from simulator.engines.curves import populations
from simulator.experiment import manifest, resource_tables
from simulator.experiment.summaries import _paying, occupancy_table, outcome_rows, survival_table
from simulator.files import csv
from simulator.outcomes.labels import follow_up
from simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    from simulator.experiment.parts import ScenarioDraws
    from simulator.experiment.settings import Settings


DIGITS = ".8g"
"""Of the numbers in the files."""

TABLES = ("survival", "outcomes", "occupancy", "service", "queue")


@dataclass(frozen=True)
class Results:
    """An experiment's tables, as in its folder: survival, outcomes, occupancy; and the manifest.

    service : where resources are limited or patients arrive over time; queue : where resources are limited
    """

    scenarios: tuple[Scenario, ...]
    survival: pd.DataFrame
    outcomes: pd.DataFrame
    occupancy: pd.DataFrame
    manifest: dict[str, Any]
    service: pd.DataFrame | None = None
    queue: pd.DataFrame | None = None

    def __repr__(self) -> str:
        """Say what was run, and which tables there are."""
        names, told = [scenario.name for scenario in self.scenarios], self.manifest
        others = f" and {len(names) - 4} more" if len(names) > 4 else ""
        rough = ", a rough answer" if self.is_rough else ""
        ran = f"{told['engine']}, {told['draws']} parameter sets, {told['horizon']:g} months{rough}"
        tables = {name: getattr(self, name) for name in TABLES}
        rows = [f"  {name}: {len(table):,} rows" for name, table in tables.items() if table is not None]
        return "\n".join([f"Results of {', '.join(names[:4])}{others}: {ran}", *rows])

    @property
    def is_rough(self) -> bool:
        """Whether they are for a first look only."""
        return bool(self.manifest.get("rough"))

    def marked(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table of rough results with a last column, `quality`, that says so in every row; others as it is."""
        return table.assign(quality="rough") if self.is_rough else table

    def write(self, folder: str | Path) -> None:
        """Write survival.csv, outcomes.csv, occupancy.csv and manifest.json into a folder, made if need be.

        Raises InputError where there can be no such folder.
        """
        folder = manifest.made(folder)
        for name in TABLES:
            table = getattr(self, name)
            if table is not None:
                csv.write(table, folder / f"{name}.csv", DIGITS)
        manifest.write(self.manifest, folder)


def gather(
    scenarios: Sequence[Scenario],
    parts: Sequence[Sequence[ScenarioDraws]],
    settings: Settings,
    engine: str,
    why: str,
    n_draws: int,
) -> Results:
    """Return the tables of chunks of draws, each a part a scenario."""
    from simulator.experiment.parts import report_months

    pathway = scenarios[0].pathway
    months = report_months(settings.horizon, pathway.months.early)
    by_scenario = [[chunk[i] for chunk in parts] for i in range(len(scenarios))]
    survival, occupancy, rows = [], [], []
    for i, (scenario, own) in enumerate(zip(scenarios, by_scenario, strict=True)):
        for clock in clocks(scenario):
            for name in populations(pathway):
                survival.append(survival_table(scenario, clock, name, months, own))
                rows.extend(outcome_rows(scenario, clock, name, own, by_scenario[0] if i else None))
            occupancy.append(occupancy_table(scenario, clock, months, own))
        rows.extend(_paying(scenario, own, scenarios, by_scenario, settings.margin))
    rows = [row | {"follow_up": follow_up(row["outcome"], settings.horizon)} for row in rows]
    limited = [
        (scenario, [p.resources for p in own if p.resources])
        for scenario, own in zip(scenarios, by_scenario, strict=True)
    ]
    limited = [(each, resources) for each, resources in limited if resources]
    service = queue = None
    if limited:
        chosen, resources = [each for each, _ in limited], [each for _, each in limited]
        service, queue = (
            as_written(resource_tables.service(chosen, resources)),
            resource_tables.queue(chosen, resources),
        )
    made = Results(
        tuple(scenarios),
        as_written(pd.concat(survival, ignore_index=True)),
        as_written(pd.DataFrame(rows)),
        as_written(pd.concat(occupancy, ignore_index=True)),
        manifest.manifest(scenarios, settings, engine, why, n_draws),
        service,
        None if queue is None else as_written(queue),
    )
    tables = {name: getattr(made, name) for name in TABLES}
    marked: dict[str, Any] = {name: made.marked(table) for name, table in tables.items() if table is not None}
    return replace(made, **marked)


def as_written(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the digits that its file will have, so that a report says the same of either."""
    for column in table.select_dtypes("float"):
        table[column] = [float(f"{value:{DIGITS}}") for value in table[column]]
    return table


def clocks(scenario: Scenario) -> list[str]:
    """Return the clocks, the one that the scenario leads with first."""
    return sorted(scenario.pathway.clocks, key=lambda clock: clock != scenario.leads_with)


