"""Histories: the event table, and the histories that cannot be."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

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


@pytest.mark.parametrize("name", [*shipped.names(), *scenarios.names(), "wider-salvage@0", "wider-salvage@0.5"])
def test_every_shipped_history_is_possible(name: str) -> None:
    is_pathway = name in shipped.names()
    scenario = Scenario(name, load_pathway(name)) if is_pathway else load_scenario(name)
    table = simulated(scenario)
    event_log.check(table, scenario.pathway)
    assert tuple(table.columns) == event_log.COLUMNS
    assert table["patient"].nunique() == 1_000
    np.testing.assert_array_equal(table["event"], table.groupby("patient").cumcount())
    assert table["patient"].is_monotonic_increasing


def test_no_patients_are_a_table_without_rows() -> None:
    assert tuple(event_log.table([]).columns) == event_log.COLUMNS
    assert event_log.table([]).empty


def told(*events: tuple[int, float, str]) -> pd.DataFrame:
    """A table of (patient, month, state)."""
    table = pd.DataFrame(events, columns=["patient", "month", "state"])
    table["event"] = table.groupby("patient").cumcount()
    return table[list(event_log.COLUMNS)]


IMPOSSIBLE = {
    "begins elsewhere": (told((0, 0.0, "ill")), "does not begin in healthy at month 0"),
    "begins late": (told((0, 1.0, "healthy")), "does not begin in healthy at month 0"),
    "begins elsewhere for one": (told((0, 0.0, "healthy"), (1, 0.0, "ill")), "does not begin"),
    "runs back": (told((0, 0.0, "healthy"), (0, 5.0, "ill"), (0, 4.0, "dead")), "time runs back"),
    "skips": (told((0, 0.0, "healthy"), (0, 1.0, "ill"), (0, 2.0, "healthy")), r"not declared: \('ill', 'healthy'\)"),
    "outlives death": (
        told((0, 0.0, "healthy"), (0, 1.0, "dead"), (0, 2.0, "ill")),
        r"not declared: \('dead', 'ill'\)",
    ),
    "dies twice": (told((0, 0.0, "healthy"), (0, 1.0, "dead"), (0, 2.0, "dead")), r"not declared: \('dead', 'dead'\)"),
}


@pytest.mark.parametrize(("table", "complaint"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_history_that_cannot_be_is_found(table: pd.DataFrame, complaint: str) -> None:
    with pytest.raises(AftercartError, match=complaint):
        event_log.check(table, load_pathway("three_state"))


def test_one_patients_end_is_not_the_next_ones_past() -> None:
    table = told((0, 0.0, "healthy"), (0, 9.0, "dead"), (1, 0.0, "healthy"), (2, 0.0, "healthy"), (2, 0.0, "ill"))
    event_log.check(table, load_pathway("three_state"))


def test_a_patient_treated_without_benefit_may_die_on_the_way_but_only_once() -> None:
    pathway = load_pathway("b_all_post_cd19")
    way = [(0, 0.0, "car_t_remission"), (0, 5.0, "relapse"), (0, 5.0, "salvage_choice"), (0, 5.0, "chemotherapy")]
    event_log.check(told(*way, (0, 5.5, "death_after_relapse")), pathway)
    with pytest.raises(AftercartError, match="not declared"):
        event_log.check(told(*way, (0, 5.5, "death_after_relapse"), (0, 6.0, "death_after_relapse")), pathway)
