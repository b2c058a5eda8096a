"""The command line, a module a command. What a command needs is imported when it runs: help is at once."""

import sys

STOPPED_BY_TYPER = 130


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 unusable input."""
    try:
        from simulator.cli.application import run

        status = run()
    except KeyboardInterrupt:
        status = STOPPED_BY_TYPER
    if status == STOPPED_BY_TYPER:
        # Ctrl-C before a command began, while modules were still being imported.
        print("aftercart: stopped", file=sys.stderr)
        status = 1
    sys.exit(status)
