"""Times that can be compared: on one core, in one process, by turns."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

Work = Callable[[], object]
Clock = Callable[[], float]

ENOUGH = 0.3
"""Seconds. Shorter work is repeated until it takes as long, and its mean is used."""


@dataclass(frozen=True)
class Paired:
    """Seconds a run of two kinds of work that took turns, pair by pair."""

    slow: tuple[float, ...]
    fast: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """Time of the slow work over time of the fast one, pair by pair."""
        return [slow / fast for slow, fast in zip(self.slow, self.fast, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return median(self.ratios)

    @property
    def range(self) -> tuple[float, float]:
        """The least and the largest ratio."""
        return min(self.ratios), max(self.ratios)


@contextmanager
def one_core() -> Iterator[bool]:
    """Keep this process on one core, where the operating system allows it; yield whether it does."""
    if not hasattr(os, "sched_setaffinity"):
        yield False
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield True
    finally:
        os.sched_setaffinity(0, before)


def seconds(work: Work, clock: Clock = process_time, enough: float = ENOUGH) -> float:
    """Return the mean seconds of one run, of as many as fill the time."""
    gc.collect()
    runs, start = 0, clock()
    while True:
        work()
        runs += 1
        elapsed = clock() - start
        if elapsed >= enough:
            return elapsed / runs


def paired(slow: Work, fast: Work, pairs: int, clock: Clock = process_time, enough: float = ENOUGH) -> Paired:
    """Time two kinds of work by turns, so that other programs slow both alike."""
    seconds(fast, clock, 0.0)
    times = [(seconds(slow, clock, enough), seconds(fast, clock, enough)) for _ in range(pairs)]
    return Paired(tuple(time for time, _ in times), tuple(time for _, time in times))


def typical(work: Work, times: int, clock: Clock = process_time, enough: float = ENOUGH) -> float:
    """Return the median seconds of a run, after one that does not count."""
    work()
    return median(seconds(work, clock, enough) for _ in range(times))


wall = perf_counter
