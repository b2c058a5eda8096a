"""What has come by any month, and its integral, on a coarse lattice without its curves: against closed forms."""

import numpy as np
import pytest
from sojourn_times import Table, exponential, fixed
from worlds import in_a_row, scenario

from simulator.arrays import Floats
from simulator.engines.exact import engine
from simulator.engines.exact.solution import Solution
from simulator.engines.model import resolve

MONTHS = np.array([0.0, 0.5, 1.03, 2.375, 7.9, 11.99, 12.0])


def solved(*times: Table) -> Solution:
    return engine.solve(resolve(scenario(in_a_row(*times, clocks={"illness": "s0"}))), 12.0, step=0.25)


def dead(solution: Solution) -> tuple[Floats, Floats]:
    """Return the share of patients dead by each month, and the integral of that from month 0."""
    flow = solution.flow(["dead"], "all")
    return solution.at(flow, MONTHS)[0], solution.up_to(flow, MONTHS)[0]


def test_deaths_after_two_exponential_times_by_any_month() -> None:
    by, since = dead(solved(exponential(rate=0.6), exponential(rate=0.6)))
    alive = np.exp(-0.6 * MONTHS)
    np.testing.assert_allclose(by, 1.0 - alive * (1.0 + 0.6 * MONTHS), atol=2e-5)
    np.testing.assert_allclose(since, MONTHS - (2.0 - alive * (2.0 + 0.6 * MONTHS)) / 0.6, atol=2e-5)


@pytest.mark.parametrize("month", [0.0, 2.25])
def test_everybody_dies_at_a_point_of_the_lattice(month: float) -> None:
    by, since = dead(solved(fixed(month)))
    np.testing.assert_allclose(by, month <= MONTHS, atol=1e-7)
    np.testing.assert_allclose(since, np.maximum(MONTHS - month, 0.0), atol=1e-6)


def test_few_months_are_read_without_curves_as_many_are_from_them() -> None:
    solution = solved(exponential(rate=0.6), exponential(rate=2.0))
    flow = solution.flow(["dead"], "all")
    one_by_one = [solution.at(flow, [month])[0, 0] for month in solution.months]
    since = [solution.up_to(flow, [month])[0, 0] for month in solution.months]
    np.testing.assert_allclose(one_by_one, solution.at(flow, solution.months)[0], atol=1e-8)
    np.testing.assert_allclose(since, solution.up_to(flow, solution.months)[0], atol=1e-7)
