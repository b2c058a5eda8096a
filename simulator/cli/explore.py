"""`aftercart explore`: a page with sliders, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli import options, progress
from simulator.cli.options import argument, completed, flag, option
from simulator.plain_text import visible

CHOOSE = (
    "A time or a hazard ratio with up to four solved values to choose from, as wait_median=0.5,2: written as for "
    "sweep. May be repeated."
)
CENTRE = "The centre that a table of waits is simulated for, with one --choose of its beds, as beds=1..3."
OUT = "The file to write; it replaces one of this name."


def explore(
    base: Annotated[str, argument("BASE", "The scenario that the page starts from.", completed)] = "baseline",
    others: Annotated[list[str] | None, argument("OTHER", "Scenarios that the page can be set to.", completed)] = None,
    choose: Annotated[list[str] | None, option("NAME=VALUES", CHOOSE)] = None,
    centre: Annotated[str | None, option("SCENARIO", CENTRE)] = None,
    out: Annotated[Path, option("FILE", OUT)] = Path("explorer.html"),
    draws: Annotated[
        int | None, option("N", "Use the first N parameter sets. [default: up to 400, as fit into 3 MB]")
    ] = None,
    horizon: Annotated[float, option("MONTHS", "Months shown from the start of the default clock.")] = 60.0,
    seed: Annotated[int, option("N", "Of the random settings in which the page is compared with the engine.")] = 1,
    open_: options.Open = False,
    quiet: Annotated[bool, flag("--quiet -q", "Print only the file.")] = False,
) -> None:
    """Make a page with sliders that needs no network."""
    from simulator.explorer import making
    from simulator.scenario.scenario import load_scenario

    scenarios = [load_scenario(name) for name in (base, *(others or ()))]
    options.print_staleness(scenarios[0].pathway)
    with progress.displayed("solving", quiet=quiet) as advance:
        made = making.make(
            scenarios,
            out,
            choices=choose or (),
            centre=None if centre is None else load_scenario(centre),
            draws=draws,
            horizon=horizon,
            seed=seed,
            progress=advance,
        )
    if not quiet:
        typer.echo(made.sentence)
    typer.echo(f"File: {visible(str(out))}")
    if open_ and not typer.launch(str(out)):
        typer.echo(f"aftercart: no browser could be opened; open the page yourself: {out}", err=True)
