"""One process at a time in a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from simulator.errors import InputError


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Lock a folder until the block ends; yield whether it is locked. Raises InputError where another process has it.

    The system locks the folder itself: no file can be left behind, and the lock ends with its process, however that
    ends. Some systems and disks have no such locks.
    """
    if sys.platform == "win32":
        yield False
        return
    import fcntl

    is_held = False
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_held = True
            except BlockingIOError as error:
                what = "another aftercart command is using this folder"
                raise InputError(
                    what, where=str(folder), allowed="another folder, or wait until that command ends"
                ) from error
        yield is_held
    finally:
        os.close(opened)
