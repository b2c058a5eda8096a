"""Wrong input ends with one helpful message, and changes no file."""

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from worlds import slow

from simulator import cli
from simulator.cli import application, failures
from simulator.cli import folder as run_folder
from simulator.errors import AftercartError, InputError
from simulator.experiment import results
from simulator.experiment import run as experiment
from simulator.pathway import shipped
from simulator.scenario.arrivals import ServiceTable
from simulator.scenario.capacity import CapacityTable
from simulator.scenario.scenario import ScenarioTable, load_scenario

Command = Callable[..., Any]
Started = Callable[..., subprocess.Popen[str]]

PATHWAY = """
title = "Ill or dead"
start = "healthy"

[attributes.sex]
levels = { female = 1, male = 1 }

[states.healthy]
kind = "sojourn"

[[states.healthy.transitions]]
to = "screened"
time = { family = "weibull", shape = 0.8, median = "onset_median" }

[states.screened]
kind = "chance"

[[states.screened.branches]]
to = "ill"
probability = "found"
eligible = { sex = ["female", "male"] }

[[states.screened.branches]]
to = "dead"
probability = 0.4

[states.ill]
kind = "sojourn"

[[states.ill.transitions]]
to = "dead"
time = { family = "exponential", rate = { by = "sex", female = 0.2, male = 0.3 } }

[states.dead]
kind = "death"

[parameters.onset_median]
unit = "months"
meaning = "median time to illness"
value = 8.0
source = "assumption"

[parameters.found]
unit = "probability"
meaning = "found ill"
value = 0.6
source = "assumption"
"""


def refused(result: Any, *words: str, status: int = 2) -> None:
    """One line on standard error, with these words in it; nothing on standard output; no traceback."""
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("aftercart: ")
    assert result.stderr.count("\n") == 1
    assert "error in aftercart itself" not in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


