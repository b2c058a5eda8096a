"""One rounding for every place that shows a number."""

import math

import pytest

from simulator.wording import reported
from simulator.wording.rounding import NONE, decimals, interval, number


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.2634, "probability", "26"),
        (0.0634, "probability", "6.3"),
        (0.09996, "probability", "10"),
        (0.09994, "probability", "10"),
        (0.0004, "probability", "0"),
        (-0.0004, "probability", "0"),
        (15.31, "months", "15.3"),
        (8.545, "months", "8.5"),
        (0.04, "months", "0"),
        (12.4, "days", "12"),
        (3.25, "days", "3.2"),
        (0.25, "patients", "0.25"),
        (1.254, "patients", "1.3"),
        (1.0, "patients", "1.0"),
        (12.54, "HSCTs per 100 relapses", "13"),
        (math.nan, "months", NONE),
        (math.inf, "months", NONE),
    ],
)
def test_a_number_is_shown_by_its_unit_and_its_size(value: float, unit: str, text: str) -> None:
    assert number(value, unit) == text


def test_positive_numbers_can_have_a_sign_and_zero_has_none() -> None:
    texts = [number(value, "probability", sign="+") for value in (0.26, -0.26, 0.0001, -0.0001)]
    assert texts == ["+26", "\N{MINUS SIGN}26", "0", "0"]


@pytest.mark.parametrize("unit", ["probability", "days", "patients"])
@pytest.mark.parametrize("size", [9.94, 9.95, 9.96, 9.994, 9.996, 10.0, 0.994, 0.995, 0.996])
def test_decimals_are_those_of_the_number_as_shown(unit: str, size: float) -> None:
    """9.96 is shown as 10, never as 10.0."""
    value = size / 100.0 if unit == "probability" else size
    text = number(value, unit)
    assert decimals(float(text) / (100.0 if unit == "probability" else 1.0), unit) == len(text.partition(".")[2])


def test_the_ends_of_an_interval_have_the_decimals_of_its_estimate() -> None:
    assert interval(0.061, 0.188, "probability", 0.13) == ("6", "19")
    assert interval(0.012, 0.188, "probability", 0.06) == ("1.2", "18.8")
    assert interval(-0.02, 0.05, "probability", 0.02) == ("\N{MINUS SIGN}2.0", "5.0")


def test_an_interval_without_visible_width_is_not_shown() -> None:
    assert interval(0.2601, 0.2602, "probability", 0.26) is None
    assert interval(math.nan, math.nan, "probability", 0.26) is None
    assert interval(9.06, math.nan, "months", 12.0) == ("9.1", NONE)


@pytest.mark.parametrize(
    ("count", "n", "value", "error", "unit", "text"),
    [
        (5.0, 8.0, math.nan, math.nan, "%", "63 % (5 of 8)"),
        (5.0, 8.0, 63.0, 17.0, "%", "63 ± 17 % (5 of 8)"),
        (17.0, 40.0, math.nan, math.nan, "patients", "17 of 40"),
        (math.nan, 40.0, 10.3, math.nan, "months", "10.3 months (n = 40)"),
        (math.nan, math.nan, 45.2, math.nan, "%", "45.2 %"),
    ],
)
def test_a_reported_figure_is_shown_as_printed_with_its_known_patients(
    count: float, n: float, value: float, error: float, unit: str, text: str
) -> None:
    """A percentage with an error needs no n; a paper that prints a count only would round 62.5 % upwards."""
    figure = {"count": count, "n": n, "reported": 62.5, "unit": unit}
    assert reported.reported(figure, {"value": value, "standard_error": error}) == text
