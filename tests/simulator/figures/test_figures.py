"""Figures agree with the run and with the letter, and are legible."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lettering import DPI, Lettering, collisions, contrast, outside, struck, texts_of
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from worlds import longer_remission, slow

from simulator.analyses.sweep.run import sweep
from simulator.evidence.cohort import Cohort
from simulator.experiment.results import Results
from simulator.experiment.run import compare
from simulator.figures import gallery as gallery_of_runs
from simulator.figures import notes, occupancy, style
from simulator.figures import text as lettering
from simulator.figures.analyses import sweep_text
from simulator.figures.gallery import gallery
from simulator.figures.pathway import branches, diagram, flow, plan, stages
from simulator.figures.pathway.layout import layout
from simulator.figures.picture import Picture, save
from simulator.figures.sheet import COMPACT_LINES, LINES, Grid, Sheet
from simulator.figures.survival import curve, end_points, panels, survival
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario, load_scenario
from simulator.wording.added import Added
from simulator.wording.difference import Difference
from simulator.wording.headline import scenario_in_words
from simulator.wording.intervals import Estimate

SOURCE = "Wang 2024"


def constant_hazards(**hazards: float) -> pd.DataFrame:
    """A survival table in which S(t) = exp(-hazard t) and the band is a tenth either way."""
    months = np.arange(0.0, 120.5, 0.5)
    tables = []
    for scenario, hazard in hazards.items():
        alive = np.exp(-hazard * months)
        columns = {"scenario": scenario, "clock": "relapse", "population": "all", "month": months, "survival": alive}
        tables.append(pd.DataFrame({**columns, "lower": 0.9 * alive, "upper": 1.1 * alive, "monte_carlo_se": 0.0}))
    return pd.concat(tables, ignore_index=True)


def text_of(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")


# --- Texts ---


def test_the_flow_has_the_counts_of_the_letter(pathway: Pathway, cohort: Cohort) -> None:
    cohort_stages = stages.stages(pathway, cohort)
    counts = [sorted(node.count for node in column) for column in cohort_stages.columns]
    assert counts == [[18, 19], [3, 5, 10], [1, 4, 13], [8, 10]]
    assert (cohort_stages.root.count, cohort_stages.fate("alive"), cohort_stages.fate("dead")) == (37, 10, 27)
    assert cohort_stages.fates["hsct", "dead"] == 4
    assert cohort_stages.fates["untreated", "alive"] == 0


def test_the_height_of_a_node_of_the_flow_is_its_number_of_patients(pathway: Pathway, cohort: Cohort) -> None:
    bars, height = flow._place(stages.stages(pathway, cohort))
    assert len(bars) == 1 + 2 + 3 + 3 + 2 + 2
    for bar in bars.values():
        assert bar.height / bars["all"].height == pytest.approx(bar.count / 37)
        assert 0.0 <= bar.foot <= bar.top <= height
    for first, second in combinations(bars.values(), 2):
        assert first.left != second.left or first.top <= second.foot or second.top <= first.foot


def test_simulated_counts_of_the_flow_agree_with_the_predictive_table(pathway: Pathway, cohort: Cohort) -> None:
    cohort_stages = stages.stages(pathway, cohort)
    simulated_counts = flow.simulated(cohort_stages, cohort)
    assert cohort.predictive is not None
    rows = cohort.predictive.set_index("target")
    assert simulated_counts["complete_response"][0] == rows.loc["complete_response", "simulated"]
    assert simulated_counts["alive"][0] == pytest.approx(37 - rows.loc["deaths", "simulated"])
    assert simulated_counts["alive"][1] == pytest.approx(37 - rows.loc["deaths", "upper"])
    assert set(simulated_counts) == {node.key for node in cohort_stages.nodes} - {"all"} | {"alive", "dead"}


def test_the_title_of_the_flow_has_the_reported_and_the_simulated_number_alive(
    pathway: Pathway, cohort: Cohort
) -> None:
    picture = flow.picture(pathway, cohort)
    assert picture is not None
    mean, lower, upper = flow.simulated(stages.stages(pathway, cohort), cohort)["alive"]
    assert picture.title == (
        f"In the model as fitted, {mean:.1f} of 37 patients (95 % interval {lower:.0f} to {upper:.0f}) are alive at "
        "the end of follow-up; as reported, 10 were"
    )
    fitted_to_none = flow.picture(pathway, replace(cohort, predictive=None))
    assert fitted_to_none is not None
    assert fitted_to_none.title == "Of 37 patients, 10 were alive at the end of follow-up"


def test_labels_of_the_flow_cut_no_stream(pathway: Pathway, cohort: Cohort) -> None:
    picture = flow.picture(pathway, cohort)
    assert picture is not None
    assert not [text for text in picture.figure.findobj(Text) if text.get_bbox_patch() is not None]


def test_a_cohort_whose_targets_report_no_stages_has_no_flow(pathway: Pathway, cohort: Cohort) -> None:
    only_survival = replace(cohort, targets=cohort.targets[cohort.targets["kind"] == "survivors"])
    assert flow.picture(pathway, only_survival) is None


def test_the_flow_of_a_large_cohort_without_reported_deaths_fits_one_page(pathway: Pathway, cohort: Cohort) -> None:
    rows = cohort.targets[cohort.targets["kind"] != "deaths"]
    larger = replace(cohort, n=3700, targets=rows.assign(count=100 * rows["count"], n=100 * rows["n"]), predictive=None)
    picture = flow.picture(pathway, larger)
    assert picture is not None
    assert picture.figure.get_figheight() < 14.0
    bars, _ = flow._place(stages.stages(pathway, larger))
    assert bars["all"].height == pytest.approx(sum(bars[arm].height for arm in ("treated", "untreated")))
    assert "alive" not in bars


# --- Content ---


def test_reported_figures_are_drawn_at_their_month_and_value(cohort: Cohort) -> None:
    figure = survival.picture(constant_hazards(today=0.1), clock="relapse", cohort=cohort).figure
    (first, _) = figure.axes[1:]
    circles = [line for line in first.lines if line.get_marker() == "o" and line.get_markerfacecolor() == "white"]
    points = [point for line in circles for point in line.get_xydata().tolist()]
    assert points == [[6.0, 38.0], [12.0, 35.0]]
    ends = [segment[:, 1].tolist() for collection in first.collections for segment in _segments(collection)]
    assert [segment for segment in ends if len(segment) == 2] == [[30.0, 46.0], [27.0, 43.0]]


def _segments(collection: object) -> list[np.ndarray]:
    return collection.get_segments() if hasattr(collection, "get_segments") else []


def test_the_numbers_alive_are_those_of_37_patients(cohort: Cohort) -> None:
    figure = survival.picture(constant_hazards(today=np.log(2) / 6), clock="relapse", cohort=cohort).figure
    whole = figure.axes[0]
    alive = [text.get_text() for text in whole.texts if text.get_text().replace(".", "").isdigit()]
    # As reported at 0, 6 and 12 months, and at 0; then 37 2^(-t / 6) at 0, 3, ... 24 and at 0, 24, ... 120.
    reported, first = ["37", "14", "13", "37"], [f"{37 * 0.5 ** (month / 6):.0f}" for month in range(0, 25, 3)]
    assert alive == [*reported, *first, *(f"{37 * 0.5 ** (month / 6):.0f}" for month in range(0, 121, 24))]


def test_a_curve_is_thin_after_month_28_and_dashed_after_74_7_and_keeps_its_colour(cohort: Cohort) -> None:
    figure = survival.picture(constant_hazards(today=0.01), clock="relapse", cohort=cohort).figure
    whole_horizon = figure.axes[-1]
    parts = {
        (float(line.get_xdata()[0]), float(line.get_xdata()[-1])): line
        for line in whole_horizon.lines
        if line.get_zorder() == 3 and len(line.get_xdata()) > 2
    }
    assert list(parts) == [(0.0, 28.0), (28.0, 74.7), (74.7, 120.0)]
    assert [line.get_linewidth() for line in parts.values()] == [curve.BOLD, curve.THIN, curve.THIN]
    assert [line.get_linestyle() for line in parts.values()] == ["-", "-", "--"]
    assert {to_hex(line.get_color()) for line in parts.values()} == {"#000000"}


def test_follow_up_is_marked_on_its_clock_only(results: Results, cohort: Cohort) -> None:
    figure = survival.picture(results.survival, clock="infusion", cohort=cohort).figure
    assert "fewer" not in text_of(figure)
    assert "±" not in text_of(figure)


def test_estimates_of_a_policy_share_a_colour_and_differ_in_style() -> None:
    lines = style.lines(["baseline", "wider-salvage", "wider-salvage@0.5", "no-hsct"])
    assert lines["wider-salvage"].colour == lines["wider-salvage@0.5"].colour
    assert len({line.colour for line in lines.values()}) == 3
    assert len({line.dash for line in lines.values()}) == 4


def test_only_the_first_of_nine_curves_is_solid_and_all_styles_differ() -> None:
    names = ["baseline", *(f"{name}{end}" for name in ("a", "b", "c", "d") for end in ("", "@0.5"))]
    lines = style.lines(names)
    assert [name for name in names if lines[name].dash == "solid"] == ["baseline"]
    assert len({line.dash for line in lines.values()}) == 9


@given(st.lists(st.integers(1, 4), max_size=12))
def test_no_two_curves_share_a_colour_and_a_dash(estimates: list[int]) -> None:
    names = ["base", *(f"policy-{place}@{k / 4:g}" for place, n in enumerate(estimates) for k in range(n))]
    lines = style.lines(names)
    assert len(set(lines.values())) == len(names)
    assert [name for name in names if lines[name].dash == "solid"] == ["base"]


def test_a_policys_line_is_the_same_in_every_figure_of_a_run(results: Results, pictures: list[Picture]) -> None:
    names = [scenario.name for scenario in results.scenarios]
    drawn = style.lines(names)["wider-salvage@cohorts"]
    by_policy = panels.by_policy(results.survival, {}, [], clock="relapse").figure
    figures = [picture.figure for picture in pictures if picture.name in ("overall_survival", "end_point_efs")]
    (expected,) = (
        style.canvas(1.0, 1.0).add_subplot().plot([0], color=drawn.colour, linestyle=drawn.dash, linewidth=curve.BOLD)
    )
    for figure in (*figures, by_policy):
        assert looks_of([expected])[0] in looks_of([line for axes in figure.axes for line in axes.lines])


def looks_of(lines: list[Line2D]) -> list[tuple[str, object]]:
    return [(to_hex(line.get_color()), line._dash_pattern) for line in lines]  # type: ignore[attr-defined]


def test_names_in_a_policys_colour_have_the_contrast_of_text() -> None:
    for line in style.lines(["base", *(f"policy-{place}" for place in range(6))]).values():
        assert contrast(line.dark, "white") >= 4.5


def test_a_name_with_an_at_sign_is_not_an_estimate_of_another_policy() -> None:
    assert style.family("care@home") == "care@home"
    assert style.family("care@0.5") == "care"
    assert notes.benefits_in_words(["care@home"]) == []


def test_a_label_gives_the_marginal_benefit_in_words_and_a_note_explains_it() -> None:
    names = ["care", "care@0.5", "more-care@0.5", "care@cohorts"]
    assert notes.benefits_in_words(names) == [
        "If 50 % benefit: an assumption about the additional patients.",
        "Cautious estimate: the additional patients benefit as other cohorts suggest (an extrapolation, not a measured "
        "effect).",
    ]
    broken = lettering.broken_name(scenario_in_words("a-policy-of-more-care@cohorts"), 1.6)
    assert broken.split("\n") == ["a-policy-of-more-care", "(cautious estimate)"]


def test_occupancy_shows_every_patient_once(results: Results, pathway: Pathway) -> None:
    drawn = occupancy.stack(results.occupancy, pathway, "relapse")
    named = [name for layer in drawn.layers for name in layer.states]
    assert len(named) == len(set(named))
    for heights in drawn.heights.values():
        assert np.sum(heights, axis=0) == pytest.approx(1.0, abs=1e-6)


def test_a_state_has_one_place_in_every_stack_that_of_the_pathway(results: Results, pathway: Pathway) -> None:
    """Whether few or many patients are in it, early or late: here the progressive ones come first."""
    rows = results.occupancy.copy()
    late = rows["state"].isin(["progressive_disease", "remission_after_hsct"])
    swapped = rows.assign(month=np.where(late, rows["month"].max() - rows["month"], rows["month"]))
    for table in (rows, swapped.sort_values(["scenario", "clock", "month", "state"])):
        layers = occupancy.stack(table, pathway, "relapse").layers
        living = [layer.states[0] for layer in layers if not layer.dead and layer.label != occupancy.OTHER]
        assert living == [name for name in pathway.in_order[::-1] if name in living]


def test_the_title_of_the_states_says_how_many_are_alive_and_where_most_of_them_are(
    results: Results, pathway: Pathway
) -> None:
    titles = {scenario.name: scenario.title for scenario in results.scenarios}
    for width in (style.WIDTH, style.COMPACT):
        picture = occupancy.picture(results.occupancy, results.survival, pathway, titles, clock="relapse", width=width)
        end = occupancy.stack(results.occupancy, pathway, "relapse").end
        rows = results.occupancy[(results.occupancy["clock"] == "relapse") & (results.occupancy["month"] == end)]
        at_end = rows[rows["scenario"] == "baseline"].set_index("state")["probability"]
        alive = at_end[[name for name in at_end.index if pathway.states[name].kind != "death"]]
        most = pathway.states[str(alive.idxmax())].label
        (overall,) = curve.select(results.survival, "relapse", "all", ["baseline"])
        lower, upper = (float(np.interp(end, overall.months, one)) for one in (overall.lower, overall.upper))
        assert alive.max() > 0.5 * alive.sum()
        assert picture.title.startswith(
            f"In the model, {100 * alive.sum():.0f} of 100 are alive {end:g} months after relapse under baseline "
            f"(95 % interval {100 * lower:.0f} to {100 * upper:.0f}; most of them in {most}), "
        )
        assert scenario_titles_in(picture.figure, titles)


def scenario_titles_in(figure: Figure, titles: dict[str, str]) -> bool:
    return all(titles[name] in text_of(figure) for name in ("baseline", "wider-salvage"))


def test_patients_alive_in_the_occupancy_are_the_survivors(results: Results, pathway: Pathway) -> None:
    drawn = occupancy.stack(results.occupancy, pathway, "relapse")
    (overall,) = curve.select(results.survival, "relapse", "all", ["baseline"])
    alive = np.interp(drawn.months, overall.months, overall.survival)
    assert drawn.alive("baseline") == pytest.approx(alive, abs=1e-6)


def test_groups_are_drawn_of_the_first_scenario_alone(results: Results, cohort: Cohort, pathway: Pathway) -> None:
    # wider-salvage treats others, too: next to one another, groups would show who is in them.
    picture = panels.by_group(results.survival, pathway, clock="relapse", cohort=cohort)
    drawn = [axes for axes in picture.figure.axes if axes.get_title(loc="left")]
    assert [axes.get_title(loc="left") for axes in drawn] == [group.label for group in pathway.groups.values()]
    for axes in drawn:
        curves = [line for line in axes.lines if line.get_linewidth() in (curve.BOLD, curve.THIN)]
        assert len(curves) <= 3, "one curve in at most three parts"
        assert {to_hex(line.get_color()) for line in curves} == {"#000000"}
    assert "wider-salvage" not in text_of(picture.figure)
    assert "Of baseline alone: under a policy, other patients are in a group." in text_of(picture.figure)


def test_groups_of_one_scenario_need_no_such_words(cohort: Cohort, pathway: Pathway) -> None:
    frame = constant_hazards(today=0.05).assign(population="untreated")
    assert "alone" not in text_of(panels.by_group(frame, pathway, clock="relapse", cohort=cohort).figure)


def test_a_group_without_patients_is_noted(cohort: Cohort, pathway: Pathway) -> None:
    frame = constant_hazards(universal=0.02).assign(population="untreated", survival=np.nan, lower=np.nan, upper=np.nan)
    picture = panels.by_group(frame, pathway, clock="relapse", cohort=cohort)
    assert "no patients under universal" in text_of(picture.figure)
    assert picture.numbers is not None
    assert [row.cells[0] for row in picture.numbers.rows] == ["no patients"]


def test_scenarios_without_patients_are_noted_where_no_curve_runs() -> None:
    for hazard, highest in ((0.001, 0.5), (0.5, 1.0)):
        frame = constant_hazards(today=hazard, universal=0.02)
        frame.loc[frame["scenario"] == "universal", ["survival", "lower", "upper"]] = np.nan
        figure = panels.by_policy(frame, {}, [], clock="relapse").figure
        (note,) = (text for text in figure.findobj(Text) if "no patients under universal" in text.get_text())
        assert highest - 0.5 < note.get_position()[1] < highest


def test_reported_figures_of_one_month_stand_next_to_one_another(cohort: Cohort) -> None:
    groups = pd.concat([cohort.reported_survival(name, "relapse") for name in ("hsct", "other_treated")])
    axes = style.canvas(3.0, 3.0).add_subplot()
    curve.plot_reported(axes, groups, end=24.0)
    (points,) = (line.get_xydata() for line in axes.lines if line.get_marker() == "o")
    assert points[:, 1].tolist() == [80.0, 63.0]
    assert points[:, 0].mean() == 12.0
    assert points[1, 0] - points[0, 0] == pytest.approx(0.04 * 24.0)


@pytest.mark.parametrize("width", [style.WIDTH, style.COMPACT])
def test_a_title_that_is_too_long_ends_in_an_ellipsis(width: float) -> None:
    long = "In the model, " + " and ".join(["a-policy-of-much-wider-salvage-and-earlier-hsct-at-every-centre"] * 12)
    lines = Sheet(long, "", [], 1.0, width=width).page.texts[0].get_text().split("\n")
    assert len(lines) == (LINES if width == style.WIDTH else COMPACT_LINES)
    assert re.search(r"\w…$", lines[-1])
    assert max(lettering.width(line, style.TITLE, "bold") for line in lines) <= width - 2 * style.MARGIN
    short = Sheet("In the model, nothing", "", [], 1.0, width=width).page.texts[0].get_text()
    assert short == "In the model, nothing"


@pytest.mark.parametrize("width", [style.WIDTH, style.COMPACT])
@pytest.mark.parametrize(
    ("hazards", "horizon"),
    [
        *(slow((0.07, 0.065, 0.072), horizon) for horizon in (12.0, 24.0)),
        ((0.07, 0.065, 0.072), 120.0),
        *(slow((0.07, 0.02, 0.068), horizon) for horizon in (12.0, 120.0)),
        ((0.07, 0.02, 0.068), 24.0),
        slow((0.12, 0.03, 0.1), 24.0),
        slow((0.12, 0.03, 0.1), 120.0),
        slow((0.02, 0.02, 0.3), 24.0),
        ((0.02, 0.02, 0.3), 120.0),
    ],
)
def test_no_other_curve_passes_a_number(
    cohort: Cohort, hazards: tuple[float, ...], horizon: float, width: float
) -> None:
    """Neither those at the answer's month nor the reported ones; its own may, where there is no room beside it."""
    frame = constant_hazards(today=hazards[0], more=hazards[1], less=hazards[2])
    colours = {line.dark: line.colour for line in style.lines(["today", "more", "less"]).values()}
    figure = survival.picture(frame[frame["month"] <= horizon], clock="relapse", cohort=cohort, width=width).figure
    (axes, *_) = (axes for axes in figure.axes if axes.get_ylabel() == "Patients alive (%)")
    numbers = [text for text in axes.texts if re.fullmatch(r"[\d.]+ %|\d+ of \d+\n.*%", text.get_text())]
    curves = [line.get_xydata() for line in axes.lines if line.get_linewidth() == curve.BOLD]
    assert len(numbers) >= 4
    assert curves
    passed = {
        text.get_text(): [
            line for line in struck(axes, text)
            if line.get_linewidth() == curve.BOLD and line.get_color() != colours.get(text.get_color())
        ] for text in numbers
    }  # fmt: skip
    assert {words: lines for words, lines in passed.items() if lines} == {}


