"""`aftercart new`: questions about a centre become two scenarios that can be checked, compared and asked for beds."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sojourn_times import exponential, fixed
from test_schema import blocks
from typer import testing
from worlds import Table, chance, decision, parameter, practice, share, sojourn, toml, world

from simulator.cli.application import app
from simulator.scenario.scenario import Scenario, load_scenario

Command = Callable[..., Any]
ANSWERS = 'pathway = "clinic.toml"\narrivals_per_year = 20\n'
BOTH = ("centre.toml", "centre-policy.toml")


def clinic() -> Table:
    """Eczema: a share has the new drug, then a day on the ward; a second attribute makes no difference."""
    states = {
        "flare": decision(listed="new_drug", cream="rest"),
        "listed": sojourn(ward=fixed(0), cream=exponential(mean=6)),
        "ward": sojourn(result=fixed(0.25), holds="beds"),
        "result": chance(home={"probability": {"by": "age", "young": 0.9, "old": 0.5}}, cream="rest"),
        "cream": sojourn(dead=exponential(mean="life")),
    }
    parameters = {
        "new_drug": {**share(0.3), "lever": True, "source": 'registry "A"\nof 2020 # no comment'},
        "life": parameter("months", 90.0, lever=True),
    }
    attributes = {"age": {"young": 3, "old": 1}, "hair": {"red": 1, "other": 9}}
    return world(
        "flare", states, parameters=parameters, attributes=attributes, resources=["beds"], patients="patients who flare"
    )


@pytest.fixture
def new(folder: Path) -> Command:
    """Return a function that types a command and its answers, one a line; the clinic's file is there."""
    (folder / "clinic.toml").write_text(toml(clinic()), encoding="utf-8")
    runner = testing.CliRunner()

    def ask(*typed: str, answers: str = "") -> Any:
        return runner.invoke(app, ["new", *typed], input=answers, prog_name="aftercart")

    return ask


def pair(folder: Path) -> tuple[Scenario, Scenario]:
    today, policy = (load_scenario(folder / name) for name in BOTH)
    return today, policy


def test_what_a_planner_answers_is_what_two_scenarios_declare(new: Command, aftercart: Command, folder: Path) -> None:
    """Questions come from the declaration; another run of the printed answers writes the same files."""
    result = new("centre", "--pathway", "clinic.toml", answers="20\n40 %\n1 1\n2\nnew_drug = 75 %, beds=3\n")
    assert result.exit_code == 0, result.output
    for words in (
        "1 of 5. Patients who flare: how many a year?",
        "2 of 5. New drug today: which share?",
        'Default: 30 % (registry "A" of 2020 # no comment).',
        "3 of 5. Age: how many are young and old?",
        "4 of 5. beds: how many do these patients share?",
        "5 of 5. What is to be decided? Today:\n  new_drug = 40 %: made up",
        "aftercart compare centre.toml centre-policy.toml",
        'aftercart beds centre-policy.toml --target "wait_over_30_days <= 5%"',
    ):
        assert words in result.stdout
    assert "hair" not in result.stdout
    today, policy = pair(folder)
    assert (today.set, policy.set) == ({"new_drug": 0.4}, {"new_drug": 0.75})
    assert today.population == {"age": {"young": 1, "old": 1}}
    assert (today.capacity["beds"].units, policy.capacity["beds"].units) == (2, 3)
    assert today.service is not None
    assert today.service.arrivals_per_year == 20
    assert policy.title == "centre: new drug 40 % → 75 %; two beds → three beds"
    for name in BOTH:
        assert aftercart("check", name).stdout.startswith("OK: scenario 'centre")
    few = ("--replications", "1", "--horizon", "6", "--quiet")
    assert aftercart("compare", *BOTH, *few, "--out", "run").exit_code == 0
    assert aftercart("beds", BOTH[1], "--target", "wait_over_30_days <= 5%", "--units", "1,2", *few).exit_code == 0
    written = [(folder / name).read_text(encoding="utf-8") for name in BOTH]
    printed = result.stdout.partition("answers.toml:\n\n")[2].partition("\n\n")[0]
    (folder / "answers.toml").write_text(printed, encoding="utf-8")
    for name in BOTH:
        (folder / name).unlink()
    again = new("centre", "--answers", "answers.toml")
    assert (again.exit_code, "answers.toml" in again.stdout) == (0, False)
    assert [(folder / name).read_text(encoding="utf-8") for name in BOTH] == written


