"""The embedded chain against quadrature, closed forms and counted events: shares, mean stays and expected visits."""

from dataclasses import replace
from math import exp, inf

import numpy as np
import pytest
from scipy import integrate
from sojourn_times import exponential
from worlds import scenario, sojourn, world

from simulator.arrays import Floats
from simulator.distributions import Distribution, build
from simulator.engines.exact.embedded import events, leaving, visits
from simulator.engines.microsim import engine
from simulator.engines.model import Model, resolve
from simulator.pathway.format import load_pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario

pytestmark = pytest.mark.filterwarnings("error")


def law(family: str, cure: float | None = None, **parameters: object) -> Distribution:
    return build(family, parameters, cure=cure)


def state(model: Model, *laws: Distribution) -> Model:
    """A model whose start is left by competing latent times of these laws."""
    (first, *_), start = model.exits[model.pathway.start], model.pathway.start
    exits = tuple(replace(first, name=f"{i}", time=law, probability=None) for i, law in enumerate(laws))
    return replace(model, exits={**model.exits, start: exits})


@pytest.fixture(scope="module")
def model() -> Model:
    return resolve(load_scenario("baseline"))


COMPETING = {
    "exponentials": [law("exponential", mean=5.0), law("exponential", mean=2.0)],
    "one of every shape": [
        law("weibull", shape=1.7, scale=6.0),
        law("gamma", shape=0.6, mean=9.0),
        law("lognormal", sigma=1.1, median=4.0),
        law("loglogistic", shape=1.3, median=7.0),
    ],
    "a hazard in pieces": [
        law("piecewise_exponential", breaks=[1.0, 2.0], rates=[0.0, 3.0, 0.01]),
        law("gompertz", shape=0.1, rate=0.02),
    ],
    "cured of one risk": [law("exponential", cure=0.3, mean=5.0), law("lognormal", sigma=0.5, median=9.0)],
    "very steep": [law("weibull", shape=80.0, scale=6.0), law("weibull", shape=60.0, scale=6.0)],
    "at long sight": [law("lognormal", sigma=2.0, median=300.0), law("exponential", rate=0.001)],
}


@pytest.mark.parametrize("laws", COMPETING.values(), ids=COMPETING)
def test_a_mean_stay_and_the_share_who_leave_by_each_risk_are_what_quadrature_gives(
    laws: list[Distribution], model: Model
) -> None:
    exits = leaving(state(model, *laws), model.pathway.start)

    def months_stayed(u: Floats) -> Floats:
        return np.exp(u) * np.prod([law.survival(np.exp(u)) for law in laws], axis=0)

    stay = sum(integrate.fixed_quad(months_stayed, a, a + 0.25, n=60)[0] for a in np.arange(-15.0, 15.5, 0.25))
    assert exits.stay().item() == pytest.approx(stay, rel=5e-5)
    assert sum(share.item() for share in exits.by) == pytest.approx(1.0, abs=1e-12)
    assert not exits.never.any()
    # Who leaves by a risk: the sum of S dH_j over steps of log time, of which the steepest hazard is even in each.
    months = np.exp(np.linspace(-15.0, 15.5, 60_001))
    hazards = [np.minimum(law.cumulative_hazard(months), 800.0) for law in laws]
    survival = np.exp(-np.sum(hazards, axis=0))
    for hazard, share in zip(hazards, exits.by, strict=True):
        leaves = np.sum(np.diff(hazard) * (survival[1:] + survival[:-1]) / 2.0)
        assert share.item() == pytest.approx(leaves, abs=2e-4)


