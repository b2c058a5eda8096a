"""Each check of `aftercart verify` passes on engines that are right, and fails on one that is broken in its own way."""

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
def with_beds() -> Scenario:
    return load_scenario("letter-centre")


@pytest.fixture
def with_milestones() -> Scenario:
    return load_scenario("hsct-as-milestone")


def failed(scenario: Scenario) -> list[str]:
    """The laws whose check fails."""
    return [each.law for each in verification.of(scenario) if not each.passed]


def only(laws: list[str], beginning: str) -> bool:
    return len(laws) == 1 and laws[0].startswith(beginning)


@pytest.mark.parametrize("name", ["three_states", "with_beds", "with_milestones"])
def test_engines_that_are_right_pass_every_check(name: str, request: pytest.FixtureRequest) -> None:
    assert failed(request.getfixturevalue(name)) == []


def with_curves(monkeypatch: Patch, broken: Callable[[Curves], Curves]) -> None:
    right = exact.curves
    monkeypatch.setattr(exact, "curves", lambda model, horizon: broken(right(model, horizon)))


def test_a_state_with_too_many_patients_in_it_is_found(three_states: Scenario, monkeypatch: Patch) -> None:
    def broken(curves: Curves) -> Curves:
        start, late = three_states.pathway.start, 1e-5 * (curves.months > 60.0)
        more = {clock: {**own, start: own[start] + late} for clock, own in curves.occupancy.items()}
        return replace(curves, occupancy=more)

    with_curves(monkeypatch, broken)
    assert only(failed(three_states), OCCUPANCY)


def test_a_state_that_is_no_number_is_found(three_states: Scenario, monkeypatch: Patch) -> None:
    def broken(curves: Curves) -> Curves:
        start = three_states.pathway.start
        nothing = {clock: {**own, start: own[start] * np.nan} for clock, own in curves.occupancy.items()}
        return replace(curves, occupancy=nothing)

    with_curves(monkeypatch, broken)
    assert only(failed(three_states), OCCUPANCY)


def test_a_survival_that_rises_is_found(three_states: Scenario, monkeypatch: Patch) -> None:
    def broken(curves: Curves) -> Curves:
        wave = 1e-6 * (np.arange(curves.months.size) % 2)
        return replace(curves, survival={key: each + wave for key, each in curves.survival.items()})

    with_curves(monkeypatch, broken)
    assert only(failed(three_states), RISE)


def test_dead_patients_who_come_back_are_detected(three_states: Scenario, monkeypatch: Patch) -> None:
    """Survival itself is made to fall by the engine: the dead of the occupancy are not."""

    def broken(curves: Curves) -> Curves:
        wave = 1e-7 * (np.arange(curves.months.size) % 2)
        (death, *_), start = three_states.pathway.deaths, three_states.pathway.start
        moved = {
            clock: {**own, death: own[death] + wave, start: own[start] - wave}
            for clock, own in curves.occupancy.items()
        }
        return replace(curves, occupancy=moved)

    with_curves(monkeypatch, broken)
    assert only(failed(three_states), RISE)


@pytest.mark.parametrize(("curve", "said"), [("survival", "survival"), ("occupied", "occupancy")])
def test_a_curve_that_a_finer_lattice_moves_by_more_than_a_run_states_is_found(
    curve: str, said: str, three_states: Scenario, monkeypatch: Patch
) -> None:
    """A run of these states says that it is right to 1.2e-5."""
    right = exact.solve

    def broken(model: Any, horizon: float, *, step: float | None = None, **named: Any) -> Any:
        found = right(model, horizon, step=step, **named)
        if step is not None:
            finer = getattr(found, curve)
            monkeypatch.setattr(found, curve, lambda *given: finer(*given) - 3e-5)
        return found

    monkeypatch.setattr(exact, "solve", broken)
    laws = failed(three_states)
    assert only(laws, LATTICE)
    assert said in laws[0]


@pytest.mark.parametrize("stated", [0.5, np.nan])
def test_a_run_that_states_too_small_an_error_is_found(
    stated: float, three_states: Scenario, monkeypatch: Patch
) -> None:
    right = lattice_error.measured

    def broken(*given: Any) -> dict[str, Any]:
        found = right(*given)
        return found | {"survival_error": {"largest": stated * found["survival_error"]["largest"]}}

    monkeypatch.setattr(lattice_error, "measured", broken)
    assert only(failed(three_states), LATTICE)


