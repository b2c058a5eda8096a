"""Shares of patients who have reached a state by a month, each observed until the end of their follow-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from operator import add

import numpy as np

from simulator.arrays import Floats
from simulator.engines.exact.solution import Flow, Solution

Read = Callable[[Sequence[float] | Floats], Floats]
"""Months -> (n_draws, n_months)."""


@dataclass(frozen=True)
class Reached:
    """Shares of patients who have reached a state, were everybody followed up for ever.

    by : the share by months; up_to : its integral from 0 to months
    """

    by: Read
    up_to: Read

    def at(self, month: float) -> Floats:
        """Return the share by a month, (n_draws,)."""
        return self.by([month])[:, 0]

    def seen(self, month: float, lower: float, upper: float) -> Floats:
        """Return the share observed by a month, (n_draws,), if follow-up ends evenly between two months."""
        if month <= lower:
            return self.at(month)
        until = min(month, upper)
        mean = np.diff(self.up_to([lower, until]), axis=1)[:, 0] / (until - lower)
        if until == upper:
            return np.asarray(mean)
        ended = (until - lower) / (upper - lower)
        return np.asarray(ended * mean + (1.0 - ended) * self.at(until))


@dataclass(frozen=True)
class FollowedUp:
    """A cohort's patients in a solved model. `lower`, `upper` : months between which their follow-up ends, evenly."""

    solution: Solution
    lower: float
    upper: float
    _reached: dict[tuple[tuple[str, ...], tuple[str, ...]], Reached] = field(default_factory=dict)
    _sizes: dict[str, Floats] = field(default_factory=dict)

    def entered(self, states: Sequence[str], arms: Sequence[str]) -> Reached:
        """Return the share who are of some arms and have entered any of some states."""
        key = tuple(states), tuple(arms)
        if key not in self._reached:
            flow = reduce(add, (self.solution.flow(states, arm) for arm in arms))
            self._reached[key] = Reached(partial(self.solution.at, flow), partial(self.solution.up_to, flow))
        return self._reached[key]

    def by(self, flow: Flow, months: Sequence[float]) -> Floats:
        """Return the share of a flow that has come by months and before last follow-up, (n_draws, n_months)."""
        reached = Reached(partial(self.solution.at, flow), partial(self.solution.up_to, flow))
        early = [month for month in months if month <= self.lower]
        late = [reached.seen(month, self.lower, self.upper)[:, None] for month in months[len(early) :]]
        return np.concatenate([reached.by(early), *late] if early else late, axis=1)

    def joined(self, arms: Sequence[str]) -> Reached:
        """Return the share who are of some arms so far."""

        def of_all(of_arm: Callable[[str, Sequence[float]], Floats], months: Sequence[float]) -> Floats:
            return np.asarray(sum(of_arm(arm, months) for arm in arms))

        return Reached(partial(of_all, self.solution.members_at), partial(of_all, self.solution.members_up_to))

    def seen(self, reached: Reached, month: float = np.inf) -> Floats:
        """Return the share observed by a month, (n_draws,): before the end of their follow-up."""
        return reached.seen(month, self.lower, self.upper)

    def size(self, arm: str) -> Floats:
        """Return the share of patients who are of an arm at their last follow-up, (n_draws,)."""
        if arm not in self._sizes:
            self._sizes[arm] = self.seen(self.joined([arm]))
        return self._sizes[arm]


def estimate(dead: Reached, members: Reached, months: Floats, lower: float, month: float, upper: float) -> Floats:
    """Return the Kaplan-Meier estimate from `lower` to a month, (n_draws,), of a group as it is at last follow-up.

    Follow-up ends evenly between lower and upper: patients followed for longer are more often of the group.
    dead, members : of the group; months : at which the estimate is taken, even
    """
    between = months[(months > lower) & (months < month)]
    at = np.array([lower, *between, month])
    ends = np.minimum(at[:-1], upper - (months[1] - months[0]))
    totals = members.up_to([*ends, upper])
    followed = (totals[:, -1:] - totals[:, :-1]) / (upper - ends)
    died = np.column_stack([dead.by(part) for part in ([lower], between, [month])])
    return np.asarray(np.prod(1.0 - np.diff(died, axis=1) / (followed - died[:, :-1]), axis=1))
