"""Where the engine that is chosen finds only while it runs that it cannot, another one goes on."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
from sojourn_times import exponential, fixed
from worlds import chance, load, share, ward

from simulator import compare, run, sweep
from simulator.analyses.beds import beds
from simulator.engines.microsim import queueing
from simulator.errors import InputError
from simulator.experiment import centre, cost
from simulator.experiment.settings import Settings
from simulator.scenario.arrivals import Service
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario

REASON = "microsim simulates both outcomes of every wait in advance, and there are too many"
Results = dict[str, object]


@pytest.fixture
def scenario() -> Scenario:
    """A ward that a few patients a year ask for."""
    pathway = load(ward(fixed(1), patience=exponential(mean=2), clocks={"entry": "listed"}))
    service = Service(years=1.0, arrivals_per_year=5.0)
    return Scenario("a ward", pathway, capacity={"beds": Capacity(((0.0, 1),))}, service=service)


FEW: Results = {"replications": 1, "horizon": 6.0}
ANALYSES: dict[str, Callable[[Scenario, str], object]] = {
    "compare": lambda scenario, engine: compare(scenario, replace(scenario, name="b"), engine=engine, **FEW),
    "sweep": lambda scenario, engine: sweep(scenario, {"beds": [1, 2]}, engine=engine, **FEW),
    "beds": lambda scenario, engine: beds(scenario, "wait_mean <= 7 days", units=[1, 2], engine=engine, **FEW),
}


@pytest.mark.parametrize("analysis", ANALYSES)
def test_too_many_waits_for_microsim_are_simulated_by_des(
    analysis: str, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_des = ANALYSES[analysis](scenario, "des")
    monkeypatch.setattr(queueing, "MOST_ROUNDS", 0)
    results = ANALYSES[analysis](scenario, "auto")
    assert results.manifest["engine"] == "des"
    assert results.manifest["engine_because"].startswith(REASON)
    name = "table" if analysis == "sweep" else "service"
    pd.testing.assert_frame_equal(getattr(results, name), getattr(by_des, name))
    with pytest.raises(InputError, match=f"{REASON}.*allowed: --engine des"):
        ANALYSES[analysis](scenario, "microsim")


def test_the_trial_of_a_queue_and_the_time_of_a_run_are_those_of_des_then(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = centre.still_waiting(scenario, {}, 20)
    monkeypatch.setattr(queueing, "MOST_ROUNDS", 0)
    monkeypatch.setattr(cost, "SURELY_SHORT", 0.0)
    assert centre.still_waiting(scenario, {}, 20) == waiting
    cost.check_run([scenario], Settings(replications=1))
    with pytest.raises(InputError, match=REASON):
        cost.check_run([scenario], Settings(replications=1, engine="microsim"))


def test_one_parameter_set_with_too_many_waits_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of patients who leave the queue 1 of 5 come back, or in one parameter set nearly all."""
    comes_back = {"pause": chance(listed="again", home="rest")}
    listed = ward(fixed(3), patience=fixed(0.5), gives_up="pause", states=comes_back, parameters={"again": share(0.2)})
    pathway = load({**listed, "draws": "draws.csv"}, draws="again\n0.2\n0.99\n")
    scenario = Scenario("again", pathway, capacity={"beds": Capacity(((0.0, 1),))})
    monkeypatch.setattr(queueing, "MOST_ROUNDS", 50)
    few = {"patients": 20, "replications": 1, "horizon": 2.0}
    assert run(scenario, draws=1, **few).manifest["engine"] == "microsim"
    manifest = run(scenario, draws=2, **few).manifest
    assert (manifest["engine"], manifest["draws"]) == ("des", 2)
    assert manifest["engine_because"].startswith(REASON)
