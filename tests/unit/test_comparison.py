"""What `guarantee-time` compares: the two groups and the landmarks that a pathway declares."""

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.analyses.virtual_cohorts.immortal_time import check_landmarks, paired_groups
from simulator.errors import InputError
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway

WORLD = """
title = "two treatments"
start = "ill"
survival_months = [8]
[states.ill]
kind = "sojourn"
[[states.ill.transitions]]
to = "first"
time = { family = "exponential", rate = 0.2 }
[[states.ill.transitions]]
to = "second"
time = { family = "exponential", rate = 0.1 }
[[states.ill.transitions]]
to = "dead"
time = { family = "exponential", rate = 0.1 }
[states.first]
kind = "sojourn"
[[states.first.transitions]]
to = "dead"
time = { family = "exponential", rate = 0.1 }
[states.second]
kind = "sojourn"
[[states.second.transitions]]
to = "dead"
time = { family = "exponential", rate = 0.1 }
[states.dead]
kind = "death"
[groups.had_first]
entered = "first"
[groups.not_first]
entered = "ill"
not_entered = "first"
[groups.had_second]
entered = "second"
[groups.not_second]
entered = "ill"
not_entered = "second"
"""
DECLARED = """
[guarantee_time]
entered = "had_second"
others = "not_second"
landmarks = [5, 1]
"""

Tell = Callable[[str], Pathway]


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    def told(text: str) -> Pathway:
        (tmp_path / "world.toml").write_text(text, encoding="utf-8")
        return load_pathway(tmp_path / "world.toml")

    return told


def names(pathway: Pathway, group: str | None = None) -> list[str]:
    return [paired_group.name for paired_group in paired_groups(pathway, group)]


def test_the_declared_groups_are_compared_and_another_pair_on_request(tell: Tell) -> None:
    pathway = tell(WORLD + DECLARED)
    assert names(pathway) == ["had_second", "not_second"]
    assert names(pathway, "had_first") == ["had_first", "not_first"]
    assert check_landmarks(None, pathway) == (1.0, 5.0)
    assert check_landmarks([7.0, 2.0], pathway) == (2.0, 7.0)


def test_without_a_declaration_the_first_groups_that_answer_each_other_are_compared(tell: Tell) -> None:
    assert names(tell(WORLD)) == ["had_first", "not_first"]
    assert check_landmarks(None, tell(WORLD)) == (2.0, 4.0)


def test_a_landmark_after_survival_answers_is_refused(tell: Tell) -> None:
    with pytest.raises(InputError, match=r"--landmarks: no landmark; got 8.0; allowed: above 0, below 8"):
        check_landmarks([8.0], tell(WORLD))


def test_a_pathway_without_such_groups_is_told_how_to_declare_them(tell: Tell) -> None:
    with pytest.raises(InputError, match=r"\[guarantee_time\]: the pathway declares no pair of groups") as refused:
        paired_groups(tell(WORLD.replace('not_entered = "first"', "").replace('not_entered = "second"', "")))
    assert "[guarantee_time] entered = A, others = B" in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('entered = "had_second"\nothers', 'entered = "had_secnd"\nothers', "did you mean 'had_second'"),
        ('others = "not_second"', 'others = "not_first"', "not_entered = ['second'] in [groups.not_first]"),
        ("[5, 1]", "[5, 8]", "[guarantee_time] landmarks: no landmark; got 8.0; allowed: months above 0, below"),
        ("[5, 1]", "[0]", "[guarantee_time] landmarks: no landmark"),
        ("landmarks", "landmark", "landmark"),
    ],
)
def test_groups_that_do_not_answer_each_other_are_refused(tell: Tell, old: str, new: str, said: str) -> None:
    declared = WORLD + DECLARED
    assert old in declared
    with pytest.raises(InputError) as refused:
        tell(declared.replace(old, new))
    assert "world.toml" in str(refused.value)
    assert said in str(refused.value)
