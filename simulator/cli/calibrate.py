"""`aftercart calibrate`: from a cohort's reported figures to draws of its parameters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import folder, options, progress
from simulator.cli.options import flag, option
from simulator.plain_text import visible

if TYPE_CHECKING:
    from calibration.likelihood.targets import Targets

STRUCTURES = (
    "Fit the other structures of cohort.toml instead, and write structure.csv: how far each moves the survival under "
    "every shipped policy. After a stop, the same command continues."
)


def calibrate(
    cohort: options.Cohort,
    out: Annotated[
        Path | None, option("DIR", "A new or empty folder for the files. [default: the cohort's own]")
    ] = None,
    seed: Annotated[int | None, option("N", "The same seed gives the same draws. [default: the cohort's own]")] = None,
    points: Annotated[
        int | None, option("N", "Largest number of points to sample. [default: 75000; with --structures, 20000]")
    ] = None,
    keep: Annotated[
        bool, flag("--keep-unreliable", "Keep a sample that is not a fit, as unreliable_draws.csv and so on.")
    ] = False,
    structures: Annotated[bool, flag("--structures", STRUCTURES)] = False,
    jobs: options.Jobs = None,
    yes: options.Yes = False,
    quiet: Annotated[bool, flag("--quiet -q", "Print only the folder.")] = False,
) -> None:
    """Fit a pathway to a cohort's reported figures.

    Writes draws.csv, posterior.csv and predictive.csv, by default into the cohort's folder."""
    from calibration import fit
    from calibration.likelihood import targets
    from calibration.likelihood.same_patients import SamePatients
    from simulator.experiment import cost
    from simulator.report import terminal
    from simulator.report.tables.calibration import fitted as report

    using = options.processes(jobs)
    loaded = targets.load_targets(cohort)
    into = out or loaded.folder
    # Minutes of work should not end at a folder that cannot be written.
    folder.check_writable(into)
    if structures:
        if seed is not None:
            loaded = replace(loaded, seed=seed)
        _fit_structures(loaded, into, points, using, keep=keep, yes=yes, quiet=quiet)
        return
    points = fit.POINTS if points is None else points
    if not yes and fit.informs(loaded):
        mixture, sample = (seconds / using for seconds in fit.seconds(loaded, points, cost.timed))
        dials = [cost.Dial("--points", points, fit.USEFUL_POINTS, fixed=mixture)]
        what, quick = "a fit with all these points", "fewer --points or more --jobs take less"
        cost.check_time(mixture + sample, using, dials, what=what, where=loaded.cohort.name, quick=quick)
    filled = folder.kept(into) if into.resolve() == loaded.folder.resolve() else folder.filled(into)
    with filled as unfinished, progress.displayed("calibrating", quiet=quiet) as advance:
        for warning in [*loaded.warnings, *SamePatients(loaded).sentences()]:
            typer.echo(f"aftercart: {warning}", err=True)
        fitted = fit.calibrate(
            cohort,
            out=unfinished,
            jobs=using,
            seed=seed,
            points=points,
            keep=keep,
            progress=lambda stage, done, total: advance(done, total, stage),
        )
    if not quiet:
        terminal.show(report(fitted), terminal.console())
    typer.echo(f"Files: {visible(str(into))}")
    for warning in fitted.warnings():
        typer.echo(f"aftercart: {warning}", err=True)
    if fitted.problems():
        typer.echo(f"aftercart: {fitted.refusal()}", err=True)
        raise typer.Exit(1)


def _fit_structures(
    targets: Targets, into: Path, points: int | None, jobs: int, *, keep: bool, yes: bool, quiet: bool
) -> None:
    from calibration.fit import FEWEST_POINTS
    from calibration.validation.structure_fits import POINTS
    from calibration.validation.structure_table import StructureTable, policies_of, refuse, seconds
    from simulator.experiment import cost
    from simulator.report import terminal
    from simulator.wording import structures as wording

    points = POINTS if points is None else points
    policies = policies_of(targets.pathway)
    refuse(targets, policies, points)
    with progress.displayed("fitting structures", quiet=quiet) as advance, folder.continued(into, "calibrate"):
        made = StructureTable(
            targets, policies, into, jobs, points, keep, lambda stage, done, total: advance(done, total, stage)
        )
        if not yes:
            dials = [cost.Dial("--points", points, FEWEST_POINTS)]
            cost.check_time(seconds(made, cost.timed) / jobs, jobs, dials, what="these fits", where=targets.cohort.name)
        into.mkdir(parents=True, exist_ok=True)
        with folder.kept(into):
            poor = made.make()
    if not quiet:
        terminal.show(wording.of_all(made.table(), targets.cohort, targets.pathway), terminal.console())
    typer.echo(f"Files: {visible(str(into))}")
    if poor:
        table = "in the table although" if keep else "not in the table, since"
        typer.echo(f"aftercart: {table} a few points decide: {', '.join(poor)}. --points takes more", err=True)
        raise typer.Exit(1)
