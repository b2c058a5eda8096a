"""`aftercart sweep`: one scenario over a grid of values, to a folder of one tidy table and its figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import folder, options, progress

if TYPE_CHECKING:
    from simulator.sweeps.run import Sweep

VARY = "A parameter, resource, marginal_benefit, [service] key, scale.NAME, odds_ratio.NAME or hazard_ratio.STATE.NAME."
Vary = Annotated[
    list[str],
    typer.Option(metavar="NAME=VALUES", help=f"{VARY} Values: 0.5,0.7,0.9, 1..6 or 0.5..0.9..0.1. May be repeated."),
]


def sweep(
    scenario: options.Scenario,
    vary: Vary,
    engine: options.Engine = "auto",
    patients: options.Patients = None,
    draws: options.Draws = None,
    seed: options.Seed = 1,
    horizon: options.Horizon = 120.0,
    out: options.Out = None,
    json: Annotated[bool, typer.Option("--json", help="Print the table as JSON and nothing else.")] = False,
    jobs: options.Jobs = None,
    replications: options.Replications = 4,
    overload: options.Overload = False,
    yes: options.Yes = False,
    quiet: options.Quiet = False,
) -> None:
    """Simulate a scenario over a grid of values.

    Each cell keeps the scenario's own marginal_benefit: no other is shown unless it is varied.
    """
    from simulator import experiment, workers
    from simulator.scenario import load_scenario
    from simulator.sweeps import axis
    from simulator.sweeps.run import sweep as simulate

    varied, loaded = axis.split(vary), load_scenario(scenario)
    out = out or folder.default(f"{loaded.name}-sweep")
    with folder.filled(out) as unfinished, progress.shown("simulating", quiet=quiet) as advance:
        found = simulate(
            loaded,
            varied,
            yes=yes,
            progress=advance,
            engine=engine,
            patients=experiment.Settings.patients if patients is None else patients,
            draws=draws,
            seed=seed,
            horizon=horizon,
            jobs=workers.cores() if jobs is None else jobs,
            replications=replications,
            overload=overload,
        )
        found.write(unfinished)
        if advance is not None:
            advance(1, 1, "drawing")
        _draw(found, unfinished)
    options.tell_staleness(found.scenario.pathway)
    _tell(found, out, json=json, quiet=quiet)


def _draw(found: Sweep, into: Path) -> None:
    from simulator.cohort import load_cohort
    from simulator.figures import gallery, sweep_gallery

    gallery.save(sweep_gallery.pictures(found, load_cohort(found.scenario.pathway)), into)


def _tell(found: Sweep, out: Path, *, json: bool, quiet: bool) -> None:
    from simulator.cli import sweep_tables, tables
    from simulator.sweeps.answer import answer

    where = f"Files: {out}"
    if json:
        typer.echo(tables.as_json(found.table))
        if not quiet:
            typer.echo(where, err=True)
        return
    console = tables.console()
    if quiet:
        console.print(answer(found))
    else:
        sweep_tables.show(found, console)
    console.print(where, soft_wrap=True)