def everything_in(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def untouched(folder: Path) -> Any:
    """Assert that no file of the working folder changes, and no file is added."""
    (folder / "notes.txt").write_text("mine")
    before = everything_in(folder)
    yield
    assert everything_in(folder) == before


# --- Files ---


def test_the_undamaged_pathway_passes_check(aftercart: Command, folder: Path) -> None:
    (folder / "ill.toml").write_text(PATHWAY)
    assert aftercart("check", "ill.toml").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        # Unknown names, with the nearest that is known.
        ('to = "ill"', 'to = "il"', ["[states.screened]", "unknown state", "got 'il'", "did you mean 'ill'?"]),
        ('"onset_median" }', '"onset_medan" }', ["[states.healthy]", "'onset_medan'", "did you mean 'onset_median'?"]),
        ("weibull", "weibul", ["unknown family", "got 'weibul'", "did you mean 'weibull'?"]),
        ("shape = 0.8", "shap = 0.8", ["got 'shap'", "did you mean 'shape'?"]),
        ("meaning = ", "meanig = ", ["unknown key", "got 'meanig'", "did you mean 'meaning'?"]),
        ("[states.healthy]", "[state.healthy]", ["unknown key", "got 'state'", "did you mean 'states'?"]),
        ("sex = [", "sx = [", ["unknown attribute", "got 'sx'", "did you mean 'sex'?"]),
        ('"female", "male"', '"female", "mle"', ["got 'mle'", "did you mean 'male'?"]),
        ('start = "healthy"', 'start = "helthy"', ["start", "got 'helthy'", "did you mean 'healthy'?"]),
        ('kind = "death"', 'kind = "dead"', ["states.dead.kind", "got 'dead'", "'death'"]),
        ('unit = "months"', 'unit = "month"', ["parameters.onset_median.unit", "got 'month'", "'months'"]),
        # Numbers that cannot be.
        ("shape = 0.8", "shape = nan", ["not a finite number", "got nan"]),
        ("shape = 0.8", "shape = inf", ["not a finite number", "got inf"]),
        ("shape = 0.8", "shape = -1", ["shape", "got -1"]),
        (
            "value = 8.0",
            "value = -8.0",
            ["[parameters.onset_median]", "got -8.0", "allowed: a finite number, 0 or more"],
        ),
        ("value = 0.6", "value = 1.6", ["[parameters.found]", "got 1.6", "allowed: 0 to 1"]),
        ("rate = { by", "rate = 1, mean = { by", ["give one of"]),
        ("probability = 0.4", "probability = 0.3", ["(found, 0.3)", "do not sum to one"]),
        ("female = 1, male = 1", "female = 1, male = -1", ["negative weight", "got -1"]),
        ("female = 1, male = 1", "female = 0, male = 0", ["sum to zero"]),
        # A graph in which patients would be lost.
        ('to = "ill"', 'to = "dead"\nname = "late"', ["no patient can reach state 'ill'"]),
        ('[states.dead]\nkind = "death"', '[states.dead]\nkind = "sojourn"', ["a sojourn needs", "transitions"]),
        ('to = "screened"', 'to = "healthy"', ["no patient can reach"]),
        # Missing, or of the wrong kind.
        ('title = "Ill or dead"', "", ["title", "missing"]),
        ("value = 0.6", 'value = "many"', ["parameters.found.value", "got 'many'"]),
        ("value = 0.6", "value = true", ["parameters.found.value", "got True"]),
        # Not TOML.
        ('title = "Ill', 'title = Ill"', ["not valid TOML", "line 2"]),
        ("[states.ill]", "[states.ill", ["not valid TOML"]),
        ("[states.ill]", "[states.healthy]", ["not valid TOML"]),
    ],
)
def test_a_damaged_pathway_is_refused_with_its_place(
    aftercart: Command, folder: Path, old: str, new: str, words: list[str]
) -> None:
    assert PATHWAY.count(old) >= 1
    (folder / "ill.toml").write_text(PATHWAY.replace(old, new, 1))
    refused(aftercart("check", "ill.toml"), "ill.toml", *words)


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ('pathway = "three_stat"', ["damaged.toml: pathway: unk", "got 'three_stat'", "did you mean 'three_state'?"]),
        ('pathway = "three_stat.toml"', ["damaged.toml: pathway", "no such file", "got 'three_stat.toml'"]),
        ('base = "baselin"', ["damaged.toml: base", "unknown scenario", "did you mean 'baseline'?"]),
        ('base = "base\\u0000line"', ["damaged.toml: base: a name that is not plain text", "got 'base\\x00line'"]),
        ('base = "damaged.toml"', ["its own base"]),
        ('base = "not-there.toml"', ["not-there.toml", "cannot be read"]),
        ('title = "no pathway"', ["pathway", "needs a pathway"]),
        ('base = "baseline"\nquestin = "?"', ["unknown key", "did you mean 'question'?"]),
        ('base = "baseline"\nmarginal_benefit = 1.5', ["marginal_benefit", "got 1.5", "less than or equal to 1"]),
        ('base = "baseline"\n[set]\nsalvage_uptak = 0.9', ["[set]", "did you mean 'salvage_uptake'?"]),
        ('base = "baseline"\n[set]\nsalvage_uptake = 1.2', ["[set] salvage_uptake", "got 1.2", "0 to 1"]),
        ('base = "baseline"\n[set]\nsalvage_uptake = nan', ["set.salvage_uptake", "got nan"]),
        ('base = "baseline"\n[set]\nsalvage_uptake = "all"', ["set.salvage_uptake", "got 'all'"]),
        ('base = "baseline"\n[scale]\nsalvage_uptake = 9', ["salvage_uptake", "allowed: 0 to 1", "[odds_ratio]"]),
        ('base = "baseline"\n[scale]\nhsct_wait_median = -1', ["hsct_wait_median", "got -1", "0 or more"]),
        ('base = "baseline"\n[scale]\nhsct_wait_median = 1e308', ["[scale] hsct_wait_median", "got inf", "finite"]),
        ('base = "baseline"\n[set]\nrelapse_shape = 0', ["[set] relapse_shape, in", "shape is out of range", "got 0"]),
        (f'base = "baseline"\n[set]\nsalvage_uptake = {"9" * 5000}', ["not valid TOML", "too many digits"]),
        (f'base = "baseline"\n[set]\nsalvage_uptake = {"9" * 400}', ["set.salvage_uptake", "too large"]),
        ('base = "baseline"\n[odds_ratio]\nhsct_wait_median = 2', ["odds ratio", "probability"]),
        ('base = "baseline"\n[hazard_ratio]\n"car_t_remission.relaps" = 0.5', ["car_t_remission.relaps"]),
        ('base = "baseline"\n[population]\ncd20 = { positive = 1 }', ["unknown attribute", "'cd20'"]),
        ('base = "baseline"\n[population]\ncd19 = { positiv = 1 }', ["did you mean 'positive'?"]),
        ('base = "baseline"\n[population]\ncd19 = { positive = -1, negative_or_dim = 1, unknown = 1 }', ["got -1"]),
        ('base = "baseline"\n[capacity]\nhsct_bed = 3', ["unknown resource", "did you mean 'hsct_beds'?"]),
        ('base = "baseline"\n[capacity]\nhsct_beds = 0', ["[capacity] hsct_beds", "got 0"]),
        ('base = "baseline"\n[capacity]\nhsct_beds = 1e300', ["too many units", "up to 100,000", "leave the resource"]),
        ('base = "baseline"\n[capacity]\nhsct_beds = true', ["capacity.hsct_beds: not a number of units", "got True"]),
        (
            'base = "baseline"\n[capacity.hsct_beds]\nunits = 1\npriority = { state = ["hsct"] }',
            ["no patients wait for this resource in 'hsct'", "allowed: awaiting_hsct, awaiting_hsct_in_pr"],
        ),
        ('base = "letter-centre"\n[service]\nyears = 1e9', ["service.years", "equal to 200", "got 1000000000.0"]),
        ('base = "letter-centre"\n[service]\narrival_months = [2020-01-31]', ["got '2020-01-31'", "arrival_dates"]),
        ('base = "letter-centre"\n[service]\narrival_dates = ["31.1.2020"]', ["not a date", "allowed: 2020-01-31"]),
        ('base = "letter-centre"\n[service]\npolicy_from_month = 60', ["affect no counted patient", "before month 60"]),
    ],
)
def test_a_damaged_scenario_is_refused_with_its_place(
    aftercart: Command, folder: Path, untouched: None, scenario: str, words: list[str]
) -> None:
    (folder / "damaged.toml").write_text(scenario)
    try:
        for command in ("check", "run"):
            refused(aftercart(command, "damaged.toml"), *words)
    finally:
        (folder / "damaged.toml").unlink()


