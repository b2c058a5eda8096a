"""Work in several processes: the main process takes part, every item is done once, and results keep their order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest

from simulator import execution

SECONDS = 0.02


def multiplied(factor: int, item: int) -> tuple[int, int]:
    time.sleep(SECONDS)
    return factor * item, os.getpid()


def refused(wrong: int, item: int) -> int:
    if item == wrong:
        raise ValueError(f"not {item}")
    return item


def test_with_one_job_the_main_process_does_the_work() -> None:
    results = list(execution.map(partial(multiplied, 2), range(3)))
    assert results == [(number, os.getpid()) for number in (0, 2, 4)]
    assert not active_children()


def test_all_processes_work_and_results_come_in_order() -> None:
    results = list(execution.map(partial(multiplied, 2), range(250), jobs=3))
    assert [number for number, _ in results] == list(range(0, 500, 2))
    assert len({process for _, process in results}) == 3
    assert os.getpid() in {process for _, process in results}
    assert not active_children()


@pytest.mark.usefixtures("work_by_other_processes")
def test_other_processes_can_do_all_the_work_of_several_maps() -> None:
    with execution.Pool(2) as pool:
        results = list(execution.map(partial(multiplied, 2), range(20), jobs=pool))
        others = list(execution.map(partial(multiplied, 3), range(5), jobs=pool))
    assert [number for number, _ in results] == list(range(0, 40, 2))
    assert [number for number, _ in others] == [0, 3, 6, 9, 12]
    assert os.getpid() not in {process for _, process in results + others}


def test_little_work_does_not_wait_for_other_processes_to_start() -> None:
    assert {process for _, process in execution.map(partial(multiplied, 2), range(3), jobs=2)} == {os.getpid()}
    assert not active_children()


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_items_give_no_results(jobs: int) -> None:
    assert list(execution.map(partial(multiplied, 2), [], jobs=jobs)) == []


@pytest.mark.parametrize("by", ["this process", "another"])
def test_an_error_reaches_the_caller_from_any_process(by: str, request: pytest.FixtureRequest) -> None:
    if by == "another":
        request.getfixturevalue("work_by_other_processes")
    with pytest.raises(ValueError, match="not 7"):
        list(execution.map(partial(refused, 7), range(20), jobs=2))
    assert not active_children()


def test_work_stops_when_no_more_results_are_used() -> None:
    for result, _ in execution.map(partial(multiplied, 2), range(100_000), jobs=2):
        assert result == 0
        break
    assert not active_children()


def test_ctrl_c_while_results_are_used_ends_the_other_processes() -> None:
    def press_ctrl_c() -> None:
        for result, _ in execution.map(partial(multiplied, 2), range(100_000), jobs=2):
            if result == 20:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()
    assert not active_children()


def test_progress_is_reported_after_every_result_with_its_stage() -> None:
    calls: list[tuple[object, ...]] = []
    list(execution.map(partial(refused, 7), range(3), progress=lambda *call: calls.append(call)))
    list(execution.map(partial(refused, 7), range(2), progress=lambda *call: calls.append(call), stage="fitting"))
    assert calls == [(1, 3), (2, 3), (3, 3), (1, 2, "fitting"), (2, 2, "fitting")]


@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupted_work_continues_where_it_stopped(jobs: int) -> None:
    """Item 7 fails after 0 to 6 are stored. The second run makes 7 to 9 only, and gives all ten results in order."""
    store: dict[int, int] = {}
    with pytest.raises(ValueError, match="not 7"):
        list(execution.map(partial(refused, 7), range(10), jobs=jobs, store=store))
    assert store == {item: item for item in range(7)}
    store |= {item: 100 + item for item in range(7)}
    calls: list[tuple[int, int]] = []
    results = list(
        execution.map(
            partial(refused, -1), range(10), jobs=jobs, store=store, progress=lambda *call: calls.append(call)
        )
    )
    assert results == [100, 101, 102, 103, 104, 105, 106, 7, 8, 9]
    assert calls == [(8, 10), (9, 10), (10, 10)]


def is_running(process: str) -> bool:
    try:
        return ") Z" not in Path("/proc", process, "stat").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are listed by /proc")
@pytest.mark.parametrize("signals", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_a_parent_that_is_killed(signals: int) -> None:
    """The parent prints the processes that did some work, is killed while all of them sleep, and none is left."""
    code = (
        "from simulator import execution; from os import getpid; from functools import partial; "
        "import tests.simulator.execution.test_pool as t; "
        "[print(pid, flush=True) for _, pid in execution.map(partial(t.multiplied, 2), range(100_000), jobs=3)]"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) as parent:
        assert parent.stdout is not None
        processes: set[str] = set()
        while len(processes) < 3:
            processes.add(parent.stdout.readline().strip())
        parent.send_signal(signals)
    last = time.monotonic() + 5.0
    while any(map(is_running, processes)) and time.monotonic() < last:
        time.sleep(0.1)
    assert not any(map(is_running, processes))
