"""What a figure shows is what the run and the letter say, and it can be read."""

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
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from simulator.evidence.cohort import Cohort
from simulator.experiment.results import Results
from simulator.experiment.run import compare
from simulator.figures import gallery as gallery_of_runs
from simulator.figures import notes, occupancy, style
from simulator.figures import text as lettering
from simulator.figures.gallery import gallery
from simulator.figures.pathway import diagram, flow, stages
from simulator.figures.pathway.layout import layout
from simulator.figures.picture import Picture, save
from simulator.figures.survival import curve, panels, survival
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway
from simulator.wording.headline import scenario_in_words

SOURCE = "J Transl Med 2024;22:680"


def constant_hazards(**hazards: float) -> pd.DataFrame:
    """A survival table in which S(t) = exp(-hazard t) and the band is a tenth either way."""
    months = np.arange(0.0, 120.5, 0.5)
    tables = []
    for scenario, hazard in hazards.items():
        alive = np.exp(-hazard * months)
        told = {"scenario": scenario, "clock": "relapse", "population": "all", "month": months, "survival": alive}
        tables.append(pd.DataFrame({**told, "lower": 0.9 * alive, "upper": 1.1 * alive, "monte_carlo_se": 0.0}))
    return pd.concat(tables, ignore_index=True)


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")


def renderer_of(figure: Figure) -> RendererAgg:
    """What measures the texts of a figure, once they have been put in place."""
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    return canvas.get_renderer()


# --- What is said ---


def test_the_alternative_text_says_the_numbers() -> None:
    said = survival.picture(constant_hazards(today=np.log(2) / 12, policy=np.log(2) / 24), clock="relapse").alt
    assert "today: 71 % (64 to 78) alive at 6 months, 50 % (45 to 55) alive at 12 months" in said
    assert "policy: 84 % (76 to 92) alive at 6 months, 71 % (64 to 78) alive at 12 months" in said


def test_the_alternative_text_of_a_real_run_says_its_outcomes(results: Results, pictures: list[Picture]) -> None:
    alt = next(picture.alt for picture in pictures if picture.name == "overall_survival")
    told = results.outcomes.set_index(["scenario", "clock", "population", "outcome"])["estimate"]
    for scenario in ("baseline", "wider-salvage", "wider-salvage@cohorts", "wider-salvage@break-even"):
        alive = told[scenario, "relapse", "all", "os_60"]
        label = scenario_in_words(scenario)
        assert f" {label}: " in alt
        assert f"{100 * alive:.0f} %" in alt.partition(f" {label}: ")[2].partition("60 months")[0]
    assert "38 % (standard error 8) alive at 6 months, 14 of 37" in alt


def test_the_flow_is_drawn_as_the_letter_counts_it(pathway: Pathway, cohort: Cohort) -> None:
    told = stages.stages(pathway, cohort)
    counts = [sorted(node.count for node in column) for column in told.columns]
    assert counts == [[18, 19], [3, 5, 10], [1, 4, 13], [8, 10]]
    assert (told.root.count, told.fate("alive"), told.fate("dead")) == (37, 10, 27)
    assert told.fates["hsct", "dead"] == 4
    assert told.fates["untreated", "alive"] == 0


def test_each_node_of_the_flow_is_drawn_as_tall_as_its_patients_are_many(pathway: Pathway, cohort: Cohort) -> None:
    bars, height = flow._place(stages.stages(pathway, cohort))
    assert len(bars) == 1 + 2 + 3 + 3 + 2 + 2
    for bar in bars.values():
        assert bar.height / bars["all"].height == pytest.approx(bar.count / 37)
        assert 0.0 <= bar.foot <= bar.top <= height
    for one, other in combinations(bars.values(), 2):
        assert one.left != other.left or one.top <= other.foot or other.top <= one.foot


def test_simulated_counts_of_the_flow_are_those_of_the_predictive_table(pathway: Pathway, cohort: Cohort) -> None:
    told = stages.stages(pathway, cohort)
    found = flow.simulated(told, cohort)
    assert cohort.predictive is not None
    rows = cohort.predictive.set_index("target")
    assert found["complete_response"][0] == rows.loc["complete_response", "simulated"]
    assert found["alive"][0] == pytest.approx(37 - rows.loc["deaths", "simulated"])
    assert found["alive"][1] == pytest.approx(37 - rows.loc["deaths", "upper"])
    assert set(found) == {node.key for node in told.nodes} - {"all"} | {"alive", "dead"}


