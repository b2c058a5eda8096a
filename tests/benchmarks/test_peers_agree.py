"""Like is timed with like: the peers' versions of the peer pathway tell what the engines tell.

Each bound is five standard errors; the exact engine's own error, below 1e-4, is added.
"""

import heormodel_idiom
import numpy as np
import ours
import pytest
import ratios
import simpy_by_hand

from simulator.arrays import Floats
from simulator.engines.curves import Curves
from simulator.engines.exact import engine as exact
from simulator.engines.microsim import engine as microsim
from simulator.randomness import Uniforms

PATIENTS = 40_000
REPLICATIONS = range(1, 17)
PER_REPLICATION = 5_000
EXACT = 1e-4

pytestmark = pytest.mark.benchmark
needs_heormodel = pytest.mark.skipif(not ratios.has_heormodel(), reason="needs the extra `bench`")


@pytest.fixture(scope="module")
def curves() -> Curves:
    return ours.exactly()


@pytest.fixture(scope="module")
def transitions() -> tuple[float, float]:
    """The mean number of transitions by the exact engine, and its standard deviation among microsim's patients."""
    solution = exact.solve(ours.model("peer"), ours.HORIZON)
    made = np.zeros(PATIENTS)
    for block in microsim.simulate(ours.model("peer"), Uniforms(1), range(PATIENTS), horizon=ours.HORIZON):
        for exits in block.left.values():
            for who, _ in exits:
                made += np.bincount(block.patients[who], minlength=PATIENTS)
    return float(solution.entered(solution.model.pathway.states)[0, -1]) - 1.0, float(made.std())


def survives_alike(months: Floats, patients: int, curves: Curves) -> None:
    for month in (60.0, 120.0):
        p = float(np.interp(month, curves.months, curves.survival["start", "all"][0]))
        alive = 1.0 - np.count_nonzero(months <= month) / patients
        assert abs(alive - p) < 5 * (p * (1 - p) / patients) ** 0.5 + EXACT, month


def test_the_pathway_with_beds_is_the_shipped_one_but_for_the_bed() -> None:
    shipped, told = (ours.model(name).pathway.states for name in ("peer", "peer_with_beds"))
    assert set(told) - set(shipped) == {"awaiting_bed", "hsct_admission"}
    for name, state in shipped.items():
        ways = [(transition.to, str(transition.time)) for transition in state.transitions]
        asked = [
            (transition.to.replace("awaiting_bed", "hsct"), str(transition.time))
            for transition in told[name].transitions
        ]
        assert ways == asked, name


def test_a_patient_makes_six_and_a_third_transitions(transitions: tuple[float, float]) -> None:
    assert transitions[0] == pytest.approx(6.34, abs=0.01)


def test_simpy_tells_the_same(curves: Curves, transitions: tuple[float, float]) -> None:
    seen = simpy_by_hand.without_beds(PATIENTS)
    survives_alike(np.array(seen.deaths), PATIENTS, curves)
    mean, deviation = transitions
    assert abs(seen.transitions / PATIENTS - mean) < 5 * deviation / PATIENTS**0.5


def test_microsim_tells_the_same(curves: Curves) -> None:
    survives_alike(np.concatenate([death.death_month for death in ours.deaths(PATIENTS)]), PATIENTS, curves)
    counted = ours.curves(PATIENTS).survival["start", "all"][0]
    p = curves.survival["start", "all"][0]
    assert np.all(np.abs(counted - p) < 5 * np.sqrt(p * (1 - p) / PATIENTS) + EXACT)


@needs_heormodel
def test_heormodel_tells_the_same(curves: Curves, transitions: tuple[float, float]) -> None:
    told = heormodel_idiom.run(PATIENTS, events=True)
    survives_alike(told.events.loc[told.events["to_state"] == "dead", "time"].to_numpy(), PATIENTS, curves)
    mean, deviation = transitions
    assert abs(len(told.events) / PATIENTS - mean) < 5 * deviation / PATIENTS**0.5


@needs_heormodel
def test_heormodel_gives_the_mean_time_alive_that_is_the_area_under_the_curve(curves: Curves) -> None:
    months = float(heormodel_idiom.run(PATIENTS).outcomes.data["months"].mean())
    survival = curves.survival["start", "all"][0]
    area = np.trapezoid(survival, curves.months)
    variance = 2.0 * np.trapezoid(survival * curves.months, curves.months) - area**2
    assert abs(months - area) < 5 * (variance / PATIENTS) ** 0.5 + EXACT * ours.HORIZON


@pytest.fixture(scope="module", params=[34, 24])
def with_beds(request: pytest.FixtureRequest) -> tuple[Floats, Floats]:
    """By hand and ours, a row a replication: mean wait, requests a patient, alive at 60 and at 120 months.

    34 beds make few wait, and chance blurs how long; 24 are too few, so that the queue grows and its waits are sure.
    """

    def row(waits: Floats, months: Floats) -> list[float]:
        alive = [1.0 - np.count_nonzero(months <= month) / PER_REPLICATION for month in (60.0, 120.0)]
        return [float(np.mean(waits)), len(waits) / PER_REPLICATION, *alive]

    by_hand = [simpy_by_hand.with_beds(PER_REPLICATION, seed, request.param) for seed in REPLICATIONS]
    told = [ours.with_beds(PER_REPLICATION, seed, request.param) for seed in REPLICATIONS]
    return (
        np.array([row(np.array(each.waits), np.array(each.deaths)) for each in by_hand]),
        np.array([row(book.waited, block.death_month) for block, book in told]),
    )


def test_simpy_tells_the_same_with_beds(with_beds: tuple[Floats, Floats]) -> None:
    """Each side's standard error is that of its own replications."""
    by_hand, told = with_beds
    error = np.hypot(by_hand.std(axis=0, ddof=1), told.std(axis=0, ddof=1)) / len(REPLICATIONS) ** 0.5
    difference = np.abs(by_hand.mean(axis=0) - told.mean(axis=0))
    assert np.all(difference < 5 * error), (by_hand.mean(axis=0), told.mean(axis=0), error)
    wait = by_hand[:, 0].mean()
    assert error[0] < max(0.04, 0.1 * wait)
    assert np.all(error[1:] < 0.006)
