"""`check-calibration` says first whether the calibration is right; here with made-up ranks of the letter's fits."""

import errno
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from calibration.likelihood.targets import load_targets
from calibration.validation import check, trials
from calibration.validation.check import RANKS
from simulator.evidence.cohort import cohorts_folder
from simulator.experiment.cost import timed

Command = Callable[..., Any]
LETTER = cohorts_folder() / "wang2024"


LEFT_OUT = """\
target,left_out_with,population,unit,reported,lower,upper,inside,effective_draws,how,informs
relapse_median,relapse_median,all,months,10.3,3.6,13.7,yes,500,refitted,yes
relapse_minimum,relapse_minimum,all,months,0.5,0.02,2.9,yes,1270,reweighted,yes
survivors_12_treated,survivors_12_treated,treated,%,72.2,29,89,yes,500,refitted,yes
"""


@pytest.fixture(scope="module")
def ranks_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 300 made-up cohorts, every twentieth refused: multiples of the golden section are even in any first part."""
    names = trials.quantities(load_targets("wang2024"))
    number = np.arange(1, 301)
    offsets = np.linspace(0.0, 1.0, len(names), endpoint=False)
    even = np.floor(RANKS * ((number[:, None] * (np.sqrt(5.0) - 1.0) / 2.0 + offsets) % 1.0))
    table = pd.DataFrame(even, columns=names)
    refused = number % 20 == 0
    table.loc[refused] = np.nan
    reasons = np.where(refused, "two medians may be one patient's", "")
    about = {"number": number, "refused": reasons, "effective_sample_size": 300, "k_hat": 0.5, "truth_share": 0.01}
    about["seconds"] = number / 10
    file = tmp_path_factory.mktemp("made_up") / "ranks.csv"
    pd.concat([pd.DataFrame(about), table], axis=1).to_csv(file, index=False)
    return file


@pytest.fixture
def made_up(ranks_file: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Replace an hour of fitting by made-up ranks."""
    table = trials.read(ranks_file)
    monkeypatch.setattr(trials, "run", lambda targets, fits, folder, **_: (folder.mkdir(), table.head(fits))[1])
    monkeypatch.setattr(check, "cross_validate", lambda targets, **_: pd.read_csv(io.StringIO(LEFT_OUT)))
    monkeypatch.setattr(check, "seconds", lambda *_: (839.0, 60.0))
    monkeypatch.setattr(check, "lattice_errors", lambda targets, draws: np.array([0.004, 0.002]))
    return table


@pytest.mark.usefixtures("made_up")
def test_the_verdict_comes_first_and_lines_fit_80_columns(aftercart: Command) -> None:
    result = aftercart("check-calibration", "wang2024", "--out", "checked", "--jobs", "1", "--fits", "40")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("The calibration of wang2024 recovers the true values: in ")
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    phrases = ("OS at 12 months", "Each figure,", "0.0040 at most", "With 38 fits,", "not for individual patients")
    for phrase in phrases:
        assert phrase in result.stdout
    assert result.stdout.endswith("Files: checked\n")
    names = {file.name for file in Path("checked").iterdir()}
    assert {"uniformity.csv", "coverage.csv", "left_out.csv", "manifest.json"} <= names
    manifest = json.loads(Path("checked/manifest.json").read_text())
    assert (manifest["cohort"], manifest["n"], manifest["not_uniform"]) == ("wang2024", 37, [])


