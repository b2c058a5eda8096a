"""What a command writes into its folder, and prints: the same for all that simulate or analyse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import typer

from simulator.cli import folder
from simulator.cli.progress import Progress, displayed

if TYPE_CHECKING:
    from rich.console import Console


class Chosen(Protocol):
    """The options of a command that choose its output."""

    out: Path | None
    json: bool
    quiet: bool


class Writable(Protocol):
    """Results that write their tables and their manifest into a folder."""

    def write(self, folder: Path) -> None: ...


Written = TypeVar("Written", bound=Writable)


def written(
    chosen: Chosen,
    name: str,
    work: Callable[[Progress], Written],
    draw: Callable[[Written, Path], None],
    stage: str = "simulating",
) -> tuple[Written, Path]:
    """Return the results of work, and the folder with their files and figures: `--out`, or a new one of a name."""
    out = chosen.out or folder.default(name)
    with folder.filled(out) as unfinished, displayed(stage, quiet=chosen.quiet) as advance:
        results = work(advance)
        results.write(unfinished)
        advance(1, 1, "making figures")
        draw(results, unfinished)
    return results, out


def print_results(
    chosen: Chosen,
    out: Path,
    *,
    json: Callable[[], str],
    answer: Callable[[Console], None],
    tables: Callable[[Console], None],
) -> None:
    """Print JSON if it is chosen, else the answer, or unless `quiet` the answer with its tables; then the folder."""
    from simulator.report import terminal

    files = f"Files: {out}"
    if chosen.json:
        typer.echo(json())
        if not chosen.quiet:
            typer.echo(files, err=True)
        return
    console = terminal.console()
    (answer if chosen.quiet else tables)(console)
    console.print(files, soft_wrap=True)