def test_where_patients_come_back_no_stated_error_excuses_more_than_a_ten_thousandth(monkeypatch: Patch) -> None:
    right, coarse = lattice_error.measured, {"largest": 1.0}
    monkeypatch.setattr(lattice_error, "measured", lambda *given: right(*given) | dict.fromkeys(ERRORS, coarse))
    monkeypatch.setattr(accuracy, "LIMIT", 1e-7)
    monkeypatch.setattr(accuracy, "fine_enough", lambda model, step, horizon, solve: solve(0.1))
    laws = failed(Scenario("peer_pathway", load_pathway("peer_pathway")))
    assert len(laws) == 2
    assert all(law.startswith(LATTICE) for law in laws)


@pytest.mark.parametrize("apart", [0.02, np.nan])
def test_an_exact_survival_that_is_not_the_simulated_one_is_found(
    apart: float, three_states: Scenario, monkeypatch: Patch
) -> None:
    """40,000 patients tell 2 in 100 apart; and where one engine has nobody, the other has to have nobody, too."""

    def broken(curves: Curves) -> Curves:
        falls = apart * np.minimum(curves.months / 12.0, 1.0)
        return replace(curves, survival={key: each - falls for key, each in curves.survival.items()})

    with_curves(monkeypatch, broken)
    assert only(failed(three_states), AGREE)


def backwards(block: Trajectories) -> Trajectories:
    """The last entries come a year before the patient does."""
    state = next(reversed(block.entered))
    return replace(block, entered=block.entered | {state: [(w, month - 900.0) for w, month in block.entered[state]]})


def test_a_history_in_which_time_runs_back_is_found(three_states: Scenario, monkeypatch: Patch) -> None:
    right = event_log.table
    monkeypatch.setattr(event_log, "table", lambda blocks: right(map(backwards, blocks)))
    laws = failed(three_states)
    assert only(laws, POSSIBLE)
    assert laws[0].endswith("time runs back in a history")


def test_a_history_that_takes_a_step_that_is_not_declared_is_found(with_beds: Scenario, monkeypatch: Patch) -> None:
    right = event_log.table

    def broken(blocks: list[Trajectories]) -> pd.DataFrame:
        events = right(blocks)
        return events.assign(state=events["state"].replace("hsct", "relapse"))

    monkeypatch.setattr(event_log, "table", broken)
    assert only(failed(with_beds), POSSIBLE)


def later(right: Callable[..., Any]) -> Callable[..., Any]:
    """An engine whose times are a millionth of a month late."""

    def broken(*given: Any, **named: Any) -> Any:
        block, book = right(*given, **named)
        entered = {s: [(who, month * (1.0 + 1e-7)) for who, month in own] for s, own in block.entered.items()}
        return replace(block, entered=entered), book

    return broken


def test_a_des_whose_times_are_not_those_of_microsim_is_found(with_beds: Scenario, monkeypatch: Patch) -> None:
    monkeypatch.setattr(des, "simulate", later(des.simulate))
    assert only(failed(with_beds), BEDS)


def test_a_des_in_which_other_things_happen_is_found(with_beds: Scenario, monkeypatch: Patch) -> None:
    right = des.simulate

    def broken(model: Any, uniforms: Any, *given: Any, **named: Any) -> Any:
        return right(model, replace(uniforms, seed=uniforms.seed + 1), *given, **named)

    monkeypatch.setattr(des, "simulate", broken)
    assert [each.measured for each in verification.of(with_beds) if each.law.startswith(BEDS)] == [np.inf]


def test_a_des_in_which_patients_go_elsewhere_at_the_same_times_is_detected(
    with_beds: Scenario, monkeypatch: Patch
) -> None:
    right = des.simulate

    def broken(*given: Any, **named: Any) -> Any:
        trajectories, requests = right(*given, **named)
        swapped = {"chemotherapy": "immunotherapy", "immunotherapy": "chemotherapy"}
        entered, order = (
            {swapped.get(state, state): of_state for state, of_state in table.items()}
            for table in (trajectories.entered, trajectories.order)
        )
        return replace(trajectories, entered=entered, order=order), requests

    monkeypatch.setattr(des, "simulate", broken)
    assert [check.measured for check in verification.of(with_beds) if check.law.startswith(BEDS)] == [np.inf]


def test_a_milestone_that_kills_is_found(with_milestones: Scenario, monkeypatch: Patch) -> None:
    right = microsim.simulate

    def broken(model: Any, *given: Any, **named: Any) -> Any:
        for block in right(model, *given, **named):
            late = 1e-9 if model.scenario.hazard_ratio else 0.0
            yield replace(block, death_month=block.death_month * (1.0 + late))

    monkeypatch.setattr(microsim, "simulate", broken)
    assert only(failed(with_milestones), MILESTONES)


@pytest.mark.parametrize(("found", "passes"), [(0.1, True), (0.2, True), (0.3, False), (np.nan, False)])
def test_a_check_passes_up_to_its_limit_and_never_without_a_number(found: float, passes: bool) -> None:
    assert Check("baseline", "law", found, 0.2).passed is passes
