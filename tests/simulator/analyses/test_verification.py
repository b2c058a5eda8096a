"""Every check of `aftercart verify` passes on correct engines, and fails on an engine with the matching error."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulator.analyses import verification
from simulator.analyses.verification import Check
from simulator.engines.curves import Curves
from simulator.engines.des import engine as des
from simulator.engines.exact import accuracy
from simulator.engines.exact import engine as exact
from simulator.engines.microsim import engine as microsim
from simulator.engines.trajectories import Trajectories
from simulator.experiment import lattice_error
from simulator.outcomes import event_log
from simulator.pathway.format import load_pathway
from simulator.scenario.scenario import Scenario, load_scenario

Patch = pytest.MonkeyPatch

OCCUPANCY, RISE, LATTICE, AGREE = "occupancy sums", "survival never", "a lattice", "exact and microsim"
ERRORS = ("survival_error", "occupancy_error")
POSSIBLE, BEDS, MILESTONES = "impossible", "microsim and des", "milestones move"


@pytest.fixture
def three_states() -> Scenario:
    return Scenario("three_state", load_pathway("three_state"))


@pytest.fixture
def steep_starts() -> Scenario:
    """Weibull times whose hazard is infinite at the start, which leave a larger error."""
    return Scenario("peer", load_pathway("peer_pathway"))


@pytest.fixture
def with_beds() -> Scenario:
    return load_scenario("letter-centre")


@pytest.fixture
def with_milestones() -> Scenario:
    return load_scenario("hsct-as-milestone")


def failed(scenario: Scenario) -> list[str]:
    """The laws whose check fails."""
    return [check.law for check in verification.of(scenario) if not check.passed]


def only(laws: list[str], beginning: str) -> bool:
    return len(laws) == 1 and laws[0].startswith(beginning)


@pytest.mark.parametrize("name", ["three_states", "with_beds", "with_milestones"])
def test_correct_engines_pass_every_check(name: str, request: pytest.FixtureRequest) -> None:
    assert failed(request.getfixturevalue(name)) == []


def with_curves(monkeypatch: Patch, broken: Callable[[Curves], Curves]) -> None:
    original = exact.curves
    monkeypatch.setattr(exact, "curves", lambda model, horizon: broken(original(model, horizon)))


def test_a_state_with_too_many_patients_is_detected(three_states: Scenario, monkeypatch: Patch) -> None:
    def broken(curves: Curves) -> Curves:
        start, late = three_states.pathway.start, 1e-5 * (curves.months > 60.0)
        more = {clock: {**occupancy, start: occupancy[start] + late} for clock, occupancy in curves.occupancy.items()}
        return replace(curves, occupancy=more)

    with_curves(monkeypatch, broken)
    assert only(failed(three_states), OCCUPANCY)


def test_a_state_of_nan_is_detected(three_states: Scenario, monkeypatch: Patch) -> None:
    def broken(curves: Curves) -> Curves:
        start = three_states.pathway.start
        all_nan = {
            clock: {**occupancy, start: occupancy[start] * np.nan} for clock, occupancy in curves.occupancy.items()
        }
        return replace(curves, occupancy=all_nan)

    with_curves(monkeypatch, broken)
    assert only(failed(three_states), OCCUPANCY)


def test_a_survival_that_rises_is_detected(three_states: Scenario, monkeypatch: Patch) -> None:
    def broken(curves: Curves) -> Curves:
        ripple = 1e-6 * (np.arange(curves.months.size) % 2)
        return replace(curves, survival={key: survival + ripple for key, survival in curves.survival.items()})

    with_curves(monkeypatch, broken)
    assert only(failed(three_states), RISE)


def test_dead_patients_who_come_back_are_detected(three_states: Scenario, monkeypatch: Patch) -> None:
    """The engine forces survival to fall, but not the occupancy of death."""

    def broken(curves: Curves) -> Curves:
        ripple = 1e-7 * (np.arange(curves.months.size) % 2)
        (death, *_), start = three_states.pathway.deaths, three_states.pathway.start
        shifted = {
            clock: {**probabilities, death: probabilities[death] + ripple, start: probabilities[start] - ripple}
            for clock, probabilities in curves.occupancy.items()
        }
        return replace(curves, occupancy=shifted)

    with_curves(monkeypatch, broken)
    assert only(failed(three_states), RISE)


@pytest.mark.parametrize("what", ["survival", "occupancy"])
def test_a_curve_with_more_lattice_error_than_a_run_states_is_detected(
    what: str, three_states: Scenario, monkeypatch: Patch
) -> None:
    """A run of these states gives an error of less than 1e-7."""
    original = exact.solve

    def broken(model: Any, horizon: float, *, step: float | None = None, **options: Any) -> Any:
        solution = original(model, horizon, step=step, **options)
        survival_of, occupied = solution.survival_of, solution.occupied
        if step is not None and what == "survival":
            monkeypatch.setattr(solution, "survival_of", lambda keys: lowered(survival_of(keys)))
        elif step is not None:
            monkeypatch.setattr(solution, "occupied", lambda *arguments: lowered(occupied(*arguments)))
        return solution

    def lowered(curves: Any) -> Any:
        return [curve - 3e-5 for curve in curves]

    monkeypatch.setattr(exact, "solve", broken)
    laws = failed(three_states)
    assert only(laws, LATTICE)
    assert what in laws[0]


@pytest.mark.parametrize("stated", [0.3, np.nan])
def test_a_run_that_states_too_small_an_error_is_detected(
    stated: float, steep_starts: Scenario, monkeypatch: Patch
) -> None:
    original = lattice_error.measured

    def broken(*arguments: Any) -> dict[str, Any]:
        errors = original(*arguments)
        return errors | {"survival_error": {"largest": stated * errors["survival_error"]["largest"]}}

    monkeypatch.setattr(lattice_error, "measured", broken)
    assert only(failed(steep_starts), LATTICE)


def test_with_cycles_a_lattice_error_above_a_ten_thousandth_always_fails(monkeypatch: Patch) -> None:
    original, coarse = lattice_error.measured, {"largest": 1.0}
    monkeypatch.setattr(
        lattice_error, "measured", lambda *arguments: original(*arguments) | dict.fromkeys(ERRORS, coarse)
    )
    monkeypatch.setattr(accuracy, "LIMIT", 1e-7)
    monkeypatch.setattr(accuracy, "fine_enough", lambda model, step, horizon, solve, difference: solve(0.1))
    laws = failed(Scenario("peer_pathway", load_pathway("peer_pathway")))
    assert len(laws) == 2
    assert all(law.startswith(LATTICE) for law in laws)


@pytest.mark.parametrize("difference", [0.02, np.nan])
def test_a_difference_between_exact_and_simulated_survival_is_detected(
    difference: float, three_states: Scenario, monkeypatch: Patch
) -> None:
    """40,000 patients detect a difference of 2 in 100; patients who are missing in one engine only are an error."""

    def broken(curves: Curves) -> Curves:
        falls = difference * np.minimum(curves.months / 12.0, 1.0)
        return replace(curves, survival={key: survival - falls for key, survival in curves.survival.items()})

    with_curves(monkeypatch, broken)
    assert only(failed(three_states), AGREE)


def backwards(block: Trajectories) -> Trajectories:
    """Move the last entries before the patient's start."""
    state = next(reversed(block.entered))
    return replace(block, entered=block.entered | {state: [(w, month - 900.0) for w, month in block.entered[state]]})


