"""The page gives the answer first, its limits, and a source for every number; it loads nothing from the network."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from worlds import longer_remission, slow

from simulator.errors import InputError
from simulator.evidence.cohort import Cohort, cohorts_folder, load_cohort
from simulator.execution import Pool
from simulator.experiment.results import Results
from simulator.experiment.run import compare, run
from simulator.figures import gallery as figures_of_run
from simulator.figures import style
from simulator.figures.gallery import gallery, overall_survival
from simulator.figures.picture import Picture
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.report import run_folder
from simulator.report.elements import drawing, table
from simulator.report.page import html as page_of
from simulator.report.run_folder import read
from simulator.report.tables import outcomes
from simulator.report.tables.calibration import predictive
from simulator.scenario.scenario import Scenario, load_scenario
from simulator.wording import headline, limits
from simulator.wording.headline import answer
from simulator.wording.intervals import Estimate, rounded
from simulator.wording.opening import clocks
from simulator.wording.paper import UNSURE, conclusion
from simulator.wording.table import Row, Table, columns

COHORTS = Path(__file__).parents[3] / "calibration" / "cohorts"
VOID = {"meta", "br", "img", "link", "input", "hr", "source"}


class Page(HTMLParser):
    """A parsed page: its elements with their attributes, its text, and whether its tags match."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.marked: list[bool] = []
        self.text = ""
        self.unmatched: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {key: value or "" for key, value in attrs}
        self.elements.append((tag, attributes))
        if tag == "tr":
            self.rows.append([])
            self.marked.append(attributes.get("class") == "uninformed")
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unmatched.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.text += data
        if "tr" in self.open and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    def values_of(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]


@pytest.fixture(scope="module")
def figures(pictures: list[Picture]) -> list[Picture]:
    """The run's figures, every fourth at both widths, from the third on empty: to write them takes the longest."""
    widths = [picture if place % 4 == 0 else replace(picture, narrow=None) for place, picture in enumerate(pictures)]
    empty = style.canvas(2.0, 1.0)
    return [*widths[:2], *(replace(one, figure=empty, narrow=one.narrow and (lambda: empty)) for one in widths[2:])]


@pytest.fixture(scope="module")
def html(results: Results, cohort: Cohort, figures: list[Picture]) -> str:
    return page_of(results, cohort=cohort, figures=figures)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short run of two policies, as a script writes it: without figures."""
    folder = tmp_path_factory.mktemp("finished")
    compare("baseline", "no-hsct", draws=1, horizon=12.0).write(folder)
    return folder


@pytest.fixture
def run_of_two(finished: Path, tmp_path: Path) -> Path:
    """A copy of that folder, which a test may damage."""
    return shutil.copytree(finished, tmp_path / "run")


@pytest.fixture(scope="module")
def wider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short run of a policy with a table by share who benefit."""
    folder = tmp_path_factory.mktemp("wider")
    compare("baseline", "wider-salvage", draws=1, horizon=12.0).write(folder)
    return folder


# --- Content ---


def test_the_answer_follows_the_title(results: Results, html: str) -> None:
    sentence = answer(results.outcomes, results.scenarios)
    body = html.partition("<body>")[2]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).strip()
    title, question = "Wider salvage compared with Today&#x27;s practice", results.scenarios[1].question
    assert text.startswith(title)
    before = text.partition(sentence)[0]
    assert question in unescape(before)
    assert len(before) < 300
    assert '<p class="lead">Of 100 patients who relapse, ' in body


def of_wider_salvage(results: Results) -> pd.DataFrame:
    """The outcomes of all patients under wider salvage, from relapse, by their names."""
    rows = results.outcomes
    rows = rows[(rows["scenario"] == "wider-salvage") & (rows["clock"] == "relapse") & (rows["population"] == "all")]
    return rows.set_index("outcome")


def test_the_options_stand_in_a_planners_words_next_to_what_they_take(results: Results, page: Page) -> None:
    start = next(place for place, row in enumerate(page.rows) if row[:1] == ["Option"])
    heads, first, policy = page.rows[start : start + 3]
    table = of_wider_salvage(results)
    assert policy[0] == "Wider salvagewider-salvagesalvage uptake 49 % \N{RIGHTWARDS ARROW} 88 %"
    assert policy[heads.index("Salvage courses per 100 relapses")] == "88"
    assert policy[heads.index("HSCTs per 100 relapses")] == f"{table.loc['hscts', 'estimate']:.0f}"
    assert policy[heads.index("Difference")].startswith(f"+{100 * table.loc['os_12', 'difference']:.0f} (")
    assert first[heads.index("Difference")] == ""