@pytest.mark.representatives(2)
@pytest.mark.parametrize("width", [style.WIDTH, style.COMPACT])
@pytest.mark.parametrize("hazards", [(0.051, 0.041, 0.066), (0.0375, 0.031, 0.05), (0.103, 0.056, 0.07)])
def test_a_number_is_nearer_to_its_own_curve_than_to_another(hazards: tuple[float, ...], width: float) -> None:
    """Curves are a line of text apart, or more, but fall by as much beside their numbers."""
    frame = constant_hazards(today=hazards[0], more=hazards[1], less=hazards[2])
    figure = survival.picture(frame[frame["month"] <= 15.0], clock="relapse", width=width).figure
    names = {line.dark: name for name, line in style.lines(["today", "more", "less"]).items()}
    curves = {one.scenario: one for one in curve.select(frame, "relapse", "all")}
    texts = [text for text in texts_of(figure) if re.fullmatch(r"[\d.]+ %", text.words)]
    assert len(texts) == 3
    for text in texts:
        ((month, up),) = figure.axes[1].transData.inverted().transform([text.box.get_points().mean(axis=0)])
        away = {name: abs(up - 100 * one.at(month)[0]) for name, one in curves.items()}
        assert min(away, key=lambda name: away[name]) == names[text.artist.get_color()], text.words


