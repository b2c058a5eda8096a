"""`aftercart verify`: the engines against each other and against themselves, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from simulator.cli import progress


def verify(
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress, no table: only how many checks passed.")
    ] = False,
) -> None:
    """Check the engines on every pathway and scenario."""
    from simulator import verify as verification
    from simulator.cli import tables
    from simulator.errors import AftercartError

    with progress.shown("verifying", quiet=quiet) as advance:
        checks = list(verification.checks(advance))
    if not quiet:
        tables.console().print(tables.of_checks(checks))
    failed = [f"{each.subject}: {each.law}" for each in checks if not each.passed]
    if failed:
        raise AftercartError(f"{len(failed)} of {len(checks)} checks failed: {'; '.join(failed)}")
    tables.console().print(f"{len(checks)} checks passed.")