def test_a_history_in_which_time_runs_back_is_detected(three_states: Scenario, monkeypatch: Patch) -> None:
    original = event_log.table
    monkeypatch.setattr(event_log, "table", lambda blocks: original(map(backwards, blocks)))
    laws = failed(three_states)
    assert only(laws, POSSIBLE)
    assert laws[0].endswith("time runs back in a history")


def test_a_history_with_an_undeclared_transition_is_detected(with_beds: Scenario, monkeypatch: Patch) -> None:
    original = event_log.table

    def broken(blocks: list[Trajectories]) -> pd.DataFrame:
        events = original(blocks)
        return events.assign(state=events["state"].replace("hsct", "relapse"))

    monkeypatch.setattr(event_log, "table", broken)
    assert only(failed(with_beds), POSSIBLE)


def later(original: Callable[..., Any]) -> Callable[..., Any]:
    """An engine whose times are a millionth of a month late."""

    def broken(*arguments: Any, **options: Any) -> Any:
        block, request_log = original(*arguments, **options)
        entered = {
            s: [(patients, month * (1.0 + 1e-7)) for patients, month in entries] for s, entries in block.entered.items()
        }
        return replace(block, entered=entered), request_log

    return broken


def test_different_times_in_des_and_microsim_are_detected(with_beds: Scenario, monkeypatch: Patch) -> None:
    monkeypatch.setattr(des, "simulate", later(des.simulate))
    assert only(failed(with_beds), BEDS)


def test_different_events_in_des_and_microsim_are_detected(with_beds: Scenario, monkeypatch: Patch) -> None:
    original = des.simulate

    def broken(model: Any, uniforms: Any, *arguments: Any, **options: Any) -> Any:
        return original(model, replace(uniforms, seed=uniforms.seed + 1), *arguments, **options)

    monkeypatch.setattr(des, "simulate", broken)
    assert [check.measured for check in verification.of(with_beds) if check.law.startswith(BEDS)] == [np.inf]


def test_different_destinations_in_des_and_microsim_are_detected(with_beds: Scenario, monkeypatch: Patch) -> None:
    original = des.simulate

    def broken(*arguments: Any, **options: Any) -> Any:
        trajectories, requests = original(*arguments, **options)
        swapped = {"chemotherapy": "immunotherapy", "immunotherapy": "chemotherapy"}
        entered, order = (
            {swapped.get(state, state): of_state for state, of_state in table.items()}
            for table in (trajectories.entered, trajectories.order)
        )
        return replace(trajectories, entered=entered, order=order), requests

    monkeypatch.setattr(des, "simulate", broken)
    assert [check.measured for check in verification.of(with_beds) if check.law.startswith(BEDS)] == [np.inf]


def test_a_milestone_that_changes_survival_is_detected(with_milestones: Scenario, monkeypatch: Patch) -> None:
    original = microsim.simulate

    def broken(model: Any, *arguments: Any, **options: Any) -> Any:
        for block in original(model, *arguments, **options):
            late = 1e-9 if model.scenario.hazard_ratio else 0.0
            yield replace(block, death_month=block.death_month * (1.0 + late))

    monkeypatch.setattr(microsim, "simulate", broken)
    assert only(failed(with_milestones), MILESTONES)


@pytest.mark.parametrize(("measured", "passes"), [(0.1, True), (0.2, True), (0.3, False), (np.nan, False)])
def test_a_check_passes_up_to_its_limit_and_never_without_a_number(measured: float, passes: bool) -> None:
    assert Check("baseline", "law", measured, 0.2).passed is passes
