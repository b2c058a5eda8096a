"""Beds wait for nobody's slider: a page has a table of what a sweep simulates of a centre."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import worlds
from sojourn_times import exponential

from simulator.analyses.sweep.run import sweep
from simulator.errors import InputError
from simulator.explorer.making import make
from simulator.scenario.scenario import Scenario, load_scenario
from simulator.wording.sweep_rows import displayed

WARD = worlds.world(
    "ill",
    {
        "ill": worlds.sojourn(bed=exponential(mean=0.5), dead=exponential(mean=3.0)),
        "bed": worlds.sojourn(dead=exponential(mean="stay"), holds="beds"),
    },
    parameters={"stay": worlds.parameter("months", 6.0)},
    resources=["beds"],
)
CENTRE = """
base = "now.toml"
title = "Two <i>beds"
assumes = "made up"
capacity = { beds = 2 }
service = { arrivals_per_year = 12, years = 2 }
"""


@pytest.fixture
def scenarios(tmp_path: Path) -> tuple[Scenario, Scenario]:
    (tmp_path / "pathway.toml").write_text(worlds.toml(WARD), encoding="utf-8")
    for name, text in (("now", 'assumes = "made up"\npathway = "pathway.toml"\n'), ("centre", CENTRE)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return load_scenario(tmp_path / "now.toml"), load_scenario(tmp_path / "centre.toml")


def data_of(page: Path) -> Any:
    block = re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    return json.loads(block.group(1))


def test_a_table_of_waits_has_the_numbers_of_a_sweep(scenarios: tuple[Scenario, Scenario], tmp_path: Path) -> None:
    now, centre = scenarios
    make([now], tmp_path / "page.html", choices=["stay=3", "beds=1,3"], centre=centre, horizon=24.0, seed=3)
    assert [lever["label"] for lever in data_of(tmp_path / "page.html")["levers"]] == ["made up"]
    queue, run = data_of(tmp_path / "page.html")["queue"], sweep(centre, {"beds": "1,3"}, seed=3)
    expected = [list(map(str, outcome.estimates(run))) for outcome in displayed(run)[:4]]
    assert [row[0] for row in queue["rows"]] == ["1", "3"]
    assert [row[1:] for row in queue["rows"]] == [list(cells) for cells in zip(*expected, strict=True)]
    assert queue["head"][2] == "lost while waiting for beds, of requests, %"
    assert "Lost: dead while waiting. Simulated beforehand: the sliders do not move these numbers." in queue["note"]


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ([], "--centre: a centre has a table of one quantity"),
        (["beds=1", "arrivals_per_year=6,12"], "got ['beds', 'arrivals_per_year']"),
        (["beds=0,1"], "with beds=0: [capacity] beds: not a whole number above zero"),
    ],
)
def test_a_centre_without_one_quantity_to_vary_is_refused(
    scenarios: tuple[Scenario, Scenario], tmp_path: Path, choices: list[str], words: str
) -> None:
    now, centre = scenarios
    with pytest.raises(InputError) as refused:
        make([now], tmp_path / "page.html", choices=choices, centre=centre, horizon=24.0)
    assert words in str(refused.value)
    assert not (tmp_path / "page.html").exists()
