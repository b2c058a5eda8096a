"""`aftercart validate`: a cohort is one folder, a miss is reported as a miss, and no file is half written."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sojourn_times import exponential
from worlds import share, toml, two_arms

from calibration.likelihood.targets import load_targets
from simulator.cli import validate
from simulator.evidence.cohort import cohorts_folder
from simulator.pathway import shipped

Command = Callable[..., Any]

TEN_MONTHS = exponential(mean=10)
PATHWAY = two_arms(
    TEN_MONTHS, TEN_MONTHS, clocks={"relapse": "relapse"}, groups={"treated": "treatment"},
    parameters={"uptake": share(0.4, prior={"family": "beta", "a": 2, "b": 3})},
)  # fmt: skip
"""Constant hazards, the same with and without treatment."""

COHORT = """
title = "A cohort that never was"
citation = "nobody"
pathway = "constant.toml"
clock = "relapse"
n = 40
seed = 5
{more}
[arms]
treated = ["treated"]
all = ["all"]

[set]
uptake = "treated"
"""

CENSORED_LATER = "no_censoring_before = 12"
HEADER = "name,kind,population,state,attribute,month,count,n,value,standard_error,unit,place,use,note\n"

ROWS = (
    "treated,patients,treated,,,,30,40,75,,%,page 2,setting,",
    "alive_6,survival,all,,,6,,40,55,8,%,page 3,validation,",
    "alive_12,survival,all,,,12,,40,{alive},,%,page 3,validation,",
)


@pytest.fixture
def cohort(folder: Path) -> Callable[..., Path]:
    """Write a cohort of 40 with 75 % treated, on a model where 30 % are alive at 12 months, treated or not."""

    def write(alive: int = 30, more: str = "", name: str = "theirs") -> Path:
        into = folder / name
        into.mkdir()
        (into / "constant.toml").write_text(toml(PATHWAY))
        (into / "cohort.toml").write_text(COHORT.format(more=more))
        targets = "".join(f"{row.format(alive=alive)}\n" for row in ROWS)
        (into / "targets.csv").write_text(HEADER + targets)
        return into

    return write


@pytest.fixture(autouse=True)
def forty_cohorts(monkeypatch: pytest.MonkeyPatch, without_png: None) -> None:
    """Predict from 40 simulated cohorts, the fewest for which the ends of a 95 % interval are not the extremes."""
    monkeypatch.setattr("calibration.predictive.DRAWS", 40)


def test_a_cohort_is_validated_from_its_folder(
    aftercart: Command, cohort: Callable[..., Path], folder: Path, files_of_figures: Callable[..., set[str]]
) -> None:
    cohort()
    result = aftercart("validate", "theirs", "--jobs", "1", "--out", "found")
    assert result.exit_code == 0, result.output
    output = " ".join(result.stdout.split())
    # A little more than half of the simulated cohorts survive worse: no direction.
    assert output.startswith("2 of 2 figures reported by 1 cohort lie within the 95 % predictive interval.")
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "theirs/targets.csv: line 4: no standard error" in result.stderr
    names = {file.name for file in (folder / "found").iterdir()}
    assert names == {"validation.csv", "cohorts.csv", "manifest.json"} | files_of_figures("validation")
    table = pd.read_csv(folder / "found" / "validation.csv").set_index("target")
    assert table.loc["alive_12", "reported"] == 30
    drawn = (folder / "found" / "validation.svg").read_text()
    assert re.search(r"<dc:description>.{20,249}</dc:description>", drawn), "no alternative text in a breath"


def test_a_prediction_that_misses_is_reported_as_a_miss(aftercart: Command, cohort: Callable[..., Path]) -> None:
    cohort(alive=55)
    result = aftercart("validate", "theirs", "--jobs", "1", "--quiet")
    output = " ".join(result.stdout.split())
    assert output.startswith(
        "Unlike the model (joint rank: share of simulated cohorts at least as unusual): theirs (n = 40), 2.4 %. "
        "Survival predicted too low (share of simulated cohorts that survive worse than reported): theirs (n = 40), "
    )
    assert (
        "1 of 2 figures reported by 1 cohort is a miss: theirs, survival at 12 months from relapse: 55 % reported"
        in output
    )


def test_a_figure_of_patients_whom_the_model_never_has_is_shown_as_such_next_to_the_others(
    aftercart: Command, cohort: Callable[..., Path], folder: Path
) -> None:
    """All 40 were treated, and the paper has the survival of some who were not."""
    into = cohort(more="[populations.untreated]\nentered = 'supportive_care'")
    text = (into / "targets.csv").read_text().replace(",30,40,75", ",40,40,100")
    (into / "targets.csv").write_text(f"{text}alive_untreated,survival,untreated,,,12,,,20,10,%,page 4,validation,\n")
    result = aftercart("validate", "theirs", "--jobs", "1", "--out", "found")
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    output = " ".join(result.stdout.split())
    assert output.startswith("2 of 2 figures reported by 1 cohort lie within the 95 % predictive interval.")
    dash = "\N{EN DASH}"
    assert f"relapse, 20 % {dash} untreated {dash} no simulated cohort has this figure." in output
    table = pd.read_csv(folder / "found" / "validation.csv").set_index("target")
    assert table["inside"].fillna("").to_dict() == {"alive_6": "yes", "alive_12": "yes", "alive_untreated": ""}


@pytest.mark.slow
def test_the_shipped_cohorts_inform_the_marginal_benefit(
    aftercart: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.evidence.draws.MOST", 10)
    result = aftercart("validate", "schultz2023", "--jobs", "1", "--out", "found")
    assert result.exit_code == 0, result.output
    output = " ".join(result.stdout.split())
    assert "Of 100 additional patients under a policy, a cohort that treated more suggests that" in output
    assert "in a new setting (95 % interval" in output
    assert "The prior alone, before any cohort, gives 50 (2 to 98)." in output
    assert "prior alone, flat 0.50 (0.03 to 0.97)" in output
    assert "not a measured effect of a treatment" in output
    assert "who benefit), under the posterior of wang2024;" in output
    assert "not used for the marginal benefit" not in result.stderr
    assert (folder / "found" / "marginal_benefit_summary.csv").exists()


@pytest.mark.slow
def test_cohorts_of_unknown_uptake_or_without_an_outcome_are_shown_as_such(
    aftercart: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, files_of_figures: Callable[..., set[str]]
) -> None:
    monkeypatch.setattr("calibration.validation.over_range.at_each.__kwdefaults__", {
        "jobs": 1, "wanted": 40, "progress": None
    })  # fmt: skip
    result = aftercart("validate", "china74", "friedes2023", "--jobs", "1", "--out", "found")
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    output = " ".join(result.stdout.split())
    assert "China (74 relapses): nothing to compare yet" in output
    assert "Not reported: salvage_uptake. Predicted (95 % interval) if it were" in output
    assert "second_salvage_uptake" in output.partition("Left as in the pathway, since not reported:")[2]
    names = {"manifest.json", "ranges.csv"} | files_of_figures("validation_ranges")
    assert {file.name for file in (folder / "found").iterdir()} == names
    alive = pd.read_csv(folder / "found" / "ranges.csv").set_index("target").loc["survivors_24"]
    assert alive["setting"].tolist() == pytest.approx([0.5, 0.65, 0.8, 0.95])
    assert alive["predicted"].is_monotonic_increasing
    drawn = (folder / "found" / "validation_ranges.svg").read_text(encoding="utf-8")
    assert re.search(r"In the model, (all|\d+ of) \d+ reported figures lie inside their 95 % prediction", drawn)
    assert set(alive["cohort_label"]) == {"Friedes 2023"}
    manifest = json.loads((folder / "found" / "manifest.json").read_text(encoding="utf-8"))
    assert [cohort["name"] for cohort in manifest["cohorts"]] == ["china74", "friedes2023"]
    assert "hsct_if_cr" in manifest["cohorts"][0]["left_as_in_the_pathway"]


def another_region(into: Path, meaning: str) -> None:
    """A copy of Schultz's cohort with another pathway file and draws."""
    shutil.copytree(cohorts_folder() / "schultz2023", into)
    shutil.copy(cohorts_folder() / "wang2024" / "draws.csv", into / "own.csv")
    cohort = (into / "cohort.toml").read_text(encoding="utf-8")
    (into / "cohort.toml").write_text(cohort.replace('"b_all_post_cd19"', '"own.toml"'), encoding="utf-8")
    pathway = shipped.path("b_all_post_cd19").read_text(encoding="utf-8")
    pathway = pathway.replace('draws = "wang2024"', 'draws = "own.csv"').replace("no salvage treatment;", meaning)
    (into / "own.toml").write_text(pathway, encoding="utf-8")


