"""`aftercart guarantee-time` and `aftercart virtual-cohorts`: the power of a cohort of some tens of patients."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from simulator.cli import options, output
from simulator.cli.options import argument, completed, option

if TYPE_CHECKING:
    from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime
    from simulator.analyses.virtual_cohorts.power import VirtualCohorts
    from simulator.analyses.virtual_cohorts.settings import Settings

N = "Patients per cohort or arm. [default: size of the calibrated cohort, else 100]"
ENGINE = "auto, microsim or des (engines that simulate patients)."
GROUP = "The group to compare with patients who did not enter it. [default: as the pathway declares]"
LANDMARKS = "Up to three, separated by commas, before the month of the answer. [default: as the pathway declares]"
MILESTONE = "[default: the first shipped scenario in which a treatment has no effect]"


def completed_engine(begun: str) -> list[str]:
    """Return the engines with patients whose names start with `begun`."""
    return [name for name in options.completed_engine(begun) if name != "exact"]


@dataclass
class Options:
    """The options of both commands."""

    n: Annotated[int | None, option("N", N, "--n")] = None
    cohorts: Annotated[int, option("N", "Number of cohorts, spread evenly over the parameter sets.")] = 1000
    draws: Annotated[int | None, option("N", "Use the first N parameter sets. [default: up to 50]")] = None
    seed: options.Seed = 1
    engine: Annotated[str, option("NAME", ENGINE, completion=completed_engine)] = "auto"
    horizon: options.Horizon = 120.0
    out: options.Out = None
    json: options.JsonTable = False
    jobs: options.Jobs = None
    quiet: options.Quiet = False
    yes: options.Yes = False

    def settings(self) -> Settings:
        """Return the settings of a run. Raises InputError."""
        from simulator.analyses.virtual_cohorts.settings import Settings

        jobs = options.processes(self.jobs)
        return Settings(self.n, self.cohorts, self.draws, self.seed, self.engine, self.horizon, jobs)


def guarantee_time(
    scenario: Annotated[str | None, argument("SCENARIO", f"{options.SCENARIO} {MILESTONE}", completed)] = None,
    group: Annotated[str | None, option("NAME", GROUP)] = None,
    landmarks: Annotated[str | None, option("MONTHS", LANDMARKS)] = None,
    *,
    chosen: Options,
) -> None:
    """Show guarantee-time (immortal-time) bias.

    Patients with and without a treatment are compared, naively and correctly; by default in a world where it has no
    effect."""
    from simulator.analyses.virtual_cohorts.immortal_time import immortal_time
    from simulator.report.json import as_json
    from simulator.report.tables import virtual_cohorts as tables
    from simulator.scenario.scenario import load_scenario

    loaded, settings = load_scenario(_milestone() if scenario is None else scenario), chosen.settings()
    options.print_staleness(loaded.pathway)
    months = None if landmarks is None else _months(landmarks)
    result, out = output.written(
        chosen,
        f"{loaded.name}-guarantee-time",
        lambda advance: immortal_time(
            loaded, group=group, landmarks=months, yes=chosen.yes, progress=advance, settings=settings
        ),
        _draw,
    )
    output.print_results(chosen, out, tables.immortal_time(result), json=lambda: as_json(result.analyses))


def virtual_cohorts(
    scenario: options.Scenario,
    other: Annotated[str | None, argument("OTHER", "The scenario to compare with.", completed)] = None,
    *,
    chosen: Options,
) -> None:
    """Simulate many cohorts of n patients, and their power.

    How much do their results vary, and how often do they distinguish two policies?"""
    from simulator.analyses.virtual_cohorts.power import virtual_cohorts
    from simulator.report.json import as_json
    from simulator.report.tables import virtual_cohorts as tables
    from simulator.scenario.scenario import load_scenario

    loaded, settings = load_scenario(scenario), chosen.settings()
    options.print_staleness(loaded.pathway)
    compared = None if other is None else load_scenario(other)
    result, out = output.written(
        chosen,
        f"{loaded.name}-virtual-cohorts",
        lambda advance: virtual_cohorts(loaded, compared, yes=chosen.yes, progress=advance, settings=settings),
        _draw,
    )
    table = result.cohorts if result.power is None else result.power
    output.print_results(chosen, out, tables.cohorts(result), json=lambda: as_json(table))


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
    from simulator.figures import picture
    from simulator.figures.analyses import immortal_time, virtual_cohorts

    if isinstance(result, ImmortalTime):
        picture.save([immortal_time.picture(result)], into)
    else:
        picture.save(virtual_cohorts.pictures(result), into)
