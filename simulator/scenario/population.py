"""Who a scenario's patients are: the case mix of its pathway, with other combinations or other margins.

[[case_mix]] of a scenario replaces the pathway's; [population] then changes margins, and attributes that go together
keep their association.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from simulator.errors import InputError, UnknownNameError
from simulator.pathway.case_mix import check_levels, read_joints
from simulator.pathway.joint import Joint, shares
from simulator.pathway.pathway import Pathway

Population = Mapping[str, Mapping[str, float]]
"""Attribute -> level -> weight."""


def check_population(population: Population, pathway: Pathway, file: str) -> None:
    """Refuse weights that are not one of every level of an attribute. Raises InputError naming the file and the key."""
    for attribute, weights in population.items():
        where = f"{file}: [population] {attribute}"
        if attribute not in pathway.attributes:
            raise UnknownNameError("attribute", attribute, pathway.attributes, where)
        shares(check_levels(weights, attribute, pathway.attributes[attribute].levels, where), where)


def joints_of(
    pathway: Pathway, case_mix: Iterable[Mapping[str, Any]], population: Population, file: str
) -> tuple[Joint, ...]:
    """Return the joints that hold every attribute once, by their first attribute. Raises InputError naming the file."""
    attributes = {name: tuple(attribute.levels) for name, attribute in pathway.attributes.items()}
    together = read_joints(case_mix, attributes, file)
    for joint in pathway.case_mix:
        if not any(set(joint.of) <= set(other.of) for other in together):
            together = (*together, joint)
    known = {name: joint for joint in together for name in joint.of}
    if len(known) < sum(len(joint.of) for joint in together):
        raise InputError(
            "attributes that go together in the pathway are in different tables",
            where=f"{file}: [[case_mix]]",
            allowed=f"one table of {', '.join(joint.of)}",
        )

    def margin(name: str, weights: Mapping[str, float]) -> dict[str, float]:
        mix = shares(weights, f"{file}: [population] {name}")
        return {level: mix.get(level, 0.0) for level in attributes[name]}

    joints = []
    for name, attribute in pathway.attributes.items():
        declared = np.array(list(margin(name, attribute.levels).values()))
        joint = known.get(name, Joint((name,), (attributes[name],), declared))
        if joint.of[0] == name:
            margins = {other: margin(other, population[other]) for other in joint.of if other in population}
            joints.append(joint.with_margins(margins, f"{file}: [population] {', '.join(margins)}"))
    return tuple(joints)
