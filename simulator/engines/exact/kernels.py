"""How a sojourn ends, on a lattice of equal cells: the mass that leaves by each exit in each cell.

    mass_j[k] = int over cell k of S(t) dH_j(t),   S = exp(-sum_j H_j)

Competing exits share a cell's mass as their hazards do. The first cell is refined, since hazards may be singular or
huge there; a fixed time is an atom at its own place. Where in its cell the mass lies is kept as a first moment. What
leaves within `AT_ONCE` leaves before any time passes, as among simulated patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.distributions import Distribution
from simulator.engines.model import Exit

_SUB_CELLS = np.concatenate([np.geomspace(1e-14, 1e-6, 24), (np.arange(1, 25) / 24) ** 4])
"""Where the sub-cells of the first cell end, in cells: from (1/24)^4 on, and far below for hazards next to infinite."""
FIRST_CELL = _SUB_CELLS.size + 1
NEVER = 1e300
STEEP = 4.0
"""Of a cumulative hazard: where it grows by more in a cell, nothing is known of how it does."""
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

    now : what leaves at once; mass : (..., n) what leaves in each cell after that; early : the first cell's mass x how
    far before its middle
    """

    now: Floats
    mass: Floats
    early: Floats
    atoms: tuple[Atom, ...]


def kernels(exits: Sequence[Exit], step: float, n: int) -> list[Kernel]:
    """Return each exit's kernel on n cells of `step` months."""
    # One cell more, so that the last one has a neighbour on either side.
    sub_cells = np.sort(np.append(step * _SUB_CELLS, AT_ONCE))
    times = np.concatenate([[0.0], sub_cells, step * np.arange(2, n + 2)])
    if exits[0].probability is None:
        return _gather(competing(_times_of(exits), times), times, step, n)
    kernels = []
    for exit in exits:
        assert exit.time is not None
        assert exit.probability is not None
        (kernel,) = _gather(competing([exit.time], times), times, step, n)
        p = _on_axes(exit.probability)
        atoms = tuple(Atom(a.cell, a.place, a.mass * p) for a in kernel.atoms)
        kernels.append(Kernel(kernel.now * p, kernel.mass * p[..., None], kernel.early * p, atoms))
    return kernels


def _times_of(exits: Sequence[Exit]) -> list[Distribution]:
    return [exit.time for exit in exits if exit.time is not None]


def _on_axes(values: Floats) -> Floats:
    """Return values as (n_draws or 1, n_cells or 1)."""
    return np.atleast_2d(values)


@dataclass(frozen=True)
class Masses:
    """Mass per exit over the intervals of a grid, without the atoms; the atoms by exit; S but for atoms on the grid."""

    survival: Floats
    smooth: list[Floats]
    atoms: list[tuple[Floats, Floats] | None]


def competing(latent: Sequence[Distribution], times: Floats) -> Masses:
    """Return what leaves by each latent time over the intervals of times : (n + 1,), which start at 0."""
    steps = [_step(law) for law in latent]
    if len(latent) == 1 and steps[0] is None:
        survival = np.exp(-_cumulative(latent[0], times))
        return Masses(survival, [survival[..., :-1] - survival[..., 1:]], [None])
    smooth = [j for j, step in enumerate(steps) if step is None]
    hazards = {j: _cumulative(latent[j], times) for j in smooth}
    total = sum(hazards.values(), np.zeros((1, 1, times.size)))
    survival = np.exp(-total)
    if len(smooth) < len(latent):
        return _with_steps(latent, times, steps, hazards, total, survival)
    lost = survival[..., :-1] - survival[..., 1:]
    return Masses(survival, _shared(hazards, total, lost, len(latent)), [None] * len(latent))


def _step(latent: Distribution) -> tuple[Floats, Floats] | None:
    """Return the time and height of a fixed sojourn, each (n_draws or 1, n_cells or 1)."""
    if latent.atom is None:
        return None
    at = _on_axes(np.asarray(latent.atom))
    after = np.where(np.isfinite(at), at + 1.0, 0.0)
    height = -np.expm1(-_on_axes(np.asarray(latent.cumulative_hazard(after))))
    return at, np.where(np.isfinite(at), height, 0.0)


def _cumulative(latent: Distribution, times: Floats) -> Floats:
    hazard = np.asarray(latent.columns().cumulative_hazard(times))
    hazard = hazard.reshape((1,) * (3 - hazard.ndim) + hazard.shape)
    return np.minimum(hazard, NEVER)


def _shared(hazards: dict[int, Floats], total: Floats, lost: Floats, n: int) -> list[Floats]:
    """Share what is lost in each interval among n exits, as hazards grow there; where one grows earlier, it has more.

    int S dH_j = L dH_j / dH - L (m_j - m dH_j / dH),   m_j = int (u - 1/2) dH_j, u from 0 to 1 in the interval
    """
    growth = np.diff(total)
    rate = np.divide(lost, growth, out=np.zeros(np.broadcast_shapes(lost.shape, growth.shape)), where=growth > 0)
    growths = {j: np.diff(hazard) for j, hazard in hazards.items()}
    shared = [rate * growths[j] if j in growths else np.zeros_like(lost) for j in range(n)]
    if len(growths) > 1 and growth.shape[-1] > FIRST_CELL + 1:
        even = slice(FIRST_CELL, None)
        weight = np.where(growth[..., even] < STEEP, rate[..., even], 0.0)
        tilt = {j: _tilt(growth[..., even]) for j, growth in growths.items()}
        whole = sum(tilt.values(), np.zeros((1, 1, 1)))
        moved = {j: weight * (whole * growths[j][..., even] - tilt[j] * growth[..., even]) for j in growths}
        for j, shift in moved.items():
            # Of nobody more is taken than there is, and what is taken of one is given to the others.
            part = np.divide(shared[j][..., even], -shift, out=np.ones_like(shift), where=-shift > shared[j][..., even])
            moved = {k: part * other for k, other in moved.items()}
        for j, shift in moved.items():
            shared[j][..., even] += shift
    return shared


