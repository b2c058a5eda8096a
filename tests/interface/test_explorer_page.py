"""The explorer in a real browser: sliders move by keyboard, and what they show is what the command line says."""

import base64
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import worlds
from browser import Page, browser
from sojourn_times import exponential

from simulator.engines.model import resolve
from simulator.evidence.draws import load_informed_draws, values
from simulator.explorer.check import settings
from simulator.explorer.page import html
from simulator.explorer.page_model import page_model, summed
from simulator.scenario.scenario import load_scenario

Command = Callable[..., Any]
DRAWS = 50
OUTCOMES = [
    *((f"os_{month}", 100.0, 100 * 2e-5) for month in (6, 12, 24, 60)),
    ("median_os", 1.0, 0.05),
    *((f"rmst_{month}", 1.0, 2e-5 * month) for month in (12, 60)),
    *((name, 1.0, 0.02) for name in ("salvage_courses", "hscts")),
    ("hsct_bed_months", 1.0, 0.1),
    ("car_t_products", 1.0, 0.02),
]
"""What a page shows of the shipped pathway: the run's name, its factor on the page, and how far they may be apart."""
CHOICES = ("hsct_wait_median=0.5,2", "hazard_ratio.after_hsct.relapse_after_salvage=0.5")
MEANS = ".map(({ label, of, values }) => ({ label, mean: of(values)[0] }))"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def explorer(tmp_path_factory: pytest.TempPathFactory, unchecked_pages: None) -> str:
    """The address of the page of the baseline, with two presets and three solved values."""
    from simulator.explorer.making import make

    file = tmp_path_factory.mktemp("page") / "explorer.html"
    make([load_scenario(name) for name in ("baseline", "wider-salvage", "no-hsct")], file, choices=CHOICES, draws=DRAWS)
    return file.as_uri()


def test_a_slider_moves_by_keyboard_and_the_answer_follows(page: Page, explorer: str) -> None:
    page.open(explorer)
    assert page.text("answer").startswith("Today: 29 of 100 (95 % interval ")
    page.press("p-salvage_uptake", "ArrowRight", times=39)
    assert page.run("document.getElementById('p-salvage_uptake').value") == "88"
    assert re.match(
        r"With this setting, 5\d of 100 \(95 % interval .*: 2\d more than today \(95 % interval .*\)\.$",
        page.text("answer"),
    )
    assert "as other cohorts suggest" in page.text("estimates")
    assert page.run("location.hash") == "#salvage_uptake=0.88"


def test_the_address_restores_a_setting_and_a_button_takes_it_back(page: Page, explorer: str) -> None:
    page.open(f"{explorer}#salvage_uptake=0.7&benefit=0.4&mix.cd19=20,10,7")
    answer = page.text("answer")
    page.open(explorer)
    assert page.text("answer") != answer
    page.open(f"{explorer}#salvage_uptake=0.7&benefit=0.4&mix.cd19=20,10,7")
    assert page.text("answer") == answer
    page.press("back", "Enter")
    assert page.text("answer").startswith("Today")
    assert page.run("location.hash") == ""


def test_up_to_four_settings_are_kept_side_by_side_and_the_address_restores_them(page: Page, explorer: str) -> None:
    page.open(f"{explorer}#salvage_uptake=0.7&mix.cd19=20,10,7")
    for _ in range(5):
        page.press("keep", "Enter")
        page.press("p-salvage_uptake", "ArrowRight")
    assert len(page.run("location.hash").split("kept.=")) == 5
    texts = {name: page.text(name) for name in ("kept", "numbers", "drawing")}
    assert [f"Kept {k}" in texts["numbers"] for k in range(1, 6)] == [True] * 4 + [False]
    page.open(explorer + page.run("location.hash"))
    assert {name: page.text(name) for name in texts} == texts
    page.run("document.querySelector('#kept button').click()")
    assert page.run("document.querySelectorAll('#kept li').length") == 3
    page.press("keep", "Enter")
    assert "first relapse: 75 of 100" in page.text("kept")


@pytest.mark.representatives(3)
@pytest.mark.parametrize(
    "address",
    ["salvage_uptake=2", "salvage_uptake=", "benefit=x", "mix.cd19=1", "nobody=1", "%", "value.hsct_wait_median=9"],
)
def test_an_address_that_says_nothing_changes_nothing(page: Page, explorer: str, address: str) -> None:
    page.open(f"{explorer}#{address}")
    assert page.text("answer").startswith("Today")


