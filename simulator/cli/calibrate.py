"""`aftercart calibrate`: from a cohort's reported figures to draws of its parameters."""

from __future__ import annotations

from typing import Annotated

import typer

from simulator.cli import options, progress


def calibrate(
    cohort: Annotated[str, typer.Argument(metavar="COHORT", help="A shipped cohort's name, or a folder.")],
    out: options.Out = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="[default: the cohort's own]")] = None,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Fit a pathway to a cohort's reported figures; write draws.csv, posterior.csv and predictive.csv."""
    from calibration import fit
    from simulator.cli import tables
    from simulator.errors import AftercartError
    from simulator.experiment import cores

    with progress.shown("calibrating", quiet=quiet) as advance:
        fitted = fit.calibrate(cohort, out=out, jobs=jobs or cores(), seed=seed, progress=advance)
    console = tables.console()
    if not quiet:
        console.print(tables.of_rows(fitted.summary_table()))
    problems = fitted.problems()
    if problems:
        raise AftercartError(f"the fit is not to be trusted: {'; '.join(problems)}")