def test_a_cohort_whose_targets_report_no_stages_has_no_flow(pathway: Pathway, cohort: Cohort) -> None:
    only_survival = replace(cohort, targets=cohort.targets[cohort.targets["kind"] == "survivors"])
    assert flow.picture(pathway, only_survival) is None


def test_a_cohort_of_hundreds_whose_deaths_are_not_reported_has_a_flow_of_one_page(
    pathway: Pathway, cohort: Cohort
) -> None:
    rows = cohort.targets[cohort.targets["kind"] != "deaths"]
    many = replace(cohort, n=3700, targets=rows.assign(count=100 * rows["count"], n=100 * rows["n"]), predictive=None)
    picture = flow.picture(pathway, many)
    assert picture is not None
    assert picture.figure.get_figheight() < 14.0
    bars, _ = flow._place(stages.stages(pathway, many))
    assert bars["all"].height == pytest.approx(sum(bars[each].height for each in ("treated", "untreated")))
    assert "alive" not in bars


# --- What is drawn ---


def test_reported_figures_are_drawn_where_the_letter_has_them(cohort: Cohort) -> None:
    figure = survival.picture(constant_hazards(today=0.1), clock="relapse", cohort=cohort).figure
    (first, _) = figure.axes[1:]
    points = [point for line in first.lines if line.get_marker() == "o" for point in line.get_xydata().tolist()]
    assert points == [[6.0, 38.0], [12.0, 35.0]]
    ends = [segment[:, 1].tolist() for collection in first.collections for segment in _segments(collection)]
    assert [each for each in ends if len(each) == 2] == [[30.0, 46.0], [27.0, 43.0]]


def _segments(collection: object) -> list[np.ndarray]:
    return collection.get_segments() if hasattr(collection, "get_segments") else []


def test_the_numbers_at_risk_are_those_of_37_patients(cohort: Cohort) -> None:
    figure = survival.picture(constant_hazards(today=np.log(2) / 6), clock="relapse", cohort=cohort).figure
    whole = figure.axes[0]
    at_risk = [text.get_text() for text in whole.texts if text.get_text().replace(".", "").isdigit()]
    # As reported at 0, 6 and 12 months, and at 0; then 37 2^(-t / 6) at 0, 3, ... 24 and at 0, 24, ... 120.
    reported, first = ["37", "14", "13"], [f"{37 * 0.5 ** (month / 6):.0f}" for month in range(0, 25, 3)]
    assert at_risk == [*reported, *first, "37", *(f"{37 * 0.5 ** (month / 6):.0f}" for month in range(0, 121, 24))]


def test_a_curve_is_lighter_after_month_28_and_dashed_after_74_7(cohort: Cohort) -> None:
    figure = survival.picture(constant_hazards(today=0.01), clock="relapse", cohort=cohort).figure
    whole_horizon = figure.axes[-1]
    parts = {
        (float(line.get_xdata()[0]), float(line.get_xdata()[-1])): line
        for line in whole_horizon.lines
        if line.get_zorder() == 3 and len(line.get_xdata()) > 2
    }
    assert list(parts) == [(0.0, 28.0), (28.0, 74.7), (74.7, 120.0)]
    early, thin, none = parts.values()
    assert (to_hex(early.get_color()), early.get_linestyle()) == ("#000000", "-")
    assert np.mean(matplotlib.colors.to_rgb(thin.get_color())) > 0.3
    assert (thin.get_linestyle(), none.get_linestyle()) == ("-", "--")


def test_follow_up_is_not_marked_on_a_clock_that_it_does_not_count_from(results: Results, cohort: Cohort) -> None:
    figure = survival.picture(results.survival, clock="infusion", cohort=cohort).figure
    assert "fewer" not in words(figure)
    assert "±" not in words(figure)


