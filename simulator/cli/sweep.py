"""`aftercart sweep`: one scenario over a grid of values, to a folder of one tidy table and its figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import folder, options, output, progress

if TYPE_CHECKING:
    from simulator.analyses.sweep.run import Sweep

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
    json: Annotated[bool, typer.Option("--json", help="Print only the table, as JSON.")] = False,
    jobs: options.Jobs = None,
    replications: options.Replications = 4,
    overload: options.Overload = False,
    yes: options.Yes = False,
    quiet: options.Quiet = False,
) -> None:
    """Simulate a scenario over a grid of values.

    Every cell uses the scenario's own marginal_benefit, unless --vary marginal_benefit=... varies it.
    """
    from simulator.analyses.sweep import axis
    from simulator.analyses.sweep.run import sweep as simulate
    from simulator.experiment.settings import Settings
    from simulator.report.tables import display
    from simulator.report.tables import sweep as tables
    from simulator.scenario.scenario import load_scenario
    from simulator.wording.sweep import answer

    varied, loaded = axis.split(vary), load_scenario(scenario)
    out = out or folder.default(f"{loaded.name}-sweep")
    with folder.filled(out) as unfinished, progress.displayed("simulating", quiet=quiet) as advance:
        result = simulate(
            loaded,
            varied,
            yes=yes,
            progress=advance,
            engine=engine,
            patients=Settings.patients if patients is None else patients,
            draws=draws,
            seed=seed,
            horizon=horizon,
            jobs=options.processes(jobs),
            replications=replications,
            overload=overload,
        )
        result.write(unfinished)
        advance(1, 1, "making figures")
        _draw(result, unfinished)
    options.print_staleness(result.scenario.pathway)
    output.print_results(
        out,
        json=(lambda: display.as_json(result.table)) if json else None,
        answer=lambda console: console.print(answer(result)),
        tables=lambda console: tables.show(result, console),
        quiet=quiet,
    )


def _draw(result: Sweep, into: Path) -> None:
    from simulator.evidence.cohort import load_cohort
    from simulator.figures import gallery
    from simulator.figures.analyses import sweep as sweep_gallery

    gallery.save(sweep_gallery.pictures(result, load_cohort(result.scenario.pathway)), into)
