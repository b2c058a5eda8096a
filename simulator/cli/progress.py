"""Progress of long work, on standard error: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from simulator.cli.failures import CtrlC

EVERY = 10.0
"""Seconds between two lines without a terminal; shorter work prints nothing."""


class Progress(Protocol):
    """Called by long work: the work done, the total, and the present stage."""

    def __call__(self, done: int, total: int, stage: str = ...) -> None: ...


@contextmanager
def displayed(stage: str, *, quiet: bool) -> Iterator[Progress]:
    """Yield a function to call between pieces of work; it raises KeyboardInterrupt if Ctrl-C was pressed.

    stage : the stage until a call names another; quiet : display nothing
    """
    if quiet:
        yield _silent
    elif sys.stderr.isatty():
        with _bar(stage) as advance:
            yield advance
    else:
        yield _lines(stage)


def _silent(done: int, total: int, stage: str = "") -> None:
    CtrlC.look()


@contextmanager
def _bar(first: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(first, total=None)
        present = first

        def advance(done: int, total: int, stage: str = first) -> None:
            CtrlC.look()
            nonlocal present
            if stage != present:
                # Stages differ in speed, and so in the time left.
                bar.reset(task, total=total)
                present = stage
            bar.update(task, completed=done, total=total, description=stage)

        yield advance


def _lines(first: str) -> Progress:
    last, last_line = time.monotonic(), ""
    begun = {first: last}

    def advance(done: int, total: int, stage: str = first) -> None:
        nonlocal last, last_line
        CtrlC.look()
        now = time.monotonic()
        took = now - begun.setdefault(stage, now)
        line = f"{stage}: {100 * done // max(total, 1)} %"
        if now - last >= EVERY and line != last_line:
            last, last_line = now, line
            left = f", {_duration(took * (total - done) / done)} left" if 0 < done < total else ""
            print(f"{line}{left}", file=sys.stderr)

    return advance


def _duration(seconds: float) -> str:
    """Return "about 40 s", "about 3 min"."""
    return f"about {max(round(seconds), 1)} s" if seconds < 90 else f"about {round(seconds / 60)} min"
