"""A planner's target for waits: what can be asked, when it is met, and what is refused."""

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.outcomes.target import read
from simulator.scenario.arrivals import DAYS_A_MONTH


@pytest.mark.parametrize(
    ("text", "outcome", "sign", "value", "printed"),
    [
        ("wait_over_30_days <= 5%", "wait_over_30_days", "<=", 0.05, "wait_over_30_days <= 5 %"),
        (" wait_over_14_days<=.5 % ", "wait_over_14_days", "<=", 0.005, "wait_over_14_days <= 0.5 %"),
        ("wait_median <= 7 days", "wait_median", "<=", 7 / DAYS_A_MONTH, "wait_median <= 7 days"),
        ("wait_mean <= 1.5months", "wait_mean", "<=", 1.5, "wait_mean <= 1.5 months"),
        ("utilisation >= 60%", "utilisation", ">=", 0.6, "utilisation >= 60 %"),
        ("in_use <= 3", "in_use", "<=", 3.0, "in_use <= 3"),
    ],
)
def test_a_target_is_an_outcome_a_sign_and_a_value(
    text: str, outcome: str, sign: str, value: float, printed: str
) -> None:
    target = read(text, "--target")
    assert (target.outcome, target.sign, str(target)) == (outcome, sign, printed)
    assert target.value == pytest.approx(value, rel=1e-12)
    assert read(str(target), "--target") == target


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no wait at all", "--target: not a target"),
        ("wait_over_30_days = 5%", "allowed: OUTCOME <= VALUE"),
        ("wait_over_30_dais <= 5%", "unknown outcome"),
        ("wait_over_0_days <= 5%", "unknown outcome"),
        ("wait_over_30_days <= 0.05", "allowed: 0 to 100 %, as 5%"),
        ("wait_over_30_days <= 120%", "not a value of wait_over_30_days"),
        ("lost_while_waiting <= 3 days", "not a value of lost_while_waiting"),
        ("wait_median <= 7", "allowed: days or months, as 7 days"),
        ("wait_median <= 7 weeks", "allowed: days or months, as 7 days"),
        ("in_use <= 80%", "allowed: a number"),
    ],
)
def test_what_is_no_target_is_refused_with_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        read(text, "--target")
    assert message in str(refused.value)


def test_a_target_is_met_at_its_value_and_where_nobody_requests_a_bed() -> None:
    values = np.array([0.04, 0.05, 0.05001, np.nan])
    assert read("wait_over_30_days <= 5%", "").is_met(values).tolist() == [True, True, False, True]
    assert read("utilisation >= 5%", "").is_met(values).tolist() == [False, True, True, True]
