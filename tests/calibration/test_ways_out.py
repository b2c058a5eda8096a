"""Which counts of patients who entered a state are fitted in one table with the deaths of the same patients."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.targets import load_targets
from calibration.reported.ways_out import ways_out

DEATHS = ("early_death", "late_death")
WAYS = {"ill": ["cured", "early_death"], "cured": ["late_death", "home"], "home": []} | {death: [] for death in DEATHS}
ARMS = {"short": ["short"], "long": ["long"], "both": ["short", "long"]}
CURED = ("entered", "short", "cured", 60)


def counted(*rows: tuple[str, str, str, int]) -> list[object]:
    used = pd.DataFrame(rows, columns=["kind", "population", "state", "n"])
    return ways_out(used, ARMS, WAYS, DEATHS)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([CURED, ("deaths", "short", "early_death", 60)], [0]),
        ([CURED, ("deaths", "short", "late_death", 60)], []),
        ([CURED, ("deaths", "short", "", 60)], []),
        ([CURED, ("deaths", "short", "early_death", 60), ("survivors", "both", "", 120)], []),
        ([CURED, ("deaths", "short", "early_death", 60), ("survivors", "long", "", 60)], [0]),
        ([CURED, ("deaths", "short", "early_death", 40)], []),
        ([CURED, ("entered", "short", "home", 60), ("deaths", "short", "early_death", 60)], []),
        ([("entered", "short", "home", 60), ("survivors", "short", "", 60)], [0]),
    ],
)
def test_who_entered_a_state_is_counted_with_deaths_that_cannot_follow_it(
    rows: list[tuple[str, str, str, int]], expected: list[object]
) -> None:
    assert counted(*rows) == expected


CURE = """
title = "early death, or cure and late death"
start = "ill"
[clocks]
entry = "ill"
[states.ill]
kind = "sojourn"
[[states.ill.transitions]]
to = "cured"
time = { family = "exponential", rate = "cure" }
[[states.ill.transitions]]
to = "early_death"
time = { family = "exponential", rate = "early" }
[states.cured]
kind = "sojourn"
[[states.cured.transitions]]
to = "late_death"
time = { family = "exponential", rate = 0.1 }
[states.early_death]
kind = "death"
[states.late_death]
kind = "death"
[parameters]
cure = { unit = "per month", meaning = "made up", value = 0.2, source = "assumption" }
early = { unit = "per month", meaning = "made up", value = 0.1, source = "assumption" }
"""
COHORT = """
title = "a cohort that never was"
citation = "nobody"
pathway = "own.toml"
clock = "entry"
n = 60
seed = 3
dependence = "None."
[arms]
all = ["all"]
"""
TARGETS = """name,kind,population,state,attribute,month,count,n,value,standard_error,lower,upper,unit,place,use,note
cured,entered,all,cured,,12,40,60,,,,,,made up,likelihood,
dead,deaths,all,early_death,,6,15,60,,,,,,made up,likelihood,
"""


def test_cured_by_a_year_and_dead_before_by_half_a_year_are_one_multinomial(tmp_path: Path) -> None:
    for name, text in {"own.toml": CURE, "cohort.toml": COHORT, "targets.csv": TARGETS}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    cure, early = np.array([0.2, 0.1, 0.5]), np.array([0.1, 0.05, 0.2])
    found = Likelihood(load_targets(tmp_path))({"cure": cure[:, None], "early": early[:, None]})
    cured, dead = (rate / (cure + early) * -np.expm1(-m * (cure + early)) for rate, m in ((cure, 12), (early, 6)))
    expected = 40 * np.log(cured) + 15 * np.log(dead) + 5 * np.log(1 - cured - dead)
    assert np.diff(found) == pytest.approx(np.diff(expected), abs=1e-3)
