"""Which parameters a page can move: shares that decide where patients go, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.engines.exact.routes import Routes
from simulator.engines.model import Model
from simulator.pathway.pathway import Parameter, Pathway
from simulator.pathway.references import names_in

TIMES = "it changes when patients move on, which is not linear"
CYCLE = "patients would come back to where they have been"
NOWHERE = "no patient reaches its choice"


def sliders(model: Model, routes: Routes) -> tuple[list[Parameter], dict[str, str]]:
    """Return the shares that can move, levers first, and why the pathway's other levers cannot."""
    pathway = model.pathway
    of_times = set(_names_of_times(pathway))
    taken = {(branch.state, branch.name) for route in routes.all for branch in route.branches}
    moved, fixed = list[Parameter](), dict[str, str]()
    for parameter in pathway.parameters.values():
        reason = ""
        if parameter.name in of_times:
            reason = TIMES
        elif not (choices := pathway.siblings(parameter.name)):
            reason = NOWHERE
        elif not any(choice.state == state for choice in choices for state, _ in taken):
            reason = CYCLE if any(choice.state in routes.entered for choice in choices) else NOWHERE
        if not reason:
            moved.append(parameter)
        elif parameter.lever:
            fixed[parameter.name] = reason
    return sorted(moved, key=lambda parameter: not parameter.lever), fixed


def _names_of_times(pathway: Pathway) -> Iterator[str]:
    """Yield the parameters of times and of who may have what."""
    for state in pathway.states.values():
        for transition in state.transitions:
            for levels in transition.eligible.values():
                for reference in levels.values():
                    yield from names_in(reference)
            for reference in transition.time.arguments.values() if transition.time else ():
                yield from names_in(reference)
