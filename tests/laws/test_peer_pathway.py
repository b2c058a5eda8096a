"""The pathway that engines are compared on, against a simulation of its own in plain NumPy."""

from collections import defaultdict

import numpy as np
import pytest

from simulator.arrays import Floats
from simulator.engines.exact import engine as exact
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.pathway.format import load_pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario

HORIZON = 120.0
PATIENTS = 200_000

# state -> (to, shape, scale): S(t) = exp(-(t / scale)^shape)
WAYS = {
    "remission": [("relapse", 0.8, 10.0), ("dead", 1.0, 200.0)],
    "relapse": [("salvage", 1.0, 0.8), ("dead", 1.0, 20.0)],
    "salvage": [
        ("complete_response", 2.0, 2.5 * 0.40**-0.5),
        ("partial_response", 2.0, 2.5 * 0.25**-0.5),
        ("no_response", 2.0, 2.5 * 0.35**-0.5),
        ("dead", 1.0, 30.0),
    ],
    "complete_response": [("hsct", 1.0, 4.0), ("relapse", 0.9, 16.0), ("dead", 1.0, 150.0)],
    "partial_response": [("hsct", 1.0, 6.0), ("no_response", 1.1, 5.0), ("dead", 1.0, 60.0)],
    "no_response": [("salvage", 1.0, 9.0), ("dead", 1.0, 7.0)],
    "hsct": [("relapse", 0.7, 60.0), ("dead", 0.6, 90.0)],
}


@pytest.fixture(scope="module")
def independent() -> tuple[Floats, dict[str, int], int]:
    """Deaths (month, inf if alive), how many are in each state at the horizon, and how many transitions there were."""
    random = np.random.default_rng(2024)
    death = np.full(PATIENTS, np.inf)
    at_the_end: dict[str, int] = defaultdict(int)
    transitions = 0
    everybody = np.arange(PATIENTS)
    waiting = [("remission", everybody, np.zeros(PATIENTS))]
    while waiting:
        state, who, month = waiting.pop()
        latent = np.stack([s * random.standard_exponential(who.size) ** (1 / k) for _, k, s in WAYS[state]])
        month = month + latent.min(axis=0)
        way = latent.argmin(axis=0)
        moves = month <= HORIZON
        at_the_end[state] += int((~moves).sum())
        transitions += int(moves.sum())
        for place, (to, _, _) in enumerate(WAYS[state]):
            chosen = moves & (way == place)
            if to == "dead":
                death[who[chosen]] = month[chosen]
            elif chosen.any():
                waiting.append((to, who[chosen], month[chosen]))
    at_the_end["dead"] = int(np.isfinite(death).sum())
    return death, at_the_end, transitions


def test_it_is_eight_states_and_eighteen_ways() -> None:
    pathway = load_pathway("peer_pathway")
    assert len(pathway.states) == 8
    assert sum(len(state.transitions) for state in pathway.states.values()) == 18


def test_survival_is_that_of_the_independent_simulation(independent: tuple) -> None:
    """DKW on 200,000 patients, false alarm one in a million."""
    death, _, _ = independent
    curves = exact.curves(resolve(Scenario("peer", load_pathway("peer_pathway"))), HORIZON)
    simulated = 1.0 - np.searchsorted(np.sort(death), curves.months, side="right") / PATIENTS
    band = np.sqrt(np.log(2 / 1e-6) / (2 * PATIENTS))
    assert np.abs(simulated - curves.survival["start", "all"][0]).max() < band + 1e-4


def test_as_many_are_in_each_state_at_the_end(independent: tuple) -> None:
    _, at_the_end, _ = independent
    curves = exact.curves(resolve(Scenario("peer", load_pathway("peer_pathway"))), HORIZON)
    for state, there in at_the_end.items():
        p = curves.occupancy["start"][state][0, -1]
        assert abs(there / PATIENTS - p) < 5 * np.sqrt(p * (1 - p) / PATIENTS) + 1e-4, state


def test_a_patient_makes_six_and_a_third_transitions(independent: tuple) -> None:
    _, _, transitions = independent
    model = resolve(Scenario("peer", load_pathway("peer_pathway")))
    solution = exact.solve(model, HORIZON)
    entries = solution.entered(model.pathway.states)[0, -1]
    assert abs((entries - 1.0) - 6.34) < 0.01
    assert abs(transitions / PATIENTS - (entries - 1.0)) < 0.05


def test_the_microsimulation_makes_as_many_transitions(independent: tuple) -> None:
    model = resolve(Scenario("peer", load_pathway("peer_pathway")))
    blocks = microsim.simulate(model, Uniforms(3), range(50_000), horizon=HORIZON)
    entries = sum(
        who.size for block in blocks for entries_of_state in block.entered.values() for who, _ in entries_of_state
    )
    assert abs(entries / 50_000 - 1.0 - 6.34) < 0.08
    curves = microsim.curves(model, HORIZON, patients=50_000, uniforms=Uniforms(3))
    death, _, _ = independent
    other = 1.0 - np.searchsorted(np.sort(death), curves.months, side="right") / PATIENTS
    band = np.sqrt(np.log(2 / 1e-6) / 2) * (50_000**-0.5 + PATIENTS**-0.5)
    assert np.abs(other - curves.survival["start", "all"][0]).max() < band