def test_the_bands_are_of_the_first_and_of_a_policy() -> None:
    frame = constant_hazards(**{"today": 0.1, "today@cohorts": 0.12, "wider": 0.05})
    curves = curve.select(frame, "relapse", "all")
    assert [one.scenario for one in curve.banded(curves)] == ["today", "wider"]
    assert [one.scenario for one in curve.banded(curves[:2])] == ["today", "today@cohorts"]
    assert "Bands (of today and wider): " in text_of(survival.picture(frame, clock="relapse").figure)


def test_uncertainty_that_is_not_drawn_is_said_to_be_missing() -> None:
    frame = constant_hazards(today=0.1)
    one_draw = frame.assign(lower=np.nan, upper=np.nan)
    few_runs = frame.assign(upper=frame["upper"].where(frame["month"] < 12.0))
    scraps = frame.assign(upper=frame["upper"].where(frame["month"] % 12.0 > 9.0))
    of_three = ((frame, False, False), (one_draw, True, False), (few_runs, False, True), (scraps, True, False))
    for table, unseen, missing in of_three:
        words = text_of(survival.picture(table, clock="relapse").figure)
        assert ("uncertainty is not shown" in words, "Where a band is missing, too few runs show it." in words) == (
            unseen,
            missing,
        )
    for of_today in (scraps, one_draw):
        other = constant_hazards(other=0.05)
        figure = survival.picture(pd.concat([of_today, other], ignore_index=True), clock="relapse").figure
        assert bands_of(figure) == {style.VERMILLION.lower()}
        assert "Where a band is missing, too few runs show it." in text_of(figure)


