from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

# As on the command line: threads of BLAS wait by spinning, and take the time of the other tests' processes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# The small worlds, which tests import by name.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from concurrent.futures import wait
from typing import Any

import pytest

from simulator.execution import pool


def pytest_collection_finish() -> None:
    """Thousands of collected tests live to the end: looking through them at every collection takes seconds.

    Hypothesis reads numbers out of every imported module, so that its examples, and their time, would depend on the
    tests that ran before.
    """
    gc.freeze()
    if "hypothesis" in sys.modules:
        from hypothesis.internal.conjecture import providers

        providers._get_local_constants = lambda: providers._local_constants


@pytest.fixture(scope="session")
def lifelines() -> Any:
    """An independent oracle of survival estimates. It needs pandas below 3; without it who asks for it is skipped."""
    pytest.importorskip("lifelines.statistics")
    return pytest.importorskip("lifelines")


@pytest.fixture
def by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave all work to the other processes, which otherwise have hardly started when little work is done."""
    start = pool.Pool._start

    def start_and_wait(processes: pool.Pool, work: Any) -> None:
        start(processes, work)
        wait(processes.starting)

    monkeypatch.setattr(pool.Pool, "_start", start_and_wait)
    monkeypatch.setattr(pool, "AHEAD", 1_000_000)
