"""Who never starts the clock is in no cohort: times to it, and the case mix, are of those who do."""

from math import factorial
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.targets import Targets, load_targets
from calibration.predictive import simulated

PATHWAY = """
title = "Well, ill, dead"
start = "well"
[clocks]
illness = "ill"
[attributes.sex]
meaning = "sex"
levels = { female = 1, male = 1 }
[attributes.age]
meaning = "age"
levels = { young = 1, old = 3 }
[states.well]
kind = "sojourn"
transitions = WELL
[states.ill]
kind = "sojourn"
transitions = [{ to = "dead", time = ILL }]
[states.dead]
kind = "death"
"""
COHORT = """
title = "t"
citation = "c"
pathway = "own.toml"
clock = "illness"
n = N
seed = 1
[arms]
all = ["all"]
"""
HEADER = "name,kind,population,state,attribute,month,count,n,value,standard_error,unit,place,use,note\n"
SLOW = '{ family = "exponential", rate = 0.1 }'
BY_AGE = '{ family = "exponential", rate = { by = "age", young = 0.05, old = 0.2 } }'


def cohort(folder: Path, well: str, ill: str, n: int, *rows: str) -> Targets:
    (folder / "own.toml").write_text(PATHWAY.replace("WELL", well).replace("ILL", ill))
    (folder / "cohort.toml").write_text(COHORT.replace("= N", f"= {n}"))
    (folder / "targets.csv").write_text(HEADER + "".join(f"row_{i},{row}\n" for i, row in enumerate(rows)))
    return load_targets(folder)


@pytest.mark.parametrize("cured", [0.0, 0.6])
def test_times_to_the_clock_are_of_those_who_are_not_cured_before(cured: float, tmp_path: Path) -> None:
    time = f'{{ family = "weibull", scale = 6, shape = 1.3, cure = {cured} }}'
    row = "median,all,,,,,,4.0,,months,made up,likelihood,"
    found = Likelihood(cohort(tmp_path, f'[{{ to = "ill", time = {time} }}]', SLOW, 9, row))({})
    law = stats.weibull_min(1.3, scale=6)
    assert found[0] == pytest.approx(np.log(9 * law.pdf(4)) + stats.binom.logpmf(4, 8, law.cdf(4)), abs=1e-6)


def test_times_of_a_hazard_that_dies_out_are_of_those_who_fall_ill(tmp_path: Path) -> None:
    well = '[{ to = "ill", time = { family = "gompertz", shape = -0.3, rate = 0.2 } }]'
    rows = [f"{kind},all,,,,,,{value},,months,made up,likelihood," for kind, value in TIMES.items()]
    found = Likelihood(cohort(tmp_path, well, SLOW, 9, *rows))({})
    ever = -np.expm1(-0.2 / 0.3)
    times = np.array(list(TIMES.values()))
    hazard = 0.2 * -np.expm1(-0.3 * times) / 0.3
    cdf, pdf = -np.expm1(-hazard) / ever, 0.2 * np.exp(-0.3 * times - hazard) / ever
    between = np.diff(cdf)[0] ** 3 * np.diff(cdf)[1] ** 3
    assert found[0] == pytest.approx(np.log(factorial(9) / factorial(3) ** 2 * pdf.prod() * between), abs=1e-6)


TIMES = {"minimum": 0.5, "median": 4.0, "maximum": 11.0}


def test_the_case_mix_of_a_cohort_is_that_of_its_patients_however_many_of_each_level_fall_ill(tmp_path: Path) -> None:
    """40 of 60 are women, who fall ill more slowly; of age nothing is reported, so the old are fewer than at entry."""
    onset = '{ family = "exponential", rate = { by = "sex", female = 0.1, male = 0.4 } }'
    well = f'[{{ to = "ill", time = {onset} }}, {{ to = "dead", time = {BY_AGE} }}]'
    rows = [f"patients,all,,sex={sex},,{count},60,,,patients,made up,case_mix," for sex, count in MIX.items()]
    targets = cohort(tmp_path, well, BY_AGE, 60, *rows, "survivors,all,,,6,30,60,,,patients,made up,likelihood,")
    alive = 0.0
    for sex, rate in (("female", 0.1), ("male", 0.4)):
        ages = np.array([0.25 * rate / (rate + 0.05), 0.75 * rate / (rate + 0.2)])
        alive += MIX[sex] / 60 * ages / ages.sum() @ np.exp([-0.3, -1.2])
    assert Likelihood(targets)({})[0] == pytest.approx(stats.binom.logpmf(30, 60, alive), abs=1e-3)
    cohorts = [simulated(targets, {}, number=number) for number in range(1, 51)]
    women = sum(int(one.members("sex=female").sum()) for one in cohorts)
    living = sum(int((one.died > 6).sum()) for one in cohorts)
    # Two tests, each with a false alarm in a million.
    assert stats.binomtest(women, 3000, 2 / 3).pvalue > 1e-6
    assert stats.binomtest(living, 3000, alive).pvalue > 1e-6


MIX = {"female": 40, "male": 20}
