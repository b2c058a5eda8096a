"""The page's own code outside of a page: linted as one script, and its model held against NumPy on the same arrays."""

import base64
import json
import os
import shutil
import subprocess
import zlib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import worlds
from new_drug import BY_AGE, NEW_DRUG
from scipy.interpolate import PchipInterpolator

from simulator.analyses.sweep.axis import split
from simulator.arrays import Floats
from simulator.evidence.draws import load_informed_draws, values
from simulator.explorer.alternatives import alternatives
from simulator.explorer.check import settings
from simulator.explorer.page import script
from simulator.explorer.page_model import PageModel, page_model, summed
from simulator.explorer.stored import Block, quantised, stored
from simulator.outcomes.summaries import break_even
from simulator.outcomes.uncertainty import of_means, of_medians
from simulator.report.animation import making as animation
from simulator.scenario.scenario import load_scenario

CONFIG = Path(__file__).parents[2] / "eslint.config.mjs"
CALLS = Path(__file__).with_name("model_calls.js")


def program(name: str, where: str | None) -> str:
    """Return a program; skip the test where there is none, and fail in CI."""
    if where is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no {name}: .ci/run installs it")
        pytest.skip(f"no {name} on this machine")
    return where


def called(*calls: Any, data: Any = None) -> list[Any]:
    """Return what functions of model.js return: (name, argument, ...) each."""
    node = program("node", shutil.which("node"))
    model = str(files("simulator.explorer").joinpath("model.js"))
    given = (
        json.dumps({"data": data, "calls": calls}, default=list).replace("Infinity", '"inf"').replace("NaN", '"nan"')
    )
    done = subprocess.run([node, str(CALLS), model], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def numbers(value: Any) -> Floats:
    return np.array(value, dtype=float)


def as_numpy_has_it(page: PageModel) -> dict[str, Any]:
    """Return what a page stores, with path curves as they are before they are stored."""
    curves = {"curves": page.curves, "occupied": page.there}
    return stored(page) | {
        key: {path: curve.ravel().tolist() for path, curve in of.items()} for key, of in curves.items()
    }


@pytest.mark.parametrize("code", [script, animation.script], ids=["explorer", "animation"])
def test_the_pages_code_has_no_complaint_of_the_linter(code: Callable[[], str]) -> None:
    eslint = program("ESLint (ESLINT=.../.bin/eslint)", os.environ.get("ESLINT"))
    command = [eslint, "--config", str(CONFIG), "--stdin", "--stdin-filename", str(CONFIG.with_name("page.js"))]
    done = subprocess.run(command, input=code(), capture_output=True, text=True, check=False, cwd=CONFIG.parent)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.representatives(2)
@pytest.mark.parametrize("made_up", [None, NEW_DRUG, BY_AGE], ids=["baseline", "eligibility", "treated by age"])
def test_the_model_of_the_page_is_that_of_numpy_on_the_same_arrays(made_up: dict[str, Any] | None) -> None:
    is_made_up = made_up is not None
    scenario = worlds.scenario(made_up, set={"uptake": 0.8}) if made_up else load_scenario("baseline")
    given = {} if is_made_up else values(load_informed_draws(scenario.pathway), slice(0, 6))
    value = "hazard_ratio.better.dead=0.5" if is_made_up else "hsct_wait_median=2"
    whole = page_model(scenario, given, 48.0, [one.scenario for one in alternatives(scenario, split([value]))])
    data, movable = as_numpy_has_it(whole), {slider.name for slider in whole.sliders}
    generator, names = np.random.default_rng(20241204), list(scenario.pathway.parameters)
    chosen = [
        (place, page, *setting)
        for place, page in ((-1, whole), (0, whole.others[0]))
        for setting in settings(page, generator, given)
    ]
    asked = [
        {
            "moved": {names.index(name): value for name, value in setting.set.items() if name in movable},
            "margins": {name: list(shares.values()) for name, shares in setting.population.items()},
            "benefit": setting.marginal_benefit,
            "alternative": place,
        }
        for place, _, setting, _ in chosen
    ]
    for (_, page, _, model), rows in zip(chosen, called(*(("rows", of) for of in asked), data=data), strict=True):
        n_months, n_draws = len(page.months), model.n_draws
        gone = summed(model, page.deaths, page.curves)
        np.testing.assert_allclose(numbers(rows[0]), 1.0 - gone[:, :n_months], atol=1e-12)
        np.testing.assert_allclose(
            numbers(rows[1]), np.array(page.means) - gone[:, n_months:][:, : len(page.means)], atol=1e-10
        )
        for row, routes in ((rows[2], page.routes.there), (rows[3], page.routes.entered)):
            states = [of for of in routes.values() if of]
            expected = [np.broadcast_to(summed(model, of, page.there)[:, 2], n_draws) for of in states]
            np.testing.assert_allclose(numbers(row), expected, atol=1e-12)
        for row, count in zip(rows[4], scenario.pathway.counts.values(), strict=True):
            by_state, column = (page.routes.entered, -2) if count.entries else (page.routes.there, -1)
            routes = [route for state in (*count.entries, *count.months) for route in by_state.get(state, ())]
            expected = np.broadcast_to(summed(model, routes, page.there)[:, column], n_draws)
            np.testing.assert_allclose(numbers(row), expected, atol=1e-10)


def test_a_median_is_where_the_monotone_cubic_comes_to_half() -> None:
    months = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 12.0])
    curves = [np.exp(-rate * months) for rate in (0.1, 0.3, 0.9)] + [np.exp(-((months / 5.0) ** 2.5))]
    medians = called(*(("medianOf", months.tolist(), curve.tolist()) for curve in curves))
    for curve, median in zip(curves, medians, strict=True):
        assert median == pytest.approx(PchipInterpolator(months, curve).solve(0.5, extrapolate=False)[0], abs=1e-6)
    none, at_half, at_once, step = called(
        ("medianOf", [0, 1, 2], [1, 0.8, 0.6]),
        ("medianOf", [0, 1, 2], [1, 0.5, 0.5]),
        ("medianOf", [0, 1], [0.4, 0.3]),
        ("medianOf", [0, 1, 2, 3], [1, 1, 0, 0]),
    )
    assert (none, at_half, at_once, step) == ("Infinity", "Infinity", 0, pytest.approx(1.5))


