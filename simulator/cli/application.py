"""The commands, and the entry point."""

from __future__ import annotations

import codecs
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from simulator.cli import (
    animate,
    beds,
    calibrate,
    check_calibration,
    explore,
    inspect,
    new,
    sensitivity,
    story,
    sweep,
    validate,
    virtual_cohorts,
)
from simulator.cli import run as simulate
from simulator.cli.failures import CtrlC, failures_as_messages
from simulator.cli.options import with_group
from simulator.experiment.invocation import COMMAND
from simulator.wording.rounding import MINUS, NONE


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


COMMANDS: dict[str, Callable[..., None]] = {
    "list": inspect.list_,
    "check": inspect.check,
    "new": new.new,
    "run": simulate.run,
    "compare": simulate.compare,
    "explore": explore.explore,
    "animate": animate.animate,
    "story": story.story,
    "beds": beds.beds,
    "sweep": sweep.sweep,
    "virtual-cohorts": virtual_cohorts.virtual_cohorts,
    "guarantee-time": virtual_cohorts.guarantee_time,
    "sensitivity": sensitivity.sensitivity,
    "calibrate": calibrate.calibrate,
    "check-calibration": check_calibration.check_calibration,
    "validate": validate.validate,
    "verify": inspect.verify,
    "report": simulate.report,
    "schema": inspect.schema,
}
for name, command in COMMANDS.items():
    app.command(name)(with_group(command))


PLAIN = "plain"
"""How letters that the terminal lacks are written: never as a failure, and never without a minus."""


def _plain(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    missing = error.object[error.start : error.end]
    return re.sub(r"[^-]", "?", missing.translate(dict.fromkeys(map(ord, (MINUS, NONE)), "-"))), error.end


def run() -> int:
    """Run the command of the command line; return the exit status."""
    codecs.register_error(PLAIN, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=PLAIN)
    CtrlC.watch()
    try:
        with failures_as_messages():
            app(prog_name="aftercart")
    except typer.Exit as end:
        return end.exit_code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0
