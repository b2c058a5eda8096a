"""The public names of the package, as a script uses them."""

import dataclasses
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from sojourn_times import exponential
from worlds import load, two_state

import simulator
from simulator.engines.microsim.engine import counted
from simulator.experiment import shards
from simulator.figures import gallery
from simulator.outcomes import event_log
from simulator.randomness import uniform
from simulator.scenario.scenario import Scenario


def test_a_script_finds_every_public_name_and_can_catch_bad_input() -> None:
    for name in simulator.__all__:
        assert getattr(simulator, name).__name__ == name
    with pytest.raises(simulator.InputError, match="no such scenario"):
        simulator.run("no such scenario")


def test_results_are_printed_as_a_few_short_lines() -> None:
    printed = repr(simulator.compare("baseline", "no-hsct", draws=2, horizon=12.0, rough=True)).splitlines()
    assert printed[0] == "Results of baseline, no-hsct: exact, 2 parameter sets, 12 months, a rough answer"
    tables = ["survival", "outcomes", "draws", "occupancy", "end_points"]
    assert [line.split(":")[0].strip() for line in printed[1:]] == tables
    assert max(map(len, printed)) <= 100


@pytest.fixture(scope="module")
def results() -> simulator.Results:
    return simulator.compare("baseline", "no-hsct", draws=2, horizon=24.0)


def test_results_answer_in_the_sentence_that_the_command_line_prints(results: simulator.Results) -> None:
    assert "of 100 patients who relapse, " in results.answer
    assert "alive at 12 months under no-hsct: " in results.answer


def test_results_are_plotted_as_a_matplotlib_figure_with_a_curve_of_every_scenario(results: simulator.Results) -> None:
    figure = results.plot()
    assert isinstance(figure, Figure)
    texts = {text.get_text() for text in figure.findobj(Text)}
    assert {"baseline", "no-hsct"} <= texts


def test_a_figure_has_the_colours_that_are_asked_for(results: simulator.Results) -> None:
    figure = results.plot(colours={"no-hsct": "#117733"})
    colours = {line.get_color() for line in figure.findobj(Line2D) if line.get_linewidth() == 1.8}
    assert colours == {"#000000", "#117733"}
    again = {line.get_color() for line in results.plot().findobj(Line2D)}
    assert "#117733" not in again, "a figure's colours are its own"
    with pytest.raises(simulator.InputError, match=r"unknown scenario; got 'no-hsc'.*did you mean 'no-hsct'"):
        results.plot(colours={"no-hsc": "navy"})
    with pytest.raises(simulator.InputError, match="not a colour; got 'nvy'"):
        results.picture("overall_survival", colours={"baseline": "nvy"})


def test_a_notebook_shows_the_answer_the_outcomes_and_the_figure(results: simulator.Results) -> None:
    html = results._repr_html_()
    answer, table, figure = (html.index(text) for text in (results.answer[:20], "<table", "<picture"))
    assert answer < table < figure
    assert html.count("<picture>") == 1


def test_a_notebook_shows_a_figure_of_the_report_by_its_name(results: simulator.Results) -> None:
    picture = results.picture("what_the_policy_adds")
    assert picture.name == "what_the_policy_adds"
    assert picture._repr_html_().startswith("<picture><source")


