"""The peer pathway through the project's engines, as declared in TOML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from simulator import sweep
from simulator.analyses.sensitivity import question, tornado
from simulator.analyses.sensitivity.inputs import load_inputs
from simulator.analyses.sensitivity.question import Question
from simulator.arrays import Floats, slices
from simulator.engines.curves import Curves
from simulator.engines.des import engine as des
from simulator.engines.exact import engine as exact
from simulator.engines.microsim import engine as microsim
from simulator.engines.microsim import queueing
from simulator.engines.model import Model, resolve, resolve_each
from simulator.engines.requests import Arrivals, Requests
from simulator.engines.trajectories import Trajectories
from simulator.evidence.draws import load_informed_draws, values
from simulator.pathway.references import names_in
from simulator.randomness import Uniforms
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import load_scenario

HERE = Path(__file__).resolve().parent
HORIZON = 120.0
ARRIVALS_A_MONTH = 50.0
BEDS = 34
NOTHING: frozenset[str] = frozenset()
POLICIES = ("baseline", "wider-salvage", "no-hsct", "hsct-for-all-responders", "universal-salvage")


@cache
def model(name: str, beds: int = BEDS) -> Model:
    """Return the model of a scenario of this folder, or of a shipped one, at its declared values."""
    file = HERE / f"{name}.toml"
    scenario = load_scenario(file if file.exists() else name)
    if beds != BEDS:
        scenario = replace(scenario, capacity={"beds": Capacity(((0.0, beds),))})
    return resolve(scenario)


def deaths(patients: int, seed: int = 1) -> list[Trajectories]:
    """Simulate without beds; only the clock and the month of death are kept."""
    return list(microsim.simulate(model("peer"), Uniforms(seed), range(patients), horizon=HORIZON, keep=NOTHING))


def curves(patients: int, seed: int = 1) -> Curves:
    """Simulate without beds, and count OS and every state's occupancy, as `aftercart run --engine microsim` does."""
    return microsim.curves(model("peer"), HORIZON, patients=patients, uniforms=Uniforms(seed))


def arrivals(patients: int, seed: int = 1) -> Arrivals:
    """Return Poisson arrivals."""
    numbers = np.arange(patients)
    gaps = -np.log(Uniforms(seed).at("@arrival", numbers)) / ARRIVALS_A_MONTH
    return Arrivals(numbers, np.cumsum(gaps), np.ones(patients, dtype=bool))


def with_beds(patients: int, seed: int = 1, beds: int = BEDS) -> tuple[Trajectories, Requests]:
    """Simulate with beds by microsim's queue path; deaths and the request log are kept."""
    limited = model("peer_with_beds", beds)
    return queueing.simulate(limited, Uniforms(seed), arrivals(patients, seed), horizon=HORIZON, keep=NOTHING)


def with_beds_by_des(patients: int, seed: int = 1) -> tuple[Trajectories, Requests]:
    """Simulate with beds by des, which keeps every event."""
    return des.simulate(model("peer_with_beds"), Uniforms(seed), arrivals(patients, seed), horizon=HORIZON)


def exact_curves(name: str = "peer", step: float | None = None) -> Curves:
    """Solve a scenario without beds: OS of every population and clock, and every state's occupancy."""
    return exact.curves(model(name), HORIZON, step=step)


def survival_of_policies(draws: int) -> None:
    """Find OS of all patients under policies that differ in shares, by blocks of draws as a run has them."""
    scenarios = [load_scenario(name) for name in POLICIES]
    pathway = scenarios[0].pathway
    table, only = load_informed_draws(pathway), {(pathway.clock, "all")}
    for rows in slices(draws, exact.batch(pathway, HORIZON, only)):
        exact.compared(list(resolve_each(scenarios, values(table, rows))), HORIZON, only=only)


def moved_uptake(draws: int) -> Callable[[], object]:
    """Return what finds OS by half months for another uptake of salvage, by path curves that are known."""
    scenario = replace(load_scenario("wider-salvage"), set={"salvage_uptake": 0.7})
    pathway = scenario.pathway
    table, step = load_informed_draws(pathway), exact.step_of((scenario,), HORIZON)
    months = np.arange(0.0, HORIZON + 0.5, 0.5)
    paths, drawn = exact.new_paths(pathway, HORIZON, step, window=False), values(table, slice(0, draws))

    def survival() -> Floats:
        solution = exact.solve(resolve(scenario, drawn), HORIZON, step=step, window=False, paths=paths)
        return 1.0 - solution.at(solution.flow(pathway.deaths, "all"), months)

    survival()
    return survival


def tornado_of_shares() -> tuple[int, Callable[[], object], Callable[[], object]]:
    """Return the number of points of a tornado over shares, what evaluates them under two policies, and one alone."""
    options = (load_scenario("baseline"), load_scenario("wider-salvage"))
    inputs, pathway = load_inputs(options, None, 1), options[0].pathway
    transitions = [transition for state in pathway.states.values() for transition in state.transitions]
    shares = {name for transition in transitions for name in names_in(transition.probability)}
    points = tornado.rows(inputs, [name for name in inputs.names if name in shares])
    asked = question.opened(Question(options, "os_12", pathway.clock, "all", HORIZON), inputs.draws)
    return len(points), partial(question.evaluate, asked, 1, points), partial(question.evaluate, asked, 1, points[:1])


def swept(cells: int, draws: int) -> None:
    """Sweep the uptake of salvage: all outcomes of all populations, and their table."""
    uptakes = np.linspace(0.5, 0.95, cells)
    sweep("wider-salvage", {"salvage_uptake": uptakes.tolist()}, draws=draws, jobs=1)
