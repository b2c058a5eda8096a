"""`aftercart check-calibration`: does a calibration find what made the data, and predict what it has not seen?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import folder, options, output, progress
from simulator.cli.options import option

if TYPE_CHECKING:
    from calibration.validation.check import Check


def check_calibration(
    cohort: options.Cohort,
    fits: Annotated[int, option("N", "Number of simulated cohorts to fit.")] = 300,
    out: Annotated[
        Path | None,
        option("DIR", "Folder of the fits, where a stopped check continues. [default: results/COHORT-check]"),
    ] = None,
    seed: Annotated[
        int | None, option("N", "The same seed gives the same numbers. [default: the cohort's own]")
    ] = None,
    jobs: options.Jobs = None,
    yes: options.Yes = False,
    quiet: options.Quiet = False,
) -> None:
    """Check a cohort's calibration on simulated cohorts.

    Each of its figures is predicted by a fit to the others, too. After a stop, the same command continues. The exit
    status is 1 if a check fails."""
    from calibration.likelihood.same_patients import SamePatients
    from calibration.likelihood.targets import load_targets
    from calibration.validation import check
    from simulator.experiment import cost
    from simulator.report.tables.calibration import checked

    using = options.processes(jobs)
    targets = load_targets(cohort)
    if seed is not None:
        targets = replace(targets, seed=seed)
    into = out or Path("results") / folder.safe(f"{targets.cohort.name}-check")
    folder.check_writable(into)
    check.refuse(targets, into, fits)
    if not yes:
        fitting, leaving_out = check.seconds(targets, into, fits, cost.timed)
        # Fewer fits shorten only the fits' own time.
        dials = [cost.Dial("--fits", fits, 20)] if leaving_out < cost.SUGGESTED else []
        cost.check_time(fitting / using + leaving_out, using, dials, what="this check", where=targets.cohort.name)
    with folder.continued(into, "check-calibration"):
        with progress.displayed("checking", quiet=quiet) as advance:
            result = check.check(targets, into, fits=fits, jobs=using, progress=advance)
        result.write(into)
        if len(result.ranks):
            _draw(result, into)
    for warning in SamePatients(targets).sentences():
        typer.echo(f"aftercart: {warning}", err=True)
    output.print_report(into, checked(result), quiet=quiet)
    if result.failures():
        raise typer.Exit(1)


def _draw(check: Check, into: Path) -> None:
    from calibration.validation.ecdf_bands import FALSE_ALARM, band, ecdf
    from calibration.validation.ranks import RANKS
    from simulator.figures.calibration import ranks
    from simulator.figures.picture import save

    quantities = len(check.ranks.columns)
    note = f"In {100 * FALSE_ALARM:g} % of checks of a correct calibration, a line leaves the grey somewhere."
    limits = band(len(check.ranks), RANKS, FALSE_ALARM / quantities)
    shares = {str(name): ecdf(check.ranks[name].to_numpy(), RANKS) for name in check.ranks}
    cohort, pathway = check.targets.cohort, check.targets.pathway
    by_rank = ranks.picture(
        shares, limits.z, limits.lower, limits.upper, check.uniformity, note=note, cohort=cohort, pathway=pathway
    )
    save([by_rank, ranks.coverage_picture(check.coverage, note=note, cohort=cohort, pathway=pathway)], into)
