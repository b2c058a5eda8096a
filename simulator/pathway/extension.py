"""A pathway that extends another: its file declares the changes, and nothing is told twice.

An entry of a table (a state, a parameter, an attribute) takes the place of the extended pathway's entry of that name;
any other key takes the place of the extended pathway's key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from simulator.errors import InputError
from simulator.files import toml
from simulator.pathway.pathway import Pathway

ENTRIES = ("abbreviations", "attributes", "counts", "end_points", "groups", "parameters", "resources", "states")
"""Tables of entries by name."""
OWN = ("description", "title")
"""Keys that say what a file is: not those of the extended one."""


def read(path: Path, load: Callable[[str], Pathway]) -> tuple[dict[str, Any], Pathway | None]:
    """Return a file's tables with those of the pathway that it extends, and that pathway; `load` : by its name.

    Raises InputError, also for files that extend one another in a circle.
    """
    tables = toml.read(path)
    named = tables.get("extends")
    if not isinstance(named, str):
        return tables, None
    list(files(path))
    extended = load(named)
    assert extended.file is not None
    before, _ = read(extended.file, lambda _: extended.extended or extended)
    before = {key: value for key, value in before.items() if key not in OWN}
    both = [key for key in ENTRIES if isinstance(before.get(key), dict) and isinstance(tables.get(key), dict)]
    return {**before, **tables, **{key: {**before[key], **tables[key]} for key in both}}, extended


def files(path: Path) -> Iterator[Path]:
    """Yield a pathway's file and the files that it extends, not the shipped ones. Raises InputError on a circle."""
    seen: set[Path] = set()
    file, named = path, path.name
    while named.endswith(".toml") and file.is_file():
        if file.resolve() in seen:
            raise InputError("the files extend one another in a circle", where=f"{path}: extends", got=named)
        seen.add(file.resolve())
        yield file
        named = str(toml.read(file).get("extends", ""))
        file = file.parent / named


def contents(pathway: Pathway) -> list[bytes]:
    """Return the contents of a pathway's files, empty where one is gone."""
    return [file.read_bytes() if file.is_file() else b"" for file in pathway.files]