def test_the_conclusion_has_two_sentences_with_the_numbers_of_the_run(results: Results, cohort: Cohort) -> None:
    does, how_sure = conclusion(results, cohort)
    of_policy = of_wider_salvage(results)
    assert f"{100 * of_policy.loc['os_12', 'difference']:.0f} more of 100 patients who relapse" in does
    assert f"{of_policy.loc['hscts', 'difference']:.0f} more HSCTs" in does
    ends = (100 * of_policy.loc["os_12", f"difference_{end}"] for end in ("lower", "upper"))
    assert how_sure.startswith("With only 37 patients behind it, the model can say no better than ")
    assert "{:.0f} to {:.0f} more survivors per 100".format(*ends) in how_sure


def test_without_patients_or_intervals_the_conclusion_says_so() -> None:
    alone = run(Scenario(name="as-it-is", pathway=load_pathway("three_state")), horizon=24.0)
    assert conclusion(alone, None)[1] == f"Not calibrated to patients, {UNSURE}."


def test_the_page_states_its_limits(page: Page) -> None:
    assert "not for decisions about an individual patient" in page.text
    assert "not the effect of a treatment" in page.text
    assert "n = 37" in page.text


def test_the_outcomes_on_the_page_agree_with_the_run(results: Results, page: Page) -> None:
    table = results.outcomes.set_index(["scenario", "clock", "population", "outcome"])
    outcome = table.loc["wider-salvage", "relapse", "all", "os_12"]
    row = next(row for row in page.rows if row[0].startswith("Alive at 12 months"))
    assert row[2] == f"{100 * outcome.estimate:.0f} ({100 * outcome.lower:.0f} to {100 * outcome.upper:.0f})"
    assert row[3].startswith(f"+{100 * outcome.difference:.0f} (")


def test_the_paper_comes_before_its_supplement_which_is_folded(page: Page) -> None:
    sections = [attributes["id"] for tag, attributes in page.elements if tag in ("section", "details") and attributes]
    assert sections[:7] == ["options", "takes", "figures", "sure", "conclusion", "supplement", "outcomes"]
    assert ("details", {"id": "supplement"}) in page.elements
    figures = [attributes["id"] for tag, attributes in page.elements if tag == "figure"]
    assert figures[0] == "figure-what_the_policy_adds"
    behind = ["figure-survival_by_group", "figure-state_occupancy", "figure-cohort_flow", "figure-pathway_diagram"]
    assert figures[-4:] == behind


def test_the_cohort_is_cited_once(page: Page, cohort: Cohort) -> None:
    assert page.text.count(cohort.doi) == 1


@pytest.mark.slow
def test_policies_are_columns_of_one_table_with_their_differences() -> None:
    results = compare("baseline", "no-hsct", "earlier-hsct", draws=2, horizon=24.0)
    page = Page(page_of(results))
    table = results.outcomes.set_index(["scenario", "clock", "population", "outcome"])
    row = next(row for row in page.rows if row[0].startswith("Alive at 12 months"))
    names = [scenario.name for scenario in results.scenarios if not scenario.name.endswith("@break-even")]
    names.sort(key=lambda name: "@" in name)
    assert len(row) == 1 + len(names)
    for name, text in zip(names, row[1:], strict=True):
        outcome = table.loc[(name, "relapse", "all", "os_12")]
        assert text.startswith(f"{100 * outcome.estimate:.0f}")
        if name != "baseline":
            assert f"{100 * outcome.difference:+.1f}".replace("-", "\N{MINUS SIGN}") in text


def test_every_outcome_of_a_comparison_is_printed_with_a_number(wider: Path) -> None:
    """Of the prior alone a column of differences has the probability itself, which is compared already."""
    results = read(wider)
    (policy,) = headline.compared(results.scenarios)
    rows = [row for table in outcomes.of_policy(results, policy, "relapse", outcomes.IN_BRIEF) for row in table.rows]
    assert [row.label for row in rows if not any(map(str, row.cells))] == []
    assert any("by the prior" in str(row.label) for row in rows)


def test_the_page_speaks_of_differences_where_it_has_some() -> None:
    assert "Differences are taken" in limits.numbers(2, has_differences=True, has_errors=False)
    assert "Differences" not in limits.numbers(2, has_differences=False, has_errors=False)