def _tilt(growth: Floats) -> Floats:
    """Return int (u - 1/2) dH over equal intervals, u from 0 to 1 in each, from how H grows in its neighbours."""
    tilt = np.empty_like(growth)
    tilt[..., 1:-1] = (growth[..., 2:] - growth[..., :-2]) / 24.0
    tilt[..., 0] = (growth[..., 1] - growth[..., 0]) / 12.0
    tilt[..., -1] = (growth[..., -1] - growth[..., -2]) / 12.0
    return tilt


def _with_steps(
    latent: Sequence[Distribution],
    times: Floats,
    steps: list[tuple[Floats, Floats] | None],
    hazards: dict[int, Floats],
    total: Floats,
    survival: Floats,
) -> Masses:
    """Fixed times among the latent ones: everybody else's survival drops at each by its height."""
    jumps = [(j, *step) for j, step in enumerate(steps) if step is not None]
    shape = np.broadcast_shapes(*(array.shape for _, *arrays in jumps for array in arrays), survival.shape[:-1])
    at = np.stack([np.broadcast_to(month, shape) for _, month, _ in jumps])
    height = np.stack([np.broadcast_to(size, shape) for _, _, size in jumps])
    order = np.argsort(at, axis=0, kind="stable")
    at, height = np.take_along_axis(at, order, 0), np.take_along_axis(height, order, 0)
    lost = np.broadcast_to(survival[..., :-1] - survival[..., 1:], (*shape, times.size - 1)).copy()
    left = np.ones(shape)
    atoms_mass = np.zeros_like(at)
    lost_so_far = np.zeros_like(lost)
    start = np.broadcast_to(survival, (*shape, times.size))
    before = start[..., :-1]
    for row in range(len(jumps)):
        others = np.exp(-sum((_at(latent[j], at[row]) for j in hazards), np.zeros(shape)))
        reached = np.clip(others[..., None], start[..., 1:], start[..., :-1])
        lost_so_far += left[..., None] * np.maximum(before - reached, 0.0)
        before = reached
        atoms_mass[row] = left * others * height[row]
        left = left * (1.0 - height[row])
    lost_so_far += left[..., None] * (before - start[..., 1:])
    shared = _shared(hazards, total, lost_so_far, len(latent)) if hazards else [np.zeros_like(lost)] * len(latent)
    if len(latent) == 1:
        shared = [np.zeros_like(lost)]
    atoms: list[tuple[Floats, Floats] | None] = [None] * len(latent)
    back = np.argsort(order, axis=0, kind="stable")
    at, atoms_mass = np.take_along_axis(at, back, 0), np.take_along_axis(atoms_mass, back, 0)
    for row, (j, _, _) in enumerate(jumps):
        atoms[j] = (at[row], atoms_mass[row])
    return Masses(survival, shared, atoms)


def _at(latent: Distribution, times: Floats) -> Floats:
    return np.minimum(np.asarray(latent.cumulative_hazard(times)), NEVER)


def _gather(masses: Masses, times: Floats, step: float, n: int) -> list[Kernel]:
    """Sum the sub-cells of the first cell, and put the atoms where they are."""
    first = int(np.searchsorted(times, AT_ONCE))
    inner = times[: FIRST_CELL + 1] / step
    gathered = []
    for smooth, atom in zip(masses.smooth, masses.atoms, strict=True):
        head = smooth[..., first:FIRST_CELL]
        now = smooth[..., :first].sum(axis=-1)
        mass = np.concatenate([head.sum(axis=-1, keepdims=True), smooth[..., FIRST_CELL:-1]], axis=-1)
        early = (head * (0.5 - _mean_place(masses.survival, inner)[..., first:])).sum(axis=-1)
        atoms: tuple[Atom, ...] = ()
        if atom is not None:
            at, height = atom
            now = now + np.where(at <= AT_ONCE, height, 0.0)
            atoms = (_placed(at, np.where(at <= AT_ONCE, 0.0, height), step, n),)
        gathered.append(Kernel(now, mass, early, atoms))
    return gathered


def _mean_place(survival: Floats, times: Floats) -> Floats:
    """Return where those who leave between times : (n + 1,) do so on average, at an even hazard, (..., n).

    a + (b - a) (1 / x - 1 / (e^x - 1)),   x = H(b) - H(a);   (a + b) / 2 - (b - a) x / 12 for a small x
    """
    width = np.diff(times)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        x = np.nan_to_num(np.log(survival[..., : times.size - 1] / survival[..., 1 : times.size]), posinf=NEVER)
        place = np.where(x < 1e-3, 0.5 - x / 12.0, 1.0 / x - 1.0 / np.expm1(x))
    return times[:-1] + width * place


def _placed(at: Floats, mass: Floats, step: float, n: int) -> Atom:
    seen = at <= (n + 1e-9) * step
    scaled = np.where(seen, at, 0.0) / step
    cell = np.maximum(np.ceil(scaled - 1e-9).astype(np.int64) - 1, 0)
    return Atom(cell, scaled - cell, np.where(seen, mass, 0.0))
