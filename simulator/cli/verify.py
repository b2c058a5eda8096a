"""`aftercart verify`: the engines against each other and against closed forms, on this machine."""

from __future__ import annotations

from simulator.cli import options


def verify(quiet: options.Quiet = False) -> None:
    """Check the engines against each other and against closed forms; exit 1 if any check fails."""
    from simulator import verify as verification
    from simulator.cli import tables
    from simulator.errors import AftercartError

    made = tables.table("check", "found", "allowed", "", numbers=2)
    failed = []
    for each in verification.checks():
        tables.add(made, each.name, each.found, each.allowed, "ok" if each.passed else "FAILED")
        if not each.passed:
            failed.append(each.name)
    if not quiet:
        tables.console().print(made)
    if failed:
        raise AftercartError(f"{len(failed)} checks failed: {', '.join(failed)}")
