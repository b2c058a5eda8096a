"""The three engines stand side by side: who imports one loads nothing of another, so that each can be trusted alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

ENGINES = ("exact", "microsim", "des")


@pytest.mark.parametrize("engine", ENGINES)
def test_importing_an_engine_loads_no_module_of_another(engine: str) -> None:
    code = f"import sys, simulator.engines.{engine}.engine; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    others = tuple(f"simulator.engines.{other}" for other in ENGINES if other != engine)
    assert not [name for name in run.stdout.split() if name.startswith(others)]
    assert ("simpy" in run.stdout.split()) == (engine == "des")
