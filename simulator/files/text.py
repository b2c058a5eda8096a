"""Reading a text file: regular, of bounded size, and UTF-8."""

from __future__ import annotations

import stat
from pathlib import Path

from simulator.errors import InputError, nearest


def read(path: Path, largest: int) -> str:
    """Return a file's text, without a byte order mark. Raises InputError if it has more than `largest` bytes."""
    try:
        mode = path.stat().st_mode
        # A device or a pipe could be read for ever.
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise InputError("cannot be read: not a regular file", where=str(path))
        with path.open("rb") as file:
            content = file.read(largest + 1)
        if len(content) > largest:
            raise InputError("file too large", where=str(path), allowed=f"up to {largest} bytes")
        # Some editors and spreadsheets begin a text with a byte order mark.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"not a text file (byte {error.start} is not UTF-8)"
        raise InputError(what, where=str(path), allowed="a file saved as UTF-8") from error
    except (OSError, ValueError) as error:
        what = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        near = _nearest(path) if isinstance(error, FileNotFoundError) else None
        raise InputError(what, where=str(path), nearest=near) from error


def _nearest(path: Path) -> str | None:
    """Return the file with the most similar name in the folder of a missing file, of its suffix."""
    name = nearest(path.name, (file.name for file in path.parent.glob(f"*{path.suffix}")))
    return None if name is None else str(path.with_name(name))
