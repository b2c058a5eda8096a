"""Simulate what happens to patients on a treatment pathway: states, sojourn times, policies and their outcomes.

from simulator import load_pathway, load_scenario, run, compare, sweep
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.experiment import compare, run
    from simulator.pathway_file import load_pathway
    from simulator.scenario import load_scenario
    from simulator.sweeps.run import sweep

__all__ = ["compare", "load_pathway", "load_scenario", "run", "sweep"]

_HOMES = {
    "compare": "simulator.experiment",
    "load_pathway": "simulator.pathway_file",
    "load_scenario": "simulator.scenario",
    "run": "simulator.experiment",
    "sweep": "simulator.sweeps.run",
}


def __getattr__(name: str) -> Any:
    # Imported when asked for, so that the command line starts without NumPy.
    if name not in _HOMES:
        raise AttributeError(f"module 'simulator' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
