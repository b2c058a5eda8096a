"""Paths of survival: where they fall below a level, and what a mixture of patients makes of them."""

import numpy as np
import pytest

from simulator.engines.lifetimes import average, least_below, least_of_path, path_of_cell, place_below

STEP = (np.array([0.0, 2.0, 2.0, 5.0]), np.array([1.0, 1.0, 0.4, 0.4]))
LINE = (np.array([0.0, 4.0]), np.array([1.0, 0.0]))


def test_a_step_falls_below_a_level_where_it_stands_and_a_line_where_it_crosses() -> None:
    assert least_of_path(STEP, 0.5) == 2.0
    assert least_of_path(LINE, 0.5) == pytest.approx(2.0)
    assert least_of_path(LINE, 0.25) == pytest.approx(3.0)


def test_a_path_that_is_nowhere_below_a_level_gives_its_end() -> None:
    assert least_of_path(STEP, 0.3) == 5.0
    assert place_below(STEP[1][None], np.array([0.3])).item() == STEP[1].size


def test_a_mixture_has_the_steps_of_one_and_the_slope_of_the_other() -> None:
    times, alive = average([STEP, LINE], [0.5, 0.5])
    assert list(times) == [0.0, 0.0, 2.0, 2.0, 4.0, 4.0, 5.0, 5.0]
    np.testing.assert_allclose(alive, [1.0, 1.0, 0.75, 0.45, 0.2, 0.2, 0.2, 0.2])
    assert least_of_path((times, alive), 0.5) == 2.0
    assert least_of_path((times, alive), 0.9) == pytest.approx(0.8)


def test_a_median_within_a_cell_lies_on_the_line_that_deaths_follow() -> None:
    """Deaths 2 u in a cell from month 3 to month 4: S = 1 - u^2, its mean 2/3; half are dead at u = sqrt(1/2)."""
    times, survival, means = np.array([3.0, 4.0]), np.array([[1.0, 0.0]]), np.array([[2.0 / 3.0]])
    for level in (0.9, 0.5, 0.01):
        crossed = least_below(times, survival, means, np.array([level]), np.array([1]))
        assert crossed.item() == pytest.approx(3.0 + np.sqrt(1.0 - level), abs=1e-12)
    evenly = least_below(times, survival, np.array([[0.5]]), np.array([0.25]), np.array([1]))
    assert evenly.item() == pytest.approx(3.75, abs=1e-12)


def test_the_path_of_a_cell_has_its_ends_and_its_mean() -> None:
    months, alive = path_of_cell(np.array([3.0, 4.0]), np.array([0.8, 0.5]), 0.69)
    assert (months[0], months[-1], alive[0], alive[-1]) == pytest.approx((3.0, 4.0, 0.8, 0.5))
    assert np.trapezoid(alive, months) == pytest.approx(0.69, abs=0.001)
