"""Benchmarks are collected on request only: `pytest -m benchmark tests/benchmarks`.

The modules of this folder are not a package, for `performance.py` is a script: they import one another by name.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore the benchmarks unless the marker expression includes them."""
    left_out = "not benchmark" in str(config.getoption("markexpr"))
    return True if left_out and collection_path.suffix == ".py" else None