def test_a_solved_value_is_chosen_by_keyboard_one_at_a_time_and_taken_back(page: Page, explorer: str) -> None:
    page.open(explorer)
    page.press("lever-0--1", "ArrowRight", times=2)
    assert page.run("location.hash") == "#value.hsct_wait_median=2"
    assert re.match(r"With this setting, \d\d of 100 .* fewer than today", answer := page.text("answer"))
    assert "median time from response to the HSCT admission" in page.text("setting")
    assert "hsct_wait_median" not in page.run("explorer.data.fixed.join()")
    page.press("lever-1--1", "ArrowRight")
    assert page.run("location.hash") == "#value.hazard_ratio.after_hsct.relapse_after_salvage=0.5"
    assert page.run("document.getElementById('lever-0--1').checked")
    page.press("lever-1-2", "ArrowLeft")
    assert page.text("answer").startswith("Today")
    page.open(f"{explorer}#value.hsct_wait_median=2")
    assert page.text("answer") == answer
    assert page.run("document.getElementById('lever-0-1').checked")
    page.press("back", "Enter")
    assert page.run("location.hash") == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [
        worlds.slow(""),
        "&value.hsct_wait_median=2",
        worlds.slow("&value.hazard_ratio.after_hsct.relapse_after_salvage=0.5"),
    ],
)
def test_the_pages_scenario_run_on_the_command_line_gives_the_pages_number(
    page: Page, explorer: str, aftercart: Command, tmp_path: Path, value: str
) -> None:
    page.open(f"{explorer}#salvage_uptake=0.7&hsct_if_cr=0.9&benefit=0.4&mix.cd19=20,10,7{value}")
    (tmp_path / "setting.toml").write_text(page.run("asToml(explorer.data, explorer.setting)"), encoding="utf-8")
    command = page.text("command").split()
    assert command[:3] == ["aftercart", "compare", "baseline"]
    command[command.index("setting.toml")] = str(tmp_path / "setting.toml")
    rows = json.loads(aftercart(*command[1:], "--json", "--out", str(tmp_path / "out")).stdout)
    of = {
        (row["scenario"], row["outcome"]): row
        for row in rows
        if (row["population"], row["clock"]) == ("all", "relapse")
    }
    row = of["setting", "os_12"]
    displayed = page.run("summary(explorer.moreAt(12))")
    expected = [100 * row[name] for name in ("difference", "difference_lower", "difference_upper")]
    assert displayed == pytest.approx(expected, abs=100 * 4e-5)
    outcomes = page.run("explorer.columns.map(([, s]) => outcomesOf(explorer.data, s).map((o) => o.of(o.values)))")
    lines = page.run("asCsv(explorer.data, explorer.columns)").splitlines()[1:]
    assert [list(map(float, line.split(",")[-3:])) for line in lines] == [
        row for rows_of_scenario in outcomes for row in rows_of_scenario
    ]
    for scenario, values_of_scenario in zip(("baseline", "setting"), outcomes, strict=True):
        for (name, factor, tolerance), row in zip(OUTCOMES, values_of_scenario, strict=True):
            expected = [factor * of[scenario, name][key] for key in ("estimate", "lower", "upper")]
            assert row == pytest.approx(expected, abs=tolerance), (scenario, name)
    occupancy = pd.read_csv(tmp_path / "out" / "occupancy.csv").query("clock == 'relapse' and month == 24")
    at = "explorer.data.occupiedMonths.indexOf(24)"
    for k, scenario in enumerate(("baseline", "setting")):
        there = page.run(
            f"Object.keys(explorer.data.there).map((s) => [s, summary(explorer.columns[{k}][1].there(s, {at}))[0]])"
        )
        expected = occupancy[occupancy["scenario"] == scenario].set_index("state")["probability"]
        assert dict(there) == pytest.approx({state: expected[state] for state, _ in there}, abs=1e-4)


