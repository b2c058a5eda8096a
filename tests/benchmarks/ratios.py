"""Ratios of speed to the peers, and of two processes to one: equal work, by turns."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

import aftercart_runs
import heormodel_idiom
import one_run
import simpy_by_hand
from timing import ENOUGH, Paired, paired

Work = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """One row: the programs compared, the number of patients, and the least and desired ratios."""

    label: str
    patients: int
    floor: float | None
    aim: float | None
    measured: Paired | None
    why_not: str = ""


def has_heormodel() -> bool:
    return importlib.util.find_spec("heormodel") is not None


def of_peers(patients: int, pairs: int, *, enough: float = ENOUGH) -> list[Ratio]:
    """Return the ratios to SimPy and heormodel, every row of as many patients on both sides."""

    def row(label: str, slow: Work, fast: Work, floor: float | None = None, aim: float | None = None) -> Ratio:
        return Ratio(label, patients, floor, aim, paired(slow, fast, pairs, enough=enough))

    free, beds = partial(simpy_by_hand.without_beds, patients), partial(simpy_by_hand.with_beds, patients)
    deaths, curves = partial(aftercart_runs.deaths, patients), partial(aftercart_runs.curves, patients)
    rows = [
        row("microsim / SimPy, without beds", free, deaths, 60.0, 100.0),
        row("the same, but microsim counts its curves too", free, curves),
        row("microsim / SimPy, with beds", beds, partial(aftercart_runs.with_beds, patients), 10.0, 15.0),
    ]
    if not has_heormodel():
        return [*rows, Ratio("microsim / heormodel", patients, 2.0, 3.0, None, "heormodel is not installed")]
    heormodel = partial(heormodel_idiom.run, patients)
    heormodel()
    return [
        *rows,
        row("microsim / heormodel", heormodel, deaths, 2.0, 3.0),
        row("the same, but microsim counts its curves too", heormodel, curves),
    ]


def by_size(sizes: tuple[int, ...], pairs: int, *, enough: float = ENOUGH) -> list[tuple[int, Paired, Paired]]:
    """Return, by the number of patients, the ratios to SimPy without and with beds."""
    return [
        (
            n,
            paired(partial(simpy_by_hand.without_beds, n), partial(aftercart_runs.deaths, n), pairs, enough=enough),
            paired(partial(simpy_by_hand.with_beds, n), partial(aftercart_runs.with_beds, n), pairs, enough=enough),
        )
        for n in sizes
    ]


@dataclass(frozen=True)
class Processes:
    """Two processes against one. `small`, `large` : whole runs; `further` : a further patient, start-up left out.

    machine : as `large`, for two processes that share nothing: the most that the machine can reach.
    """

    small_patients: int
    large_patients: int
    small: Paired | None
    large: Paired | None
    machine: Paired | None
    why_not: str = ""

    @property
    def further(self) -> float:
        """The ratio of the times for one more patient, from the small and the large runs."""
        assert self.small is not None
        assert self.large is not None
        with_one = median(self.large.slow) - median(self.small.slow)
        with_two = median(self.large.fast) - median(self.small.fast)
        return with_one / with_two if with_two > 0 else float("nan")


def of_processes(small: int, large: int, pairs: int) -> Processes:
    """Time `simulator.run` with two processes and with one by turns, the start-up of the second one included."""
    if cores() < 2:
        return Processes(small, large, None, None, None, "this process may use one core only")
    return Processes(small, large, _jobs(small, pairs)[0], *_jobs(large, pairs))


def _jobs(patients: int, pairs: int) -> tuple[Paired, Paired]:
    """Pair one process with two of `--jobs 2`, and with two that share nothing; all three take turns."""
    with_one, with_two, separate = [], [], []
    for _ in range(pairs):
        with_one.append(one_run.cost("peer", patients).seconds)
        with_two.append(one_run.cost("peer", patients, jobs=2).seconds)
        separate.append(max(cost.seconds for cost in one_run.side_by_side("peer", patients)))
    return Paired(tuple(with_one), tuple(with_two)), Paired(tuple(with_one), tuple(separate))


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
