"""Commands as a person types them, and their output."""

import io
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from worlds import slow

import scenarios
from simulator.cli import application
from simulator.outcomes import event_log
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway

Command = Callable[..., Any]


def alive_of_100(month: float, onset: float = 0.10) -> float:
    """The illness-death model of three_state.toml in closed form (its description)."""
    healthy, ill = 0.02, 0.20
    leaving = onset + healthy
    still_healthy = math.exp(-leaving * month)
    still_ill = onset / (ill - leaving) * (still_healthy - math.exp(-ill * month))
    return 100 * (still_healthy + still_ill)


def test_help_lists_every_command(aftercart: Command) -> None:
    printed = aftercart("--help").output
    names = "list check run compare calibrate check-calibration verify report schema sweep"
    for name in names.split():
        assert re.search(rf"^  {name} ", printed, re.M), name
    assert "..." not in printed.partition("Commands:")[2], "a summary is cut: its first line is too long"


def test_the_first_line_is_the_answer(aftercart: Command) -> None:
    result = aftercart("compare", "as-it-is.toml", "fewer-fall-ill.toml")
    assert result.exit_code == 0, result.output
    before, after = alive_of_100(12), alive_of_100(12, onset=0.05)
    answer = re.match(r"Of 100 patients, (\d+) more are alive at 12 months", result.stdout)
    assert answer is not None, result.stdout
    assert int(answer[1]) == round(after - before)
    assert f"{after:.0f} instead of {before:.0f}" in result.stdout.replace("\n", " ").replace("  ", " ")


def test_the_table_agrees_with_the_closed_form(aftercart: Command) -> None:
    printed = aftercart("run", "as-it-is.toml").stdout
    for month in (6, 12, 24):
        assert re.search(rf"alive at {month} months, % +{alive_of_100(month):.0f}\n", printed), printed


FEW = ("--draws", "2", "--horizon", "24", "--jobs", "1")


@pytest.mark.parametrize(
    "typed",
    [
        ("list",),
        slow(("compare", "baseline", "wider-salvage", "hsct-for-all-responders", *FEW)),
        slow(("run", "universal-salvage", *FEW)),
    ],
)
def test_no_line_is_longer_than_80_columns(aftercart: Command, typed: tuple[str, ...]) -> None:
    result = aftercart(*typed)
    assert result.exit_code == 0, result.output
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


def test_what_scenarios_declare_otherwise_is_printed_on_request_and_the_fit_is_not(aftercart: Command) -> None:
    printed = aftercart("compare", "as-it-is.toml", "fewer-fall-ill.toml", "--diff").stdout
    assert "Different under fewer-fall-ill than under as-it-is: " in printed
    assert re.search(r"^  \+ \[\w+\] \w+ = [\d.]+$", printed, re.M)
    assert "Reported figure" not in printed


def test_a_run_prints_reported_next_to_simulated_figures_the_37_patients_and_its_limits(aftercart: Command) -> None:
    printed = aftercart("run", "baseline", "--fit", "--draws", "2", "--jobs", "1").stdout
    assert re.search(r"Alive at 12 months: HSCT after +80 ± 13 % \(8 of 10\) +\d+ \(\d+ to \d+\) +yes", printed)
    assert re.search(r"Alive at 12 months: other +63 ± 17 % \(5 of 8\) .*\n *treatment ", printed), printed
    words = " ".join(printed.split())
    assert "37 reported patients" in words
    assert "not for individual ones" in words


def test_json_is_the_outcomes_table_and_nothing_else(aftercart: Command, folder: Path) -> None:
    result = aftercart("compare", "as-it-is.toml", "fewer-fall-ill.toml", "--json", "--out", "run")
    rows = json.loads(result.stdout)
    table = pd.read_csv(folder / "run" / "outcomes.csv")
    assert [list(row) for row in rows] == [list(table.columns)] * len(table)
    pd.testing.assert_frame_equal(pd.DataFrame(rows).astype(table.dtypes), table, rtol=1e-6)
    by_name = {(row["scenario"], row["population"], row["outcome"]): row for row in rows}
    assert 100 * by_name["as-it-is", "all", "os_12"]["estimate"] == pytest.approx(alive_of_100(12), abs=0.01)
    assert by_name["as-it-is", "all", "os_12"]["difference"] is None


def test_quiet_prints_only_the_answer_and_the_folder(aftercart: Command) -> None:
    result = aftercart("run", "as-it-is.toml", "--quiet", "--out", "run")
    assert result.stdout == "Of 100 patients, 42 are alive at 12 months under as-it-is.\nFiles: run\n"
    assert result.stderr == ""


