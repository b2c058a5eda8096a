"""A run's folder: filled out of sight, then shown whole; or nothing is left behind."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from secrets import token_hex
from tempfile import NamedTemporaryFile

from simulator.cli.failures import STOPPED, CtrlC
from simulator.errors import AftercartError, InputError
from simulator.files import lock
from simulator.plain_text import one_line

LONGEST = 120
"""Bytes of a folder's name; most systems take 255."""

_RESERVED = re.compile("(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:$|[.])", re.IGNORECASE)


def safe(name: str) -> str:
    """Return a name as a folder may have it on any system: no path, no reserved word, not too long."""
    kept = re.sub(r'[<>:"/\\|?*]', "-", one_line(name)).strip(" .") or "unnamed"
    kept = f"_{kept}" if _RESERVED.match(kept) else kept
    short, keep = kept, len(kept)
    while len(short.encode()) > LONGEST:
        keep -= 2
        short = f"{kept[: keep // 2]}...{kept[-(keep // 2) :]}"
    return short


def default(name: str) -> Path:
    """Return results/<name>/<time>, a folder that is not there yet."""
    time = datetime.now().astimezone().strftime("%Y-%m-%dT%H-%M-%S")
    parent = Path("results") / safe(name)
    tried = (parent / (time if i == 1 else f"{time}-{i}") for i in count(1))
    return next(each for each in tried if not each.exists())


UNFINISHED = ".unfinished-"


@contextmanager
def filled(out: Path) -> Iterator[Path]:
    """Yield a folder to write into; what it holds at the end is then in `out`, made if it is not there.

    On any exception `out` is as it was before. Raises InputError if `out` holds anything, cannot be made or is being
    filled by another process; AftercartError if the disk is full or Ctrl-C is pressed.
    """
    work = out / f"{UNFINISHED}{token_hex(4)}"
    made: list[Path] = []
    moved: list[Path] = []
    try:
        try:
            _check_folder(out)
            for each in [parent for parent in (out, *out.parents) if not parent.exists()][::-1]:
                each.mkdir(exist_ok=True)
                made.append(each)
        except OSError as error:
            raise _unwritable(out, error) from error
        with lock.held(out) as is_held:
            if is_held:
                _drop_unfinished(out)
            _check_empty(out)
            try:
                work.mkdir()
            except OSError as error:
                raise _unwritable(out, error) from error
            yield work
            CtrlC.look()
            for each in sorted(work.iterdir()):
                moved.append(out / each.name)
                each.rename(moved[-1])
            work.rmdir()
    except BaseException as failure:
        shutil.rmtree(work, ignore_errors=True)
        for each in moved:
            each.unlink(missing_ok=True)
        for each in reversed(made):
            with suppress(OSError):
                each.rmdir()
        if isinstance(failure, KeyboardInterrupt) or CtrlC.pressed:
            raise AftercartError(f"{STOPPED}; nothing was written") from failure
        if isinstance(failure, OSError):
            raise AftercartError(f"{failure.strerror or failure}; nothing was written to {out}") from failure
        raise


@contextmanager
def kept(there: Path) -> Iterator[Path]:
    """Yield a folder whose files are replaced. Raises InputError where another process is at work there."""
    with lock.held(there):
        yield there


@contextmanager
def continued(into: Path, command: str) -> Iterator[None]:
    """Name the folder on a full disk, and that a command goes on with what is there. Raises AftercartError."""
    try:
        yield
    except OSError as error:
        said = f"{into}: {error.strerror or error}; what is there is kept, and the same {command} goes on with it"
        raise AftercartError(said) from error


def _check_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError("not a folder", where="--out", got=str(out), allowed="a folder that is new or empty")


def _check_empty(out: Path) -> None:
    if any(out.iterdir()):
        what = "the folder is not empty"
        raise InputError(what, where="--out", got=str(out), allowed="a folder that is new or empty")


def _drop_unfinished(out: Path) -> None:
    """Drop what a process that was killed has left of its work in a folder that nobody holds."""
    for each in out.glob(f"{UNFINISHED}*"):
        shutil.rmtree(each, ignore_errors=True)


def check_writable(out: Path) -> None:
    """Raise InputError unless files can be put into `out`, there or not yet."""
    there = next(parent for parent in (out, *out.absolute().parents) if parent.exists())
    try:
        with NamedTemporaryFile(dir=there, prefix=".aftercart-"):
            pass
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path, error: OSError) -> InputError:
    what = f"nothing can be written there ({error.strerror or error})"
    return InputError(what, where="--out", got=str(out), allowed="a folder that can be made and written")
