"""`aftercart guarantee-time` and `aftercart virtual-cohorts`: the power of a cohort of some tens of patients."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import folder, options, output, progress

if TYPE_CHECKING:
    import pandas as pd

    from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime
    from simulator.analyses.virtual_cohorts.power import VirtualCohorts
    from simulator.analyses.virtual_cohorts.settings import Settings

Patients = Annotated[
    int | None,
    typer.Option(
        "--n", metavar="N", help="Patients per cohort or arm. [default: size of the calibrated cohort, else 100]"
    ),
]
Cohorts = Annotated[int, typer.Option(metavar="N", help="Number of cohorts, spread evenly over the parameter sets.")]
Draws = Annotated[int | None, typer.Option(metavar="N", help="Use the first N parameter sets. [default: up to 50]")]
def completed_engine(begun: str) -> list[str]:
    """Return the engines with patients whose names start with `begun`."""
    return [name for name in options.completed_engine(begun) if name != "exact"]


Engine = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="auto, microsim or des (engines that simulate patients).",
        autocompletion=completed_engine,
    ),
]
Group = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The group to compare with patients who did not enter it. [default: as the pathway declares]",
    ),
]
Landmarks = Annotated[
    str | None,
    typer.Option(
        metavar="MONTHS",
        help="Up to three, separated by commas, before the month of the answer. [default: as the pathway declares]",
    ),
]
MILESTONE = "[default: the first shipped scenario in which a treatment has no effect]"
Json = Annotated[bool, typer.Option("--json", help="Print only the table, as JSON.")]


def guarantee_time(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="[SCENARIO]", help=f"{options.SCENARIO} {MILESTONE}", autocompletion=options.completed),
    ] = None,
    group: Group = None,
    landmarks: Landmarks = None,
    n: Patients = None,
    cohorts: Cohorts = 1000,
    draws: Draws = None,
    seed: options.Seed = 1,
    engine: Engine = "auto",
    horizon: options.Horizon = 120.0,
    out: options.Out = None,
    json: Json = False,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
    yes: options.Yes = False,
) -> None:
    """Show immortal-time bias: compare patients with and without a treatment, naively and correctly."""
    from simulator.analyses.virtual_cohorts import files, immortal_time
    from simulator.scenario.scenario import load_scenario
    from simulator.wording import virtual_cohorts as answers

    loaded = load_scenario(_milestone() if scenario is None else scenario)
    settings = _settings(n, cohorts, draws, seed, engine, horizon, jobs)
    options.print_staleness(loaded.pathway)
    months = None if landmarks is None else _months(landmarks)
    out = out or folder.default(f"{loaded.name}-guarantee-time")
    with folder.filled(out) as unfinished, progress.displayed("simulating", quiet=quiet) as advance:
        result = immortal_time.immortal_time(
            loaded, group=group, landmarks=months, yes=yes, progress=advance, settings=settings
        )
        files.write_immortal_time(result, unfinished)
        advance(1, 1, "making figures")
        _draw(result, unfinished)
    _print(answers.immortal_time(result), result, result.analyses, out, json=json, quiet=quiet)


def virtual_cohorts(
    scenario: options.Scenario,
    other: Annotated[
        str | None,
        typer.Argument(metavar="[OTHER]", help="The scenario to compare with.", autocompletion=options.completed),
    ] = None,
    n: Patients = None,
    cohorts: Cohorts = 1000,
    draws: Draws = None,
    seed: options.Seed = 1,
    engine: Engine = "auto",
    horizon: options.Horizon = 120.0,
    out: options.Out = None,
    json: Json = False,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
    yes: options.Yes = False,
) -> None:
    """Simulate many cohorts of n patients: how much their results vary, and their power to distinguish two policies."""
    from simulator.analyses.virtual_cohorts import files, power
    from simulator.scenario.scenario import load_scenario
    from simulator.wording import virtual_cohorts as answers

    loaded, settings = load_scenario(scenario), _settings(n, cohorts, draws, seed, engine, horizon, jobs)
    options.print_staleness(loaded.pathway)
    compared = None if other is None else load_scenario(other)
    out = out or folder.default(f"{loaded.name}-virtual-cohorts")
    with folder.filled(out) as unfinished, progress.displayed("simulating", quiet=quiet) as advance:
        result = power.virtual_cohorts(loaded, compared, yes=yes, progress=advance, settings=settings)
        files.write_cohorts(result, unfinished)
        advance(1, 1, "making figures")
        _draw(result, unfinished)
    table = result.cohorts if result.power is None else result.power
    _print(answers.cohorts(result), result, table, out, json=json, quiet=quiet)


def _settings(
    n: int | None, cohorts: int, draws: int | None, seed: int, engine: str, horizon: float, jobs: int | None
) -> Settings:
    from simulator.analyses.virtual_cohorts.settings import Settings

    return Settings(n, cohorts, draws, seed, engine, horizon, options.processes(jobs))


def _milestone() -> str:
    """Return the first shipped scenario in which a treatment changes nothing."""
    import scenarios
    from simulator.files import toml

    return next(name for name in scenarios.names() if "milestones" in toml.read(scenarios.path(name)))


def _months(landmarks: str) -> list[float]:
    from simulator.errors import InputError

    try:
        months = [float(month) for month in landmarks.split(",")]
    except ValueError:
        raise InputError(
            "not months", where="--landmarks", got=landmarks, allowed="months separated by commas, as 3,6"
        ) from None
    if len(set(months)) > 3:
        raise InputError("too many landmarks", where="--landmarks", got=landmarks, allowed="up to three months")
    return months


def _draw(result: ImmortalTime | VirtualCohorts, into: Path) -> None:
    from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime
    from simulator.figures import gallery
    from simulator.figures.analyses import immortal_time, virtual_cohorts

    if isinstance(result, ImmortalTime):
        gallery.save([immortal_time.picture(result)], into)
    else:
        gallery.save(virtual_cohorts.pictures(result), into)


def _print(
    answer: str, result: ImmortalTime | VirtualCohorts, table: pd.DataFrame, out: Path, *, json: bool, quiet: bool
) -> None:
    from simulator.report.tables import display
    from simulator.report.tables import virtual_cohorts as tables

    output.print_results(
        out,
        json=(lambda: display.as_json(table)) if json else None,
        answer=lambda console: console.print(answer),
        tables=lambda console: tables.show(result, answer, console),
        quiet=quiet,
    )
