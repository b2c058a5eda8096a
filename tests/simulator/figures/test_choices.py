"""The diagram where its boxes do not fit, as choices or as a list of states, and the compact flow of a cohort."""

from __future__ import annotations

import re
from math import nan

import pytest
from hard_inputs import WIDER_AND_WIDER, clinic, everyone_one_way, fan, letter, under
from lettering import struck
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text
from worlds import DEATH, load, slow, sojourn, world

from simulator.figures import style
from simulator.figures.pathway import branches, choices, diagram, flow
from simulator.figures.pathway.branches import Branches
from simulator.figures.picture import Picture
from simulator.outcomes.summaries import PER
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import load_scenario

RELAPSE, CARE = ("relapse", "salvage_choice"), ("relapse", "supportive_care")
CR, PR = ("response_chemotherapy", "complete_response"), ("response_chemotherapy", "partial_response")
ONLY = ("relapse_after_salvage", "progressive_disease")


def drawn(of: Branches) -> Picture | None:
    pathway = load_pathway("b_all_post_cd19")
    return choices.picture("name", "Title", pathway, of, cohort=letter(), width=style.COMPACT)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_a_choice_has_a_row_of_the_branch_that_changes_most_and_changed_ones_come_first() -> None:
    shares = {CR: (0.3, 0.3), PR: (0.4, 0.4), RELAPSE: (0.5, 0.8), CARE: (0.5, 0.2), ONLY: (1.0, 1.0)}
    of = Branches(("today", "wider"), shares, frozenset({RELAPSE, CARE}))
    assert of.leading == [RELAPSE, PR]
    picture = drawn(of)
    assert picture is not None
    words = texts(picture.figure)
    assert {"relapse: salvage choice", "50 → 80 %", "response to chemotherapy: partial response", "40 %"} <= set(words)
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


def shipped_run(*names: str) -> Picture:
    scenarios = [load_scenario(name) for name in names]
    return diagram.picture(scenarios[0].pathway, scenarios, cohort=letter())


def in_one_line(figure: Figure | None) -> str:
    assert figure is not None
    return " ".join(texts(figure)).replace("\n", " ")


def test_a_choice_whose_shares_hardly_differ_has_the_branch_that_most_patients_take() -> None:
    shares = {RELAPSE: (0.4700, 0.4704), CARE: (0.5300, 0.5296), CR: (0.3, 0.3), PR: (0.7, 0.7)}
    assert Branches(("infused", "longer"), shares).leading == [CARE, PR]


def test_the_choice_that_changes_most_comes_first_and_equal_changes_keep_the_declared_branch() -> None:
    shares = {RELAPSE: (0.5, 0.6), CARE: (0.5, 0.4), CR: (0.79, 0.0), PR: (0.21, 1.0)}
    assert Branches(("today", "none"), shares, frozenset(shares)).leading == [CR, RELAPSE]


@pytest.mark.parametrize(
    "names", [("baseline", "no-hsct"), slow(("letter-centre", "letter-centre-2-beds")), slow(("infused",))]
)
def test_the_first_row_of_the_choices_has_the_branch_and_the_share_of_the_title(names: tuple[str, ...]) -> None:
    scenarios = [load_scenario(name) for name in names]
    of, label = branches.of_run(scenarios, letter()), scenarios[0].pathway.states
    state, after = of.leading[0]
    picture = shipped_run(*names)
    share = f"{PER * of.shares[state, after][0]:.0f} %"
    assert picture.title.startswith(f"In the model, {share} of patients at {label[state].label} go on to ")
    assert label[after].label in picture.title
    assert picture.compact is not None
    words = texts(picture.compact)
    rows = [text for text in words if any(text.startswith(f"{of_all.label}: ") for of_all in label.values())]
    assert rows[0] == f"{label[state].label}: {label[after].label}"


def test_a_policy_that_changes_times_alone_has_these_times_in_title_compact_figure_and_table() -> None:
    picture = shipped_run("baseline", "earlier-hsct")
    assert picture.title.startswith("In the model, earlier-hsct changes times alone: awaiting HSCT in CR to HSCT ")
    words = in_one_line(picture.compact)
    assert "changed by earlier-hsct" in words
    assert words.count("HSCT admission (time changed: median 0.9 → 0.4 months)") == 2
    assert "salvage choice" not in words
    assert picture.numbers is not None
    assert sum("(time changed: median 0.9 → 0.4 months)" in str(row.cells[1]) for row in picture.numbers.rows) == 2


