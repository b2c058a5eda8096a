"""Writing a file whole: a full disk or an interrupt leaves the old file."""

from __future__ import annotations

from pathlib import Path


def write(path: Path, content: bytes) -> Path:
    """Write a file whole, or leave the old one; return its path. Raises OSError."""
    part = part_of(path)
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def part_of(path: Path) -> Path:
    """Return the path of a file while it is written; a killed process leaves it there."""
    return path.with_name(f".{path.name}.part")
