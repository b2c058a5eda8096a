"""A cohort that never was, on a small world: its rows, its arms and its files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sojourn_times import Table
from worlds import toml

from calibration.likelihood.targets import Targets, load_targets

HEADER = "name,kind,population,state,attribute,month,count,n,value,standard_error,unit,place,use,note\n"
EVERYBODY = {"all": ["all"]}
TREATED_OR_NOT = {"treated": ["treated"], "untreated": ["untreated"], "all": ["treated", "untreated"]}


def write_cohort(
    folder: Path, world: Table, rows: Iterable[str], *, clock: str, n: int, arms: Table | None = None, seed: int = 1,
    header: str = HEADER, **tables: Any,
) -> Targets:  # fmt: skip
    """Write the folder of a cohort and load it; the first row is line 2 of `targets.csv`."""
    about = {"title": "A cohort that never was", "citation": "nobody", "pathway": "own.toml", "clock": clock}
    cohort = toml({**about, "n": n, "seed": seed, "arms": arms or EVERYBODY, **tables})
    targets = header + "".join(f"{row}\n" for row in rows)
    for name, text in {"own.toml": toml(world), "cohort.toml": cohort, "targets.csv": targets}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return load_targets(folder)
