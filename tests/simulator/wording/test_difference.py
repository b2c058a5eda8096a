"""A difference is called clear where its interval leaves 0 out, or nine of ten parameter sets agree on its sign."""

import math

import pytest

from simulator.wording.difference import Difference


@pytest.mark.parametrize(
    ("difference", "is_clear"),
    [
        (Difference(0.26, 0.12, 0.38, 1.0), True),
        (Difference(0.01, -0.02, 0.04, 0.9), True),
        (Difference(0.01, -0.02, 0.04, 0.89), False),
        (Difference(-0.01, -0.04, 0.0, 0.6), False),
        (Difference(0.01), True),
        (Difference(0.01, math.nan, math.nan, 0.5), False),
        (Difference(0.01, math.nan, math.nan, 1.0), True),
        (Difference(0.01, -0.02, 0.04), False),
        (Difference(0.01, 0.002, 0.04), True),
    ],
)
def test_a_difference_is_clear(difference: Difference, is_clear: bool) -> None:
    assert difference.is_clear is is_clear


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (Difference(0.26, 0.12, 0.38, 1.0), "26 more (95 % interval 12 to 38)"),
        (Difference(-0.26, -0.38, -0.12, 1.0), "26 fewer (95 % interval 12 to 38)"),
        (Difference(0.0, 0.0, 0.0, 1.0), "as many"),
        (Difference(0.021), "2.1 more"),
        (Difference(0.01, -0.02, 0.04), "1.0 more (95 % interval 2.0 fewer to 4.0 more)"),
        (Difference(0.01, math.nan, math.nan, 0.56), "1.0 more (more in 56 of 100 parameter sets)"),
        (
            Difference(0.22, -0.02, 0.45, 0.94),
            "22 more (95 % interval 2 fewer to 45 more; more in 94 of 100 parameter sets)",
        ),
        (
            Difference(0.0, -0.02, 0.03, 0.5),
            "as many (95 % interval 2.0 fewer to 3.0 more; fewer in 50 of 100 parameter sets)",
        ),
        (
            Difference(-0.026, -0.1, 0.033, 0.84),
            "2.6 fewer (95 % interval 10.0 fewer to 3.3 more; fewer in 84 of 100 parameter sets)",
        ),
    ],
)
def test_a_difference_is_worded_with_its_interval(difference: Difference, words: str) -> None:
    assert difference.words == words
    led, rest = ("", words) if difference.is_clear else ("no clear difference (", words.replace(" (", "; ") + ")")
    assert str(difference) == f"{led}{rest}".replace("))", ")")


def test_a_mean_with_the_sign_of_few_parameter_sets_is_said_to_be_a_mean() -> None:
    """0.3 fewer, though most sets have more: a few with many fewer decide."""
    assert str(Difference(-0.003, -0.046, 0.025, 0.46)) == (
        "no clear difference (0.3 fewer; 95 % interval 4.6 fewer to 2.5 more; fewer on average, but in only 46 of 100 "
        "parameter sets)"
    )
