"""`aftercart verify`: the engines against each other and against known laws, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from simulator.cli import progress


def verify(
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only how many checks passed.")
    ] = False,
) -> None:
    """Check the engines against one another and against known laws."""
    from simulator.analyses import verification
    from simulator.errors import AftercartError
    from simulator.report import terminal
    from simulator.report.tables import display

    with progress.displayed("verifying", quiet=quiet) as advance:
        checks = list(verification.checks(advance))
    if not quiet:
        terminal.console().print(display.of_checks(checks))
    failed = [f"{check.subject}: {check.law}" for check in checks if not check.passed]
    if failed:
        raise AftercartError(f"{len(failed)} of {len(checks)} checks failed: {'; '.join(failed)}")
    terminal.console().print(f"{len(checks)} checks passed.")
