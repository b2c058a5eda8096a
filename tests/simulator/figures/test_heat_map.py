"""A heat map shows differences that are larger than noise, 0 of a harm as the palest, and where today's practice is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.patches import Rectangle

from simulator.analyses.sweep.grid import make_grid, value_in
from simulator.analyses.sweep.run import Sweep, sweep
from simulator.figures.analyses import heat_map, sweep_text
from simulator.figures.analyses.sweep import pictures
from simulator.scenario.scenario import load_scenario

NO_NOISE = np.array([[np.nan, np.nan]])


def test_where_nobody_is_lost_the_map_of_losses_is_palest() -> None:
    low, high = heat_map.scale(np.zeros((2, 3)), NO_NOISE, from_zero=True)
    assert (low, high) == (0.0, heat_map.LEAST)


def test_differences_within_simulation_noise_do_not_fill_the_colours() -> None:
    # One replication: 18.7 to 23.3 of 100, with a Monte Carlo error of 2.5.
    low, high = heat_map.scale(np.array([[18.7, 23.3]]), np.array([[2.5, 2.0]]), from_zero=False)
    assert (low, high) == (pytest.approx(16.0), pytest.approx(26.0))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=9), st.floats(0, 10), st.booleans())
def test_a_scale_holds_every_value_and_four_errors(values: list[float], error: float, from_zero: bool) -> None:
    low, high = heat_map.scale(np.array([values]), np.array([[error]]), from_zero=from_zero)
    assert low <= min(values)
    assert high >= max(values) - 1e-9
    assert high - low >= max(heat_map.ERRORS * error, heat_map.LEAST) - 1e-9


def test_a_scenario_has_the_values_of_its_file_its_pathway_or_none() -> None:
    centre = load_scenario("two-more-beds")
    names = {"salvage_uptake": "0,1", "hsct_beds": "1,2", "arrivals_per_year": "5,10", "marginal_benefit": "0,1"}
    uptake, beds, arrivals, benefit = (value_in(centre, axis) for axis in make_grid(centre, names).axes)
    assert (uptake, benefit) == (0.88, 1.0)
    assert np.isnan(beds), "its beds change in month 24"
    assert centre.service is not None
    assert arrivals == centre.service.arrivals_per_year
    (axis,) = make_grid(centre, {"scale.salvage_uptake": "0.5,1"}).axes
    assert value_in(centre, axis) == 1.0


@pytest.fixture(scope="module")
def swept() -> Sweep:
    return sweep("wider-salvage", {"salvage_uptake": "0.4,0.5,0.9", "marginal_benefit": "0,1"}, draws=1, horizon=24.0)


def test_the_cells_of_the_policy_and_of_today_are_framed(swept: Sweep) -> None:
    words = {cell: words for words, cell in sweep_text.marks(swept)}
    assert words == {(2, 1): "nearest to wider-salvage (88 %, 100 %)", (1, 1): "nearest to today (49 %, 100 %)"}
    (axes,) = (axes for axes in pictures(swept)[0].figure.axes if axes.images)
    frames = [patch.get_xy() for patch in axes.patches if isinstance(patch, Rectangle)]
    assert frames == [pytest.approx((1.53, 0.53)), pytest.approx((0.53, 0.53))]


@pytest.mark.slow
def test_a_cell_outside_the_grid_is_not_framed() -> None:
    grid = sweep("wider-salvage", {"salvage_uptake": "0.6,0.7", "marginal_benefit": "0,1"}, draws=1, horizon=24.0)
    assert sweep_text.marks(grid) == []
    one = sweep("baseline", {"salvage_uptake": "0.4,0.6", "marginal_benefit": "0,1"}, draws=1, horizon=24.0)
    assert len(sweep_text.marks(one)) == 1
