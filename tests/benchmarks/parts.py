"""Where the time goes: a profile, with its functions grouped by their purpose.

NumPy's universal functions are charged to the line that calls them; every other function outside the project to its
callers, in proportion to the time that each caused.
"""

from __future__ import annotations

import cProfile
import pstats
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

Function = tuple[str, int, str]

UNIFORMS = "uniforms"
TIMES = "logs and powers"
EXITS = "choosing exits"
TALLYING = "tallying"
BOOKKEEPING = "bookkeeping"
QUEUE = "the queue"
JOINING = "joining segments"
OTHER = "the rest"

BY_FILE = {
    "randomness.py": UNIFORMS,
    "tally.py": TALLYING,
    "block.py": TALLYING,
    "curves.py": TALLYING,
    "serving.py": QUEUE,
    "ward.py": QUEUE,
    "microsim.py": BOOKKEEPING,
    "queues.py": JOINING,
}
BY_NAME = {
    ("microsim.py", "_exposure"): TIMES,
    ("microsim.py", "_time"): TIMES,
    ("microsim.py", "_sojourn"): EXITS,
    ("microsim.py", "_race"): EXITS,
    ("microsim.py", "_winner"): EXITS,
    ("microsim.py", "_choose"): EXITS,
    ("microsim.py", "least"): EXITS,
    ("queues.py", "_ask"): EXITS,
}
ORDER = (UNIFORMS, TIMES, EXITS, BOOKKEEPING, TALLYING, JOINING, QUEUE, OTHER)


def shares(work: Callable[[], object]) -> dict[str, float]:
    """Return the share of the time that each part of the work takes, the parts in `ORDER`."""
    profile = cProfile.Profile()
    profile.runcall(work)
    table: dict[Function, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    known: dict[Function, dict[str, float]] = {}
    total: dict[str, float] = defaultdict(float)
    for function, (_, _, own_time, _, _) in table.items():
        for part, share in _parts(function, table, known).items():
            total[part] += share * own_time
    whole = sum(total.values())
    return {part: total[part] / whole for part in ORDER if total.get(part)}


def _parts(function: Function, table: dict[Function, Any], known: dict[Function, dict[str, float]]) -> dict[str, float]:
    """Return how a function's own time is shared among the parts."""
    if function not in known:
        known[function] = {OTHER: 1.0}  # for functions that call one another
        part = _part(function)
        known[function] = {part: 1.0} if part else _by_callers(function, table, known)
    return known[function]


def _by_callers(
    function: Function, table: dict[Function, Any], known: dict[Function, dict[str, float]]
) -> dict[str, float]:
    callers = table[function][4]
    whole = sum(times[2] for times in callers.values())
    shares_of_parts: dict[str, float] = defaultdict(float)
    for caller, (_, _, own_time, _) in callers.items():
        for part, share in _parts(caller, table, known).items():
            shares_of_parts[part] += share * (own_time / whole if whole else 1.0 / len(callers))
    return dict(shares_of_parts) or {OTHER: 1.0}


def _part(function: Function) -> str | None:
    path, _, name = function
    file = Path(path)
    if "simulator" not in file.parts:
        return None
    if "distributions" in file.parts:
        return TIMES
    return BY_NAME.get((file.name, name), BY_FILE.get(file.name, OTHER))
