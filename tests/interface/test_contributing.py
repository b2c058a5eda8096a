"""The worked examples of CONTRIBUTING.md are diffs that apply to the current code, and work."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Python = Callable[..., str]

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git applies the diffs")


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str], Python]:
    """Apply an example to a copy of the code; return what runs Python there and gives its output."""

    def apply(example: str) -> Python:
        for package in ("simulator", "calibration", "scenarios"):
            shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
        diff = ROOT / "docs" / "examples" / example
        # Outside of any repository, where git would look for the files from its root.
        environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent), "PYTHONPATH": str(tmp_path)}
        subprocess.run(["git", "apply", str(diff)], cwd=tmp_path, env=environment, check=True)

        def python(*arguments: str) -> str:
            command = [sys.executable, *arguments]
            return subprocess.check_output(command, cwd=tmp_path, env=environment, text=True)

        return python

    return apply


def test_adding_a_sojourn_family_takes_a_class_and_a_line(changed: Callable[[str], Python]) -> None:
    code = "from simulator.distributions import build; print(build('rayleigh', {'median': 3.0}).survival(3.0))"
    assert float(changed("rayleigh.diff")("-c", code)) == pytest.approx(0.5)


def test_adding_an_outcome_takes_two_lines_and_extends_every_table(changed: Callable[[str], Python]) -> None:
    code = (
        "from simulator import run; results = run('baseline', draws=2, horizon=12.0);"
        'alive = results.draws.query(\'clock == "relapse" and population == "all"\');'
        "print((alive['rmst_12'] / 12 + alive['life_years_lost_12']).tolist());"
        "print('life_years_lost_12' in set(results.outcomes['outcome']))"
    )
    numbers, is_there = changed("life-years-lost.diff")("-c", code).splitlines()
    assert [float(number) for number in numbers.strip("[]").split(",")] == pytest.approx([1.0, 1.0])
    assert is_there == "True"


def test_adding_a_command_takes_a_module_and_a_line(changed: Callable[[str], Python]) -> None:
    python = changed("months.diff")
    assert python("-m", "simulator", "months", "60.875").strip() == "2"
    assert "Print days as months" in python("-m", "simulator", "--help")


def test_every_file_that_contributing_names_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text) + re.findall(r"`((?:simulator|tests|calibration)/[^`]+)`", text):
        assert (ROOT / target).exists(), target


def test_the_picture_of_the_rooms_is_up_to_date_with_the_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    import rooms

    assert rooms.PICTURE.read_text(encoding="utf-8") == rooms.picture(), "run python docs/rooms.py"