def test_empty_answers_are_defaults_and_their_source_stands_in_the_file(new: Command, folder: Path) -> None:
    assert new("centre", "--pathway", "clinic.toml", answers="\n" * 5).exit_code == 0
    today, policy = pair(folder)
    assert (today.set, today.population, today.capacity) == ({}, {}, {})
    assert policy.set == {"new_drug": 0.65}
    text = (folder / "centre.toml").read_text(encoding="utf-8")
    assert (
        '# New drug today: made up. The default: 30 % (registry "A" of 2020 # no comment).\n# new_drug = 0.3\n' in text
    )
    assert "# beds = 1  # now: no limit\n" in text
    uncommented = text.replace("# new_drug = 0.3", "new_drug = 0.35").replace("# beds = 1", "beds = 1")
    (folder / "centre.toml").write_text(uncommented, encoding="utf-8")
    today, _ = pair(folder)
    assert (today.set, today.capacity["beds"].units) == ({"new_drug": 0.35}, 1)


def test_the_shipped_pathway_has_six_questions_and_the_documented_answers(
    new: Command, folder: Path, repository: Path
) -> None:
    from simulator.scenario.answers import NOTHING, practice
    from simulator.wording.questions import decision, questions

    shipped = load_scenario("baseline").pathway
    keys = [question.key or question.table for question in questions(shipped)]
    assert keys == ["arrivals_per_year", "salvage_uptake", "cd19", "hsct_beds", "car_t_slots"]
    suggested = decision(practice(NOTHING, shipped, "answers"))
    assert (suggested.default, suggested.source) == ({"salvage_uptake": 0.88}, "as in the scenario wider-salvage")
    documented, *_ = blocks(repository / "docs" / "scenario-format.md")
    (folder / "answers.toml").write_text(documented, encoding="utf-8")
    assert new("centre", "--answers", "answers.toml").exit_code == 0
    today, policy = pair(folder)
    # 49 % is 18 of 37, rounded: no patient is additional today.
    assert (today.set, policy.set) == ({}, {"salvage_uptake": 0.75})
    assert (list(today.capacity), today.pathway.name) == (["hsct_beds"], "b_all_post_cd19")