@pytest.mark.slow
def test_a_comparison_of_beds_opens_with_waits() -> None:
    results = compare("letter-centre", "letter-centre-2-beds", draws=1, replications=1, horizon=12.0)
    page = Page(page_of(results, figures=gallery(results)[:2]))
    assert "Of 100 requests" in page.text[:400]
    figures = [attributes["id"] for tag, attributes in page.elements if tag == "figure"]
    assert figures[0] == "figure-how_long_they_wait"


def test_reported_figures_stand_next_to_simulated_ones(page: Page) -> None:
    with (COHORTS / "wang2024" / "predictive.csv").open() as file:
        expected = list(csv.DictReader(file))
    heads = [place for place, row in enumerate(page.rows) if row[:3] == ["Reported figure", "Reported", "Simulated"]]
    lines = [row for row in page.rows[heads[0] :] if len(row) == 7 and row[0] != "Reported figure"]
    assert len(lines) == len(expected)
    assert Counter(row[5] for row in lines) == Counter(row["inside"] for row in expected)
    treated = next(row for row in lines if row[0] == "Alive at 12 months: salvage-treated")
    assert treated[1] == "72 ± 11 % (13 of 18)"
    before = next(row for row in expected if row["target"] == "survivors_12_treated")
    assert treated[3].startswith(f"{float(before['prior_simulated']):.0f} (")
    assert treated[6] == "paragraph 4, sentence 5"


def test_a_reported_figure_outside_its_interval_is_marked(results: Results, cohort: Cohort) -> None:
    assert cohort.predictive is not None
    predictive = cohort.predictive.copy()
    predictive.loc[predictive["target"] == "follow_up_median", "inside"] = "no"
    page_with_mark = Page(page_of(results, cohort=replace(cohort, predictive=predictive)))
    assert ("tr", {"class": "outside"}) in page_with_mark.elements
    assert f"{(predictive['inside'] == 'yes').sum()} lie inside" in page_with_mark.text


def test_every_parameter_is_in_the_register_with_its_source(results: Results, page: Page) -> None:
    rows = {row[0].split()[0]: row for row in page.rows if len(row) == 5 and row[0]}
    for name, parameter in results.scenarios[0].pathway.parameters.items():
        row = next(row for first, row in rows.items() if first.startswith(name) and parameter.meaning in row[0])
        assert row[-1] == parameter.source


def test_parameters_that_the_37_did_not_inform_are_marked(page: Page) -> None:
    with (COHORTS / "wang2024" / "posterior.csv").open() as file:
        rows = [{key: value for key, value in row.items() if value} for row in csv.DictReader(file)]
    silent = set()
    for row in rows:
        moved = abs(float(row["posterior_mean"]) - float(row["prior_mean"])) / float(row["prior_sd"])
        if float(row["contraction"]) < 0.1 and moved < 0.5:
            silent.add(row["parameter"])
    marked = [row[0] for row, mark in zip(page.rows, page.marked, strict=True) if mark]
    assert len(marked) == len(silent) > 0
    assert all(any(name_on_page.startswith(name) for name_on_page in marked) for name in silent)
    assert page.text.count("not informed by the 37") == len(silent)


def test_a_scenario_shows_its_question_its_assumptions_and_its_levers(results: Results, page: Page) -> None:
    for scenario in results.scenarios:
        for text in (scenario.question, scenario.rationale, scenario.assumes):
            assert text in page.text
    assert "[set] salvage_uptake = 0.88" in page.text
    # Under the title and with the scenario's other texts.
    assert page.text.count(results.scenarios[1].question) == 2


def cell(estimate: Estimate) -> str:
    """The text of an estimate in a table of the page."""
    return Page(table(Table(columns("", ""), [Row("median survival", [estimate])]))).rows[1][1]


def test_a_median_that_is_not_reached_is_a_dash_with_its_meaning() -> None:
    estimates = [(np.nan, np.nan, np.nan), (12.0, 9.06, np.nan), (12.0, np.nan, np.nan)]
    assert [cell(rounded(*numbers, "months")) for numbers in estimates] == [
        "\N{EN DASH}", "12.0 (9.1 or more)", "12.0"
    ]  # fmt: skip