def test_what_patients_have_gone_through_adds_up(page: Page, explorer: str) -> None:
    """All who relapse are treated or not; all were alive before; by the last month courses are those counted."""
    page.open(f"{explorer}#salvage_uptake=0.7&mix.cd19=20,10,7")
    page.run("window.total = (read, states, m) => states.reduce((sum, s) => sum + PER * summary(read(s, m))[0], 0)")
    entered = "total(explorer.now.entered, {}, {})".format
    month = page.run("explorer.data.occupiedMonths.indexOf(12)")
    assert page.run(entered("['relapse']", month)) == pytest.approx(100)
    assert page.run(entered("['salvage_choice']", month)) == pytest.approx(70, abs=0.01)
    assert page.run(entered("['supportive_care']", month)) == pytest.approx(30, abs=0.01)
    died = page.run(entered("Object.keys(explorer.data.entered).filter((s) => s.startsWith('death_'))", month))
    assert died == pytest.approx(100 - page.run("summary(aliveAt(explorer.data, explorer.now, 12))[0]"), abs=0.01)
    treated = ["chemotherapy", "immunotherapy", "car_t_reinfusion", "dual_target_reinfusion"]
    treated = [name for name in treated if page.run(f"'{name}' in explorer.data.entered")]
    courses = page.run("PER * summary(explorer.now.count('salvage_courses'))[0]")
    assert page.run(entered(json.dumps(treated), "explorer.data.occupiedMonths.length - 1")) == pytest.approx(courses)


def test_a_years_patients_of_a_centre_are_so_many_hundreds(page: Page, explorer: str) -> None:
    """Beds in use: 12 months of 40 patients a year, each of whom holds a bed for so many months (Little's law)."""
    page.open(f"{explorer}#salvage_uptake=0.7")
    assert page.run("document.getElementById('centre-numbers').hidden")
    page.run("document.getElementById('centre').value = 40; explorer.show()")
    per_100 = {o["label"]: o["mean"] for o in page.run(f"outcomesOf(explorer.data, explorer.now){MEANS}")}
    a_year = {o["label"]: o["mean"] for o in page.run(f"centreOf(explorer.data, explorer.now, 40){MEANS}")}
    assert a_year["alive at 12 months"] == pytest.approx(0.4 * per_100["alive at 12 months, of 100"])
    assert a_year["HSCTs"] == pytest.approx(0.4 * per_100["HSCTs to month 60, per 100"])
    beds = 0.4 * per_100["HSCT bed-months to month 60, per 100"] / 12
    assert a_year["HSCT beds in use on average"] == pytest.approx(beds)
    assert "HSCT beds in use on average" in page.text("per-year")


def test_a_median_that_most_parameter_sets_do_not_reach_is_a_dash_and_has_no_difference(
    page: Page, explorer: str
) -> None:
    assert page.run("middle([2, Infinity, 3, 4])") == [3.5, pytest.approx(2.075), None]
    page.open(explorer)
    assert page.run("withInterval([4.2, 2.7, Infinity], 'months')") == "4.2 (2.7\u00a0or\u00a0more)"
    assert page.run("withInterval(middle([Infinity, Infinity, 3]), 'months')") == "\u2013"


def test_a_page_that_starts_from_a_policy_names_it_and_not_today(page: Page, tmp_path: Path) -> None:
    from simulator.explorer.making import make

    make([load_scenario("wider-salvage")], tmp_path / "page.html", draws=20)
    page.open((tmp_path / "page.html").as_uri())
    assert page.text("answer").startswith("wider-salvage: ")
    page.open(f"{(tmp_path / 'page.html').as_uri()}#salvage_uptake=0.6")
    assert " fewer than under wider-salvage (" in page.text("answer")
    assert "have to benefit" not in page.text("estimates")


def test_the_figure_says_from_which_month_on_patients_are_no_longer_followed(page: Page, tmp_path: Path) -> None:
    from simulator.explorer.making import make

    make([load_scenario("baseline")], tmp_path / "page.html", draws=3, horizon=84.0)
    page.open((tmp_path / "page.html").as_uri())
    assert page.run("[...document.querySelectorAll('.followed')].length") == 2
    assert page.text("marks").endswith("every figure is an extrapolation. So few parameter sets give rough intervals.")
    assert page.text("read").startswith("At month 12: ")
    page.press("month", "End")
    assert page.text("read").startswith("At month 84 (none followed): ")


def test_a_figure_that_is_taken_along_has_the_colours_of_the_page(page: Page, explorer: str, tmp_path: Path) -> None:
    page.open(explorer)
    (tmp_path / "survival.svg").write_text(page.run("asSvg(document.getElementById('survival'))"), encoding="utf-8")
    assert "--today" in (tmp_path / "survival.svg").read_text(encoding="utf-8")
    page.send("Page.navigate", url=(tmp_path / "survival.svg").as_uri())
    page.run("new Promise((done) => setTimeout(done, 100))")
    assert page.run("getComputedStyle(document.querySelector('.line.today')).fill") == "none"