def test_months_are_named_with_every_reported_figure(pictures: list[Picture]) -> None:
    (by_group,) = (picture for picture in pictures if picture.name == "survival_by_group")
    words = text_of(by_group.figure)
    assert "reported: 72 ± 11 % at 12 months (13 of 18)" in words
    assert not re.search(r"at \d+ \(", words)


@given(count=st.integers(1, 40), across=st.integers(1, 6))
def test_panels_fill_their_rows_as_evenly_as_they_can(count: int, across: int) -> None:
    grid = Grid(count, across)
    assert grid.columns <= across
    assert (grid.rows - 1) * grid.columns < count <= grid.rows * grid.columns
    assert grid.rows == -(-count // across), "no more rows than the widest panels need"
    assert (grid.columns - 1) * grid.rows < count, "one column fewer would need another row"


def test_many_policies_have_a_panel_each() -> None:
    frame = constant_hazards(**{f"policy-{i}": 0.01 * i for i in range(1, 7)})
    pathway = load_pathway("b_all_post_cd19")
    changes = [
        Added(Scenario(f"policy-{i}", pathway), "relapse", 12.0, 0.9, Difference(-0.1 * i, -0.1 * i - 0.05, -0.1 * i))
        for i in range(2, 7)
    ]
    picture = panels.by_policy(frame, {"policy-2": "A title"}, changes, clock="relapse")
    assert picture.title == (
        "In the model, 5 policies change how many of 100 are alive at 12 months: 60 fewer (95 % interval 60 to 65) "
        "under policy-6 to 20 fewer (95 % interval 20 to 25) under policy-2"
    )
    assert "A title" in text_of(picture.figure)
    of_one = [changes[0], replace(changes[1], difference=Difference(0.01, -0.02, 0.04, 0.6))]
    assert panels.by_policy(frame, {}, of_one, clock="relapse").title == (
        "In the model, 1 of 2 policies clearly changes how many of 100 are alive at 12 months: 20 fewer (95 % interval "
        "20 to 25) under policy-2"
    )
    unclear = [replace(one, difference=Difference(0.01, -0.02, 0.04, 0.6)) for one in changes]
    assert panels.by_policy(frame, {}, unclear, clock="relapse").title == (
        "In the model, no policy clearly changes how many of 100 are alive at 12 months: no clear difference (1.0 "
        "more; 95 % interval 2.0 fewer to 4.0 more; more in 60 of 100 parameter sets) each"
    )
    figure = panels.by_policy(frame, {}, changes, clock="relapse").figure
    titles = text_of(figure)
    assert all(f"policy-{i}" in titles for i in range(2, 7))
    assert len([axes for axes in figure.axes if axes.get_ylim()[0] == 0 and axes.axison]) == 5


def test_a_sweeps_figure_says_what_its_parameters_mean() -> None:
    subtitle = sweep_text.subtitle(sweep("baseline", {"salvage_uptake": [0.5, 0.9]}, draws=1), "Drawn.")
    words = "Drawn. Salvage uptake (salvage_uptake): probability of salvage treatment at the first relapse. Every cell"
    assert subtitle.startswith(words)


# --- The diagram ---


@pytest.fixture(params=[slow(name) if name.endswith("_elsewhere") else name for name in shipped.names()])
def shipped_pathway(request: pytest.FixtureRequest) -> Pathway:
    return load_pathway(request.param)


def test_a_diagram_has_every_state_once(shipped_pathway: Pathway) -> None:
    figure = diagram.picture(shipped_pathway).figure
    drawn = [str(text.get_gid()) for text in figure.findobj(Text) if str(text.get_gid()).startswith("state-")]
    assert sorted(drawn) == sorted(f"state-{name}" for name in shipped_pathway.states)


def test_a_diagram_has_every_transition(shipped_pathway: Pathway) -> None:
    declared = {
        (name, transition.to) for name, state in shipped_pathway.states.items() for transition in state.transitions
    }
    assert set(plan.plan(shipped_pathway).layout.routes) == declared


def test_no_boxes_overlap_and_none_leaves_the_page(shipped_pathway: Pathway) -> None:
    drawn = plan.plan(shipped_pathway)
    for first, second in combinations(drawn.boxes.values(), 2):
        side_by_side = first.left + first.width <= second.left or second.left + second.width <= first.left
        assert (
            side_by_side
            or first.bottom + first.height <= second.bottom
            or second.bottom + second.height <= first.bottom
        )
    for box in drawn.boxes.values():
        assert 0 <= box.left <= box.left + box.width <= drawn.width
        assert 0 <= box.bottom <= box.bottom + box.height <= drawn.height


def test_no_label_is_wider_than_its_box(shipped_pathway: Pathway) -> None:
    for box in plan.plan(shipped_pathway).boxes.values():
        assert lettering.width("\n".join(box.lines), plan.SIZE) <= box.width


def test_no_arrow_runs_through_a_box(shipped_pathway: Pathway) -> None:
    drawn = plan.plan(shipped_pathway)
    for arrow in drawn.layout.routes:
        others = [box for name, box in drawn.boxes.items() if name not in arrow]
        for x, y in _along(plan.points_of(drawn, arrow)):
            for box in others:
                inside_across = box.left < x < box.left + box.width
                assert not (inside_across and box.bottom < y < box.bottom + box.height), arrow


def _along(points: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Points of the drawn path, by the Bernstein form of its cubic pieces."""
    path = diagram._smooth(points)
    for i in range(0, len(path.vertices) - 1, 3):
        a, b, c, d = path.vertices[i : i + 4]
        for t in np.linspace(0, 1, 25):
            x, y = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
            yield float(x), float(y)


def test_arrows_lead_down_unless_they_close_a_cycle(shipped_pathway: Pathway) -> None:
    drawn = plan.plan(shipped_pathway)
    for source, target in drawn.layout.routes:
        leads_down = drawn.boxes[source].bottom > drawn.boxes[target].bottom
        assert leads_down == ((source, target) not in drawn.layout.returns)


def test_a_second_salvage_is_drawn_as_open_in_scenarios_only(pathway: Pathway) -> None:
    drawn = plan.plan(pathway)
    assert drawn.layout.returns == {("relapse_after_salvage", "salvage_choice")}
    assert ("relapse_after_salvage", "salvage_choice") in drawn.closed
    assert "dual_target_reinfusion" not in drawn.open
    assert "complete_response" in drawn.open


def branches_of(*names: str, cohort: Cohort) -> branches.Branches:
    return branches.of_run([load_scenario(name) for name in names], cohort)


def test_arrows_of_a_comparison_have_the_shares_of_both_scenarios(cohort: Cohort, pathway: Pathway) -> None:
    of_both = branches_of("baseline", "wider-salvage", cohort=cohort)
    assert of_both.shares["relapse", "salvage_choice"] == pytest.approx((18 / 37, 0.88))
    assert of_both.in_words(("relapse", "salvage_choice")) == "49 → 88 %"
    assert of_both.changed == {("relapse", "salvage_choice"), ("relapse", "supportive_care")}
    for state in {state for state, _ in of_both.shares}:
        together = np.sum([shares for (name, _), shares in of_both.shares.items() if name == state], axis=0)
        np.testing.assert_allclose(together, 1.0)
    assert cohort.posterior is not None
    mean = cohort.posterior.set_index("parameter")["posterior_mean"]["share_car_t_reinfusion"]
    # Patients with a CD19-negative or dim relapse cannot have it.
    (mix,) = (joint.margin("cd19") for joint in load_scenario("baseline").joints if "cd19" in joint.of)
    share, _ = of_both.shares["salvage_choice", "awaiting_car_t_reinfusion"]
    assert share == pytest.approx(mean * (1.0 - mix["negative_or_dim"]))


def test_a_run_shows_what_its_scenario_opens_next_to_the_pathway_as_declared(cohort: Cohort, pathway: Pathway) -> None:
    alone = branches_of("dual-target-reinfusion", cohort=cohort)
    assert alone.names == (branches.DECLARED, "dual-target-reinfusion")
    drawn = plan.plan(pathway, alone)
    assert "dual_target_reinfusion" in drawn.open
    assert ("salvage_choice", "awaiting_dual_target_reinfusion") in alone.changed & (
        set(drawn.layout.routes) - drawn.closed
    )
    assert branches_of("baseline", cohort=cohort).names == ("baseline",)


def test_an_arrow_whose_time_a_policy_changes_is_coloured(cohort: Cohort) -> None:
    slower = replace(load_scenario("baseline"), name="slower", hazard_ratio={"after_hsct.relapse_after_salvage": 0.5})
    of_both = branches.of_run([load_scenario("baseline"), slower], cohort)
    assert of_both.changed == {("after_hsct", "relapse_after_salvage")}


def test_shares_stand_on_their_arrows_and_hide_nothing(cohort: Cohort, pathway: Pathway) -> None:
    scenarios = [load_scenario(name) for name in ("baseline", "dual-target-reinfusion", "no-hsct")]
    picture = diagram.picture(pathway, scenarios, cohort=cohort)
    assert picture.title.startswith("In the model, ")
    texts = texts_of(picture.figure)
    assert [text for text in texts if text.words.endswith(" %")]
    assert not outside(picture.figure, texts)
    assert not collisions(texts)
    changed = {to_hex(patch.get_edgecolor()) for patch in picture.figure.axes[-1].patches}
    assert branches.CHANGED.lower() in changed


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 9).flatmap(lambda n: st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)))))
def test_any_graph_is_laid_out_without_overlap(edges: set[tuple[int, int]]) -> None:
    states = [f"s{i}" for i in range(max((max(edge) for edge in edges), default=1) + 1)]
    arrows = [(f"s{a}", f"s{b}") for a, b in sorted(edges)]
    positions = layout(states, arrows, width=1.0, gap=0.2, bend=0.1)
    assert sorted(node for layer in positions.layers for node in layer if isinstance(node, str)) == states
    assert set(positions.routes) == {(a, b) for a, b in arrows if a != b}
    for layer in positions.layers:
        places = [positions.across[node] for node in layer]
        for (first, left), (second, right) in combinations(zip(layer, places, strict=True), 2):
            both = isinstance(first, str) and isinstance(second, str)
            assert right - left >= (1.2 if both else 0.0) - 1e-9


@settings(deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=12), st.floats(0.01, 2))
def test_labels_are_moved_as_little_as_their_gaps_allow(targets: list[float], gap: float) -> None:
    places = lettering.label_places(targets, gap, -100.0, 100.0)
    order = np.argsort(targets, kind="stable")
    moved = np.array(places)[order] - np.array(targets)[order]
    gaps = np.diff(np.array(places)[order])
    assert (gaps >= gap - 1e-9).all()
    # Labels that touch share the moves (least squares): theirs sum to zero.
    for cluster in np.split(moved, np.flatnonzero(gaps > gap + 1e-9) + 1):
        assert cluster.sum() == pytest.approx(0.0, abs=1e-6)
        # The lower labels were moved down and the upper ones up.
        assert (np.cumsum(cluster) <= 1e-6).all()


def test_labels_stay_between_the_ends() -> None:
    assert lettering.label_places([99.0, 100.0, 98.0], 5.0, 1.0, 101.0) == [96.0, 101.0, 91.0]
    assert lettering.label_places([2.0, 50.0], 5.0, 3.0, 101.0) == [3.0, 50.0]


def test_a_wrapped_text_keeps_its_words_and_its_width() -> None:
    text = "from relapse after salvage to death, and an uncommonlylongwordthatnobodywouldwrite"
    lines = lettering.wrap(text, 1.0)
    assert "".join(lines).replace("-", "").replace(" ", "") == text.replace(" ", "")
    assert all(lettering.width(line) <= 1.0 for line in lines)


@pytest.mark.parametrize("name", ["As planned for years: a-policy-of-much-wider-salvage-and-earlier-hsct-in-the-south",
    "a-policy-of-much-wider-salvage-and-earlier-hsct-in-the-south", "short", "two words"])  # fmt: skip
def test_a_name_in_two_lines_keeps_its_ends_and_has_no_hyphen_of_another_break(name: str) -> None:
    for inches in (0.9, 1.2, 2.0, 8.0):
        lines = lettering.in_two_lines(name, inches, "bold").split("\n")
        assert len(lines) <= 2
        assert lettering.width("\n".join(lines), weight="bold") <= inches
        assert name.startswith((lines[0], lines[0][:-1]))
        assert name.endswith(lines[-1].rpartition("…")[2])


# --- Drawing ---


def test_n_and_its_number_stay_on_one_line() -> None:
    for inches in np.arange(1.0, 3.0, 0.05):
        lines = lettering.wrap("of a published cohort, n = 37: 35 % of them were alive", float(inches))
        assert sum("n = 37:" in line for line in lines) == 1
        assert sum("35 %" in line for line in lines) == 1


def test_letters_of_other_fonts_are_drawn_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    table = constant_hazards(今日=0.08)
    figure = survival.picture(table, clock="relapse").figure
    assert style.png(figure)
    assert style.svg(figure)
    assert not recwarn.list


def test_every_figure_prints_n_and_the_source(pictures: list[Picture]) -> None:
    for picture in pictures:
        assert "n = 37" in text_of(picture.figure), picture.name
        assert SOURCE in text_of(picture.figure), picture.name


@pytest.fixture(scope="module")
def letterings(pictures: list[Picture]) -> dict[str, tuple[Figure, list[Lettering]]]:
    """Each figure, at both widths, with its texts and where they stand."""
    figures = {picture.name: picture.figure for picture in pictures}
    figures |= {f"{picture.name}_compact": picture.compact for picture in pictures if picture.compact is not None}
    return {name: (figure, texts_of(figure)) for name, figure in figures.items()}


@pytest.mark.slow
def test_every_text_is_inside_its_figure(letterings: dict[str, tuple[Figure, list[Lettering]]]) -> None:
    assert {name: words for name, (figure, texts) in letterings.items() if (words := outside(figure, texts))} == {}


@pytest.mark.slow
def test_notes_keep_the_margin_at_the_right_that_they_have_at_the_left(
    letterings: dict[str, tuple[Figure, list[Lettering]]],
) -> None:
    margin = DPI * style.MARGIN
    for name, (figure, texts) in letterings.items():
        (note,) = (text for text in texts if SOURCE in text.words.replace("\n", " "))
        assert note.box.x0 == pytest.approx(figure.bbox.x0 + margin, abs=2), name
        assert note.box.x1 <= figure.bbox.x1 - margin + 2, name


@pytest.mark.slow
def test_texts_of_a_figure_do_not_overlap(letterings: dict[str, tuple[Figure, list[Lettering]]]) -> None:
    assert {name: pairs for name, (_, texts) in letterings.items() if (pairs := collisions(texts))} == {}


@pytest.mark.usefixtures("in_one_width")
def test_a_figure_does_not_depend_on_the_date_or_matplotlib_settings(
    results: Results, cohort: Cohort, pictures: list[Picture]
) -> None:
    later = replace(results, manifest={**results.manifest, "created": "2099-01-01T00:00:00+00:00"})
    with matplotlib.rc_context({"lines.linewidth": 9.0, "svg.hashsalt": "another"}):
        # Every sixth: to draw them takes the longest. Before the first there are no waits to draw.
        redrawn = [picture for make in gallery_of_runs._makers(later, cohort)[1::6] if (picture := make())]
        for first, second in zip(pictures[::6], redrawn, strict=True):
            assert first.svg == second.svg, first.name
        # The metadata of a PNG file is the same for every figure.
        assert style.png(pictures[0].figure) == style.png(redrawn[0].figure)


def test_drawing_does_not_change_matplotlib_settings(results: Results, cohort: Cohort) -> None:
    with matplotlib.rc_context({"font.size": 33.0}):
        survival.picture(results.survival, clock="relapse", cohort=cohort)
        assert matplotlib.rcParams["font.size"] == 33.0


def test_figures_do_not_use_pyplot() -> None:
    for file in Path(gallery_of_runs.__file__).parents[1].rglob("*.py"):
        assert not re.search(r"import.*\bpyplot\b|\bpyplot import\b", file.read_text(encoding="utf-8")), file


def test_a_figure_that_cannot_be_written_leaves_no_unfinished_file(tmp_path: Path) -> None:
    figure = style.canvas(1.0, 1.0)
    (tmp_path / "picture.png").mkdir()
    with pytest.raises(OSError, match=r"picture\.png"):
        save([Picture("picture", "picture", figure)], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["picture.png", "picture.svg"]


def test_a_dollar_sign_in_a_name_is_a_dollar_sign() -> None:
    figure = survival.picture(constant_hazards(**{"cost $5^2$": 0.1}), clock="relapse").figure
    assert "<svg" in style.svg(figure)
    assert all(not text.get_parse_math() for text in figure.findobj(Text) if "cost" in text.get_text())


@pytest.mark.parametrize(("horizon", "panels_of_it"), [(12.0, 1), (36.0, 1), (48.0, 1), (54.0, 2)])
def test_only_a_horizon_above_four_years_has_a_second_panel(horizon: float, panels_of_it: int) -> None:
    frame = constant_hazards(today=0.1)
    figure = survival.picture(frame[frame["month"] <= horizon], clock="relapse").figure
    assert len(figure.axes) == 1 + panels_of_it  # the sheet with the table, and the panels
    assert ("The whole 54 months" in text_of(figure)) == (panels_of_it == 2)


def hazards(count: int, horizon: float) -> pd.DataFrame:
    """Survival tables of many scenarios with long names, to a horizon."""
    months = np.linspace(0.0, horizon, 121)
    tables = []
    for place in range(count):
        alive = np.exp(-(0.004 + 0.001 * place) * months)
        columns = {"scenario": f"policy-{place}-with-a-longer-name", "clock": "relapse", "population": "all"}
        columns |= {"month": months, "survival": alive, "lower": 0.9 * alive, "upper": np.minimum(1.1 * alive, 1.0)}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize("horizon", [6.0, slow(36.0), 240.0])
@pytest.mark.parametrize("count", [slow(1), slow(6), 14])
@pytest.mark.parametrize("width", [style.WIDTH, style.COMPACT])
def test_names_and_marks_of_survival_neither_overlap_nor_leave_the_figure(
    count: int, horizon: float, width: float, cohort: Cohort
) -> None:
    figure = survival.picture(hazards(count, horizon), clock="relapse", cohort=cohort, width=width).figure
    texts = texts_of(figure)
    assert not outside(figure, texts)
    assert not collisions(texts)


def curves_of(figure: Figure) -> set[str]:
    """The colours of the curves in a figure's first panel."""
    return {to_hex(line.get_color()) for line in figure.axes[1].lines if line.get_linewidth() == curve.BOLD}


def bands_of(figure: Figure) -> set[str]:
    """The colours of the bands in a figure's first panel."""
    return {to_hex(band.get_facecolor()[0]) for band in figure.axes[1].collections if band.get_alpha()}


def test_two_curves_at_most_have_bands_and_the_smallest_share_has_no_curve() -> None:
    names = ["base", "care", "care@cohorts", "care@break-even", "less"]
    frame = constant_hazards(**{name: 0.08 - 0.01 * place for place, name in enumerate(names)})
    figure = survival.picture(frame, clock="relapse").figure
    lines = style.lines(names)
    assert curves_of(figure) == {lines[name].colour.lower() for name in ("base", "care", "less")}
    assert bands_of(figure) == {lines[name].colour.lower() for name in ("base", "care")}
    assert "smallest share" not in text_of(figure)
    assert "Bands (of base and care): 95 % interval" in text_of(figure)


def test_curves_that_coincide_have_one_band_and_the_title_says_so() -> None:
    picture = survival.picture(constant_hazards(base=0.05, same=0.0501), clock="relapse")
    assert bands_of(picture.figure) == {"#000000"}
    assert picture.title.startswith("In the model, the curves coincide: 55 of 100 are alive 12 months after relapse")
    assert "coincide" not in survival.picture(constant_hazards(base=0.05, other=0.06), clock="relapse").title


def test_more_than_six_curves_are_never_drawn() -> None:
    three = [f"p{place}{end}" for place in range(3) for end in ("", "@cohorts", "@0.5")]
    of_three = survival.picture(constant_hazards(base=0.1, **dict.fromkeys(three, 0.05)), clock="relapse").figure
    assert len([text for text in of_three.axes[1].texts if text.get_text() in ("base", "p0", "p1", "p2")]) == 4
    many = survival.picture(
        constant_hazards(base=0.1, **{f"p{i}": 0.05 + 0.001 * i for i in range(8)}), clock="relapse"
    )
    assert curves_of(many.figure) == {"#000000"}
    assert "8 policies are too many curves: what they change is drawn as differences." in text_of(many.figure)
    assert many.title.endswith("; of 8 policies, from 50 under p7 (45 to 56) to 55 under p0 (49 to 60)")


def test_numbers_at_the_answers_month_stand_next_to_curves_and_in_their_order(results: Results) -> None:
    """A number without room between its curve and the next stands above both, as the numbers do."""
    for width in (style.WIDTH, style.COMPACT):
        figure = survival.picture(results.survival, clock="relapse", width=width).figure
        curves = curve.at_most_six(curve.select(results.survival, "relapse", "all"))
        curves.sort(key=lambda one: one.at(12.0)[0])
        heights = []
        for one in curves:
            (number,) = (text for text in figure.axes[1].texts if text.get_text() == f"{one.estimate(12.0).value} %")
            across, up = number.get_position()
            assert across > 12.0
            assert min(abs(up - 100 * other.at(12.0)[0]) for other in curves) < 12.0
            heights.append(up)
        assert heights == sorted(heights)


def test_the_title_of_survival_is_its_numbers(results: Results) -> None:
    title = survival.picture(results.survival, clock="relapse").title
    rows = results.outcomes.set_index(["scenario", "clock", "population", "outcome"])
    for name in ("baseline", "wider-salvage", "wider-salvage@cohorts"):
        row = rows.loc[(name, "relapse", "all", "os_12")]
        alive, lower, upper = (f"{100 * row[column]:.0f}" for column in ("estimate", "lower", "upper"))
        assert re.search(rf"\b{alive} .*{lower} to {upper}\)", title), name
    assert title.startswith("In the model, ")


def test_a_compact_figure_of_survival_is_one_panel_with_its_table_and_the_source_alone(cohort: Cohort) -> None:
    figure = survival.picture(constant_hazards(today=0.1), clock="relapse", cohort=cohort, width=style.COMPACT).figure
    _, axes = figure.axes
    assert axes.get_xlim() == (0.0, 24.0)
    assert list(axes.get_xticks()) == [0.0, 6.0, 12.0, 18.0, 24.0]
    assert "Thin after month" not in text_of(figure)
    assert SOURCE in text_of(figure)
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text().strip()) >= style.COMPACT_SMALL


def test_the_foot_speaks_of_follow_up_only_as_far_as_the_figure_goes(cohort: Cohort) -> None:
    for horizon, thin, dashed in ((6.0, False, False), (36.0, True, False), (120.0, True, True)):
        words = text_of(survival.picture(hazards(1, horizon), clock="relapse", cohort=cohort).figure)
        assert ("Thin after month 28" in words, "dashed after month 74.7" in words) == (thin, dashed)


def test_survival_from_infusion_says_whose_it_is(results: Results, cohort: Cohort) -> None:
    figure = survival.picture(results.survival, clock="infusion", cohort=cohort).figure
    assert "Overall survival from infusion of patients who later reach relapse." in text_of(figure)
    assert "who later" not in text_of(survival.picture(results.survival, clock="relapse", cohort=cohort).figure)
    # As from relapse, curves are thin where follow-up ends; it is reported from relapse.
    assert "It is counted from relapse, so that it ends later from infusion." in text_of(figure)
    widths = {line.get_linewidth() for line in figure.axes[-1].lines if line.get_zorder() == 3}
    assert widths == {curve.BOLD, curve.THIN}


@pytest.mark.slow
def test_survival_is_drawn_from_the_clock_that_leads_and_from_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (panels, "by_group"),
        (end_points, "_picture"),
        (occupancy, "picture"),
        (flow, "picture"),
        (diagram, "picture"),
    ):
        monkeypatch.setattr(module, name, lambda *_, **__: None)
    later = compare("baseline", longer_remission(), draws=1, horizon=12.0)
    (drawn,) = (picture for picture in gallery(later) if picture.name == "overall_survival")
    assert "alive 12 months after infusion under" in drawn.title
    (drawn,) = gallery(compare("baseline", draws=1, horizon=12.0))
    assert "alive 12 months after relapse under" in drawn.title


