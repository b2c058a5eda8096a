"""The animation in a real browser: at every month it counts what the histories of a run count."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import worlds
from browser import Page, browser
from sojourn_times import exponential, fixed

from simulator import compare
from simulator.analyses.virtual_cohorts.power import virtual_cohorts
from simulator.analyses.virtual_cohorts.settings import Settings as OfCohorts
from simulator.experiment.settings import Settings
from simulator.report.animation.making import make
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario, load_scenario

Command = Callable[..., Any]
TABLE = (
    "[...document.querySelectorAll('#counts tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
)
Tables = list[dict[str, list[str]]]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


def opened(page: Page, file: Path, scenarios: list[Scenario], months: float, **options: Any) -> None:
    settings = Settings(horizon=months, **{"patients": 60, **options})
    make(scenarios, file, settings=settings, n_cohorts=0)
    page.complaints.clear()
    page.open(file.as_uri())
    assert page.complaints == []


def tables(page: Page, months: int) -> Tables:
    """The table of the page at every month, label -> the cell of every scenario."""
    script = f"[...Array({months + 1}).keys()].map((month) => {{ animation.show(month); return {TABLE}; }})"
    return [{label: cells for label, *cells in rows} for rows in page.run(script)]


def counted(events: pd.DataFrame, month: float, column: str) -> "pd.Series[int]":
    """How many are in every state at a month: a patient is in the state that they entered last."""
    return events[events[column] <= month].groupby("patient")["state"].last().value_counts()


def test_counts_waits_and_beds_at_every_month_are_those_of_the_histories(page: Page, tmp_path: Path) -> None:
    pathway = worlds.load(worlds.ward(exponential(mean=2), exponential(mean=6), patience=exponential(mean=9)))
    one, two = (
        Scenario(f"{beds}-beds", pathway, capacity={"beds": Capacity(((0.0, beds), (12.0, beds + 1)))})
        for beds in (3, 5)
    )
    opened(page, tmp_path / "page.html", [one, two], 24.0, engine="des")
    by_month = tables(page, 24)
    run = compare(one, two, engine="des", patients=60, horizon=24.0, replications=1, histories=True)
    assert run.requests is not None
    for place, scenario in enumerate((one, two)):
        events = run.events().query(f"scenario == '{scenario.name}'")
        requests = run.requests.query(f"scenario == '{scenario.name}'")
        ends = requests["granted"].fillna(float("inf")).combine(requests["gone"].fillna(float("inf")), min)
        for month, table in enumerate(by_month):
            there = counted(events, month, "calendar_month")
            for state in ("listed", "ward", "home", "dead"):
                assert int(table[state][place]) == there.get(state, 0), (scenario.name, month, state)
            assert int(table["alive"][place]) == there.sum() - there.get("dead", 0)
            waiting = (requests["asked"] <= month) & (ends > month)
            assert int(table["waiting for beds"][place]) == waiting.sum(), (scenario.name, month)
            units = scenario.capacity["beds"].at(month)
            assert table["beds in use"][place] == f"{there.get('ward', 0)} of {units}"
    assert max(int(table["waiting for beds"][0]) for table in by_month) > 5


@pytest.mark.slow
@pytest.mark.parametrize("names", [("baseline", "wider-salvage"), ("infused", "longer-car-t-remission"), ("no-hsct",)])
def test_counts_of_shipped_scenarios_at_every_month_are_those_of_the_histories(
    page: Page, tmp_path: Path, names: tuple[str, ...]
) -> None:
    scenarios = [load_scenario(name) for name in names]
    pathway = scenarios[0].pathway
    opened(page, tmp_path / "page.html", scenarios, 60.0, patients=300)
    clock = scenarios[-1].leads_with or pathway.clock
    run = compare(*scenarios, engine="microsim", patients=300, draws=1, histories=True).events()
    by_month = tables(page, 60)
    for place, scenario in enumerate(scenarios):
        events = run[run["scenario"] == scenario.name]
        starts = events[events["state"] == pathway.clocks[clock]].groupby("patient")["month"].min()
        events = events.assign(since=events["month"] - events["patient"].map(starts)).dropna(subset="since")
        for month, table in enumerate(by_month):
            there = counted(events, month, "since")
            for name, state in pathway.states.items():
                cells = table.get(state.label)
                assert (int(cells[place]) if cells else 0) == there.get(name, 0), (scenario.name, month, name)


@pytest.mark.slow
def test_a_centre_shows_all_who_have_arrived(page: Page, tmp_path: Path) -> None:
    names = ("letter-centre", "letter-centre-2-beds")
    scenarios = [load_scenario(name) for name in names]
    opened(page, tmp_path / "page.html", scenarios, 60.0)
    run = compare(*scenarios, draws=1, replications=1, histories=True).events()
    labels = {name: state.label for name, state in scenarios[0].pathway.states.items()}
    for month, table in enumerate(tables(page, 60)):
        for place, name in enumerate(names):
            there = counted(run[run["scenario"] == name], month, "calendar_month")
            for state, number in there.items():
                assert int(table[labels[str(state)]][place]) == number, (name, month, state)


@pytest.fixture(scope="module")
def animation(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "animation.html"
    settings = Settings(patients=80, horizon=36.0)
    make([load_scenario("baseline"), load_scenario("wider-salvage")], file, settings=settings)
    return file.as_uri()


@pytest.mark.slow
def test_it_plays_pauses_and_is_moved_by_keyboard(page: Page, animation: str) -> None:
    page.open(animation)
    assert page.text("now").startswith("Month 0 after relapse: 80 of 80 are alive under baseline; ")
    page.press("play", "Enter")
    assert page.text("play") == "Pause"
    assert page.run("document.getElementById('now').getAttribute('aria-live')") == "off"
    page.run("new Promise((done) => setTimeout(done, 400))")
    page.press("play", "Enter")
    month = page.run("animation.month")
    assert 0.2 < month < 3.0
    page.run("new Promise((done) => setTimeout(done, 200))")
    assert page.run("animation.month") == month
    page.press("month", "Home")
    page.press("month", "ArrowRight", times=3)
    assert page.text("month-now") == "0.3"
    page.press("on", "Enter", times=2)
    assert page.text("month-now") == "2"
    page.press("back", "Enter")
    assert page.text("now").startswith("Month 1 after relapse")
    page.press("month", "End")
    assert page.text("month-now") == "36"
    page.open(f"{animation}#12")
    assert page.text("month-now") == "12"


@pytest.mark.slow
def test_a_system_that_asks_for_less_motion_has_stills(page: Page, animation: str) -> None:
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    page.open(animation)
    hidden = "['play', 'speed', 'few-play', 'still-note'].map((id) => document.getElementById(id).hidden)"
    assert page.run(hidden) == [True, True, True, False]
    page.run("[...document.querySelectorAll('#stills button')].find((one) => one.textContent === 'Month 12').click()")
    assert page.text("month-now") == "12"
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "no-preference"}])
    page.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.run(hidden) == [False, False, False, True]


@pytest.mark.slow
def test_cohorts_appear_one_by_one_and_are_those_of_virtual_cohorts(page: Page, animation: str) -> None:
    page.open(animation)
    made = virtual_cohorts(load_scenario("baseline"), settings=OfCohorts(cohorts=20, draws=1, horizon=36.0))
    assert page.text("few-title") == "Why 37 are few"
    alive = []
    for cohort in range(1, 21):
        page.press("few-next", "Enter")
        words = page.text("few-now")
        assert words.startswith(f"Cohort {cohort} of 20: ")
        alive.append(int(words.split(": ")[1].split()[0]))
    assert alive == [round(100 * share) for share in made.cohorts["survival"]]
    assert f"The 20 so far: {min(alive)} to {max(alive)} of 100." in page.text("few-now")
    page.press("few-again", "Enter")
    assert page.text("few-now").startswith("No cohort yet.")
    page.press("few-play", "Enter")
    page.run("new Promise((done) => setTimeout(done, 2000))")
    assert page.text("few-now").startswith(("Cohort 2", "Cohort 3"))


@pytest.mark.slow
def test_it_asks_for_nothing_from_outside_and_keeps_its_policy(page: Page, animation: str) -> None:
    page.requests.clear()
    page.complaints.clear()
    page.open(animation)
    page.run("animation.show(12)")
    assert {request for request in page.requests if request != "about:blank"} == {animation}
    assert page.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 768, 1280, 2560])
def test_nothing_is_wider_than_the_window(page: Page, animation: str, width: int) -> None:
    page.open(f"{animation}#12", width=width)
    assert page.run("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_used_by_everybody(page: Page, animation: str, scheme: str) -> None:
    """By the rules of axe-core: labels, contrast, landmarks."""
    if "AXE" not in os.environ:
        assert os.environ.get("CI") != "true", ".ci/run installs axe-core"
        pytest.skip("AXE=.../axe.min.js names no axe-core")
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.open(f"{animation}#12")
    page.run("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    page.press("few-all", "Enter")
    page.send("Runtime.evaluate", expression=Path(os.environ["AXE"]).read_text(encoding="utf-8"))
    assert page.run("axe.run().then(({ violations }) => violations.map(({ id, help }) => `${id}: ${help}`))") == []


@pytest.mark.slow
def test_hostile_text_stays_text(page: Page, tmp_path: Path) -> None:
    hostile = '</script><img src=x onerror="alert(1)">${1}'
    pathway = worlds.load(worlds.two_state(exponential(mean=5)) | {"title": hostile})
    states = {name: replace(state, label=hostile) for name, state in pathway.states.items()}
    scenario = Scenario(hostile, replace(pathway, states=states), title=hostile)
    opened(page, tmp_path / "page.html", [scenario], 12.0)
    assert page.text("title") == hostile
    assert hostile in page.text("counts")
    assert page.run("document.querySelectorAll('img').length") == 0
    assert page.complaints == []


# --- Without a browser ---


def data_of(file: Path) -> Any:
    text = file.read_text(encoding="utf-8").split('<script type="application/json" id="data">')[1]
    return json.loads(text.split("</script>")[0])


def test_no_two_patients_have_one_place_of_a_box(tmp_path: Path) -> None:
    pathway = worlds.load(worlds.to_and_fro(exponential(mean=3), exponential(mean=2), exponential(mean=20)))
    make([Scenario("now", pathway)], tmp_path / "page.html", settings=Settings(patients=80, horizon=24.0), n_cohorts=0)
    data = data_of(tmp_path / "page.html")
    boxes = {box["state"]: box for box in data["drawing"]["boxes"]}
    for month in range(25):
        last = [[stay for stay in stays if stay[0] <= month][-1] for stays in data["scenarios"][0]["stays"]]
        assert len({(state, slot) for _, state, slot in last}) == 80, month
        for _, state, slot in last:
            box, row = boxes[data["states"][state]["name"]], slot // data["drawing"]["columns"] + 1
            needed = row * data["drawing"]["pitch"] + data["drawing"]["count"]
            assert box["kind"] == "death" or needed <= box["places"] + 1e-6


def test_a_state_in_which_nobody_stays_is_not_drawn_and_arrows_lead_past_choices(tmp_path: Path) -> None:
    make([load_scenario("baseline")], tmp_path / "page.html", settings=Settings(patients=50), n_cohorts=0)
    drawn = data_of(tmp_path / "page.html")["drawing"]
    names = {box["state"] for box in drawn["boxes"]}
    assert "relapse" in names, "the start of the clock"
    assert names.isdisjoint({"salvage_choice", "complete_response", "car_t_remission", "dual_target_reinfusion"})
    assert ("relapse", "immunotherapy") in {(arrow["from"], arrow["to"]) for arrow in drawn["arrows"]}


@pytest.mark.slow
def test_a_milestone_stands_beside_the_state_that_has_its_own_risks(tmp_path: Path) -> None:
    scenarios = [load_scenario(name) for name in ("hsct-as-milestone", "baseline")]
    make(scenarios, tmp_path / "page.html", settings=Settings(patients=80), n_cohorts=0)
    states = [state["name"] for state in data_of(tmp_path / "page.html")["states"]]
    assert {"death_of_treatment", "hsct"} <= set(states)


BAD: dict[str, tuple[tuple[str, ...], str]] = {
    "too many patients": (("baseline", "--patients", "1001"), "--patients: too many to be seen; got 1001"),
    "an engine without patients": (("baseline", "--engine", "exact"), "--engine: the exact engine has no histories"),
    "another pathway": (("baseline", "infused"), "different pathways cannot be compared"),
    "one scenario twice": (("baseline", "baseline"), "two scenarios have one name"),
    "too many cohorts": (("baseline", "--cohorts", "201"), "--cohorts: too many, or too few; got 201"),
    "a horizon before the answer": (("baseline", "--horizon", "6"), "--horizon: the horizon ends before"),
    "no such folder": (("baseline", "--out", "nowhere/page.html"), "--out: no such folder; got 'nowhere'"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_shown_is_refused_in_one_line_and_no_file_is_left(
    case: str, aftercart: Command, folder: Path
) -> None:
    typed, message = BAD[case]
    before = set(folder.iterdir())
    refused = aftercart("animate", *typed)
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert message in refused.stderr
    assert set(folder.iterdir()) == before


def test_a_scenario_that_nobody_enters_is_refused(tmp_path: Path) -> None:
    """All die before the clock starts."""
    states = {
        "well": worlds.sojourn(worlds.exit_to("dead", fixed(1.0)), ill=fixed(9.0)),
        "ill": worlds.sojourn(dead=fixed(1.0)),
    }
    never = Scenario("never", worlds.load(worlds.world("well", states, clocks={"illness": "ill"})))
    with pytest.raises(Exception, match="no patient starts the clock 'illness'"):
        make([never], tmp_path / "page.html", settings=Settings(patients=5, horizon=24.0), n_cohorts=0)
