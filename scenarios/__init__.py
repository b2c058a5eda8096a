"""The shipped scenarios: one TOML file a policy question."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the names of the shipped scenarios, the baseline first."""
    stems = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return sorted(stems, key=lambda name: name != "baseline")


def path(name: str) -> Path:
    """Return the file of a shipped scenario."""
    return FOLDER / f"{name}.toml"
