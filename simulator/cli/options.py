"""The options that commands share: each is declared once, alone or in a group that commands take together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from simulator.experiment.settings import Settings
    from simulator.pathway.pathway import Pathway

SCENARIO = (
    "A shipped scenario's name (aftercart list), or a TOML file. NAME@0.5: half of its additional patients benefit. "
    "NAME@cohorts: as many benefit as other cohorts suggest."
)

Completion = Callable[[str], list[str]]


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


def option(metavar: str, help: str, *names: str, completion: Completion | None = None) -> Any:
    """Return the declaration of an option with a value."""
    return typer.Option(*names, metavar=metavar, help=help, autocompletion=completion)


def flag(names: str, help: str) -> Any:
    """Return the declaration of an option without a value."""
    return typer.Option(*names.split(), help=help)


def argument(metavar: str, help: str, completion: Completion) -> Any:
    return typer.Argument(metavar=metavar, help=help, autocompletion=completion)


Scenario = Annotated[str, argument("SCENARIO", SCENARIO, completed)]
Cohort = Annotated[str, argument("COHORT", "A shipped cohort's name, or a folder.", completed_cohort)]
Engine = Annotated[
    str,
    option(
        "NAME",
        "auto, exact (no simulation noise), microsim (simple queues) or des (any queues).",
        completion=completed_engine,
    ),
]
Patients = Annotated[
    int | None,
    option("N", "Simulated patients per parameter set (not used by exact, or with [service]). [default: 10000]"),
]
Draws = Annotated[
    int | None,
    option("N", "Use the first N parameter sets. [default: up to 400 (exact), 100, or 50 with limited resources]"),
]
Seed = Annotated[int, option("N", "The same seed gives the same numbers.")]
Horizon = Annotated[float, option("MONTHS", "Months simulated from the start of the default clock.")]
Out = Annotated[Path | None, option("DIR", "A new or empty folder for the files. [default: a new one in results/]")]
Json = Annotated[bool, flag("--json", "Print only the outcomes table, as JSON.")]
JsonTable = Annotated[bool, flag("--json", "Print only the table, as JSON.")]
Jobs = Annotated[int | None, option("N", "Number of processes. [default: all cores]")]
Replications = Annotated[int, option("N", "Repeats per parameter set, where resources are limited.")]
Overload = Annotated[bool, flag("--overload", "Run even if demand exceeds capacity (queues grow without limit).")]
Quiet = Annotated[bool, flag("--quiet -q", "Print only the answer and the folder.")]
Yes = Annotated[bool, flag("--yes", "Start even if the run takes more than about 15 minutes.")]
Open = Annotated[bool, flag("--open", "Open the report at the end.")]


@dataclass
class Simulation:
    """The options of a command that simulates scenarios."""

    engine: Engine = "auto"
    patients: Patients = None
    draws: Draws = None
    seed: Seed = 1
    horizon: Horizon = 120.0
    out: Out = None
    json: Json = False
    jobs: Jobs = None
    replications: Replications = 4
    overload: Overload = False

    def settings(self) -> Settings:
        """Return the settings of a run. Raises InputError."""
        from simulator.experiment.settings import Settings

        return Settings(
            engine=self.engine,
            patients=Settings.patients if self.patients is None else self.patients,
            draws=self.draws,
            seed=self.seed,
            horizon=self.horizon,
            jobs=processes(self.jobs),
            replications=self.replications,
            overload=self.overload,
        )


def with_group(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that takes the options of its group, the parameter `chosen`, one by one, as typer reads them."""
    group = get_type_hints(command).get("chosen")
    if group is None:
        return command
    hints = get_type_hints(group, include_extras=True)
    options = [
        Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name])
        for field in fields(group)
    ]

    @wraps(command)
    def with_options(**values: Any) -> None:
        chosen = group(**{option.name: values.pop(option.name) for option in options})
        command(**values, chosen=chosen)

    others = dict(signature(command, eval_str=True).parameters)
    del others["chosen"]
    with_options.__signature__ = Signature([*others.values(), *options])  # type: ignore[attr-defined]
    return with_options


def print_staleness(pathway: Pathway) -> None:
    """Print a note on standard error if a pathway's draws were fitted to other files than the present ones."""
    from simulator.evidence.draws import staleness

    if note := staleness(pathway):
        typer.echo(f"Note: {note}", err=True)


def processes(jobs: int | None) -> int:
    """Return the number of processes. Raises InputError if it is below one."""
    from simulator.errors import InputError
    from simulator.execution import cores

    if jobs is not None and jobs < 1:
        raise InputError("too few", where="--jobs", got=jobs, allowed="1 or more")
    return jobs or cores()
