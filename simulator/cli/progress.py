"""How far long work has come, on standard error: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from simulator.cli.failures import CtrlC

EVERY = 10.0
"""Seconds between two lines where there is no terminal; what takes less says nothing."""


class Progress(Protocol):
    """What long work calls: how much is done, of how much, and what it is at now."""

    def __call__(self, done: int, total: int, stage: str = ...) -> None: ...


@contextmanager
def shown(what: str, *, quiet: bool) -> Iterator[Progress]:
    """Yield what to call between pieces of work; it raises KeyboardInterrupt if Ctrl-C was pressed.

    `what` is shown where no stage is told, and nothing if it is to be quiet.
    """
    if quiet:
        yield _silent
    elif sys.stderr.isatty():
        with _bar(what) as advance:
            yield advance
    else:
        yield _lines(what)


def _silent(done: int, total: int, stage: str = "") -> None:
    CtrlC.look()


@contextmanager
def _bar(what: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        at = what

        def tell(done: int, total: int, stage: str = what) -> None:
            CtrlC.look()
            nonlocal at
            if stage != at:
                # Each stage has a speed, and so a time left, of its own.
                bar.reset(task, total=total)
                at = stage
            bar.update(task, completed=done, total=total, description=stage)

        yield tell


def _lines(what: str) -> Progress:
    last, said = time.monotonic(), ""
    begun = {what: last}

    def tell(done: int, total: int, stage: str = what) -> None:
        nonlocal last, said
        CtrlC.look()
        now = time.monotonic()
        took = now - begun.setdefault(stage, now)
        line = f"{stage}: {100 * done // max(total, 1)} %"
        if now - last >= EVERY and line != said:
            last, said = now, line
            left = f", {_duration(took * (total - done) / done)} left" if 0 < done < total else ""
            print(f"{line}{left}", file=sys.stderr)

    return tell


def _duration(seconds: float) -> str:
    """Return "about 40 s", "about 3 min"."""
    return f"about {max(round(seconds), 1)} s" if seconds < 90 else f"about {round(seconds / 60)} min"
