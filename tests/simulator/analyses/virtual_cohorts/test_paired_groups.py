"""The two groups and the landmarks of `guarantee-time`, as a pathway declares them."""

import pytest
from sojourn_times import Table, exponential
from worlds import decision, load, sojourn, world

from simulator.analyses.virtual_cohorts.immortal_time import (
    check_landmarks,
    failures,
    immortal_time,
    paired_groups,
    planned_at,
)
from simulator.analyses.virtual_cohorts.settings import Settings
from simulator.errors import InputError
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario

DIES = sojourn(dead=exponential(rate=0.1))
STATES = {
    "ill": sojourn(first=exponential(rate=0.2), second=exponential(rate=0.1), dead=exponential(rate=0.1)),
    "first": DIES,
    "second": DIES,
}
"""Two treatments."""
GROUPS = {
    "had_first": "first", "not_first": ("ill", "first"), "had_second": "second", "not_second": ("ill", "second")
}  # fmt: skip
DECLARED = {"entered": "had_second", "others": "not_second", "landmarks": [5, 1]}


def two_treatments(groups: Table = GROUPS, **tables: Table) -> Pathway:
    return load(world("ill", STATES, survival_months=[8], groups=groups, **tables))


def names(pathway: Pathway, group: str | None = None) -> list[str]:
    return [paired_group.name for paired_group in paired_groups(pathway, group)]


def test_declared_groups_are_compared_and_another_pair_on_request() -> None:
    pathway = two_treatments(guarantee_time=DECLARED)
    assert names(pathway) == ["had_second", "not_second"]
    assert names(pathway, "had_first") == ["had_first", "not_first"]
    assert check_landmarks(None, pathway) == (1.0, 5.0)
    assert check_landmarks([7.0, 2.0], pathway) == (2.0, 7.0)


def test_without_a_declaration_the_first_pair_of_groups_is_compared() -> None:
    assert names(two_treatments()) == ["had_first", "not_first"]
    assert check_landmarks(None, two_treatments()) == (2.0, 4.0)


def test_a_choice_at_the_clock_has_no_second_comparison_though_a_drug_may_come_before_surgery() -> None:
    """Surgery at once, or first a drug: from the choice on, patients are compared as they are from the clock on."""
    states = {
        "sepsis": decision(surgery=0.3, drug=0.5, nothing="rest"),
        "drug": sojourn(surgery=exponential(rate=0.5), dead=exponential(rate=0.1)),
        "surgery": DIES,
        "nothing": DIES,
    }
    groups = {"surgery": "surgery", "drug_only": ("drug", "surgery")}
    pathway = load(world("sepsis", states, survival_months=[6], clocks={"sepsis": "sepsis"}, groups=groups))
    assert planned_at(pathway, pathway.groups["surgery"]) == "sepsis"
    assert failures(pathway, pathway.groups["surgery"]) == ()
    settings = Settings(n=20, cohorts=2)
    compared = immortal_time(Scenario("sepsis", pathway), settings=settings)
    assert compared.decision is None
    assert not compared.analyses.duplicated(["clock", "analysis", "begins"]).any()


def test_a_landmark_after_the_month_of_the_answer_is_refused() -> None:
    with pytest.raises(InputError, match=r"--landmarks: no landmark; got 8.0; allowed: above 0, below 8"):
        check_landmarks([8.0], two_treatments())


def test_a_pathway_without_such_groups_is_refused_with_how_to_declare_them() -> None:
    with pytest.raises(InputError, match=r"\[guarantee_time\]: the pathway declares no pair of groups") as refused:
        paired_groups(two_treatments({"had_first": "first", "had_second": "second"}))
    assert "[guarantee_time] entered = A, others = B" in str(refused.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"entered": "had_secnd"}, "did you mean 'had_second'"),
        ({"others": "not_first"}, "not_entered = ['second'] in [groups.not_first]"),
        ({"landmarks": [5, 8]}, "[guarantee_time] landmarks: no landmark; got 8.0; allowed: months above 0, below"),
        ({"landmarks": [0]}, "[guarantee_time] landmarks: no landmark"),
        ({"landmark": [5, 1]}, "unknown key; got 'landmark'"),
    ],
)
def test_groups_that_are_not_a_pair_are_refused(changed: Table, words: str) -> None:
    with pytest.raises(InputError) as refused:
        two_treatments(guarantee_time={**DECLARED, **changed})
    assert "pathway.toml" in str(refused.value)
    assert words in str(refused.value)
