"""`aftercart report`: the report of a run, remade from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli import options


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a run.")],
    open_: options.Open = False,
) -> None:
    """Make the figures and report.html of a run again."""
    from simulator.report import run_folder

    page = run_folder.write_again(folder)
    typer.echo(f"Report: {page}")
    if open_:
        options.open_page(page)
