"""Scores against their definitions and closed forms, and naive forecasts against binomials."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from calibration.likelihood.targets import Targets, load_targets
from calibration.reported.kinds.kind import Kind
from calibration.validation import scores
from simulator.arrays import Floats

LETTER = 13 / 18
"""Of the treated, who are alive at 12 months, and who had a complete response."""


def by_definition(values: Floats, weights: Floats, reported: float) -> float:
    """E|X - y| - E|X - X'| / 2 (Gneiting & Raftery 2007, eq. 21), by a double sum."""
    spread = weights @ np.abs(values[:, None] - values[None, :]) @ weights
    return float(weights @ np.abs(values - reported) - spread / 2)


@pytest.mark.parametrize("reported", [0.0, 31.0, 52.0, 100.0])
@pytest.mark.parametrize(("n", "share"), [(1, 0.5), (18, 0.72), (57, 0.02)])
def test_the_crps_of_a_binomial_is_its_definition(n: int, share: float, reported: float) -> None:
    values, chances = 100.0 * np.arange(n + 1) / n, stats.binom.pmf(np.arange(n + 1), n, share)
    assert scores.crps(values, chances, reported) == pytest.approx(by_definition(values, chances, reported), abs=1e-9)


def test_the_order_of_simulated_cohorts_does_not_change_the_crps() -> None:
    rng = np.random.default_rng(1)
    values, alike = rng.integers(0, 9, 50).astype(float), np.full(50, 0.02)
    assert scores.crps(values, alike, 4.0) == pytest.approx(by_definition(values, alike, 4.0))
    assert scores.crps(rng.permutation(values), alike, 4.0) == pytest.approx(scores.crps(values, alike, 4.0))


@pytest.mark.parametrize("reported", [0.2, 0.52])
def test_the_crps_of_the_flat_forecast_is_that_of_a_uniform_percentage(reported: float) -> None:
    n = 10_000
    uniform = (reported**3 + (1 - reported) ** 3) / 3
    assert scores.crps(np.arange(n + 1) / n, scores.flat(n), reported) == pytest.approx(uniform, abs=1e-4)


def test_the_log_score_of_many_simulated_cohorts_is_that_of_their_binomial() -> None:
    n, cohorts = 18, 400_000
    law = stats.binom(n, 0.72)
    chances = scores.of_shares(law.rvs(cohorts, random_state=2) / n, n)
    assert chances.sum() == pytest.approx(1.0)
    for count in range(8, 18):
        error = 5 * np.sqrt(law.pmf(count) / cohorts) / law.pmf(count)
        assert scores.log_score(chances, count / n) == pytest.approx(-law.logpmf(count), abs=error + 1e-4)


def test_no_count_is_impossible_after_few_simulated_cohorts() -> None:
    chances = scores.of_shares(np.full(10, 0.5), 4)
    assert scores.log_score(chances, 0.0) == pytest.approx(-np.log(0.5 / 12.5))
    assert scores.log_score(np.array([0.0, 1.0]), 0.0) == np.inf
    assert scores.log_score(scores.flat(57), 0.52) == pytest.approx(np.log(58))


@pytest.mark.parametrize(
    ("cohort", "figure", "n", "expected"),
    [
        ("schultz2023", "survivors_12", 57, (50, LETTER)),
        ("wudhikarn2021", "survivors_12", 38, (30, LETTER)),
        ("wudhikarn2021", "complete_response", 30, (30, LETTER)),
        ("li2023", "survivors_12", 5, (5, LETTER)),
    ],
)
def test_the_letter_carried_over_is_binomial_in_the_treated(
    cohort: str, figure: str, n: int, expected: tuple[int, float]
) -> None:
    """None of the letter's 19 untreated is alive at 12 months, so that only treated patients are."""
    targets = load_targets(cohort)
    treated, share = expected
    chances = scores.carried_over(targets, figure_of(targets, figure), n)
    assert chances is not None
    np.testing.assert_allclose(chances, stats.binom.pmf(np.arange(n + 1), treated, share), atol=1e-12)


def test_nothing_is_carried_over_that_the_letter_does_not_report_by_treatment() -> None:
    targets = load_targets("friedes2023")
    survivors = figure_of(targets, "survivors_24")
    assert scores.carried_over(targets, survivors, 85) is None
    assert scores.carried_over(targets, replace(survivors, month=12.0), 85) is None


def figure_of(targets: Targets, name: str) -> Kind:
    (figure,) = (figure for figure in targets.figures if figure.name == name)
    return figure


def test_months_have_a_crps_up_to_the_last_month_of_the_outcomes() -> None:
    targets = load_targets("lamble2023")
    row = figure_of(targets, "median_survival")
    row_scores = scores.of_figure(targets, row, 166, "months", np.array([10.0, np.inf]), 12.0)
    assert row_scores["crps"] == pytest.approx(by_definition(np.array([10.0, 60.0]), np.full(2, 0.5), 12.0))
    assert sum(np.isfinite(value) for value in row_scores.values()) == 1
