"""Which parameters a page can move: shares that decide where patients go, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.engines.exact.routes import Routes
from simulator.engines.model import Model
from simulator.pathway.pathway import Parameter, Pathway
from simulator.pathway.references import names_in
from simulator.scenario.scenario import Scenario

TIMES = "it changes when patients move on, which is not linear: `--choose` solves a few values of it"
OF_TIME = "another share of its choice, which would give way, changes when patients move on"
CYCLE = "patients would come back to where they have been"
NOWHERE = "no patient reaches its choice"
OWN = "what the page starts from moves each parameter set's own share"


def sliders(model: Model, routes: Routes) -> tuple[list[Parameter], dict[str, str]]:
    """Return the shares that can move, levers first, and why the pathway's other levers cannot."""
    pathway = model.pathway
    of_times = set(names_of_times(pathway))
    taken = {(branch.state, branch.name) for route in routes.all for branch in route.branches}
    of_base = set(held_by(model.scenario))
    moved, fixed = list[Parameter](), dict[str, str]()
    for parameter in pathway.parameters.values():
        reason = ""
        choices = pathway.siblings(parameter.name)
        if parameter.name in of_times:
            reason = TIMES
        elif any(of_times.intersection(choice.names) for choice in choices):
            reason = OF_TIME
        elif parameter.name in of_base:
            reason = OWN
        elif not choices:
            reason = NOWHERE
        elif not any(choice.state == state for choice in choices for state, _ in taken):
            reason = CYCLE if any(choice.state in routes.entered for choice in choices) else NOWHERE
        if not reason:
            moved.append(parameter)
        elif parameter.lever:
            fixed[parameter.name] = reason
    return sorted(moved, key=lambda parameter: not parameter.lever), fixed


def held_by(scenario: Scenario) -> Iterator[str]:
    """Yield what a scenario moves from each parameter set's own value, with the other shares of its choices."""
    for name in (*scenario.scale, *scenario.odds_ratio, *scenario.replace, *scenario.replace.values()):
        yield name
        for choice in scenario.pathway.siblings(name):
            yield from choice.names


def names_of_times(pathway: Pathway) -> Iterator[str]:
    """Yield the parameters of times and of who may have what."""
    for state in pathway.states.values():
        for transition in state.transitions:
            for levels in transition.eligible.values():
                for reference in levels.values():
                    yield from names_in(reference)
            for reference in transition.time.arguments.values() if transition.time else ():
                yield from names_in(reference)
