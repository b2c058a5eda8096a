"""Simulate what happens to patients on a treatment pathway: states, sojourn times, policies and their outcomes.

from simulator import load_pathway, load_scenario, declare_scenario, run, compare, sweep, beds, story, survival_curves
from simulator import Scenario, Results, InputError

What they do, with examples: docs/api.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.analyses.beds import beds
    from simulator.analyses.story import story
    from simulator.analyses.sweep.run import sweep
    from simulator.errors import InputError
    from simulator.experiment.results import Results
    from simulator.experiment.run import compare, run
    from simulator.experiment.survival_curves import survival_curves
    from simulator.pathway.format import load_pathway
    from simulator.scenario.scenario import Scenario, declare_scenario, load_scenario

__all__ = [
    "InputError",
    "Results",
    "Scenario",
    "beds",
    "compare",
    "declare_scenario",
    "load_pathway",
    "load_scenario",
    "run",
    "story",
    "survival_curves",
    "sweep",
]

_HOMES = {
    "InputError": "simulator.errors",
    "Results": "simulator.experiment.results",
    "Scenario": "simulator.scenario.scenario",
    "beds": "simulator.analyses.beds",
    "compare": "simulator.experiment.run",
    "declare_scenario": "simulator.scenario.scenario",
    "load_pathway": "simulator.pathway.format",
    "load_scenario": "simulator.scenario.scenario",
    "run": "simulator.experiment.run",
    "story": "simulator.analyses.story",
    "survival_curves": "simulator.experiment.survival_curves",
    "sweep": "simulator.analyses.sweep.run",
}


def __dir__() -> list[str]:
    return [*__all__, "__doc__", "__version__"]


def __getattr__(name: str) -> Any:
    # Imported when asked for, so that the command line starts without NumPy.
    if name == "__version__":
        from importlib.metadata import version

        return version("aftercart")
    if name not in _HOMES:
        raise AttributeError(f"module 'simulator' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
