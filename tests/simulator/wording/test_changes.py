"""What an option changes, in words that a planner reads: each kind of lever, next to another option or alone."""

from dataclasses import replace

import pytest
from sojourn_times import exponential
from worlds import parameter, policy, share, sojourn, world

from simulator.evidence.cohort import load_cohort
from simulator.scenario.scenario import load_scenario
from simulator.wording import changes

TO = "\N{RIGHTWARDS ARROW}"


def shipped(name: str, first: str | None = None) -> list[str]:
    scenario = load_scenario(name)
    return changes.of(scenario, load_scenario(first) if first else None, load_cohort(scenario.pathway))


@pytest.mark.parametrize(
    ("name", "first", "words"),
    [
        ("baseline", None, []),
        # 18 of 37 patients were treated.
        ("wider-salvage", "baseline", [f"salvage uptake 49 % {TO} 88 %"]),
        ("baseline", "wider-salvage", [f"salvage uptake 88 % {TO} 49 %"]),
        ("no-hsct", None, [f"HSCT if CR 56 % {TO} 0 %", f"HSCT if PR 79 % {TO} 0 %"]),
        ("earlier-hsct", None, [f"HSCT wait median 0.87 {TO} 0.43 months"]),
        ("letter-centre", None, ["one HSCT bed", "9.65 patients who relapse a year"]),
        ("letter-centre-2-beds", "letter-centre", [f"one HSCT bed {TO} two HSCT beds"]),
        ("letter-centre", "car-t-slot-a-month", [f"one CAR-T slot offered a month {TO} CAR-T slots: no limit"]),
        ("longer-car-t-remission", "infused", ["hazard of remission after CAR-T to relapse, times 0.5"]),
        ("hsct-as-milestone", None, ["HSCT admission: no effect", "remission after HSCT: no effect"]),
    ],
)
def test_what_a_shipped_option_changes(name: str, first: str | None, words: list[str]) -> None:
    assert shipped(name, first) == words


def test_a_policy_from_a_date_says_when_it_applies() -> None:
    words = shipped("regional-centre-wider-salvage", "regional-centre")
    assert words[-1] == "from month 48, for all from month 60"
    assert f"three HSCT beds {TO} three HSCT beds, five from month 48" in words


def test_a_treatment_that_takes_over_the_share_of_another_has_both_shares() -> None:
    assert shipped("dual-target-reinfusion") == [
        f"share CAR-T reinfusion 38 % {TO} 0 %",
        f"share dual target reinfusion 0 % {TO} 38 %",
    ]


PATHWAY = world(
    "ill",
    {"ill": sojourn(dead=exponential(mean={"by": "sex", "male": "months_male", "female": 4}))},
    attributes={"sex": {"male": 1, "female": 1}},
    parameters={"months_male": parameter("months", 12.0), "unused_share": share(0.5)},
)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("[population]\nsex = { male = 3, female = 1 }", [f"male 50 % {TO} 75 %", f"female 50 % {TO} 25 %"]),
        ("[scale]\nmonths_male = 1.5", [f"months male 12 {TO} 18 months"]),
        ("[odds_ratio]\nunused_share = 3", [f"unused share 50 % {TO} 75 %"]),
        (
            '[hazard_ratio]\n"ill.dead" = { breaks = [6], ratios = [0.5, { by = "sex", male = 0.7, female = 1 }] }',
            ["hazard of ill to dead, times 0.5 to month 6, then (0.7: male; 1: female)"],
        ),
        ("[set]\nmonths_male = 12", []),
    ],
    ids=["case mix", "time", "odds", "hazard by period and level", "as declared"],
)
def test_what_an_option_of_another_disease_changes(declared: str, words: list[str]) -> None:
    option = policy(PATHWAY, declared)
    assert changes.of(option, None, None) == words
    assert changes.of(option, replace(option, name="again"), None) == []