@pytest.fixture(scope="module")
def efs(pictures: list[Picture]) -> Picture:
    return next(picture for picture in pictures if picture.name == "end_point_efs")


def test_an_end_point_has_a_panel_for_survival_and_one_for_each_cause(efs: Picture, results: Results) -> None:
    panels_of_causes = [axes for axes in efs.figure.axes if axes.get_title(loc="left")]
    titles = [axes.get_title(loc="left") for axes in panels_of_causes]
    assert titles == ["Event-free survival", "No response", "Relapse", "Death"]
    table = results.end_points
    assert table is not None
    names = [name for name in dict.fromkeys(table["scenario"]) if not name.endswith("@break-even")]
    for axes, cause in zip(panels_of_causes, ("", "no response", "relapse", "death"), strict=True):
        rows = table[(table["clock"] == "relapse") & (table["population"] == "all") & (table["cause"] == cause)]
        last = [rows[(rows["scenario"] == name) & (rows["month"] == 12.0)]["probability"].item() for name in names]
        drawn = [line for line in axes.lines if line.get_linewidth() == curve.BOLD]
        ends = [float(np.interp(12.0, line.get_xdata(), line.get_ydata())) for line in drawn]
        np.testing.assert_allclose(ends, 100.0 * np.array(last))
        assert len(axes.collections) <= 2 * 3, "at most two curves have bands, in three shades"


