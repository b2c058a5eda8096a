"""What a command writes into its folder, and prints: the same for all that simulate or analyse."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import typer

from simulator.cli import folder
from simulator.cli.progress import Progress, displayed
from simulator.plain_text import visible

if TYPE_CHECKING:
    from simulator.wording.table import Part


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
    draw: Callable[[Written, Path], object],
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


def print_results(chosen: Chosen, out: Path, report: Iterable[Part], *, json: Callable[[], str]) -> None:
    """Print JSON if it is chosen, else a report; then the folder."""
    if not chosen.json:
        print_report(out, report, quiet=chosen.quiet)
        return
    typer.echo(json())
    if not chosen.quiet:
        typer.echo(f"Files: {visible(str(out))}", err=True)


def print_report(out: Path, report: Iterable[Part], *, quiet: bool) -> None:
    """Print a report, or if `quiet` its first part, the answer; then the folder."""
    from simulator.report import terminal

    console = terminal.console()
    terminal.show(islice(report, 1) if quiet else report, console)
    console.print(f"Files: {visible(str(out))}", soft_wrap=True)
