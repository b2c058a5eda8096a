"""The laws that a pathway replaces in the fitted one that it extends: neither the draws nor the benefit are of these.

The marginal benefit m of other cohorts is a matter of survival from the fitted pathway's clock on. It holds in an
extension that changes no law there, as one that adds what comes before does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway, State, reachable

MOST = 6
"""Names that a sentence lists."""


@dataclass(frozen=True)
class Replaced:
    """parameters : with draws, declared anew or read by no law any more; states : of another law than the fitted one

    bears_on_benefit : whether any of it decides survival from the fitted pathway's clock on
    """

    parameters: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    bears_on_benefit: bool = False

    def __bool__(self) -> bool:
        return bool(self.parameters or self.states or self.bears_on_benefit)

    def __str__(self) -> str:
        """Return what is replaced: "2 calibrated parameters (a, b) and the law of 1 state (ill)"."""
        kinds = (("calibrated parameter", self.parameters), ("state", self.states))
        parts = [f"{len(names)} {kind}{'s' * (len(names) > 1)} ({_listed(names)})" for kind, names in kinds if names]
        if self.states:
            parts[-1] = f"the law of {parts[-1]}"
        return " and ".join(parts) or "[marginal]"


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more} more" if more > 0 else "")


def replaced(pathway: Pathway) -> Replaced:
    """Return what a pathway replaces in the one that its draws are of; nothing where the draws are its own."""
    fitted = pathway.fitted
    if fitted is pathway:
        return Replaced()
    # Milestones of a scenario change no law.
    declared = load_pathway(pathway.file) if pathway.milestones and pathway.file else pathway
    unread = _read(fitted, fitted.states) - _read(declared, declared.states)
    parameters = [
        name
        for name, parameter in fitted.parameters.items()
        if parameter.prior is not None and (declared.parameters.get(name) != parameter or name in unread)
    ]
    states = [name for name, state in fitted.states.items() if _law(declared.states.get(name)) != _law(state)]
    after = {*_after_clock(fitted, fitted.clock_state), *_after_clock(declared, fitted.clock_state)}
    decides = {*after, *_read(fitted, after), *_read(declared, after)}
    bears = declared.marginal != fitted.marginal or not decides.isdisjoint([*parameters, *states])
    return Replaced(tuple(parameters), tuple(states), bears)


def _after_clock(pathway: Pathway, clock_state: str) -> set[str]:
    return reachable([clock_state], pathway.onward) if clock_state in pathway.states else set()


def _read(pathway: Pathway, states: Iterable[str]) -> set[str]:
    """Return the parameters that the laws of some states read."""
    known = (pathway.states[name] for name in states if name in pathway.states)
    return {name for state in known for name in state.parameters}


def _law(state: State | None) -> Any:
    """Return what a state declares but for texts and the order of its ways; None of no state."""
    return state and (state.kind, {way.name: way for way in state.transitions})
