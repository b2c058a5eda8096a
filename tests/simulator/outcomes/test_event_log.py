"""Histories: the event table, and checks for impossible histories."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from worlds import KINDS, policies_of_the_default_suite

import scenarios
from simulator.engines.microsim import engine
from simulator.engines.model import resolve
from simulator.errors import AftercartError
from simulator.outcomes import event_log
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario

Change = Callable[[pd.DataFrame], pd.DataFrame]


def simulated(scenario: Scenario, patients: int = 1_000) -> pd.DataFrame:
    return event_log.table(engine.simulate(resolve(scenario), Uniforms(3), range(patients), horizon=120.0))


EVERY = [*shipped.names(), *scenarios.names(), "wider-salvage@0", "wider-salvage@0.5"]


@pytest.mark.representatives(5)
@pytest.mark.parametrize("name", policies_of_the_default_suite(EVERY, {*shipped.names(), *KINDS}))
def test_every_shipped_history_is_possible(name: str) -> None:
    is_pathway = name in shipped.names()
    scenario = Scenario(name, load_pathway(name)) if is_pathway else load_scenario(name)
    table = simulated(scenario)
    event_log.check(table, scenario.pathway)
    assert tuple(table.columns) == event_log.COLUMNS
    assert table["patient"].nunique() == 1_000
    np.testing.assert_array_equal(table["event"], table.groupby("patient").cumcount())
    assert table["patient"].is_monotonic_increasing


def test_without_patients_the_table_has_no_rows() -> None:
    assert tuple(event_log.table([]).columns) == event_log.COLUMNS
    assert event_log.table([]).empty


def events_of(*events: tuple[int, float, str]) -> pd.DataFrame:
    """A table of (patient, month, state)."""
    table = pd.DataFrame(events, columns=["patient", "month", "state"])
    table["event"] = table.groupby("patient").cumcount()
    return table[list(event_log.COLUMNS)]


IMPOSSIBLE = {
    "begins elsewhere": (events_of((0, 0.0, "ill")), "does not begin in healthy at month 0"),
    "begins late": (events_of((0, 1.0, "healthy")), "does not begin in healthy at month 0"),
    "begins elsewhere for one": (events_of((0, 0.0, "healthy"), (1, 0.0, "ill")), "does not begin"),
    "runs back": (events_of((0, 0.0, "healthy"), (0, 5.0, "ill"), (0, 4.0, "dead")), "time runs back"),
    "skips": (
        events_of((0, 0.0, "healthy"), (0, 1.0, "ill"), (0, 2.0, "healthy")),
        r"not declared: \('ill', 'healthy'\)",
    ),
    "outlives death": (
        events_of((0, 0.0, "healthy"), (0, 1.0, "dead"), (0, 2.0, "ill")),
        r"not declared: \('dead', 'ill'\)",
    ),
    "dies twice": (
        events_of((0, 0.0, "healthy"), (0, 1.0, "dead"), (0, 2.0, "dead")),
        r"not declared: \('dead', 'dead'\)",
    ),
}


@pytest.mark.parametrize(("table", "complaint"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_an_impossible_history_is_detected(table: pd.DataFrame, complaint: str) -> None:
    with pytest.raises(AftercartError, match=complaint):
        event_log.check(table, load_pathway("three_state"))


def test_histories_of_different_patients_are_not_joined() -> None:
    table = events_of((0, 0.0, "healthy"), (0, 9.0, "dead"), (1, 0.0, "healthy"), (2, 0.0, "healthy"), (2, 0.0, "ill"))
    event_log.check(table, load_pathway("three_state"))


def test_a_patient_treated_without_benefit_may_die_early_but_only_once() -> None:
    pathway = load_pathway("b_all_post_cd19")
    course = [(0, 0.0, "car_t_remission"), (0, 5.0, "relapse"), (0, 5.0, "salvage_choice"), (0, 5.0, "chemotherapy")]
    event_log.check(events_of(*course, (0, 5.5, "death_after_relapse")), pathway)
    with pytest.raises(AftercartError, match="not declared"):
        event_log.check(events_of(*course, (0, 5.5, "death_after_relapse"), (0, 6.0, "death_after_relapse")), pathway)
