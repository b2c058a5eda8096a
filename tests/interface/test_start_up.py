"""Help and checks start fast, because they load only what they need."""

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
    """Return command -> modules loaded after it, for commands that one process runs in this order."""
    code = SESSION.format(commands=commands, heavy=HEAVY)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return {command: set(names) for command, names in json.loads(done.stdout.partition("loaded:")[2]).items()}


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """Modules stay loaded, so that an earlier command may load none that a later one must not load."""
    return run(*HELP, *CHECKS)


@pytest.mark.parametrize("command", HELP)
def test_help_loads_nothing_heavy(command: str, loaded: dict[str, set[str]]) -> None:
    # Typer turns to pydantic for a command's own help.
    assert loaded[command] <= ({"pydantic"} if " " in command else set())


@pytest.mark.slow
def test_help_takes_less_than_half_a_second() -> None:
    # The best of five, since other programs slow the machine.
    assert min(timeit.repeat(lambda: run("--help"), repeat=5, number=1)) < 0.5


@pytest.mark.parametrize("command", CHECKS)
def test_check_and_list_load_neither_pandas_nor_figures(command: str, loaded: dict[str, set[str]]) -> None:
    assert not loaded[command] & {"pandas", "matplotlib", "scipy.stats", "simpy"}


def test_a_scenario_is_checked_without_calibrating(loaded: dict[str, set[str]]) -> None:
    assert "calibration" not in loaded["check baseline"]
