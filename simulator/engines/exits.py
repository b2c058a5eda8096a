"""The ways out of a state with their numbers in place.

Resolver(scenario, values, attributes, cells).exits(state) -> one Exit a declared transition
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from simulator.arrays import Floats
from simulator.distributions import Distribution, build
from simulator.errors import InputError, plain, within
from simulator.pathway.format import MODIFIERS
from simulator.pathway.pathway import Pathway, State, Transition
from simulator.pathway.references import REST, Reference, Selection
from simulator.scenario.hazard_ratios import HazardRatios
from simulator.scenario.scenario import Scenario


@dataclass(frozen=True)
class Exit:
    """A way out of a state: a latent `time`, or a `probability` with or without a time.

    `declaration` in words: exits declared alike have the same numbers. `drawn_as` : the branch whose random numbers it
    has. `carried_forward` : its latent time is the one of this name that was drawn in the state before.
    """

    name: str
    to: str
    time: Distribution | None
    probability: Floats | None
    declaration: str
    drawn_as: str
    carried_forward: bool = False

    @cached_property
    def has_share(self) -> bool:
        """Whether anybody may take it by its probability."""
        return self.probability is None or bool(np.any(self.probability > 0))

    @cached_property
    def is_instant(self) -> bool:
        """Whether everybody leaves by it in the instant in which they come, by its latent time."""
        return self.time is not None and bool(np.all(np.isinf(self.time.cumulative_hazard(0.0))))

    @cached_property
    def may_be_taken(self) -> bool:
        """Whether some patients may ever leave by it."""
        return self.has_share and (self.time is None or bool(np.any(self.time.cdf(np.inf) > 0)))

    @cached_property
    def is_at_once(self) -> bool:
        """Whether patients may leave by it in the instant in which they come."""
        # What goes on has begun before: if it is over at once, so it was there.
        open_ = self.has_share and not self.carried_forward
        return open_ and (self.time is None or bool(np.any(self.time.median() == 0.0)))


Made = tuple[list[object], list[Floats | float]]
"""What the exits of a state are made of: declarations, and numbers."""


def _are_equal(one: Made, other: Made) -> bool:
    numbers = zip(one[1], other[1], strict=True)
    return one[0] == other[0] and all(this is that or np.array_equal(this, that) for this, that in numbers)


def _product(declared: Any, ratio: Floats | float) -> Floats | float:
    """Return the hazard ratio of a law that declares one, or none, under a scenario's."""
    return ratio if declared is None else np.asarray(declared) * ratio