VALUES = {"text": '"two"', "yes": "true", "a number": "7.5", "a date": "2020-01-31", "a list": "[7]", "table": "{}"}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_of_the_wrong_kind_is_refused_in_plain_words(folder: Path, value: str) -> None:
    """Every key of every table, and one level below it: accepted, or refused without a term of Python."""
    tables = {"": ScenarioTable, "service": ServiceTable, "capacity.hsct_beds": CapacityTable}
    keys = [f"{table}.{key}".lstrip(".") for table, model in tables.items() for key in model.model_fields]
    places = [*keys, *(f"{key}.within" for key in keys), "capacity.hsct_beds", "population.cd19"]
    for place in places:
        for toml_value in (value, f"[{value}]", f"[{{ units = {value}, from_month = {value} }}]"):
            (folder / "strange.toml").write_text(f"{place} = {toml_value}\n")
            try:
                load_scenario(folder / "strange.toml")
            except InputError as error:
                message = str(error)
                assert not re.search(r"Table|Step|dictionary|instance|datetime|valid|None|-wrap", message), message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bytes(range(256)) * 8, ["not a text file"]),
        (b"\x00" * 1000, ["not valid TOML"]),
        (b"x = " + b"[" * 100_000, ["not valid TOML"]),
        (b"title = 'x'\n" + b"# padding\n" * 200_000, ["too large", "bytes"]),
        (b"", ["needs a pathway"]),
    ],
    ids=["binary", "zeros", "nested", "huge", "empty"],
)
def test_a_file_that_is_no_scenario_is_refused(
    aftercart: Command, folder: Path, content: bytes, words: list[str]
) -> None:
    (folder / "strange.toml").write_bytes(content)
    for command in ("check", "run"):
        refused(aftercart(command, "strange.toml"), "strange.toml", *words)


def test_a_name_longer_than_a_file_may_have_is_refused(aftercart: Command, folder: Path) -> None:
    name = f"{'x' * 4000}.toml"
    (folder / "strange.toml").write_text(f'base = "{name}"\n')
    for command in (["check", name], ["run", name], ["check", "strange.toml"], ["calibrate", name]):
        refused(aftercart(*command), "x...x")


def test_a_device_or_a_pipe_in_place_of_a_file_is_refused(aftercart: Command, folder: Path) -> None:
    """Either could be read for ever."""
    (folder / "zero.toml").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.toml")
    for name in ("zero.toml", "pipe.toml"):
        for typed in (["check", name], ["run", name]):
            refused(aftercart(*typed), name, "not a regular file")


def test_a_byte_order_mark_is_accepted(aftercart: Command, folder: Path) -> None:
    """Notepad begins a file with one."""
    path = folder / "as-it-is.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert aftercart("check", "as-it-is.toml").exit_code == 0


