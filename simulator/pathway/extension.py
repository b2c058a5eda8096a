"""A pathway that extends another: its file declares the changes, and nothing is told twice.

An entry of a table (a state, a parameter, an attribute) takes the place of the extended pathway's entry of that name;
any other key takes the place of the extended pathway's key. Where the default clock starts at another state, what the
extended pathway says of its own is not taken: who its patients are, their events, and what counts are per 100 of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from simulator.errors import InputError, UnknownNameError
from simulator.files import text, toml
from simulator.pathway import shipped

ENTRIES = ("abbreviations", "attributes", "counts", "end_points", "groups", "parameters", "resources", "states")
"""Tables of entries by name."""
OWN = ("description", "title")
"""Keys that say what a file is: not those of the extended one."""
OF_CLOCK = ("end_points", "patients")
"""Keys of the patients who start the default clock, and of their events from then on."""


@dataclass(frozen=True)
class File:
    """A pathway's file, as it was read.

    declared : its own tables; extended : the file of which it declares the changes
    """

    path: Path
    content: str
    declared: dict[str, Any] = field(compare=False)
    extended: File | None

    @cached_property
    def tables(self) -> dict[str, Any]:
        """What it declares, with what it takes from the files that it extends."""
        if self.extended is None:
            return self.declared
        declared, before = self.declared, {key: value for key, value in self.extended.tables.items() if key not in OWN}
        if _clock_state({**before, **declared}) != _clock_state(before):
            before = _without_clock(before)
        both = [key for key in ENTRIES if isinstance(before.get(key), dict) and isinstance(declared.get(key), dict)]
        return {**before, **declared, **{key: {**before[key], **declared[key]} for key in both}}


def _clock_state(tables: dict[str, Any]) -> Any:
    """Return the state at which the default clock starts."""
    clocks = tables.get("clocks")
    return next(iter(clocks.values()), None) if isinstance(clocks, dict) and clocks else tables.get("start")


def _without_clock(tables: dict[str, Any]) -> dict[str, Any]:
    """Return what does not depend on where the default clock starts: counts without their unit, per 100 patients."""
    counts = tables.get("counts", {})
    if isinstance(counts, dict):
        counts = {
            name: {key: value for key, value in count.items() if key != "unit"} if isinstance(count, dict) else count
            for name, count in counts.items()
        }
    kept = {key: value for key, value in tables.items() if key not in OF_CLOCK}
    return kept | ({"counts": counts} if counts else {})


def read(name_or_file: str | Path, where: str, beside: Path | None, before: tuple[Path, ...] = ()) -> File:
    """Return the file of a pathway, with those that it extends.

    where, beside : the key that names the pathway, and its file; None for a command; before : the files that extend it
    Raises InputError, also for files that extend one another in a circle.
    """
    path = _found(name_or_file, where, beside)
    if path.resolve() in [file.resolve() for file in before]:
        what = "the files extend one another in a circle"
        raise InputError(what, where=f"{before[0]}: extends", got=name_or_file)
    content = text.read(path, toml.LARGEST)
    declared = toml.parse(content, path)
    named = declared.get("extends")
    extended = read(named, f"{path}: extends", path, (*before, path)) if isinstance(named, str) else None
    return File(path, content, declared, extended)


def _found(name_or_file: str | Path, where: str, beside: Path | None) -> Path:
    """Return the file of a pathway: a shipped one by its name, or another."""
    if not isinstance(name_or_file, str | Path):
        raise InputError("not a pathway", where=where, got=name_or_file, allowed="a name, or a file")
    path, name = Path(name_or_file), str(name_or_file)
    if path.suffix == ".toml":
        return path if beside is None else toml.named_file(beside, name, where)
    if name not in shipped.names():
        folder = Path() if beside is None else beside.parent
        raise UnknownNameError("pathway", name, shipped.names(), where, toml.file_meant(name, folder))
    return shipped.path(name)
