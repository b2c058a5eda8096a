"""The peers' versions of the peer pathway agree with the engines, so that their times can be compared.

Each bound is five standard errors; the exact engine's own error, below 1e-4, is added.
"""

import aftercart_runs
import heormodel_idiom
import numpy as np
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
    return aftercart_runs.exact_curves()


@pytest.fixture(scope="module")
def transitions() -> tuple[float, float]:
    """The mean number of transitions by the exact engine, and its standard deviation among microsim's patients."""
    solution = exact.solve(aftercart_runs.model("peer"), aftercart_runs.HORIZON)
    transitions_made = np.zeros(PATIENTS)
    for block in microsim.simulate(
        aftercart_runs.model("peer"), Uniforms(1), range(PATIENTS), horizon=aftercart_runs.HORIZON
    ):
        for exits in block.left.values():
            for places, _ in exits:
                transitions_made += np.bincount(block.patients[places], minlength=PATIENTS)
    return float(solution.entered(solution.model.pathway.states)[0, -1]) - 1.0, float(transitions_made.std())


def assert_same_survival(months: Floats, patients: int, curves: Curves) -> None:
    for month in (60.0, 120.0):
        p = float(np.interp(month, curves.months, curves.survival["start", "all"][0]))
        alive = 1.0 - np.count_nonzero(months <= month) / patients
        assert abs(alive - p) < 5 * (p * (1 - p) / patients) ** 0.5 + EXACT, month


def test_the_pathway_with_beds_differs_from_the_shipped_one_by_the_bed_only() -> None:
    shipped, with_bed = (aftercart_runs.model(name).pathway.states for name in ("peer", "peer_with_beds"))
    assert set(with_bed) - set(shipped) == {"awaiting_bed", "hsct_admission"}
    for name, state in shipped.items():
        expected = [(transition.to, str(transition.time)) for transition in state.transitions]
        exits = [
            (transition.to.replace("awaiting_bed", "hsct"), str(transition.time))
            for transition in with_bed[name].transitions
        ]
        assert expected == exits, name


def test_a_patient_makes_six_and_a_third_transitions(transitions: tuple[float, float]) -> None:
    assert transitions[0] == pytest.approx(6.34, abs=0.01)


def test_simpy_agrees_with_the_exact_engine(curves: Curves, transitions: tuple[float, float]) -> None:
    record = simpy_by_hand.without_beds(PATIENTS)
    assert_same_survival(np.array(record.deaths), PATIENTS, curves)
    mean, deviation = transitions
    assert abs(record.transitions / PATIENTS - mean) < 5 * deviation / PATIENTS**0.5


def test_microsim_agrees_with_the_exact_engine(curves: Curves) -> None:
    assert_same_survival(
        np.concatenate([death.death_month for death in aftercart_runs.deaths(PATIENTS)]), PATIENTS, curves
    )
    by_microsim = aftercart_runs.curves(PATIENTS).survival["start", "all"][0]
    # Where patients come back, the exact engine's cells are finer.
    p = curves.survival["start", "all"][0][:: (curves.months.size - 1) // (by_microsim.size - 1)]
    assert np.all(np.abs(by_microsim - p) < 5 * np.sqrt(p * (1 - p) / PATIENTS) + EXACT)


@needs_heormodel
def test_heormodel_agrees_with_the_exact_engine(curves: Curves, transitions: tuple[float, float]) -> None:
    result = heormodel_idiom.run(PATIENTS, events=True)
    assert_same_survival(result.events.loc[result.events["to_state"] == "dead", "time"].to_numpy(), PATIENTS, curves)
    mean, deviation = transitions
    assert abs(len(result.events) / PATIENTS - mean) < 5 * deviation / PATIENTS**0.5


@needs_heormodel
def test_the_mean_time_alive_by_heormodel_is_the_area_under_the_curve(curves: Curves) -> None:
    months = float(heormodel_idiom.run(PATIENTS).outcomes.data["months"].mean())
    survival = curves.survival["start", "all"][0]
    area = np.trapezoid(survival, curves.months)
    variance = 2.0 * np.trapezoid(survival * curves.months, curves.months) - area**2
    assert abs(months - area) < 5 * (variance / PATIENTS) ** 0.5 + EXACT * aftercart_runs.HORIZON


@pytest.fixture(scope="module", params=[34, 24])
def with_beds(request: pytest.FixtureRequest) -> tuple[Floats, Floats]:
    """SimPy and microsim, a row for every replication: mean wait, requests a patient, alive at 60 and 120 months.

    With 34 beds few patients wait, and mean waits are noisy; with 24 the queue grows, and waits are precise.
    """

    def row(waits: Floats, months: Floats) -> list[float]:
        alive = [1.0 - np.count_nonzero(months <= month) / PER_REPLICATION for month in (60.0, 120.0)]
        return [float(np.mean(waits)), len(waits) / PER_REPLICATION, *alive]

    by_hand = [simpy_by_hand.with_beds(PER_REPLICATION, seed, request.param) for seed in REPLICATIONS]
    by_microsim = [aftercart_runs.with_beds(PER_REPLICATION, seed, request.param) for seed in REPLICATIONS]
    return (
        np.array([row(np.array(record.waits), np.array(record.deaths)) for record in by_hand]),
        np.array([row(requests.waited, block.death_month) for block, requests in by_microsim]),
    )


def test_simpy_agrees_with_microsim_with_beds(with_beds: tuple[Floats, Floats]) -> None:
    """Standard errors come from the replications of each program."""
    by_hand, by_microsim = with_beds
    error = np.hypot(by_hand.std(axis=0, ddof=1), by_microsim.std(axis=0, ddof=1)) / len(REPLICATIONS) ** 0.5
    difference = np.abs(by_hand.mean(axis=0) - by_microsim.mean(axis=0))
    assert np.all(difference < 5 * error), (by_hand.mean(axis=0), by_microsim.mean(axis=0), error)
    wait = by_hand[:, 0].mean()
    assert error[0] < max(0.04, 0.1 * wait)
    assert np.all(error[1:] < 0.006)