def test_numbers_have_a_sign_and_a_minus() -> None:
    assert cell(rounded(0.2534, np.nan, np.nan, "probability", sign="+")) == "+25"
    assert cell(rounded(-3.25, -4.0, 1.0, "months")) == "\N{MINUS SIGN}3.2 (\N{MINUS SIGN}4.0 to 1.0)"


# --- Markup ---


def test_the_page_loads_nothing_from_the_network(html: str, page: Page) -> None:
    drawn = [*page.values_of("src"), *page.values_of("srcset")]
    assert all(address.startswith("data:image/svg+xml,") for address in drawn)
    assert not page.values_of("action")
    assert all(target.startswith("#") for target in (*page.values_of("href"), *page.values_of("xlink:href")))
    assert {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object", "embed"} == set()
    assert "@import" not in html
    assert all(target.startswith(("#", "%23")) for target in re.findall(r"url\(([^)]*)\)", html))
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:\"" in html


def test_every_tag_is_closed(page: Page) -> None:
    assert (page.unmatched, page.open) == ([], [])


def test_ids_are_unique_and_references_have_their_targets(html: str, page: Page) -> None:
    ids = Counter(page.values_of("id"))
    assert [name for name, times in ids.items() if times > 1] == []
    references = {target[1:] for target in page.values_of("href")} | set(re.findall(r"url\(#([^)]*)\)", html))
    assert references <= set(ids)


def test_figures_are_images_with_alternative_text(figures: list[Picture], page: Page) -> None:
    drawn = [attributes for tag, attributes in page.elements if tag == "img"]
    assert sorted(attributes["alt"] for attributes in drawn) == sorted(picture.alt for picture in figures)
    svgs = [unquote(attributes["src"].partition(",")[2]) for attributes in drawn]
    assert sorted(svgs) == sorted(picture.svg for picture in figures)
    assert all(picture.numbers.caption in page.text for picture in figures if picture.numbers is not None)


def test_a_narrow_screen_gets_the_second_width_of_every_figure_that_has_one(figures: list[Picture], page: Page) -> None:
    narrow = [attributes for tag, attributes in page.elements if tag == "source"]
    assert {attributes["media"] for attributes in narrow} == {"screen and (max-width: 720px)"}
    assert not any(re.search(r"[\s<>#]|,$", attributes["srcset"]) for attributes in narrow)
    svgs = [unquote(attributes["srcset"].partition(",")[2]) for attributes in narrow]
    assert sorted(svgs) == sorted(picture.compact_svg for picture in figures if picture.compact is not None)
    assert len(svgs) >= 3


@pytest.mark.parametrize("width", [style.WIDTH, style.COMPACT])
def test_the_letters_of_a_figure_stand_at_the_pages_margin_and_are_not_cut_at_any_width(
    html: str, width: float
) -> None:
    margin = f"{100 * style.MARGIN / width:g}"
    assert f"width: {100 + float(margin):g}%" in html
    assert f"margin-left: -{margin}%" in html
    assert not re.search(r"margin-left: -\d+px", html)


def test_a_note_of_several_tables_stands_once(html: str) -> None:
    assert html.count("the additional patients benefit as other cohorts suggest. This also absorbs") == 1


def test_every_column_of_reported_and_simulated_figures_has_its_width(cohort: Cohort) -> None:
    fitted = next(part for part in predictive(cohort, load_pathway("b_all_post_cd19")) if isinstance(part, Table))
    sheet = files("simulator.report").joinpath("page.css").read_text(encoding="utf-8")
    widths = re.findall(r"\.predictive th:nth-child\((\d)\) { width: ([\d.]+)%", sheet)
    # The last column has the rest.
    assert [int(place) for place, _ in widths] == list(range(1, len(fitted.columns)))
    assert sum(float(width) for _, width in widths) < 92


def test_the_page_of_a_comparison_is_small_enough_to_send(html: str) -> None:
    assert len(html) < 1_500_000


@pytest.mark.slow
def test_the_page_with_every_figure_at_both_widths_is_small_enough_to_send(
    results: Results, cohort: Cohort, pictures: list[Picture]
) -> None:
    assert len(page_of(results, cohort=cohort, figures=pictures)) < 2_000_000


def test_texts_of_a_scenario_are_never_markup(results: Results) -> None:
    markup = '<script>alert("1")</script> & <b title="x">bold</b>'
    first, *others = results.scenarios
    scenarios = (replace(first, title=markup, question=markup, assumes=markup), *others)
    html = page_of(replace(results, scenarios=scenarios))
    parsed = Page(html)
    assert "<script" not in html
    # In the page's title, with the options, and over its texts; its question; what it assumes, there and as a limit.
    assert parsed.text.count(markup) == 6
    assert ("b", {"title": "x"}) not in parsed.elements


def test_a_name_that_looks_like_markup_is_shown_as_it_is() -> None:
    name = '--><script>alert("1")</script>'
    results = run(Scenario(name=name, pathway=load_pathway("three_state")), horizon=24.0)
    html = page_of(results, figures=[overall_survival(results)])
    parsed = Page(html)
    assert "<script" not in html
    assert f"are alive at 12 months under {name}." in parsed.text
    assert all(name in alt for alt in parsed.values_of("alt")[:1])


def test_alternative_text_cannot_break_out_of_its_attribute() -> None:
    drawn = drawing('<svg viewBox="0 0 1 1"><g id="a"/></svg>', "", '"><script>')
    assert "<script" not in drawn
    assert drawn.endswith('alt="&quot;&gt;&lt;script&gt;"></picture>')


def test_the_page_does_not_depend_on_the_date_of_the_run(
    results: Results, cohort: Cohort, figures: list[Picture], html: str
) -> None:
    later = replace(results, manifest={**results.manifest, "created": "2099-01-01T00:00:00+00:00"})
    assert page_of(later, cohort=cohort, figures=figures) == html


# --- Other pathways, other folders ---


@pytest.mark.usefixtures("in_one_width")
@pytest.mark.parametrize("name", [slow("three_state"), "peer_pathway"])
def test_a_pathway_without_a_cohort_has_a_page_too(name: str) -> None:
    results = run(Scenario(name="as-it-is", pathway=load_pathway(name)), horizon=24.0)
    parsed = Page(page_of(results, figures=gallery(results)))
    assert (parsed.unmatched, parsed.open) == ([], [])
    assert "37" not in parsed.text.partition("What it is not")[2].partition("Outcomes")[0]
    assert "not calibrated to a cohort" in parsed.text
    assert "Reported and simulated" not in parsed.text


@pytest.mark.parametrize(
    ("draws", "sentence"),
    [
        slow("mine", "It is calibrated to n = 37 reported patients"),
        ("mine/draws.csv", "It is calibrated to n = 37 reported patients"),
        ("elsewhere.csv", "Its parameter sets come from elsewhere.csv."),
    ],
)
def test_a_page_never_calls_fitted_draws_uncalibrated(draws: str, sentence: str, tmp_path: Path) -> None:
    shutil.copytree(cohorts_folder() / "wang2024", tmp_path / "mine")
    shutil.copy(tmp_path / "mine" / "draws.csv", tmp_path / "elsewhere.csv")
    text = (shipped.path("b_all_post_cd19")).read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(text.replace('"wang2024"', f'"{draws}"', 1), encoding="utf-8")
    pathway = load_pathway(tmp_path / "mine.toml")
    results = run(Scenario(name="as-it-is", pathway=pathway), draws=1, horizon=12.0)
    page = Page(page_of(results, cohort=load_cohort(pathway)))
    assert sentence in " ".join(page.text.split())
    assert "not calibrated" not in page.text
    assert ("Reported and simulated" in page.text) == ("n = 37" in sentence)


@pytest.mark.slow
def test_a_report_made_again_from_its_folder_has_the_same_text(
    results: Results, html: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The figures as pixels have no text to read.
    monkeypatch.setattr(style, "png", lambda figure: b"")
    results.write(tmp_path)
    path = run_folder.write_again(tmp_path)
    rewritten, first = Page(path.read_text(encoding="utf-8")), Page(html)
    assert rewritten.text == first.text
    assert rewritten.values_of("alt") == first.values_of("alt")
    names = {file.name for file in tmp_path.iterdir()}
    assert {"report.html", "overall_survival.svg", "overall_survival.png", "cohort_flow.svg"} <= names
    assert not [name for name in names if name.endswith(".part")]


def test_a_report_made_again_keeps_the_order_of_its_clocks(tmp_path: Path) -> None:
    results = compare("baseline", longer_remission(), draws=1, horizon=12.0)
    results.write(tmp_path)
    assert clocks(read(tmp_path)) == clocks(results) == ["infusion", "relapse"]


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"manifest\.json.*a run's folder"):
        run_folder.write_again(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_a_pathway_that_has_changed_since_is_refused(run_of_two: Path) -> None:
    path = run_of_two / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["pathway"]["sha256"] = "0" * 64
    path.write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="changed since the run"):
        run_folder.write_again(run_of_two)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pathway": {}}', "\x00"])
def test_an_invalid_manifest_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError, match=r"manifest\.json"):
        run_folder.write_again(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("set", 3), ("set", {"onset_rate": "x"}), ("capacity", {"beds": 1}), ("marginal_benefit", None), ("name", "")],
)
def test_a_scenario_of_another_shape_is_refused_with_its_key(run_of_two: Path, key: str, value: object) -> None:
    manifest = json.loads((run_of_two / "manifest.json").read_text(encoding="utf-8"))
    manifest["scenarios"][0][key] = value
    (run_of_two / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match=rf"manifest\.json: scenarios 1.*{key}"):
        run_folder.write_again(run_of_two)


