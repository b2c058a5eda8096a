"""Output and files of the shipped scenarios at small sizes agree with their snapshots.

A change on purpose: `UPDATE_SNAPSHOTS=1 pytest -m "" tests/interface/test_snapshots.py`, and read the difference.
The default suite runs every command, and a scenario of each engine; the others are slow.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds import policies_of_the_default_suite

import scenarios
from simulator.scenario.scenario import load_scenario

Command = Callable[..., Any]

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"
SMALL = ("--draws", "2", "--patients", "30", "--replications", "2", "--horizon", "24", "--jobs", "1")
OTHER_COMMANDS = {
    "list": ("list",),
    "check": ("check", "baseline"),
    "compare": ("compare", "baseline", "wider-salvage", *SMALL, "--out", "run"),
    "sweep": ("sweep", "baseline", "--vary", "salvage_uptake=0.5,0.9", *SMALL, "--out", "run"),
    "sensitivity": ("sensitivity", "baseline", "wider-salvage", "--show", "tornado", "--draws", "40", "--out", "run"),
    "virtual-cohorts": ("virtual-cohorts", "baseline", "wider-salvage", "--n", "20", "--cohorts", "5", "--out", "run"),
    "story": ("story", "wider-salvage", "--versus", "baseline", *SMALL, "--out", "run"),
    "guarantee-time": ("guarantee-time", "baseline", "--n", "20", "--cohorts", "5", "--out", "run"),
}
IN_DEFAULT_SUITE = {"car-t-slot-a-month", "letter-centre", *OTHER_COMMANDS}
"""A scenario of each engine; `compare` runs `baseline`."""
COMMANDS = {name: ("run", name, *SMALL, "--out", "run") for name in scenarios.names()} | OTHER_COMMANDS
IN_SNAPSHOT = {"month": ("0", "6", "12", "24"), "population": ("all", "hsct")}
"""The rows of a table that a snapshot includes, by column."""
NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:e[+-]?\d+)?(?!\w)")


@pytest.mark.parametrize("name", policies_of_the_default_suite(COMMANDS, IN_DEFAULT_SUITE))
def test_the_output_and_files_of_a_command_agree_with_its_snapshot(aftercart: Command, folder: Path, name: str) -> None:
    clock = load_scenario(name if name in scenarios.names() else "baseline").pathway.clock
    text = "".join(_parts(aftercart, folder, COMMANDS[name], IN_SNAPSHOT | {"clock": (clock,)}))
    snapshot = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(text)
    expected = snapshot.read_text()
    assert NUMBER.sub("#", text) == NUMBER.sub("#", expected)
    # Processors may round the last digit differently.
    numbers = [np.array(NUMBER.findall(side), dtype=float) for side in (text, expected)]
    np.testing.assert_allclose(*numbers, rtol=1e-6, atol=1e-9)


def _parts(
    aftercart: Command, folder: Path, typed: tuple[str, ...], wanted: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    result = aftercart(*typed)
    assert result.exit_code == 0, result.output
    yield f"$ aftercart {' '.join(typed)}\n{result.stdout}"
    for path in sorted(folder.glob("run/*.csv")):
        header, *rows = path.read_text().splitlines()
        yield f"\n{path.name}: {len(rows)} rows\n{header}\n"
        columns = header.split(",")
        for row in rows:
            cells = row.split(",")
            if all(name not in columns or cells[columns.index(name)] in included for name, included in wanted.items()):
                yield f"{row}\n"
