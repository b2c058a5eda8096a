"""What a person is told when something goes wrong: one message on standard error, and an exit status."""

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

TRACEBACK = "AFTERCART_TRACEBACK"
"""The environment variable that lets an unexpected failure show where it happened."""


STOPPED = "stopped"


class CtrlC:
    """Whether Ctrl-C was pressed. Libraries may turn the KeyboardInterrupt into an error of their own."""

    pressed = False

    @classmethod
    def watch(cls) -> None:
        """Take note of Ctrl-C from now on, and interrupt as usual."""

        def press(number: int, frame: FrameType | None) -> None:
            cls.pressed = True
            raise KeyboardInterrupt

        def ignored(failure: Any) -> None:
            # Where Python cannot raise, in a callback of its import lock, the word comes at the next look.
            if not isinstance(failure.exc_value, KeyboardInterrupt):
                sys.__unraisablehook__(failure)

        signal.signal(signal.SIGINT, press)
        # As a scheduler stops a job: killed at once, it would leave its processes, its folder and a warning behind.
        signal.signal(signal.SIGTERM, press)
        sys.unraisablehook = ignored

    @classmethod
    def look(cls) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed and the interrupt was lost on its way."""
        if cls.pressed:
            raise KeyboardInterrupt


@contextmanager
def told() -> Iterator[None]:
    """Turn an exception into a message and `typer.Exit`: 2 for unusable input, else 1."""
    try:
        yield
        sys.stdout.flush()
    except typer.BadParameter as error:
        # pydantic's words, which typer passes on, do not tell what was got.
        found: list[Any] = getattr(error.__cause__, "errors", list)()
        if found:
            error.message += f"; got {found[0]['input']!r}"
            hint = number_meant(found[0]["input"]) if found[0]["type"] == "float_parsing" else None
            error.message += f"; {hint}" if hint else ""
        raise
    except (typer.Exit, typer.Abort, typer.TyperException):
        raise
    except KeyboardInterrupt:
        _fail(STOPPED)
    except AftercartError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # Whoever read the output has seen enough of it (head, less): nothing to tell.
        _forget_output()
        raise typer.Exit(1) from None
    except OSError as error:
        _forget_output()
        said = InputError(error.strerror or str(error), where=str(error.filename or ""))
        # A name that is too long for a file was somebody's input.
        _fail(str(said), said.exit_code if error.errno == errno.ENAMETOOLONG else 1)
    except MemoryError:
        _fail("out of memory; fewer --patients, --draws or --jobs need less")
    except Exception as error:
        if TRACEBACK in os.environ:
            raise
        _fail(_unexpected(error))


def _fail(message: str, status: int = 1) -> NoReturn:
    if CtrlC.pressed and not message.startswith(STOPPED):
        message, status = STOPPED, 1
    typer.echo(f"aftercart: {message}", err=True)
    raise typer.Exit(status) from None


def _unexpected(error: Exception) -> str:
    from concurrent.futures import BrokenExecutor

    if isinstance(error, BrokenExecutor):
        return "a worker process was killed, perhaps for want of memory; fewer --jobs need less"
    return (
        f"a mistake of aftercart's own: {type(error).__name__}: {error}. Please report it {_reports()}, "
        f"with the command, its files, and what {TRACEBACK}=1 shows"
    )


def _reports() -> str:
    """Return where a mistake is reported: at the address that the installed package names, if it does."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        told = metadata("aftercart")
    except PackageNotFoundError:
        return "to whoever gave you aftercart"
    pages = dict(str(each).split(", ", 1) for each in told.get_all("Project-URL") or [])
    return f"at {pages['Issues']}" if "Issues" in pages else f"to whoever gave you aftercart {told['Version']}"


def _forget_output() -> None:
    """Send what is still buffered nowhere, or the interpreter would complain of it when it ends."""
    stdout = sys.__stdout__
    if stdout is not None and stdout is sys.stdout:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stdout.fileno())
        os.close(nowhere)