def test_both_ends_of_a_policy_share_a_colour_and_differ_in_style() -> None:
    lines = style.lines(["baseline", "wider-salvage", "wider-salvage@0.5", "no-hsct"])
    assert lines["wider-salvage"].colour == lines["wider-salvage@0.5"].colour
    assert len({line.colour for line in lines.values()}) == 3
    assert len({line.dash for line in lines.values()}) == 4


def test_only_the_first_of_nine_curves_is_solid_and_no_two_are_alike() -> None:
    names = ["baseline", *(f"{name}{end}" for name in ("a", "b", "c", "d") for end in ("", "@0.5"))]
    lines = style.lines(names)
    assert [name for name in names if lines[name].dash == "solid"] == ["baseline"]
    assert len({line.dash for line in lines.values()}) == 9


def test_a_name_with_an_at_sign_is_no_other_end_of_a_policy() -> None:
    assert style.family("care@home") == "care@home"
    assert style.family("care@0.5") == "care"
    assert notes.benefits_in_words(["care@home"]) == []


def test_a_label_says_the_marginal_benefit_in_words_and_the_note_what_they_mean() -> None:
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


def test_those_alive_in_the_occupancy_are_the_survivors(results: Results, pathway: Pathway) -> None:
    drawn = occupancy.stack(results.occupancy, pathway, "relapse")
    (overall,) = curve.select(results.survival, "relapse", "all", ["baseline"])
    alive = np.interp(drawn.months, overall.months, overall.survival)
    assert drawn.alive("baseline") == pytest.approx(alive, abs=1e-6)


def test_a_group_without_anybody_is_said_to_have_nobody(cohort: Cohort, pathway: Pathway) -> None:
    frame = constant_hazards(today=0.05, universal=0.02)
    frame["population"] = "untreated"
    frame.loc[frame["scenario"] == "universal", ["survival", "lower", "upper"]] = np.nan
    picture = panels.by_group(frame, pathway, clock="relapse", cohort=cohort)
    assert "no patients under universal" in words(picture.figure)
    assert "universal has no patients" in picture.alt


def test_many_policies_get_a_panel_each() -> None:
    frame = constant_hazards(**{f"policy-{i}": 0.01 * i for i in range(1, 7)})
    figure = panels.by_policy(frame, clock="relapse").figure
    titles = words(figure)
    assert all(f"policy-{i}" in titles for i in range(2, 7))
    assert len([axes for axes in figure.axes if axes.get_ylim()[0] == 0 and axes.axison]) == 5


# --- The diagram ---


@pytest.fixture(params=shipped.names())
def shipped(request: pytest.FixtureRequest) -> Pathway:
    return load_pathway(request.param)


def test_a_diagram_has_each_state_once(shipped: Pathway) -> None:
    figure = diagram.picture(shipped).figure
    drawn = [str(text.get_gid()) for text in figure.findobj(Text) if str(text.get_gid()).startswith("state-")]
    assert sorted(drawn) == sorted(f"state-{name}" for name in shipped.states)


def test_a_diagram_has_each_arrow(shipped: Pathway) -> None:
    declared = {(name, transition.to) for name, state in shipped.states.items() for transition in state.transitions}
    assert set(diagram.plan(shipped).layout.routes) == declared


def test_no_boxes_overlap_and_none_leaves_the_page(shipped: Pathway) -> None:
    drawn = diagram.plan(shipped)
    for one, other in combinations(drawn.boxes.values(), 2):
        apart_across = one.left + one.width <= other.left or other.left + other.width <= one.left
        assert apart_across or one.bottom + one.height <= other.bottom or other.bottom + other.height <= one.bottom
    for box in drawn.boxes.values():
        assert 0 <= box.left <= box.left + box.width <= drawn.width
        assert 0 <= box.bottom <= box.bottom + box.height <= drawn.height


def test_no_label_is_wider_than_its_box(shipped: Pathway) -> None:
    for box in diagram.plan(shipped).boxes.values():
        assert lettering.width("\n".join(box.lines), diagram.SIZE) <= box.width


