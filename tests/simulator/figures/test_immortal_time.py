"""The figure of guarantee time draws the differences by method next to the truth, and names who is compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.text import Text

from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime, immortal_time
from simulator.analyses.virtual_cohorts.settings import Settings
from simulator.figures import style
from simulator.figures.analyses import immortal_time as figure_of
from simulator.figures.picture import Picture
from simulator.scenario.scenario import load_scenario


@pytest.fixture(scope="module")
def result() -> ImmortalTime:
    return immortal_time(load_scenario("hsct-as-milestone"), settings=Settings(draws=3, cohorts=6))


@pytest.fixture(scope="module")
def picture(result: ImmortalTime) -> Picture:
    return figure_of.picture(result)


def main_panel(picture: Picture) -> Axes:
    (axes,) = (axes for axes in picture.figure.axes if axes.get_xlabel().startswith("Difference"))
    return axes


def text_of(picture: Picture) -> str:
    return " ".join(text.get_text() for text in picture.figure.findobj(Text)).replace("\n", " ")


def test_every_comparison_is_a_dot_at_its_difference(result: ImmortalTime, picture: Picture) -> None:
    dots = [line for line in main_panel(picture).lines if line.get_marker() == "o"]
    drawn = {-float(line.get_ydata()[0]): float(line.get_xdata()[0]) for line in dots}
    assert drawn == pytest.approx(dict(enumerate(100 * result.analyses["difference"])))


def test_the_truth_is_a_bold_line_at_0_where_it_is_known(result: ImmortalTime, picture: Picture) -> None:
    def width_of_0(of: Picture) -> float:
        at_0 = [
            line for line in main_panel(of).lines if np.allclose(line.get_xdata(), 0.0) and len(line.get_xdata()) == 2
        ]
        return float(at_0[0].get_linewidth())

    assert width_of_0(picture) > 2.0
    assert "the bold line is the truth, 0" in text_of(picture)
    unknown = figure_of.picture(replace(result, scenario=load_scenario("baseline")))
    assert width_of_0(unknown) < 1.0
    assert "truth" not in text_of(unknown)


def test_rows_name_the_patients_who_are_compared(result: ImmortalTime, picture: Picture) -> None:
    words = [text.get_text() for text in picture.figure.findobj(Text)]
    assert words.count("all in either group, from relapse") == len(result.analyses) / 2
    assert words.count("only those in complete response, from then on") == len(result.analyses) / 2


def test_reported_figures_have_the_colours_of_their_groups(result: ImmortalTime, picture: Picture) -> None:
    lines = style.lines([group.label for group in result.groups])
    circles = [
        line
        for axes in picture.figure.axes
        for line in axes.lines
        if line.get_marker() == "o" and axes is not main_panel(picture) and len(line.get_xdata()) == 1
    ]
    assert sorted(to_hex(line.get_markeredgecolor()) for line in circles) == sorted(  # type: ignore[arg-type]
        line.colour.lower() for line in lines.values()
    )
    assert len({float(line.get_xdata()[0]) for line in circles}) == 2, "next to one another"
    assert f"reported: {100 * (8 / 10 - 5 / 8):.1f}" in text_of(picture)


def test_an_interval_that_noise_hides_is_said_to_be_missing(result: ImmortalTime) -> None:
    words = "parameter sets only, where simulation noise does not hide it; the bold line is"
    known = result.analyses.assign(difference_lower=-0.1, difference_upper=0.3)
    assert words not in text_of(figure_of.picture(replace(result, analyses=known)))
    picture = figure_of.picture(
        replace(result, analyses=known.assign(difference_lower=np.nan, difference_upper=np.nan))
    )
    assert words in text_of(picture)
    assert picture.compact is not None
    compact = " ".join(text.get_text() for text in picture.compact.findobj(Text)).replace("\n", " ")
    assert words in compact, "which has no foot"
