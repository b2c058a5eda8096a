"""Stays of days, fixed stays, and rows between tenths of a month are fitted exactly: against closed forms."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_up_cohort import write_cohort
from scipy import stats
from scipy.linalg import expm
from sojourn_times import AT_ONCE, Table, exponential, fixed, gamma
from worlds import exit_to, share, sojourn, world

from calibration.likelihood.likelihood import Likelihood

SLOW = exponential(rate=0.01)
SHARES = np.array([0.3, 0.6, 0.7])


@pytest.fixture
def cohort(tmp_path: Path) -> Callable[..., Likelihood]:
    """Load a cohort of one row, "kind,state,month,count", of a pathway with a time in each of two states."""

    def write(ill: Table, treated: Table, row: str, step: float = 0.1) -> Likelihood:
        exits = exit_to("treated", ill, probability="share"), exit_to("home", SLOW, probability="rest")
        states = {"ill": sojourn(*exits), "treated": sojourn(dead=treated), "home": sojourn(dead=SLOW)}
        parameters = {"share": share(0.5, prior={"family": "beta", "a": 1, "b": 1})}
        pathway = world(
            "ill", states, survival_months=[1], clocks={"illness": "ill"}, parameters=parameters
        )  # fmt: skip
        kind, state, month, count = row.split(",")
        line = f"row,{kind},all,{state},,{month},{count},100,,,,made up,likelihood,"
        return Likelihood(write_cohort(tmp_path, pathway, [line], clock="illness", n=100), step)

    return write


@pytest.mark.representatives(4)
@pytest.mark.parametrize("step", [0.05, 0.1, 0.2])
@pytest.mark.parametrize(
    ("months", "row"),
    [(2.03, "entered,treated,2.05,60"), (2.03, "entered,treated,2.03,60"), (0.25, "entered,treated,0.26,60")],
)
def test_a_patient_treated_after_a_fixed_time_is_counted_at_that_time(
    months: float, row: str, step: float, cohort: Callable[..., Likelihood]
) -> None:
    log_likelihood = cohort(fixed(months), fixed(months), row, step)({"share": SHARES[:, None]})
    np.testing.assert_allclose(log_likelihood, stats.binom.logpmf(60, 100, SHARES), atol=1e-6)


def test_nobody_is_treated_before_a_fixed_time(cohort: Callable[..., Likelihood]) -> None:
    log_likelihood = cohort(fixed(2.03), fixed(2.03), "entered,treated,2.02,0")({"share": SHARES[:, None]})
    np.testing.assert_allclose(log_likelihood, 0.0, atol=1e-6)


@pytest.mark.parametrize("month", [0.1, 0.15, 0.25])
def test_deaths_after_stays_of_two_days_each(month: float, cohort: Callable[..., Likelihood]) -> None:
    stay = exponential(rate=15)
    log_likelihood = cohort(stay, stay, f"deaths,,{month},20")({"share": SHARES[:, None]})
    generator = np.array([[-15.0, 15.0, 0.0], [0.0, -15.0, 15.0], [0.0, 0.0, 0.0]])
    at_home = 1.0 - np.exp(-0.01 * month) * (1.0 + 0.01 * month)
    dead = SHARES * expm(month * generator)[0, 2] + (1.0 - SHARES) * at_home
    np.testing.assert_allclose(log_likelihood, stats.binom.logpmf(20, 100, dead), atol=0.1)


@pytest.mark.parametrize("month", [0.05, 0.03, 0.12])
def test_deaths_in_the_first_days_of_a_steep_start(month: float, cohort: Callable[..., Likelihood]) -> None:
    log_likelihood = cohort(AT_ONCE, gamma(shape=0.2, scale=4), f"deaths,,{month},30")({"share": SHARES[:, None]})
    dead = SHARES * stats.gamma.cdf(month, 0.2, scale=4)
    dead += (1.0 - SHARES) * (1.0 - np.exp(-0.01 * month) * (1.0 + 0.01 * month))
    np.testing.assert_allclose(log_likelihood, stats.binom.logpmf(30, 100, dead), atol=0.01)
