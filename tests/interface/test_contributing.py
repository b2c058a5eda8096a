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


@pytest.mark.slow
def test_adding_an_outcome_takes_four_lines_and_extends_every_table(changed: Callable[[str], Python]) -> None:
    code = (
        "from simulator import run; results = run('baseline', draws=2, horizon=12.0);"
        'alive = results.draws.query(\'clock == "relapse" and population == "all"\');'
        "print((alive['rmst_12'] / 12 + alive['life_years_lost_12']).tolist());"
        "table = results.outcomes; row = table[table['outcome'] == 'life_years_lost_12'].iloc[0];"
        "from simulator.outcomes.labels import label; from simulator.pathway.format import load_pathway;"
        "print(row['follow_up'], label('life_years_lost_12', load_pathway('b_all_post_cd19')), sep='; ')"
    )
    numbers, words = changed("life-years-lost.diff")("-c", code).splitlines()
    assert [float(number) for number in numbers.strip("[]").split(",")] == pytest.approx([1.0, 1.0])
    assert words == "to month 12; life years lost to month 12, years"


def test_adding_a_command_takes_a_module_and_a_line(changed: Callable[[str], Python]) -> None:
    python = changed("months.diff")
    assert python("-m", "simulator", "months", "60.875").strip() == "2"
    assert "Print days as months" in python("-m", "simulator", "--help")


def path_of(name: str) -> Path | None:
    """Return the file or folder that a page names: from the root, in `simulator/`, or anywhere, by its name alone."""
    at = (place / name for place in (ROOT, ROOT / "simulator"))
    anywhere = (path for room in ("simulator", "calibration") for path in (ROOT / room).rglob(name) if "." in name)
    return next((path for path in (*at, *anywhere) if path.exists()), None)


def missing(paragraph: str) -> list[str]:
    """Return the names in backticks that are no path, nor defined in a file of the paragraph or the pathway's TOML."""
    names = [name for name in re.findall(r"`([^` ]+)`", paragraph) if not name.startswith(("[", "--"))]
    paths = {name: path_of(name.rstrip("/")) for name in names}
    files = [ROOT / "simulator/pathway/shipped/b_all_post_cd19.toml"]
    for path in filter(None, paths.values()):
        files += path.glob("*.py") if path.is_dir() else [path]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)

    def is_defined(name: str) -> bool:
        *of, last = map(re.escape, name.split("."))
        there = text.partition(f"class {of[0]}")[2] if of else text
        return (
            re.search(rf"(class|def) {last}\b|^{last}\b.*[=,]|\[[^]]*\b{last}\]|\"{last}\"", there, re.MULTILINE)
            is not None
        )

    return [name for name, path in paths.items() if path is None and not is_defined(name)]


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_every_path_and_every_class_that_the_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), target
    assert [name for paragraph in re.split(r"\n(?=\n|\||\d\.|-)", text) for name in missing(paragraph)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "engines/des/serving.py",
        "branchings.py",
        "Branching` in `wording/headline.py",
        "Run.choose` in `engines/des/engine.py",
    ],
)
def test_a_place_that_has_moved_is_found(wrong: str) -> None:
    assert missing(f"`{wrong}`") == [wrong.partition("`")[0]]


def test_the_picture_of_the_rooms_is_up_to_date_with_the_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    import rooms

    assert rooms.PICTURE.read_text(encoding="utf-8") == rooms.picture(), "run python docs/rooms.py"
