"""The commands, and the entry point."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from simulator.cli import (
    calibrate,
    check_calibration,
    inspect,
    listing,
    report,
    schema,
    sensitivity,
    sweep,
    validate,
    verify,
    virtual_cohorts,
)
from simulator.cli import (
    run as simulate,
)
from simulator.cli.failures import CtrlC, failures_as_messages
from simulator.experiment.invocation import COMMAND


class Commands(TyperGroup):
    """The commands; every failure ends in a message, never in a traceback."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **settings: Any) -> Any:
        # Manifests record the command.
        COMMAND.set(shlex.join(["aftercart", *(sys.argv[1:] if args is None else args)]))
        return super().main(args, *rest, **settings)

    def invoke(self, ctx: Any) -> Any:
        with failures_as_messages():
            return super().invoke(ctx)


app = typer.Typer(
    name="aftercart",
    cls=Commands,
    epilog="Exit status: 0 done, 1 failed, 2 unusable input.",
    no_args_is_help=True,
    # Plain help comes up twice as fast, and errors stay one message.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"aftercart {version('aftercart')}")
        raise typer.Exit


@app.callback()
def _aftercart(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """What would a policy change for the patients of a treatment pathway?"""


app.command("list")(listing.list_)
app.command("check")(inspect.check)
app.command("run")(simulate.run)
app.command("compare")(simulate.compare)
app.command("sweep")(sweep.sweep)
app.command("virtual-cohorts")(virtual_cohorts.virtual_cohorts)
app.command("guarantee-time")(virtual_cohorts.guarantee_time)
app.command("sensitivity")(sensitivity.sensitivity)
app.command("calibrate")(calibrate.calibrate)
app.command("check-calibration")(check_calibration.check_calibration)
app.command("validate")(validate.validate)
app.command("verify")(verify.verify)
app.command("report")(report.report)
app.command("schema")(schema.schema)


def run() -> int:
    """Run the command of the command line; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Letters that the terminal lacks become question marks instead of a failure.
            stream.reconfigure(errors="replace")
    CtrlC.watch()
    try:
        with failures_as_messages():
            app(prog_name="aftercart")
    except typer.Exit as end:
        return end.exit_code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0