def test_a_fixed_time_takes_all_patients_who_are_left_and_a_cure_leaves_some(model: Model) -> None:
    half_gone = [law("fixed", months=2.0, cure=0.5), law("fixed", months=2.0, cure=0.4), law("exponential", mean=5.0)]
    exits = leaving(state(model, *half_gone), model.pathway.start)
    left = exp(-0.4)
    assert [share.item() for share in exits.by] == pytest.approx(
        [0.5 * left, 0.5 * 0.6 * left, (1.0 - left) + 0.5 * 0.4 * left], abs=1e-6
    )
    assert exits.stay().item() == pytest.approx(5.0 * (1.0 - left) + 0.2 * left * 5.0, rel=1e-6)
    alone = leaving(state(model, half_gone[0]), model.pathway.start)
    assert (alone.by[0].item(), alone.never.item(), alone.stay().item()) == (0.5, 0.5, inf)
    at_once = leaving(state(model, law("fixed", months=0.0, cure=0.25), half_gone[2]), model.pathway.start)
    assert [share.item() for share in at_once.by] == pytest.approx([0.75, 0.25], abs=1e-9)
    assert at_once.stay().item() == pytest.approx(1.25, rel=1e-6)


@pytest.mark.parametrize(("shape", "has_mean"), [(1.2, True), (0.9, False)])
def test_a_mean_that_has_no_end_is_infinite(shape: float, has_mean: bool, model: Model) -> None:
    slow = law("loglogistic", shape=shape, scale=2.0)
    exits = leaving(state(model, slow), model.pathway.start)
    assert exits.by[0].item() == pytest.approx(1.0)
    mean = 2.0 * np.pi / shape / np.sin(np.pi / shape) if has_mean else inf
    assert exits.stay().item() == pytest.approx(mean, rel=1e-3)
    # Two that have no mean each may have one together: S falls as t^-(a + b).
    assert np.isfinite(leaving(state(model, slow, slow), model.pathway.start).stay()).all()


def cycle(speed: float, death: float) -> Model:
    """Two states that follow each other, with death in both."""
    leaves = {"dead": exponential(rate=death)}
    states = {"a": sojourn(b=exponential(rate=speed), **leaves), "b": sojourn(a=exponential(rate=speed), **leaves)}
    return resolve(scenario(world("a", states)))


@pytest.mark.parametrize("speed", [0.01, 1.0, 10_000.0])
def test_how_often_patients_come_round_a_cycle(speed: float) -> None:
    rounds = visits(cycle(speed, 0.01))
    again = speed / (speed + 0.01)
    assert rounds["a"].item() == pytest.approx(1.0 / (1.0 - again**2), rel=1e-6)
    assert rounds["b"].item() == pytest.approx(again / (1.0 - again**2), rel=1e-6)
    assert rounds["dead"].item() == pytest.approx(1.0, rel=1e-6)


def test_a_cycle_that_is_never_left_is_come_round_without_end_but_not_within_months() -> None:
    for_ever = cycle(2.0, 0.0)
    rounds = visits(for_ever)
    assert rounds["a"].item() == rounds["b"].item() == inf
    assert rounds["dead"].item() == 0.0
    assert np.isinf(events(for_ever)).all()
    # Moves at 2 a month until a time that is exponential with mean 30: 60 moves, and the first entry.
    assert events(for_ever, within=30.0).item() == pytest.approx(61.0, rel=1e-4)


@pytest.mark.parametrize("name", ["b_all_post_cd19", "peer_pathway", "three_state"])
def test_patients_of_a_shipped_pathway_come_to_each_state_as_often_as_the_chain_says(name: str) -> None:
    model, n = resolve(Scenario(name, load_pathway(name))), 20_000
    (block,) = engine.simulate(model, Uniforms(4), range(n), horizon=12_000.0)
    expected = {state: np.sum(visit * model.weights) for state, visit in visits(model).items()}
    for state, often in expected.items():
        counts = np.zeros(n)
        for who, _ in block.entered.get(state, ()):
            np.add.at(counts, who, 1.0)
        # 5 standard errors of each of fewer than 40 states: less than 1 in 10,000 fails by chance.
        assert counts.mean() == pytest.approx(often, abs=5.0 * counts.std() / np.sqrt(n) + 1e-9), state
    assert events(model).item() == pytest.approx(sum(expected.values()))
