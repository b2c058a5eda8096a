"""Arms of figures that are only compared: no patient counts twice, and an arm has the patients that its name says."""

from pathlib import Path

import pytest
from made_up_cohort import write_cohort
from sojourn_times import exponential
from worlds import share, two_arms

from calibration.likelihood.targets import Targets
from simulator.errors import InputError

WORLD = two_arms(exponential(mean=10), exponential(mean=10), parameters={"uptake": share(0.4)})


def compared(folder: Path, arms: dict[str, list[str]], population: str) -> Targets:
    row = f"alive,survival,{population},,,6,,25,61,10,%,page 1,validation,"
    return write_cohort(folder, WORLD, [row], clock="start", n=25, arms=arms)


REFUSED = {
    "a group twice": (
        {"cared_for": ["untreated", "untreated"]},
        "line 2: arms that are added up have patients in common; got 'untreated and untreated'",
    ),
    "everybody, and some of them": (
        {"cared_for": ["all", "treated"]},
        "line 2: arms that are added up have patients in common; got 'all and treated'",
    ),
    "the untreated, and the treated under their name": (
        {"untreated": ["untreated", "treated"], "treated": ["treated"]},
        r"line 2, population: an arm with the name of a group, and other patients; got 'untreated = untreated, treated'"
        r"; allowed: in \[arms\], the patients of the group untreated",
    ),
    "the treated under the name of the others": (
        {"untreated": ["treated"]},
        "line 2, population: an arm with the name of a group, and other patients; got 'untreated = treated'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_arm_that_counts_patients_twice_or_is_not_what_it_is_named_is_refused(case: str, tmp_path: Path) -> None:
    arms, message = REFUSED[case]
    with pytest.raises(InputError, match=rf"targets.csv: {message}"):
        compared(tmp_path, arms, next(iter(arms)))


@pytest.mark.parametrize("arms", [{"all": ["treated", "untreated"]}, {"untreated": ["untreated"]}, {"rest": ["all"]}])
def test_arms_of_groups_that_exclude_one_another_are_compared(arms: dict[str, list[str]], tmp_path: Path) -> None:
    (name,) = arms
    assert compared(tmp_path, arms, name).cohort.arms[name] == tuple(arms[name])