def test_every_run_writes_a_new_folder_under_results(aftercart: Command, folder: Path) -> None:
    for _ in range(2):
        assert aftercart("compare", "as-it-is.toml", "fewer-fall-ill.toml").exit_code == 0
    runs = list((folder / "results" / "as-it-is-vs-fewer-fall-ill").iterdir())
    assert len(runs) == 2
    for run in runs:
        names = {path.name for path in run.iterdir()}
        tables = {"survival.csv", "outcomes.csv", "outcomes_by_draw.csv", "occupancy.csv", "end_points.csv"}
        assert names == {*tables, "manifest.json"}


@pytest.mark.slow
@pytest.mark.usefixtures("without_png", "in_one_width")
def test_a_run_writes_figures_and_a_report_that_can_be_made_again(
    aftercart_with_figures: Command, folder: Path
) -> None:
    result = aftercart_with_figures("compare", "as-it-is.toml", "fewer-fall-ill.toml", "--out", "run")
    assert result.exit_code == 0, result.output
    names = {path.name for path in (folder / "run").iterdir() if path.stat().st_size > 0}
    assert {"report.html", "overall_survival.svg", "overall_survival.png", "state_occupancy.svg"} <= names
    (folder / "run" / "report.html").unlink()
    result = aftercart_with_figures("report", "run")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (folder / "run").iterdir()} == names


