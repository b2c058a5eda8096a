"""Work in one or more processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Protocol, TypeVar

from simulator.execution.pool import Item, Pool, Result, cores

__all__ = ["Pool", "Progress", "Store", "cores", "counted", "map"]

Progress = Callable[..., None]
"""Called after every result as progress(done, total) or progress(done, total, stage); if it raises, as after Ctrl-C,
the work ends."""

T = TypeVar("T")
Key = TypeVar("Key", contravariant=True)
Kept = TypeVar("Kept")


class Store(Protocol[Key, Kept]):
    """Finished results by item, so that interrupted work goes on where it stopped; a dict is a store."""

    def __contains__(self, item: object, /) -> bool: ...

    def __getitem__(self, item: Key, /) -> Kept: ...

    def __setitem__(self, item: Key, result: Kept, /) -> None: ...


def map(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    jobs: int | Pool = 1,
    store: Store[Item, Result] | None = None,
    progress: Progress | None = None,
    stage: str = "",
) -> Iterator[Result]:
    """Yield work(item) for every item, in the order of the items, however many processes there are.

    work : a function of a module, a partial or a method; every process has a copy of it, with all that it needs
    jobs : how many processes, or a pool that several maps share
    store : a result that is in it is not made again; a new one is put into it in its turn, before it is yielded

    Random numbers have addresses (`simulator.randomness`), so they depend neither on `jobs` nor on what is stored.
    """
    items = list(items)
    stored = {place for place, item in enumerate(items) if store is not None and item in store}
    missing = [item for place, item in enumerate(items) if place not in stored]
    done, stages = len(stored), (stage,) if stage else ()
    shared = Pool(min(jobs, len(missing))) if isinstance(jobs, int) else nullcontext(jobs)
    with shared as pool:
        new = pool.results(work, missing)
        for place, item in enumerate(items):
            if store is not None and place in stored:
                yield store[item]
                continue
            result = next(new)
            if store is not None:
                store[item] = result
            yield result
            done += 1
            if progress is not None:
                progress(done, len(items), *stages)


def counted(results: Iterable[T], total: int, progress: Progress | None, *stage: str) -> Iterator[T]:
    """Yield the results, and call progress(done, total, *stage) after every one."""
    for done, result in enumerate(results, start=1):
        yield result
        if progress is not None:
            progress(done, total, *stage)