@pytest.mark.parametrize("more", [worlds.slow("four others"), "a centre"])
def test_a_setting_prints_on_one_sheet_with_four_others_or_a_centre(page: Page, explorer: str, more: str) -> None:
    kept = "".join(f"&kept.=salvage_uptake%3D0.{tenth}" for tenth in (7, 5, 3, 1))
    page.open(f"{explorer}#salvage_uptake=0.88{kept if more == 'four others' else '&centre.=40'}")
    assert page.run("document.getElementById('centre-numbers').hidden") == (more == "four others")
    sheets = page.send("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"]
    assert len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(sheets))) == 1


def test_tables_that_do_not_fit_say_so(page: Page, explorer: str) -> None:
    page.open(f"{explorer}#salvage_uptake=0.7&kept.=salvage_uptake%3D0.6", width=360)
    wide = page.run("[...document.querySelectorAll('.scroll[data-wide] table')].map(({ id }) => id)")
    assert wide == ["numbers", "where", "by-then"]
    page.open(explorer, width=1280)
    assert page.run("document.querySelectorAll('.scroll[data-wide]').length") == 0


def test_a_preset_is_the_scenario(page: Page, explorer: str) -> None:
    page.open(explorer)
    page.run("document.querySelector('#presets button').click()")
    assert page.run("location.hash") == "#salvage_uptake=0.88"


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked_pages")
@pytest.mark.parametrize(
    "base", [worlds.slow("baseline"), "chemotherapy for half", worlds.slow("dual-target-reinfusion")]
)
def test_the_model_of_the_page_is_that_of_numpy(page: Page, tmp_path: Path, base: str) -> None:
    """On the same parameter sets, in random settings; also where the base has set a share of a choice itself."""
    from simulator.explorer.making import make

    scenario = load_scenario(base if base == "dual-target-reinfusion" else "baseline")
    if base == "chemotherapy for half":
        scenario = replace(scenario, name=base, set={"share_chemotherapy": 0.5})
    given = values(load_informed_draws(scenario.pathway), slice(0, DRAWS))
    model = page_model(scenario, given, 60.0)
    make([scenario], tmp_path / "page.html", draws=DRAWS)
    page.open((tmp_path / "page.html").as_uri())
    for chosen, _ in settings(model, np.random.default_rng(20241203), given):
        setting = {
            "moved": {list(scenario.pathway.parameters).index(name): value for name, value in chosen.set.items()},
            "margins": {name: list(shares.values()) for name, shares in chosen.population.items()},
            "benefit": chosen.marginal_benefit,
        }
        script = "((s) => explorer.data.months.map((_, t) => Array.from(column(explorer.data, (i) => s.alive(i, t)))))"
        alive = np.array(page.run(f"{script}(solve(explorer.data, {json.dumps(setting)}))")).T
        expected = 1.0 - summed(resolve(chosen, given), model.deaths, model.curves)[:, : len(model.months)]
        np.testing.assert_allclose(alive, expected, atol=2e-5)


def test_nothing_is_asked_of_any_network_and_the_console_has_no_complaint(page: Page, explorer: str) -> None:
    page.requests.clear()
    page.complaints.clear()
    page.open(explorer)
    page.press("p-salvage_uptake", "ArrowRight", times=5)
    page.press("keep", "Enter")
    page.press("month", "ArrowLeft", times=3)
    assert {request.partition(":")[0] for request in page.requests} <= {"file", "about"}
    assert len([request for request in page.requests if request.startswith("file")]) == 1
    assert page.complaints == []


def test_a_table_of_waits_is_shown_where_a_centre_was_simulated(page: Page, explorer: str, tmp_path: Path) -> None:
    page.open(explorer)
    assert page.run("document.getElementById('queue').hidden")
    table = {
        "caption": "<i>Two beds",
        "head": ["beds", "mean wait, days"],
        "rows": [["1", "80 (70 to 90)"]],
        "note": "&",
    }
    scenario = load_scenario("baseline")
    solved = page_model(scenario, values(load_informed_draws(scenario.pathway), slice(0, 2)), 24.0)
    (tmp_path / "page.html").write_text(html(solved, {}, None, {"median": 0.0}, queue=table), encoding="utf-8")
    page.open((tmp_path / "page.html").as_uri())
    assert page.text("waits") == "<i>Two bedsbedsmean wait, days180 (70 to 90)"
    assert page.text("waits-note") == "&"
    assert not page.run("document.getElementById('queue').hidden")