@pytest.mark.parametrize(
    ("key", "value"), [("horizon", None), ("horizon", -1), ("draws", 0), ("replications", 0), ("draws", "x")]
)
def test_a_manifest_of_another_shape_is_refused_with_its_key(run_of_two: Path, key: str, value: object) -> None:
    manifest = json.loads((run_of_two / "manifest.json").read_text(encoding="utf-8"))
    del manifest[key]
    manifest |= {} if value is None else {key: value}
    (run_of_two / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match=rf"manifest\.json: {key}: "):
        run_folder.write_again(run_of_two)


def test_a_folder_of_another_command_is_refused_as_such(run_of_two: Path) -> None:
    for file in run_of_two.glob("*.csv"):
        file.unlink()
    with pytest.raises(InputError, match=r"no results of run or compare .*allowed: the folder of a run"):
        run_folder.write_again(run_of_two)


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("survival", "survival", "7"),
        ("survival", "month", "1e300"),
        ("survival", "month", "-5"),
        ("occupancy", "probability", "-1"),
        ("end_points", "probability", "1.5"),
        ("outcomes", "estimate", "7"),
        ("outcomes", "monte_carlo_se", "-1"),
    ],
)
def test_an_impossible_number_is_refused_with_its_line(run_of_two: Path, name: str, column: str, value: str) -> None:
    path = run_of_two / f"{name}.csv"
    header, first, *rows = path.read_text().splitlines()
    cells = dict(zip(header.split(","), first.split(","), strict=True)) | {column: value}
    path.write_text("\n".join([header, ",".join(cells.values()), *rows]) + "\n")
    with pytest.raises(InputError, match=rf"{name}\.csv: line 2, {column}: out of range; got "):
        run_folder.write_again(run_of_two)


