"""A parameter outside its unit is refused, with the value that is furthest out and what may be written instead."""

import re

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.pathway.units import check_unit


@pytest.mark.parametrize(
    ("value", "unit", "message"),
    [
        (60.0, "probability", "got 60.0; allowed: 0 to 1 (60 %? write 0.6)"),
        (np.array([[0.2], [1.3], [-0.1]]), "probability", "got 1.3; allowed: 0 to 1 (try [odds_ratio])"),
        (-1.0, "months", "got -1.0; allowed: a finite number, 0 or more"),
        (np.inf, "months", "got inf; allowed: a finite number, 0 or more"),
        (np.nan, "number", "got nan; allowed: a finite number"),
    ],
)
def test_a_value_outside_its_unit_is_refused(value: float, unit: str, message: str) -> None:
    advice = "try [odds_ratio]" if np.ndim(value) else ""
    with pytest.raises(InputError, match=re.escape(f"here: value outside its unit ({unit}); {message}") + "$"):
        check_unit(value, unit, "here", advice)


@pytest.mark.parametrize(
    ("value", "unit"), [(0.0, "probability"), (1.0, "probability"), (0.0, "months"), (-3.0, "number")]
)
def test_the_ends_of_a_unit_are_allowed(value: float, unit: str) -> None:
    check_unit(value, unit, "here")
