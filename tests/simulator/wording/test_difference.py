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
        (Difference(0.01, math.nan, math.nan, 0.5), True),
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
        (
            Difference(0.0, -0.02, 0.03, 0.5),
            "as many (95 % interval 2.0 fewer to 3.0 more; fewer in 50 of 100 parameter sets)",
        ),
    ],
)
def test_a_difference_is_worded_with_its_interval(difference: Difference, words: str) -> None:
    assert str(difference) == words
