"""The options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simulator.pathway.pathway import Pathway

SCENARIO = (
    "A shipped scenario's name (aftercart list), or a TOML file. NAME@0.5: half of its additional patients benefit. "
    "NAME@cohorts: as many benefit as other cohorts suggest."
)


def completed(begun: str) -> list[str]:
    """Return the shipped scenarios whose names start with `begun`, for the shell's completion."""
    import scenarios

    return [name for name in scenarios.names() if name.startswith(begun)]


def completed_cohort(begun: str) -> list[str]:
    """Return the shipped cohorts whose names start with `begun`."""
    from simulator.evidence.cohort import shipped_cohorts

    return [name for name in shipped_cohorts() if name.startswith(begun)]


def completed_engine(begun: str) -> list[str]:
    """Return the engines whose names start with `begun`."""
    from simulator.experiment.engine_choice import ENGINES

    return [name for name in ENGINES if name.startswith(begun)]


Scenario = Annotated[str, typer.Argument(metavar="SCENARIO", help=SCENARIO, autocompletion=completed)]
Cohort = Annotated[
    str, typer.Argument(metavar="COHORT", help="A shipped cohort's name, or a folder.", autocompletion=completed_cohort)
]
Engine = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="auto, exact (no simulation noise), microsim (simple queues) or des (any queues).",
        autocompletion=completed_engine,
    ),
]
Patients = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Simulated patients per parameter set (not used by exact, or with [service]). [default: 10000]",
    ),
]
Draws = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Use the first N parameter sets. [default: up to 400 (exact), 100, or 50 with limited resources]",
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", help="The same seed gives the same numbers.")]
Horizon = Annotated[float, typer.Option(metavar="MONTHS", help="Months simulated from the start of the default clock.")]
Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="A new or empty folder for the files. [default: results/NAME/TIME]"),
]
Json = Annotated[bool, typer.Option("--json", help="Print only the outcomes table, as JSON.")]
Jobs = Annotated[int | None, typer.Option(metavar="N", help="Number of processes. [default: all cores]")]
Replications = Annotated[int, typer.Option(metavar="N", help="Repeats per parameter set, where resources are limited.")]
Overload = Annotated[
    bool, typer.Option("--overload", help="Run even if demand exceeds capacity (queues grow without limit).")
]
Margin = Annotated[
    float,
    typer.Option(metavar="N", help="A policy is worthwhile from N more survivors per 100 at the month of the answer."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the answer and the folder.")]
Yes = Annotated[bool, typer.Option("--yes", help="Start even if the run takes more than about 15 minutes.")]
ROUGH_PATIENTS = 1_000
Quick = Annotated[
    bool,
    typer.Option(
        "--quick",
        help="Give a rough answer in seconds, marked as rough: 10 parameter sets, 1,000 patients, 1 replication.",
    ),
]
Open = Annotated[bool, typer.Option("--open", help="Open the report at the end.")]
Histories = Annotated[
    bool,
    typer.Option("--histories", help="Also write histories.csv: every event (and request) of the first parameter set."),
]


def print_staleness(pathway: Pathway) -> None:
    """Print a note on standard error if a pathway's draws were fitted to other files than the present ones."""
    from simulator.evidence.draws import staleness

    if note := staleness(pathway):
        typer.echo(f"Note: {note}", err=True)


def open_page(page: Path) -> None:
    """Open a page in the reader's program for pages; where there is none, over a network for example, say so."""
    if typer.launch(str(page)):
        typer.echo(f"aftercart: no browser could be opened; open the report yourself: {page}", err=True)


def processes(jobs: int | None) -> int:
    """Return the number of processes. Raises InputError if it is below one."""
    from simulator.errors import InputError
    from simulator.execution import cores

    if jobs is not None and jobs < 1:
        raise InputError("too few", where="--jobs", got=jobs, allowed="1 or more")
    return jobs or cores()
