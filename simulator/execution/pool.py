"""Several processes at once: this process and the ones that it starts, which leave Ctrl-C to it.

To start a process takes about a second, to import the library. This process works meanwhile, and afterwards.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}
"""One thread a process is enough."""

M_TOP_PAD, KEPT = -2, 128 * 2**20
"""Bytes that glibc keeps for the next array instead of returning them: that saves a third of a calibration's time."""

MOMENT = 1.0
"""Seconds that processes may take to end after Ctrl-C."""

AHEAD = 2
"""Items that a process has at once, so that it need not wait for the next while this process is busy."""


class Map(Protocol):
    """As the built-in `map`, of work(prepared, item): all the work needs `prepared`."""

    def __call__(self, work: Callable[[Any, Any], Any], items: Iterable[Any], /) -> Iterator[Any]: ...


@contextmanager
def workers(jobs: int, prepared: object) -> Iterator[Map]:
    """Yield a map over `jobs` processes, including this one, with a copy of `prepared` each; results come in order.

    On an exception, as on Ctrl-C, the other processes end at once.
    """
    _keep_freed_pages()
    if jobs == 1:
        yield lambda work, items: (work(prepared, item) for item in items)
        return
    known = active_children()
    with TemporaryDirectory(prefix="aftercart-") as folder:
        # Through a file: a full pipe would delay every process until the one before has started.
        path = Path(folder) / "prepared"
        path.write_bytes(pickle.dumps(prepared))
        pool = ProcessPoolExecutor(jobs - 1, get_context("spawn"), _begin, (path,))
        starting: list[Future[None]] = []
        is_done = False
        try:
            with _interrupts_held_back(), _environment(ENVIRONMENT), _main_left_alone():
                starting += [pool.submit(_is_ready) for _ in range(jobs - 1)]
            yield lambda work, items: _results(pool, starting, prepared, work, items)
            is_done = all(started.done() for started in starting)
        finally:
            if is_done:
                pool.shutdown()
            else:
                _end_at_once(pool, [process for process in active_children() if process not in known])


def _results(
    pool: ProcessPoolExecutor,
    starting: list[Future[None]],
    prepared: object,
    work: Callable[[Any, Any], Any],
    items: Iterable[Any],
) -> Iterator[Any]:
    """Yield the results in order: this process takes an item whenever the others have enough items."""
    waiting = deque(enumerate(items))
    away: dict[Future[Any], int] = {}
    results: dict[int, Any] = {}
    for number in range(len(waiting)):
        while number not in results:
            while waiting and len(away) < AHEAD * sum(started.done() for started in starting):
                place, item = waiting.popleft()
                away[pool.submit(_do, work, item)] = place
            for future in [future for future in away if future.done()]:
                results[away.pop(future)] = future.result()
            if number in results:
                break
            if waiting:
                place, item = waiting.popleft()
                results[place] = work(prepared, item)
            else:
                wait(away, return_when=FIRST_COMPLETED)
        yield results.pop(number)


def counted(results: Iterable[T], total: int, progress: Callable[..., None] | None, *stage: str) -> Iterator[T]:
    """Yield the results, and call progress(done, total, *stage) after every one."""
    for done, result in enumerate(results, start=1):
        yield result
        if progress is not None:
            progress(done, total, *stage)


def _end_at_once(pool: ProcessPoolExecutor, started: Iterable[BaseProcess]) -> None:
    """End the processes in the middle of their work, which may be long and is no longer needed."""
    for process in started:
        process.terminate()
    # The pool's thread soon ends as well; if Python exits before, it may find the pipe just closed.
    ending = threading.Thread(target=pool.shutdown, daemon=True)
    ending.start()
    ending.join(MOMENT)


_prepared: object = None


def _begin(path: Path) -> None:
    global _prepared
    _keep_freed_pages()
    _prepared = pickle.loads(path.read_bytes())


def _keep_freed_pages() -> None:
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
        if set_option is not None:
            set_option(M_TOP_PAD, KEPT)


def _is_ready() -> None:
    """Return once the process has begun."""


def _do(work: Callable[[Any, Any], Any], item: object) -> object:
    return work(_prepared, item)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Start processes with these variables, unless they are set."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@contextmanager
def _main_left_alone() -> Iterator[None]:
    """Start processes that do not import the running script, which would run it again.

    So a script needs no `if __name__ == "__main__"`, and may come from standard input: all work is in the library.
    """
    main = vars(sys.modules["__main__"])
    known: dict[str, Any] = {name: main[name] for name in ("__file__", "__spec__") if name in main}
    main |= dict.fromkeys(known)
    try:
        yield
    finally:
        main |= known


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Start processes that never see Ctrl-C; this process sees it only when all have started."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    pressed: list[int] = []
    usual = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, usual)
    if pressed:
        signal.raise_signal(signal.SIGINT)


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