def test_the_benefit_is_frozen_next_to_the_draws_of_its_cohort(folder: Path) -> None:
    another_region(folder / "region", "hospice;")
    shutil.copytree(cohorts_folder() / "wang2024", folder / "region" / "mine")
    pathway = folder / "region" / "own.toml"
    pathway.write_text(pathway.read_text(encoding="utf-8").replace('"own.csv"', '"mine"'), encoding="utf-8")
    frozen = validate._frozen([load_targets(folder / "region")])
    assert frozen.resolve() == (folder / "region" / "mine").resolve()


def test_a_figure_that_does_not_inform_the_benefit_for_want_of_patients_at_risk_is_named(
    aftercart: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.evidence.draws.MOST", 4)
    shutil.copytree(cohorts_folder() / "schultz2023", folder / "mine")
    with (folder / "mine" / "targets.csv").open("a", encoding="utf-8") as stream:
        stream.write("late,survival,all,,,36,,57,20,,,,%,Figure,validation,,\n")
        stream.write("late_n,at_risk,all,,,36,1,57,,,,,patients,Figure,validation,,\n")
    result = aftercart("validate", "mine", "--jobs", "1", "--out", "found")
    assert result.exit_code == 0, result.output
    note = "line 4: at month 36 only about 1.0 of 57 patients are still at risk, so that this figure does not inform"
    assert note in result.stderr
    (cohort,) = json.loads((folder / "found" / "manifest.json").read_text(encoding="utf-8"))["cohorts"]
    assert any(note in warning for warning in cohort["warnings"])
    summary = pd.read_csv(folder / "found" / "marginal_benefit_summary.csv")
    assert summary["cohorts"].max() == 1


def test_a_cohort_of_patients_who_inform_the_benefit_already_is_named_as_left_out(folder: Path) -> None:
    shutil.copytree(cohorts_folder() / "schultz2023", folder / "copy")
    declared = (folder / "copy" / "cohort.toml").read_text(encoding="utf-8")
    (folder / "copy" / "cohort.toml").write_text(f'same_patients = ["schultz2023"]\n{declared}', encoding="utf-8")
    every = [load_targets(name) for name in ("schultz2023", "wudhikarn2021", folder / "copy")]
    assert validate._left_out(every) == {"another cohort that informs it has some of their patients": ["copy"]}
    assert validate._left_out(every[:2]) == {}


@pytest.mark.slow
def test_a_refitted_benefit_is_not_called_stale(
    aftercart: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_the_benefit_is_frozen_next_to_the_draws_of_its_cohort(folder)
    benefit = folder / "region" / "mine" / "marginal_benefit.csv"
    fitted_to = pd.read_csv(benefit)["fitted_to"].iloc[0].partition("|")[0]
    text = benefit.read_text(encoding="utf-8").replace(fitted_to, "0" * len(fitted_to))
    benefit.write_text(text, encoding="utf-8")
    monkeypatch.setattr("calibration.transport.marginal_benefit.of_cohorts", lambda *_, **__: None)
    for typed, stale in ((["--out", "one"], True), (["--refit", "--out", "two"], False)):
        result = aftercart("validate", "region", "--jobs", "1", *typed)
        assert result.exit_code == 0, result.output
        assert ("Refit with `aftercart validate --refit`" in result.stderr) is stale
        (cohort,) = json.loads((folder / typed[-1] / "manifest.json").read_text(encoding="utf-8"))["cohorts"]
        assert (cohort["stale_draws"] is not None) is stale


@pytest.mark.slow
@pytest.mark.parametrize(("meaning", "cohorts"), [("no salvage treatment;", 2), ("hospice;", 1)])
def test_a_cohort_with_another_pathway_is_left_out_of_the_marginal_benefit_and_named(
    meaning: str, cohorts: int, aftercart: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.evidence.draws.MOST", 10)
    another_region(folder / "region", meaning)
    result = aftercart("validate", "region", "wudhikarn2021", "--jobs", "1", "--out", "found")
    assert result.exit_code == 0, result.output
    named = "not used for the marginal benefit (their pathway or draws differ from those of region): wudhikarn2021"
    assert (named in result.stderr) is (cohorts == 1)
    manifest = json.loads((folder / "found" / "manifest.json").read_text(encoding="utf-8"))
    assert "The marginal benefit is an extrapolation" in manifest["note"]
    cohorts_used = manifest["cohorts"]
    assert [entry["left_out_of_the_marginal_benefit"] for entry in cohorts_used] == [False, cohorts == 1]
    summary = pd.read_csv(folder / "found" / "marginal_benefit_summary.csv")
    assert summary["cohorts"].max() == cohorts
    assert "who benefit), under the parameter sets of pathway 'own', own.csv;" in " ".join(result.stdout.split())


@pytest.mark.slow
def test_without_reported_follow_up_the_end_of_predicted_deaths_is_stated(
    aftercart: Command, cohort: Callable[..., Path], folder: Path
) -> None:
    targets = cohort() / "targets.csv"
    targets.write_text(targets.read_text() + "dead,deaths,all,,,,39,40,,,%,page 4,validation,\n")
    result = aftercart("validate", "theirs", "--jobs", "1", "--out", "found")
    assert result.exit_code == 0, result.output
    warning = "theirs/targets.csv: line 5: no [follow_up] in cohort.toml, so deaths are predicted until month 240"
    assert warning in result.stderr
    followed = "[follow_up]\nlower = 10.0\nupper = 20.0\n[set]"
    cohort_file = targets.with_name("cohort.toml")
    cohort_file.write_text(cohort_file.read_text().replace("[set]", followed))
    assert "until month" not in aftercart("validate", "theirs", "--jobs", "1", "--out", "again").stderr


def test_a_cohort_to_which_the_parameters_were_fitted_is_no_external_validation(
    aftercart: Command, cohort: Callable[..., Path], folder: Path
) -> None:
    """A pathway without [marginal] has no benefit that could be frozen next to its draws."""
    into = cohort()
    (into / "constant.toml").write_text(toml({"draws": ".", **PATHWAY}))
    (into / "draws.csv").write_text("uptake\n0.4\n0.5\n")
    result = aftercart("validate", "theirs", "--jobs", "1", "--out", "found")
    output = " ".join(result.stdout.split())
    assert "theirs: the parameters were fitted to other figures of the same patients" in output, result.output
    assert "were not fitted" not in output
    note = json.loads((folder / "found" / "manifest.json").read_text())["note"]
    assert "not external validation" in note
    assert "marginal benefit" not in note
    result = aftercart("validate", "theirs", "--refit", "--out", "again")
    assert result.exit_code == 2
    assert "--refit: no cohort informs the marginal benefit; got 'theirs'" in result.stderr
    assert not (folder / "again").exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["shultz2023"], ["unknown cohort", "got 'shultz2023'", "did you mean 'schultz2023'?"]),
        (["wang2024"], ["wang2024/targets.csv: nothing to validate", "validation"]),
        (["li2023", "li2023"], ["two cohorts have one name", "got 'li2023'"]),
        (["theirs", "--refit"], ["--refit", "the draws of one calibrated cohort", "got 'constant'"]),
        (["li2023", "--jobs", "0"], ["--jobs", "got 0", "1 or more"]),
    ],
)
def test_cohorts_that_cannot_be_validated_are_refused(
    aftercart: Command, cohort: Callable[..., Path], folder: Path, typed: list[str], words: list[str]
) -> None:
    cohort()
    result = aftercart("validate", *typed, "--out", "found")
    assert result.exit_code == 2, result.output
    message = result.stderr.splitlines()[-1]
    for word in words:
        assert word in message, result.stderr
    assert not (folder / "found").exists()


