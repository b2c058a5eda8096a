from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

# As on the command line: waiting threads of BLAS would take time from the processes of other tests.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# The small worlds, which tests import by name.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import suppress
from typing import Any

import pandas as pd
import pytest

from simulator.execution import pool
from simulator.experiment.lattice_error import measured


def pytest_collection() -> None:
    gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    _mark_what_is_represented(items)
    _keep_hypothesis_from_reading()


def _mark_what_is_represented(items: list[pytest.Item]) -> None:
    """Mark as slow all cases of a test but its `representatives`: the first, the last, and others evenly between."""
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("representatives"):
            tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for cases in tests.values():
        (number,) = cases[0].iter_markers("representatives")
        last, spaces = len(cases) - 1, number.args[0] - 1
        kept = {round(place * last / spaces) for place in range(spaces + 1)}
        for place, case in enumerate(cases):
            if place not in kept:
                case.add_marker("slow")


def _keep_hypothesis_from_reading() -> None:
    """Keep Hypothesis from reading the numbers in every module: it takes seconds, and the next module changes examples.

    Its own business, so that another version may have it elsewhere: then examples differ, and no more.
    """
    if "hypothesis" in sys.modules:
        with suppress(ImportError, AttributeError):
            from hypothesis.internal.conjecture import providers

            none = providers._local_constants
            providers._get_local_constants = lambda: none


def pytest_collection_finish() -> None:
    """Exempt the thousands of collected tests from garbage collection, and collect rarely: it takes a tenth of time."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def lifelines() -> Any:
    """An independent reference for survival estimates. It needs pandas below 3; tests without it are skipped."""
    pytest.importorskip("lifelines.statistics")
    if int(pd.__version__.partition(".")[0]) >= 3:
        pytest.skip("lifelines needs pandas below 3")
    return pytest.importorskip("lifelines")


MEASURED = "simulator.experiment.run.measured"


@pytest.fixture(scope="session", autouse=True)
def unmeasured_error() -> Iterator[None]:
    """Runs state no error of the exact engine, whose measurement takes a third of their time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MEASURED, lambda *_: {})
        yield


@pytest.fixture
def measured_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs state the error of the exact engine, as outside of the tests."""
    monkeypatch.setattr(MEASURED, measured)


@pytest.fixture(scope="module")
def unchecked_pages() -> Iterator[None]:
    """Write pages of the explorer without random settings solved by the engine, most of their time: other tests do."""
    with pytest.MonkeyPatch.context() as patch:
        differences = dict.fromkeys(("before", "after", "mean_survival", "median"), 0.0)
        patch.setattr("simulator.explorer.making.check", lambda *_, **__: differences)
        yield


@pytest.fixture
def work_by_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave all work to the other processes, which otherwise do not start in time for little work."""
    start = pool.Pool._start

    def start_and_wait(processes: pool.Pool, work: Any) -> None:
        start(processes, work)
        wait(processes.starting)

    monkeypatch.setattr(pool.Pool, "_start", start_and_wait)
    monkeypatch.setattr(pool, "AHEAD", 1_000_000)


@pytest.fixture
def in_one_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw a run's figures wide only: as compact they take as long again, and other tests read both widths."""
    monkeypatch.setattr("simulator.figures.gallery.in_two_widths", lambda draw: draw())
