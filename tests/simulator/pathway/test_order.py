"""States are read from the start on, in the order of their branches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.pathway.order import in_order
from simulator.pathway.pathway import reachable


def test_branches_stand_as_they_are_declared_and_an_early_one_before_what_follows_another() -> None:
    ways = {"relapse": ["salvage", "care"], "salvage": ["response"], "response": ["hsct", "dead"], "hsct": ["relapse"]}
    ways |= {"care": ["dead"], "dead": []}
    assert in_order("relapse", ways.__getitem__) == ["relapse", "salvage", "care", "response", "hsct", "dead"]


@pytest.mark.parametrize("name", shipped.names())
def test_supportive_care_of_a_shipped_pathway_is_read_next_to_salvage(name: str) -> None:
    order = load_pathway(name).in_order
    if {"salvage_choice", "supportive_care"} <= set(order):
        assert order.index("supportive_care") == order.index("salvage_choice") + 1


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_every_state_that_can_be_reached_comes_once_and_after_those_that_lead_to_it(ways: set[tuple[int, int]]) -> None:
    downward = sorted({(min(way), max(way)) for way in ways if len(set(way)) == 2})

    def onward(state: str) -> list[str]:
        return [str(to) for come_from, to in downward if str(come_from) == state]

    order = in_order("0", onward)
    assert sorted(order) == sorted(reachable(["0"], onward))
    assert all(order.index(state) < order.index(to) for state in order for to in onward(state))