def test_the_documented_cohort_can_be_validated(aftercart: Command, folder: Path, repository: Path) -> None:
    page = (repository / "docs" / "validation.md").read_text(encoding="utf-8")
    (folder / "mine").mkdir()
    (folder / "mine" / "cohort.toml").write_text(page.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    rows = page.partition("```\nname,")[2].partition("```")[0]
    (folder / "mine" / "targets.csv").write_text(f"name,{rows}", encoding="utf-8")
    result = aftercart("check", "mine")
    assert result.exit_code == 0, result.output
    assert "n = 60, 4 reported figures" in result.stdout


def test_a_cohort_that_only_validates_is_not_fitted(aftercart: Command, folder: Path) -> None:
    output = aftercart("check", "schultz2023").stdout
    assert 'no row of targets.csv has use = "likelihood", so calibrate has nothing to fit' in output
    assert "nothing to fit" not in aftercart("check", "wang2024").stdout
    result = aftercart("calibrate", "schultz2023", "--out", "found")
    assert result.exit_code == 2
    assert "schultz2023/targets.csv: nothing to fit" in result.stderr
    assert not (folder / "found").exists()


SPOILED = {
    "more treated than there are": ([("30,40,75", "18,17,75")], "line 2: more than the total; got '18 of 17'"),
    "no place": ([("%,page 3,", "%,,")], "line 3: a target has no place in its source"),
    "an error that no count gives": ([(",55,8,", ",55,3,")], "line 3: no count of 40 patients gives this figure"),
    "100 % without n": ([(",40,55,8,", ",,100,,")], "line 3: 0 and 100 % need the number of patients"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_contradictions_are_refused_with_file_and_line(
    aftercart: Command, cohort: Callable[..., Path], folder: Path, case: str
) -> None:
    edits, complaint = SPOILED[case]
    into = cohort(more="" if case == "100 % without n" else CENSORED_LATER)
    text = (into / "targets.csv").read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    (into / "targets.csv").write_text(text)
    for command in ("validate", "calibrate", "check"):
        result = aftercart(command, "theirs", *(["--out", "found"] if command != "check" else []))
        assert result.exit_code == 2, result.output
        assert result.stderr.count("\n") == 1
        assert f"theirs/targets.csv: {complaint}" in result.stderr
        assert not (folder / "found").exists()
