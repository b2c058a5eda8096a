"""Episodes: intervals of follow-up at risk, and three ways to put patients who are treated later into two groups.

A patient seen until T who enters a state in month E <= T is counted in the group that entered it

    naive        from month 0 on, although nobody could die in it before E: immortal (guarantee) time
    landmark L   from month L on, if E <= L; patients dead or lost to follow-up by L are left out (Anderson et al. 1983)
    Simon-Makuch from month E on, and in the other group before (Simon & Makuch 1984, Statistics in Medicine 3:35)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.arrays import Booleans, Floats


@dataclass(frozen=True)
class Courses:
    """The follow-up of some patients. Arrays : (n_patients,), months.

    seen : until death or the end of follow-up; died : whether until death; entered : a state, inf if never
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
        """Whether a patient is seen to enter the state : (n_patients,)."""
        return self.entered <= self.seen


@dataclass(frozen=True)
class Episodes:
    """Intervals at risk, after `start` and up to `stop`; died : whether one ends in death. Arrays : (n_episodes,).

    `start` is -inf for a patient at risk from the beginning on, month 0 included.
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
    """Return one episode a patient, from month 0, in given groups."""
    return Episodes(np.full(courses.seen.size, -np.inf), courses.seen, courses.died, group)


def naive(courses: Courses) -> Episodes:
    """Return groups by later entry, as if it were known from month 0 on."""
    return whole(courses, courses.ever)


def landmark(courses: Courses, month: float) -> Episodes:
    """Return groups by entry up to a month, of patients then alive and followed, from that month on."""
    followed = courses.only(courses.seen > month)
    start = np.full(followed.seen.size, float(month))
    return Episodes(start, followed.seen, followed.died, followed.entered <= month)


def simon_makuch(courses: Courses) -> Episodes:
    """Return groups that patients join when they enter the state: an episode before it, and one from then on.

    A patient who enters it in month 0 has no episode before; at the very end of follow-up, none after.
    """
    ever = courses.ever
    turn = np.where(ever, courses.entered, courses.seen)
    start = np.concatenate([np.full(turn.size, -np.inf), turn[ever]])
    stop = np.concatenate([turn, courses.seen[ever]])
    died = np.concatenate([courses.died & ~ever, courses.died[ever]])
    # Nobody is at risk in an empty interval; a death in the very month of entry counts in the group entered.
    lasts = (stop > start) | died
    return Episodes(start[lasts], stop[lasts], died[lasts], (np.arange(start.size) >= turn.size)[lasts])
