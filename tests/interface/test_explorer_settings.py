"""Settings of the explorer in a real browser: of a base that sets shares itself, and of pathways with hostile names."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import worlds
from browser import Page, browser
from sojourn_times import exponential

from simulator.explorer.making import make
from simulator.scenario.scenario import load_scenario

pytestmark = pytest.mark.slow
"""What the browser shows of the shipped pathway is in the default suite."""

HEAD = 'title = "made up"\nassumes = "nothing"\n'
BASE = HEAD + 'base = "baseline"\n[set]\nshare_immunotherapy = 0.8\n'
POLICY = """
title = "made up"
assumes = "nothing"
base = "base.toml"
[set]
salvage_uptake = 0.88
[population]
cd19 = { positive = 2, negative_or_dim = 1, unknown = 1 }
"""
BOTH = "explorer.columns.map(([, of]) => summary(aliveAt(explorer.data, of, 12))[0])"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def of_own_base(tmp_path_factory: pytest.TempPathFactory, unchecked_pages: None) -> str:
    """The address of a page whose base sets a share, with a policy on it as a button."""
    folder = tmp_path_factory.mktemp("page")
    for name, text in (("base", BASE), ("policy", POLICY)):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    scenarios = [load_scenario(folder / f"{name}.toml") for name in ("base", "policy")]
    make(scenarios, folder / "page.html", draws=3, horizon=24.0)
    make(scenarios[1:], folder / "policy.html", draws=3, horizon=24.0)
    return (folder / "page.html").as_uri()


def test_a_button_keeps_what_the_base_sets(page: Page, of_own_base: str) -> None:
    page.open(of_own_base.replace("page.html", "policy.html"))
    (expected,) = page.run(BOTH)
    page.open(of_own_base)
    page.run("document.querySelector('#presets button').click()")
    assert page.run(BOTH)[1] == pytest.approx(expected, abs=0.01)
    assert page.text("mix-cd19-0-now") == "50 of 100"


def test_an_address_restores_a_setting_that_moves_what_the_base_sets(page: Page, of_own_base: str) -> None:
    page.open(of_own_base)
    page.press("p-share_immunotherapy", "Home")
    page.press("p-share_chemotherapy", "End")
    setting, address = page.text("setting"), page.run("location.hash")
    page.open(of_own_base + address)
    assert page.text("setting") == setting
    page.run("document.getElementById('p-share_immunotherapy').parentElement.querySelector('button').click()")
    assert page.text("p-share_immunotherapy-now") == "0 of 100"


def test_a_setting_that_leaves_patients_nowhere_to_go_has_no_numbers(page: Page, of_own_base: str) -> None:
    page.complaints.clear()
    page.open(f"{of_own_base}#share_chemotherapy=0&share_immunotherapy=0")
    assert page.text("answer").startswith("This setting has no numbers")
    assert "This setting" not in page.text("numbers")
    assert page.run("document.getElementById('keep').disabled")
    assert page.text("p-share_car_t_reinfusion-about").endswith("now what the others leave")
    assert page.complaints == []


@pytest.mark.usefixtures("unchecked_pages")
def test_names_that_are_no_plain_words_make_a_scenario_a_command_and_a_table(page: Page, tmp_path: Path) -> None:
    stage, levels = "stage of disease", {"I+II": 1, "IV (late)": 3}
    share = {"probability": {"by": stage, "I+II": "early", "IV (late)": "benefit"}}
    world = worlds.world(
        "ill",
        {
            "ill": worlds.decision(drug=share, care="rest"),
            "drug": worlds.sojourn(dead=exponential(mean=20.0)),
            "care": worlds.sojourn(dead=exponential(mean=6.0)),
        },
        attributes={stage: levels},
        parameters={"benefit": worlds.share(0.2), "early": worlds.share(0.6)},
        marginal=worlds.practice("0.3", "ill", "drug", "care", "drug"),
        counts={"drugs": {"label": "=1+1", "entries": ["drug"]}},
    )
    worlds.scenarios_in(tmp_path, world)(HEAD, "it's a base")
    make([load_scenario(tmp_path / "it's a base.toml")], tmp_path / "page.html", horizon=24.0)
    page.open(f"{(tmp_path / 'page.html').as_uri()}#set.benefit=0.6&benefit=0.2&mix.{stage}=3,1")
    assert page.run("explorer.address") == "set.benefit=0.6&mix.stage+of+disease=3%2C1&benefit=0.2"
    (tmp_path / "setting.toml").write_text(page.run("asToml(explorer.data, explorer.setting)"), encoding="utf-8")
    setting = load_scenario(tmp_path / "setting.toml")
    assert (setting.set, setting.marginal_benefit) == ({"benefit": 0.6}, 0.2)
    assert dict(setting.population[stage]) == {"I+II": 3, "IV (late)": 1}
    assert page.text("command").startswith("aftercart compare './it'\\''s a base.toml' setting.toml ")
    rows = page.run("asCsv(explorer.data, explorer.columns)").splitlines()
    assert sum(row.startswith("\"'=1+1") for row in rows) == 2
    assert "This setting: made up: 60 of 100" in rows[-1]


@pytest.mark.usefixtures("unchecked_pages")
def test_a_page_of_a_setting_names_its_own_file_otherwise(page: Page, tmp_path: Path) -> None:
    (tmp_path / "setting.toml").write_text(BASE, encoding="utf-8")
    make([load_scenario(tmp_path / "setting.toml")], tmp_path / "page.html", draws=1, horizon=12.0)
    page.open((tmp_path / "page.html").as_uri())
    assert page.run("document.getElementById('toml').download") == "new-setting.toml"
    assert page.text("command").startswith("aftercart compare setting.toml new-setting.toml ")
    page.open(f"{(tmp_path / 'page.html').as_uri()}#benefit=0.5&salvage_uptake=0.49")
    assert (
        "than under setting" in page.text("answer")
        or "from setting" in page.text("answer")
        or "as under setting" in page.text("answer")
    )


def test_names_of_many_low_curves_stay_in_the_figure(page: Page, of_own_base: str) -> None:
    page.open(of_own_base)
    low = {"name": "today", "label": "low", "rows": [[0.01, 0.0, 0.02]] * 2, "hasBand": False}
    script = f"survivalFigure(explorer.data, Array(6).fill({json.dumps(low)}), frameOf(explorer.data))"
    page.run("explorer.data.months = [0, 24]")
    heights = page.run(
        f"{script}.filter((part) => part.matches('text.name')).map((part) => Number(part.getAttribute('y')))"
    )
    assert max(heights) <= page.run("frameOf(explorer.data).bottom") + 4
    assert all(one - other == pytest.approx(17) for one, other in pairwise(heights))
