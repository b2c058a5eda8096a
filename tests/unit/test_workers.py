"""Several processes: this one works as well, nothing is done twice or lost, and results come in order."""

from __future__ import annotations

import os
import time
from multiprocessing import active_children

import pytest

from simulator.execution.pool import workers

SECONDS = 0.02


def doubled(prepared: int, item: int) -> tuple[int, int]:
    time.sleep(SECONDS)
    return prepared * item, os.getpid()


def refused(prepared: int, item: int) -> int:
    if item == prepared:
        raise ValueError(f"not {item}")
    return item


def test_one_process_is_this_one() -> None:
    with workers(1, 2) as each:
        assert list(each(doubled, range(3))) == [(number, os.getpid()) for number in (0, 2, 4)]
    assert not active_children()


def test_all_processes_work_and_results_come_in_order() -> None:
    with workers(3, 2) as each:
        found = list(each(doubled, range(400)))
    assert [number for number, _ in found] == list(range(0, 800, 2))
    assert len({process for _, process in found}) == 3
    assert os.getpid() in {process for _, process in found}
    assert not active_children()


@pytest.mark.usefixtures("by_others")
def test_others_can_do_it_all() -> None:
    with workers(2, 2) as each:
        found = list(each(doubled, range(20)))
        again = list(each(doubled, range(5)))
    assert [number for number, _ in found] == list(range(0, 40, 2))
    assert [number for number, _ in again] == [0, 2, 4, 6, 8]
    assert os.getpid() not in {process for _, process in found + again}


def test_little_work_does_not_wait_for_the_others_to_start() -> None:
    with workers(2, 2) as each:
        assert {process for _, process in each(doubled, range(3))} == {os.getpid()}
    assert not active_children()


def test_nothing_to_do_gives_nothing() -> None:
    with workers(2, 2) as each:
        assert list(each(doubled, [])) == []


@pytest.mark.parametrize("by", ["this process", "another"])
def test_an_error_reaches_who_asked_wherever_it_happens(by: str, request: pytest.FixtureRequest) -> None:
    if by == "another":
        request.getfixturevalue("by_others")
    with pytest.raises(ValueError, match="not 7"), workers(2, 7) as each:
        list(each(refused, range(20)))
    assert not active_children()


def test_what_is_not_asked_for_any_more_is_given_up() -> None:
    with workers(2, 2) as each:
        assert next(each(doubled, range(100_000)))[0] == 0
    assert not active_children()
