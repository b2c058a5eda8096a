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
from functools import lru_cache
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}
"""One thread a process is enough."""

M_TOP_PAD, KEPT = -2, 128 * 2**20
"""Bytes that glibc keeps for the next array instead of returning them: that saves a third of a calibration's time."""

MOMENT = 1.0
"""Seconds that processes may take to end after Ctrl-C."""

AHEAD = 2
"""Items that a process has at once, so that it need not wait for the next while this process is busy."""


class Pool:
    """`jobs` processes, including this one; the others start with the first work.

    After an exception, as after Ctrl-C, the other processes end at once; if this process is killed, they end as well.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.starting: list[Future[Any]] = []
        self._executor: ProcessPoolExecutor | None = None
        self._known: list[BaseProcess] = []
        self._works: dict[Callable[..., Any], Path] = {}

    def __enter__(self) -> Self:
        _keep_freed_pages()
        return self

    def __exit__(self, error: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        if self._executor is None:
            return
        if error is None and all(started.done() for started in self.starting):
            self._executor.shutdown()
        else:
            _end_at_once(self._executor, [process for process in active_children() if process not in self._known])
        self._folder.cleanup()

    def results(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield work(item) in order: this process takes an item whenever the others have enough items."""
        waiting = deque(enumerate(items))
        if self._executor is None and self.jobs > 1 and waiting:
            self._start(work)
        away: dict[Future[Result], int] = {}
        results: dict[int, Result] = {}
        for number in range(len(waiting)):
            while number not in results:
                while waiting and len(away) < AHEAD * sum(started.done() for started in self.starting):
                    place, item = waiting.popleft()
                    away[self._submit(work, item)] = place
                for future in [future for future in away if future.done()]:
                    results[away.pop(future)] = future.result()
                if number in results:
                    break
                if waiting:
                    place, item = waiting.popleft()
                    results[place] = work(item)
                else:
                    wait(away, return_when=FIRST_COMPLETED)
            yield results.pop(number)

    def _start(self, work: Callable[..., Any]) -> None:
        self._known = active_children()
        self._folder = TemporaryDirectory(prefix="aftercart-")
        self._executor = ProcessPoolExecutor(self.jobs - 1, get_context("spawn"), _begin)
        path = self._file_of(work)
        with _interrupts_held_back(), _environment(ENVIRONMENT), _main_left_alone():
            self.starting += [self._executor.submit(_load, path) for _ in range(self.jobs - 1)]

    def _submit(self, work: Callable[[Item], Result], item: Item) -> Future[Result]:
        assert self._executor is not None
        return self._executor.submit(_do, self._file_of(work), item)

    def _file_of(self, work: Callable[..., Any]) -> Path:
        """Return the file with some work and all that it needs, which a process reads once, not with every item."""
        if work not in self._works:
            path = self._works[work] = Path(self._folder.name) / f"work-{len(self._works)}"
            path.write_bytes(pickle.dumps(work))
        return self._works[work]


def _end_at_once(executor: ProcessPoolExecutor, started: Iterable[BaseProcess]) -> None:
    """End the processes in the middle of their work, which may be long and is no longer needed."""
    for process in started:
        process.terminate()
    # The executor's thread soon ends as well; if Python exits before, it may find the pipe just closed.
    ending = threading.Thread(target=executor.shutdown, daemon=True)
    ending.start()
    ending.join(MOMENT)


def _begin() -> None:
    _keep_freed_pages()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, however that ended: SIGKILL gives no notice."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _keep_freed_pages() -> None:
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
        if set_option is not None:
            set_option(M_TOP_PAD, KEPT)


def _load(path: Path) -> None:
    """Read some work, and import what it needs, before its first item."""
    _loaded(path)


@lru_cache(maxsize=4)
def _loaded(path: Path) -> Callable[..., Any]:
    return pickle.loads(path.read_bytes())  # type: ignore[no-any-return]


def _do(path: Path, item: Any) -> Any:
    return _loaded(path)(item)


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
