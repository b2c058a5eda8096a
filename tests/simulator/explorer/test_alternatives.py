"""Levers that are not linear: a few of their values are solved, and one of them holds at a time."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator.analyses.sweep.axis import split
from simulator.errors import AftercartError, InputError
from simulator.evidence.draws import load_informed_draws, values
from simulator.explorer import making
from simulator.explorer.alternatives import OPTION, alternatives, in_words
from simulator.explorer.check import check
from simulator.explorer.page_model import PageModel, page_model
from simulator.explorer.stored import quantised, stored
from simulator.scenario.scenario import load_scenario

OPTIONS = ("hsct_wait_median=0,2", "hazard_ratio.after_hsct.relapse_after_salvage=0.5", "scale.trm_median=2")
CHOSEN = split(OPTIONS)
DRAWS = 3


@pytest.fixture(scope="module")
def page() -> PageModel:
    scenario = load_scenario("baseline")
    given = values(load_informed_draws(scenario.pathway), slice(0, DRAWS))
    return page_model(scenario, given, 24.0, [one.scenario for one in alternatives(scenario, CHOSEN)])


def test_a_page_agrees_with_the_engine_at_every_solved_value(page: PageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.explorer.check.SETTINGS", 3)
    given = {name: value for name, value in page.values.items() if value.ndim}
    assert check(page, given, seed=20241206)["before"] < 1e-12
    wrong = replace(page.others[0], routes=page.routes)
    with pytest.raises(AftercartError, match="the page is not the engine"):
        check(replace(page, others=(wrong,)), given, seed=20241206)


def test_path_curves_that_a_value_does_not_touch_are_stored_once(page: PageModel) -> None:
    paths = [{route.path for route in one.routes.all} for one in (page, *page.others)]
    assert all(paths[0] & other for other in paths[1:])
    kept = {**page.there, **page.curves}
    assert kept.keys() == set().union(*paths)
    in_block = stored(page)
    places = {place for part in ("curves", "occupied") for place, _ in in_block[part].values()}
    assert len(places) == len({quantised(curve, np.ones(1)).tobytes() for curve in kept.values()})
    assert "choices" not in in_block["alternatives"][0]


def test_todays_value_is_that_of_the_parameter_sets_or_of_the_base(page: PageModel) -> None:
    words = in_words(page, alternatives(page.scenario, CHOSEN))
    assert [lever["places"] for lever in words] == [[0, 1], [2], [3]]
    assert "months (95 % interval " in str(words[0]["today"])
    assert [lever["today"] for lever in words[1:]] == ["1", "1"]
    sooner = replace(page.scenario, set={"hsct_wait_median": 0.7})
    assert (
        in_words(replace(page, scenario=sooner), alternatives(sooner, split(OPTIONS[:1])))[0]["today"] == "0.7 months"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["onset=1"], "--choose: unknown name; got 'onset'"),
        (["hsct_wait_median"], "--choose: not NAME=VALUES"),
        (["hsct_wait_median=soon"], "--choose hsct_wait_median: not a number; got 'soon'"),
        (["hsct_wait_median=1", "hsct_wait_median=2"], "--choose: a name is given twice"),
        (["hsct_wait_median=1", "set.hsct_wait_median=2"], "--choose: the same as 'hsct_wait_median'"),
        (["hsct_wait_median=-1"], "with hsct_wait_median=-1: [set] hsct_wait_median: value outside its unit"),
        (["hsct_wait_median=1..5"], "--choose hsct_wait_median: too many values for a page; got 5; allowed: 1 to 4"),
        (["salvage_uptake=0.9"], "--choose salvage_uptake: it decides where patients go, not when"),
        (["marginal_benefit=0.9"], "--choose marginal_benefit: it decides where patients go, not when"),
        (["hsct_beds=1..3"], "allowed: --centre SCENARIO, the centre"),
        (["arrivals_per_year=12"], "no sum over routes has that"),
    ],
)
def test_a_value_that_no_page_can_have_is_refused_before_anything_is_solved(options: list[str], words: str) -> None:
    with pytest.raises(InputError) as refused:
        alternatives(load_scenario("baseline"), split(options, OPTION))
    assert words in str(refused.value)


@pytest.mark.usefixtures("unchecked_pages")
def test_a_page_that_would_be_too_large_says_which_values_to_leave_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    few: Callable[..., int] = lambda *_: DRAWS  # noqa: E731
    monkeypatch.setattr(making, "choose", few)
    scenario, out = load_scenario("baseline"), tmp_path / "page.html"
    sizes = [making.make([scenario], out, choices=OPTIONS[:n], draws=DRAWS, horizon=24.0).size for n in (1, 2)]
    out.unlink()
    monkeypatch.setattr(making, "MOST_BYTES", int(np.mean(sizes)))
    with pytest.raises(InputError, match=r"leave out hazard_ratio\.after_hsct\.relapse_after_salvage=0\.5, or"):
        making.make([scenario], out, choices=OPTIONS[:2], horizon=24.0)
    assert not out.exists()
