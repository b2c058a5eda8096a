"""What every engine makes of one scenario, for tests that hold the engines to the same answers."""

from __future__ import annotations

from simulator.engines.curves import Curves
from simulator.engines.exact import engine as exact
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.experiment import centre
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario

ENGINES = ("exact", "microsim", "des")


def curves_of(engine: str, scenario: Scenario, horizon: float, patients: int, seed: int = 1) -> Curves:
    """The curves of a scenario in which nobody waits. patients : how many are simulated; exact has none"""
    uniforms = Uniforms(seed)
    if engine == "exact":
        return exact.curves(resolve(scenario), horizon)
    if engine == "microsim":
        return microsim.curves(resolve(scenario), horizon, patients=patients, uniforms=uniforms)
    alone, _ = centre.independent(scenario, {}, engine=engine, horizon=horizon, patients=patients, uniforms=uniforms)
    return alone
