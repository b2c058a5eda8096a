"""Writing a file whole: a full disk or an interrupt leaves the old file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write(path: Path, content: bytes) -> Path:
    """Write a file whole, or leave the old one; return its path. Raises OSError."""
    with together(path) as (part,):
        part.write_bytes(content)
    return path


@contextmanager
def together(*paths: Path) -> Iterator[list[Path]]:
    """Yield the paths of files while they are written; at the end all of them replace the old ones, or none."""
    parts = [part_of(path) for path in paths]
    try:
        yield parts
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    """Return the path of a file while it is written; a killed process leaves it there."""
    return path.with_name(f".{path.name}.part")
