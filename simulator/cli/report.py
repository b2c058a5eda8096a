"""`aftercart report`: the report of a run, made again from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder.")],
) -> None:
    """Make a run's figures and report.html again."""
    from simulator import report as reporting

    typer.echo(f"Report: {reporting.write_again(folder)}")