@pytest.mark.parametrize("name", ["survival", "outcomes", "occupancy", "end_points"])
@pytest.mark.parametrize(
    "copied_rows", [[0, 0], slow([0, 0, 1]), slow([1])], ids=["twice, another lost", "twice", "lost"]
)
def test_a_repeated_or_missing_row_is_refused_if_all_patients_are_one_population(
    tmp_path: Path, name: str, copied_rows: list[int]
) -> None:
    scenario = Scenario(name="today", pathway=load_pathway("three_state"))
    run(scenario, engine="exact", horizon=12).write(tmp_path)
    path = tmp_path / f"{name}.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *(rows[place] for place in copied_rows), *rows[2:]]) + "\n")
    with pytest.raises(InputError, match=rf"{name}\.csv: not the whole table"):
        run_folder.write_again(tmp_path)


def test_end_points_of_another_pathway_are_refused(run_of_two: Path) -> None:
    path = run_of_two / "end_points.csv"
    path.write_text(path.read_text().replace(",efs,relapse,", ",efs,recurrence,"))
    with pytest.raises(InputError, match=r"end_points\.csv: not the whole table of the run"):
        run_folder.write_again(run_of_two)


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (1, "survival"),
        *(slow(1, name) for name in ("outcomes", "occupancy", "end_points")),
        *(slow(lines, name) for lines in (2, 50) for name in run_folder.TABLES),
        *((-1, name) for name in (*run_folder.TABLES, "end_points")),
    ],
)
def test_a_truncated_table_is_refused_by_its_name(run_of_two: Path, lines: int, name: str) -> None:
    path = run_of_two / f"{name}.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:lines]))
    with pytest.raises(InputError, match=rf"{name}\.csv"):
        run_folder.write_again(run_of_two)


