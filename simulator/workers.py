"""Several processes at once, which leave Ctrl-C to the one that people talk to."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

ENVIRONMENT = {"MALLOC_TOP_PAD_": str(128 * 2**20), "OPENBLAS_NUM_THREADS": "1"}
"""glibc keeps freed pages for the next array, which saves a third of a calibration; a thread a process is enough."""


MOMENT = 1.0
"""Seconds that processes may take to be gone after Ctrl-C."""


class Map(Protocol):
    """As the built-in `map`, of one iterable."""

    def __call__(self, work: Callable[[Any], Any], items: Iterable[Any], /) -> Iterator[Any]: ...


@contextmanager
def workers(jobs: int, begin: Callable[..., None], *given: object) -> Iterator[Map]:
    """Yield a map over `jobs` processes, each begun with `begin(*given)`; results come in order.

    What all the work needs belongs into `given`, what one piece needs into its item. On an exception, Ctrl-C among
    them, the processes are ended at once.
    """
    others = active_children()
    with TemporaryDirectory(prefix="aftercart-") as folder:
        # Through a file: what does not fit into a pipe would hold up each process until the one before has started.
        path = Path(folder) / "given"
        path.write_bytes(pickle.dumps((begin, given)))
        pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (path,))

        def each(work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
            with _interrupts_held_back(), _environment(ENVIRONMENT):
                futures = deque(pool.submit(work, item) for item in items)
            return (futures.popleft().result() for _ in range(len(futures)))

        try:
            yield each
        except Exception:
            pool.shutdown(cancel_futures=True)
            raise
        except BaseException:
            # Ctrl-C: what they are at may take long, and nobody wants it any more.
            for process in active_children():
                if process not in others:
                    process.terminate()
            # The pool's thread soon ends as well; unless it does, an exit meanwhile may find its pipe just closed.
            ending = threading.Thread(target=pool.shutdown, daemon=True)
            ending.start()
            ending.join(MOMENT)
            raise
        pool.shutdown()


def _begin(path: Path) -> None:
    begin, given = pickle.loads(path.read_bytes())
    begin(*given)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Start processes with these variables, unless they are set already."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Start processes that never see Ctrl-C, and see it here only when they all have started."""
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
