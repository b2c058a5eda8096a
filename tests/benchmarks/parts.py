"""Where the time goes: a profile, with its functions grouped by their purpose.

NumPy's universal functions are charged to the line that calls them; every other function outside the project to its
callers, in proportion to the time that each caused. A profiler slows Python's own loops most, so one function's share
may be measured without it.
"""

from __future__ import annotations

import cProfile
import pstats
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import process_time
from types import ModuleType
from typing import Any

from simulator import randomness
from simulator.engines import curves, event_counts, tally, trajectories
from simulator.engines.microsim import engine, fifo, queueing

Function = tuple[str, int, str]

UNIFORMS = "uniforms"
TIMES = "logs and powers"
EXITS = "choosing exits"
TALLYING = "tallying"
BOOKKEEPING = "bookkeeping"
QUEUE = "the queue"
JOINING = "joining segments"
OTHER = "the rest"

MODULES = {
    UNIFORMS: (randomness,),
    TALLYING: (tally, event_counts, curves, trajectories),
    QUEUE: (fifo,),
    BOOKKEEPING: (engine,),
    JOINING: (queueing,),
}
RUN = engine.Run
FUNCTIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    TIMES: (RUN._exposures, RUN._end),
    EXITS: (RUN._departure, RUN._race, RUN._winner, RUN._choose, engine.least, queueing.Segments._ask),
}
BY_FILE = {module.__file__: part for part, modules in MODULES.items() for module in modules}
BY_CODE = {
    (function.__code__.co_filename, function.__code__.co_firstlineno): part
    for part, functions in FUNCTIONS.items()
    for function in functions
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


def with_timed(shares_of_parts: dict[str, float], part: str, share: float) -> dict[str, float]:
    """Return shares of a profile with one part's share as it is without a profiler, and the others in proportion."""
    rest = (1.0 - share) / (1.0 - shares_of_parts[part])
    return {name: share if name == part else rest * value for name, value in shares_of_parts.items()}


def share_of(module: ModuleType, name: str, work: Callable[[], object]) -> float:
    """Return the share of the time of some work that a module's function takes, without a profiler."""
    function, seconds = getattr(module, name), 0.0

    def timed(*arguments: Any) -> Any:
        nonlocal seconds
        start = process_time()
        result = function(*arguments)
        seconds += process_time() - start
        return result

    setattr(module, name, timed)
    try:
        start = process_time()
        work()
        return seconds / (process_time() - start)
    finally:
        setattr(module, name, function)


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
    path, line, _ = function
    if "simulator" not in Path(path).parts:
        return None
    if "distributions" in Path(path).parts:
        return TIMES
    return BY_CODE.get((path, line)) or BY_FILE.get(path, OTHER)
