"""Counts of the same patients who entered states: one count is part of another, excludes it, or neither.

Counts of which any two are nested or exclude each other are one multinomial over the patients of a count and of none
inside it:

    P = n! / prod k!  prod p^k      k : a count less those inside it;  p : its probability less theirs

P is given deaths and exits of the same patients that are counted in the table (`cells`), nested or exclusive as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, lgamma

import numpy as np

from simulator.arrays import Floats
from simulator.engines.model import Model
from simulator.pathway.pathway import reachable


@dataclass(frozen=True)
class Event:
    """The number who entered any of some states by a month (inf: ever). within : the least event around it, -1 none."""

    states: tuple[str, ...]
    month: float = inf
    count: int = 0
    within: int = -1
    line: object = field(default=None, compare=False)


@dataclass(frozen=True)
class Branching:
    """Events of the same n patients of a population. given : events that the table counts; `within` runs on to them."""

    population: str
    n: int
    events: tuple[Event, ...]
    given: tuple[Event, ...] = ()

    @property
    def states(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(state for event in self.events for state in event.states))

    def log_likelihood(self, probabilities: Floats) -> Floats:
        """Return the log probability of the events, given others : (n_draws,); of (n_draws, n_events + n_given)."""
        joint, first = _log_multinomial(self.n, (*self.events, *self.given), probabilities), len(self.events)
        if not self.given:
            return joint
        alone = [replace(event, within=max(self._given_around(event) - first, -1)) for event in self.given]
        given = _log_multinomial(self.n, alone, probabilities[:, first:])
        return np.where(np.isneginf(joint), joint, joint - np.where(np.isneginf(given), 0.0, given))

    def _given_around(self, event: Event) -> int:
        around = event.within
        while 0 <= around < len(self.events):
            around = self.events[around].within
        return around


def _log_multinomial(n: int, events: Sequence[Event], probabilities: Floats) -> Floats:
    """Return log n! prod p^k / k!, (n_draws,); patients of no event make a category of their own."""
    counts = np.array([*(event.count for event in events), n])
    p = np.column_stack([probabilities, np.ones(len(probabilities))])
    own_counts, own_p = counts.copy(), p.copy()
    for i, event in enumerate(events):
        own_counts[event.within] -= counts[i]
        own_p[:, event.within] -= p[:, i]
    with np.errstate(divide="ignore"):
        # a difference no larger than rounding is one of equal probabilities
        log_p = np.where(own_counts > 0, np.log(np.where(own_p > 1e-14, own_p, 0.0)), 0.0)
    coefficient = lgamma(n + 1) - sum(lgamma(k + 1) for k in own_counts)
    return np.asarray(np.where(np.isneginf(log_p).any(axis=1), -np.inf, log_p @ own_counts + coefficient))


@dataclass(frozen=True)
class Order:
    """Which events of a patient come with, or without, others. onward : state -> the next states."""

    start: str
    onward: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, model: Model) -> Order:
        """Return the order of events from a model's clock on."""
        return cls(model.pathway.clock_state, {name: [to for _, to in exits] for name, exits in model.open_ways})

    def inside(self, one: Event, other: Event) -> bool:
        """Return whether all patients of one event are of the other, which they cannot avoid, by a month as late."""
        return one.month <= other.month and self.only_through(one.states, other.states)

    def only_through(self, states: Iterable[str], others: Sequence[str]) -> bool:
        around = reachable([self.start], lambda name: [] if name in others else self.onward[name]) - set(others)
        return around.isdisjoint(states)

    def exclude(self, states: Iterable[str], others: Iterable[str]) -> bool:
        """Return whether nobody enters states of both."""
        states, others = set(states), set(others)
        return not others & (self.after(states) | states) and not self.after(others) & states

    def after(self, states: Iterable[str]) -> set[str]:
        return reachable([to for state in states for to in self.onward[state]], self.onward.__getitem__)

    def settled(self, one: Event, other: Event) -> bool:
        """Return whether two events are nested or exclude each other."""
        return self.inside(one, other) or self.inside(other, one) or self.exclude(one.states, other.states)


def branchings_of(
    entered: Mapping[tuple[str, int], Sequence[Event]],
    in_table: Mapping[tuple[str, int], Sequence[Event]],
    order: Order,
) -> list[Branching]:
    """Return the events of every (population, n) in as few branchings as possible, whatever their order.

    in_table : the events of every (population, n) that the table counts
    """
    branchings = []
    for (population, n), events in entered.items():
        trees: list[list[Event]] = []
        states = {state for event in events for state in event.states}
        for event in sorted(events, key=lambda event: sum(event.states[0] in order.after([state]) for state in states)):
            fitting = (tree for tree in trees if all(order.settled(event, other) for other in tree))
            if (tree := next(fitting, None)) is None:
                trees.append(tree := [])
            tree.append(event)
        for tree in trees:
            family = list(tree)
            for event in in_table.get((population, n), ()):
                if all(order.settled(event, other) for other in family):
                    family.append(event)
            placed = [replace(event, within=_least_around(i, family, order)) for i, event in enumerate(family)]
            branchings.append(Branching(population, n, tuple(placed[: len(tree)]), tuple(placed[len(tree) :])))
    return branchings


def _least_around(place: int, events: Sequence[Event], order: Order) -> int:
    """Return the place of the event around one that is inside all others around it, -1 if there is none."""
    around = [i for i, event in enumerate(events) if i != place and order.inside(events[place], event)]
    return max(around, key=lambda i: sum(order.inside(events[i], events[j]) for j in around), default=-1)
