"""`aftercart story`: one simulated patient's history, under one policy or two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from simulator.cli import options, output
from simulator.cli.options import completed, option
from simulator.cli.virtual_cohorts import ENGINE, completed_engine

if TYPE_CHECKING:
    from simulator.analyses.story import Story
    from simulator.experiment.settings import Settings

PATIENT = "The patient's number. [default: the median survivor; with --versus, the first whose history differs]"
VERSUS = "The scenario to compare with: the same patient under both."
PATIENTS = "Simulated patients per parameter set (not used with [service])."


@dataclass
class Options:
    """The options of a command that follows single patients."""

    engine: Annotated[str, option("NAME", ENGINE, completion=completed_engine)] = "auto"
    patients: Annotated[int, option("N", PATIENTS)] = 1_000
    draws: Annotated[
        int | None, option("N", "Count over the first N parameter sets. [default: 100, or 50 with limited resources]")
    ] = None
    seed: options.Seed = 1
    horizon: options.Horizon = 120.0
    out: options.Out = None
    json: options.JsonTable = False
    jobs: options.Jobs = None
    replications: options.Replications = 4
    overload: options.Overload = False
    quiet: options.Quiet = False

    def settings(self) -> Settings:
        """Return the settings of a run. Raises InputError."""
        from simulator.experiment.settings import Settings

        return Settings(
            engine=self.engine,
            patients=self.patients,
            draws=self.draws,
            seed=self.seed,
            horizon=self.horizon,
            jobs=options.processes(self.jobs),
            replications=self.replications,
            overload=self.overload,
        )


def story(
    scenario: options.Scenario,
    patient: Annotated[int | None, option("N", PATIENT)] = None,
    versus: Annotated[str | None, option("BASE", VERSUS, completion=completed)] = None,
    *,
    chosen: Options,
) -> None:
    """Follow one simulated patient, under one policy or two.

    In words and as a timeline; and how many of 1,000 patients the policy changes."""
    from simulator.analyses import story as stories
    from simulator.report.json import as_json, by_part
    from simulator.report.tables import story as tables
    from simulator.scenario.scenario import load_scenario

    loaded, settings = load_scenario(scenario), chosen.settings()
    options.print_staleness(loaded.pathway)
    base = None if versus is None else load_scenario(versus)
    result, out = output.written(
        chosen,
        f"{loaded.name}-story",
        lambda advance: stories.of(loaded, base, patient=patient, progress=advance, settings=settings),
        _draw,
    )
    parts = {"story": result.events} if result.changes is None else {"story": result.events, "changes": result.changes}
    output.print_results(
        chosen, out, tables.parts(result), json=lambda: as_json(result.events) if base is None else by_part(parts)
    )


def _draw(result: Story, into: Path) -> None:
    from simulator.figures import picture, story

    picture.save(story.pictures(result), into)
