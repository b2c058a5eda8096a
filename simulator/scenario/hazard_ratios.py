"""A hazard ratio as a scenario declares it: one number, or one by level of an attribute, by period, or both.

    0.7        { by = "sex", female = 0.7, male = 1 }        { breaks = [6, 12], ratios = [1, 0.6, 1] }

Periods are months since the time began: since the patient entered the state, or `after` months before. Each of their
ratios may be a choice by attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.distributions.piecewise_exponential import Breaks
from simulator.errors import InputError, UnknownNameError
from simulator.pathway.checks import check_selections
from simulator.pathway.format import read_reference
from simulator.pathway.pathway import Pathway
from simulator.pathway.references import Reference, leaves_in

KEYS = ("breaks", "ratios")
ALLOWED = 'a number, {by = "attribute", level = ...}, or {breaks = [6], ratios = [0.7, 1]}'
DeclaredRatio = float | Mapping[str, Any]
"""As in the file."""


@dataclass(frozen=True)
class HazardRatios:
    """breaks : months since the time began; ratios : one a period, one more than breaks"""

    breaks: tuple[float, ...] = ()
    ratios: tuple[Reference, ...] = (1.0,)


def is_table(declared: object) -> bool:
    """Return whether a value is a hazard ratio's table, and not a state's table of hazard ratios."""
    return isinstance(declared, Mapping) and not {"by", *KEYS}.isdisjoint(declared)


def read_hazard_ratios(declared: Mapping[str, DeclaredRatio], pathway: Pathway, file: str) -> dict[str, HazardRatios]:
    """Return the hazard ratios by "state.transition". Raises InputError naming the file and the key."""
    ratios = {}
    for transition, ratio in declared.items():
        where = f"{file}: [hazard_ratio] {transition}"
        _check_transition(pathway, transition, where)
        ratios[transition] = _read(ratio, pathway, where)
    return ratios


def _read(declared: DeclaredRatio, pathway: Pathway, where: str) -> HazardRatios:
    if not isinstance(declared, Mapping) or set(KEYS).isdisjoint(declared):
        return HazardRatios(ratios=(_ratio(declared, pathway, where),))
    for key in declared:
        if key not in KEYS:
            raise UnknownNameError("key", key, KEYS, where)
    breaks = Breaks().read(declared.get("breaks"), "breaks", where).tolist()
    ratios = declared.get("ratios")
    if not isinstance(ratios, list | tuple) or len(ratios) != len(breaks) + 1:
        allowed = f"a list of {len(breaks) + 1}: one more than breaks"
        raise InputError("breaks and ratios do not match", where=where, got=ratios, allowed=allowed)
    numbers = [_ratio(ratio, pathway, f"{where}: ratios[{place}]") for place, ratio in enumerate(ratios)]
    return HazardRatios(tuple(breaks), tuple(numbers))


def _ratio(declared: object, pathway: Pathway, where: str) -> Reference:
    if isinstance(declared, list | tuple) or declared == {}:
        raise InputError("no hazard ratio", where=where, got=declared, allowed=ALLOWED)
    ratio = read_reference(declared, where)
    check_selections(pathway, ratio, where)
    for number in leaves_in(ratio):
        if isinstance(number, str):
            raise InputError("not a number", where=where, got=number, allowed="a hazard ratio, 0 or more")
        if number < 0:
            raise InputError("negative hazard ratio", where=where, got=number, allowed="0 or more")
    return ratio


def _check_transition(pathway: Pathway, name: str, where: str) -> None:
    latent = {
        f"{state.name}.{transition.name}": transition
        for state in pathway.states.values()
        if state.kind == "sojourn"
        for transition in state.transitions
    }
    usable = [known for known, way in latent.items() if way.probability is None and not way.carried_forward]
    if name not in usable and name.partition(".")[0] in pathway.milestones:
        raise InputError(
            "a milestone changes no risk: its latent times are those of the state before it",
            where=where,
            allowed="a hazard ratio in the state before the milestone",
        )
    if name not in latent:
        raise UnknownNameError("transition", name, usable, where)
    if latent[name].probability is not None:
        raise InputError(
            "a hazard ratio needs a latent time, but this sojourn is declared by destination",
            where=where,
            allowed="[odds_ratio] or [set] on the destination's probability",
        )
