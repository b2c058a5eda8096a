"""A user's first day: start, stop, help, and common mistakes that are refused with a correction."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worlds import slow

from simulator import cli, compare, errors, sweep
from simulator.errors import InputError
from simulator.report.json import as_json

Command = Callable[..., Any]
Started = Callable[..., subprocess.Popen[str]]

SCRIPT = """
print("begun")
from simulator import compare
results = compare("as-it-is.toml", ["fewer-fall-ill.toml"], jobs=2, engine="microsim", patients=300_000)
print(len(results.outcomes))
"""


def python(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.run(
        [sys.executable, *arguments], input=stdin, capture_output=True, text=True, env=environment, timeout=120
    )


def refused(result: Any, *words: str) -> None:
    assert (result.exit_code, result.stdout) == (2, "")
    for word in words:
        assert word in result.stderr, result.stderr


# --- Ways to start, and to stop ---


def test_the_package_runs_as_a_module() -> None:
    assert python("-m", "simulator", "--version").stdout.startswith("aftercart ")


@pytest.mark.parametrize("source", ["a file", slow("standard input")])
def test_a_script_needs_no_guard_for_several_processes(folder: Path, source: str) -> None:
    """Other processes do not run the script again: it prints "begun" once, and nothing goes to stderr."""
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    done = python("script.py") if source == "a file" else python("-", stdin=SCRIPT)
    assert done.stderr == ""
    begun, rows = done.stdout.split()
    assert (begun, int(rows) > 0) == ("begun", True)


@pytest.mark.slow
def test_a_terminated_command_leaves_no_file_and_prints_no_warning(started: Started, folder: Path) -> None:
    before = set(folder.rglob("*"))
    typed = ("run", "baseline", "--engine", "microsim", "--patients", "1000000", "--draws", "50", "--yes")
    process = started(*typed, "--jobs", "2", "--out", "deep/run")
    while not list(folder.glob("deep/run/.unfinished-*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    time.sleep(1.0)
    process.send_signal(signal.SIGTERM)
    output, complaint = process.communicate(timeout=60)
    assert (process.returncode, output, complaint) == (1, "", "aftercart: stopped; nothing was written\n")
    assert set(folder.rglob("*")) == before


# --- Help ---


def test_help_prints_a_default_once(aftercart: Command) -> None:
    commands = re.findall(r"^  ([a-z-]+) ", aftercart("--help").stdout.partition("Commands:")[2], re.M)
    assert len(commands) > 10
    for name in commands:
        options = re.split(r"\n  (?=-)", aftercart(name, "--help").stdout)
        for option in options:
            assert option.count("[default:") <= 1, option


def test_the_shell_completes_commands_scenarios_cohorts_engines_and_parts(
    aftercart: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--install-completion" in aftercart("--help").stdout
    monkeypatch.setattr(sys, "argv", ["aftercart"])
    monkeypatch.setenv("_AFTERCART_COMPLETE", "complete_bash")
    for typed, expected in {
        "comp": ["compare"],
        "run no-h": ["no-hsct"],
        "sensitivity wider-salvage no-h": ["no-hsct"],
        "calibrate w": ["wang2024", "wudhikarn2021"],
        "check-calibration wa": ["wang2024"],
        "validate li2023 sch": ["schultz2023"],
        "run baseline --engine m": ["microsim"],
        "guarantee-time --engine ": ["auto", "microsim", "des"],
        "sensitivity wider-salvage --show tornado,e": ["tornado,evppi"],
    }.items():
        monkeypatch.setenv("COMP_WORDS", f"aftercart {typed}")
        monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" "))))
        with pytest.raises(SystemExit):
            cli.main()
        assert capsys.readouterr().out.split() == expected, typed


def test_an_internal_error_says_where_to_report_it(aftercart: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr("simulator.experiment.run.simulate", broken)
    result = aftercart("run", "as-it-is.toml")
    assert result.exit_code == 1
    assert "KeyError: 'lost'. Please report it to whoever gave you aftercart " in result.stderr
    assert "AFTERCART_TRACEBACK=1" in result.stderr


# --- Common mistakes ---


@pytest.mark.parametrize(
    ("line", "write"),
    [
        ("[set]\nsalvage_uptake = 0,6", "write 0.6"),
        ("[set]\nsalvage_uptake = 0,6 # as agreed", "write 0.6"),
        ("set = { salvage_uptake = 0,6 }", "write 0.6"),
        ("set = { salvage_uptake = 0,6, trm_median = 3 }", "write 0.6"),
        ("[set]\nsalvage_uptake = 60%", "write 0.6"),
        ("[set]\nsalvage_uptake = .6", "write 0.6"),
        ('[set]\nsalvage_uptake = "0,6"', "write 0.6"),
        ('[set]\nsalvage_uptake = "60 %"', "write 0.6"),
        ("[set]\nsalvage_uptake = 60", "0 to 1 (60 %? write 0.6)"),
        ("marginal_benefit = 60", "0 to 1 (60 %? write 0.6)"),
    ],
)
def test_a_comma_and_a_percentage_are_refused_with_the_number_to_write(
    aftercart: Command, folder: Path, line: str, write: str
) -> None:
    (folder / "own.toml").write_text(f'base = "baseline"\n{line}\n', encoding="utf-8")
    refused(aftercart("check", "own.toml"), "own.toml", write)


def test_lists_and_too_large_numbers_get_no_such_correction(aftercart: Command, folder: Path) -> None:
    (folder / "own.toml").write_text('base = "baseline"\nmilestones = ["a", 1,2\n', encoding="utf-8")
    assert "write" not in aftercart("check", "own.toml").stderr
    (folder / "own.toml").write_text('base = "baseline"\n[set]\nsalvage_uptake = 600\n', encoding="utf-8")
    assert "allowed: 0 to 1\n" in aftercart("check", "own.toml").stderr


@pytest.mark.parametrize(
    ("text", "number"), [("0,6", "0.6"), ("60 %", "0.6"), ("7%", "0.07"), ("1,5", "1.5"), ("-,5", "-0.5")]
)
def test_a_comma_or_a_percentage_is_corrected_to_a_number(text: str, number: str) -> None:
    assert errors.number_meant(text) == f"write {number}"
    assert errors.number_meant(f"salvage {text}") is None


def test_a_hint_lists_the_most_similar_of_many_names(aftercart: Command, folder: Path) -> None:
    """The pathway has more than forty parameters; that of the uptake stands far down in its file."""
    (folder / "own.toml").write_text('base = "baseline"\n[set]\nuptake = 0.6\n', encoding="utf-8")
    refused(aftercart("check", "own.toml"), "salvage_uptake", "second_salvage_uptake")
    names = [f"other_{number}" for number in range(40)] + ["time_to_relapse"]
    assert errors.alike("relapse_time", names, 12)[0] == "time_to_relapse"


def test_a_file_with_a_similar_name_or_suffix_is_suggested(aftercart: Command, folder: Path) -> None:
    for command in ("check", "run"):
        refused(aftercart(command, "as-it-is"), "did you mean 'as-it-is.toml'?")
        refused(aftercart(command, "as-its-is.toml"), "cannot be read", "did you mean 'as-it-is.toml'?")
        refused(aftercart(command, "nothing-like-it.toml"), "cannot be read: No such file or directory\n")
    (folder / "deep").mkdir()
    (folder / "deep" / "mine.toml").write_text('pathway = "three_state"\n', encoding="utf-8")
    for line in ('base = "mine"', 'pathway = "mine"'):
        (folder / "deep" / "own.toml").write_text(line, encoding="utf-8")
        refused(aftercart("check", "deep/own.toml"), "unknown", "did you mean 'mine.toml'?")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("[states.почка]", 'a name with such letters in quotes: "почка"'),
        ("почка = 1", 'a name with such letters in quotes: "почка"'),
        ("[[states.waiting.переход]]", 'a name with such letters in quotes: "переход"'),
        ("title = \u201cToday\u201d", "straight quotes"),
        ("title = \u00abToday\u00bb", "straight quotes"),
        ('question = "a"\nquestion = "b"', "got 'question = \"b\"'"),
    ],
)
def test_an_invalid_line_of_toml_is_quoted_with_a_correction(
    aftercart: Command, folder: Path, line: str, hint: str
) -> None:
    (folder / "own.toml").write_text(f'base = "baseline"\n{line}\n', encoding="utf-8")
    refused(aftercart("check", "own.toml"), "not valid TOML", line.splitlines()[-1].split(" = ")[0], hint)


def test_an_option_with_a_comma_is_refused_with_the_number_to_write(aftercart: Command) -> None:
    message = re.sub(r"[│\s]+", " ", aftercart("run", "as-it-is.toml", "--horizon", "0,5").stderr)
    assert "got '0,5'; write 0.5" in message
    assert "write" not in aftercart("run", "as-it-is.toml", "--draws", "2,5").stderr


@pytest.mark.parametrize("columns", ["20", "40", "60", "80"])
def test_a_narrow_terminal_loses_no_word_and_no_digit(
    aftercart: Command, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    def words_printed(columns: str) -> Counter[str]:
        monkeypatch.setenv("COLUMNS", columns)
        output = aftercart("compare", "as-it-is.toml", "fewer-fall-ill.toml", "--quick").stdout
        return Counter(re.sub("─+", "", output.split("Files:")[0]).replace("-", " ").split())

    # Labels are printed again next to the columns that stand below.
    assert not words_printed("200") - words_printed(columns)


def test_the_report_of_a_parent_folder_suggests_the_newest_run(aftercart: Command, folder: Path) -> None:
    refused(aftercart("report", "results"), "allowed: a run's folder\n")
    for name in ("one", "two"):
        assert aftercart("run", "as-it-is.toml", "--quiet", "--out", f"results/as-it-is/{name}").exit_code == 0
    os.utime("results/as-it-is/one", (1, 1))
    for parent in ("results", "results/as-it-is"):
        refused(aftercart("report", parent), f"did you mean '{Path('results/as-it-is/two')}'?")


def test_the_check_of_a_folder_names_the_missing_files(aftercart: Command, folder: Path) -> None:
    refused(aftercart("check", "."), "this folder has no cohort", "cohort.toml", "as-it-is.toml")
    assert aftercart("run", "as-it-is.toml", "--quiet", "--out", "run").exit_code == 0
    refused(aftercart("check", "run"), "a run's folder", "aftercart report run")


# --- From Python ---


def test_compare_accepts_a_list_of_scenarios(folder: Path) -> None:
    results = compare("as-it-is.toml", ["fewer-fall-ill.toml"])
    assert [scenario.name for scenario in results.scenarios] == ["as-it-is", "fewer-fall-ill"]
    pd.testing.assert_frame_equal(results.outcomes, compare("as-it-is.toml", "fewer-fall-ill.toml").outcomes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((), "no scenario"), (([],), "no scenario"), ((3,), "not a scenario; got 3"), (("baseline",) * 2, "one name")],
)
def test_compare_refuses_arguments_that_are_no_scenario(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare(*arguments)


@pytest.mark.parametrize("varied", [False, True])
def test_results_are_written_to_the_given_folder(folder: Path, varied: bool) -> None:
    results = sweep("as-it-is.toml", {"onset_rate": [0.1, 0.2]}) if varied else compare("as-it-is.toml")
    results.write("new/folder")
    assert (folder / "new" / "folder" / "manifest.json").exists()
    results.write(folder / "other")
    name = "sweep.csv" if varied else "outcomes.csv"
    assert (folder / "other" / name).read_bytes() == (folder / "new" / "folder" / name).read_bytes()
    with pytest.raises(InputError, match=r"nothing can be written to this folder \(.*\); got 'as-it-is.toml'"):
        results.write("as-it-is.toml")


# --- JSON ---


def test_json_keeps_small_numbers_exactly() -> None:
    """Ten decimals would make 0 of 1e-12."""
    values = [1e-12, 3.25e-300, -7.5e-11, 0.1, 1e15, 0.0]
    table = pd.DataFrame({"estimate": [*values, np.nan, np.inf], "name": ["é"] * 8, "month": range(8)})
    rows = json.loads(as_json(table), parse_constant=pytest.fail)
    assert [row["estimate"] for row in rows] == [*values, None, None]
    assert [row["month"] for row in rows] == list(range(8))
    assert rows[0]["name"] == "é"
    assert "é" in as_json(table)


def test_packages_declare_their_types(repository: Path) -> None:
    for package in ("simulator", "calibration", "scenarios"):
        assert (repository / package / "py.typed").exists()
