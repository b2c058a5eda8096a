"""Milestones: states that change nothing. Whoever enters one keeps the risks of the state before it.

    T drawn on entry to the state before strikes at that entry + T, whatever milestones are passed meanwhile

A milestone keeps its own ways to other milestones, and no other: a world in which a treatment has no effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from simulator.errors import InputError, UnknownNameError
from simulator.pathway.pathway import Pathway, State, Transition

Ways = Mapping[str, dict[str, Transition]]


def with_milestones(pathway: Pathway, names: Sequence[str], where: str) -> Pathway:
    """Return a pathway in which some states are milestones. Raises InputError naming `where`."""
    milestones = tuple(dict.fromkeys(names))
    if pathway.milestones:
        raise InputError("the base already has milestones", where=where, got=list(names), allowed="no milestones here")
    for name in milestones:
        _check(pathway, name, milestones, where)
    going_on = _going_on(pathway, milestones, where)
    states = dict(pathway.states)
    for name in milestones:
        onward = [transition for transition in states[name].transitions if transition.to in milestones]
        if not going_on[name]:
            allowed = "a state after one that has other risks"
            raise InputError("no latent times are carried forward into it", where=where, got=name, allowed=allowed)
        states[name] = replace(states[name], transitions=(*onward, *going_on[name].values()))
    return replace(pathway, states=states, milestones=milestones)


def without(pathway: Pathway) -> dict[str, float]:
    """Return the hazard ratios, all 0, with which nobody enters a milestone."""
    return {
        f"{state.name}.{transition.name}": 0.0
        for state in pathway.states.values()
        for transition in state.transitions
        if transition.to in pathway.milestones and state.name not in pathway.milestones
    }


def _check(pathway: Pathway, name: str, milestones: Sequence[str], where: str) -> None:
    if name not in pathway.states:
        raise UnknownNameError("state", name, pathway.states, where)
    before = [state for state in _before(pathway, name) if state.name not in milestones]
    instants = [state.name for state in (pathway.states[name], *before) if not state.competes]
    if instants:
        what = "it is not a sojourn" if instants[0] == name else f"it follows '{instants[0]}', which is not a sojourn"
        raise InputError(
            f"'{name}' cannot be a milestone: {what} declared as competing latent times",
            where=where,
            got=name,
            allowed="sojourns declared as competing latent times, entered from such sojourns",
        )
    if name in (pathway.start, pathway.clock_state):
        raise InputError("a clock starts there", where=where, got=name, allowed="a later state")


def _before(pathway: Pathway, name: str) -> list[State]:
    return [
        state for state in pathway.states.values() if any(transition.to == name for transition in state.transitions)
    ]


def _going_on(pathway: Pathway, milestones: Iterable[str], where: str) -> Ways:
    """Return, by milestone, the ways out of all states before it, by name; what leads to milestones left out."""
    carried: dict[str, dict[str, Transition]] = {name: {} for name in milestones}
    grew = True
    while grew:
        size = sum(map(len, carried.values()))
        for name in carried:
            for state in _before(pathway, name):
                onward = [transition for transition in state.transitions if transition.to not in carried]
                _add(carried[name], carried[state.name].values() if state.name in carried else onward, name, where)
        grew = sum(map(len, carried.values())) > size
    for name, ways in carried.items():
        _check_names(pathway, name, ways, carried, where)
    return carried


def _add(to: dict[str, Transition], ways: Iterable[Transition], name: str, where: str) -> None:
    for way in ways:
        known = to.setdefault(way.name, Transition(way.name, way.to, carried_forward=True))
        if known.to != way.to:
            raise _two(name, way.name, where)


def _check_names(pathway: Pathway, name: str, ways: Mapping[str, Transition], carried: Ways, where: str) -> None:
    """Refuse a name that means two ways, in a milestone or in a state before it."""
    for state in (pathway.states[name], *_before(pathway, name)):
        for way in state.transitions:
            if (
                way.name in ways
                and way.to != ways[way.name].to
                and not (state.name in carried and way.to not in carried)
            ):
                raise _two(name, way.name, where)


def _two(name: str, way: str, where: str) -> InputError:
    return InputError(
        f"two latent times that are carried forward into '{name}' have the name '{way}'",
        where=where,
        allowed="a different `name` for each transition",
    )
