"""Which counts of patients who entered a state are fitted in one table with the deaths of the same patients."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.linalg import expm

from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.same_patients import SamePatients
from calibration.likelihood.targets import load_targets
from calibration.reported.ways_out import ways_out
from simulator.errors import InputError

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


SURGERY = """
title = "Surgery, or a drug, of those who fall ill"
start = "well"
[clocks]
illness = "ill"
[states.well]
kind = "sojourn"
[[states.well.transitions]]
to = "ill"
time = { family = "exponential", rate = 0.3 }
[[states.well.transitions]]
to = "dead"
time = { family = "exponential", rate = 0.1 }
[states.ill]
kind = "sojourn"
[[states.ill.transitions]]
to = "surgery"
time = { family = "exponential", rate = 0.3 }
[[states.ill.transitions]]
to = "drug"
time = { family = "exponential", rate = 0.2 }
[states.surgery]
kind = "sojourn"
[[states.surgery.transitions]]
to = "dead"
time = { family = "exponential", rate = 0.1 }
[[states.surgery.transitions]]
to = "home"
time = { family = "exponential", rate = 0.1 }
[states.drug]
kind = "end"
[states.home]
kind = "end"
[states.dead]
kind = "death"
"""
ROWS = {
    "surgery": "surgery,entered,all,surgery,,6,28,60,,,,,,made up,likelihood,\n",
    "dead": "dead,deaths,all,dead,,6,8,60,,,,,,made up,likelihood,\n",
    "drug": "drug,entered,all,drug,,6,15,60,,,,,,made up,likelihood,\n",
    "well": "well,entered,all,well,,,60,60,,,,,,made up,likelihood,\n",
}


def of_surgery(folder: Path, *rows: str) -> Likelihood:
    targets = TARGETS.splitlines(keepends=True)[0] + "".join(ROWS[row] for row in rows)
    cohort = COHORT.replace('"entry"', '"illness"')
    for name, text in {"own.toml": SURGERY, "cohort.toml": cohort, "targets.csv": targets}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Likelihood(load_targets(folder))


def at_six_months() -> dict[str, float]:
    names = ("ill", "surgery", "dead", "home", "drug")
    generator = np.zeros((5, 5))
    generator[0, [1, 4]], generator[1, [2, 3]] = (0.3, 0.2), (0.1, 0.1)
    np.fill_diagonal(generator, -generator.sum(axis=1))
    return dict(zip(names, expm(6 * generator)[0], strict=True))


def test_who_went_another_way_out_had_no_surgery_and_all_three_counts_are_one_multinomial(tmp_path: Path) -> None:
    """28 had surgery, of whom 8 are dead; 15 had the drug, after which no row counts anybody."""
    likelihood, there = of_surgery(tmp_path, "surgery", "dead", "drug"), at_six_months()
    shares = [there["dead"], there["surgery"] + there["home"], there["drug"], there["ill"]]
    assert likelihood({})[0] == pytest.approx(stats.multinomial.logpmf([8, 20, 15, 17], 60, shares), abs=1e-3)
    assert SamePatients(likelihood.targets).sentences() == []


def test_who_dies_after_the_clock_starts_dies_of_surgery_whatever_deaths_there_are_before(tmp_path: Path) -> None:
    likelihood, there = of_surgery(tmp_path, "surgery", "dead"), at_six_months()
    shares = [there["dead"], there["surgery"] + there["home"], there["drug"] + there["ill"]]
    assert likelihood({})[0] == pytest.approx(stats.multinomial.logpmf([8, 20, 32], 60, shares), abs=1e-3)
    assert SamePatients(likelihood.targets).sentences() == []


def test_a_count_of_a_state_before_the_clock_is_not_fitted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 2: no patients enter well after ill, .* use = \"predictive\""):
        of_surgery(tmp_path, "well")
