from __future__ import annotations

import os
import sys
from pathlib import Path

# As on the command line: threads of BLAS wait by spinning, and take the time of the other tests' processes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# The small worlds, which tests import by name.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from collections.abc import Iterator
from concurrent.futures import wait
from typing import Any

import pytest

from simulator.execution import pool as workers


@pytest.fixture(scope="session")
def lifelines() -> Any:
    """An independent oracle of survival estimates. It needs pandas below 3; without it who asks for it is skipped."""
    pytest.importorskip("lifelines.statistics")
    return pytest.importorskip("lifelines")


@pytest.fixture
def by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave all work to the other processes, which otherwise have hardly started when little work is done."""
    shared = workers._results

    def left(pool: Any, starting: Any, *given: Any) -> Iterator[Any]:
        wait(starting)
        return shared(pool, starting, *given)

    monkeypatch.setattr(workers, "_results", left)
    monkeypatch.setattr(workers, "AHEAD", 1_000_000)
