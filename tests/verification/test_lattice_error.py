"""The error that a run of the exact engine states is one that no parameter set of it exceeds."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import special

from simulator.engines.exact import engine
from simulator.engines.model import resolve
from simulator.evidence.draws import load_draws, values
from simulator.experiment.lattice_error import measured
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario, load_scenario

Tell = Callable[..., Pathway]

TWO_GAMMAS = """
title = "two sojourns, one after the other"
start = "first"
[parameters.shape]
value = 0.5
unit = "number"
meaning = "shape of either sojourn"
source = "assumption"
[states.first]
kind = "sojourn"
transitions = [{ to = "second", time = { family = "gamma", shape = "shape", scale = 4 } }]
[states.second]
kind = "sojourn"
transitions = [{ to = "dead", time = { family = "gamma", shape = "shape", scale = 4 } }]
[states.dead]
kind = "death"
"""


def test_the_error_that_is_stated_is_that_of_the_hardest_parameter_set(tell: Tell) -> None:
    """Two gamma times of one scale are a gamma time of twice the shape; the steepest is neither first nor last."""
    scenario = Scenario("two_gammas", tell(TWO_GAMMAS))
    shapes = np.full(40, 2.0)
    shapes[17], shapes[31] = 0.3, 0.5
    table = pd.DataFrame({"shape": shapes})
    solution = engine.solve(resolve(scenario, values(table, slice(None))), 120.0)
    alive = special.gammaincc(2.0 * shapes[:, None], solution.months / 4.0)
    wrong = np.abs(solution.survival() - alive).max(axis=1)
    stated = measured([scenario], table, 120.0, len(table))["survival_error"]
    assert wrong.argmax() == 17
    assert wrong.max() <= stated["largest"] <= 1.5 * wrong.max()
    assert stated["median"] < 0.1 * stated["largest"]


def test_no_parameter_set_of_a_shipped_policy_is_further_off_than_a_run_states() -> None:
    scenario = load_scenario("hsct-for-all-responders")
    table = load_draws(scenario.pathway)
    stated = measured([scenario], table, 120.0, 120)
    _, alive, there = engine.lattice_error(resolve(scenario, values(table, slice(3, 120, 9))), 120.0)
    assert alive.max() <= stated["survival_error"]["largest"]
    assert there.max() <= stated["occupancy_error"]["largest"]
