"""How much faster than the peers, and two processes than one: like with like, by turns."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

import heormodel_idiom
import one_run
import ours
import simpy_by_hand
from timing import ENOUGH, Paired, paired

Work = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """One row: what is compared with what, over how many patients, and which ratio is wanted."""

    told: str
    patients: int
    floor: float | None
    aim: float | None
    measured: Paired | None
    why_not: str = ""


def has_heormodel() -> bool:
    return importlib.util.find_spec("heormodel") is not None


def of_peers(patients: int, pairs: int, *, enough: float = ENOUGH) -> list[Ratio]:
    """Return the ratios to SimPy and heormodel, every row of as many patients on both sides."""

    def row(told: str, slow: Work, fast: Work, floor: float | None = None, aim: float | None = None) -> Ratio:
        return Ratio(told, patients, floor, aim, paired(slow, fast, pairs, enough=enough))

    free, beds = partial(simpy_by_hand.without_beds, patients), partial(simpy_by_hand.with_beds, patients)
    deaths, curves = partial(ours.deaths, patients), partial(ours.curves, patients)
    rows = [
        row("microsim / SimPy, without beds", free, deaths, 60.0, 100.0),
        row("the same, but microsim counts its curves too", free, curves),
        row("microsim / SimPy, with beds", beds, partial(ours.with_beds, patients), 10.0, 15.0),
    ]
    if not has_heormodel():
        return [*rows, Ratio("microsim / heormodel", patients, 2.0, 3.0, None, "heormodel is not installed")]
    other = partial(heormodel_idiom.run, patients)
    other()
    return [
        *rows,
        row("microsim / heormodel", other, deaths, 2.0, 3.0),
        row("the same, but microsim counts its curves too", other, curves),
    ]


def by_size(sizes: tuple[int, ...], pairs: int, *, enough: float = ENOUGH) -> list[tuple[int, Paired, Paired]]:
    """Return, by the number of patients, the ratios to SimPy without and with beds."""
    return [
        (
            n,
            paired(partial(simpy_by_hand.without_beds, n), partial(ours.deaths, n), pairs, enough=enough),
            paired(partial(simpy_by_hand.with_beds, n), partial(ours.with_beds, n), pairs, enough=enough),
        )
        for n in sizes
    ]


@dataclass(frozen=True)
class Processes:
    """Two processes against one. `small`, `large` : whole runs; `further` : a further patient, start-up left out.

    machine : as `large`, of two processes that share nothing, not even one run: more than that no machine gives.
    """

    small_patients: int
    large_patients: int
    small: Paired | None
    large: Paired | None
    machine: Paired | None
    why_not: str = ""

    @property
    def further(self) -> float:
        """The ratio of what a further patient takes: between the small runs and the large ones."""
        assert self.small is not None
        assert self.large is not None
        one = median(self.large.slow) - median(self.small.slow)
        two = median(self.large.fast) - median(self.small.fast)
        return one / two if two > 0 else float("nan")


def of_processes(small: int, large: int, pairs: int) -> Processes:
    """Time `simulator.run` with two processes and with one by turns, the start-up of the second one included."""
    if cores() < 2:
        return Processes(small, large, None, None, None, "this process may use one core only")
    return Processes(small, large, _jobs(small, pairs)[0], *_jobs(large, pairs))


def _jobs(patients: int, pairs: int) -> tuple[Paired, Paired]:
    """Return one process beside two of `--jobs 2`, and beside two that share nothing; all three take turns."""
    one, two, apart = [], [], []
    for _ in range(pairs):
        one.append(one_run.cost("peer", patients).seconds)
        two.append(one_run.cost("peer", patients, jobs=2).seconds)
        apart.append(max(each.seconds for each in one_run.side_by_side("peer", patients)))
    return Paired(tuple(one), tuple(two)), Paired(tuple(one), tuple(apart))


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
