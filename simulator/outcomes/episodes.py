"""Episodes: stretches of follow-up at risk, and how patients who are treated some day are put into two groups.

A patient seen until T who enters a state in month E <= T is counted in the group that entered it

    naive        from month 0 on, although nobody could die in it before E: guarantee (immortal) time
    landmark L   from month L on, if E <= L; who is dead or no longer followed by L is left out (Anderson et al. 1983)
    Simon-Makuch from month E on, and in the other group before (Simon & Makuch 1984, Statistics in Medicine 3:35)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.arrays import Booleans, Floats


@dataclass(frozen=True)
class Courses:
    """What is known of some patients. Arrays : (n_patients,), months.

    seen : until death or the end of follow-up; died : which it was; entered : when a state was, inf if never
    """

    seen: Floats
    died: Booleans
    entered: Floats

    def __post_init__(self) -> None:
        assert not np.any(self.seen < 0), "nobody is seen until before the beginning"

    def only(self, chosen: Booleans | slice) -> Courses:
        """Return some of the patients."""
        return Courses(self.seen[chosen], self.died[chosen], self.entered[chosen])

    @property
    def ever(self) -> Booleans:
        """Who is seen to enter the state."""
        return self.entered <= self.seen


@dataclass(frozen=True)
class Episodes:
    """Stretches at risk, after `start` and up to `stop`; `died` : whether one ends in death. Arrays : (n_episodes,).

    `start` is -inf for who is at risk from the beginning on, month 0 included.
    """

    start: Floats
    stop: Floats
    died: Booleans
    group: Booleans

    def of(self, group: bool) -> Episodes:
        """Return the episodes of one group."""
        chosen = self.group == group
        return Episodes(self.start[chosen], self.stop[chosen], self.died[chosen], self.group[chosen])


def whole(courses: Courses, group: Booleans) -> Episodes:
    """Return one episode a patient, from month 0, in groups that are told beforehand."""
    return Episodes(np.full(courses.seen.size, -np.inf), courses.seen, courses.died, group)


def naive(courses: Courses) -> Episodes:
    """Return groups by what happens later, as if it were known from month 0 on."""
    return whole(courses, courses.ever)


def landmark(courses: Courses, month: float) -> Episodes:
    """Return groups by what has happened up to a month, of who is then alive and followed, from that month on."""
    there = courses.only(courses.seen > month)
    start = np.full(there.seen.size, float(month))
    return Episodes(start, there.seen, there.died, there.entered <= month)


def simon_makuch(courses: Courses) -> Episodes:
    """Return groups that patients join when they enter the state: an episode before it, and one from then on.

    Who enters it in the month 0 has no episode before; who does at the very end of follow-up none after.
    """
    ever = courses.ever
    turn = np.where(ever, courses.entered, courses.seen)
    before = Episodes(np.full(turn.size, -np.inf), turn, courses.died & ~ever, np.zeros(turn.size, dtype=bool))
    after = Episodes(turn[ever], courses.seen[ever], courses.died[ever], np.ones(int(ever.sum()), dtype=bool))
    joined = [np.concatenate(pair) for pair in zip(_fields(before), _fields(after), strict=True)]
    start, stop, died, group = joined
    # Nobody is at risk in a stretch without length; a death in the very month of entry is one of the group entered.
    lasts = (stop > start) | died
    return Episodes(start[lasts], stop[lasts], died[lasts], group[lasts])


def _fields(episodes: Episodes) -> tuple[NDArray[np.generic], ...]:
    return episodes.start, episodes.stop, episodes.died, episodes.group