def test_hostile_names_stay_text(page: Page, tmp_path: Path) -> None:
    from simulator.explorer.making import make

    hostile = "</script><img src=x onerror=alert(1)>"
    pathway = worlds.world(
        "ill",
        {
            "ill": worlds.decision(treated="uptake", left="rest"),
            "treated": worlds.sojourn(dead=exponential(mean="stay")) | {"label": hostile},
            "left": worlds.sojourn(dead=exponential(mean=3.0)),
        },
        parameters={
            "uptake": worlds.share(0.5, lever=True) | {"meaning": hostile, "source": hostile},
            "stay": worlds.parameter("months", 9.0) | {"meaning": hostile, "source": hostile},
        },
    ) | {"title": hostile}
    make([worlds.scenario(pathway)], tmp_path / "page.html", choices=["stay=3,12"], horizon=24.0)
    page.complaints.clear()
    page.open((tmp_path / "page.html").as_uri())
    assert page.text("title") == hostile
    assert page.text("lever-0").startswith(hostile)
    assert page.run("document.querySelectorAll('img').length") == 0
    assert page.complaints == []


@pytest.mark.parametrize("scheme", [worlds.slow("light"), "dark"])
def test_the_page_can_be_used_by_everybody(page: Page, explorer: str, scheme: str) -> None:
    """By the rules of axe-core: labels, contrast, landmarks."""
    if "AXE" not in os.environ:
        assert os.environ.get("CI") != "true", ".ci/run installs axe-core"
        pytest.skip("AXE=.../axe.min.js names no axe-core")
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.open(f"{explorer}#salvage_uptake=0.6")
    page.run("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    page.press("keep", "Enter")
    page.run("document.getElementById('centre').value = 40; explorer.show()")
    page.send("Runtime.evaluate", expression=Path(os.environ["AXE"]).read_text(encoding="utf-8"))
    assert page.run("axe.run().then(({ violations }) => violations.map(({ id, help }) => `${id}: ${help}`))") == []


@pytest.mark.parametrize("months", ["6", "0.2", "nan"])
def test_a_page_that_would_end_before_its_answer_is_refused(months: str, aftercart: Command, tmp_path: Path) -> None:
    refused = aftercart("explore", "--draws", "2", "--horizon", months, "--out", str(tmp_path / "page.html"))
    assert refused.exit_code == 2
    assert "month" in refused.stderr


@pytest.mark.parametrize("out", [".", "missing/page.html", "/dev/null"])
def test_what_cannot_be_a_file_is_refused_before_anything_is_solved(
    out: str, aftercart: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.explorer.making.page_model", None)
    assert aftercart("explore", "--out", out).exit_code == 2


def test_siblings_that_give_way_are_shown_as_they_are(page: Page, explorer: str) -> None:
    page.open(f"{explorer}#share_chemotherapy=0.9")
    names = ("chemotherapy", "immunotherapy", "car_t_reinfusion", "dual_target_reinfusion")
    displayed = [page.run(f"Number(document.getElementById('p-share_{name}').value)") for name in names]
    assert sum(displayed) == pytest.approx(100, abs=2)
    assert "share of chemotherapy" in page.text("setting")


@pytest.mark.parametrize("width", [360, *map(worlds.slow, (768, 2560))])
def test_nothing_is_wider_than_the_window(page: Page, explorer: str, width: int) -> None:
    page.open(f"{explorer}#salvage_uptake=0.88", width=width)
    assert page.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    "bad",
    [
        ("regional-centre",),
        ("baseline", "regional-centre"),
        ("baseline", "dual-target-reinfusion"),
        ("wider-salvage", "baseline"),
        ("baseline", "--choose", "hsct_wait_median=-1"),
        ("baseline", "--choose", "hazard_ratio.after_hsct.relapse_after_salvage=1"),
    ],
)
def test_what_a_page_cannot_serve_is_refused_and_no_file_is_left(
    bad: tuple[str, ...], aftercart: Command, tmp_path: Path
) -> None:
    out = tmp_path / "page.html"
    refused = aftercart("explore", *bad, "--draws", "5", "--out", str(out))
    assert refused.exit_code == 2
    assert len(refused.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".toml"] == []


@pytest.mark.slow
def test_a_slider_redraws_the_page_within_150_ms(page: Page, tmp_path: Path) -> None:
    from simulator.explorer.making import make

    made = make([load_scenario("baseline")], tmp_path / "page.html")
    assert made.draws == 400
    assert made.size < 3_000_000
    page.open((tmp_path / "page.html").as_uri())
    took = []
    for _ in range(20):
        page.press("p-salvage_uptake", "ArrowRight")
        took.append(page.run("took"))
    print(f"median of 20: {np.median(took):.0f} ms, file {made.size / 1e6:.1f} MB")
    assert np.median(took) < 150
