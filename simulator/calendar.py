"""Calendar time: months from the start of a centre, and the instants into which they fall."""

from __future__ import annotations

INSTANTS = 1e9
"""Instants a month (2.6 ms each). Sums of the same times may differ by rounding; instants do not."""


def instant(month: float) -> int:
    """Return the instant that a calendar month falls into."""
    return round(month * INSTANTS)
