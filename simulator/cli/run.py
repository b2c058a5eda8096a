"""`aftercart run` and `aftercart compare`: from scenarios to a folder of tables, figures and a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.arrays import Floats
from simulator.cli import folder, options, progress

if TYPE_CHECKING:

    from simulator.evidence.cohort import Cohort
    from simulator.experiment.results import Results
    from simulator.scenario.scenario import Scenario

def run(
    scenario: options.Scenario,
    engine: options.Engine = "auto",
    patients: options.Patients = None,
    draws: options.Draws = None,
    seed: options.Seed = 1,
    horizon: options.Horizon = 120.0,
    out: options.Out = None,
    json: options.Json = False,
    jobs: options.Jobs = None,
    replications: options.Replications = 4,
    overload: options.Overload = False,
    margin: options.Margin = 5.0,
    quick: options.Quick = False,
    yes: options.Yes = False,
    histories: options.Histories = False,
    open_: options.Open = False,
    quiet: options.Quiet = False,
) -> None:
    """Simulate one scenario."""
    settings: dict[str, Any] = {"engine": engine, "patients": patients, "draws": draws, "seed": seed}
    settings |= {"horizon": horizon, "jobs": jobs, "replications": replications, "overload": overload}
    settings |= {"margin": margin, "rough": quick}
    into = _simulate([scenario], settings, out=out, json=json, quiet=quiet, histories=histories, yes=yes)
    if open_:
        options.open_page(into / "report.html")


def compare(
    base: Annotated[
        str,
        typer.Argument(
            metavar="BASE", help="What the others are compared with.", autocompletion=options.completed
        ),
    ],
    others: Annotated[
        list[str], typer.Argument(metavar="OTHER", help=options.SCENARIO, autocompletion=options.completed)
    ],
    engine: options.Engine = "auto",
    patients: options.Patients = None,
    draws: options.Draws = None,
    seed: options.Seed = 1,
    horizon: options.Horizon = 120.0,
    out: options.Out = None,
    json: options.Json = False,
    jobs: options.Jobs = None,
    replications: options.Replications = 4,
    overload: options.Overload = False,
    margin: options.Margin = 5.0,
    quick: options.Quick = False,
    yes: options.Yes = False,
    histories: options.Histories = False,
    open_: options.Open = False,
    quiet: options.Quiet = False,
) -> None:
    """Simulate scenarios and tell their differences to the first."""
    settings: dict[str, Any] = {"engine": engine, "patients": patients, "draws": draws, "seed": seed}
    settings |= {"horizon": horizon, "jobs": jobs, "replications": replications, "overload": overload}
    settings |= {"margin": margin, "rough": quick}
    into = _simulate([base, *others], settings, out=out, json=json, quiet=quiet, histories=histories, yes=yes)
    if open_:
        options.open_page(into / "report.html")


def _simulate(
    names: Sequence[str],
    settings: dict[str, Any],
    *,
    out: Path | None,
    json: bool,
    quiet: bool,
    histories: bool,
    yes: bool,
) -> Path:
    """Run scenarios and print what comes of it; return the folder."""
    from simulator.evidence.cohort import load_cohort
    from simulator.experiment import cost, events
    from simulator.experiment import run as experiment
    from simulator.experiment.settings import Settings
    from simulator.report import run_folder
    from simulator.scenario.scenario import check_names, load_scenario

    scenarios = [load_scenario(name) for name in names]
    check_names(scenarios)
    options.tell_staleness(scenarios[0].pathway)
    if histories:
        settings["engine"] = events.engine(settings["engine"], scenarios)
    patients = settings["patients"]
    settings["jobs"] = options.processes(settings["jobs"])
    if patients is None:
        settings["patients"] = options.ROUGH_PATIENTS if settings["rough"] else Settings.patients
    if settings["rough"]:
        settings["replications"] = 1
    out = out or folder.default("-vs-".join(scenario.name for scenario in scenarios[:2]) + "-rough" * settings["rough"])
    with folder.filled(out) as unfinished, progress.shown("simulating", quiet=quiet) as advance:
        if not yes:
            cost.check_run(scenarios, Settings.of(settings))
        tell_load = None if quiet else _tell_load
        results = experiment.compare(*scenarios, progress=advance, report_load=tell_load, **settings)
        results.write(unfinished)
        advance(1, 1, "drawing")
        run_folder.write(results, unfinished)
        if histories:
            events.write(results, unfinished)
    if patients is not None and results.manifest["engine"] == "exact" and not quiet:
        typer.echo("The exact engine has no simulated patients: --patients is not used.", err=True)
    _tell(results, load_cohort(scenarios[0].pathway), out, json=json, quiet=quiet)
    return out


def _tell_load(scenario: Scenario, loads: dict[str, Floats]) -> None:
    """Say before anything runs how much is asked for of what there is, and in how many draws it is too much."""
    for resource, load in loads.items():
        label = scenario.pathway.resources[resource].label
        over = int((load >= 1.0).sum())
        draws = f", 1 or more in {over} of {load.size} draws" if 0 < over < load.size else ""
        typer.echo(f"{scenario.name}: offered load of {label} {load.mean():.2f} (asked for / there){draws}", err=True)


def _tell(results: Results, cohort: Cohort | None, out: Path, *, json: bool, quiet: bool) -> None:
    from simulator.experiment.manifest import ROUGH
    from simulator.report import terminal
    from simulator.report.tables import display

    where = f"Files: {out}"
    if json:
        if results.is_rough:
            typer.echo(ROUGH, err=True)
        typer.echo(display.as_json(results.outcomes))
        if not quiet:
            typer.echo(where, err=True)
        return
    console = terminal.console()
    if quiet:
        display.show_answer(results, console)
    else:
        display.show(results, cohort, console)
    console.print(where, soft_wrap=True)
