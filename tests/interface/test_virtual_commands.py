"""`aftercart guarantee-time` and `virtual-cohorts` as a person types them: answer, folder, figures, refusals."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from every_world import write

Command = Callable[..., Any]
FEW = ("--cohorts", "8", "--draws", "4", "--n", "20", "--jobs", "1")


def test_guarantee_time_answers_first_and_every_line_fits(aftercart: Command) -> None:
    output = aftercart("guarantee-time", *FEW).stdout
    assert output.startswith("Where HSCT after relapse changes nothing, ")
    for words in ("From relapse", "From complete response", "landmark month 6", "Simon-Makuch", "n = 37"):
        assert words in " ".join(output.split())
    assert max(len(line) for line in output.splitlines()) <= 80


@pytest.mark.slow
@pytest.mark.usefixtures("without_png")
def test_the_folder_of_guarantee_time_contains_tables_a_figure_and_the_manifest(
    aftercart_with_figures: Command, folder: Path, files_of_figures: Callable[..., set[str]]
) -> None:
    result = aftercart_with_figures("guarantee-time", *FEW, "--landmarks", "2", "--out", "there", "--quiet")
    assert result.exit_code == 0, result.output
    names = {"analyses.csv", "curves.csv", "manifest.json"} | files_of_figures("guarantee_time")
    assert {file.name for file in (folder / "there").iterdir()} == names
    table = pd.read_csv(folder / "there" / "analyses.csv")
    assert table["analysis"].tolist() == ["naive", "landmark", "simon_makuch"] * 2
    manifest = json.loads((folder / "there" / "manifest.json").read_text())
    assert (manifest["n"], manifest["cohorts"], manifest["engine"]) == (20, 8, "microsim")
    assert manifest["scenarios"][0]["milestones"] == ["hsct", "after_hsct"]
    drawn = (folder / "there" / "guarantee_time.svg").read_text()
    assert "at 12 months" in drawn[:6000], "no alternative text"


def test_virtual_cohorts_report_the_power_and_the_spread(aftercart: Command) -> None:
    result = aftercart("virtual-cohorts", "baseline", "wider-salvage", *FEW)
    assert result.exit_code == 0, result.output
    output = " ".join(result.stdout.split())
    assert output.startswith("With 20 patients an arm, ")
    assert "wider-salvage (cautious estimate)" in output
    assert "the reported standard error is 7.85" in output
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


@pytest.mark.usefixtures("without_png")
def test_one_scenario_alone_has_a_spread_and_no_power(
    aftercart_with_figures: Command, folder: Path, files_of_figures: Callable[..., set[str]]
) -> None:
    result = aftercart_with_figures("virtual-cohorts", "as-it-is.toml", *FEW[:2], "--out", "there")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Of 100 patients, ")
    names = {"cohorts.csv", "curves.csv", "spread.csv", "manifest.json"} | files_of_figures("virtual_cohorts")
    assert {file.name for file in (folder / "there").iterdir()} == names


@pytest.mark.usefixtures("without_png")
def test_the_power_is_drawn_with_both_ends(aftercart_with_figures: Command, folder: Path) -> None:
    result = aftercart_with_figures("virtual-cohorts", "as-it-is.toml", "fewer-fall-ill.toml", "--cohorts", "5",
                                    "--n", "10", "--json")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert [row["patients_an_arm"] for row in json.loads(result.stdout)] == [10, 20, 40, 80, 160]
    (run,) = (folder / "results" / "as-it-is-virtual-cohorts").iterdir()
    assert (run / "power.svg").exists()


def rows_of_tables(page: str) -> list[list[str]]:
    """Return the rows with numbers of a page's tables."""
    rows = [line.strip("| \n").split("|") for line in page.splitlines() if line.startswith("|")]
    rows_of_numbers = [[cell.strip().replace(" %", "") for cell in row] for row in rows if "---" not in row[0]]
    return [row for row in rows_of_numbers if any(cell[:1].isdigit() for cell in row[1:])]


@pytest.mark.slow
def test_the_page_agrees_with_the_output_of_the_commands(aftercart: Command, repository: Path) -> None:
    page = (repository / "docs" / "guarantee-time.md").read_text(encoding="utf-8")
    output = " ".join(" ".join(aftercart(*typed).stdout.split()) for typed in (
        ("guarantee-time",), ("virtual-cohorts", "baseline", "wider-salvage")))  # fmt: skip
    for name, *cells in rows_of_tables(page):
        if name.isdigit():
            assert all(f"{cell} ±" in output for cell in cells), name
        else:
            first, second, agree = (cells[place].removesuffix(" %") for place in (0, 1, 3))
            difference, bracket, interval = cells[2].partition(" (")
            assert f"{first} {second} {difference} {agree} " in output, name
            assert f"{bracket.strip()}{interval}" in output or "noise hides it" in interval, name
    for words in ("79 agree on the sign, and 57 show", "17.5", "between 14 and 46", "7.2 points", "includes: 3.6"):
        assert words in output, words


