"""Failures for a person: one message on standard error, and an exit status."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import typer

from simulator.errors import AftercartError, InputError, number_meant
from simulator.plain_text import visible

TRACEBACK = "AFTERCART_TRACEBACK"
"""The environment variable that lets an unexpected failure print its traceback."""

STOPPED = "stopped"


class CtrlC:
    """Whether Ctrl-C was pressed. Libraries may turn the KeyboardInterrupt into another error."""

    pressed = False

    @classmethod
    def watch(cls) -> None:
        """Note Ctrl-C from now on, and interrupt as usual."""

        def press(number: int, frame: FrameType | None) -> None:
            cls.pressed = True
            raise KeyboardInterrupt

        def ignored(failure: Any) -> None:
            # Python cannot raise in a callback of its import lock; the next `look` raises instead.
            if not isinstance(failure.exc_value, KeyboardInterrupt):
                sys.__unraisablehook__(failure)

        signal.signal(signal.SIGINT, press)
        # A scheduler's stop: killed at once, a job would leave its processes, its folder and a warning behind.
        signal.signal(signal.SIGTERM, press)
        sys.unraisablehook = ignored

    @classmethod
    def look(cls) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed and the interrupt was lost on its way."""
        if cls.pressed:
            raise KeyboardInterrupt


@contextmanager
def failures_as_messages() -> Iterator[None]:
    """Turn an exception into a message and `typer.Exit`: 2 for unusable input, else 1."""
    try:
        yield
        sys.stdout.flush()
    except typer.BadParameter as error:
        # pydantic's message, which typer passes on, lacks the input.
        details: list[Any] = getattr(error.__cause__, "errors", list)()
        if details:
            error.message += f"; got {details[0]['input']!r}"
            hint = number_meant(details[0]["input"]) if details[0]["type"] == "float_parsing" else None
            error.message += f"; {hint}" if hint else ""
        raise
    except (typer.Exit, typer.Abort, typer.TyperException):
        raise
    except KeyboardInterrupt:
        _fail(STOPPED)
    except AftercartError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader of the output has seen enough (head, less).
        _forget_output()
        raise typer.Exit(1) from None
    except OSError as error:
        _forget_output()
        refusal = InputError(error.strerror or str(error), where=str(error.filename or ""))
        # A file name that is too long is unusable input.
        _fail(str(refusal), refusal.exit_code if error.errno == errno.ENAMETOOLONG else 1)
    except MemoryError:
        _fail("out of memory; use fewer --patients, --draws or --jobs")
    except Exception as error:
        if TRACEBACK in os.environ:
            raise
        _fail(visible(_unexpected(error)))


def _fail(message: str, status: int = 1) -> NoReturn:
    if CtrlC.pressed and not message.startswith(STOPPED):
        message, status = STOPPED, 1
    typer.echo(f"aftercart: {message}", err=True)
    raise typer.Exit(status) from None


def _unexpected(error: Exception) -> str:
    from concurrent.futures import BrokenExecutor

    if isinstance(error, BrokenExecutor):
        return "a worker process was killed, perhaps because memory ran out; use fewer --jobs"
    return (
        f"an error in aftercart itself: {type(error).__name__}: {error}. Please report it {_reports()}, "
        f"with the command, its files, and what {TRACEBACK}=1 shows"
    )


def _reports() -> str:
    """Return where to report a mistake: at the address in the installed package, if there is one."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        package = metadata("aftercart")
    except PackageNotFoundError:
        return "to whoever gave you aftercart"
    pages = dict(str(page).split(", ", 1) for page in package.get_all("Project-URL") or [])
    return f"at {pages['Issues']}" if "Issues" in pages else f"to whoever gave you aftercart {package['Version']}"


def _forget_output() -> None:
    """Discard the buffered output, or the interpreter would complain of it when it ends."""
    stdout = sys.__stdout__
    if stdout is not None and stdout is sys.stdout:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stdout.fileno())
        os.close(nowhere)
