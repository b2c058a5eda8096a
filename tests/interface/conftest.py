import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer import testing

REPOSITORY = Path(__file__).parents[2]
# The worlds and the pairs of choices, which tests here import by name.
sys.path.insert(0, str(Path(__file__).resolve().parent))

AS_IT_IS = """
title = "As it is"
question = "What happens to people who fall ill?"
pathway = "three_state"
"""

FEWER_FALL_ILL = """
title = "Fewer fall ill"
base = "as-it-is.toml"

[scale]
onset_rate = 0.5
"""

# The commands are made once, and not for every command that is typed. The name is Typer's own: a release without it
# makes them anew.
if hasattr(testing, "_get_command"):
    testing._get_command = cache(testing._get_command)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session", autouse=True)
def letter_read_once() -> Iterator[None]:
    """Commands on the shipped cohort read it once, which takes half a second. Copies of it are read each time."""
    from calibration.likelihood import targets

    read, once = targets.load_targets, cache(targets.load_targets)

    def load_targets(name: str | Path, *reading: str, **structure: str) -> targets.Targets:
        return (once if name == "wang2024" else read)(name, *reading, **structure)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(targets, "load_targets", load_targets)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_process() -> Iterator[None]:
    """Commands start no other process unless they are typed with --jobs: it takes longer than what they do here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simulator.execution.cores", lambda: 1)
        yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with two scenarios on the illness-death model: its answers are known in closed form."""
    (tmp_path / "as-it-is.toml").write_text(AS_IT_IS)
    (tmp_path / "fewer-fall-ill.toml").write_text(FEWER_FALL_ILL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def command(*typed: str) -> Any:
    from simulator.cli.application import app

    return testing.CliRunner().invoke(app, list(typed), prog_name="aftercart")


@pytest.fixture
def aftercart_with_figures(folder: Path) -> Callable[..., Any]:
    """Return a function that runs a command in this process and gives its result."""
    return command


@pytest.fixture
def aftercart(folder: Path, without_pictures: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that runs a command without figures and without the page of a run, which take seconds."""
    monkeypatch.setattr("simulator.report.run_folder.write", lambda results, into, **_: into)
    return command


@pytest.fixture
def without_png(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write every figure as SVG only: as PNG it takes longer and shows the same."""
    monkeypatch.setattr("simulator.figures.style.png", lambda figure: b"a picture")


@pytest.fixture
def files_of_figures() -> Callable[..., set[str]]:
    """Return a function that gives the files of figures: two formats in two widths."""
    ends = (".svg", ".png", "_compact.svg", "_compact.png")
    return lambda *names: {f"{name}{end}" for name in names for end in ends}


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no figure of an analysis."""
    for analysis in ("sweep", "sensitivity", "virtual_cohorts", "check_calibration"):
        monkeypatch.setattr(f"simulator.cli.{analysis}._draw", lambda result, into: None)


@pytest.fixture
def with_page_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the page of a run without its figures."""
    from simulator.evidence.cohort import load_cohort
    from simulator.report.page import html

    def write_page(results: Any, into: Path, **_: Any) -> Path:
        page = into / "report.html"
        page.write_text(html(results, cohort=load_cohort(results.scenarios[0].pathway)), encoding="utf-8")
        return page

    monkeypatch.setattr("simulator.report.run_folder.write", write_page)


@pytest.fixture
def started(folder: Path) -> Callable[..., subprocess.Popen[str]]:
    """Return a function that starts a command in a new process and process group."""

    def start(*typed: str, stdout: Any = subprocess.PIPE) -> subprocess.Popen[str]:
        code = "from simulator.cli import main; main()"
        return subprocess.Popen(
            [sys.executable, "-c", code, *typed],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )

    return start
