"""The figure of beds over time agrees with the queue table, and is legible."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from simulator.evidence.cohort import load_cohort
from simulator.figures import resource_use
from simulator.scenario.scenario import Scenario, load_scenario

MANIFEST = {"draws": 6, "replications": 4}


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    return [load_scenario(name) for name in ("regional-centre", "regional-centre-wider-salvage")]


@pytest.fixture(scope="module")
def table(scenarios: list[Scenario]) -> pd.DataFrame:
    months = np.arange(24.0, 85.0)
    parts = []
    for place, scenario in enumerate(scenarios):
        columns = {"scenario": scenario.name, "resource": "hsct_beds", "month": months}
        waiting, used = (months - 24.0) / (20.0 - 10.0 * place), np.full(months.size, 2.5 + place)
        columns |= {"waiting": waiting, "waiting_lower": 0.8 * waiting, "waiting_upper": 1.2 * waiting}
        columns |= {"waiting_least": 0.5 * waiting, "waiting_most": 2.0 * waiting}
        columns |= {"in_use": used, "in_use_lower": used - 0.3, "in_use_upper": used + 0.2}
        columns |= {"in_use_least": used - 1.0, "in_use_most": used + 0.5}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def figure(table: pd.DataFrame, scenarios: list[Scenario]) -> Figure:
    return resource_use.picture(table, scenarios, MANIFEST, load_cohort(scenarios[0].pathway)).figure


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_xlabel() == "Calendar month"]


def text_of(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")


def test_every_scenario_has_a_panel_and_all_share_a_scale(figure: Figure) -> None:
    drawn = panels(figure)
    assert len(drawn) == 2
    assert len({axes.get_ylim() for axes in drawn}) == 1
    assert drawn[0].get_ylim()[1] >= 12.0
    assert {axes.get_xlim() for axes in drawn} == {(24.0, 84.0)}


def test_the_capacity_is_a_step_line_that_rises_when_beds_open(figure: Figure) -> None:
    steps = [line for line in panels(figure)[1].get_lines() if line.get_drawstyle() == "steps-post"]
    (step,) = steps
    assert np.asarray(step.get_xdata()).tolist() == [24.0, 48.0, 84.0]
    assert np.asarray(step.get_ydata()).tolist() == [3, 5, 5]


def test_lines_are_the_means_of_the_table(figure: Figure, table: pd.DataFrame, scenarios: list[Scenario]) -> None:
    for axes, scenario in zip(panels(figure), scenarios, strict=True):
        rows = table[table["scenario"] == scenario.name]
        drawn = [np.asarray(line.get_ydata()).tolist() for line in axes.get_lines()]
        assert rows["waiting"].tolist() in drawn
        assert rows["in_use"].tolist() in drawn


def test_the_band_of_the_mean_is_darker_than_the_band_of_single_replications(figure: Figure) -> None:
    axes = panels(figure)[0]
    bands = [band for band in axes.collections if band.get_alpha()]
    heights = [np.ptp(band.get_datalim(axes.transData).get_points()[:, 1]) for band in bands]
    by_height = [bands[place].get_alpha() for place in np.argsort(heights)]
    used, one_used, waiting, one_waiting = by_height
    assert one_used == one_waiting == resource_use.FUTURE
    assert used == waiting == resource_use.INTERVAL
    assert resource_use.INTERVAL > 2 * resource_use.FUTURE
    text = text_of(figure)
    assert "Dark bands: 95 % interval of the mean over parameter sets, where simulation noise allows one" in text
    assert "Pale bands: 95 % of all replications, what one future may look like (parameters and chance)" in text


def test_with_one_draw_no_interval_of_the_mean_is_mentioned(table: pd.DataFrame, scenarios: list[Scenario]) -> None:
    hidden = table.assign(waiting_lower=np.nan, waiting_upper=np.nan, in_use_lower=np.nan, in_use_upper=np.nan)
    of_one_draw = resource_use.picture(hidden, scenarios, {"draws": 1, "replications": 4}).figure
    assert "Pale bands" in text_of(of_one_draw)
    assert "over 1 parameter set, 4 replications each" in text_of(of_one_draw)
    single = text_of(resource_use.picture(hidden, scenarios, {"draws": 6, "replications": 1}).figure)
    assert "over 6 parameter sets, 1 replication each" in single
    assert "interval of the mean" not in single
    assert "interval of the mean" not in text_of(of_one_draw)


def test_the_two_lines_differ_in_more_than_colour(figure: Figure) -> None:
    styles = {str(line.get_linestyle()) for line in panels(figure)[0].get_lines()[:2]}
    assert len(styles) == 2


def test_the_figure_names_n_source_and_bands(figure: Figure) -> None:
    text = text_of(figure)
    for phrase in ("n = 37", "J Transl Med 2024;22:680", "not for individual patients", "over 6 parameter sets"):
        assert phrase in text
    assert "4 replications each" in text
    assert "policy starts" in text
    assert "three HSCT beds, five from month 48" in text


def test_the_alternative_text_gives_the_numbers(table: pd.DataFrame, scenarios: list[Scenario]) -> None:
    text = resource_use.picture(table, scenarios, MANIFEST).alt
    assert "regional-centre, three HSCT beds: 0 wait in month 24 and 3.0 in month 84" in text
    assert "most in month 84, 6.0 (95 % of replications up to 12.0); 3.5 in use on average" in text


def test_units_that_are_offered_have_no_capacity_line(table: pd.DataFrame) -> None:
    centre = load_scenario("car-t-slot-a-month")
    rows = table.assign(scenario=centre.name, resource="car_t_slots").iloc[:61]
    (axes,) = panels(resource_use.picture(rows, [centre], MANIFEST).figure)
    assert not [line for line in axes.get_lines() if line.get_drawstyle() == "steps-post"]
