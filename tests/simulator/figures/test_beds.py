"""The figure of patients waiting agrees with the queue table, and no small count is drawn as a percentile band."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from simulator.evidence.cohort import load_cohort
from simulator.figures import resource_use, state_looks, style
from simulator.figures.picture import Picture
from simulator.outcomes.resource_use import QUEUES
from simulator.scenario.scenario import Scenario, load_scenario

MANIFEST = {"draws": 6, "replications": 4}
BEFORE, AFTER = (0.2, 0.3, 0.1, 0.25, 0.15), (0.7, 0.2, 0.06, 0.04, 0.0)
"""Shares of time with 0, 1, 2, 3 to 9, and more waiting, before and from month 48."""


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    return [load_scenario(name) for name in ("regional-centre", "regional-centre-wider-salvage")]


@pytest.fixture(scope="module")
def table(scenarios: list[Scenario]) -> pd.DataFrame:
    months = np.arange(24.5, 84.0)
    later = months > 48.0
    parts = []
    for scenario in scenarios:
        columns = {"scenario": scenario.name, "resource": "hsct_beds", "month": months, "waiting": 1.5, "in_use": 2.5}
        shares = dict(zip(QUEUES, zip(BEFORE, AFTER, strict=True), strict=True))
        parts.append(pd.DataFrame(columns | {name: np.where(later, b, a) for name, (a, b) in shares.items()}))
    return pd.concat(parts, ignore_index=True)


def drawn(table: pd.DataFrame, scenarios: list[Scenario]) -> Picture:
    picture = resource_use.picture(table, scenarios, MANIFEST, load_cohort(scenarios[0].pathway))
    assert picture is not None
    return picture


@pytest.fixture(scope="module")
def figure(table: pd.DataFrame, scenarios: list[Scenario]) -> Figure:
    return drawn(table, scenarios).figure


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_xlabel() == "Calendar month"]


def text_of(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")


def bars(axes: Axes) -> list[tuple[float, float, str]]:
    """Return the place along its quarter or row, the per cent and the colour of every bar."""
    return [(patch.get_x(), patch.get_height(), to_hex(patch.get_facecolor())) for patch in axes.patches]  # type: ignore[attr-defined]


def test_where_beds_open_every_scenario_has_a_panel_by_quarter(figure: Figure) -> None:
    for axes in panels(figure):
        assert {x for x, _, _ in bars(axes)} == set(np.arange(24.0, 84.0, 3.0))
        for begin, shares in ((24.0, BEFORE), (81.0, AFTER)):
            heights = [height for x, height, _ in bars(axes) if x == begin]
            assert heights == pytest.approx([100 * share for share in shares])
    assert len(panels(figure)) == 2


def test_the_day_on_which_beds_open_is_a_line_with_its_words(figure: Figure) -> None:
    lines = [[float(x) for x in np.asarray(line.get_xdata())] for axes in panels(figure) for line in axes.lines]
    assert [48.0, 48.0] in lines
    assert "five HSCT beds" in text_of(figure)
    assert "three HSCT beds, five from month 48" in text_of(figure)


def test_a_policy_that_starts_in_the_years_shown_has_its_line(table: pd.DataFrame, scenarios: list[Scenario]) -> None:
    service = scenarios[0].service
    assert service is not None
    later = replace(scenarios[0], service=replace(service, policy_from_month=60.0))
    figure = drawn(table, [later]).figure
    assert "policy starts" in text_of(figure)
    assert [np.asarray(line.get_xdata()).tolist() for line in panels(figure)[0].lines] == [[60.0, 60.0]]


def test_a_constant_capacity_has_no_calendar(table: pd.DataFrame, scenarios: list[Scenario]) -> None:
    # How long patients wait says it: see test_waits.
    centre = load_scenario("letter-centre")
    assert resource_use.picture(table.assign(scenario=centre.name), [centre], MANIFEST) is None
    offered = load_scenario("car-t-slot-a-month")
    rows = table.assign(scenario=offered.name, resource="car_t_slots")
    assert resource_use.picture(rows, [offered], MANIFEST) is None


@pytest.mark.parametrize("width", [style.WIDTH, style.COMPACT])
def test_the_title_says_how_often_nobody_waits_before_and_after(
    table: pd.DataFrame, scenarios: list[Scenario], width: float
) -> None:
    picture = resource_use.picture(table, scenarios, MANIFEST, width=width)
    assert picture is not None
    assert picture.title == (
        "In the model, nobody waits for HSCT beds 20 % of the time at first and 70 % at last under regional-centre; "
        "20 % and 70 % under regional-centre-wider-salvage"
    )
    assert picture.figure.get_figwidth() == width


def test_no_count_of_patients_is_drawn_as_a_band(figure: Figure) -> None:
    assert not [band for axes in figure.axes for band in axes.collections]


def test_the_colours_are_no_policys_and_no_states_and_darken_with_the_queue(scenarios: list[Scenario]) -> None:
    taken = {colour.lower() for colour in style.POLICIES}
    taken |= {look.colour.lower() for look in state_looks.looks(scenarios[0].pathway).values()}
    assert not taken & set(resource_use.COLOURS)
    brightness = [sum(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in resource_use.COLOURS]
    assert brightness == sorted(brightness, reverse=True)


def test_the_figure_names_n_source_and_what_the_shares_are_of(figure: Figure) -> None:
    text = text_of(figure)
    for phrase in ("n = 37", "Wang 2024", "not for individual patients", "of 6 parameter sets"):
        assert phrase in text
    assert "with 4 replications each: parameters and chance together" in text
    assert "by quarter" in text


def test_the_table_below_gives_the_numbers(table: pd.DataFrame, scenarios: list[Scenario]) -> None:
    picture = drawn(table, scenarios)
    assert picture.numbers is not None
    heads = [column.label for column in picture.numbers.columns]
    place = heads.index("regional-centre-wider-salvage: three HSCT beds, five from month 48") - 1
    cells = {row.label: row.cells[place] for row in picture.numbers.rows}
    assert (cells["nobody waits"], cells["1 waits"]) == ("50", "24")
    assert cells["nobody waits in the first quarter"] == "20"
    assert cells["nobody waits in the last quarter"] == "70"
    assert picture.alt == f"{picture.title}."


def test_a_run_of_an_earlier_version_has_no_such_figure(table: pd.DataFrame, scenarios: list[Scenario]) -> None:
    assert resource_use.picture(table.drop(columns=list(QUEUES)), scenarios, MANIFEST) is None
