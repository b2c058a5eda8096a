"""Guarantee time: the naive difference is led by whether it is clear, next to its interval and who agrees on its sign.

The rows are made up.
"""

from __future__ import annotations

import math

import pandas as pd
import pytest

from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime, paired_groups
from simulator.analyses.virtual_cohorts.settings import Settings
from simulator.scenario.scenario import load_scenario
from simulator.wording.virtual_cohorts import immortal_time, immortal_time_title

CLEAR = {"difference": 0.22, "difference_lower": -0.02, "difference_upper": 0.45, "difference_same_sign": 0.94}
UNCLEAR = {"difference": 0.01, "difference_lower": -0.2, "difference_upper": 0.22, "difference_same_sign": 0.55}


def result(scenario: str, reported: float | None = None, **difference: float) -> ImmortalTime:
    loaded = load_scenario(scenario)
    row = {"entered": 0.45, "other": 0.44, "cohort_same_sign": 0.52, "as_large_as_reported": 0.2, "cohorts": 101}
    groups, table = paired_groups(loaded.pathway), pd.DataFrame([{**row, **difference}])
    return ImmortalTime(loaded, Settings(n=37), 50, None, groups, None, (), reported, table, pd.DataFrame())


@pytest.mark.parametrize("scenario", ["baseline", "hsct-as-milestone"])
def test_a_naive_difference_that_half_of_the_parameter_sets_share_is_called_no_clear_difference(scenario: str) -> None:
    made_up = result(scenario, **UNCLEAR)
    where = "where HSCT after relapse changes nothing" if scenario != "baseline" else "under baseline"
    assert immortal_time(made_up) == (
        f"No clear difference: {where}, 45 of 100 patients with HSCT after relapse are alive at 12 months and 44 of "
        "100 with other treatment: 1.0 more (95 % interval 20.0 fewer to 22.0 more; more in 55 of 100 parameter sets). "
        "Of 100 cohorts of 37, 52 agree on the sign."
    )
    title = immortal_time_title(made_up)
    assert ", no clear difference, 1.0 more of 100 are alive at 12 months with HSCT after relapse (95 % " in title
    assert title.endswith("; more in 55 of 100 parameter sets)")
    assert "yet" not in title


def test_a_clear_difference_shows_how_many_parameter_sets_agree_if_its_interval_contains_0() -> None:
    text = immortal_time(result("hsct-as-milestone", 0.175, **CLEAR))
    details = "22 more (95 % interval 2 fewer to 45 more; more in 94 of 100 parameter sets)"
    assert text.startswith("Where HSCT after relapse changes nothing, ")
    assert f": {details}, yet HSCT after relapse saved none of them. " in text
    assert text.endswith(
        " Of 100 cohorts of 37, 52 agree on the sign, and 20 show the reported difference of 17.5 percentage points or "
        "more (Monte Carlo error 4.0)."
    )
    assert "no clear" not in immortal_time_title(result("baseline", **CLEAR))


def test_the_title_says_that_hsct_does_nothing_and_how_many_more_seem_to_live() -> None:
    better = {"difference": 0.18, "difference_lower": 0.08, "difference_upper": 0.27, "difference_same_sign": 1.0}
    assert immortal_time_title(result("hsct-as-milestone", **better)) == (
        "HSCT after relapse does nothing in this model, yet, compared naively, 18 more of 100 are alive at 12 "
        "months with HSCT after relapse (95 % interval 8 to 27)"
    )
    worse = {"difference": -0.18, "difference_lower": -0.27, "difference_upper": -0.08, "difference_same_sign": 1.0}
    assert immortal_time_title(result("baseline", **worse)) == (
        "In the model, compared naively, 18 fewer of 100 are alive at 12 months with HSCT after relapse (95 % "
        "interval 8 to 27)"
    )


def test_a_comparison_with_nobody_has_no_difference_to_call_clear() -> None:
    nobody = result("baseline", **dict.fromkeys(CLEAR, math.nan))
    assert "one of the two groups has no patient" in immortal_time(nobody)
    assert immortal_time_title(nobody).startswith("Guarantee time: the same patients")