def test_no_arrow_runs_through_a_box(shipped: Pathway) -> None:
    drawn = diagram.plan(shipped)
    for arrow in drawn.layout.routes:
        others = [box for name, box in drawn.boxes.items() if name not in arrow]
        for x, y in _along(diagram.points_of(drawn, arrow)):
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


def test_arrows_lead_down_but_those_that_close_a_cycle(shipped: Pathway) -> None:
    drawn = diagram.plan(shipped)
    for source, target in drawn.layout.routes:
        leads_down = drawn.boxes[source].bottom > drawn.boxes[target].bottom
        assert leads_down == ((source, target) not in drawn.layout.returns)


def test_a_return_to_salvage_is_drawn_as_one_that_only_a_scenario_opens(pathway: Pathway) -> None:
    drawn = diagram.plan(pathway)
    assert drawn.layout.returns == {("relapse_after_salvage", "salvage_choice")}
    assert ("relapse_after_salvage", "salvage_choice") in drawn.closed
    assert "dual_target_reinfusion" not in drawn.open
    assert "complete_response" in drawn.open


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 9).flatmap(lambda n: st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)))))
def test_any_graph_is_laid_out_without_overlap(edges: set[tuple[int, int]]) -> None:
    states = [f"s{i}" for i in range(max((max(edge) for edge in edges), default=1) + 1)]
    arrows = [(f"s{a}", f"s{b}") for a, b in sorted(edges)]
    found = layout(states, arrows, width=1.0, gap=0.2, bend=0.1)
    assert sorted(node for layer in found.layers for node in layer if isinstance(node, str)) == states
    assert set(found.routes) == {(a, b) for a, b in arrows if a != b}
    for layer in found.layers:
        places = [found.across[node] for node in layer]
        for (one, left), (other, right) in combinations(zip(layer, places, strict=True), 2):
            both = isinstance(one, str) and isinstance(other, str)
            assert right - left >= (1.2 if both else 0.0) - 1e-9


@settings(deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=12), st.floats(0.01, 2))
def test_labels_are_moved_as_little_as_their_gaps_allow(wanted: list[float], gap: float) -> None:
    places = lettering.label_places(wanted, gap, -100.0, 100.0)
    order = np.argsort(wanted, kind="stable")
    moved = np.array(places)[order] - np.array(wanted)[order]
    gaps = np.diff(np.array(places)[order])
    assert (gaps >= gap - 1e-9).all()
    # Labels that touch share the moves (least squares): theirs sum to zero.
    for cluster in np.split(moved, np.flatnonzero(gaps > gap + 1e-9) + 1):
        assert cluster.sum() == pytest.approx(0.0, abs=1e-6)
        # The lower ones were pushed down, and the upper ones up: none would rather be on the other side.
        assert (np.cumsum(cluster) <= 1e-6).all()


def test_labels_stay_between_the_ends() -> None:
    assert lettering.label_places([99.0, 100.0, 98.0], 5.0, 1.0, 101.0) == [96.0, 101.0, 91.0]
    assert lettering.label_places([2.0, 50.0], 5.0, 3.0, 101.0) == [3.0, 50.0]


def test_a_wrapped_text_keeps_its_words_and_its_width() -> None:
    text = "from relapse after salvage to death, and an uncommonlylongwordthatnobodywouldwrite"
    lines = lettering.wrap(text, 1.0)
    assert "".join(lines).replace("-", "").replace(" ", "") == text.replace(" ", "")
    assert all(lettering.width(line) <= 1.0 for line in lines)


# --- How it is drawn ---


def test_n_and_its_number_stay_on_one_line() -> None:
    for inches in np.arange(1.0, 3.0, 0.05):
        lines = lettering.wrap("of a published cohort, n = 37: 35 % of them were alive", float(inches))
        assert sum("n = 37:" in line for line in lines) == 1
        assert sum("35 %" in line for line in lines) == 1


def test_letters_that_the_font_has_not_are_drawn_without_a_word(recwarn: pytest.WarningsRecorder) -> None:
    table = constant_hazards(今日=0.08)
    figure = survival.picture(table, clock="relapse").figure
    assert style.png(figure)
    assert style.svg(figure)
    assert not recwarn.list