@dataclass(frozen=True)
class Resolver:
    """A scenario's pathway with numbers, which may be of many draws, for the cells of patients.

    made : the exits of states, and what they were made of last; where that is the same, they stay
    """

    scenario: Scenario
    values: Mapping[str, Floats | float]
    attributes: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    made: dict[str, tuple[Made, tuple[Exit, ...]]] = field(default_factory=dict)

    @property
    def pathway(self) -> Pathway:
        return self.scenario.pathway

    def exits(self, state: State) -> tuple[Exit, ...]:
        """Return the ways out of a state, in the order they are declared."""
        made_of = self._made_of(state)
        before, exits = self.made.get(state.name, (None, ()))
        if before is None or not _are_equal(before, made_of):
            exits = self._exits(state)
            self.made[state.name] = made_of, exits
        return exits

    def _made_of(self, state: State) -> Made:
        """Return what a state's exits are made of."""
        ratios = self.scenario.hazard_ratio
        declared = [ratios.get(f"{state.name}.{transition.name}") for transition in state.transitions]
        numbers = [self.values[name] for name in state.parameters]
        return [state, self.attributes, self.cells, self.scenario.replace, declared], numbers

    def _exits(self, state: State) -> tuple[Exit, ...]:
        where = f"{self.pathway.where}: [states.{state.name}]"
        has_probabilities = state.kind != "sojourn" or not state.competes
        probabilities = (
            self._probabilities(state, where)
            if has_probabilities and state.transitions
            else [None] * len(state.transitions)
        )
        return tuple(
            Exit(
                transition.name,
                transition.to,
                self._time(state, transition, where),
                probability,
                self._declaration(state, transition),
                self._drawn_as(state, transition),
                transition.carried_forward,
            )
            for transition, probability in zip(state.transitions, probabilities, strict=True)
        )

    def _drawn_as(self, state: State, transition: Transition) -> str:
        """Return a branch's own name, or of the branch it replaces: only patients of the two notice a replacement."""
        replaces = self.scenario.replace
        partners = {**replaces, **{replaced: name for name, replaced in replaces.items()}}
        partner = partners.get(str(transition.probability))
        drawn_as = (other.name for other in state.transitions if partner is not None and other.probability == partner)
        return next(drawn_as, transition.name)

    def _declaration(self, state: State, transition: Transition) -> str:
        ratio = self.scenario.hazard_ratio.get(f"{state.name}.{transition.name}")
        return f"{transition.time} {transition.probability} {ratio}"

    def _time(self, state: State, transition: Transition, where: str) -> Distribution | None:
        if transition.time is None:
            return None
        arguments = {
            key: [self._number(part) for part in reference] if isinstance(reference, tuple) else self._number(reference)
            for key, reference in transition.time.arguments.items()
        }
        cure, own_ratio, after = (arguments.pop(key, None) for key in MODIFIERS)
        declared = self.scenario.hazard_ratios.get(f"{state.name}.{transition.name}", HazardRatios())
        return build(
            transition.time.family,
            arguments,
            cure=cure,
            hazard_ratio=[_product(own_ratio, self._number(ratio)) for ratio in declared.ratios],
            breaks=declared.breaks,
            after=after,
            where=f"{where} {transition.name}: time",
        )

    def _number(self, reference: Reference) -> Floats | float:
        """Return a reference's value: a scalar, or an array whose last axis is the cells (1 where all are alike)."""
        if isinstance(reference, float):
            return reference
        if isinstance(reference, str):
            return self.values[reference]
        assert isinstance(reference, Selection)
        place = self.attributes.index(reference.by)
        levels = {level: np.atleast_1d(self._number(value)) for level, value in reference.levels.items()}
        picked = [self._of_cell(levels[cell[place]], index) for index, cell in enumerate(self.cells)]
        return np.concatenate(np.broadcast_arrays(*picked), axis=-1)

    def _of_cell(self, value: Floats, cell: int) -> Floats:
        return value if value.shape[-1] == 1 else value[..., cell : cell + 1]

    def _declared_share(self, transition: Transition) -> Floats | None:
        """Return a branch's declared share; None where it takes the rest."""
        if transition.probability is None or transition.probability == REST:
            return None
        return np.asarray(self._number(transition.probability))

    def _probabilities(self, state: State, where: str) -> list[Floats]:
        """Return each exit's probability among the eligible, summing to one over the exits in every cell."""
        declared = [self._declared_share(transition) for transition in state.transitions]
        given = sum((share for share in declared if share is not None), np.zeros(()))
        self._check_sum(state, declared, given, where)
        raw = [np.clip(1.0 - given, 0.0, 1.0) if share is None else share for share in declared]
        open_to = [self._eligibility(transition, where) for transition in state.transitions]
        weights = [p * e for p, e in zip(raw, open_to, strict=True)]
        total = sum(weights, np.zeros(()))
        if np.any(total <= 0):
            by_cell = np.broadcast_to(total, (*np.shape(total)[:-1], len(self.cells))).reshape(-1, len(self.cells))
            cell = int(np.argmin(by_cell.min(axis=0)))
            who = ", ".join(self.cells[cell]) or "anyone"
            raise InputError(f"no branch is open to {who}", where=where, allowed="a positive share for every patient")
        return [weight / total for weight in weights]

    def _check_sum(self, state: State, declared: list[Floats | None], given: Floats, where: str) -> None:
        if sum(share is None for share in declared) > 1:
            raise InputError('two branches have probability "rest"', where=where, allowed='"rest" once')
        named = ", ".join(str(transition.probability) for transition in state.transitions)
        for way, share in zip(state.transitions, declared, strict=True):
            if share is not None and (np.any(share < 0) or np.any(share > 1)):
                got = plain(float(np.min(share) if np.any(share < 0) else np.max(share)))
                raise InputError("not a probability", where=f"{where} {way.name}", got=got, allowed=within(0, 1, got))
        highest, lowest = float(np.max(given)), float(np.min(given))
        if highest > 1 + 1e-6 or (all(share is not None for share in declared) and lowest < 1 - 1e-6):
            raise InputError(
                f"probabilities ({named}) do not sum to one",
                where=where,
                got=plain(highest if highest > 1 + 1e-6 else lowest),
                allowed="1",
            )

    def _eligibility(self, transition: Transition, where: str) -> Floats:
        factor: Floats = np.ones(())
        for attribute, levels in transition.eligible.items():
            declared = self.pathway.attributes[attribute].levels
            complete = {level: levels.get(level, 1.0) for level in declared}
            factor = factor * self._number(Selection(attribute, complete))
        if np.any(factor < 0) or np.any(factor > 1):
            raise InputError(
                "eligibility outside 0 to 1",
                where=f"{where} {transition.name}: eligible",
                got=plain(float(np.min(factor) if np.any(factor < 0) else np.max(factor))),
            )
        return factor
