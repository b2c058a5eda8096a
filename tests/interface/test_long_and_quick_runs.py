"""Long work asks first; `--quick` gives a rough answer instead, which is marked as rough everywhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from worlds import slow

import scenarios
from simulator.experiment import cost
from simulator.experiment.manifest import ROUGH

Command = Callable[..., Any]

COMMANDS = [
    ("run", "as-it-is.toml", "--engine", "microsim", "--patients", "100"),
    ("compare", "baseline", "wider-salvage", "--draws", "2", "--horizon", "24"),
    ("sweep", "as-it-is.toml", "--vary", "onset_rate=0.1,0.2"),
    ("virtual-cohorts", "as-it-is.toml", "--cohorts", "30"),
    ("guarantee-time", "--cohorts", "30", "--draws", "2"),
    ("sensitivity", "baseline", "--draws", "100", "--show", "prcc"),
]


@pytest.fixture
def everything_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat every command as too long."""
    monkeypatch.setattr(cost, "MOST_SECONDS", 0.0)
    monkeypatch.setattr("simulator.experiment.cost.SURELY_SHORT", -1.0)
    monkeypatch.setattr("simulator.analyses.virtual_cohorts.settings.SURELY_SHORT", 0)
    monkeypatch.setattr("simulator.analyses.virtual_cohorts.settings.TIMED", {"microsim": 500, "des": 50})
    monkeypatch.setattr("simulator.analyses.sensitivity.run.SURELY_SHORT", 0)


@pytest.mark.usefixtures("everything_is_too_long")
@pytest.mark.parametrize(
    "typed", [slow(typed) if typed[0] == "compare" else typed for typed in COMMANDS], ids=lambda typed: typed[0]
)
def test_long_work_is_refused_with_its_time_and_leaves_no_file(
    aftercart: Command, folder: Path, typed: tuple[str, ...]
) -> None:
    before = set(folder.rglob("*"))
    result = aftercart(*typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "would take about" in result.stderr
    assert result.stderr.endswith("or --yes to start anyway\n")
    assert set(folder.rglob("*")) == before


@pytest.mark.usefixtures("everything_is_too_long")
@pytest.mark.parametrize("typed", [COMMANDS[0], slow(COMMANDS[1])], ids=lambda typed: typed[0])
def test_yes_starts_long_work(aftercart: Command, typed: tuple[str, ...]) -> None:
    assert aftercart(*typed, "--yes", "--quiet").exit_code == 0


@pytest.mark.usefixtures("without_png", "in_one_width")
def test_a_quick_run_is_marked_as_rough_everywhere(
    aftercart_with_figures: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = ("compare", "as-it-is.toml", "fewer-fall-ill.toml", "--quick", "--engine", "microsim", "--histories")
    result = aftercart_with_figures(*typed)
    assert result.exit_code == 0, result.output
    printed = " ".join(result.stdout.split())
    assert printed.startswith(ROUGH)
    assert printed.count(ROUGH) == 2
    (run,) = (folder / "results" / "as-it-is-vs-fewer-fall-ill-rough").iterdir()
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["rough"], manifest["patients"], manifest["replications"]) == (True, 1_000, 1)
    assert manifest["note"].startswith(ROUGH)
    assert ROUGH in (run / "report.html").read_text(encoding="utf-8")
    figures = list(run.glob("*.svg"))
    assert figures
    for file in figures:
        assert "Rough (--quick): " in file.read_text(encoding="utf-8"), file.name
    for file in run.glob("*.csv"):
        table = pd.read_csv(file)
        assert (table.columns[-1], set(table["quality"])) == ("quality", {"rough"}), file.name
    (run / "report.html").unlink()
    monkeypatch.setattr("simulator.report.run_folder.gallery", lambda *_: [])
    assert aftercart_with_figures("report", str(run)).exit_code == 0
    assert ROUGH in (run / "report.html").read_text(encoding="utf-8")


def test_a_run_without_quick_is_not_marked_as_rough(aftercart: Command, folder: Path) -> None:
    result = aftercart("run", "as-it-is.toml", "--out", "run")
    assert "rough" not in result.output.lower()
    assert json.loads((folder / "run" / "manifest.json").read_text(encoding="utf-8"))["rough"] is False
    for file in (folder / "run").glob("*.csv"):
        assert "quality" not in pd.read_csv(file).columns, file.name


def test_quick_output_is_valid_json_and_the_note_goes_to_stderr(aftercart: Command) -> None:
    result = aftercart("run", "as-it-is.toml", "--quick", "--json")
    assert {row["quality"] for row in json.loads(result.stdout)} == {"rough"}
    assert ROUGH in result.stderr


def test_quick_takes_ten_parameter_sets_unless_another_number_is_given(aftercart: Command, folder: Path) -> None:
    for more, draws in (((), 10), (("--draws", "3"), 3)):
        typed = ("run", "baseline", "--quick", "--quiet", "--horizon", "24", *more, "--out", f"run{draws}")
        assert aftercart(*typed).exit_code == 0
        assert json.loads((folder / f"run{draws}" / "manifest.json").read_text(encoding="utf-8"))["draws"] == draws


@pytest.mark.slow
def test_a_quick_run_of_a_centre_has_one_replication(aftercart: Command, folder: Path) -> None:
    assert aftercart("run", "letter-centre", "--quick", "--draws", "2", "--quiet", "--out", "run").exit_code == 0
    service = pd.read_csv(folder / "run" / "service.csv")
    assert service["estimate"].notna().any()
    assert service["replication_sd"].isna().all()
    for name in ("service", "queue"):
        assert set(pd.read_csv(folder / "run" / f"{name}.csv")["quality"]) == {"rough"}
    assert aftercart("report", "run").exit_code == 0


@pytest.mark.representatives(8)
@pytest.mark.parametrize("name", scenarios.names())
def test_a_quick_run_of_a_shipped_scenario_is_short(name: str) -> None:
    """By the number of events, whatever the speed of the machine."""
    from simulator.experiment.engine_choice import choose_engine
    from simulator.experiment.settings import Settings
    from simulator.scenario.scenario import load_scenario

    scenario = load_scenario(name)
    engine, _ = choose_engine("auto", [scenario])
    settings = Settings(engine=engine, draws=10, patients=1_000, replications=1, rough=True)
    assert cost.is_surely_short([scenario], engine, settings)


def test_open_opens_the_report(aftercart: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("typer.launch", opened.append)
    assert aftercart("run", "as-it-is.toml", "--quiet", "--out", "run").exit_code == 0
    assert opened == []
    assert aftercart("run", "as-it-is.toml", "--quiet", "--out", "again", "--open").exit_code == 0
    assert opened == [str(Path("again") / "report.html")]


def test_open_without_a_browser_prints_the_path_of_the_report(
    aftercart: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.launch", lambda page: 1)
    result = aftercart("run", "as-it-is.toml", "--quiet", "--out", "run", "--open")
    assert result.exit_code == 0
    assert f"open the report yourself: {Path('run') / 'report.html'}" in result.stderr
