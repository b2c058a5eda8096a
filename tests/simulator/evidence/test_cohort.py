"""A cohort's files are read as data, and a mistake in them is named with its place."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.evidence.cohort import cohort_folder, is_silent, load_cohort, read_cohort
from simulator.evidence.draws import draws_file
from simulator.pathway.format import load_pathway

WANG = Path(__file__).parents[3] / "calibration" / "cohorts" / "wang2024"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the letter's cohort, which a test damages."""
    return Path(shutil.copytree(WANG, tmp_path / "wang2024", ignore=shutil.ignore_patterns("draws.csv")))


def replace_once(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_letters_cohort_has_37_patients_followed_for_28_to_74_7_months() -> None:
    cohort = load_cohort(load_pathway("b_all_post_cd19"))
    assert cohort is not None
    assert (cohort.n, cohort.clock, cohort.follow_up) == (37, "relapse", (28.0, 74.7))
    assert cohort.arms["treated"] == ("hsct", "other_treated")


def test_a_prior_without_width_is_no_error() -> None:
    row = {"contraction": 0.0, "posterior_mean": 0.5, "prior_mean": 0.5, "prior_sd": 0.0}
    assert not is_silent(row)
    assert is_silent(row | {"prior_sd": 0.1})


def test_reported_survival_agrees_with_the_letter() -> None:
    cohort = read_cohort(WANG)
    survival = cohort.reported_survival("all", "relapse")
    assert survival[["month", "value", "standard_error"]].to_numpy().tolist() == [[6, 38, 8], [12, 35, 8]]
    assert cohort.reported_survival("hsct", "relapse")[["count", "n"]].to_numpy().tolist() == [[8, 10]]
    assert cohort.reported_survival("all", "infusion").empty


@pytest.mark.parametrize("draws", [None, "draws.csv", "../mine/draws.csv"])
def test_a_pathway_without_a_shipped_cohort_has_none(draws: str | None) -> None:
    assert load_cohort(replace(load_pathway("three_state"), draws=draws)) is None


@pytest.mark.parametrize("draws", ["wang2024", "wang2024/draws.csv", "../here/wang2024"])
def test_draws_may_name_a_folder_or_a_shipped_cohort(draws: str, tmp_path: Path) -> None:
    """Paths start at the pathway's file, and a folder there comes before a shipped cohort of the same name."""
    shutil.copytree(WANG, tmp_path / "here" / "wang2024")
    shipped = load_pathway("b_all_post_cd19")
    pathway = replace(shipped, draws=draws, file=tmp_path / "here" / "mine.toml")
    folder, cohort, drawn = cohort_folder(pathway), load_cohort(pathway), draws_file(pathway)
    assert folder is not None
    assert folder.resolve() == tmp_path / "here" / "wang2024"
    assert cohort is not None
    assert (cohort.n, cohort.posterior is None) == (37, False)
    assert drawn is not None
    assert drawn.resolve() == tmp_path / "here" / "wang2024" / "draws.csv"


def test_draws_that_are_neither_a_folder_nor_a_shipped_cohort_are_refused_with_the_shipped_names(
    tmp_path: Path,
) -> None:
    pathway = replace(load_pathway("three_state"), draws="wang2042", file=tmp_path / "mine.toml")
    with pytest.raises(InputError, match=r"mine.toml: draws.*wang2042.*wang2024"):
        load_cohort(pathway)


def test_reading_a_cohort_runs_none_of_the_calibrations_code() -> None:
    code = (
        "import sys; from simulator.evidence.cohort import load_cohort; "
        "from simulator.pathway.format import load_pathway; "
        "load_cohort(load_pathway('b_all_post_cd19')); sys.exit(any(m.startswith('calibration') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_cohort_that_has_not_been_fitted_has_no_posterior(folder: Path) -> None:
    (folder / "posterior.csv").unlink()
    (folder / "predictive.csv").unlink()
    cohort = read_cohort(folder)
    assert (cohort.posterior, cohort.predictive) == (None, None)


def test_a_word_among_the_numbers_is_refused_with_its_line(folder: Path) -> None:
    replace_once(folder / "targets.csv", ",6,14,37,38,8,", ",6,fourteen,37,38,8,")
    with pytest.raises(InputError, match=r"targets\.csv: line 39, count: not a number; got 'fourteen'"):
        read_cohort(folder)


def test_a_missing_column_is_named(folder: Path) -> None:
    replace_once(folder / "posterior.csv", "contraction", "shrinkage")
    with pytest.raises(InputError, match=r"posterior\.csv: a column is missing.*allowed: contraction"):
        read_cohort(folder)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("n = 37", 'n = "many"', "n: not a whole number"),
        ("clock =", "o_clock =", "o_clock: unknown key.*mean 'clock'"),
        ("upper =", "up =", "follow_up.up: unknown key"),
        ("upper = 74.7", "upper = [74.7]", "follow_up.upper: not a number"),
        ("[follow_up]", '[set]\nsalvage_uptake = ["treated"]\n[follow_up]', "set.salvage_uptake: not a number or text"),
        ("[follow_up]", "[set]\nsalvage_uptake = 1979-05-27\n[follow_up]", "set.salvage_uptake: not a number or text"),
        (
            "hsct_in_pr.populations.chemotherapy_without_hsct",
            "hsct_in_pr.populations.chemotherapy",
            r"\[structures.hsct_in_pr\] populations: unknown population; got 'chemotherapy'; allowed: cr_without_hsct",
        ),
    ],
)
def test_a_missing_or_wrong_key_is_named(folder: Path, old: str, new: str, key: str) -> None:
    replace_once(folder / "cohort.toml", old, new)
    with pytest.raises(InputError, match=rf"cohort\.toml: {key}"):
        read_cohort(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere/cohort\.toml: cannot be read"):
        read_cohort(tmp_path / "nowhere")
