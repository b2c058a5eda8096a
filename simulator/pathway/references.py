"""What a pathway's file may write for a number, and what it comes down to: for some patients, or for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

REST = "rest"
"""A branch's share: what the others leave."""


@dataclass(frozen=True)
class Selection:
    """A reference that a patient's attribute decides: one reference a level."""

    by: str
    levels: Mapping[str, Reference]


Reference = float | str | tuple["Reference", ...] | Selection
"""A number, a parameter's name, a list of references (piecewise rates), or a `Selection`."""


def leaves_in(reference: Reference | None) -> Iterator[float | str]:
    """Yield every number and every name that a reference comes down to."""
    if isinstance(reference, Selection):
        for part in reference.levels.values():
            yield from leaves_in(part)
    elif isinstance(reference, tuple):
        for part in reference:
            yield from leaves_in(part)
    elif reference is not None:
        yield reference


def names_in(reference: Reference | None) -> Iterator[str]:
    """Yield every parameter that a reference names."""
    return (leaf for leaf in leaves_in(reference) if isinstance(leaf, str) and leaf != REST)


def leaf_of(reference: Reference, levels: Mapping[str, str]) -> Reference:
    """Return what a reference comes down to for patients of some levels, {attribute: level}."""
    while isinstance(reference, Selection):
        reference = reference.levels[levels[reference.by]]
    return reference


def attributes_in(reference: Reference | None) -> Iterator[str]:
    """Yield every attribute that a reference asks for."""
    if isinstance(reference, Selection):
        yield reference.by
        for part in reference.levels.values():
            yield from attributes_in(part)
    elif isinstance(reference, tuple):
        for part in reference:
            yield from attributes_in(part)
