"""All measurements of the document, one after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import aftercart_runs
import coupling
import numpy as np
import one_run
import parts
import ratios
from timing import ENOUGH, one_core, seconds, typical

from simulator.engines.microsim import queueing

TRANSITIONS = 6.34
"""A patient, in 120 months."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Sizes:
    """How much to measure."""

    patients: int = 50_000
    pairs: int = 7
    by_size: tuple[int, ...] = (2_000, 10_000, 100_000)
    by_size_pairs: int = 5
    jobs: tuple[int, int] = (4_000_000, 32_000_000)
    jobs_pairs: int = 5
    growth: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    profile: int = 1_000_000
    beds: int = 1_000_000
    coupling: int = 1_000_000
    des: int = 5_000
    swept: tuple[int, int] = (32, 500)
    compared: int = 120
    moved: int = 250
    enough: float = ENOUGH


QUICK = Sizes(
    patients=1_000,
    pairs=1,
    by_size=(500,),
    by_size_pairs=1,
    jobs=(1_000, 2_000),
    jobs_pairs=0,
    growth=(2_000,),
    profile=2_000,
    beds=1_000,
    coupling=10_000,
    des=200,
    swept=(2, 3),
    compared=3,
    moved=3,
    enough=0.0,
)


@dataclass(frozen=True)
class Exact:
    """The exact engine: milliseconds a set of curves, the step, and the largest change of OS when it is halved."""

    label: str
    milliseconds: float
    step: float
    error: float


@dataclass(frozen=True)
class Measured:
    """All measurements."""

    sizes: Sizes
    pinned: bool
    ratios: list[ratios.Ratio]
    by_size: list[tuple[int, ratios.Paired, ratios.Paired]]
    processes: ratios.Processes
    seconds: dict[int, float]
    memory: list[one_run.Cost]
    memory_with_beds: one_run.Cost
    parts: dict[str, dict[str, float]]
    exact: list[Exact]
    milliseconds_a_cell: float
    milliseconds_a_policy: float
    milliseconds_moved: float
    tornado: tuple[int, float, float]
    des_patients_a_second: float
    gains: list[coupling.Gain]


def everything(sizes: Sizes, say: Say) -> Measured:
    """Measure everything; `say` is called with the name of every step."""
    with one_core() as pinned:
        say("ratios to SimPy and heormodel")
        peers = ratios.of_peers(sizes.patients, sizes.pairs, enough=sizes.enough)
        by_size = ratios.by_size(sizes.by_size, sizes.by_size_pairs, enough=sizes.enough)
        say("how cost grows, and where the time goes")
        grown = {n: seconds(partial(aftercart_runs.curves, n), enough=sizes.enough) for n in sizes.growth}
        profiled = _profiles(sizes.profile, max(sizes.profile // 10, 1_000))
        say("exact and des")
        exact = [_exact("peer pathway", "peer", sizes), _exact("B-ALL after CD19 CAR-T, baseline", "baseline", sizes)]
        cells, draws = sizes.swept
        a_cell = 1e3 * seconds(partial(aftercart_runs.swept, cells, draws), enough=0.0) / (cells * draws)
        compared = partial(aftercart_runs.survival_of_policies, sizes.compared)
        a_policy = 1e3 * typical(compared, 1, enough=0.0) / (sizes.compared * len(aftercart_runs.POLICIES))
        moved = 1e3 * typical(aftercart_runs.moved_uptake(sizes.moved), 5, enough=0.0)
        points, every, alone = aftercart_runs.tornado_of_shares()
        tornado = points, *(1e3 * typical(work, 5, enough=sizes.enough) for work in (every, alone))
        by_des = sizes.des / typical(partial(aftercart_runs.with_beds_by_des, sizes.des), 1, enough=0.0)
        say("what addressed uniforms save")
        gains = coupling.table(sizes.coupling)
    say("memory")
    memory = [one_run.cost("peer", n) for n in sizes.growth]
    with_beds = one_run.cost("peer_with_beds", sizes.beds)
    say("two processes")
    if sizes.jobs_pairs:
        processes = ratios.of_processes(*sizes.jobs, sizes.jobs_pairs)
    else:
        processes = ratios.Processes(*sizes.jobs, None, None, None, "left out of a quick run")
    return Measured(
        sizes,
        pinned,
        peers,
        by_size,
        processes,
        grown,
        memory,
        with_beds,
        profiled,
        exact,
        a_cell,
        a_policy,
        moved,
        tornado,
        by_des,
        gains,
    )


def _profiles(patients: int, patients_with_beds: int) -> dict[str, dict[str, float]]:
    with_beds = partial(aftercart_runs.with_beds, patients_with_beds)
    serving = parts.share_of(queueing, "serve", with_beds)
    return {
        "deaths only": parts.shares(partial(aftercart_runs.deaths, patients)),
        "with curves": parts.shares(partial(aftercart_runs.curves, patients)),
        "with beds": parts.with_timed(parts.shares(with_beds), parts.QUEUE, serving),
    }


def _exact(label: str, name: str, sizes: Sizes) -> Exact:
    seconds_a_run = typical(partial(aftercart_runs.exact_curves, name), 5 if sizes.enough else 1, enough=sizes.enough)
    whole = aftercart_runs.exact_curves(name)
    step = float(whole.months[1] - whole.months[0])
    half = aftercart_runs.exact_curves(name, step / 2)
    change = max(
        float(np.nanmax(np.abs(survival - half.survival[key][:, ::2]))) for key, survival in whole.survival.items()
    )
    return Exact(label, 1e3 * seconds_a_run, step, change)