def test_means_medians_and_intervals_are_those_of_a_run() -> None:
    generator = np.random.default_rng(20241205)
    known, exact = generator.exponential(size=41), np.zeros(41)
    never = np.where(generator.random(41) < 0.3, np.inf, known)
    unlike = np.where(generator.random(41) < 0.2, np.nan, never - 2.0 * np.isneginf(-never))
    lists = [given.tolist() for given in (known, never, unlike)]
    summary, *middles, alone = called(("summary", lists[0]), *(("middle", of) for of in lists), ("middle", [3.0]))
    np.testing.assert_allclose(summary, of_means(known, exact)[:3], rtol=1e-12)
    for given, middle in zip((known, never, unlike), middles, strict=True):
        expected = np.array(of_medians(given, exact)[:3])
        np.testing.assert_allclose(
            np.where(np.isfinite(numbers(middle)), numbers(middle), np.nan), expected, rtol=1e-12
        )
    assert alone == [3, "NaN", "NaN"]


def test_how_many_must_benefit_is_what_a_run_says() -> None:
    none, every = np.array([20.0, 30.0, 36.0, 25.0]), np.array([40.0, 34.0, 50.0, 25.0])
    expected, _ = break_even(np.full(4, 0.30), none / 100, every / 100, margin=0.05)
    pairs = zip((none - 30.0).tolist(), (every - 30.0).tolist(), strict=True)
    np.testing.assert_allclose(numbers(called(*(("leastBenefit", *pair, 5.0) for pair in pairs))), 100 * expected)


def test_patients_to_whom_no_branch_is_open_have_no_numbers_and_the_last_share_takes_what_is_left() -> None:
    """CAR-T reinfusion is closed to patients without CD19; no draw has the fourth share."""
    scenario = load_scenario("baseline")
    given = values(load_informed_draws(scenario.pathway), slice(0, 2))
    data, names = as_numpy_has_it(page_model(scenario, given, 24.0)), list(scenario.pathway.parameters)
    treatments = ("chemotherapy", "immunotherapy", "car_t_reinfusion", "dual_target_reinfusion")
    places = [names.index(f"share_{name}") for name in treatments]
    moved, margins = dict.fromkeys(places[:2], 0.0), {"margins": {}, "benefit": 1.0}
    closed = called(*(("isClosed", {"moved": shares} | margins) for shares in ({places[0]: 0.0}, moved)), data=data)
    assert closed == [[0], [1]]
    can_move = called(*(("canMove", moved, place) for place in places), data=data)
    assert can_move == [[1], [1], [0], [1]]


def test_a_slider_at_its_most_leaves_nothing_to_its_siblings() -> None:
    scenario = load_scenario("baseline")
    given = values(load_informed_draws(scenario.pathway), slice(0, 2))
    data, names = as_numpy_has_it(page_model(scenario, given, 24.0)), list(scenario.pathway.parameters)
    places = [names.index(f"share_{name}") for name in ("chemotherapy", "immunotherapy", "dual_target_reinfusion")]
    moved = {places[0]: 0.5, places[1]: 0.2}
    (most,) = called(("mostOf", moved, places[2]), data=data)
    assert most == pytest.approx(0.3)
    (now,) = called(("valuesOf", moved | {places[2]: most}), data=data)
    np.testing.assert_allclose(now[names.index("share_car_t_reinfusion")], 0.0, atol=1e-12)


def test_curves_come_back_as_they_were_stored() -> None:
    curve = np.array([[0.0, 0.25, 0.7, 1.0], [0.1, 0.1, 0.05, 0.9]])
    block = Block()
    places = [block.add(of, np.ones(4)) for of in (curve, 1.0 - curve, curve)]
    assert places == [[0, 2], [8, 2], [0, 2]]
    stored_bytes = list(zlib.decompress(base64.b64decode(block.text), -15))
    curves = called(*(("restored", stored_bytes, place, rows, 4, 1.0) for place, rows in places[:2]))
    for of, back in zip((curve, 1.0 - curve), curves, strict=True):
        np.testing.assert_allclose(numbers(back).reshape(2, 4), quantised(of, np.ones(4)), atol=1e-15)


@pytest.mark.parametrize("text", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("])
def test_no_text_becomes_markup_or_code(text: str) -> None:
    assert text not in script()
    assert text not in animation.script()


def test_every_file_of_a_page_is_short_and_in_it() -> None:
    for package, code in (("simulator.explorer", script()), ("simulator.report.animation", animation.script())):
        texts = [file.read_text(encoding="utf-8") for file in files(package).iterdir() if file.name.endswith(".js")]
        assert all(text in f"{code}\n" for text in texts)
        assert all(len(text.splitlines()) < 400 for text in texts)
    scripts = [file for file in files("simulator.explorer").iterdir() if file.name.endswith(".js")]
    assert sum(len(file.read_text(encoding="utf-8")) + 1 for file in scripts) - 1 == len(script())
