"""Patients who never start the clock are in no cohort: its times and its case mix leave them out."""

from math import factorial
from pathlib import Path

import numpy as np
import pytest
from made_up_cohort import write_cohort
from scipy import stats
from sojourn_times import Table, by, exponential, law, weibull
from worlds import sojourn, world

from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.targets import Targets
from calibration.predictive import simulated
from simulator.errors import InputError

SLOW = exponential(rate=0.1)
BY_AGE = exponential(rate=by("age", young=0.05, old=0.2))
LEVELS = {"sex": {"female": 1, "male": 1}, "age": {"young": 1, "old": 3}}


def cohort(folder: Path, well: Table, ill: Table, n: int, *rows: str) -> Targets:
    states = {"well": well, "ill": sojourn(dead=ill)}
    well_or_ill = world("well", states, clocks={"illness": "ill"}, attributes=LEVELS)
    return write_cohort(folder, well_or_ill, (f"row_{i},{row}" for i, row in enumerate(rows)), clock="illness", n=n)


@pytest.mark.parametrize("cured", [0.0, 0.6])
def test_times_to_the_clock_are_those_of_patients_not_cured_before_it(cured: float, tmp_path: Path) -> None:
    well = sojourn(ill=weibull(scale=6, shape=1.3, cure=cured))
    row = "median,all,,,,,,4.0,,months,made up,likelihood,"
    log_likelihood = Likelihood(cohort(tmp_path, well, SLOW, 9, row))({})
    known = stats.weibull_min(1.3, scale=6)
    assert log_likelihood[0] == pytest.approx(
        np.log(9 * known.pdf(4)) + stats.binom.logpmf(4, 8, known.cdf(4)), abs=1e-6
    )


def test_times_under_a_vanishing_hazard_are_those_of_patients_who_fall_ill(tmp_path: Path) -> None:
    well = sojourn(ill=law("gompertz", shape=-0.3, rate=0.2))
    rows = [f"{kind},all,,,,,,{value},,months,made up,likelihood," for kind, value in TIMES.items()]
    log_likelihood = Likelihood(cohort(tmp_path, well, SLOW, 9, *rows))({})
    ever = -np.expm1(-0.2 / 0.3)
    times = np.array(list(TIMES.values()))
    hazard = 0.2 * -np.expm1(-0.3 * times) / 0.3
    cdf, pdf = -np.expm1(-hazard) / ever, 0.2 * np.exp(-0.3 * times - hazard) / ever
    between = np.diff(cdf)[0] ** 3 * np.diff(cdf)[1] ** 3
    assert log_likelihood[0] == pytest.approx(np.log(factorial(9) / factorial(3) ** 2 * pdf.prod() * between), abs=1e-6)


def test_times_that_no_patients_can_have_are_refused_with_their_lines(tmp_path: Path) -> None:
    rows = [f"{kind},all,,,,,,{value},,months,made up,likelihood," for kind, value in (("minimum", 5), ("maximum", 4))]
    message = r"line 2 and .*line 3: .*maximum lies below the minimum; got 'the minimum 5, the maximum 4'"
    with pytest.raises(InputError, match=message):
        Likelihood(cohort(tmp_path, sojourn(ill=SLOW), SLOW, 9, *rows))


TIMES = {"minimum": 0.5, "median": 4.0, "maximum": 11.0}


def test_the_case_mix_is_that_of_the_patients_who_start_the_clock(tmp_path: Path) -> None:
    """40 of 60 are women, who fall ill more slowly; age is not reported, so the old are fewer than at entry."""
    well = sojourn(ill=exponential(rate=by("sex", female=0.1, male=0.4)), dead=BY_AGE)
    rows = [f"patients,all,,sex={sex},,{count},60,,,patients,made up,case_mix," for sex, count in MIX.items()]
    targets = cohort(tmp_path, well, BY_AGE, 60, *rows, "survivors,all,,,6,30,60,,,patients,made up,likelihood,")
    alive = 0.0
    for sex, rate in (("female", 0.1), ("male", 0.4)):
        ages = np.array([0.25 * rate / (rate + 0.05), 0.75 * rate / (rate + 0.2)])
        alive += MIX[sex] / 60 * ages / ages.sum() @ np.exp([-0.3, -1.2])
    assert Likelihood(targets)({})[0] == pytest.approx(stats.binom.logpmf(30, 60, alive), abs=1e-3)
    cohorts = [simulated(targets, {}, number=number) for number in range(1, 51)]
    women = sum(int(simulation.members("sex=female").sum()) for simulation in cohorts)
    living = sum(int((simulation.died > 6).sum()) for simulation in cohorts)
    # Two tests, each with a false alarm in a million.
    assert stats.binomtest(women, 3000, 2 / 3).pvalue > 1e-6
    assert stats.binomtest(living, 3000, alive).pvalue > 1e-6


MIX = {"female": 40, "male": 20}


@pytest.mark.parametrize("start", ["well", "ill"])
@pytest.mark.parametrize("reported", [{"sex": MIX}, {}], ids=["case mix reported", "case mix declared"])
def test_an_attribute_may_matter_only_after_the_clock_has_started(
    start: str, reported: dict[str, dict[str, int]], tmp_path: Path
) -> None:
    states = {"well": sojourn(ill=exponential(rate=0.3)), "ill": sojourn(dead=exponential(rate=RATES))}
    states = {name: state for name, state in states.items() if name in (start, "ill")}
    pathway = world(start, states, clocks={"illness": "ill"}, attributes={"sex": LEVELS["sex"]})
    rows = [f"women_{sex},patients,all,,sex={sex},,{n},60,,,patients,made up,case_mix," for sex, n in MIX.items()]
    row = "alive,survivors,all,,,6,30,60,,,patients,made up,likelihood,"
    targets = write_cohort(tmp_path, pathway, [*(rows if reported else []), row], clock="illness", n=60)
    women = 2 / 3 if reported else 1 / 2
    alive = women * np.exp(-6 * 0.05) + (1 - women) * np.exp(-6 * 0.2)
    assert Likelihood(targets)({})[0] == pytest.approx(stats.binom.logpmf(30, 60, alive), abs=1e-3)


RATES = by("sex", female=0.05, male=0.2)
