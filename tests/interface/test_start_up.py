"""Help comes at once, because it loads nothing that it does not need."""

import json
import os
import subprocess
import sys
import timeit

import pytest

HEAVY = (
    *("numpy", "pandas", "scipy", "scipy.stats", "matplotlib", "pydantic", "simpy", "rich"),
    *("concurrent.futures", "calibration"),
)

SESSION = """
import json, sys
from simulator.cli import main
loaded = {{}}
for typed in {commands!r}:
    sys.argv = ["aftercart", *typed.split()]
    try:
        main()
    except SystemExit as end:
        assert end.code == 0, (typed, end.code)
    loaded[typed] = [name for name in {heavy!r} if name in sys.modules]
print("loaded:", json.dumps(loaded))
"""
HELP = ("--version", "--help", "compare --help", "calibrate --help")
CHECKS = ("check baseline", "check three_state", "check wider-salvage", "list")


def run(*commands: str) -> dict[str, set[str]]:
    """Return command -> what is loaded after it, of commands that one process runs one after another."""
    code = SESSION.format(commands=commands, heavy=HEAVY)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return {command: set(names) for command, names in json.loads(done.stdout.partition("loaded:")[2]).items()}


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """What a command loads stays loaded: nothing that a command must not load may come with an earlier one."""
    return run(*HELP, *CHECKS)


@pytest.mark.parametrize("command", HELP)
def test_help_loads_nothing_heavy(command: str, loaded: dict[str, set[str]]) -> None:
    # Typer turns to pydantic for a command's own help.
    assert loaded[command] <= ({"pydantic"} if " " in command else set())


@pytest.mark.slow
def test_help_takes_less_than_half_a_second() -> None:
    # The best of five: what else the machine does is not the command's.
    assert min(timeit.repeat(lambda: run("--help"), repeat=5, number=1)) < 0.5


@pytest.mark.parametrize("command", CHECKS)
def test_what_needs_no_table_begins_without_pandas_and_figures(command: str, loaded: dict[str, set[str]]) -> None:
    assert not loaded[command] & {"pandas", "matplotlib", "scipy.stats", "simpy"}


def test_a_scenario_is_checked_without_calibrating(loaded: dict[str, set[str]]) -> None:
    assert "calibration" not in loaded["check baseline"]