def test_a_folder_in_place_of_a_file_is_refused(aftercart: Command, folder: Path) -> None:
    (folder / "folder.toml").mkdir()
    refused(aftercart("run", "folder.toml"), "folder.toml", "cannot be read")


def test_a_damaged_file_never_causes_a_traceback(aftercart: Command, folder: Path) -> None:
    """Pathways and scenarios with a piece cut out, doubled or overwritten: accepted or refused."""
    generator = random.Random(20240680)
    texts = [path.read_bytes() for path in sorted(shipped.FOLDER.glob("*.toml"))] + [PATHWAY.encode()]
    path = folder / "cut.toml"
    for _ in range(25):
        text = bytearray(generator.choice(texts))
        first = generator.randrange(len(text))
        last = first + generator.choice([1, 3, 20, 200])
        text[first:last] = generator.choice(
            [b"", text[first:last] * 2, b"-", b"1e999", b"{}", b'"', b"rest", b"\n[x]\n"]
        )
        path.write_bytes(text)
        result = aftercart("check", "cut.toml")
        if result.exit_code != 0:
            refused(result)


# --- The command line ---


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["run", "wider-salvag"], ["unknown scenario", "got 'wider-salvag'", "did you mean 'wider-salvage'?"]),
        (["run", "not-there.toml"], ["not-there.toml", "cannot be read"]),
        (["run", "wider-salvage@1.5"], ["marginal benefit", "got 1.5"]),
        (["check", "baselin"], ["got 'baselin'", "did you mean 'baseline'?"]),
        (["compare", "as-it-is.toml", "as-it-is.toml"], ["two scenarios have one name", "got 'as-it-is'"]),
        (["compare", "as-it-is.toml", "baseline"], ["different pathways"]),
        (["calibrate", "wang2023"], ["'wang2023'", "wang2024"]),
        (["run", "as-it-is.toml", "--engine", "exat"], ["--engine", "did you mean 'exact'?"]),
        (["run", "as-it-is.toml", "--engine", "dse"], ["--engine", "got 'dse'", "did you mean 'des'?"]),
        (["run", "as-it-is.toml", "--patients", "0"], ["--patients", "got 0", "1 or more"]),
        (["run", "as-it-is.toml", "--replications", "0"], ["--replications", "got 0", "1 or more"]),
        (["run", "as-it-is.toml", "--patients", "-5"], ["--patients", "got -5", "1 or more"]),
        (["run", "as-it-is.toml", "--patients", "99999999999999"], ["--patients", "too many", "up to 100,000,000"]),
        (["run", "wider-salvage@0.5@0.5"], ["more than one marginal benefit", "allowed: wider-salvage@0.5"]),
        (["run", "baseline", "--draws", "0"], ["--draws", "got 0", "1 to "]),
        (["run", "baseline", "--draws", "-1"], ["--draws", "got -1", "1 to "]),
        (["run", "baseline", "--draws", "1000000"], ["--draws", "got 1000000", "1 to "]),
        (["run", "as-it-is.toml", "--draws", "2"], ["--draws", "got 2", "1 to 1"]),
        (["run", "as-it-is.toml", "--jobs", "0"], ["--jobs", "got 0", "1 or more"]),
        (["run", "as-it-is.toml", "--horizon", "0"], ["--horizon", "got 0", "above 0"]),
        (["run", "as-it-is.toml", "--horizon", "-12"], ["--horizon", "got -12", "above 0"]),
        (["run", "as-it-is.toml", "--horizon", "nan"], ["--horizon", "got nan", "above 0"]),
        (["run", "as-it-is.toml", "--horizon", "inf"], ["--horizon", "got inf", "above 0"]),
        (["run", "as-it-is.toml", "--horizon", "1e12"], ["--horizon", "got 1000000000000.0"]),
        (["run", "as-it-is.toml", "--histories", "--engine", "exact"], ["--histories", "microsim"]),
        (["run", "as-it-is.toml", "--event-log", "xes", "--engine", "exact"], ["--event-log", "microsim"]),
        (
            ["run", "as-it-is.toml", "--event-log", "xml"],
            ["--event-log", "unknown format", "got 'xml'", "csv, xes, ocel"],
        ),
        (["run", "as-it-is.toml", "--event-log", "csv,"], ["--event-log", "got ''", "csv, xes, ocel, vidigi"]),
        (
            ["run", "as-it-is.toml", "--event-log", "csv", "--origin", "1.1.26"],
            ["--origin", "got '1.1.26'", "2026-01-01"],
        ),
        (["run", "as-it-is.toml", "--origin", "2026-01-01"], ["--origin", "without an event log", "--event-log"]),
        (["report", "not-there"], ["not-there"]),
        (["report", "."], ["manifest.json"]),
    ],
    ids=" ".join,
)
def test_wrong_names_and_numbers_are_refused(
    aftercart: Command, untouched: None, typed: list[str], words: list[str]
) -> None:
    refused(aftercart(*typed), *words)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["comapre", "baseline"], ["comapre", "compare"]),
        (["run"], ["Missing argument", "SCENARIO"]),
        (["compare", "baseline"], ["Missing argument", "OTHER"]),
        (["run", "baseline", "--patient", "3"], ["--patient", "--patients"]),
        (["run", "baseline", "--patients", "many"], ["--patients", "integer", "got 'many'"]),
        (["run", "baseline", "--draws", "x"], ["--draws", "integer", "got 'x'"]),
        (["run", "baseline", "--horizon", "long"], ["--horizon", "number"]),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_refused(aftercart: Command, untouched: None, typed: list[str], words: list[str]) -> None:
    result = aftercart(*typed)
    assert result.exit_code == 2
    for word in words:
        assert word in result.stderr, result.stderr