REFUSED = {
    "a share in per cent": ("set = { new_drug = 40 }", "answers.toml: [set] new_drug", "40 %? write 0.4"),
    "nobody arrives": ("arrivals_per_year = 0", "answers.toml: arrivals_per_year", "0.001"),
    "half a bed": ("capacity = { beds = 1.5 }", "[capacity] beds", "not a whole number"),
    "another word": ('capacity = { beds = "many" }', "capacity.beds", "no limit"),
    "an unknown key": ("uptake = 0.4", "unknown key", "decision"),
    "an unknown lever": ("decision = { new_drugs = 0.4 }", "[decision]", "did you mean 'new_drug'"),
    "an unknown resource": ("capacity = { bed = 4 }", "[capacity] bed", "did you mean 'beds'"),
    "no change": ("decision = { new_drug = 0.3 }", "[decision]", "the policy changes nothing"),
    "a level left out": ("population = { age = { young = 1 } }", "[population] age", "old"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_answers_that_cannot_be_used_end_a_script_and_write_nothing(case: str, new: Command, folder: Path) -> None:
    answer, *words = REFUSED[case]
    (folder / "answers.toml").write_text(f'pathway = "clinic.toml"\n{answer}\n', encoding="utf-8")
    result = new("centre", "--answers", "answers.toml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    for word in words:
        assert word in result.stderr
    assert not list(folder.glob("*centre*"))


def test_a_person_is_asked_again_until_an_answer_can_be_used(
    new: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.cli.new.in_terminal", lambda: True)
    wrong_then_right = "many\n1e9\n20\n40\n0,4\n40 %\n1\n1 0\n0\nno limit\nnew_drug\n40 %\nnew_drug = 0.5\n"
    result = new("centre", "--pathway", "clinic.toml", answers=wrong_then_right)
    assert result.exit_code == 0, result.output
    errors = result.stderr.splitlines()
    assert len(errors) == 8
    assert "got 'many'" in errors[0]
    assert "less than or equal to 100000" in errors[1]
    assert "40 %? write 0.4" in errors[2]
    assert "write 0.4" in errors[3]
    assert "2 numbers: young, old" in errors[4]
    assert "above zero" in errors[5]
    assert "got 'new_drug'" in errors[6]
    assert "the policy changes nothing" in errors[7]
    assert pair(folder)[1].set == {"new_drug": 0.5}


@pytest.mark.parametrize("answers", ["", "20\n40 %\n", "20\n40 %\n1 1\n2\n"])
def test_answers_that_end_too_early_leave_nothing(answers: str, new: Command, folder: Path) -> None:
    result = new("centre", "--pathway", "clinic.toml", answers=answers)
    assert result.exit_code == 1
    assert result.stderr.endswith("aftercart: stopped before the last answer; nothing was written\n")
    assert not list(folder.glob("*centre*"))


def test_a_file_is_overwritten_only_if_a_person_agrees(
    new: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / BOTH[1]).write_text("mine", encoding="utf-8")
    (folder / "answers.toml").write_text(ANSWERS, encoding="utf-8")
    for result in (new("centre", "--answers", "answers.toml"), new("centre", "--pathway", "clinic.toml")):
        assert result.exit_code == 2
        assert "centre-policy.toml: the file exists; allowed: another NAME" in result.stderr
    monkeypatch.setattr("simulator.cli.new.in_terminal", lambda: True)
    refused = new("centre", "--pathway", "clinic.toml", answers="n\n")
    assert (refused.exit_code, (folder / BOTH[1]).read_text(encoding="utf-8")) == (1, "mine")
    assert new("centre", "--pathway", "clinic.toml", answers="y\n" + "\n" * 5).exit_code == 0
    assert pair(folder)[1].set == {"new_drug": 0.65}
    own_file = new("clinic", "--pathway", "clinic.toml", answers="y\n")
    assert (own_file.exit_code, "the pathway's own file" in own_file.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "message"),
    [("a@0.5", "allowed: a plain name, as a-0.5"), ("nowhere/centre", "no such folder; got 'nowhere'"), ("a*b", "a-b")],
)
def test_a_name_that_no_file_can_have_is_refused(name: str, message: str, new: Command) -> None:
    result = new(name)
    assert (result.exit_code, message in result.stderr) == (2, True)


def test_a_pathway_in_another_folder_is_named_from_the_new_files(new: Command, folder: Path) -> None:
    (folder / "plans").mkdir()
    (folder / "plans" / "answers.toml").write_text(ANSWERS.replace("clinic", "../clinic"), encoding="utf-8")
    assert new("plans/centre", "--answers", "plans/answers.toml").exit_code == 0
    assert tomllib.loads((folder / "plans" / "centre.toml").read_text(encoding="utf-8"))["pathway"] == "../clinic.toml"
    assert load_scenario(folder / "plans" / "centre-policy.toml").set == {"new_drug": 0.65}


def test_a_pathway_with_nothing_to_suggest_asks_for_the_decision(new: Command, folder: Path) -> None:
    assert "nothing is to be decided" in new("centre", "--pathway", "three_state", answers="24\n\n").stderr
    result = new("centre", "--pathway", "three_state", answers="24\nonset_rate = 0.05 per month\n")
    assert (result.exit_code, "aftercart beds" in result.stdout) == (0, False)
    assert pair(folder)[1].set == {"onset_rate": 0.05}


def test_a_centre_with_too_few_beds_is_written_and_the_next_command_says_so(new: Command, folder: Path) -> None:
    """60 of 200 patients a year are on the ward for a month: five beds' worth, and there is one bed."""
    states = {**clinic()["states"], "listed": sojourn(ward=fixed(0)), "ward": sojourn(result=fixed(1.0), holds="beds")}
    (folder / "clinic.toml").write_text(toml({**clinic(), "states": states}), encoding="utf-8")
    crowded = ANSWERS.replace("20", "200") + "capacity = { beds = 1 }\n"
    (folder / "answers.toml").write_text(crowded, encoding="utf-8")
    printed = new("centre", "--answers", "answers.toml").stdout
    assert "Note: centre: [capacity] beds: demand exceeds capacity" in printed
    assert "aftercart compare centre.toml centre-policy.toml --overload\n" in printed


def test_the_share_of_the_marginal_decision_is_asked_for_and_what_it_assumes_is_written(
    new: Command, folder: Path
) -> None:
    marginal = practice("3/10", "flare", "listed", "cream", "cream")
    (folder / "clinic.toml").write_text(toml({**clinic(), "marginal": marginal}), encoding="utf-8")
    (folder / "answers.toml").write_text(f"{ANSWERS}set = {{ new_drug = 0.302 }}\n", encoding="utf-8")
    assert new("centre", "--answers", "answers.toml").exit_code == 0
    today, policy = pair(folder)
    assert (today.set, policy.set) == ({}, {"new_drug": 0.65})
    assert policy.assumes.startswith("The additional patients benefit as much as today's treated patients.")
    assert "# marginal_benefit = 0.5\n" in (folder / BOTH[1]).read_text(encoding="utf-8")
