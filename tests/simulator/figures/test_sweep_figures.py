"""Figures of a sweep: words and units, today and the policy, ordered lines, and no panel of what does not move."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from simulator.analyses.sweep.axis import Axis
from simulator.analyses.sweep.grid import make_grid
from simulator.analyses.sweep.run import Sweep, sweep
from simulator.figures.analyses.sweep import pictures
from simulator.figures.picture import Picture
from simulator.scenario.scenario import load_scenario
from simulator.wording import sweep_axes, sweep_titles
from simulator.wording.difference import Difference
from simulator.wording.sweep_rows import drawn as outcomes_of
from simulator.wording.sweep_titles import moves


@pytest.fixture(scope="module")
def of_uptake() -> Sweep:
    return sweep("wider-salvage", {"salvage_uptake": [0.3, 0.6, 0.9]}, draws=3, horizon=24.0)


@pytest.fixture(scope="module")
def of_two() -> Sweep:
    return sweep(
        "wider-salvage", {"salvage_uptake": [0.4, 0.5, 0.9], "marginal_benefit": [0.0, 0.5, 1.0]}, draws=3, horizon=24.0
    )


@pytest.fixture(scope="module")
def drawn_of_uptake(of_uptake: Sweep) -> list[Picture]:
    return pictures(of_uptake)


@pytest.fixture(scope="module")
def drawn_of_two(of_two: Sweep) -> list[Picture]:
    return pictures(of_two)


def text_of(figure: Figure) -> str:
    return " ".join(" ".join(text.get_text() for text in figure.findobj(Text)).split())


def panels(picture: Picture) -> list[Axes]:
    return [axes for axes in picture.figure.axes if axes.axison]


def test_values_have_three_digits_and_the_unit_of_their_axis() -> None:
    """Of a grid by halves, thirds or thirteenths, nobody typed the sixth digit."""
    values = [0.0, 6 / 13, 0.7666666666666667, 1.0]
    made = sweep("baseline", {"salvage_uptake": values, "hsct_if_cr": [1 / 3, 0.5]}, draws=2, horizon=12.0)
    heat_map = pictures(made)[0]
    words = text_of(heat_map.figure)
    assert not re.search(r"\d[.]\d{3}", words)
    assert "of draws" not in words
    assert re.search(r"salvage_uptake 0 % \(in 100 % of parameter sets\)|salvage_uptake from 0 %", words)
    (axes,) = (axes for axes in panels(heat_map) if axes.images)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "46.2", "76.7", "100"]


def test_values_that_three_digits_do_not_tell_apart_have_more() -> None:
    pathway, axis = load_scenario("baseline").pathway, Axis("months", "scale", "x", (4.0, 4.0001, 1234.0))
    assert [sweep_axes.number(axis, pathway, value) for value in axis.values] == ["4", "4.0001", "1234"]


def test_axes_and_titles_are_in_words_with_units(of_uptake: Sweep, drawn_of_uptake: list[Picture]) -> None:
    line, _ = drawn_of_uptake
    (axes,) = panels(line)
    assert axes.get_xlabel() == "Salvage uptake, %"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["30", "60", "90"]
    low, high = of_uptake.draws.mean(axis=1)[[0, -1]]
    words = f"In the model, alive at 12 months: {100 * high:.0f} % with salvage uptake 90 %; {100 * low:.0f} % with"
    assert line.title.startswith(words)
    assert "95 % interval" in line.title


def test_a_title_whose_difference_is_not_clear_says_so(of_uptake: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_titles, "between_cells", lambda *_: Difference(0.018, -0.007, 0.073, 0.7))
    assert sweep_titles.of_outcome(of_uptake, outcomes_of(of_uptake)[0]).endswith(
        "; no clear difference: 1.8 (95 % interval 0.7 fewer to 7.3 more; more in 70 of 100 parameter sets)"
    )


def test_a_title_says_of_outcomes_that_move_whether_the_first_clearly_does(
    of_uptake: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = outcomes_of(of_uptake)
    words = "alive at 12 months"
    assert "no clear difference" not in sweep_titles.of_outcomes(of_uptake, [first, *others], [first])
    monkeypatch.setattr(sweep_titles, "between_cells", lambda *_: Difference(0.018, -0.007, 0.073, 0.7))
    title = sweep_titles.of_outcomes(of_uptake, [first, *others], [first])
    assert re.search(rf"{words} \d+ to \d+ % \(no clear difference\)$", title)


def test_a_title_of_another_outcome_than_the_answer_has_the_intervals_of_its_ends(of_uptake: Sweep) -> None:
    hscts = next(outcome for outcome in outcomes_of(of_uptake) if outcome.words.startswith("HSCTs"))
    low, high = (hscts.estimates(of_uptake)[place] for place in (0, 2))
    assert sweep_titles.of_outcome(of_uptake, hscts) == (
        f"In the model, HSCTs per 100 relapses: {high.value} with salvage uptake 90 % (95 % interval "
        f"{' to '.join(high.ends or ())}); {low.value} with salvage uptake 30 % ({' to '.join(low.ends or ())})"
    )


def test_today_and_the_policy_are_marked_where_they_lie(drawn_of_uptake: list[Picture]) -> None:
    line, _ = drawn_of_uptake
    (axes,) = panels(line)
    upright = [float(np.asarray(one.get_xdata())[0]) for one in axes.lines if len(set(one.get_xdata())) == 1]
    assert upright == pytest.approx([100 * 18 / 37, 88.0], abs=0.1)
    assert "today: 49 %" in text_of(line.figure)
    assert "wider-salvage: 88 %" in text_of(line.figure)


def test_the_line_is_not_drawn_again_among_the_other_outcomes(drawn_of_uptake: list[Picture]) -> None:
    line, others = drawn_of_uptake
    first = [axes.get_title(loc="left") for axes in panels(line)]
    assert not set(first) & {axes.get_title(loc="left") for axes in panels(others)}


def test_lines_of_rising_values_darken_and_have_their_values_at_their_ends(drawn_of_two: list[Picture]) -> None:
    _, others = drawn_of_two
    first, *_ = panels(others)
    lines = [line for line in first.lines if len(line.get_xdata()) == 3]
    lightness = [sum(to_rgb(line.get_color())) for line in lines]  # type: ignore[arg-type]
    assert lightness == sorted(lightness, reverse=True)
    assert len(set(lightness)) == 3
    assert {text.get_text() for text in first.texts} >= {"0 %", "50 %", "100 %"}


@pytest.mark.slow
def test_where_beds_are_limited_long_waits_are_first() -> None:
    few = sweep("letter-centre", {"hsct_beds": [1, 2]}, draws=2, replications=2, horizon=24.0)
    assert outcomes_of(few)[0].outcome == "wait_over_30_days"
    line, *_ = pictures(few)
    assert line.title.startswith("In the model, waits over 30 days for HSCT beds, of requests: ")


def test_what_does_not_move_is_a_sentence_and_no_panel() -> None:
    still = sweep("baseline", {"hsct_if_cr": [0.3, 0.8]}, draws=2, horizon=24.0)
    outcomes = outcomes_of(still)
    moving = [outcome for outcome in outcomes[1:] if moves(still, outcome)]
    assert moving != outcomes[1:]
    _, others = pictures(still)
    assert len(panels(others)) == len(moving)
    sentence = text_of(others.figure).partition("not drawn:")[2].partition(". ")[0]
    for outcome in outcomes[1:]:
        assert (f"{outcome.words} " in sentence) == (outcome not in moving)


def test_the_margin_is_drawn_around_the_cells_that_reach_it(of_two: Sweep, drawn_of_two: list[Picture]) -> None:
    heat_map, *_ = drawn_of_two
    (axes,) = (axes for axes in heat_map.figure.axes if axes.images)
    values = 100 * of_two.draws.mean(axis=1).reshape(of_two.grid.shape)
    reached = values >= values[1, 2] + of_two.manifest["margin"]
    edges = int((reached[1:] != reached[:-1]).sum() + (reached[:, 1:] != reached[:, :-1]).sum())
    assert len(axes.lines) == edges > 0
    assert "5 more than today, or better" in text_of(heat_map.figure)


def test_numbers_of_a_map_have_their_intervals(drawn_of_two: list[Picture]) -> None:
    heat_map, *_ = drawn_of_two
    (axes,) = (axes for axes in heat_map.figure.axes if axes.images)
    written = [text.get_text() for text in axes.texts]
    assert len([words for words in written if " to " in words]) == 9


def test_a_factor_an_odds_ratio_and_a_time_are_named_as_such(of_uptake: Sweep) -> None:
    pathway = of_uptake.scenario.pathway
    names = ["scale.hsct_wait_median", "odds_ratio.salvage_uptake", "hsct_admission_months", "hsct_beds"]
    axes = make_grid(load_scenario("letter-centre"), {name: [1.0] for name in names}).axes
    assert [sweep_axes.label(axis, pathway) for axis in axes] == [
        "Factor on HSCT wait median", "Odds ratio of salvage uptake", "HSCT admission months, months", "HSCT beds",
    ]  # fmt: skip