def test_a_figure_of_another_name_is_refused_with_the_names_there_are(
    results: simulator.Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = results.picture("what_the_policy_adds")
    monkeypatch.setattr(gallery, "_makers", lambda *_: [lambda: None, lambda: picture])
    with pytest.raises(simulator.InputError, match="unknown figure; got 'adds'; allowed: what_the_policy_adds"):
        results.picture("adds")


def test_both_engines_keep_histories_to_the_horizon_though_patients_are_followed_for_longer_for_groups() -> None:
    one, other = (
        simulator.run("baseline", engine=engine, draws=1, patients=150, horizon=60.0, histories=True).events()
        for engine in ("microsim", "des")
    )
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.slow
def test_a_run_imports_no_matplotlib() -> None:
    run = "simulator.run('baseline', draws=2, horizon=12.0)"
    code = f"import sys, simulator; {run}; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_run_that_keeps_histories_simulates_every_patient_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two parameter sets of 50 patients: two simulations, and the events are those of the first."""
    simulations: list[range] = []

    def count(model, horizon, patients, *rest):
        simulations.append(patients)
        return counted(model, horizon, patients, *rest)

    monkeypatch.setattr(shards, "counted", count)
    results = simulator.run("baseline", engine="microsim", patients=50, draws=2, histories=True)
    events = results.events()
    assert simulations == [range(50), range(50)]
    attributes = ["cd19", "prior_hsct", "disease_before_infusion", "site"]
    assert list(events.columns) == ["scenario", "patient", "event", "month", "state", *attributes]
    assert events["patient"].unique().tolist() == list(range(50))
    event_log.check(events, simulator.load_pathway("b_all_post_cd19"))


def test_every_event_has_the_attributes_that_the_patients_uniforms_give() -> None:
    """Whoever has u below 17 of 37 had HSCT before the relapse, the level that is declared first."""
    events = simulator.run("baseline", engine="microsim", patients=200, draws=1, histories=True, seed=5).events()
    u = events["patient"].map({patient: uniform(5, 1, 0, patient, "@prior_hsct") for patient in range(200)})
    assert (events["prior_hsct"] == np.where(u < 17 / 37, "yes", "no")).all()


def test_an_attribute_with_the_name_of_a_column_has_one_of_its_own() -> None:
    made = two_state(exponential(mean=3), attributes={"state": {"new": 1.0}, "site": {"here": 1.0}})
    events = simulator.run(Scenario("now", load(made)), engine="microsim", patients=3, draws=1, histories=True).events()
    assert list(events.columns)[4:] == ["state", "state (attribute)", "site"]
    assert events["state"].iloc[0] == "ill"
    assert set(events["state (attribute)"]) == {"new"}


def test_a_run_without_histories_says_how_to_keep_them(results: simulator.Results) -> None:
    with pytest.raises(simulator.InputError, match=r"kept no histories.*histories=True.*--histories"):
        results.events()


# --- A script's words for what a file declares ---


def test_a_policy_declared_in_python_is_the_one_that_a_file_declares(tmp_path: Path) -> None:
    """Levers, beds that change over time, and arrivals, over a shipped base; numbers may be NumPy's."""
    calendar = [{"from_month": 0.0, "units": 1}, {"from_month": 12.0, "units": np.int64(3)}]
    keys: dict[str, Any] = {
        "title": "More",
        "set": {"salvage_uptake": np.float64(0.75)},
        "capacity": {"hsct_beds": {"units": calendar}},
        "service": {"arrivals_per_year": 30, "policy_from_month": 6.0},
    }
    file = tmp_path / "more.toml"
    file.write_text(
        'base = "letter-centre"\ntitle = "More"\n[set]\nsalvage_uptake = 0.75\n[capacity]\nhsct_beds = { units = '
        "[{ from_month = 0, units = 1 }, { from_month = 12, units = 3 }] }\n"
        "[service]\narrivals_per_year = 30\npolicy_from_month = 6\n"
    )
    declared, loaded = simulator.declare_scenario("more", "letter-centre", **keys), simulator.load_scenario(file)
    for one, other in ((declared, loaded), (declared.before, loaded.before)):
        assert one is not None
        assert other is not None
        for field in dataclasses.fields(one):
            if field.name not in ("file", "before"):
                assert getattr(one, field.name) == getattr(other, field.name), field.name
    assert declared.file is None


def test_a_policy_on_a_policy_adds_to_it_and_needs_no_file_either() -> None:
    first = simulator.declare_scenario("first", pathway="three_state", scale={"onset_rate": 0.5})
    second = simulator.declare_scenario("second", first, set={"death_rate_ill": 0.2})
    assert (dict(second.scale), dict(second.set), second.bases) == ({"onset_rate": 0.5}, {"death_rate_ill": 0.2}, ())
    outcomes = simulator.compare(first, second, horizon=12.0).outcomes
    assert set(outcomes["scenario"]) == {"first", "second"}


PATHWAY = simulator.load_pathway("three_state")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: simulator.declare_scenario("x", "baseline", set={"uptake": 0.5}), ["[set] uptake", "salvage_uptake"]),
        (lambda: simulator.declare_scenario("x", "baseline", sets={}), ["scenario x: sets", "unknown key", "'set'"]),
        (
            lambda: simulator.declare_scenario("x", "baseline", capacity={"hsct_beds": "two"}),
            ["capacity.hsct_beds", "two"],
        ),
        (lambda: simulator.declare_scenario("x"), ["a scenario without a base needs a pathway"]),
        (lambda: simulator.declare_scenario("a\nb", "baseline"), ["not a name", "one line"]),
        (lambda: simulator.run(simulator.Scenario("x", PATHWAY, set={"typo": 1.0})), ["[set] typo", "onset_rate"]),
        (lambda: simulator.run(simulator.Scenario("x", "three_state")), ["not a pathway", "declare_scenario"]),
        (lambda: simulator.run(simulator.Scenario("x", PATHWAY, capacity={"beds": 2})), ["not a capacity", "declare_"]),
        (lambda: simulator.beds("letter-centre", "wait_mean <= 7 days", units=3), ["units", "got 3", "[1, 2, 3]"]),
        (lambda: simulator.load_pathway(3), ["not a pathway", "got 3"]),
    ],
)
def test_a_wrong_argument_is_refused_as_wrong_input_is(call: Callable[[], object], words: list[str]) -> None:
    with pytest.raises(simulator.InputError) as refusal:
        call()
    for word in words:
        assert word in str(refusal.value)


def test_a_keyword_that_is_no_option_is_refused_as_in_python_and_with_the_option_that_was_meant() -> None:
    with pytest.raises(TypeError, match=r"^run: unknown option; got 'drawz'; allowed: .*; did you mean 'draws'\?$"):
        simulator.run("baseline", drawz=2)


def test_help_lists_the_public_names_and_describes_every_option() -> None:
    assert set(simulator.__all__) <= set(dir(simulator))
    assert simulator.__version__.count(".") == 2
    for name in ("run", "compare", "sweep", "beds"):
        function = getattr(simulator, name)
        for option in inspect.signature(function).parameters:
            assert option in function.__doc__, f"{name}: {option}"


def test_scenarios_pathways_and_sweeps_are_printed_in_a_line_or_two() -> None:
    scenario = simulator.declare_scenario("x", pathway="three_state", scale={"death_rate_ill": 0.5})
    assert repr(scenario) == "Scenario('x', 'three_state', scale={'death_rate_ill': 0.5})"
    assert repr(PATHWAY).startswith("Pathway('three_state': 3 states, ")
    swept = simulator.sweep(scenario, {"onset_rate": [0.1, 0.2]}, horizon=12.0)
    assert repr(swept).splitlines()[0] == "Sweep of x over onset_rate = 0.1, 0.2: exact, 1 parameter sets, 12 months"
    assert "alive at 12 months" in swept.answer