@pytest.mark.slow
@pytest.mark.usefixtures("made_up", "without_png")
def test_ranks_and_coverage_are_drawn(
    aftercart_with_figures: Command, files_of_figures: Callable[..., set[str]]
) -> None:
    typed = ("check-calibration", "wang2024", "--out", "checked", "--jobs", "1", "--fits", "40")
    assert aftercart_with_figures(*typed).exit_code == 0
    assert files_of_figures("ranks", "coverage") <= {file.name for file in Path("checked").iterdir()}


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize("where", ["calibration.validation.trials.run", "calibration.validation.check.Check.write"])
def test_a_full_disk_names_the_folder_and_the_command_that_continues(
    where: str, aftercart: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        Path("checked").mkdir(exist_ok=True)
        raise OSError(errno.EFBIG, "File too large")

    monkeypatch.setattr(where, full)
    result = aftercart("check-calibration", "wang2024", "--out", "checked", "--jobs", "1", "--fits", "1")
    assert result.exit_code == 1
    assert (
        "checked: File too large; the finished work is kept, and the same check-calibration command continues it"
        in result.stderr
    )


def test_if_no_simulated_cohort_could_be_fitted_the_output_says_so_and_shows_the_rest(
    aftercart: Command, made_up: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = made_up.head(3).assign(refused="two medians may be one patient's")
    monkeypatch.setattr(trials, "run", lambda targets, fits, folder, **_: (folder.mkdir(), refused)[1])
    result = aftercart("check-calibration", "wang2024", "--out", "checked", "--jobs", "1", "--fits", "1")
    assert result.exit_code == 1
    output = " ".join(result.stdout.split())
    assert "none of 3 simulated cohorts could be fitted" in output
    assert "two medians may be one patient's" in output
    assert "Each figure, predicted by a fit without it" in output


def test_a_quantity_that_is_not_uniform_is_named_first_and_the_command_fails(
    aftercart: Command, made_up: pd.DataFrame
) -> None:
    made_up["hsct_cure"] = made_up["hsct_cure"] // 3
    result = aftercart("check-calibration", "wang2024", "--out", "checked", "--jobs", "1", "--quiet")
    assert result.exit_code == 1
    assert "fails a check" in result.stdout.splitlines()[0]
    output = " ".join(result.stdout.split())
    assert "the ranks of hsct_cure are not uniform" in output
    assert "Of 100 checks of a correct calibration, 5 find uneven ranks by chance, and 5 such intervals" in output


@pytest.mark.usefixtures("made_up")
def test_a_check_that_takes_hours_asks_first(aftercart: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "seconds", lambda *_: (300 * 30.0 - 120.0, 60.0))
    typed = ("check-calibration", "wang2024", "--out", "checked", "--jobs", "2", "--quiet")
    result = aftercart(*typed)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    for words in ("would take about 75 minutes on 2 processes", "--fits 20 takes about 5 minutes", "--yes to start"):
        assert words in result.stderr
    assert not Path("checked").exists()
    assert aftercart(*typed, "--yes").exit_code == 0


@pytest.mark.slow
def test_the_predicted_time_of_a_check_is_that_of_the_remaining_fits(
    tmp_path: Path, ranks_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "ROWS", 50)
    targets = load_targets("wang2024")
    fitting, leaving_out = check.seconds(targets, tmp_path, 300, timed)
    assert fitting > leaving_out > 0.0
    shutil.copy(ranks_file, tmp_path)
    done = trials.read(ranks_file)
    fitted = done.loc[done["refused"] == "", "seconds"]
    assert check.seconds(targets, tmp_path, len(fitted) + 100, timed)[0] == pytest.approx(100 * fitted.mean())


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("wang2023",), ("'wang2023'", "did you mean 'wang2024'")),
        (("wang2024", "--fits", "0"), ("--fits", "got 0", "1 or more")),
        (("wang2024", "--seed", "-1"), ("--seed", "got -1")),
        (("wang2024", "--jobs", "0"), ("--jobs", "got 0")),
        (("wang2024", "--out", "/proc/check"), ("--out", "/proc/check")),
        (("wang2024", "--out", "mine"), ("mine", "this folder has no check to continue")),
    ],
)
def test_invalid_arguments_are_refused_before_the_fits(
    aftercart: Command, folder: Path, typed: tuple[str, ...], words: tuple[str, ...]
) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("mine")
    result = aftercart("check-calibration", *typed)
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr
    assert [file.name for file in (folder / "mine").iterdir()] == ["notes.txt"]


def test_a_cohort_that_was_not_fitted_is_refused_with_the_command_for_it(aftercart: Command, folder: Path) -> None:
    for name in ("cohort.toml", "targets.csv"):
        shutil.copy(LETTER / name, folder)
    result = aftercart("check-calibration", str(folder))
    assert result.exit_code == 2
    assert f"{folder}: the cohort has not been fitted yet; allowed: aftercart calibrate {folder}" in result.stderr
