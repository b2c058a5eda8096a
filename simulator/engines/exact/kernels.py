"""How a sojourn ends, on a lattice of equal cells: the mass that leaves by each exit in each cell.

    mass_j[k] = int over cell k of S(t) dH_j(t),   S = exp(-sum_j H_j)

Competing exits share a cell's mass as their hazards do. The first cell is refined, since hazards may be singular or
huge there, and half a cell in which a hazard jumps is split at the jump; a fixed time is an atom at its own place.
Where in its cell the mass lies is kept as a first moment. What leaves within `AT_ONCE` leaves before any time passes,
as among simulated patients.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.distributions import Distribution
from simulator.engines.exits import Exit

_SUB_CELLS = np.concatenate([np.geomspace(1e-14, 1e-6, 24), (np.arange(1, 25) / 24) ** 4])
"""Where the sub-cells of the first cell end, in cells: from (1/24)^4 on, and far below for hazards next to infinite."""
NEVER = 700.0
"""A cumulative hazard that nobody outlives."""
NOBODY = float(np.exp(-NEVER))
"""The least survival, which has a logarithm."""
TINY = 1e-300
"""Of a cumulative hazard: where it does not grow, nobody is lost."""
STEEP = 0.1
"""Of the first cell's mass: less next to its start is no steep density."""
AT_ONCE = 1e-300
"""Months that are none: what lasts no longer, a sojourn with a scale of 0, lasts no time at all."""


@dataclass(frozen=True)
class Atom:
    """Mass at one time: its cell, its place in the cell (0 to 1) and its size, (n_draws or 1, n_cells or 1) each."""

    cell: Integers
    place: Floats
    mass: Floats


@dataclass(frozen=True)
class Kernel:
    """One exit, by draw and cell of the case mix, (n_draws or 1, n_cells or 1).

    now : what leaves at once; mass : (..., n) what leaves in each cell after that; moment : (..., n) that x how far
    after the cell's middle, in cells
    at_start : of the first cell, what is next to its start, (n_draws or 1, n_cells or 1)
    """

    now: Floats
    mass: Floats
    moment: Floats
    atoms: tuple[Atom, ...]
    at_start: Floats


def kernels(exits: Sequence[Exit], step: float, n: int, survival: Survival | None = None) -> list[Kernel]:
    """Return each exit's kernel on n cells of `step` months.

    survival : of a latent time at a grid's times; default: `Grid.survival`
    """
    latent = [exit.time for exit in exits if exit.time is not None]
    grid = grid_of(step, n, frozenset[float]().union(*(time.breaks_of_hazard for time in latent)))
    survival = survival or Grid.survival
    if exits[0].probability is None:
        return _competing(latent, grid, survival)
    kernels = []
    for exit, time in zip(exits, latent, strict=True):
        assert exit.probability is not None
        (kernel,) = _competing([time], grid, survival)
        p = np.atleast_2d(exit.probability)
        atoms = tuple(Atom(a.cell, a.place, a.mass * p) for a in kernel.atoms)
        mass, moment = kernel.mass * p[..., None], kernel.moment * p[..., None]
        kernels.append(Kernel(kernel.now * p, mass, moment, atoms, kernel.at_start * p))
    return kernels


