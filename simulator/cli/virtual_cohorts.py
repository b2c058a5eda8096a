"""`aftercart guarantee-time` and `aftercart virtual-cohorts`: what a cohort of some tens of patients can show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli import folder, options, progress

if TYPE_CHECKING:
    import pandas as pd

    from simulator.analyses.virtual_cohorts.settings import Settings
    from simulator.figures.gallery import Picture

Patients = Annotated[
    int | None,
    typer.Option(
        "--n", metavar="N", help="Patients a cohort, or an arm. [default: those of the calibrated cohort, else 100]"
    ),
]
Cohorts = Annotated[int, typer.Option(metavar="N", help="Cohorts in all, dealt out to the draws.")]
Draws = Annotated[int | None, typer.Option(metavar="N", help="The first N posterior draws. [default: up to 50]")]
Engine = Annotated[str, typer.Option(metavar="NAME", help="auto, microsim or des: it takes patients.")]
Group = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="A group that another has not entered. [default: as the pathway declares]"),
]
Landmarks = Annotated[
    str | None,
    typer.Option(
        metavar="MONTHS", help="Up to three, comma between; before survival answers. [default: as the pathway declares]"
    ),
]
MILESTONE = "[default: the first shipped one in which a treatment changes nothing]"
Json = Annotated[bool, typer.Option("--json", help="Print the table as JSON and nothing else.")]


def guarantee_time(
    scenario: Annotated[
        str | None,
        typer.Argument(
            metavar="[SCENARIO]", help=f"{options.SCENARIO} {MILESTONE}", autocompletion=options.completed
        ),
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
    """Show immortal-time bias: patients with and without a treatment compared, naively and correctly."""
    from simulator.analyses.virtual_cohorts import files
    from simulator.analyses.virtual_cohorts import immortal_time as guarantee
    from simulator.scenario.scenario import load_scenario
    from simulator.wording import virtual_cohorts as answers

    loaded = load_scenario(_milestone() if scenario is None else scenario)
    settings = _settings(n, cohorts, draws, seed, engine, horizon, jobs)
    options.tell_staleness(loaded.pathway)
    months = None if landmarks is None else _months(landmarks)
    out = out or folder.default(f"{loaded.name}-guarantee-time")
    with folder.filled(out) as unfinished, progress.shown("simulating", quiet=quiet) as advance:
        found = guarantee.immortal_time(
            loaded, group=group, landmarks=months, yes=yes, progress=advance, settings=settings
        )
        files.write_immortal_time(found, unfinished)
        advance(1, 1, "drawing")
        _draw(lambda: [_guarantee_figure(found)], unfinished)
    _tell(answers.immortal_time(found), found, found.analyses, out, json=json, quiet=quiet)


def virtual_cohorts(
    scenario: options.Scenario,
    other: Annotated[str | None, typer.Argument(metavar="[OTHER]", help="What it is compared with.")] = None,
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
    """Simulate many cohorts of n patients: how far apart they are, and with what power they tell two policies apart."""
    from simulator.analyses.virtual_cohorts import files
    from simulator.analyses.virtual_cohorts import power as virtual
    from simulator.scenario.scenario import load_scenario
    from simulator.wording import virtual_cohorts as answers

    loaded, settings = load_scenario(scenario), _settings(n, cohorts, draws, seed, engine, horizon, jobs)
    options.tell_staleness(loaded.pathway)
    compared = None if other is None else load_scenario(other)
    out = out or folder.default(f"{loaded.name}-virtual-cohorts")
    with folder.filled(out) as unfinished, progress.shown("simulating", quiet=quiet) as advance:
        found = virtual.virtual_cohorts(loaded, compared, yes=yes, progress=advance, settings=settings)
        files.write_cohorts(found, unfinished)
        advance(1, 1, "drawing")
        _draw(lambda: _cohort_figures(found), unfinished)
    table = found.cohorts if found.power is None else found.power
    _tell(answers.cohorts(found), found, table, out, json=json, quiet=quiet)


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
        months = [float(each) for each in landmarks.split(",")]
    except ValueError:
        raise InputError("not months", where="--landmarks", got=landmarks, allowed="as 3,6") from None
    if len(set(months)) > 3:
        raise InputError("too many", where="--landmarks", got=landmarks, allowed="up to three months")
    return months


def _draw(pictures: Callable[[], list[Picture]], into: Path) -> None:
    from simulator.figures import gallery

    gallery.save(pictures(), into)


def _guarantee_figure(found: Any) -> Picture:
    from simulator.figures.analyses import immortal_time as guarantee_time

    return guarantee_time.picture(found)


def _cohort_figures(found: Any) -> list[Picture]:
    from simulator.figures.analyses import virtual_cohorts

    return virtual_cohorts.pictures(found)


def _tell(answer: str, found: Any, table: pd.DataFrame, out: Path, *, json: bool, quiet: bool) -> None:
    from simulator.report import terminal
    from simulator.report.tables import display
    from simulator.report.tables import virtual_cohorts as virtual_tables

    where = f"Files: {out}"
    if json:
        typer.echo(display.as_json(table))
        if not quiet:
            typer.echo(where, err=True)
        return
    console = terminal.console()
    console.print(answer)
    if not quiet:
        virtual_tables.show(found, console)
    console.print(where, soft_wrap=True)
