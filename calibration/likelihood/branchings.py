"""Counts of the same patients who entered states: one count is part of another, excludes it, or neither.

Counts of which any two are nested or exclude each other are one multinomial over who is in a count and in none inside:

    P = n! / prod k!  prod p^k      k : a count less those inside it;  p : its probability less theirs

Deaths and ways out of the same patients that are so next to them are counted in the table (`cells`): P is given them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, lgamma

import numpy as np

from simulator.arrays import Floats
from simulator.pathway.pathway import reachable


@dataclass(frozen=True)
class Event:
    """How many have entered any of some states by a month (inf: ever). within : the least event around it, -1 none."""

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
        every, first = (*self.events, *self.given), len(self.events)
        whole = _log_multinomial(self.n, every, probabilities)
        if not self.given:
            return whole
        alone = [replace(each, within=max(_given_around(each, every, first) - first, -1)) for each in self.given]
        known = _log_multinomial(self.n, alone, probabilities[:, first:])
        return np.where(np.isneginf(whole), whole, whole - np.where(np.isneginf(known), 0.0, known))


def _given_around(event: Event, every: Sequence[Event], first: int) -> int:
    around = event.within
    while 0 <= around < first:
        around = every[around].within
    return around


def _log_multinomial(n: int, events: Sequence[Event], probabilities: Floats) -> Floats:
    """Return log n! prod p^k / k!, (n_draws,); patients of no event make a category of their own."""
    counts = np.array([*(event.count for event in events), n])
    p = np.column_stack([probabilities, np.ones(len(probabilities))])
    own_counts, own = counts.copy(), p.copy()
    for i, event in enumerate(events):
        own_counts[event.within] -= counts[i]
        own[:, event.within] -= p[:, i]
    with np.errstate(divide="ignore"):
        # what is no more than rounding is a difference of equal probabilities
        log_p = np.where(own_counts > 0, np.log(np.where(own > 1e-14, own, 0.0)), 0.0)
    coefficient = lgamma(n + 1) - sum(lgamma(k + 1) for k in own_counts)
    return np.asarray(np.where(np.isneginf(log_p).any(axis=1), -np.inf, log_p @ own_counts + coefficient))


@dataclass(frozen=True)
class Order:
    """Which events of a patient come with, or without, others. ways : state -> where it leads."""

    start: str
    ways: Mapping[str, Sequence[str]]

    def inside(self, one: Event, other: Event) -> bool:
        """Return whether all patients of one event are of the other, which no way leads around, by a month as late."""
        return one.month <= other.month and self.only_through(one.states, other.states)

    def only_through(self, states: Iterable[str], others: Sequence[str]) -> bool:
        around = reachable([self.start], lambda name: [] if name in others else self.ways[name]) - set(others)
        return around.isdisjoint(states)

    def exclude(self, states: Iterable[str], others: Iterable[str]) -> bool:
        """Return whether nobody enters states of both."""
        later, others = self.after(states), set(others)
        return not others & (later | set(states)) and not self.after(others) & set(states)

    def after(self, states: Iterable[str]) -> set[str]:
        return reachable([to for state in states for to in self.ways[state]], self.ways.__getitem__)

    def settled(self, one: Event, other: Event) -> bool:
        """Return whether two events are nested or exclude each other."""
        return self.inside(one, other) or self.inside(other, one) or self.exclude(one.states, other.states)


def branchings_of(
    entered: Mapping[tuple[str, int], Sequence[Event]],
    in_table: Mapping[tuple[str, int], Sequence[Event]],
    order: Order,
) -> list[Branching]:
    """Return the events of each (population, n) in as few branchings as hold them, whatever their order.

    in_table : the events of each that the table counts
    """
    found = []
    for (population, n), events in entered.items():
        trees: list[list[Event]] = []
        states = {state for event in events for state in event.states}
        for event in sorted(events, key=lambda each: sum(each.states[0] in order.after([state]) for state in states)):
            fitting = (tree for tree in trees if all(order.settled(event, each) for each in tree))
            if (tree := next(fitting, None)) is None:
                trees.append([event])
            else:
                tree.append(event)
        for tree in trees:
            every = list(tree)
            for event in in_table.get((population, n), ()):
                if all(order.settled(event, each) for each in every):
                    every.append(event)
            placed = [replace(each, within=_least_around(i, every, order)) for i, each in enumerate(every)]
            found.append(Branching(population, n, tuple(placed[: len(tree)]), tuple(placed[len(tree) :])))
    return found


def _least_around(place: int, events: Sequence[Event], order: Order) -> int:
    """Return which of the events around one is inside all the others, -1 if none is."""
    around = [i for i, event in enumerate(events) if i != place and order.inside(events[place], event)]
    return max(around, key=lambda i: sum(order.inside(events[i], events[j]) for j in around), default=-1)
