"""`check` and `calibrate` refuse the same cohorts, and neither overwrites a file."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from calibration import fit
from simulator.evidence.cohort import cohorts_folder
from simulator.files import lock
from simulator.pathway import shipped

Command = Callable[..., Any]

PATHWAY = """
title = "Ill or dead"
start = "ill"
draws = "own.csv"

[states.ill]
kind = "chance"

[[states.ill.branches]]
to = "dead"
probability = "fatal"

[[states.ill.branches]]
to = "well"
probability = "healed"

[states.dead]
kind = "death"

[states.well]
kind = "end"

[parameters.fatal]
unit = "probability"
meaning = "dies"
value = 0.4
source = "assumption"
prior = { family = "dirichlet", alpha = 4 }

[parameters.healed]
unit = "probability"
meaning = "is healed"
value = 0.6
source = "assumption"
prior = { family = "dirichlet", alpha = 6 }
"""


def refused(result: Any, *words: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr, result.stderr


@pytest.fixture
def cohort(folder: Path) -> Path:
    """A copy of the shipped cohort, not fitted yet, in the working folder."""
    cohort = cohorts_folder() / "wang2024"
    (folder / "mine").mkdir()
    for name in ("cohort.toml", "targets.csv"):
        shutil.copy(cohort / name, folder / "mine" / name)
    return folder / "mine"


def test_the_undamaged_cohort_passes_check(aftercart: Command, cohort: Path) -> None:
    result = aftercart("check", "mine")
    assert result.exit_code == 0, result.output
    (verdict,) = result.stdout.splitlines()
    assert verdict.endswith("not fitted yet")


def test_a_pathway_without_a_fitted_cohort_is_refused_with_the_command_to_fit_it(
    aftercart: Command, cohort: Path, folder: Path
) -> None:
    pathway = shipped.path("b_all_post_cd19").read_text(encoding="utf-8")
    (folder / "own.toml").write_text(pathway.replace('"wang2024"', '"mine"', 1), encoding="utf-8")
    (folder / "today.toml").write_text('title = "Today"\npathway = "own.toml"\n', encoding="utf-8")
    for typed in (["check", "own.toml"], ["run", "today.toml", "--out", "found"]):
        refused(
            aftercart(*typed), "mine/draws.csv: the cohort is not fitted yet", "aftercart calibrate mine` writes them"
        )


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("targets.csv", ",survivors,", ",survivor,", ["unknown kind", "got 'survivor'", "did you mean 'survivors'?"]),
        ("targets.csv", ",13,37,", ",99,37,", ["more than the total", "got '99 of 37'"]),
        ("targets.csv", ",13,37,", ",-1,37,", ["got '-1 of 37'", "allowed: 0 to 37"]),
        ("targets.csv", "cd19=positive", "cd19=positve", ["got 'cd19=positve'", "did you mean 'cd19=positive'?"]),
        ("targets.csv", "cd19=positive,,17", ",,17", ["line 2: a case_mix row without an attribute"]),
        ("targets.csv", ",17,37,", ",seventeen,37,", ["targets.csv: line 2, count: not a number", "got 'seventeen'"]),
        ("cohort.toml", '"b_all_post_cd19"', '"b_all_post_cd20"', ["cohort.toml: pathway", "did you mean"]),
        ("cohort.toml", '"b_all_post_cd19"', '"own.toml"', ["cohort.toml: pathway", "no such file", "'own.toml'"]),
        ("cohort.toml", 'untreated = ["untreated"]', "untreated = 5", ["arms.untreated: not a list", "got 5"]),
    ],
)
def test_a_damaged_cohort_is_refused_before_it_is_calibrated(
    aftercart: Command, cohort: Path, file: str, old: str, new: str, words: list[str]
) -> None:
    text = (cohort / file).read_text(encoding="utf-8")
    assert old in text
    (cohort / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    for command in ("check", "calibrate"):
        refused(aftercart(command, "mine"), f"mine/{file}", *words)


def test_draws_without_a_row_are_refused(aftercart: Command, cohort: Path) -> None:
    with open(cohorts_folder() / "wang2024" / "draws.csv", encoding="utf-8") as file:
        (cohort / "draws.csv").write_text(file.readline())
    refused(aftercart("check", "mine"), "mine/draws.csv")


def test_draws_of_an_unknown_parameter_are_refused_with_their_column(aftercart: Command, folder: Path) -> None:
    (folder / "own.toml").write_text(PATHWAY)
    (folder / "own.csv").write_text("fatal,healed,fitted_to,heeled\n0.4,0.6,me,0.5\n")
    refused(aftercart("check", "own.toml"), "own.csv: header, column 4: unknown parameter; got 'heeled'")


@pytest.mark.parametrize(
    ("fatal", "healed", "words"),
    [
        (1.5, 0.6, ["own.csv: line 3, fatal", "value outside its unit (probability)", "got 1.5", "0 to 1"]),
        (0.5, 0.6, ["own.csv: line 3", "[states.ill]", "do not sum to one", "got 1.1"]),
    ],
)
def test_an_impossible_draw_is_refused_with_its_line(
    aftercart: Command, folder: Path, fatal: float, healed: float, words: list[str]
) -> None:
    (folder / "own.toml").write_text(PATHWAY)
    (folder / "mine.toml").write_text('pathway = "own.toml"')
    pd.DataFrame({"fatal": [0.4, fatal], "healed": [0.6, healed]}).to_csv(folder / "own.csv", index=False)
    for typed in (["check", "own.toml"], ["check", "mine.toml"], ["run", "mine.toml"]):
        refused(aftercart(*typed), *words)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("alpha = 4", "alpha = -10", ["own.toml: parameters.fatal.prior", "alpha", "got -10", "above 0"]),
        ("dirichlet", "dirichle", ["parameters.fatal.prior.family", "did you mean 'dirichlet'?"]),
        ("dirichlet", "bta", ["parameters.fatal.prior.family", "got 'bta'", "did you mean 'beta'?"]),
        ('unit = "probability"', 'unit = "prob"', ["parameters.fatal.unit", "did you mean 'probability'?"]),
        ('kind = "chance"', 'kind = "decison"', ["states.ill.kind", "did you mean 'decision'?"]),
    ],
)
def test_invalid_priors_and_keywords_are_refused(
    aftercart: Command, folder: Path, old: str, new: str, words: list[str]
) -> None:
    (folder / "own.csv").write_text("fatal,healed\n0.4,0.6\n")
    (folder / "own.toml").write_text(PATHWAY.replace(old, new, 1))
    refused(aftercart("check", "own.toml"), *words)


# --- calibrate ---


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace minutes of sampling by one file, written to the requested folder."""

    def calibrate(name: str, *, out: Path, **_: Any) -> Any:
        (out / "draws.csv").write_text("new")
        return SimpleNamespace(problems=list, warnings=list)

    monkeypatch.setattr(fit, "calibrate", calibrate)
    monkeypatch.setattr(fit, "seconds", lambda targets, points, timed: (0.0, 1.0))


