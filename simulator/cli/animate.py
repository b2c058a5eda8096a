"""`aftercart animate`: a page on which patients move through the pathway, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli import options, progress
from simulator.cli.explore import OUT
from simulator.cli.options import argument, completed, flag, option
from simulator.cli.virtual_cohorts import ENGINE, completed_engine
from simulator.plain_text import visible

PATIENTS = "Simulated patients, up to 1,000 (not used with [service])."
COHORTS = "Virtual cohorts whose curves appear one by one, of the first scenario; 0: none."


def animate(
    scenario: options.Scenario,
    other: Annotated[str | None, argument("OTHER", "A scenario to show side by side.", completed)] = None,
    out: Annotated[Path, option("FILE", OUT)] = Path("animation.html"),
    patients: Annotated[int, option("N", PATIENTS)] = 300,
    cohorts: Annotated[int, option("N", COHORTS)] = 20,
    horizon: Annotated[float, option("MONTHS", "Months shown.")] = 60.0,
    engine: Annotated[str, option("NAME", ENGINE, completion=completed_engine)] = "auto",
    seed: options.Seed = 1,
    overload: options.Overload = False,
    open_: options.Open = False,
    quiet: Annotated[bool, flag("--quiet -q", "Print only the file.")] = False,
) -> None:
    """Make a page on which patients move about.

    Simulated patients pass through the drawn pathway. Two scenarios are shown in step. One file, no network."""
    from simulator.experiment.settings import Settings
    from simulator.report.animation import making
    from simulator.scenario.scenario import load_scenario

    scenarios = [load_scenario(name) for name in (scenario, other) if name is not None]
    options.print_staleness(scenarios[0].pathway)
    settings = Settings(engine=engine, patients=patients, seed=seed, horizon=horizon, overload=overload)
    with progress.displayed("simulating", quiet=quiet) as advance:
        size = making.make(scenarios, out, settings=settings, n_cohorts=cohorts, progress=advance)
    if not quiet:
        without = " Without virtual cohorts, which cannot have limited resources or arrivals."
        words = without if cohorts and scenarios[0].is_limited else ""
        typer.echo(f"Simulated patients of one parameter set, {size / 1e3:,.0f} kB.{words}")
    typer.echo(f"File: {visible(str(out))}")
    if open_ and not typer.launch(str(out)):
        typer.echo(f"aftercart: no browser could be opened; open the page yourself: {out}", err=True)