# --- Places to write to ---


def test_an_output_folder_that_is_not_empty_is_refused(aftercart: Command, folder: Path, untouched: None) -> None:
    refused(aftercart("run", "as-it-is.toml", "--out", "."), "--out", "not empty", "got '.'")


def test_a_file_in_place_of_the_output_folder_is_refused(aftercart: Command, folder: Path, untouched: None) -> None:
    refused(aftercart("run", "as-it-is.toml", "--out", "notes.txt"), "--out", "not a folder", "'notes.txt'")
    refused(
        aftercart("run", "as-it-is.toml", "--out", "notes.txt/run"), "--out", "nothing can be written to this folder"
    )


def test_an_unwritable_output_folder_is_refused_before_the_simulation(
    aftercart: Command, untouched: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment, "simulate", lambda *_, **__: pytest.fail("the work had begun"))
    refused(aftercart("run", "as-it-is.toml", "--out", "/proc/run"), "--out", "'/proc/run'")
    refused(aftercart("run", "as-it-is.toml", "--out", "x" * 300), "--out", "File name too long")


def test_a_run_is_written_to_an_empty_folder(aftercart: Command, folder: Path) -> None:
    (folder / "empty").mkdir()
    assert aftercart("run", "as-it-is.toml", "--out", "empty").exit_code == 0
    assert (folder / "empty" / "outcomes.csv").stat().st_size > 0


