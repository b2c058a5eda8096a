"""`aftercart calibrate`: from a cohort's reported figures to draws of its parameters."""

from __future__ import annotations

from typing import Annotated

import typer

from simulator.cli import folder, options, progress


def calibrate(
    cohort: Annotated[str, typer.Argument(metavar="COHORT", help="A shipped cohort's name, or a folder.")],
    out: options.Out = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="[default: the cohort's own]")] = None,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Fit a pathway to a cohort's reported figures.

    Writes draws.csv, posterior.csv and predictive.csv, by default into the cohort's own folder."""
    from calibration import fit, targets
    from simulator.cli import tables
    from simulator.experiment import cores

    into = out or targets.load_targets(cohort).folder
    # Minutes of work should not end at a folder that cannot be written.
    folder.check_writable(into)
    with progress.shown("calibrating", quiet=quiet) as advance:
        tell = None if advance is None else lambda stage, done, total: advance(done, total, stage)
        fitted = fit.calibrate(cohort, out=out, jobs=jobs or cores(), seed=seed, progress=tell)
    if not quiet:
        tables.show_fit(fitted, tables.console())
    typer.echo(f"Files: {into}")