@pytest.mark.parametrize("lines", [slow(1), slow(2), -1])
def test_a_truncated_table_by_share_who_benefit_is_refused(wider: Path, tmp_path: Path, lines: int) -> None:
    path = shutil.copytree(wider, tmp_path / "run") / "benefit.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:lines]))
    with pytest.raises(InputError, match=r"benefit\.csv: not the whole table of the run"):
        run_folder.read(path.parent)


def test_a_run_of_an_earlier_version_without_that_table_can_be_read(wider: Path, tmp_path: Path) -> None:
    assert run_folder.read(wider).benefit is not None
    earlier = shutil.copytree(wider, tmp_path / "run")
    (earlier / "benefit.csv").unlink()
    assert run_folder.read(earlier).benefit is None


def test_a_table_without_a_column_is_refused_by_its_name(run_of_two: Path) -> None:
    path = run_of_two / "survival.csv"
    pd.read_csv(path).drop(columns="lower").to_csv(path, index=False)
    with pytest.raises(InputError, match=r"survival\.csv: a column is missing.*allowed: lower"):
        run_folder.write_again(run_of_two)


@pytest.mark.slow
@pytest.mark.usefixtures("work_by_other_processes")
@pytest.mark.parametrize("names", [["three_state"], slow(["baseline", "wider-salvage"])])
def test_figures_and_report_are_the_same_files_in_however_many_processes(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = {"report.html", "overall_survival.png", "overall_survival_compact.svg"}
    if names == ["three_state"]:
        # Without most pictures: to draw them takes the longest. Before survival there are those of policies.
        makers = figures_of_run._makers
        monkeypatch.setattr(figures_of_run, "_makers", lambda *of: makers(*of)[3:5])
    else:
        expected |= {"state_occupancy_compact.svg"}
    scenarios = [Scenario("today", load_pathway(name)) if name in shipped.names() else name for name in names]
    results, written = compare(*scenarios, draws=1, horizon=24.0), []
    for jobs in (1, 2):
        (folder := tmp_path / str(jobs)).mkdir()
        with Pool(jobs) as pool:
            run_folder.write(results, folder, pool)
        assert len(pool.starting) == jobs - 1
        written.append({file.name: sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()})
    assert written[0] == written[1]
    assert expected <= written[0].keys()


@pytest.mark.parametrize("moved", [False, True])
def test_a_run_of_the_users_own_pathway_is_reported_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: bool
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "own.toml").write_bytes((shipped.path("three_state")).read_bytes())
    monkeypatch.chdir(home)
    monkeypatch.setattr(run_folder, "gallery", lambda *_: [])  # the paths are what is tested
    results = run(Scenario(name="as-it-is", pathway=load_pathway("own.toml")), horizon=24.0)
    (home / "results" / "run").mkdir(parents=True)
    results.write(home / "results" / "run")
    monkeypatch.chdir(tmp_path)
    if moved:
        home = home.rename(tmp_path / "elsewhere")
    page = run_folder.write_again(home / "results" / "run")
    assert str(tmp_path) not in page.read_text(encoding="utf-8")


@pytest.mark.usefixtures("in_one_width")
def test_without_relapses_the_report_counts_from_infusion() -> None:
    never_relapsing = replace(load_scenario("baseline"), name="never", hazard_ratio={"car_t_remission.relapse": 0.0})
    results = run(never_relapsing, draws=1, horizon=12.0)
    pictures = gallery(results)
    names = [picture.name for picture in pictures]
    assert names == ["overall_survival", "end_point_efs", "state_occupancy", "pathway_diagram"]
    assert "alive 12 months after infusion under never" in pictures[0].title
    assert "100 are alive 12 months after infusion" in Page(page_of(results)).text


@pytest.mark.slow
@pytest.mark.usefixtures("in_one_width")
def test_if_no_patient_relapses_under_one_scenario_the_other_is_drawn() -> None:
    never_relapsing = replace(load_scenario("baseline"), name="never", hazard_ratio={"car_t_remission.relapse": 0.0})
    results = compare("baseline", never_relapsing, draws=1)
    numbers = {picture.name: picture.numbers for picture in gallery(results)}
    survival, states = numbers["overall_survival"], numbers["state_occupancy"]
    assert survival is not None
    assert states is not None
    assert [row.cells[0] for row in survival.rows if row.label == "never"] == ["no patients"]
    assert "never" not in [column.label for column in states.columns]
    assert answer(results.outcomes, results.scenarios).endswith("No patient reaches relapse under never.")