def test_an_end_point_of_many_policies_is_of_the_first_scenario_and_says_so(results: Results, pathway: Pathway) -> None:
    table = results.end_points
    assert table is not None
    first = table[table["scenario"] == "baseline"]
    many = pd.concat([first, *(first.assign(scenario=f"policy-{place}") for place in range(8))])
    (draw,) = end_points.pictures(many, pathway, clock="relapse")
    picture = draw()
    assert picture.title.endswith(" under baseline")
    assert "8 policies are too many curves" in text_of(picture.figure)
    assert curves_of(picture.figure) == {"#000000"}


def test_an_end_points_title_and_words_are_those_of_its_table(efs: Picture, results: Results) -> None:
    outcomes = results.outcomes[(results.outcomes["clock"] == "relapse") & (results.outcomes["population"] == "all")]
    first = outcomes[(outcomes["scenario"] == "baseline") & (outcomes["outcome"] == "efs_12")]["estimate"].item()
    assert f"event-free survival at 12 months is {100 * first:.0f} % " in efs.title
    assert "In the model" in efs.title
    relapse = outcomes[(outcomes["scenario"] == "baseline") & (outcomes["outcome"] == "efs_relapse_12")][
        "estimate"
    ].item()
    assert efs.numbers is not None
    cells = next(row.cells for row in efs.numbers.rows if row.label == "Relapse")
    assert efs.numbers.columns[1].label == "baseline"
    assert isinstance(cells[0], Estimate)
    assert cells[0].value == f"{100 * relapse:.2g}"
