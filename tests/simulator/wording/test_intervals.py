"""Estimates with their intervals, as tables have them."""

from math import inf, nan

import pytest

from simulator.wording import intervals


@pytest.mark.parametrize(
    ("estimate", "lower", "upper", "displayed"),
    [
        (0.4, 0.25, 2.36, "40 (25 to more than all)"),
        (0.4, 0.25, inf, "40 (25 to more than all)"),
        (0.2, -0.1, 0.3, "20 (0 to 30)"),
        (0.23, 0.18, 0.32, "23 (18 to 32)"),
        (0.23, nan, nan, "23"),
    ],
)
def test_the_share_that_must_benefit_lies_between_none_and_all(
    estimate: float, lower: float, upper: float, displayed: str
) -> None:
    """As a sentence has it: no more patients than there are can benefit."""
    row = {"estimate": estimate, "lower": lower, "upper": upper, "unit": "probability"}
    assert str(intervals.estimate({**row, "outcome": "break_even_for_5_more_at_12"})) == displayed
    assert "all" not in str(intervals.estimate({**row, "outcome": "os_12"}))
