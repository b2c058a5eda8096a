"""Joint: the shares of combinations of attributes that go together, and how they follow when a margin changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from simulator.arrays import Floats
from simulator.errors import InputError

Shares = Mapping[str, float]
"""Level of an attribute -> share of patients."""

ROUNDS = 1_000
CLOSE = 1e-12
"""How far a fitted margin may be from the wanted one: where no combination is empty, a few rounds come as close."""


@dataclass(frozen=True, eq=False)
class Joint:
    """Attributes that go together, in the order of the pathway; one alone is independent of all others.

    levels : those of each attribute; shares : of patients, an axis an attribute, summing to one
    """

    of: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    shares: Floats

    def share(self, levels: Mapping[str, str]) -> float:
        """Return the share of patients with some levels, {attribute: level}, whatever the others are."""
        axes = zip(self.of, self.levels, strict=True)
        place = tuple(names.index(levels[name]) if name in levels else slice(None) for name, names in axes)
        return float(self.shares[place].sum())

    def margin(self, attribute: str) -> dict[str, float]:
        """Return the share of each level of one of the attributes."""
        levels = self.levels[self.of.index(attribute)]
        return dict(zip(levels, self.shares.sum(axis=self._others(attribute)).tolist(), strict=True))

    def edges(self, attribute: str) -> Floats:
        """Return where from 0 to 1 an attribute's levels end, but for the last, given the attributes before it.

        (n_levels of each attribute before..., n_levels - 1)
        """
        place = self.of.index(attribute)
        ends = np.cumsum(self.shares.sum(axis=tuple(range(place + 1, len(self.of)))), axis=-1)
        # Nobody has levels that no patient has: any ends will do.
        given = ends[..., -1:] if place else np.ones(1)
        return np.asarray(np.divide(ends, given, out=np.ones_like(ends), where=given > 0.0)[..., :-1])

    def with_margins(self, margins: Mapping[str, Shares], where: str) -> Joint:
        """Return the joint with other margins, by attribute, and the same association. Raises InputError.

        Iterative proportional fitting (Deming & Stephan 1940, Ann Math Stat 11:427): one margin after the other is
        rescaled, until all fit. Where combinations have no patients, no table may do.
        """
        wanted = {name: np.array(list(margin.values())) for name, margin in margins.items()}
        if len(self.of) == 1:
            return replace(self, shares=wanted.get(self.of[0], self.shares))
        fitted = self
        for name, shares in wanted.items():
            fitted._check_reached(name, shares, where)
        for _ in range(ROUNDS):
            for name, shares in wanted.items():
                fitted = fitted._rescaled(name, shares)
            if all(
                np.allclose(list(fitted.margin(name).values()), shares, 0, CLOSE) for name, shares in wanted.items()
            ):
                return fitted
        raise InputError(
            "the association of these attributes does not allow these margins together",
            where=where,
            got=", ".join(margins),
            allowed="another [population], or weights for more combinations in [[case_mix]]",
        )

    def _rescaled(self, attribute: str, wanted: Floats) -> Joint:
        others = self._others(attribute)
        before = self.shares.sum(axis=others, keepdims=True)
        factor = np.divide(np.expand_dims(wanted, others), before, out=np.zeros_like(before), where=before > 0.0)
        return replace(self, shares=self.shares * factor)

    def _check_reached(self, attribute: str, wanted: Floats, where: str) -> None:
        for (level, share), more in zip(self.margin(attribute).items(), wanted.tolist(), strict=True):
            if more > 0.0 and share == 0.0:
                raise InputError(
                    f"no combination with {attribute} = {level} has patients",
                    where=f"{where}.{level}",
                    got=more,
                    allowed="0, or weights for such combinations in [[case_mix]]",
                )

    def _others(self, attribute: str) -> tuple[int, ...]:
        return tuple(place for place, name in enumerate(self.of) if name != attribute)


def shares(weights: Mapping[str, float], where: str) -> dict[str, float]:
    """Return weights as shares of one. Raises InputError if one is negative, or as `check_total` does."""
    for level, weight in weights.items():
        if weight < 0:
            raise InputError("negative weight", where=f"{where}.{level}", got=weight, allowed="0 or more")
    total = sum(weights.values())
    check_total(total, where)
    return {level: weight / total for level, weight in weights.items()}


def check_total(total: float, where: str) -> None:
    """Raise InputError unless weights have a sum that shares can be made of."""
    if not 0.0 < total < np.inf:
        what = "the weights sum to more than a computer's numbers hold" if total > 0.0 else "the weights sum to zero"
        raise InputError(what, where=where, allowed="numbers of patients, or shares; one or more above 0")
