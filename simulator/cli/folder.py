"""A run's folder: filled out of sight, then moved into place whole; or nothing is left behind."""

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
"""Bytes of a folder's name; most systems allow 255."""

_RESERVED = re.compile("(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:$|[.])", re.IGNORECASE)


def safe(name: str) -> str:
    """Return a name that a folder may have on any system: no path, no reserved word, not too long."""
    kept = re.sub(r'[<>:"/\\|?*]', "-", one_line(name)).strip(" .") or "unnamed"
    kept = f"_{kept}" if _RESERVED.match(kept) else kept
    short, keep = kept, len(kept)
    while len(short.encode()) > LONGEST:
        keep -= 2
        short = f"{kept[: keep // 2]}...{kept[-(keep // 2) :]}"
    return short


def default(name: str) -> Path:
    """Return results/<name>/<time>, a folder that does not exist yet."""
    time = datetime.now().astimezone().strftime("%Y-%m-%dT%H-%M-%S")
    parent = Path("results") / safe(name)
    tried = (parent / (time if i == 1 else f"{time}-{i}") for i in count(1))
    return next(folder for folder in tried if not folder.exists())


UNFINISHED = ".unfinished-"


@contextmanager
def filled(out: Path) -> Iterator[Path]:
    """Yield a folder to write into; at the end its files move to `out`, which is made if need be.

    On any exception `out` is as it was before. Raises InputError if `out` has files, cannot be made or is being filled
    by another process; AftercartError if the disk is full or Ctrl-C is pressed.
    """
    work = out / f"{UNFINISHED}{token_hex(4)}"
    made: list[Path] = []
    moved: list[Path] = []
    try:
        try:
            _check_folder(out)
            for path in [parent for parent in (out, *out.parents) if not parent.exists()][::-1]:
                path.mkdir(exist_ok=True)
                made.append(path)
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
            for path in sorted(work.iterdir()):
                moved.append(out / path.name)
                path.rename(moved[-1])
            work.rmdir()
    except BaseException as failure:
        shutil.rmtree(work, ignore_errors=True)
        for path in moved:
            path.unlink(missing_ok=True)
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir()
        if isinstance(failure, KeyboardInterrupt) or CtrlC.pressed:
            raise AftercartError(f"{STOPPED}; nothing was written") from failure
        if isinstance(failure, OSError):
            raise AftercartError(f"{failure.strerror or failure}; nothing was written to {out}") from failure
        raise


@contextmanager
def kept(folder: Path) -> Iterator[Path]:
    """Yield a folder whose files are replaced. Raises InputError if another process is at work in it."""
    with lock.held(folder):
        yield folder


@contextmanager
def continued(into: Path, command: str) -> Iterator[None]:
    """On a full disk, name the folder and say that the command can be continued. Raises AftercartError."""
    try:
        yield
    except OSError as error:
        message = (
            f"{into}: {error.strerror or error}; the finished work is kept, and the same {command} command continues it"
        )
        raise AftercartError(message) from error


def _check_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError("not a folder", where="--out", got=str(out), allowed="a new or empty folder")


def _check_empty(out: Path) -> None:
    if any(out.iterdir()):
        raise InputError("the folder is not empty", where="--out", got=str(out), allowed="a new or empty folder")


def _drop_unfinished(out: Path) -> None:
    """Drop the leftovers of a killed process in a folder that is not locked."""
    for leftover in out.glob(f"{UNFINISHED}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def check_writable(out: Path) -> None:
    """Raise InputError unless files can be written into `out`, which may not exist yet."""
    existing = next(parent for parent in (out, *out.absolute().parents) if parent.exists())
    try:
        with NamedTemporaryFile(dir=existing, prefix=".aftercart-"):
            pass
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path, error: OSError) -> InputError:
    what = f"nothing can be written to this folder ({error.strerror or error})"
    return InputError(what, where="--out", got=str(out), allowed="a folder that you can create and write to")
