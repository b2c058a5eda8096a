"""What a sweep would cost: some cells are timed, and one that takes too long is not begun unasked."""

from __future__ import annotations

import time
from collections.abc import Callable

from simulator.errors import InputError

MOST_CELLS = 10_000
MOST_SECONDS = 15 * 60.0
"""More of either is not begun without --yes."""

MOST_SOLUTIONS = 100
"""More demands, of about a tenth of a second each, are solved for only after the cost has been told."""

WARM_UP = 2.0
"""Seconds after which a first piece of work is taken as it is, though it includes imports."""


def timed(pieces: list[Callable[[], object]]) -> float:
    """Return the mean seconds of pieces of work; the first also once before, since it brings the imports."""
    first = _seconds(pieces[0])
    if first > WARM_UP:
        return first
    return sum(_seconds(each) for each in pieces) / len(pieces)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def check_cost(cells: int, seconds: float, jobs: int) -> None:
    """Refuse a sweep that nobody would sit out. Raises InputError with its cost."""
    if cells <= MOST_CELLS and seconds <= MOST_SECONDS:
        return
    several = f" on {jobs} processes" if jobs > 1 else ""
    raise InputError(
        f"{cells:,} cells would take about {in_words(seconds)}{several}",
        where="--vary",
        allowed=f"up to {MOST_CELLS:,} cells and {in_words(MOST_SECONDS)}; or --yes to start all the same",
    )


def in_words(seconds: float) -> str:
    """Return "40 seconds", "3 minutes", "2 hours", "12 days", "3 years"."""
    for unit, length, most in (
        ("second", 1.0, 90.0),
        ("minute", 60.0, 90.0),
        ("hour", 3600.0, 48.0),
        ("day", 86_400.0, 730.0),
        ("year", 31_557_600.0, float("inf")),
    ):
        count = max(round(seconds / length), 1)
        if seconds / length < most:
            return f"{count:,} {unit}{'s' if count > 1 else ''}"
    raise AssertionError(seconds)