def test_without_transplants_there_is_nothing_to_compare(aftercart: Command) -> None:
    output = aftercart("guarantee-time", "no-hsct", *FEW).stdout
    assert output.startswith("Under no-hsct, one of the two groups has no patient")
    assert "nan" not in output


BAD = {
    ("virtual-cohorts", "baseline", "--n", "1"): ("--n: too few; got 1; allowed: 2 or more",),
    ("virtual-cohorts", "baseline", "--cohorts", "0"): ("--cohorts: too few; got 0; allowed: 1 or more",),
    ("virtual-cohorts", "baseline", "--cohorts", "3", "--draws", "5"): (
        "--draws: more parameter sets than cohorts; got 5",
    ),
    ("virtual-cohorts", "baseline", "--engine", "exact"): ("the exact engine simulates no patients", "microsim or des"),
    ("virtual-cohorts", "baseline", "--engine", "micro"): ("unknown engine", "did you mean 'microsim'"),
    ("virtual-cohorts", "baseline", "--horizon", "12"): ("--horizon: the horizon ends before survival is shown at 12",),
    ("virtual-cohorts", "baseline", "--cohorts", "100000000"): ("too many patients",),
    ("virtual-cohorts", "baseline", "--draws", "100000"): (
        "--draws: too many draws are requested",
        "more parameter sets than cohorts",
    ),
    ("virtual-cohorts", "letter-centre"): (
        "letter-centre.toml: [capacity]: virtual cohorts cannot have limited resources",
    ),
    ("virtual-cohorts", "baseline", "as-it-is.toml"): ("scenarios of different pathways cannot be compared",),
    ("virtual-cohorts", "baselin"): ("did you mean 'baseline'",),
    ("guarantee-time", "--landmarks", "13"): ("--landmarks: no landmark; got 13.0; allowed: above 0, below 12",),
    ("guarantee-time", "--landmarks", "0"): ("--landmarks: no landmark; got 0.0",),
    ("guarantee-time", "--landmarks", "soon"): ("--landmarks: not months; got 'soon'; allowed: months separated",),
    ("guarantee-time", "--landmarks", "1,2,3,4"): ("--landmarks: too many",),
    ("guarantee-time", "--engine", "exact"): ("--engine: the exact engine simulates no patients",),
    ("guarantee-time", "--group", "treated"): ("--group: the pathway declares no pair of groups", "allowed: hsct"),
    ("guarantee-time", "as-it-is.toml"): (
        "three_state.toml: [guarantee_time]: the pathway declares no pair of groups",
    ),
}


@pytest.mark.parametrize(("typed", "words"), BAD.items(), ids=[" ".join(typed) for typed in BAD])
def test_invalid_arguments_end_in_one_line_and_write_no_file(
    typed: tuple[str, ...], words: tuple[str, ...], aftercart: Command, folder: Path
) -> None:
    result = aftercart(*typed)
    assert result.exit_code == 2, result.output
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert any(word in result.stderr for word in words[:1]) or words[-1] in result.stderr, result.stderr
    assert not (folder / "results").exists()


def test_a_clock_that_nobody_starts_has_no_cohorts(aftercart: Command, folder: Path) -> None:
    text = 'base = "baseline"\n[hazard_ratio]\n"car_t_remission.relapse" = 0.0\n'
    (folder / "never.toml").write_text(text, encoding="utf-8")
    result = aftercart("virtual-cohorts", "never.toml", "--jobs", "1")
    assert result.exit_code == 2, result.output
    assert "none of 1,000 patients starts the clock 'relapse'" in result.stderr
    assert not (folder / "results").exists()


@pytest.mark.usefixtures("without_png")
def test_the_comparison_is_shown_once_if_only_death_can_come_first(aftercart: Command, folder: Path) -> None:
    """Treated patients who are not operated die, and the clock starts at the decision to treat."""
    write(folder)
    result = aftercart("guarantee-time", "clocks.toml", "--n", "20", "--cohorts", "4", "--out", "found", "--jobs", "1")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("naive") == 1
    assert "without dead" not in result.stdout
    assert json.loads((folder / "found" / "manifest.json").read_text())["failure"] == []
