"""What policies add, how many must benefit, and 100 patients as dots. Their numbers are the tables'."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lettering import struck
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from worlds import slow

from simulator.evidence.cohort import Cohort
from simulator.experiment.results import Results
from simulator.experiment.run import compare, run
from simulator.figures import difference, gallery, needed, patients, style
from simulator.figures.picture import Picture
from simulator.figures.text import CUT
from simulator.scenario.scenario import load_scenario
from simulator.wording import added, statements
from simulator.wording.added import Added
from simulator.wording.difference import Difference

ENDS = ("difference", "difference_lower", "difference_upper")
WIDTHS = [style.WIDTH, style.COMPACT]


def row_of(results: Results, scenario: str, outcome: str) -> pd.Series:
    table = results.outcomes
    rows = table[(table["scenario"] == scenario) & (table["outcome"] == outcome) & (table["population"] == "all")]
    return rows[rows["clock"] == results.scenarios[0].pathway.clock].iloc[0]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def marks(figure: Figure, marker: str) -> list[Line2D]:
    """Return the marks of a kind that lie on the scale, and not in the key."""
    return [line for axes in figure.axes[1:] for line in axes.get_lines() if line.get_marker() == marker]


def intervals(figure: Figure) -> list[list[float]]:
    return [list(line.get_xdata()) for line in figure.axes[1].get_lines() if line.get_linewidth() == 2.4]


@pytest.fixture(scope="module")
def of_policies() -> Results:
    return compare("baseline", "wider-salvage", "no-hsct", "universal-salvage", draws=2, horizon=12.0)


def drawn(picture: Picture | None) -> Picture:
    assert picture is not None
    return picture


@pytest.mark.parametrize("width", WIDTHS)
def test_one_policy_has_a_row_a_month_with_the_differences_of_the_table(results: Results, width: float) -> None:
    figure = drawn(difference.picture(results, clock="relapse", width=width)).figure
    months = results.scenarios[0].pathway.months.survival
    rows = [row_of(results, "wider-salvage", f"os_{month:g}") for month in months]
    cautious = [row_of(results, "wider-salvage@cohorts", f"os_{month:g}") for month in months]
    for marker, table in (("o", rows), ("D", cautious)):
        displayed = [float(line.get_xdata()[0]) for line in marks(figure, marker)]
        np.testing.assert_allclose(displayed, [100 * row["difference"] for row in table])
    expected = [[100 * row[end] for end in ENDS[1:]] for pair in zip(rows, cautious, strict=True) for row in pair]
    np.testing.assert_allclose(intervals(figure), expected)
    for row in (*rows, *cautious):
        value, lower, upper = (f"{100 * row[end]:.0f}" for end in ENDS)
        assert f"+{value} ({lower} to {upper})".replace("-", "\N{MINUS SIGN}") in texts(figure)


def test_several_policies_have_a_row_each_at_the_answers_month_in_their_own_colour(of_policies: Results) -> None:
    figure = drawn(difference.picture(of_policies, clock="relapse")).figure
    policies = ["wider-salvage", "no-hsct", "universal-salvage"]
    expected = [100 * row_of(of_policies, name, "os_12")["difference"] for name in policies]
    dots = marks(figure, "o")
    np.testing.assert_allclose([float(line.get_xdata()[0]) for line in dots], expected)
    lines = style.lines([scenario.name for scenario in of_policies.scenarios])
    assert [to_hex(line.get_color()) for line in dots] == [lines[name].colour.lower() for name in policies]
    assert len(marks(figure, "D")) == 2, "nobody is additional without HSCT"
    assert {"Wider salvage", "wider-salvage"} <= set(texts(figure))


def test_a_policy_whose_title_has_no_room_is_named_and_nothing_of_it_is_cut(of_policies: Results) -> None:
    title = "A centre that treats as widely as it can, in every year"
    long = [replace(one, title=title) for one in of_policies.scenarios]
    figure = drawn(
        difference.picture(replace(of_policies, scenarios=long), clock="relapse", width=style.COMPACT)
    ).figure
    assert "universal-\nsalvage" in texts(figure)
    assert not [words for words in texts(figure) if CUT in words]


def test_the_title_says_the_difference_with_its_interval_and_the_cautious_estimate(results: Results) -> None:
    picture = drawn(difference.picture(results, clock="relapse"))
    row, cautious = (row_of(results, name, "os_12") for name in ("wider-salvage", "wider-salvage@cohorts"))
    value, lower, upper = (f"{100 * row[end]:.0f}" for end in ENDS)
    assert picture.title == (
        f"In the model, {value} more of 100 alive at 12 months under wider-salvage (95 % interval {lower} to {upper}); "
        f"cautious estimate {Difference.of_row(cautious)}"
    )
    assert picture.alt == f"{picture.title}."


def test_of_several_policies_the_title_names_the_one_that_changes_most(of_policies: Results) -> None:
    title = drawn(difference.picture(of_policies, clock="relapse")).title
    row = row_of(of_policies, "universal-salvage", "os_12")
    assert title.startswith(f"In the model, universal-salvage changes most: {100 * row['difference']:.0f} more of 100")


def test_policies_without_a_clear_difference_are_said_to_have_none(of_policies: Results) -> None:
    at_answer = added.at_answer(of_policies.outcomes, of_policies.scenarios, "relapse")
    unclear = [replace(one, difference=Difference(0.01, -0.05, 0.06, 0.6), other=None) for one in at_answer]
    assert added.title(unclear, "baseline") == "In the model, no policy clearly changes how many are alive at 12 months"
    alone = added.title(unclear[:1], "baseline")
    assert alone.startswith("In the model, no clear difference, 1.0 more of 100 alive at 12 months under wider-salvage")
    assert "more in 60 of 100 parameter sets" in alone
    of_100 = added.title_of_100(unclear[:1], "baseline")
    assert "; no clear difference (1.0 more; 95 % interval 5.0 fewer to 6.0 more; more in 60 of 100" in of_100


@pytest.mark.parametrize(("margin", "words"), [(5.0, "5 more or better"), (0.5, "0.5 more or better")])
def test_the_margin_of_the_run_is_shaded_and_named(results: Results, margin: float, words: str) -> None:
    other = replace(results, manifest={**results.manifest, "margin": margin})
    picture = drawn(difference.picture(other, clock="relapse"))
    assert words in texts(picture.figure)
    assert any(f"Shaded: {words}." in text.replace("\n", " ") for text in texts(picture.figure))


def test_a_horizon_of_6_months_answers_at_6_months() -> None:
    short = compare("baseline", "no-hsct", draws=2, horizon=6.0)
    assert "alive at 6 months" in drawn(difference.picture(short, clock="relapse")).title
    assert needed.picture(short) is None


def test_one_parameter_set_has_no_intervals_and_the_figures_say_so() -> None:
    single = compare("baseline", "wider-salvage", draws=1, horizon=12.0)
    for picture in (difference.picture(single, clock="relapse"), needed.picture(single)):
        figure = drawn(picture).figure
        assert "One parameter set: uncertainty is not shown." in " ".join(texts(figure)).replace("\n", " ")
    assert not intervals(drawn(difference.picture(single, clock="relapse")).figure)


def test_policies_that_change_as_many_are_all_named(of_policies: Results) -> None:
    at_answer = added.at_answer(of_policies.outcomes, of_policies.scenarios, "relapse")
    tied = [replace(one, difference=Difference(value, value - 0.01, value + 0.01), other=None)
            for one, value in zip(at_answer, (0.181, 0.184, 0.1), strict=True)]  # fmt: skip
    assert added.title(tied, "baseline") == (
        "In the model, no-hsct changes most: 18 more of 100 alive at 12 months (95 % interval 17 to 19); also 18 more "
        "under wider-salvage"
    )
    assert added.title_of_100(tied, "baseline").endswith("under no-hsct; also 18 more under wider-salvage")
    many = [*tied[:1], *[replace(tied[1], scenario=replace(tied[1].scenario, name=name)) for name in "abcd"]]
    assert added.title(many, "baseline").endswith("; also 18 more under wider-salvage, b and 2 more policies")


def test_a_policy_that_changes_nobody_has_as_many_alive_as_the_first(of_policies: Results) -> None:
    (one, *_) = added.at_answer(of_policies.outcomes, of_policies.scenarios, "relapse")
    same = [replace(one, difference=Difference(0.0, 0.0, 0.0), other=None)]
    words = "In the model, as many of 100 are alive at 12 months under wider-salvage as under baseline"
    assert added.title(same, "baseline") == words
    none_left = [replace(same[0], before=0.002)]
    assert ", fewer than one is alive at 12 months under baseline; " in added.title_of_100(none_left, "baseline")


def test_a_month_after_the_follow_up_says_that_fewer_or_none_are_followed(results: Results, cohort: Cohort) -> None:
    for width in WIDTHS:
        words = texts(drawn(difference.picture(results, clock="relapse", cohort=cohort, width=width)).figure)
        assert words.count("fewer followed") == 1, "at 60 months, between 28 and 74.7"
        short = replace(cohort, follow_up=(8.0, 30.0))
        words = texts(drawn(difference.picture(results, clock="relapse", cohort=short, width=width)).figure)
        assert (words.count("fewer followed"), words.count("none followed")) == (2, 1)


def test_lines_are_named_only_where_one_is_drawn(results: Results) -> None:
    alike = replace(results, outcomes=results.outcomes.assign(**dict.fromkeys(ENDS, 0.0)))
    for width in WIDTHS:
        figure = drawn(difference.picture(alike, clock="relapse", width=width)).figure
        words = " ".join(texts(figure)).replace("\n", " ")
        assert "Lines:" not in words
        assert "No lines: every parameter set has the same difference, as rounded." in words


def test_a_run_of_one_scenario_has_nothing_to_compare() -> None:
    alone = run("no-hsct", draws=2)
    assert difference.picture(alone, clock="relapse") is None
    assert patients.picture(alone, clock="relapse") is None
    assert needed.picture(alone) is None


# --- How many must benefit ---


@pytest.mark.slow
def test_the_difference_by_share_is_that_of_runs_at_those_shares(of_policies: Results) -> None:
    benefit = of_policies.benefit
    assert benefit is not None
    assert list(benefit["scenario"].unique()) == ["wider-salvage", "universal-salvage"]
    at_shares = compare("baseline", "wider-salvage@0.3", "wider-salvage@0", draws=3, horizon=24.0)
    runs = ((0.0, at_shares, "wider-salvage@0"), (0.3, at_shares, "wider-salvage@0.3"))
    for share, results, name in (*runs, (1.0, of_policies, "wider-salvage")):
        rows = benefit[(benefit["scenario"] == "wider-salvage") & np.isclose(benefit["share"], share)]
        row = row_of(results, name, "os_12")
        np.testing.assert_allclose(rows.iloc[0][list(ENDS)].astype(float), row[list(ENDS)].astype(float), atol=1e-7)


@pytest.mark.representatives(3)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("of_all", [0.2, slow(0.8), 0.95, slow(1.05), slow(1.3), 3.0])
def test_neither_curve_nor_band_passes_the_name_of_the_margin(results: Results, width: float, of_all: float) -> None:
    benefit, row = results.benefit, row_of(results, "wider-salvage", "break_even_for_5_more_at_12")
    assert benefit is not None
    # The difference that all of the additional patients make is so many margins.
    factor = of_all * 0.05 / benefit["difference"].iloc[-1]
    columns = ["difference", "difference_lower", "difference_upper"]
    of_break_even = results.outcomes["outcome"] == row["outcome"]
    outcomes = results.outcomes.copy()
    outcomes.loc[of_break_even, ["estimate", "lower", "upper"]] /= factor
    scaled = replace(
        results, benefit=benefit.assign(**{name: factor * benefit[name] for name in columns}), outcomes=outcomes
    )
    axes = drawn(needed.picture(scaled, width=width)).figure.axes[1]
    (name,) = (text for text in axes.texts if text.get_text() == "5 more")
    assert struck(axes, name) == []


def test_a_margin_out_of_reach_is_said_with_the_share_that_it_would_take(results: Results) -> None:
    row = row_of(results, "wider-salvage", "break_even_for_5_more_at_12")
    words = (
        "In the model, even if all additional patients benefit, most parameter sets do not give 5 more of 100 alive "
    )
    for estimate, lower, share in (
        (1.06, 0.86, "106 of 100 would have to (95 % interval 86 to more than all)"),
        (163.0, np.nan, "more than 200 of 100 would have to"),
    ):
        beyond = {**row, "estimate": estimate, "lower": lower, "upper": 1.4}
        title = added.title_of_shares({"wider-salvage": beyond}, 5.0, 12.0)
        assert title == f"{words}at 12 months: {share}"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_line_is_the_table_and_the_dot_is_the_smallest_share(results: Results, width: float) -> None:
    picture, benefit = drawn(needed.picture(results, width=width)), results.benefit
    assert benefit is not None
    axes = picture.figure.axes[1]
    line = next(line for line in axes.get_lines() if len(line.get_xdata()) == len(benefit))
    np.testing.assert_allclose(line.get_xdata(), 100 * benefit["share"])
    np.testing.assert_allclose(line.get_ydata(), 100 * benefit["difference"])
    row = row_of(results, "wider-salvage", "break_even_for_5_more_at_12")
    (dot,) = (mark for mark in marks(picture.figure, "o"))
    assert (float(dot.get_xdata()[0]), float(dot.get_ydata()[0])) == (pytest.approx(100 * row["estimate"]), 5.0)
    bar = next(line for line in axes.get_lines() if line.get_linewidth() == 3.6)
    np.testing.assert_allclose(bar.get_xdata(), [100 * row["lower"], 100 * row["upper"]])
    value, lower, upper = (f"{100 * row[end]:.0f}" for end in ("estimate", "lower", "upper"))
    assert f"{value} ({lower} to {upper})\nmust benefit" in texts(picture.figure)
    assert picture.title == (
        f"In the model, for 5 more of 100 alive at 12 months, {value} of 100 additional patients must benefit "
        f"(95 % interval {lower} to {upper})"
    )


def test_what_other_cohorts_suggest_is_drawn_as_shares_of_the_parameter_sets(results: Results) -> None:
    benefit = results.benefit
    assert benefit is not None
    strip = drawn(needed.picture(results)).figure.axes[2]
    heights = [patch.get_data().values for patch in strip.patches]
    assert len(heights) == 2
    for of_one, column in zip(heights, ("by_other_cohorts", "by_the_prior_alone"), strict=True):
        assert of_one.sum() == pytest.approx(1.0)
        np.testing.assert_allclose(np.cumsum(of_one), benefit[column].to_numpy()[2::2])


def test_several_policies_have_a_panel_each_and_all_shares_stand_in_the_title(of_policies: Results) -> None:
    picture = drawn(needed.picture(of_policies))
    shares = []
    for name in ("wider-salvage", "universal-salvage"):
        row = row_of(of_policies, name, "break_even_for_5_more_at_12")
        value, lower, upper = (f"{100 * row[end]:.0f}" for end in ("estimate", "lower", "upper"))
        kind = "" if shares else "95 % interval "
        shares.append(f"{value} ({kind}{lower} to {upper}) under {name}")
    assert picture.title.endswith(f"must benefit: {', '.join(shares)}")


# --- Dots ---


@pytest.mark.parametrize("width", WIDTHS)
def test_there_are_100_dots_in_a_panel_and_as_many_hatched_as_the_difference(
    of_policies: Results, width: float
) -> None:
    figure = drawn(patients.picture(of_policies, clock="relapse", width=width)).figure
    before = row_of(of_policies, "baseline", "os_12")["estimate"]
    for axes, name in zip(figure.axes[1:], ("wider-salvage", "no-hsct", "universal-salvage"), strict=True):
        alive, changed, dead = (len(dots.get_offsets()) for dots in axes.collections)
        more = round(100 * row_of(of_policies, name, "os_12")["difference"])
        assert alive + changed + dead == 100
        assert changed == abs(more)
        assert alive == round(100 * before) + min(more, 0)
        assert axes.collections[1].get_hatch()


def test_the_key_of_dots_names_those_alive_only_where_there_are_some(results: Results) -> None:
    outcomes = results.outcomes.assign(estimate=0.001, **dict.fromkeys(ENDS, 0.0))
    for run_of, is_named in ((results, True), (replace(results, outcomes=outcomes), False)):
        words = texts(drawn(patients.picture(run_of, clock="relapse")).figure)
        assert ("alive under baseline" in words) is is_named


def test_the_key_of_dots_has_the_colour_of_a_policy_only_where_it_is_the_only_one(
    results: Results, of_policies: Results
) -> None:
    for run_of, is_grey in ((results, False), (of_policies, True)):
        page, *dots = drawn(patients.picture(run_of, clock="relapse")).figure.axes
        (sample,) = (patch for patch in page.patches if patch.get_hatch() == patients.MORE)
        edges = {
            to_hex(axes.collections[1].get_edgecolor()[0])
            for axes in dots
            if axes.collections[1].get_hatch() == patients.MORE
        }
        assert (edges == {to_hex(sample.get_edgecolor())}) is not is_grey
        assert (to_hex(sample.get_edgecolor()) == style.QUIET) is is_grey


def test_patients_who_would_die_under_a_policy_are_hatched_otherwise(of_policies: Results) -> None:
    (one, *_) = added.at_answer(of_policies.outcomes, of_policies.scenarios, "relapse")
    assert added.of_100(replace(one, before=0.3, difference=Difference(-0.1))) == (30, -10)
    assert added.of_100(replace(one, before=0.3, difference=Difference(-0.4))) == (30, -30)
    assert patients.MORE != patients.FEWER


# --- All of them ---


def test_a_comparison_opens_with_what_the_policy_adds(pictures: list[Picture], cohort: Cohort) -> None:
    names = [picture.name for picture in pictures]
    assert names[:4] == [difference.NAME, patients.NAME, needed.NAME, "overall_survival"]
    for picture in pictures[:3]:
        assert picture.title.startswith("In the model, ")
        assert len(picture.alt) < 250
        assert picture.compact is not None
        for figure in (picture.figure, picture.compact):
            assert any(re.search(rf"n = {cohort.n}\b", text) for text in texts(figure))
        assert picture.compact.get_figwidth() == style.COMPACT


def _name(draw: Callable[..., Picture]) -> str:
    """Return the module of a figure and its function: "panels by_policy"."""
    return f"{draw.func.__module__.rpartition('.')[2]} {draw.func.__name__}"  # type: ignore[attr-defined]


def test_from_three_options_on_a_panel_a_policy_comes_before_all_curves_in_one(
    of_policies: Results, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(gallery, "in_two_widths", lambda draw: made.append(_name(draw)))
    monkeypatch.setattr("simulator.figures.pathway.diagram.picture", lambda *_, **__: None)
    for compared, panels in ((of_policies, 1), (results, 0)):
        made.clear()
        gallery.gallery(compared)
        assert made[4 : 5 + panels] == ["panels by_policy"] * panels + ["survival picture"]


def test_a_title_of_several_policies_ranges_over_those_that_clearly_differ() -> None:
    clear, most, unclear = (
        Added(load_scenario(name), "relapse", 12.0, 0.3, Difference(*numbers))
        for name, numbers in (
            ("earlier-hsct", (0.01, 0.005, 0.02, 1.0)),
            ("wider-salvage", (0.23, 0.18, 0.29, 1.0)),
            ("no-hsct", (-0.02, -0.08, 0.04, 0.7)),
        )
    )
    title = statements.changes([clear, unclear, most])
    assert title.startswith(
        "In the model, 2 of 3 policies clearly change how many of 100 are alive at 12 months: 1.0 more"
    )
    assert title.endswith("under wider-salvage")
    assert "no-hsct" not in title
    assert statements.changes([unclear, most]).endswith("23 more (95 % interval 18 to 29) under wider-salvage")
