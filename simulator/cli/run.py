"""`aftercart run` and `aftercart compare`: from scenarios to a folder of tables, figures and a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli import folder, options, output, progress

if TYPE_CHECKING:
    from simulator.arrays import Floats
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
    _simulate([scenario], settings, out=out, json=json, quiet=quiet, histories=histories, yes=yes, open_=open_)


def compare(
    base: Annotated[
        str,
        typer.Argument(
            metavar="BASE", help="The scenario that the others are compared with.", autocompletion=options.completed
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
    """Simulate scenarios and report the differences from the first."""
    settings: dict[str, Any] = {"engine": engine, "patients": patients, "draws": draws, "seed": seed}
    settings |= {"horizon": horizon, "jobs": jobs, "replications": replications, "overload": overload}
    settings |= {"margin": margin, "rough": quick}
    _simulate([base, *others], settings, out=out, json=json, quiet=quiet, histories=histories, yes=yes, open_=open_)


def _simulate(
    names: Sequence[str],
    settings: dict[str, Any],
    *,
    out: Path | None,
    json: bool,
    quiet: bool,
    histories: bool,
    yes: bool,
    open_: bool,
) -> None:
    """Run scenarios, write the folder and print the results."""
    from simulator.evidence.cohort import load_cohort
    from simulator.experiment import cost, events
    from simulator.experiment import run as experiment
    from simulator.experiment.manifest import ROUGH
    from simulator.experiment.settings import Settings
    from simulator.report import run_folder
    from simulator.report.tables import display
    from simulator.scenario.scenario import check_names, load_scenario

    scenarios = [load_scenario(name) for name in names]
    check_names(scenarios)
    options.print_staleness(scenarios[0].pathway)
    if histories:
        settings["engine"] = events.engine(settings["engine"], scenarios)
    patients = settings["patients"]
    settings["jobs"] = options.processes(settings["jobs"])
    if patients is None:
        settings["patients"] = options.ROUGH_PATIENTS if settings["rough"] else Settings.patients
    if settings["rough"]:
        settings["replications"] = 1
    chosen = Settings(**settings)
    out = out or folder.default("-vs-".join(scenario.name for scenario in scenarios[:2]) + "-rough" * chosen.rough)
    with folder.filled(out) as unfinished, progress.displayed("simulating", quiet=quiet) as advance:
        if not yes:
            cost.check_run(scenarios, chosen)
        results = experiment.simulate(scenarios, chosen, advance, None if quiet else _print_offered_loads)
        results.write(unfinished)
        advance(1, 1, "making figures")
        run_folder.write(results, unfinished)
        if histories:
            events.write(results, unfinished)
    if patients is not None and results.manifest["engine"] == "exact" and not quiet:
        typer.echo("The exact engine simulates no individual patients, so --patients has no effect.", err=True)
    cohort = load_cohort(scenarios[0].pathway)
    if json and results.is_rough:
        typer.echo(ROUGH, err=True)
    output.print_results(
        out,
        json=(lambda: display.as_json(results.outcomes)) if json else None,
        answer=lambda console: display.show_answer(results, console),
        tables=lambda console: display.show(results, cohort, console),
        quiet=quiet,
    )
    if open_:
        options.open_page(out / "report.html")


def _print_offered_loads(scenario: Scenario, loads: dict[str, Floats]) -> None:
    """Print the mean offered load of each resource, and the number of parameter sets in which it is 1 or more."""
    for resource, load in loads.items():
        label = scenario.pathway.resources[resource].label
        over = int((load >= 1.0).sum())
        sets = f", and 100 % or more in {over} of {load.size} parameter sets" if 0 < over < load.size else ""
        typer.echo(f"{scenario.name}: demand for {label} is {100 * load.mean():.0f} % of capacity{sets}", err=True)
