"""Follow-up that ends when a fixed stay or the window to join an arm does, against closed forms."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_up_cohort import TREATED_OR_NOT, write_cohort
from scipy import integrate, stats
from sojourn_times import Table, exponential, fixed
from worlds import sojourn, world

from calibration.likelihood.likelihood import Likelihood

ARM, ENTERED = "patients,treated,,,,60,100", "entered,all,treatment,,,60,100"
DEAD = "deaths,treated,,,,5,60"
Fitted = Callable[..., float]


@pytest.fixture
def fitted(tmp_path: Path) -> Fitted:
    """Return the log-likelihood of rows "kind,population,state,attribute,month,count,n"."""

    def write(stay: Table, *rows: str, follow_up: tuple[float, float] | None = None, window: float = 120.0) -> float:
        states = {"ill": sojourn(treatment=stay), "treatment": sojourn(dead=exponential(rate=0.05))}
        late = world(
            "ill", states, group_window=window, survival_months=[1], clocks={"illness": "ill"},
            groups={"treated": "treatment", "untreated": ("ill", "treatment")},
        )  # fmt: skip
        ends = {"follow_up": {"lower": follow_up[0], "upper": follow_up[1]}} if follow_up else {}
        lines = [f"row_{i},{row},,,patients,made up,likelihood," for i, row in enumerate(rows)]
        targets = write_cohort(tmp_path, late, lines, clock="illness", n=100, arms=TREATED_OR_NOT, **ends)
        return float(Likelihood(targets)({})[0])

    return write


@pytest.mark.parametrize("row", [ARM, ENTERED])
@pytest.mark.parametrize("months", [0.5, 0.37])
def test_an_entry_after_a_fixed_stay_is_counted_if_follow_up_lasts_so_long(
    months: float, row: str, fitted: Fitted
) -> None:
    log_likelihood = fitted(fixed(months), row, follow_up=(0.2, 0.9))
    assert log_likelihood == pytest.approx(stats.binom.logpmf(60, 100, (0.9 - months) / 0.7), abs=1e-6)


@pytest.mark.parametrize(("months", "lower", "upper"), [(1.0, 0.0, 6.0), (2.03, 2.0, 2.1), (0.03, 0.0, 0.5)])
def test_deaths_after_a_fixed_stay_are_those_of_patients_observed_to_be_treated(
    months: float, lower: float, upper: float, fitted: Fitted
) -> None:
    log_likelihood = fitted(fixed(months), ARM, DEAD, follow_up=(lower, upper))
    treated = (upper - months) / (upper - lower)
    alive = integrate.quad(lambda end: np.exp(-0.05 * (end - months)), months, upper)[0] / (upper - lower)
    expected = stats.multinomial.logpmf([5, 55, 40], 100, [treated - alive, alive, 1 - treated])
    assert log_likelihood == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("window", [0.25, 0.61])
def test_a_window_between_tenths_of_a_month_closes_an_arm(window: float, fitted: Fitted) -> None:
    log_likelihood = fitted(exponential(rate=2), ARM, window=window)
    assert log_likelihood == pytest.approx(stats.binom.logpmf(60, 100, -np.expm1(-2 * window)), abs=1e-6)
    late = fitted(exponential(rate=2), ARM, window=window, follow_up=(window + 1, window + 2))
    assert late == pytest.approx(log_likelihood, abs=1e-6)


def test_a_window_after_the_last_follow_up_does_not_close_an_arm(fitted: Fitted) -> None:
    log_likelihood = fitted(exponential(rate=2), ARM, window=0.25, follow_up=(0.15, 0.22))
    share = integrate.quad(lambda end: -np.expm1(-2 * end), 0.15, 0.22)[0] / 0.07
    assert log_likelihood == pytest.approx(stats.binom.logpmf(60, 100, share), abs=0.01)
