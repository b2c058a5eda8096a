"""Follow-up that ends while fixed stays, or the window in which arms are joined, do: against closed forms."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.targets import load_targets

PATHWAY = """
title = "Treatment after a stay"
start = "ill"
group_window = WINDOW
survival_months = [1]
[clocks]
illness = "ill"
[states.ill]
kind = "sojourn"
transitions = [{ to = "treatment", time = STAY }]
[states.treatment]
kind = "sojourn"
transitions = [{ to = "dead", time = { family = "exponential", rate = 0.05 } }]
[states.dead]
kind = "death"
[groups.treated]
entered = "treatment"
[groups.untreated]
entered = "ill"
not_entered = "treatment"
"""
COHORT = """
title = "t"
citation = "c"
pathway = "own.toml"
clock = "illness"
n = 100
seed = 1
[arms]
treated = ["treated"]
untreated = ["untreated"]
all = ["treated", "untreated"]
"""
HEADER = "name,kind,population,state,attribute,month,count,n,value,standard_error,unit,place,use,note\n"
ARM, ENTERED = "patients,treated,,,,60,100", "entered,all,treatment,,,60,100"
DEAD = "deaths,treated,,,,5,60"
Fitted = Callable[..., float]


@pytest.fixture
def fitted(tmp_path: Path) -> Fitted:
    """Return the log-likelihood of rows "kind,population,state,attribute,month,count,n"."""

    def write(stay: str, *rows: str, follow_up: tuple[float, float] | None = None, window: float = 120.0) -> float:
        (tmp_path / "own.toml").write_text(PATHWAY.replace("STAY", stay).replace("WINDOW", str(window)))
        ends = "[follow_up]\nlower = {}\nupper = {}".format(*follow_up) if follow_up else ""
        (tmp_path / "cohort.toml").write_text(COHORT + ends)
        lines = [f"row_{i},{row},,,patients,made up,likelihood,\n" for i, row in enumerate(rows)]
        (tmp_path / "targets.csv").write_text(HEADER + "".join(lines))
        return float(Likelihood(load_targets(tmp_path))({})[0])

    return write


@pytest.mark.parametrize("row", [ARM, ENTERED])
@pytest.mark.parametrize("months", [0.5, 0.37])
def test_who_enters_after_a_fixed_stay_is_seen_to_if_followed_so_long(months: float, row: str, fitted: Fitted) -> None:
    found = fitted(f'{{ family = "fixed", months = {months} }}', row, follow_up=(0.2, 0.9))
    assert found == pytest.approx(stats.binom.logpmf(60, 100, (0.9 - months) / 0.7), abs=1e-6)


@pytest.mark.parametrize(("months", "lower", "upper"), [(1.0, 0.0, 6.0), (2.03, 2.0, 2.1), (0.03, 0.0, 0.5)])
def test_deaths_after_a_fixed_stay_are_of_those_who_were_seen_to_be_treated(
    months: float, lower: float, upper: float, fitted: Fitted
) -> None:
    found = fitted(f'{{ family = "fixed", months = {months} }}', ARM, DEAD, follow_up=(lower, upper))
    treated = (upper - months) / (upper - lower)
    alive = integrate.quad(lambda end: np.exp(-0.05 * (end - months)), months, upper)[0] / (upper - lower)
    expected = stats.multinomial.logpmf([5, 55, 40], 100, [treated - alive, alive, 1 - treated])
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("window", [0.25, 0.61])
def test_an_arm_is_closed_by_a_window_between_tenths_of_a_month(window: float, fitted: Fitted) -> None:
    found = fitted('{ family = "exponential", rate = 2 }', ARM, window=window)
    assert found == pytest.approx(stats.binom.logpmf(60, 100, -np.expm1(-2 * window)), abs=1e-6)
    late = fitted('{ family = "exponential", rate = 2 }', ARM, window=window, follow_up=(window + 1, window + 2))
    assert late == pytest.approx(found, abs=1e-6)


def test_an_arm_is_not_closed_by_a_window_after_the_last_follow_up(fitted: Fitted) -> None:
    found = fitted('{ family = "exponential", rate = 2 }', ARM, window=0.25, follow_up=(0.15, 0.22))
    share = integrate.quad(lambda end: -np.expm1(-2 * end), 0.15, 0.22)[0] / 0.07
    assert found == pytest.approx(stats.binom.logpmf(60, 100, share), abs=0.01)