def test_a_changed_time_has_the_medians_of_its_law_and_none_if_half_never_leave() -> None:
    """An exponential time of mean 9 has the median 9 ln 2, and under a hazard ratio r the median 9 ln 2 / r."""
    picture = under(fan(2), slower={"hazard_ratio": {"surgery.c0": 0.5}}, faster={"hazard_ratio": {"surgery.c0": 2.0}})
    assert picture.title == (
        "In the model, a policy changes times alone: surgery to complication 1 (median 6.2 → 3.1 to 12.5 months)"
    )
    cured = {"ill": sojourn(dead={"family": "weibull", "median": 9, "shape": 1, "cure": 0.6}), "dead": DEATH}
    picture = under(load(world("ill", cured, title="Illness")), faster={"hazard_ratio": {"ill.dead": 2.0}})
    assert picture.title == "In the model, faster changes times alone: ill to dead"


def test_a_time_that_the_title_has_no_room_for_stands_in_the_list_and_in_the_table() -> None:
    picture = under(fan(13), prophylaxis={"hazard_ratio": {f"surgery.c{place}": 0.5 for place in range(3)}})
    assert picture.title.endswith(" and 1 more")
    assert picture.numbers is not None
    lists = (in_one_line(picture.figure), in_one_line(picture.compact), str(picture.numbers.rows[0].cells[1]))
    for words in lists:
        assert all(f"complication {place} (time changed: median 6.2 → 12.5 months)" in words for place in (1, 2, 3))
        assert "complication 4 (time changed" not in words
    assert "complication 13 time passes here, leads to dead" in lists[0]
    assert "changed by prophylaxis" in lists[0]


def test_the_arrow_of_the_title_has_its_share_even_where_there_is_little_room() -> None:
    of_three = {"wider": {"set": {"p2": 0.6}}, "all": {"set": {"p2": 1.0, "p1": 0.0}}, "none": {"set": {"p2": 0.0}}}
    picture = under(clinic(3), **of_three)
    assert picture.title == (
        "In the model, 33 % of patients at clinic go on to treatment 2 under today; "
        "of 3 policies that change it, from 0 % under none to 100 % under all"
    )
    for figure in (picture.figure, picture.compact):
        words = in_one_line(figure)
        assert "33 → 0 to 100 %" in words
        assert "where there is room" not in words


def test_shares_that_find_no_place_on_their_arrows_stand_in_the_box_of_their_choice() -> None:
    picture = shipped_run("baseline", "no-hsct")
    words, boxes = in_one_line(picture.figure), [" ".join(text.split()) for text in texts(picture.figure)]
    assert "On arrows and in boxes: share" in words
    assert "5.1 %" not in texts(picture.figure)
    (box,) = (text for text in boxes if text.startswith("response to immunotherapy"))
    assert "5.1 % no response" in box
    assert picture.numbers is not None
    assert any("no response (5.1 %)" in str(row.cells[1]) for row in picture.numbers.rows)


def test_shares_in_a_box_do_not_leave_it() -> None:
    """Nor in that of a clock's start, whose letters are bold."""
    figure = under(clinic(3), **WIDER_AND_WIDER).compact
    assert figure is not None
    figure.draw_without_rendering()
    (words,) = (text for text in figure.findobj(Text) if text.get_gid() == "state-clinic")
    (box,) = (patch for patch in figure.findobj(FancyBboxPatch) if patch.contains_point(patch.axes.transData.transform(
        words.get_position())))  # fmt: skip
    assert "33 → 30 %" in words.get_text()
    assert words.get_window_extent().width < box.get_window_extent().width


@pytest.mark.parametrize("name", ["no-hsct", slow("wider-salvage"), slow("dual-target-reinfusion")])
def test_every_share_of_a_run_stands_on_the_diagram(name: str) -> None:
    pathway, cohort = load_pathway("b_all_post_cd19"), letter()
    of = branches.of_run([load_scenario("baseline"), load_scenario(name)], cohort)
    words = in_one_line(shipped_run("baseline", name).figure)
    shut = branches.closed(pathway, of)
    shares = sorted(of.in_words(arrow) for arrow in of.shares if arrow not in shut)
    for share in set(shares):
        assert len(re.findall(rf"(?<![\d.]){re.escape(share)}", words)) >= shares.count(share), share


