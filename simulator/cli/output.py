"""The output of a command that has written a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console


def print_results(
    out: Path,
    *,
    json: Callable[[], str] | None,
    answer: Callable[[Console], None],
    tables: Callable[[Console], None],
    quiet: bool,
) -> None:
    """Print JSON if it is wanted, else the answer, or unless `quiet` the answer with its tables; then the folder."""
    from simulator.report import terminal

    files = f"Files: {out}"
    if json is not None:
        typer.echo(json())
        if not quiet:
            typer.echo(files, err=True)
        return
    console = terminal.console()
    (answer if quiet else tables)(console)
    console.print(files, soft_wrap=True)
