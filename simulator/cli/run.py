"""`aftercart run`, `compare` and `report`: from scenarios to a folder of tables, figures and a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli import options, output
from simulator.cli.options import argument, completed, flag, option
from simulator.plain_text import visible

if TYPE_CHECKING:
    from simulator.arrays import Floats
    from simulator.cli.progress import Progress
    from simulator.experiment.results import Results
    from simulator.experiment.settings import Settings
    from simulator.scenario.scenario import Scenario

ROUGH_PATIENTS = 1_000
QUICK = "Give a rough answer in seconds, marked as rough: 10 parameter sets, 1,000 patients, 1 replication."
EXPLORER = "Also write explorer.html, a page with sliders of the same scenarios and parameter sets, next to the report."
FIT = "Also print every reported figure next to the simulated one. (The report has them in any case.)"
DIFF = "Also print what the scenarios declare differently."
EVENT_LOG = (
    "Also write the events of the first parameter set as csv (process mining), xes, ocel (OCEL 2.0) or vidigi; several "
    "with commas between. Includes --histories."
)
ORIGIN = "The date of month 0 in event logs. [default: 2026-01-01]"
EXCEL = "Also write results.xlsx, a workbook with a chart (needs the extra office)."
PDF = "Also write summary.pdf, one sheet (needs Chromium or Chrome)."
HISTORIES = "Also write histories.csv: every event (and request) of the first parameter set."


@dataclass
class Options(options.Simulation):
    """The options of `run` and `compare`."""

    margin: Annotated[
        float,
        option("N", "A policy is called worthwhile from N more survivors per 100 on, at the month of the answer."),
    ] = 5.0
    fit: Annotated[bool, flag("--fit", FIT)] = False
    quick: Annotated[bool, flag("--quick", QUICK)] = False
    yes: options.Yes = False
    histories: Annotated[bool, flag("--histories", HISTORIES)] = False
    event_log: Annotated[str | None, option("FORMAT[,FORMAT]", EVENT_LOG)] = None
    origin: Annotated[str | None, option("DATE", ORIGIN)] = None
    excel: Annotated[bool, flag("--excel", EXCEL)] = False
    pdf: Annotated[bool, flag("--pdf", PDF)] = False
    open_: options.Open = False
    quiet: options.Quiet = False

    def settings(self) -> Settings:
        histories = self.histories or self.event_log is not None
        settings = replace(super().settings(), margin=self.margin, histories=histories)
        if not self.quick:
            return settings
        patients = ROUGH_PATIENTS if self.patients is None else self.patients
        return replace(settings, patients=patients, replications=1, rough=True)


def run(scenario: options.Scenario, chosen: Options) -> None:
    """Simulate one scenario."""
    _simulate([scenario], chosen)


def compare(
    base: Annotated[str, argument("BASE", "The scenario that the others are compared with.", completed)],
    others: Annotated[list[str], argument("OTHER", options.SCENARIO, completed)],
    chosen: Options,
    diff: Annotated[bool, flag("--diff", DIFF)] = False,
) -> None:
    """Simulate scenarios and compare them with the first."""
    _simulate([base, *others], chosen, diff=diff)


def _simulate(names: Sequence[str], chosen: Options, *, diff: bool = False) -> None:
    from simulator.scenario.scenario import check_names, load_scenario

    scenarios = [load_scenario(name) for name in names]
    check_names(scenarios)
    simulated(scenarios, chosen, "-vs-".join(scenario.name for scenario in scenarios[:2]), diff=diff)


def simulated(
    scenarios: Sequence[Scenario],
    chosen: Options,
    name: str,
    ask: Callable[[Results], None] | None = None,
    *,
    diff: bool = False,
) -> None:
    """Run scenarios, write the folder and print the results.

    name : of the folder; ask : called with the results before they are written, to make them answer another question
    diff : also print what the scenarios declare differently
    """
    from simulator.evidence.cohort import load_cohort
    from simulator.execution import Pool
    from simulator.experiment import cost, events
    from simulator.experiment import run as experiment
    from simulator.experiment.manifest import ROUGH
    from simulator.outcomes.labels import labelled
    from simulator.report import run_folder, workbook
    from simulator.report.json import as_json
    from simulator.report.tables import run as tables

    options.print_staleness(scenarios[0].pathway)
    if chosen.excel:
        workbook.check_installed()
    logged = _event_logs(chosen)
    if chosen.histories or logged:
        where = "--event-log" if logged else "--histories"
        chosen = replace(chosen, engine=events.engine(chosen.engine, scenarios, where))
    settings = chosen.settings()
    report_loads = None if chosen.quiet else _print_offered_loads

    def work(advance: Progress) -> Results:
        if not chosen.yes:
            cost.check_run(scenarios, settings)
        results = experiment.simulate(scenarios, settings, advance, report_loads, pool)
        if ask is not None:
            ask(results)
        if logged:
            results.manifest["event_log"] = logged
        return results

    def write(results: Results, folder: Path) -> None:
        if logged:
            results.write_event_log(folder, logged["formats"], origin=logged["origin"])
        run_folder.write(results, folder, pool=pool, excel=chosen.excel, pdf=chosen.pdf)

    with Pool(settings.jobs) as pool:
        folder = name + "-rough" * chosen.quick
        results, out = output.written(chosen, folder, work, write)
    if chosen.patients is not None and results.manifest["engine"] == "exact" and not chosen.quiet:
        typer.echo("The exact engine simulates no individual patients, so --patients has no effect.", err=True)
    if chosen.json and results.is_rough:
        typer.echo(ROUGH, err=True)
    cohort, table = load_cohort(scenarios[0].pathway), results.outcomes if ask is None else results.service
    assert table is not None
    if chosen.pdf:
        _print_absence(out)
    report = tables.report(results, cohort, fit=chosen.fit, diff=diff)
    output.print_results(chosen, out, report, json=lambda: as_json(labelled(table, scenarios[0].pathway)))
    if chosen.open_:
        _open_page(out / "report.html")


def _event_logs(chosen: Options) -> dict[str, Any]:
    """Return the formats of event logs and the date of month 0; nothing without `--event-log`. Raises InputError."""
    from simulator.errors import InputError
    from simulator.experiment.event_logs import formats, log

    if chosen.event_log is None:
        if chosen.origin is not None:
            allowed = "next to --event-log, whose dates it sets"
            raise InputError("a date without an event log", where="--origin", got=chosen.origin, allowed=allowed)
        return {}
    origin = log.read_origin(log.ORIGIN if chosen.origin is None else chosen.origin, "--origin")
    return {"formats": formats.read_formats(chosen.event_log, "--event-log"), "origin": origin.isoformat()}


def _print_offered_loads(scenario: Scenario, loads: dict[str, Floats]) -> None:
    """Print the mean offered load of each resource, and the number of parameter sets in which it is 1 or more."""
    for resource, load in loads.items():
        label = scenario.pathway.resources[resource].label
        over = int((load >= 1.0).sum())
        sets = f", and 100 % or more in {over} of {load.size} parameter sets" if 0 < over < load.size else ""
        typer.echo(f"{scenario.name}: demand for {label} is {100 * load.mean():.0f} % of capacity{sets}", err=True)


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a run.")],
    explorer: Annotated[bool, flag("--explorer", EXPLORER)] = False,
    excel: Annotated[bool, flag("--excel", EXCEL)] = False,
    pdf: Annotated[bool, flag("--pdf", PDF)] = False,
    open_: options.Open = False,
) -> None:
    """Make the figures and report.html of a run again."""
    from simulator.report import run_folder

    page = run_folder.write_again(folder, explorer=explorer, excel=excel, pdf=pdf)
    typer.echo(f"Report: {visible(str(page))}")
    if pdf:
        _print_absence(page.parent)
    if open_:
        _open_page(page)


def _print_absence(folder: Path) -> None:
    """Print on standard error why there is no summary, if there is none."""
    from simulator.report import summary

    if why := summary.why_absent(folder):
        typer.echo(why, err=True)


def _open_page(page: Path) -> None:
    """Open a page in the reader's program for pages; where there is none, over a network for example, say so."""
    if typer.launch(str(page)):
        typer.echo(f"aftercart: no browser could be opened; open the report yourself: {page}", err=True)
