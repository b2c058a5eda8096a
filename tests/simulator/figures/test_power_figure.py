"""The figure of power: each band where it is known, assurance named, and how many parameter sets suffice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.text import Text

from simulator.analyses.virtual_cohorts.power import VirtualCohorts, power_of, virtual_cohorts
from simulator.analyses.virtual_cohorts.settings import Settings
from simulator.figures.analyses.virtual_cohorts import pictures
from simulator.figures.picture import Picture
from simulator.scenario.scenario import load_scenario

FEW = Settings(draws=2, cohorts=4)
POWER = pd.DataFrame({
    "scenario": ["wider-salvage"] * 3 + ["wider-salvage@cohorts"] * 3,
    "patients_an_arm": [37, 74, 148] * 2,
    "power": [0.58, 0.82, 0.97, 0.4, 0.57, 0.75],
    "lower": [0.3, np.nan, 0.8, 0.1, 0.05, 0.03],
    "upper": [0.87, np.nan, 1.0, 0.7, 0.98, 1.0],
    "monte_carlo_se": 0.03,
    "draws_with_power_80": [0.1, 0.6, 0.95, 0.0, 0.35, 0.6],
})  # fmt: skip


@pytest.fixture(scope="module")
def result() -> VirtualCohorts:
    made = virtual_cohorts(load_scenario("baseline"), load_scenario("wider-salvage"), settings=FEW)
    return replace(made, power=POWER)


@pytest.fixture(scope="module")
def power(result: VirtualCohorts) -> Picture:
    _, power = pictures(result)
    return power


def axes_of(power: Picture) -> Axes:
    (axes,) = (axes for axes in power.figure.axes if axes.get_xlabel() == "Patients an arm")
    return axes


def test_every_row_of_shares_has_its_name(result: VirtualCohorts) -> None:
    assert result.power is not None
    long = "a-policy-of-much-wider-salvage-and-earlier-hsct-at-every-centre"
    named = POWER.assign(scenario=POWER["scenario"].where(POWER["scenario"] == "wider-salvage", long))
    scenarios = (*result.scenarios, replace(result.scenarios[1], name=long))
    (_, picture) = pictures(replace(result, power=named, scenarios=scenarios))
    for figure in filter(None, (picture.figure, picture.compact)):
        names = [text.get_text() for text in figure.axes[0].texts if text.get_text().startswith("a-policy")]
        assert len(names) == 1
        assert names[0].endswith("centre")


def test_a_title_without_an_interval_over_parameter_sets_has_that_of_simulation_noise(result: VirtualCohorts) -> None:
    noisy = POWER.assign(lower=np.nan, upper=np.nan, monte_carlo_se=0.1)
    (_, picture) = pictures(replace(result, power=noisy))
    assert picture.title.endswith("(95 % interval of simulation noise 38 to 78)")
    (_, known) = pictures(result)
    assert "noise" not in known.title


def test_a_policy_keeps_its_band_where_one_size_has_none(power: Picture) -> None:
    bands = [area for area in axes_of(power).collections if isinstance(area, PolyCollection)]
    assert len(bands) == 2
    assert bands[0].get_hatch() != bands[1].get_hatch(), "told apart"
    ends = sorted(
        {
            float(x)
            for lines in axes_of(power).collections
            if not isinstance(lines, PolyCollection)
            for segment in lines.get_segments()
            for x, _ in segment
        }
    )  # type: ignore[attr-defined]
    assert ends == [37.0, 74.0, 148.0]


def test_the_mean_is_called_assurance_and_the_dotted_line_has_a_name(power: Picture) -> None:
    words = " ".join(" ".join(text.get_text() for text in power.figure.findobj(Text)).split())
    assert "which is the assurance of a trial, not its power" in words
    assert "80 %: usual" in words
    assert "Of the parameter sets, % with a power of 80 % or more:" in words
    for number in ("10", "60", "95", "35"):
        assert number in words
    assert power.title == (
        "In the model, 58 of 100 trials with 37 patients an arm distinguish wider-salvage from baseline (30 to 87 "
        "across the parameter sets); cautious estimate 40"
    )


def test_the_share_of_parameter_sets_with_the_usual_power_leaves_out_the_noise_of_few_cohorts() -> None:
    random = np.random.default_rng(1)
    # Half of the sets have a power of 0.7, half of 0.9; 20 cohorts alone put many of either on the other side.
    powers = np.repeat([0.7, 0.9], 2000)
    measured = power_of([random.uniform(size=200) < share for share in powers])
    assert measured["draws_with_power_80"] == pytest.approx(0.5, abs=0.02)
    alike = power_of([random.uniform(size=20) < 0.75 for _ in range(2000)])
    crude = np.mean([np.mean(random.uniform(size=20) < 0.75) >= 0.8 for _ in range(2000)])
    assert crude > 0.3
    assert not alike["draws_with_power_80"] > 0.2