@pytest.mark.parametrize("jobs", ["0", "-3"])
def test_fewer_processes_than_one_are_refused(aftercart: Command, fitted: None, jobs: str) -> None:
    refused(aftercart("calibrate", "wang2024", "--jobs", jobs, "--out", "fit"), "--jobs", f"got {jobs}", "1 or more")


def test_a_folder_with_other_files_is_refused_and_stays_as_it_is(
    aftercart: Command, fitted: None, folder: Path
) -> None:
    (folder / "theirs").mkdir()
    (folder / "theirs" / "draws.csv").write_text("old")
    refused(aftercart("calibrate", "wang2024", "--out", "theirs"), "--out", "not empty", "got 'theirs'")
    assert (folder / "theirs" / "draws.csv").read_text() == "old"


def test_a_cohort_is_fitted_into_its_own_folder_unless_out_is_given(
    aftercart: Command, fitted: None, cohort: Path
) -> None:
    for typed in ([], ["--out", "mine"]):
        (cohort / "draws.csv").unlink(missing_ok=True)
        assert aftercart("calibrate", "mine", "--quiet", *typed).stdout == "Files: mine\n"
        assert (cohort / "draws.csv").read_text() == "new"


def test_a_new_folder_contains_only_the_files_of_the_fit(aftercart: Command, fitted: None, folder: Path) -> None:
    assert aftercart("calibrate", "wang2024", "--quiet", "--out", "fit").exit_code == 0
    assert [file.name for file in (folder / "fit").iterdir()] == ["draws.csv"]


def test_two_processes_never_fit_into_one_folder(aftercart: Command, fitted: None, cohort: Path) -> None:
    with lock.held(cohort):
        refused(aftercart("calibrate", "mine"), "mine: another aftercart command is using this folder")
    assert not (cohort / "draws.csv").exists()
