"""Results: the tidy tables of an experiment, and the manifest that says how they came about.

`lower` and `upper` are the 95 % interval over parameter draws, `monte_carlo_se` is the noise of the simulation, 0 for
exact: see `simulator.outcomes.uncertainty`. Patients who share a resource depend on one another, so their noise comes
from a draw's replications; patients without limits are independent, and their noise is binomial. The cell is empty,
and the interval includes the noise, of a single replication and of a difference of simulations without limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from simulator.engines.curves import populations
from simulator.errors import InputError
from simulator.experiment import events, manifest, resource_tables
from simulator.experiment.event_logs import formats as event_logs
from simulator.experiment.event_logs.log import ORIGIN, EventLog, read_origin
from simulator.experiment.marginal_benefit import compared_with, treats_more_than
from simulator.experiment.summaries import (
    Outcome,
    benefit_table,
    break_even_outcomes,
    draws_table,
    end_points_table,
    occupancy_table,
    outcomes_of_population,
    outcomes_table,
    stacked,
    survival_table,
)
from simulator.files import csv, whole
from simulator.outcomes.labels import labelled
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from simulator.experiment.parts import ScenarioDraws
    from simulator.experiment.settings import Settings
    from simulator.figures.picture import Picture


DIGITS = ".8g"
"""Format of the numbers in the files."""

TABLES = {
    "survival": "survival",
    "outcomes": "outcomes",
    "draws": "outcomes_by_draw",
    "occupancy": "occupancy",
    "end_points": "end_points",
    "benefit": "benefit",
    "service": "service",
    "service_draws": "service_by_draw",
    "waits_by_group": "waits_by_group",
    "queue": "queue",
    "histories": "histories",
    "requests": "requests",
}
"""The tables, each with the name of its file."""


@dataclass(frozen=True)
class Results:
    """An experiment's tables, as in its folder: survival, outcomes, occupancy; and the manifest.

    end_points : by month, survival without the events that the pathway declares and, by `cause`, first events
    draws : a row a scenario, clock, population and parameter set, a column an outcome; inf is a median not reached,
    NaN a group without patients. Every summary in `outcomes` is one of these columns
    histories, requests : the first parameter set's events, and requests for limited resources, where the run kept them
    benefit : the difference that a policy makes by the share of additional patients who benefit, if it treats more
    service : where resources are limited or patients arrive over time; queue : where resources are limited
    service_draws : where resources are limited, a row a scenario, resource and parameter set, a column an outcome
    waits_by_group : who waits and who is lost, by the state they wait in, attribute and priority class
    """

    scenarios: tuple[Scenario, ...]
    survival: pd.DataFrame
    outcomes: pd.DataFrame
    occupancy: pd.DataFrame
    manifest: dict[str, Any]
    service: pd.DataFrame | None = None
    queue: pd.DataFrame | None = None
    draws: pd.DataFrame | None = None
    histories: pd.DataFrame | None = None
    requests: pd.DataFrame | None = None
    end_points: pd.DataFrame | None = None
    benefit: pd.DataFrame | None = None
    service_draws: pd.DataFrame | None = None
    waits_by_group: pd.DataFrame | None = None

    def __repr__(self) -> str:
        """Return the scenarios, the settings, and which tables there are."""
        names = [scenario.name for scenario in self.scenarios]
        others = f" and {len(names) - 4} more" if len(names) > 4 else ""
        rough = ", a rough answer" if self.is_rough else ""
        ran = "{engine}, {draws} parameter sets, {horizon:g} months".format_map(self.manifest) + rough
        tables = {name: getattr(self, name) for name in TABLES}
        rows = [f"  {name}: {len(table):,} rows" for name, table in tables.items() if table is not None]
        return "\n".join([f"Results of {', '.join(names[:4])}{others}: {ran}", *rows])

    @property
    def answer(self) -> str:
        """The answer in words, as the command line prints it."""
        return str(_presented(self, "tables.run", "answer"))

    def events(self, form: str | None = None, *, origin: str | date = ORIGIN) -> pd.DataFrame:
        """Return the events of the first parameter set's first replication. InputError where none were kept.

        form : None, a row an entry into a state, as `histories`, in months since the patient's own entry; "csv", a row
        a step in the columns of process mining; "vidigi", a row an event in the columns of vidigi
        origin : the date of month 0, for "csv" and "vidigi"; a month is 365.25 / 12 days
        """
        kept = self._kept("events")
        return kept if form is None else event_logs.table(self._event_log(origin), form)

    def write_event_log(
        self, folder: str | Path, formats: str | Iterable[str], *, origin: str | date = ORIGIN
    ) -> list[Path]:
        """Write the events into a folder, a file a format, and return the files. Raises InputError.

        formats : one or more of "csv", "xes", "ocel" and "vidigi"; origin : the date of month 0
        """
        self._kept("write_event_log")
        chosen, log = event_logs.read_formats(formats), self._event_log(origin)
        return event_logs.write(log, chosen, manifest.make_folder(folder))

    def _event_log(self, origin: str | date) -> EventLog:
        horizon, kept = float(self.manifest["horizon"]), self._kept("events")
        return EventLog(self.scenarios, kept, self.requests, horizon, read_origin(origin))

    def _kept(self, where: str) -> pd.DataFrame:
        if self.histories is None:
            allowed = "run(..., histories=True), or --histories on the command line"
            raise InputError("this run kept no histories", where=where, allowed=allowed)
        return self.histories

    def plot(self, *, colours: Mapping[str, str] | None = None) -> Figure:
        """Return the figure of overall survival, a matplotlib figure; matplotlib is imported here only.

        colours : scenario -> a colour of matplotlib, instead of the house's. Raises InputError.
        """
        return _presented(self, "notebook", "figure", colours or {})  # type: ignore[no-any-return]

    def picture(self, name: str, *, colours: Mapping[str, str] | None = None) -> Picture:
        """Return a figure of the report by the name of its file; a notebook shows it. colours : as in `plot`.

        Its `figure` is matplotlib's, its `svg` and `png` are its files. Raises InputError.
        """
        return _presented(self, "notebook", "picture", name, colours or {})  # type: ignore[no-any-return]

    def to_excel(self, path: str | Path) -> None:
        """Write a workbook: options, outcomes, curves with a chart, beds, parameter sets. InputError, OSError.

        Needs XlsxWriter (the extra `office`). Equal runs give equal bytes.
        """
        whole.write(Path(path), _presented(self, "workbook", "content"))

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the answer, the outcomes and the figure."""
        return str(_presented(self, "notebook", "html"))

    @property
    def is_rough(self) -> bool:
        """Whether the results are for a first look only."""
        return bool(self.manifest.get("rough"))

    def marked(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table of rough results with a last column, `quality`, "rough" in every row; others unchanged."""
        return table.assign(quality="rough") if self.is_rough else table

    def write(self, folder: str | Path) -> None:
        """Write the tables as CSV files, `TABLES`, and manifest.json into a folder, made if need be.

        Raises InputError where there can be no such folder.
        """
        tables = {file: getattr(self, name) for name, file in TABLES.items()}
        write_files(tables, self.manifest, folder, self.scenarios[0].pathway)


def _presented(results: Results, module: str, function: str, *arguments: object) -> Any:
    """Return results as the report shows them. The report stands above and is found by name: no run needs it."""
    return getattr(import_module(f"simulator.report.{module}"), function)(results, *arguments)


def gather(
    scenarios: Sequence[Scenario],
    parts: Sequence[Sequence[ScenarioDraws]],
    settings: Settings,
    engine: str,
    why: str,
    n_draws: int,
) -> Results:
    """Return the tables of chunks of draws; a chunk has a part for every scenario."""
    from simulator.experiment.parts import report_months

    pathway = scenarios[0].pathway
    months = report_months(settings.horizon, pathway.months.early)
    by_scenario = [[chunk[i] for chunk in parts] for i in range(len(scenarios))]
    survival, occupancy, end_points, benefits, outcomes = [], [], [], [], list[Outcome]()
    for i, (scenario, draws) in enumerate(zip(scenarios, by_scenario, strict=True)):
        reference = compared_with(scenario, scenarios)
        before = by_scenario[scenarios.index(reference)] if i and reference else None
        treats_more = reference is not None and treats_more_than(scenario, reference)
        for clock in clocks(scenario):
            for name in populations(pathway):
                survival.append(survival_table(scenario, clock, name, months, draws))
                if pathway.end_points:
                    end_points.append(end_points_table(scenario, clock, name, months, draws))
                of_population = outcomes_of_population(scenario, clock, name, draws, before, treats_more=treats_more)
                outcomes.extend(of_population)
            occupancy.append(occupancy_table(scenario, clock, months, draws))
        benefits.append(benefit_table(scenario, draws))
        outcomes.extend(break_even_outcomes(scenario, draws, scenarios, by_scenario, settings.margin, before))
    used = ([part.resources for part in draws if part.resources] for draws in by_scenario)
    by_share = [columns for columns in benefits if columns is not None]
    limited = {scenario: parts for scenario, parts in zip(scenarios, used, strict=True) if parts}
    resources = list(limited), list(limited.values())
    queue, service_draws = resource_tables.queue(*resources), resource_tables.by_draw(*resources)
    groups = resource_tables.by_group(*resources)
    first = zip(scenarios, (draws[0].histories for draws in by_scenario), strict=True)
    histories = {scenario: kept for scenario, kept in first if kept is not None}
    results = Results(
        tuple(scenarios),
        as_written(stacked(survival)),
        as_written(outcomes_table(outcomes, settings.horizon, pathway)),
        as_written(stacked(occupancy)),
        manifest.manifest(scenarios, settings, engine, why, n_draws),
        as_written(resource_tables.service(*resources)) if limited else None,
        None if queue is None else as_written(queue),
        draws_table(outcomes),
        end_points=as_written(stacked(end_points)) if end_points else None,
        benefit=as_written(stacked(by_share)) if by_share else None,
        service_draws=None if service_draws is None else as_written(service_draws),
        waits_by_group=None if groups is None else as_written(groups),
        **events.tables(histories),
    )
    tables = {name: getattr(results, name) for name in TABLES}
    marked: dict[str, Any] = {name: results.marked(table) for name, table in tables.items() if table is not None}
    return replace(results, **marked)


def write_files(
    tables: Mapping[str, pd.DataFrame | None],
    contents: Mapping[str, Any],
    folder: str | Path,
    pathway: Pathway | None = None,
) -> None:
    """Write NAME.csv for every table that there is, and manifest.json, into a folder, made if need be. InputError.

    pathway : of the words in which a column `label` names the rows; None: no such column
    """
    folder = manifest.make_folder(folder)
    for name, table in tables.items():
        if table is not None:
            written = table if pathway is None else labelled(table, pathway)
            csv.write(written, folder / f"{name}.csv", DIGITS)
    manifest.write(contents, folder)


def as_written(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the digits of its file, so that a report of either is the same."""
    for column in table.select_dtypes("float"):
        # Most numbers repeat; the same are so to the bit, for 0 is not -0.
        bits, places = np.unique(table[column].to_numpy().view(np.int64), return_inverse=True)
        table[column] = np.array([float(f"{value:{DIGITS}}") for value in bits.view(np.float64).tolist()])[places]
    return table


def clocks(scenario: Scenario) -> list[str]:
    """Return the clocks, beginning with the clock that the scenario leads with."""
    return sorted(scenario.pathway.clocks, key=lambda clock: clock != scenario.leads_with)
