"""`aftercart sweep` as a person types it: answer, table, folder, figures, refusals, Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from simulator.cli import progress

Command = Callable[..., Any]
ONSET = ("--vary", "onset_rate=0.05,0.1")
DEATHS = ("--vary", "death_rate_ill=0.1..0.3..0.1")


def refused(result: Any, folder: Path, *words: str) -> None:
    """One line on standard error, with these words in it; nothing else, and nothing written."""
    assert result.exit_code == 2, result.output
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    for word in words:
        assert word in result.stderr
    assert not (folder / "results").exists()


def test_the_answer_comes_first_and_every_line_fits(aftercart: Command) -> None:
    printed = aftercart("sweep", "as-it-is.toml", *ONSET, *DEATHS).stdout
    assert printed.startswith("Of 100 patients, ")
    assert "Alive at 12 months, %, by onset_rate (down) and death_rate_ill (across)" in " ".join(printed.split())
    assert "Engine: exact" in printed
    assert max(len(line) for line in printed.splitlines()) <= 80


def test_one_varied_parameter_gives_a_table_of_outcomes(aftercart: Command) -> None:
    printed = aftercart("sweep", "as-it-is.toml", *ONSET).stdout
    assert "By onset_rate" in printed
    assert "alive at 12" in printed


@pytest.mark.slow
def test_a_large_grid_is_shown_by_its_best_and_worst_cells(aftercart: Command) -> None:
    typed = ("--vary", "onset_rate=0.01..0.21..0.01", "--vary", "death_rate_ill=0.1,0.2")
    printed = aftercart("sweep", "as-it-is.toml", *typed).stdout
    assert "The best and the worst of 42 cells" in printed
    assert len(printed.splitlines()) < 30


@pytest.mark.usefixtures("without_png")
def test_the_folder_contains_one_table_figures_and_the_manifest(
    aftercart_with_figures: Command, folder: Path, files_of_figures: Callable[..., set[str]]
) -> None:
    result = aftercart_with_figures("sweep", "as-it-is.toml", *ONSET, *DEATHS)
    assert result.exit_code == 0, result.output
    (run,) = (folder / "results" / "as-it-is-sweep").iterdir()
    names = {"sweep.csv", "manifest.json"} | files_of_figures("heat_map", "outcomes")
    assert {file.name for file in run.iterdir()} == names
    table = pd.read_csv(run / "sweep.csv")
    assert list(table.columns[:7]) == [
        "onset_rate", "death_rate_ill", "clock", "population", "resource", "outcome", "label"
    ]  # fmt: skip
    assert len(table[["onset_rate", "death_rate_ill"]].drop_duplicates()) == 6
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["varied"] == {"onset_rate": [0.05, 0.1], "death_rate_ill": [0.1, 0.2, 0.3]}
    assert manifest["cells"] == 6


@pytest.mark.slow
@pytest.mark.usefixtures("without_png")
def test_one_varied_parameter_is_drawn_as_a_line(aftercart_with_figures: Command, folder: Path) -> None:
    result = aftercart_with_figures("sweep", "as-it-is.toml", *ONSET, "--out", "one", "--quiet")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) <= 3
    assert {"line.svg", "line.png", "outcomes.svg"} < {file.name for file in (folder / "one").iterdir()}


@pytest.mark.slow
@pytest.mark.usefixtures("without_png")
def test_figures_have_a_text_description_and_tables_name_n_and_source(
    aftercart_with_figures: Command, folder: Path
) -> None:
    typed = ("--vary", "salvage_uptake=0.5,0.9", "--vary", "hsct_if_cr=0.3,0.8", "--draws", "2", "--out", "run")
    result = aftercart_with_figures("sweep", "baseline", *typed, "--horizon", "24", "--jobs", "1")
    assert result.exit_code == 0, result.output
    for name in ("heat_map", "outcomes"):
        drawn = (folder / "run" / f"{name}.svg").read_text()
        assert re.search(r"<dc:description>.{20,249}</dc:description>", drawn), name
    assert "n = 37" in result.stdout


def test_json_is_the_table_and_nothing_else(aftercart: Command) -> None:
    rows = json.loads(aftercart("sweep", "as-it-is.toml", *ONSET, "--json").stdout)
    assert {row["onset_rate"] for row in rows} == {0.05, 0.1}


def test_invalid_arguments_are_refused_in_one_line(aftercart: Command, folder: Path) -> None:
    def sweep(*typed: str) -> Any:
        return aftercart("sweep", "as-it-is.toml", *typed)

    refused(sweep("--vary", "onset=0.1"), folder, "unknown name", "did you mean 'onset_rate'?")
    refused(sweep("--vary", "onset_rate=0.1,-1"), folder, "with onset_rate=-1", "outside its unit")
    refused(sweep("--vary", "onset_rate=high"), folder, "not a number; got 'high'")
    refused(sweep("--vary", "onset_rate"), folder, "not NAME=VALUES")
    refused(sweep(*ONSET, *ONSET), folder, "a name is given twice")
    refused(sweep(*ONSET, "--draws", "2"), folder, "--draws")
    assert sweep().exit_code == 2


def test_a_million_cells_are_refused_at_once_with_their_cost(aftercart: Command, folder: Path) -> None:
    typed = ("--vary", "onset_rate=0..1..0.001", "--vary", "death_rate_ill=0..1..0.001")
    refused(aftercart("sweep", "as-it-is.toml", *typed), folder, "1,002,001 cells would take about", "--yes")


@pytest.mark.slow
def test_ctrl_c_leaves_no_file(started: Callable[..., subprocess.Popen[str]], folder: Path) -> None:
    typed = ("--vary", "salvage_uptake=0.5..0.9..0.01", "--engine", "microsim", "--patients", "100000", "--yes")
    before = set(folder.rglob("*"))
    process = started("sweep", "baseline", *typed, "--jobs", "2", "--out", "deep/run")
    while not list(folder.glob("deep/run/.unfinished-*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    time.sleep(1.0)
    os.killpg(process.pid, signal.SIGINT)
    printed, complaint = process.communicate(timeout=60)
    assert (process.returncode, printed, complaint) == (1, "", "aftercart: stopped; nothing was written\n")
    assert set(folder.rglob("*")) == before


def test_the_time_left_is_printed_if_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: seconds[0])
    with progress.displayed("simulating", quiet=False) as advance:
        for done in range(1, 5):
            seconds[0] += 11.0
            advance(done, 4)
    assert capsys.readouterr().err.splitlines() == [
        "simulating: 25 %, about 33 s left",
        "simulating: 50 %, about 22 s left",
        "simulating: 75 %, about 11 s left",
        "simulating: 100 %",
    ]
