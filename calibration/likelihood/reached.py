"""Shares of patients who have reached a state by a month, each observed until the end of their follow-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from simulator.arrays import Floats
from simulator.engines.exact.solution import Solution


@dataclass(frozen=True)
class Reached:
    """Shares of patients who have reached a state, were everybody followed up for ever, on an even lattice of months.

    by : (n_draws, n_months), by every month; averages : returns the mean over every cell, (n_draws, n_months - 1)
    """

    months: Floats
    by: Floats
    averages: Callable[[], Floats]

    def at(self, month: float) -> Floats:
        """Return the share by a month, (n_draws,), linear between the months of the lattice."""
        below, part = self._place(month)
        above = min(below + 1, self.by.shape[1] - 1)
        return np.asarray((1.0 - part) * self.by[:, below] + part * self.by[:, above])

    def seen(self, month: float, lower: float, upper: float) -> Floats:
        """Return the share observed by a month, (n_draws,), if follow-up ends evenly between two months."""
        if month <= lower:
            return self.at(min(month, self.months[-1]))
        until = min(month, upper)
        ended = (until - lower) / (upper - lower)
        mean = (self.up_to(until) - self.up_to(lower)) / (until - lower)
        return np.asarray(ended * mean + (1.0 - ended) * self.at(until))

    def up_to(self, month: float) -> Floats:
        """Return the integral from 0 to a month, (n_draws,): patients in a leap at a month count from then on."""
        below, part = self._place(month)
        if part == 0.0:
            return self._integrals[:, below]
        whole = self._integrals[:, below + 1] - self._integrals[:, below]
        bend = 0.5 * (1.0 - part) * self._step * (self.by[:, below + 1] - self.by[:, below])
        return np.asarray(self._integrals[:, below] + part * (whole - bend))

    @property
    def _step(self) -> float:
        return float(self.months[1] - self.months[0])

    @cached_property
    def _integrals(self) -> Floats:
        """(n_draws, n_months) from 0 to every month."""
        return np.pad(np.cumsum(self._step * self.averages(), axis=1), ((0, 0), (1, 0)))

    def _place(self, month: float) -> tuple[int, float]:
        """Return the month of the lattice before a month, and the part of the cell between them."""
        place = min(month / self._step, self.by.shape[1] - 1)
        below = int(place + 1e-9)
        return below, max(place - below, 0.0)


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
            by = self._sum_over(arms, lambda arm: self.solution.entered(states, arm))
            averages = partial(self._sum_over, arms, lambda arm: self.solution.between(states, arm, None, "in"))
            self._reached[key] = Reached(self.solution.months, by, averages)
        return self._reached[key]

    def joined(self, arms: Sequence[str]) -> Reached:
        """Return the share who are of some arms so far."""
        by = self._sum_over(arms, self.solution.size_by_month)
        return Reached(self.solution.months, by, partial(self._sum_over, arms, self.solution.mean_size))

    def seen(self, reached: Reached, month: float = np.inf) -> Floats:
        """Return the share observed by a month, (n_draws,): before the end of their follow-up."""
        return reached.seen(month, self.lower, self.upper)

    def size(self, arm: str) -> Floats:
        """Return the share of patients who are of an arm at their last follow-up, (n_draws,)."""
        if arm not in self._sizes:
            endless = np.isinf(self.upper)
            self._sizes[arm] = self.solution.size(arm) if endless else self.seen(self.joined([arm]))
        return self._sizes[arm]

    @staticmethod
    def _sum_over(arms: Sequence[str], of_arm: Callable[[str], Floats]) -> Floats:
        return np.asarray(sum(of_arm(arm) for arm in arms))


def estimate(dead: Reached, members: Reached, lower: float, month: float, upper: float) -> Floats:
    """Return the Kaplan-Meier estimate from `lower` to a month, (n_draws,), of a group as it is at last follow-up.

    Follow-up ends evenly between lower and upper: patients followed for longer are more often of the group.
    dead, members : of the group by every month
    """
    months = members.months
    at = np.unique([lower, *months[(months > lower) & (months < month)], month])
    ends = np.minimum(at[:-1], upper - (months[1] - months[0]))
    whole = members.up_to(upper)
    followed = np.array([(whole - members.up_to(end)) / (upper - end) for end in ends])
    died = np.array([dead.at(month) for month in at])
    return np.asarray(np.prod(1.0 - np.diff(died, axis=0) / (followed - died[:-1]), axis=0))