def test_a_workbook_and_a_summary_are_written_if_they_are_asked_for(
    aftercart_with_figures: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xlsxwriter")
    monkeypatch.setattr("simulator.report.run_folder.gallery", lambda *_: [])
    monkeypatch.setattr("simulator.report.summary.BROWSERS", ())
    typed = ("run", "as-it-is.toml", "--horizon", "24", "--out")
    plain = aftercart_with_figures(*typed, "plain")
    assert "summary.pdf" not in plain.output
    asked = aftercart_with_figures(*typed, "asked", "--excel", "--pdf")
    assert asked.exit_code == 0, asked.output
    assert "summary.pdf needs Chromium or Chrome, which is not installed" in asked.stderr
    more = {path.name for path in (folder / "asked").iterdir()} - {path.name for path in (folder / "plain").iterdir()}
    assert more == {"results.xlsx"}
    assert aftercart_with_figures("report", "plain", "--excel").exit_code == 0
    assert (folder / "plain" / "results.xlsx").read_bytes() == (folder / "asked" / "results.xlsx").read_bytes()


def test_a_workbook_that_cannot_be_made_is_refused_before_the_run(
    aftercart: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    refused = aftercart("run", "as-it-is.toml", "--excel", "--out", "run")
    assert refused.exit_code == 2
    assert "pip install 'aftercart[office]'" in refused.stderr
    assert not (folder / "run").exists()


@pytest.mark.usefixtures("work_by_other_processes")
@pytest.mark.parametrize("engine", [slow("exact"), "microsim"])
def test_the_same_command_gives_the_same_bytes(aftercart: Command, folder: Path, engine: str) -> None:
    for out, jobs in (("one", "1"), ("two", "2")):
        histories = ("--histories",) if engine == "microsim" else ()
        settings = ("--draws", "2", "--patients", "50", "--horizon", "24", "--engine", engine, "--jobs", jobs)
        result = aftercart("compare", "baseline", "earlier-hsct", *settings, *histories, "--out", out)
        assert result.exit_code == 0, result.output
    names = sorted(path.name for path in (folder / "one").iterdir())
    assert names == sorted(path.name for path in (folder / "two").iterdir())
    for name in names:
        first, second = ((folder / out / name).read_bytes() for out in ("one", "two"))
        if name == "manifest.json":
            first, second = (re.sub(rb'"(created|command)": "[^"]*"', b"", content) for content in (first, second))
        if name == "report.html":
            first, second = (
                re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", b"", content) for content in (first, second)
            )
        assert first == second, name


def test_histories_are_possible_and_include_every_patient(aftercart: Command, folder: Path) -> None:
    typed = (
        "compare",
        "as-it-is.toml",
        "fewer-fall-ill.toml",
        "--event-log",
        "csv",
        "--patients",
        "500",
        "--out",
        "run",
    )
    assert aftercart(*typed).exit_code == 0
    log = pd.read_csv(folder / "run" / "event_log.csv", usecols=["case:concept:name", "time:timestamp"])
    assert (log["case:concept:name"].nunique(), log["time:timestamp"].min()[:10]) == (1_000, "2026-01-01")
    manifest = json.loads((folder / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["event_log"] == {"formats": ["csv"], "origin": "2026-01-01"}
    events = pd.read_csv(folder / "run" / "histories.csv")
    assert list(events.columns) == ["scenario", "patient", "event", "month", "state", "label"]
    for name, of_scenario in events.groupby("scenario"):
        assert sorted(of_scenario["patient"].unique()) == list(range(500)), name
        event_log.check(of_scenario.drop(columns="scenario").reset_index(drop=True), load_pathway("three_state"))


def test_histories_agree_with_the_tables(aftercart: Command, folder: Path) -> None:
    assert aftercart("run", "as-it-is.toml", "--histories", "--patients", "500", "--out", "run").exit_code == 0
    events = pd.read_csv(folder / "run" / "histories.csv")
    died = events[events["state"] == "dead"]
    outcomes = pd.read_csv(folder / "run" / "outcomes.csv").set_index(["population", "outcome"])
    assert outcomes.loc[("all", "os_12"), "estimate"] == pytest.approx(1 - (died["month"] <= 12).sum() / 500)


def test_list_prints_every_name_and_question(aftercart: Command) -> None:
    printed = " ".join(aftercart("list").stdout.split())
    for name in [*scenarios.names(), *shipped.names(), "wang2024"]:
        assert f"{name} " in printed
    assert "What if 88 of 100 relapsed patients received salvage treatment, instead of today's 49?" in printed


@pytest.mark.slow
def test_shipped_scenarios_pathways_and_cohorts_pass_check(aftercart: Command) -> None:
    """Every shipped scenario is loaded by other tests, and run by `test_snapshots`."""
    for name in ["baseline", "letter-centre", *shipped.names(), "wang2024"]:
        result = aftercart("check", name)
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("OK: ")


@pytest.mark.parametrize("name", ["wider-salvage@0.5", "wider-salvage@1", "wider-salvage@cohorts", "own.toml@0.5"])
def test_a_scenario_with_a_marginal_benefit_passes_check(name: str, aftercart: Command, folder: Path) -> None:
    (folder / "own.toml").write_text('base = "wider-salvage"\n')
    result = aftercart("check", name)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"OK: scenario '{name.replace('.toml', '')}' on pathway")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wider-salvage@60", "(60 %? write 0.6)"),
        ("wider-salvage@0,6", "write 0.6"),
        ("wider-salvge@0.6", "did you mean 'wider-salvage'?"),
        ("wang2024@0.5", "unknown scenario; got 'wang2024'"),
    ],
)
def test_a_marginal_benefit_that_a_run_refuses_is_refused_by_check(name: str, words: str, aftercart: Command) -> None:
    for command in ("check", "run"):
        result = aftercart(command, name)
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert words in result.stderr


def test_a_marginal_benefit_can_be_set_by_name(aftercart: Command) -> None:
    result = aftercart("run", "wider-salvage@0.25", "--draws", "2", "--horizon", "24", "--jobs", "1", "--json")
    alive = {row["scenario"]: row for row in json.loads(result.stdout) if row["outcome"] == "os_12"}
    assert next(iter(alive)) == "wider-salvage@0.25"


def test_a_closed_pipe_causes_no_error_message(started: Callable[..., subprocess.Popen[str]]) -> None:
    with started("list") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_no_progress_is_shown_if_the_output_is_not_a_terminal(aftercart: Command) -> None:
    assert aftercart("run", "as-it-is.toml", "--out", "run").stderr == ""


def test_control_characters_in_a_folder_name_are_printed_as_escapes(aftercart: Command) -> None:
    result = aftercart("run", "as-it-is.toml", "--quiet", "--out", "run\x1b[31m")
    assert result.stdout.endswith("Files: run\\x1b[31m\n")


@pytest.mark.parametrize(
    ("written", "printed"), [("\N{MINUS SIGN}0.8", b"-0.8"), ("\N{EN DASH}", b"-"), ("\N{BLACK STAR}", b"?")]
)
def test_a_terminal_that_lacks_a_letter_prints_a_question_mark_but_never_loses_a_minus(
    monkeypatch: pytest.MonkeyPatch, written: str, printed: bytes
) -> None:
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(application, "app", lambda prog_name: print(written, end="", flush=True))
    monkeypatch.setattr("sys.stdout", output)
    assert application.run() == 0
    output.flush()
    assert output.buffer.getvalue() == printed  # type: ignore[attr-defined]
