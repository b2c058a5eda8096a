"""Simulate what happens to patients on a treatment pathway: states, sojourn times, policies and their outcomes.

from simulator import load_pathway, load_scenario, Scenario, run, compare, sweep, Results, InputError
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.errors import InputError
    from simulator.experiment import compare, run
    from simulator.pathway_file import load_pathway
    from simulator.results import Results
    from simulator.scenario import Scenario, load_scenario
    from simulator.sweeps.run import sweep

__all__ = ["InputError", "Results", "Scenario", "compare", "load_pathway", "load_scenario", "run", "sweep"]

_HOMES = {
    "InputError": "simulator.errors",
    "Results": "simulator.results",
    "Scenario": "simulator.scenario",
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
