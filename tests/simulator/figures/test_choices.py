"""The compact forms of the diagram and of the cohort's flow: rows with the numbers of the wide figures."""

from __future__ import annotations

from math import nan

import pytest
from hard_inputs import letter
from matplotlib.figure import Figure
from matplotlib.text import Text

from simulator.figures import style
from simulator.figures.pathway import choices, diagram, flow
from simulator.figures.pathway.branches import Branches
from simulator.figures.picture import Picture
from simulator.pathway.format import load_pathway
from simulator.scenario.scenario import load_scenario

RELAPSE, CARE = ("relapse", "salvage_choice"), ("relapse", "supportive_care")
CR, PR = ("response_chemotherapy", "complete_response"), ("response_chemotherapy", "partial_response")
ONLY = ("relapse_after_salvage", "progressive_disease")


def drawn(of: Branches) -> Picture | None:
    pathway = load_pathway("b_all_post_cd19")
    return choices.picture("name", "Title", pathway, of, diagram.CHANGED, cohort=letter(), width=style.COMPACT)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_a_choice_has_a_row_of_the_branch_that_changes_most_and_changed_ones_come_first() -> None:
    shares = {CR: (0.3, 0.3), PR: (0.4, 0.4), RELAPSE: (0.5, 0.8), CARE: (0.5, 0.2), ONLY: (1.0, 1.0)}
    of = Branches(("today", "wider"), shares, frozenset({RELAPSE, CARE}))
    assert choices.rows(of) == [RELAPSE, PR]
    picture = drawn(of)
    assert picture is not None
    words = texts(picture.figure)
    assert {"relapse: salvage choice", "50 to 80 %", "response to chemotherapy: partial response", "40 %"} <= set(words)
    marks = [line for axes in picture.figure.axes[1:] for line in axes.lines if line.get_marker() == "o"]
    places = {(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in marks}
    assert places == {(80.0, 0.0), (50.0, 0.0), (40.0, -1.0)}


def test_a_branch_that_only_a_policy_opens_has_its_dot_alone() -> None:
    picture = drawn(Branches(("today", "wider"), {CR: (nan, 0.7), PR: (nan, 0.3)}, frozenset({CR, PR})))
    assert picture is not None
    marks = [line for axes in picture.figure.axes[1:] for line in axes.lines if line.get_marker() == "o"]
    assert 70.0 in [float(line.get_xdata()[0]) for line in marks]
    assert "70 %" in texts(picture.figure)


def test_a_pathway_that_fits_is_a_diagram_at_both_widths() -> None:
    pathway = load_pathway("peer_pathway")
    picture = diagram.picture(pathway)
    assert picture.compact is not None
    drawn = [str(text.get_gid()) for text in picture.compact.findobj(Text) if str(text.get_gid()).startswith("state-")]
    assert sorted(drawn) == sorted(f"state-{name}" for name in pathway.states)


def test_a_pathway_of_which_no_shares_are_known_is_a_list_of_states_where_its_boxes_do_not_fit() -> None:
    pathway = load_pathway("b_all_post_cd19")
    picture = diagram.picture(pathway)
    assert picture.compact is not None
    words = texts(picture.compact)
    assert "decision, leads to salvage choice or supportive care" in words
    left = {state.label for state in pathway.states.values() if state.transitions}
    assert left <= set(words)


def test_without_choices_there_is_nothing_to_draw() -> None:
    assert drawn(Branches()) is None
    assert drawn(Branches(("today",), {ONLY: (1.0,)})) is None


def test_more_choices_than_rows_are_counted() -> None:
    pathway = load_pathway("b_all_post_cd19")
    names = [name for name in pathway.states if name != "relapse"][:10]
    picture = drawn(Branches(("today",), {(name, "relapse"): (0.5,) for name in names}))
    assert picture is not None
    assert f"{choices.MOST} of {len(names)} choices: the table has all" in texts(picture.figure)


def test_the_title_of_the_diagram_of_a_policy_that_changes_times_alone_says_so() -> None:
    scenarios = [load_scenario("baseline"), load_scenario("earlier-hsct")]
    picture = diagram.picture(scenarios[0].pathway, scenarios, cohort=letter())
    assert picture.title.startswith("In the model, earlier-hsct changes times alone: awaiting HSCT in CR to HSCT ")
    assert picture.compact is not None
    assert not any("if it differs" in words for words in texts(picture.compact))


def test_the_compact_flow_has_a_bar_for_every_reported_count_and_the_simulated_interval() -> None:
    pathway, cohort = load_pathway("b_all_post_cd19"), letter()
    wide, compact = flow.picture(pathway, cohort), flow.picture(pathway, cohort, width=style.COMPACT)
    assert wide is not None
    assert compact is not None
    assert wide.numbers is not None
    assert compact.title == wide.title
    bars = [patch.get_width() for axes in compact.figure.axes[1:] for patch in axes.patches]
    reported = [float(str(row.cells[0])) for row in wide.numbers.rows]
    assert bars == pytest.approx(reported)
    words = texts(compact.figure)
    assert "salvage-treated: 18" in words
    assert all(any(str(row.cells[1]) in text for text in words) for row in wide.numbers.rows)