@pytest.mark.parametrize("out", ["new", "new/and/deep", "empty"])
def test_a_full_disk_leaves_nothing_half_written(
    aftercart: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    """The disk is full after two of the tables are written."""

    def write(self: results.Results, into: Path) -> None:
        (into / "survival.csv").write_text("scenario,")
        (into / "outcomes.csv").write_text("scenario,")
        raise OSError(28, os.strerror(28), str(into / "occupancy.csv"))

    (folder / "empty").mkdir()
    before = everything_in(folder)
    monkeypatch.setattr(results.Results, "write", write)
    result = aftercart("run", "as-it-is.toml", "--out", out)
    refused(result, "No space left on device", "nothing was written", status=1)
    assert everything_in(folder) == before


def test_a_full_device_is_reported(started: Started, folder: Path) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        process = started("list", stdout=full)
        _, message = process.communicate(timeout=60)
    assert process.returncode == 1
    assert message == "aftercart: No space left on device\n"


def test_an_internal_error_is_reported_without_a_traceback(
    aftercart: Command, untouched: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.delenv("AFTERCART_TRACEBACK", raising=False)
    monkeypatch.setattr(experiment, "simulate", fail)
    result = aftercart("run", "as-it-is.toml")
    assert result.exit_code == 1
    assert result.stderr.startswith("aftercart: an error in aftercart itself: ZeroDivisionError")
    monkeypatch.setenv("AFTERCART_TRACEBACK", "1")
    assert isinstance(aftercart("run", "as-it-is.toml").exception, ZeroDivisionError)


def test_too_little_memory_is_reported(aftercart: Command, untouched: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(experiment, "simulate", fail)
    refused(aftercart("run", "as-it-is.toml"), "out of memory", "fewer --patients", status=1)


def test_an_output_folder_that_appears_during_the_run_is_refused(folder: Path) -> None:
    """Another program creates a file of that name during the run: that file stays."""
    (folder / "theirs").write_text("mine")
    with pytest.raises(InputError), run_folder.filled(folder / "theirs"):
        pytest.fail("it was entered")
    assert (folder / "theirs").read_text() == "mine"


# --- Ctrl-C ---


def interrupted(process: subprocess.Popen[str], after: float) -> tuple[int, str, str]:
    time.sleep(after)
    os.killpg(process.pid, signal.SIGINT)
    try:
        output, complaint = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, output, complaint


@pytest.mark.parametrize(("jobs", "after"), [slow("1", 0.3), ("2", 0.0), slow("2", 1.0)])
def test_ctrl_c_stops_a_run_and_leaves_no_file(
    started: Started, folder: Path, untouched: None, jobs: str, after: float
) -> None:
    """A terminal's Ctrl-C goes to the command and to its workers, as here."""
    run = ("run", "baseline", "--engine", "microsim", "--patients", "3000000", "--yes")
    process = started(*run, "--jobs", jobs, "--out", "deep/run")
    while not list(folder.glob("deep/run/.unfinished-*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    status, output, complaint = interrupted(process, after)
    assert (status, output, complaint) == (1, "", "aftercart: stopped; nothing was written\n")


@pytest.mark.slow
def test_ctrl_c_while_figures_are_drawn_leaves_no_file(started: Started, folder: Path, untouched: None) -> None:
    process = started("run", "baseline", "--draws", "2", "--horizon", "24", "--jobs", "2", "--out", "deep/run")
    while not list(folder.glob("deep/run/.unfinished-*/manifest.json")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    pressed = time.monotonic() + 3.0
    status, output, complaint = interrupted(process, 3.0)
    assert (status, output, complaint) == (1, "", "aftercart: stopped; nothing was written\n")
    assert time.monotonic() - pressed < 3.0


@pytest.mark.parametrize("quiet", [(), ("--quiet",)], ids=["shown", "quiet"])
def test_a_ctrl_c_that_python_dropped_still_stops_the_command(
    aftercart: Command, untouched: None, monkeypatch: pytest.MonkeyPatch, quiet: tuple[str, ...]
) -> None:
    """Python cannot raise in a callback of its import lock: Ctrl-C is recorded, and the work goes on."""
    monkeypatch.setattr(failures.CtrlC, "pressed", True)
    result = aftercart("run", "as-it-is.toml", "--out", "run", *quiet)
    refused(result, "stopped; nothing was written", status=1)


def test_a_dropped_ctrl_c_in_the_last_stage_stops_before_the_output(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work() -> None:
        with run_folder.filled(folder / "run") as unfinished:
            (unfinished / "survival.csv").write_text("scenario,")
            monkeypatch.setattr(failures.CtrlC, "pressed", True)

    with pytest.raises(AftercartError, match="stopped; nothing was written"):
        work()
    assert not (folder / "run").exists()


def test_two_processes_never_write_to_one_folder(folder: Path) -> None:
    with run_folder.filled(folder / "run") as unfinished:
        (unfinished / "survival.csv").write_text("first")
        with pytest.raises(InputError, match="another aftercart command is using this folder"):
            run_folder.filled(folder / "run").__enter__()
    assert [file.name for file in (folder / "run").iterdir()] == ["survival.csv"]


def test_files_of_a_killed_process_do_not_block_the_next_run(folder: Path) -> None:
    (folder / "run" / ".unfinished-0a1b2c3d").mkdir(parents=True)
    (folder / "run" / ".unfinished-0a1b2c3d" / "survival.csv").write_text("half a fi")
    with run_folder.filled(folder / "run") as unfinished:
        (unfinished / "survival.csv").write_text("whole")
    assert [file.read_text() for file in (folder / "run").iterdir()] == ["whole"]


def test_ctrl_c_while_the_command_starts_is_reported_in_one_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def press() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(application, "run", press)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    assert capsys.readouterr().err == "aftercart: stopped\n"


# --- Python ---


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"draws": "a"}, "--draws: not a whole number; got 'a'"),
        ({"seed": 1.5}, "--seed: not a whole number; got 1.5"),
        ({"patients": True}, "--patients: not a whole number; got True"),
        ({"horizon": "x"}, "--horizon: not a number; got 'x'"),
    ],
)
def test_an_invalid_setting_is_refused_in_python(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        experiment.run("baseline", **settings)