def test_every_figure_prints_n_and_the_source(pictures: list[Picture]) -> None:
    for picture in pictures:
        assert "n = 37" in words(picture.figure), picture.name
        assert SOURCE in words(picture.figure), picture.name


@pytest.fixture(scope="module")
def letterings(pictures: list[Picture]) -> dict[str, list[tuple[str, Bbox]]]:
    """Each figure's texts and where they stand, with the figure's page first."""
    letterings = {}
    for picture in pictures:
        renderer = renderer_of(picture.figure)
        displayed = [text for text in picture.figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
        boxes = [(text.get_text(), Text.get_window_extent(text, renderer)) for text in displayed]
        letterings[picture.name] = [("page", picture.figure.bbox), *boxes]
    return letterings


def test_every_text_is_inside_its_figure(letterings: dict[str, list[tuple[str, Bbox]]]) -> None:
    for name, ((_, page), *boxes) in letterings.items():
        for text, box in boxes:
            assert page.x0 - 1 <= box.x0, (name, text)
            assert box.x1 <= page.x1 + 1, (name, text)
            assert page.y0 - 1 <= box.y0, (name, text)
            assert box.y1 <= page.y1 + 1, (name, text)


def test_no_two_texts_of_a_figure_lie_on_each_other(letterings: dict[str, list[tuple[str, Bbox]]]) -> None:
    for name, (_, *boxes) in letterings.items():
        for (one, a), (other, b) in combinations([(text, box.shrunk(0.9, 0.7)) for text, box in boxes], 2):
            assert not a.overlaps(b), (name, one, other)


def test_a_figure_drawn_another_day_or_with_a_readers_settings_is_the_same_bytes(
    results: Results, cohort: Cohort, pictures: list[Picture]
) -> None:
    later = replace(results, manifest={**results.manifest, "created": "2099-01-01T00:00:00+00:00"})
    with matplotlib.rc_context({"lines.linewidth": 9.0, "svg.hashsalt": "another"}):
        again = gallery(later, cohort)
        assert len(again) == len(pictures) == 6
        for one, other in zip(pictures, again, strict=True):
            assert one.svg == other.svg, one.name
        # What a file of dots has besides, its metadata, is the same for every figure.
        assert style.png(pictures[0].figure) == style.png(again[0].figure)


def test_drawing_leaves_the_readers_settings_as_they_were(results: Results, cohort: Cohort) -> None:
    with matplotlib.rc_context({"font.size": 33.0}):
        survival.picture(results.survival, clock="relapse", cohort=cohort)
        assert matplotlib.rcParams["font.size"] == 33.0


def test_drawing_needs_no_global_figures() -> None:
    for file in Path(gallery_of_runs.__file__).parents[1].rglob("*.py"):
        assert not re.search(r"import.*\bpyplot\b|\bpyplot import\b", file.read_text(encoding="utf-8")), file


def test_a_figure_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    figure = style.canvas(1.0, 1.0)
    (tmp_path / "picture.png").mkdir()
    with pytest.raises(OSError, match=r"picture\.png"):
        save([Picture("picture", "picture", "", figure)], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["picture.png", "picture.svg"]


def test_a_dollar_sign_in_a_name_is_a_dollar_sign() -> None:
    figure = survival.picture(constant_hazards(**{"cost $5^2$": 0.1}), clock="relapse").figure
    assert "<svg" in style.svg(figure)
    assert all(not text.get_parse_math() for text in figure.findobj(Text) if "cost" in text.get_text())


def test_a_short_horizon_has_one_panel() -> None:
    frame = constant_hazards(today=0.1)
    figure = survival.picture(frame[frame["month"] <= 12], clock="relapse").figure
    assert len(figure.axes) == 2  # the sheet with the table, and the panel


def test_the_clock_that_every_policy_leads_with_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((panels, "by_group"), (occupancy, "picture"), (flow, "picture"), (diagram, "picture")):
        monkeypatch.setattr(module, name, lambda *_, **__: None)
    results = compare("baseline", "longer-car-t-remission", draws=1, horizon=12.0)
    assert [picture.title for picture in gallery(results)] == [
        "Overall survival from infusion",
        "Overall survival from relapse",
    ]