class Grid:
    """Where hazards are evaluated: in the first cell, at the end of every cell, in the middle of all but the first, and
    where a hazard jumps.

    times : (n_times,) months, in this order; split : the halves of cells but the first in which hazards jump
    parts, part_of : the places of their parts among the last of the times, and the half that each is part of
    """

    def __init__(self, step: float, n: int, breaks: Collection[float] = ()) -> None:
        self.step, self.n = step, n
        self.first = np.concatenate([[0.0], np.sort(np.append(step * _SUB_CELLS, AT_ONCE))])
        at = 2.0 / step * np.array(sorted(breaks))
        half = np.floor(at).astype(np.int64)
        # In the middle of a cell, too: there the shares of the whole cell tell nothing of those of halves.
        inside = ((at - half > 1e-9) | (half % 2 == 1)) & (half >= 2) & (half < 2 * n)
        self.split = np.unique(half[inside])
        edges = np.sort(np.concatenate([self.split, self.split + 1, at[inside]]))
        part_of = np.floor(0.5 * (edges[:-1] + edges[1:]))
        self.parts = np.flatnonzero(np.isin(part_of, self.split))
        self.part_of = np.searchsorted(self.split, part_of[self.parts])
        cells = [step * np.arange(2, n + 1), step * (np.arange(1, n) + 0.5), 0.5 * step * edges]
        self.times = np.concatenate([self.first, *cells])

    def survival(self, latent: Distribution) -> Floats:
        """Return the survival of a latent time, (n_draws or 1, n_cells or 1, n_times)."""
        survival = latent.columns().survival(self.times)
        return np.maximum(survival.reshape((1,) * (3 - survival.ndim) + survival.shape), NOBODY)

    def intervals(self, values: Floats) -> list[tuple[Floats, Floats]]:
        """Return values at the start and the end of the first cell's intervals, of early halves, of late ones, and of
        the parts of split halves."""
        last, n = self.first.size - 1, self.n
        whole, middle = values[..., last : last + n], values[..., last + n : last + 2 * n - 1]
        head, edges = values[..., : last + 1], values[..., last + 2 * n - 1 :]
        start, end = edges[..., self.parts], edges[..., self.parts + 1]
        return [(head[..., :-1], head[..., 1:]), (whole[..., :-1], middle), (middle, whole[..., 1:]), (start, end)]

    def with_split(self, leaving: Intervals) -> Intervals:
        """Return what leaves with the sums of their parts in the halves that are split, and no parts."""
        head, early, late, parts = leaving
        for number, half in enumerate(self.split.tolist()):
            (late if half % 2 else early)[..., half // 2 - 1] = parts[..., self.part_of == number].sum(axis=-1)
        return [head, early, late]


@lru_cache(maxsize=16)
def grid_of(step: float, n: int, breaks: frozenset[float]) -> Grid:
    """Return a grid, made once."""
    return Grid(step, n, breaks)


Survival = Callable[[Grid, Distribution], Floats]
Intervals = list[Floats]
"""What lies in the first cell's intervals, in the early and in the late halves of the other cells, and in the parts of
those that are split."""


def _competing(latent: Sequence[Distribution], grid: Grid, survival: Survival) -> list[Kernel]:
    """Return the kernels of latent times, the least of which wins."""
    jumps = {j: _jump(law) for j, law in enumerate(latent) if law.atom is not None}
    alive = {j: survival(grid, law) for j, law in enumerate(latent) if j not in jumps}
    total = reduce(np.multiply, alive.values()) if alive else np.ones((1, 1, grid.times.size))
    atoms: dict[int, Floats] = {}
    if jumps:
        lost, atoms = _with_jumps({j: latent[j] for j in alive}, jumps, grid.intervals(total))
    else:
        lost = [start - end for start, end in grid.intervals(total)]
    smooth = _shared(alive, lost, grid)
    places = _mean_place(total[..., : grid.first.size], grid.first / grid.step)
    kernels = []
    for j in range(len(latent)):
        kernel = _on_cells(smooth[j], places) if j in smooth else _nobody(grid)
        kernels.append(_with_atom(kernel, jumps[j][0], atoms[j], grid) if j in jumps else kernel)
    return kernels


def _nobody(grid: Grid) -> Kernel:
    none = np.zeros((1, 1, grid.n))
    return Kernel(none[..., 0], none, none, (), none[..., 0])


def _jump(latent: Distribution) -> tuple[Floats, Floats]:
    """Return the time and height of a fixed sojourn, each (n_draws or 1, n_cells or 1)."""
    at = np.atleast_2d(np.asarray(latent.atom))
    after = np.where(np.isfinite(at), at + 1.0, 0.0)
    height = -np.expm1(-np.atleast_2d(latent.cumulative_hazard(after)))
    return at, np.where(np.isfinite(at), height, 0.0)


def _shared(alive: dict[int, Floats], lost: Intervals, grid: Grid) -> dict[int, Intervals]:
    """Share what is lost in each interval among exits as their hazards grow there, and in halves better than that.

    int S dH_j = V + (V - W) / 3,   V and W the shares L dH_j / dH of halves, and of whole cells (Richardson 1911)
    """
    if len(alive) < 2:
        return dict.fromkeys(alive, lost[:3])
    hazards = {j: -np.log(survival) for j, survival in alive.items()}
    growths = {j: [end - start for start, end in grid.intervals(hazard)] for j, hazard in hazards.items()}
    total = [reduce(np.add, growing) for growing in zip(*growths.values(), strict=True)]
    rates = [gone / (growth + TINY) for gone, growth in zip(lost, total, strict=True)]
    shared = {j: [rate * part for rate, part in zip(rates, growing, strict=True)] for j, growing in growths.items()}
    rate = (lost[1] + lost[2]) / (total[1] + total[2] + TINY)
    moved = {}
    for j, (_, early, late, _) in growths.items():
        moved[j] = shared[j][1] + shared[j][2]
        moved[j] -= rate * (early + late)
        moved[j] /= 6.0
    # Of nobody more is taken than there is.
    least = [np.minimum(early, late) + moved[j] for j, (_, early, late, _) in shared.items()]
    possible = reduce(np.minimum, least) >= 0.0
    possible[..., grid.split // 2 - 1] = False
    for j, (_, early, late, _) in shared.items():
        moved[j] *= possible
        early += moved[j]
        late += moved[j]
    return {j: grid.with_split(shared_by_exit) for j, shared_by_exit in shared.items()}


def _on_cells(leaving: Intervals, places: Floats) -> Kernel:
    """Return what leaves at once, and in each cell; a density on a slope has

        moment = (mass of the late half - mass of the early half) / 3

    The first cell's mass, mean and mean square, at u from 0 to 1 of it, are those of a density on a slope and of

        mass - 6 sum of mass (u - u^2)    at its start, where hazards are infinite.

    places : where those who leave in the first cell's intervals do so on average
    """
    head, early, late = leaving
    mass = np.empty((*early.shape[:-1], early.shape[-1] + 1))
    moment = np.empty_like(mass)
    mass[..., 0] = head[..., 1:].sum(axis=-1)
    moment[..., 0] = (head * (places - 0.5))[..., 1:].sum(axis=-1)
    np.add(early, late, out=mass[..., 1:])
    np.subtract(late, early, out=moment[..., 1:])
    moment[..., 1:] /= 3.0
    at_start = (head * (1.0 - 6.0 * places * (1.0 - places)))[..., 1:].sum(axis=-1)
    at_start = np.where(at_start > STEEP * mass[..., 0], at_start, 0.0)
    return Kernel(head[..., 0], mass, moment, (), at_start)


def _with_jumps(
    smooth: dict[int, Distribution], jumps: dict[int, tuple[Floats, Floats]], survival: list[tuple[Floats, Floats]]
) -> tuple[Intervals, dict[int, Floats]]:
    """Return who is lost to smooth exits in each interval, and to each fixed time: survival drops there by its height.

    survival : of the smooth exits, at each interval's start and end
    """
    shape = np.broadcast_shapes(*(part.shape for jump in jumps.values() for part in jump), survival[0][0].shape[:-1])
    at, height = (np.stack([np.broadcast_to(jump[k], shape) for jump in jumps.values()]) for k in (0, 1))
    order = np.argsort(at, axis=0, kind="stable")
    at, height = np.take_along_axis(at, order, 0), np.take_along_axis(height, order, 0)
    left = np.ones(shape)
    before = [np.broadcast_to(start, (*shape, start.shape[-1])) for start, _ in survival]
    lost = [np.zeros_like(start) for start in before]
    masses = np.zeros_like(at)
    for row in range(len(jumps)):
        hazards = (np.minimum(latent.cumulative_hazard(at[row]), NEVER) for latent in smooth.values())
        others = np.exp(-sum(hazards, np.zeros(shape)))
        reached = [np.clip(others[..., None], end, start) for start, end in survival]
        for gone, start, end in zip(lost, before, reached, strict=True):
            gone += left[..., None] * np.maximum(start - end, 0.0)
        before = reached
        masses[row] = left * others * height[row]
        left = left * (1.0 - height[row])
    for gone, start, (_, end) in zip(lost, before, survival, strict=True):
        gone += left[..., None] * (start - end)
    masses = np.take_along_axis(masses, np.argsort(order, axis=0, kind="stable"), 0)
    return lost, dict(zip(jumps, masses, strict=True))


def _with_atom(kernel: Kernel, at: Floats, mass: Floats, grid: Grid) -> Kernel:
    """Return a kernel with a fixed time."""
    at, mass = np.broadcast_arrays(at, mass)
    seen = at <= (grid.n + 1e-9) * grid.step
    scaled = np.where(seen, at, 0.0) / grid.step
    cell = np.maximum(np.ceil(scaled - 1e-9).astype(np.int64) - 1, 0)
    atom = Atom(cell, scaled - cell, np.where(seen & (at > AT_ONCE), mass, 0.0))
    return replace(kernel, now=kernel.now + np.where(at <= AT_ONCE, mass, 0.0), atoms=(atom,))


def _mean_place(survival: Floats, times: Floats) -> Floats:
    """Return where those who leave between times : (n + 1,) do so on average, at an even hazard, (..., n).

    a + (b - a) (1 / x - 1 / (e^x - 1)),   x = H(b) - H(a);   (a + b) / 2 - (b - a) x / 12 for a small x
    """
    width = np.diff(times)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        x = np.nan_to_num(np.log(survival[..., :-1] / survival[..., 1:]), posinf=1e300)
        place = np.where(x < 1e-3, 0.5 - x / 12.0, 1.0 / x - 1.0 / np.expm1(x))
    return times[:-1] + width * place
