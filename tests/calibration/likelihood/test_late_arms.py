"""Patients may join an arm after their last follow-up: every row counts only those who joined before it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_cohort import TREATED_OR_NOT, write_cohort
from scipy import integrate, optimize, stats
from simulated_cells import check_shares, in_cells
from sojourn_times import exponential
from worlds import sojourn, world

from calibration.likelihood.likelihood import STEP, Likelihood
from calibration.likelihood.targets import Targets, with_rows
from calibration.predictive import simulated
from calibration.reported.kinds.events import ToEvent
from calibration.validation.simulated_targets import simulated_targets
from simulator.engines.exact import engine as exact
from simulator.engines.exact.solution import Solution
from simulator.engines.model import Model, resolve
from simulator.errors import InputError

TREATED, UNTREATED, DIES_TREATED = 0.15, 0.1, 0.05
"""Hazards a month: of treatment, of death before it, and of death after it."""
WAITING = TREATED + UNTREATED

STATES = {
    "ill": sojourn(treatment=exponential(rate=TREATED), dead=exponential(rate=UNTREATED)),
    "treatment": sojourn(dead=exponential(rate=DIES_TREATED)),
}
"""Treatment that comes late."""
GROUPS = {"treated": "treatment", "untreated": ("ill", "treatment")}
LateArms = Callable[..., Targets]


@pytest.fixture
def late_arms(tmp_path: Path) -> LateArms:
    return partial(write, tmp_path)


def write(
    folder: Path, *rows: str, n: int = 100, window: float = 120.0, follow_up: tuple[float, float] | None = (2.0, 3.0)
) -> Targets:
    late = world("ill", STATES, group_window=window, clocks={"illness": "ill"}, groups=GROUPS)
    ends = {"follow_up": {"lower": follow_up[0], "upper": follow_up[1]}} if follow_up else {}
    return write_cohort(folder, late, rows, clock="illness", n=n, seed=5, arms=TREATED_OR_NOT, **ends)


def treated_by(month: float) -> float:
    return float(TREATED / WAITING * -np.expm1(-WAITING * month))


def treated_alive(month: float) -> float:
    """Chance to be treated and alive at a month: the convolution of the two exponential stays."""
    decays = np.exp(-DIES_TREATED * month) - np.exp(-WAITING * month)
    return float(TREATED * decays / (WAITING - DIES_TREATED))


def at_follow_up(chance: Callable[[float], float], lower: float, upper: float) -> float:
    return float(integrate.quad(chance, lower, upper)[0] / (upper - lower))


SIXTY = "treated,patients,treated,,,,60,100,,,patients,made up,likelihood,"


def test_an_arm_counts_patients_who_joined_before_their_last_follow_up(late_arms: LateArms) -> None:
    (log_likelihood,) = Likelihood(late_arms(SIXTY))({})
    assert log_likelihood == pytest.approx(stats.binom.logpmf(60, 100, at_follow_up(treated_by, 2, 3)), abs=0.01)


def test_the_window_closes_an_arm_if_follow_up_is_longer(late_arms: LateArms) -> None:
    for follow_up in (None, (6.0, 9.0)):
        (log_likelihood,) = Likelihood(late_arms(SIXTY, window=4.0, follow_up=follow_up))({})
        assert log_likelihood == pytest.approx(stats.binom.logpmf(60, 100, treated_by(4.0)), abs=0.01)


def test_deaths_in_an_arm_that_may_be_joined_late_have_their_closed_form(late_arms: LateArms) -> None:
    targets = late_arms(SIXTY, "dead,deaths,treated,,,,20,60,,,patients,made up,likelihood,", follow_up=(2.0, 12.0))
    joined, alive = at_follow_up(treated_by, 2, 12), at_follow_up(treated_alive, 2, 12)
    expected = stats.multinomial.logpmf([20, 40, 40], 100, [joined - alive, alive, 1 - joined])
    assert Likelihood(targets)({})[0] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("use", ["likelihood", "predictive"])
def test_simulated_cohorts_count_an_arm_as_the_likelihood_does(late_arms: LateArms, use: str) -> None:
    """20,000 patients: 31 % have joined by their follow-up, 60 % ever would. A false alarm in 1e6 tests."""
    targets = late_arms(SIXTY.replace("60,100", "60,20000").replace("likelihood", use), n=20_000)
    cohort = simulated(targets, {}, number=1)
    treated = int(cohort.members("treated").sum())
    assert stats.binomtest(treated, 20_000, at_follow_up(treated_by, 2, 3)).pvalue > 1e-6
    assert cohort.figure(targets.figures[0]) == treated
    assert simulated_targets(cohort).cohort.targets["count"].iloc[0] == treated


@pytest.mark.representatives(3)
@pytest.mark.parametrize("window", [4.0, 120.0])
@pytest.mark.parametrize("follow_up", [None, (2.0, 12.0), (1.0, 3.0)])
def test_simulated_patients_fill_the_cells_of_late_arms_as_the_likelihood_says(
    late_arms: LateArms, window: float, follow_up: tuple[float, float] | None
) -> None:
    """40,000 patients, 6 cells: a right likelihood fails in one of a million such tests."""
    n, arms = 40_000, ("treated", "untreated")
    rows = [f"{arm},patients,{arm},,,,20000,{n},,,patients,made up,likelihood," for arm in arms]
    rows += [f"alive_{arm},survivors,{arm},,,1,15000,20000,,,patients,made up,likelihood," for arm in arms]
    rows += [f"dead_{arm},deaths,{arm},,,,10000,20000,,,patients,made up,likelihood," for arm in arms]
    targets = late_arms(*rows, n=n, window=window, follow_up=follow_up)
    likelihood = Likelihood(targets)
    counts = in_cells(simulated(targets, {}, number=1))
    assert counts.sum() == n
    shares = likelihood.cell_probabilities(likelihood.followed(resolve(targets.scenario)))[0]
    check_shares(counts, np.full_like(counts, n), shares)


@pytest.mark.parametrize("month", [1.5, 8.0])
def test_a_percentage_of_a_late_arm_is_a_kaplan_meier_estimate(late_arms: LateArms, month: float) -> None:
    """60,000 patients; within 5 standard errors of the estimate, and 0.001 of the lattice."""
    row = f"alive,survival,treated,,,{month},,,80,5,%,made up,likelihood,"
    targets = late_arms(row, n=60_000, follow_up=(2.0, 12.0))
    likelihood = Likelihood(targets)
    cohort = simulated(targets, {}, number=1)
    (figure,) = targets.figures
    assert isinstance(figure, ToEvent)
    curve = figure.kaplan_meier(cohort, cohort.members("treated"))
    (survival,) = likelihood.survival(likelihood.followed(resolve(targets.scenario)), "treated", month)
    assert survival == pytest.approx(curve.at(month), abs=5 * curve.standard_error(month) + 1e-3)


def test_a_median_with_patients_lost_to_follow_up_is_a_kaplan_meier_median(late_arms: LateArms) -> None:
    """20,000 patients; fewer than half have observed deaths: within 5 standard errors of the true median."""
    row = "median,median_survival,all,,,,,,7,,months,made up,predictive,"
    cohort = simulated(late_arms(row, n=20_000, follow_up=(2.0, 12.0)), {}, number=1)

    def alive(month: float) -> float:
        return float(np.exp(-WAITING * month)) + treated_alive(month)

    median = optimize.brentq(lambda month: alive(month) - 0.5, 0.1, 12.0)
    (figure,) = cohort.targets.figures
    assert isinstance(figure, ToEvent)
    curve = figure.kaplan_meier(cohort, np.ones(20_000, dtype=bool))
    slope = (alive(median - 0.01) - alive(median + 0.01)) / 0.02
    assert np.isfinite(cohort.died).mean() < 0.5
    assert cohort.figure(figure) == pytest.approx(median, abs=5 * float(curve.standard_error(median)) / slope)


def test_patients_treated_after_the_window_are_not_of_the_treated_arm(late_arms: LateArms) -> None:
    """Whoever enters treatment within 4 months is of the arm: 40 of the 60 who ever did, not fewer than by month 3."""
    forty = SIXTY.replace("60,100", "40,100")
    ever, by_3 = (f"entered,entered,all,treatment,,{month},60,100,,,patients,made up,likelihood," for month in ("", 3))
    targets = late_arms(forty, ever, window=4.0, follow_up=(6.0, 9.0))
    by_4, by_end = treated_by(4), at_follow_up(treated_by, 6, 9)
    expected = stats.multinomial.logpmf([40, 20, 40], 100, [by_4, by_end - by_4, 1 - by_end])
    assert Likelihood(targets)({})[0] == pytest.approx(expected, abs=0.01)
    (log_likelihood,) = Likelihood(late_arms(SIXTY, ever, window=12.0, follow_up=(6.0, 9.0)))({})
    assert log_likelihood == pytest.approx(stats.binom.logpmf(60, 100, by_end), abs=0.01)
    for row, window in ((ever, 12.0), (by_3, 4.0)):
        with pytest.raises(InputError, match="two rows contradict one another"):
            late_arms(forty, row, window=window, follow_up=(6.0, 9.0))


def test_arms_are_solved_to_the_end_of_their_window_only_if_patients_may_join_after_the_last_row(
    late_arms: LateArms, new_cohort: Callable[..., Targets], monkeypatch: pytest.MonkeyPatch
) -> None:
    solve, horizons = exact.solve, list[float]()

    def solved(model: Model, horizon: float, **more: Any) -> Solution:
        solution = solve(model, horizon, **more)
        horizons.append(solution.lattice.n * solution.lattice.step)
        return solution

    assigned = new_cohort(20, "treated,patients,treated,,,,7,20,")
    assigned = with_rows(replace(assigned, cohort=replace(assigned.cohort, follow_up=None)), assigned.cohort.targets)
    cohorts = [late_arms(SIXTY, follow_up=None), late_arms(SIXTY), assigned]
    monkeypatch.setattr("calibration.likelihood.likelihood.engine.solve", solved)
    for targets in cohorts:
        Likelihood(targets)({})
    joined_for_ever, followed_up_for_three_months, assigned_at_once = horizons
    assert joined_for_ever >= 120.0
    # A lattice has 64 cells or more.
    assert followed_up_for_three_months == assigned_at_once == 64 * STEP
