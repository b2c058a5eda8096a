"""Help comes at once, because it loads nothing that it does not need."""

import os
import subprocess
import sys
import time

import pytest

HEAVY = (
    *("numpy", "pandas", "scipy", "scipy.stats", "matplotlib", "pydantic", "simpy", "rich"),
    *("concurrent.futures", "calibration"),
)

HELP = """
import sys
sys.argv = ["aftercart", *{typed!r}]
from simulator.cli import main
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
print("loaded:", *(name for name in {heavy!r} if name in sys.modules))
"""


def ask(*typed: str) -> tuple[str, float]:
    code = HELP.format(typed=typed, heavy=HEAVY)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return done.stdout, time.perf_counter() - began


@pytest.mark.parametrize("typed", [["--help"], ["compare", "--help"], ["calibrate", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(typed: list[str]) -> None:
    loaded = ask(*typed)[0].partition("loaded:")[2].split()
    # Typer turns to pydantic for a command's own help.
    assert set(loaded) <= ({"pydantic"} if len(typed) > 1 else set())


@pytest.mark.slow
def test_help_takes_less_than_half_a_second() -> None:
    # The best of five: what else the machine does is not the command's.
    assert min(ask("--help")[1] for _ in range(5)) < 0.5


def test_a_scenario_is_checked_without_drawing_or_calibrating() -> None:
    told, _ = ask("check", "baseline")
    assert "matplotlib" not in told
    assert "calibration" not in told.split("loaded:")[1]


@pytest.mark.parametrize("typed", [["list"], ["check", "three_state"], ["check", "wider-salvage"]])
def test_what_needs_no_table_begins_without_pandas(typed: list[str]) -> None:
    loaded = set(ask(*typed)[0].partition("loaded:")[2].split())
    assert not loaded & {"pandas", "matplotlib", "scipy.stats", "simpy"}
