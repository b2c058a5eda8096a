"""The shipped pathways: data, a TOML file each."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the names of the shipped pathways."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def path(name: str) -> Path:
    """Return the file of a shipped pathway."""
    return FOLDER / f"{name}.toml"
