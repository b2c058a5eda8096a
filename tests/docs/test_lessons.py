"""A lesson has one aim, an exercise with a command that works, and a note for the teacher; no number is typed."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from simulator import load_scenario
from simulator.cli.application import app

LESSONS = sorted((Path(__file__).parents[2] / "docs" / "lessons").glob("*.md"))
ASKED = {"0", "0.8", "1", "2", "3", "5", "9", "12", "30", "37", "80", "95", "100", "2023", "2024"}
"""Numbers of questions: months, shares, and how many are asked about. No results."""


def cells(text: str) -> list[str]:
    return re.findall(r"^```\{code-cell\} ipython3\n(.*?)^```", text, re.M | re.S)


def prose(text: str) -> str:
    """Return a lesson's sentences: no cells, no code, no addresses, no numbers of lessons or exponents."""
    return re.sub(
        r"^---\n.*?^---\n|^```.*?^```|`[^`]*`|\]\([^)]*\)|\[?[Ll]essons? \d|^# \d\. ", "", text, flags=re.M | re.S
    )


def commands(text: str) -> list[list[str]]:
    """Return the commands of a lesson's cells, as words."""
    return [shlex.split(line) for line in re.findall(r"^!(aftercart .*)$", text, re.M)]


def test_there_are_eight_lessons_in_order() -> None:
    assert [lesson.name[:2] for lesson in LESSONS] == [f"0{number}" for number in range(1, 9)]


@pytest.fixture(params=LESSONS, ids=lambda lesson: lesson.stem)
def lesson(request: pytest.FixtureRequest) -> str:
    return str(request.param.read_text(encoding="utf-8"))


def test_a_lesson_has_one_aim_of_ten_minutes(lesson: str) -> None:
    (aim,) = re.findall(r"^\*\*Aim\.\*\* (.*?)\n\n", lesson, re.M | re.S)
    assert " ".join(aim.split()).endswith("Ten minutes.")
    assert len(prose(lesson).split()) in range(150, 550)


def test_a_lesson_ends_with_an_exercise_and_a_note_for_the_teacher(lesson: str) -> None:
    headings = re.findall(r"^## (.*)$", re.sub(r"^```.*?^```", "", lesson, flags=re.M | re.S), re.M)
    assert headings[-2:] == ["Exercise", "For the teacher"]
    assert len(headings) >= 5


def test_a_section_begins_with_a_short_paragraph_for_its_slide(lesson: str) -> None:
    for paragraph in re.findall(r"^## .*\n\n(.*?)\n\n", lesson, re.M | re.S)[:-1]:
        assert not paragraph.startswith("`")
        assert len(paragraph.split()) <= 60, paragraph


def test_a_command_answers_the_exercise(lesson: str) -> None:
    exercise = lesson.partition("## Exercise")[2]
    (words,) = commands(lesson)
    assert shlex.join(words) in exercise.replace('"', "'")
    group = typer.main.get_command(app)
    command = group.commands[words[1]]  # type: ignore[attr-defined]
    with command.make_context(words[1], words[2:]):
        pass
    assert "_exit_code ==" in exercise


def test_every_part_that_says_something_is_checked(lesson: str) -> None:
    checks = [cell for cell in cells(lesson) if ":tags: [remove-cell]" in cell]
    assert len(checks) >= 2
    assert all("assert " in check for check in checks)


def test_numbers_of_results_come_from_cells(lesson: str) -> None:
    assert set(re.findall(r"\d+(?:\.\d+)?", prose(lesson))) <= ASKED


def test_every_page_stands_in_the_contents_of_the_site() -> None:
    docs = LESSONS[0].parents[1]
    listed = re.findall(r"^([\w-]+)$", (docs / "index.md").read_text(encoding="utf-8"), re.M)
    assert sorted(listed) == sorted(page.stem for page in docs.glob("*.md") if page.stem != "index")


def test_the_planners_files_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says two file names, and shows the files in this order."""
    text = (LESSONS[0].parents[1] / "for-planners.md").read_text(encoding="utf-8")
    names = re.findall(r"save it as `([^`]+)`", text)
    for name, file in zip(names, re.findall(r"^```toml\n(.*?)^```", text, re.M | re.S), strict=True):
        (tmp_path / name).write_text(file, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    policy = load_scenario(names[-1])
    assert policy.is_limited
    assert policy.set["salvage_uptake"] == 0.75
    assert re.findall(r"[\w-]+\.toml", text.partition("```sh")[2]) == [
        "our-policy.toml",
        "our-centre.toml",
        "our-policy.toml",
    ]
