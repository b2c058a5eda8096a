"""The error that a run of the exact engine states is one that no parameter set of it exceeds."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy import special
from sojourn_times import exponential, gamma
from worlds import in_a_row, parameter, scenario, to_and_fro

from simulator.engines.exact import engine
from simulator.engines.model import resolve
from simulator.evidence.draws import load_draws, values
from simulator.experiment.lattice_error import measured
from simulator.scenario.scenario import load_scenario

TIME = gamma(shape="shape", scale=4)
TWO_GAMMAS = in_a_row(TIME, TIME, parameters={"shape": parameter("number", 0.5)})


def test_the_error_that_is_stated_is_that_of_the_hardest_parameter_set() -> None:
    """Two gamma times of one scale are a gamma time of twice the shape; the steepest is neither first nor last."""
    steep = scenario(TWO_GAMMAS)
    shapes = np.full(40, 2.0)
    shapes[17], shapes[31] = 0.3, 0.5
    table = pd.DataFrame({"shape": shapes})
    solution = engine.solve(resolve(steep, values(table, slice(None))), 120.0)
    alive = special.gammaincc(2.0 * shapes[:, None], solution.months / 4.0)
    wrong = np.abs(solution.survival() - alive).max(axis=1)
    stated = measured([steep], table, 120.0, len(table))["survival_error"]
    assert wrong.argmax() == 17
    assert wrong.max() <= stated["largest"] <= 1.5 * wrong.max()
    assert stated["median"] < 0.1 * stated["largest"]


@pytest.mark.slow
def test_no_parameter_set_of_a_shipped_policy_is_off_twice_as_far_as_a_run_states_of_the_hardest() -> None:
    policy = load_scenario("hsct-for-all-responders")
    table = load_draws(policy.pathway)
    stated = measured([policy], table, 120.0, 60)
    others = measured([policy], table.iloc[3:60:6], 120.0, 10)
    for what in ("survival_error", "occupancy_error", "end_point_error"):
        assert others[what]["largest"] <= 2.0 * stated[what]["largest"], what
        assert max(others[what]["largest"], stated[what]["largest"]) < 1e-4, what


def test_groups_whose_window_ends_after_the_quarter_of_a_run_are_left_out_where_patients_come_back() -> None:
    tables = {"groups": {"away": "b"}, "group_window": 50, "parameters": {"mean": parameter("months", 5.0)}}
    again = to_and_fro(exponential(mean="mean"), exponential(mean=2), exponential(mean=30), **tables)
    table = pd.DataFrame({"mean": [4.0, 5.0, 6.0, 7.0, 8.0]})
    stated = measured([scenario(again)], table, 60.0, len(table))
    assert 0.0 < stated["survival_error"]["largest"] < 1e-4


def test_over_thousands_of_months_the_error_is_measured_on_the_first_ones() -> None:
    table = pd.DataFrame({"shape": [0.5, 2.0, 3.0, 4.0]})
    long, short = (measured([scenario(TWO_GAMMAS)], table, horizon, len(table)) for horizon in (2_400.0, 600.0))
    assert long["measured_by"].startswith("a lattice four times as fine, to month 1200; a third")
    assert long["survival_error"]["largest"] == pytest.approx(short["survival_error"]["largest"], rel=0.05)


@pytest.mark.slow
def test_over_thousands_of_months_the_error_of_a_shipped_policy_is_measured_within_a_gigabyte() -> None:
    """Four times as many cells of all nine parameter sets would take 20 GB over 12,000 months."""
    baseline = load_scenario("baseline")
    table = load_draws(baseline.pathway)
    tracemalloc.start()
    long = measured([baseline], table, 2_400.0, 2)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**30
    assert long["survival_error"]["largest"] == pytest.approx(
        measured([baseline], table, 600.0, 2)["survival_error"]["largest"], rel=0.05
    )