def test_a_list_of_states_has_deaths_and_states_without_patients_and_speaks_of_no_arrows() -> None:
    picture = under(everyone_one_way())
    words = in_one_line(picture.compact)
    assert "In brackets: share of the patients" in words
    assert "arrow" not in words
    assert "never time passes here, no patient in this run, leads to dead" in words
    assert "always time passes here, leads to dead" in words
    assert "dead death" in words
    assert picture.title == "Patients start at start; 1 of 13 states is final"


def test_a_list_of_states_and_the_table_have_branches_as_they_are_declared() -> None:
    pathway = fan(20)
    picture = diagram.picture(pathway)
    assert picture.numbers is not None
    states = [str(row.label) for row in picture.numbers.rows]
    assert states == ["surgery", *(f"complication {place}" for place in range(1, 21)), "dead"]
    assert picture.compact is not None
    listed = [text for text in texts(picture.compact) if text in states]
    assert listed == states


@pytest.mark.parametrize("pathway", [fan(20), clinic(12)], ids=["fan", "clinic"])
def test_no_diagram_is_so_wide_that_its_letters_cannot_be_read_on_a_page(pathway: Pathway) -> None:
    for picture in (diagram.picture(pathway), under(pathway, same={})):
        assert picture.figure.get_figwidth() == style.WIDTH
        assert set(texts(picture.figure)) >= {pathway.states[name].label for name in pathway.states}


def test_a_list_keeps_away_from_the_heading_above_it() -> None:
    picture = under(everyone_one_way())
    for figure in (diagram.picture(fan(20)).figure, picture.compact):
        assert figure is not None
        subtitle, first = (
            next(text for text in figure.findobj(Text) if text.get_text().startswith(words))
            for words in (("Surgery and", "Everyone"), ("surgery", "start"))
        )
        gap = subtitle.get_window_extent().y0 - first.get_window_extent().y1
        assert gap > 0.08 * figure.dpi


def test_the_alternative_text_names_no_diagram_where_the_compact_figure_is_a_chart_of_choices() -> None:
    assert shipped_run("baseline").alt.endswith("Patients start at remission after CAR-T; 3 of 28 states are final.")
    alone = diagram.picture(load(world("ill", {"ill": DEATH}, title="Illness")))
    assert alone.alt == "Patients start at ill; 1 of 1 state is final. Illness."


def test_to_stands_between_the_ends_of_a_range_and_an_arrow_before_what_policies_change() -> None:
    shares = {RELAPSE: (0.2, 0.095), CARE: (0.8, 0.905), CR: (nan, 0.5), PR: (0.3, 0.3)}
    of = Branches(("today", "less"), shares, frozenset({RELAPSE, CARE}))
    assert [of.in_words(arrow) for arrow in shares] == ["20 → 9.5 %", "80 → 90 %", "50 %", "30 %"]
    of = Branches(("today", "a", "b", "c"), {RELAPSE: (0.5, 0.03, 0.5, 0.4)}, frozenset({RELAPSE}))
    assert of.in_words(RELAPSE) == "50 → 3.0 to 40 %"


def test_the_flow_says_that_the_simulated_patients_are_treated_under_no_policy() -> None:
    pathway = load_pathway("b_all_post_cd19")
    for picture in (flow.picture(pathway, letter(), width=width) for width in (style.WIDTH, style.COMPACT)):
        assert picture is not None
        assert picture.title.startswith("In the model as fitted, ")
        assert "37 patients simulated as these were treated, not under a policy" in in_one_line(picture.figure)


def test_streams_leave_room_for_the_words_above_the_bars() -> None:
    picture = flow.picture(load_pathway("b_all_post_cd19"), letter())
    assert picture is not None
    drawing = picture.figure.axes[1]
    assert len(drawing.texts) > 30
    assert [text.get_text() for text in drawing.texts if struck(drawing, text)] == []


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
