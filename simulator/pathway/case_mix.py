"""Attributes and the case mix as a file declares them: a weight a level, or a combination of levels that go together.

[[case_mix]]
of = ["age", "risk"]

[case_mix.weights]
young = { low = 8, high = 1 }
old = { low = 3, high = 4 }
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from simulator.errors import InputError, UnknownNameError
from simulator.files import toml
from simulator.pathway.joint import Joint, check_total, shares
from simulator.pathway.pathway import Attribute

Number = Annotated[float, Field(allow_inf_nan=False)]
Levels = Mapping[str, Sequence[str]]
"""Attribute -> its levels, in the order of the pathway."""


class AttributeTable(toml.Table):
    """A patient's attribute, drawn at entry from the case mix."""

    meaning: str = ""
    source: str = ""
    levels: dict[str, Number] | list[str] = Field(
        description="weight of each level; or the levels alone, if [[case_mix]] has the weights"
    )
    labels: dict[str, toml.Line] = Field(default_factory=dict)


class CaseMixTable(toml.Table):
    """Attributes that go together. All others are independent of them, and of one another."""

    of: list[str] = Field(description="the attributes, two or more")
    weights: dict[str, Any] = Field(
        description="level of the first = { level of the second = weight }, and so on; 0 if no patient has both"
    )


def read_attribute(name: str, table: AttributeTable, joints: Iterable[Joint], file: str) -> Attribute:
    """Return an attribute, its shares by its own weights or by the joint that it is of. Raises InputError."""
    if "=" in name:
        what = "the name of an attribute has an equals sign, which separates the attribute and the level in NAME=LEVEL"
        raise InputError(what, where=f"{file}: [attributes]", got=name, allowed="a name without '='")
    where, levels = f"{file}: [attributes.{name}] levels", table.levels
    together = next((joint for joint in joints if name in joint.of), None)
    if len(set(levels)) < len(levels):
        raise InputError("a level comes twice", where=where, got=levels, allowed="each once")
    if isinstance(levels, dict) and together is None:
        mix = shares(levels, where)
    elif isinstance(levels, list) and together is not None:
        mix = together.margin(name)
    else:
        what = "no weights" if together is None else "weights here and in [[case_mix]]"
        allowed = "level = weight, or weights in [[case_mix]]" if together is None else f"levels = {list(levels)}"
        raise InputError(what, where=where, got=levels, allowed=allowed)
    labels = {level: table.labels.get(level, level.replace("_", " ")) for level in levels}
    return Attribute(name, table.meaning, table.source, mix, labels)


def read_joints(tables: Iterable[Mapping[str, Any]], attributes: Levels, file: str) -> tuple[Joint, ...]:
    """Return the joints of the tables [[case_mix]] of a file. Raises InputError naming the table's attributes."""
    joints: list[Joint] = []
    for table in tables:
        where = f"{file}: [[case_mix]] of {', '.join(table['of'])}"
        if len(table["of"]) < 2:
            raise InputError("nothing goes together", where=where, got=table["of"], allowed="two attributes or more")
        for place, name in enumerate(table["of"]):
            if name not in attributes:
                raise UnknownNameError("attribute", name, attributes, where)
            if name in table["of"][:place] or any(name in joint.of for joint in joints):
                raise InputError(f"attribute '{name}' comes twice in [[case_mix]]", where=where, allowed="each once")
        weights = np.array(_nested(table["weights"], table["of"], attributes, where))
        with np.errstate(over="ignore"):
            check_total(float(weights.sum()), where)
        of = tuple(name for name in attributes if name in table["of"])
        levels = tuple(tuple(attributes[name]) for name in of)
        joints.append(Joint(of, levels, weights.transpose([table["of"].index(name) for name in of]) / weights.sum()))
    return tuple(joints)


def _nested(weights: object, of: Sequence[str], attributes: Levels, where: str) -> Any:
    """Return weights as nested lists, an axis an attribute."""
    if of:
        known = check_levels(weights, of[0], attributes[of[0]], where)
        return [_nested(known[level], of[1:], attributes, f"{where}: {level}") for level in attributes[of[0]]]
    if isinstance(weights, bool) or not isinstance(weights, int | float) or weights < 0:
        raise InputError("not a weight", where=where, got=weights, allowed="a number, 0 or more")
    return float(weights)


def check_levels(weights: object, attribute: str, levels: Collection[str], where: str) -> Mapping[str, Any]:
    """Return a table that has an entry for every level of an attribute. Raises InputError otherwise."""
    if not isinstance(weights, Mapping):
        allowed = f"a table, level of {attribute} = weight"
        raise InputError(f"no weights of the levels of {attribute}", where=where, got=weights, allowed=allowed)
    for level in weights:
        if level not in levels:
            raise UnknownNameError(f"level of {attribute}", level, levels, where)
    left_out = [level for level in levels if level not in weights]
    if left_out:
        raise InputError(
            f"these levels have no weight: {', '.join(left_out)}",
            where=where,
            got=", ".join(weights),
            allowed=f"a weight for every level; {left_out[0]} = 0 if no patient has it",
        )
    return weights
