"""How a sojourn ends, on a lattice of equal cells: the mass that leaves by each exit in each cell.

    mass_j[k] = int over cell k of S(t) dH_j(t),   S = exp(-sum_j H_j)

Competing exits share a cell's mass as their hazards do. The first cell is refined, since hazards may be singular or
huge there; a fixed time is an atom at its own place. Where in its cell the mass lies is kept as a first moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.distributions import Distribution
from simulator.model import Exit

Floats = NDArray[np.float64]

_SUB_CELLS = np.concatenate([np.geomspace(1e-14, 1e-6, 24), (np.arange(1, 25) / 24) ** 4])
"""Where the sub-cells of the first cell end, in cells: from (1/24)^4 on, and far below for hazards next to infinite."""
FIRST_CELL = _SUB_CELLS.size
NEVER = 1e300


@dataclass(frozen=True)
class Atom:
    """Mass at one time: its cell, its place in the cell (0 to 1) and its size, (n_draws or 1, n_cells or 1) each."""

    cell: NDArray[np.int64]
    place: Floats
    mass: Floats


@dataclass(frozen=True)
class Kernel:
    """One exit. mass : (n_draws or 1, n_cells or 1, n); early : first cell's mass x how far before its middle."""

    mass: Floats
    early: Floats
    atoms: tuple[Atom, ...]


def kernels(exits: Sequence[Exit], step: float, n: int) -> list[Kernel]:
    """Return each exit's kernel on n cells of `step` months."""
    times = np.concatenate([[0.0], step * _SUB_CELLS, step * np.arange(2, n + 1)])
    if exits[0].probability is None:
        return _gather(competing(_times_of(exits), times), times, step, n)
    found = []
    for each in exits:
        assert each.time is not None
        assert each.probability is not None
        (kernel,) = _gather(competing([each.time], times), times, step, n)
        p = _on_axes(each.probability)
        atoms = tuple(Atom(a.cell, a.place, a.mass * p) for a in kernel.atoms)
        found.append(Kernel(kernel.mass * p[..., None], kernel.early * p, atoms))
    return found


def _times_of(exits: Sequence[Exit]) -> list[Distribution]:
    return [each.time for each in exits if each.time is not None]


def _on_axes(values: Floats) -> Floats:
    """Return values as (n_draws or 1, n_cells or 1)."""
    return np.atleast_2d(values)


@dataclass(frozen=True)
class Masses:
    """Mass per exit over the intervals of a grid, without the atoms; and the atoms by exit."""

    smooth: list[Floats]
    atoms: list[tuple[Floats, Floats] | None]


def competing(latent: Sequence[Distribution], times: Floats) -> Masses:
    """Return what leaves by each latent time over the intervals of times : (n + 1,), which start at 0."""
    steps = [_step(each) for each in latent]
    if len(latent) == 1 and steps[0] is None:
        survival = np.exp(-_cumulative(latent[0], times))
        return Masses([survival[..., :-1] - survival[..., 1:]], [None])
    smooth = [j for j, each in enumerate(steps) if each is None]
    hazards = {j: _cumulative(latent[j], times) for j in smooth}
    total = sum(hazards.values(), np.zeros((1, 1, times.size)))
    survival = np.exp(-total)
    if len(smooth) < len(latent):
        return _with_steps(latent, times, steps, hazards, total, survival)
    lost = survival[..., :-1] - survival[..., 1:]
    return Masses(_shared(hazards, total, lost, len(latent)), [None] * len(latent))


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
    growth = np.diff(total)
    rate = np.divide(
        lost, growth, out=np.zeros(np.broadcast_shapes(lost.shape, growth.shape)), where=growth > 0
    )
    return [rate * np.diff(hazards[j]) if j in hazards else np.zeros_like(lost) for j in range(n)]


def _with_steps(
    latent: Sequence[Distribution],
    times: Floats,
    steps: list[tuple[Floats, Floats] | None],
    hazards: dict[int, Floats],
    total: Floats,
    survival: Floats,
) -> Masses:
    """Fixed times among the latent ones: everybody else's survival drops at each by its height."""
    found = [(j, *each) for j, each in enumerate(steps) if each is not None]
    shape = np.broadcast_shapes(*(each.shape for _, *told in found for each in told), survival.shape[:-1])
    at = np.stack([np.broadcast_to(each, shape) for _, each, _ in found])
    height = np.stack([np.broadcast_to(each, shape) for _, _, each in found])
    order = np.argsort(at, axis=0, kind="stable")
    at, height = np.take_along_axis(at, order, 0), np.take_along_axis(height, order, 0)
    lost = np.broadcast_to(survival[..., :-1] - survival[..., 1:], (*shape, times.size - 1)).copy()
    left = np.ones(shape)
    atoms_mass = np.zeros_like(at)
    lost_so_far = np.zeros_like(lost)
    start = np.broadcast_to(survival, (*shape, times.size))
    before = start[..., :-1]
    for row in range(len(found)):
        others = np.exp(-sum((_at(latent[j], at[row]) for j in hazards), np.zeros(shape)))
        reached = np.clip(others[..., None], start[..., 1:], start[..., :-1])
        lost_so_far += left[..., None] * np.maximum(before - reached, 0.0)
        before = reached
        atoms_mass[row] = left * others * height[row]
        left = left * (1.0 - height[row])
    lost_so_far += left[..., None] * (before - start[..., 1:])
    shared = (
        _shared(hazards, total, lost_so_far, len(latent)) if hazards else [np.zeros_like(lost)] * len(latent)
    )
    if len(latent) == 1:
        shared = [np.zeros_like(lost)]
    atoms: list[tuple[Floats, Floats] | None] = [None] * len(latent)
    back = np.argsort(order, axis=0, kind="stable")
    at, atoms_mass = np.take_along_axis(at, back, 0), np.take_along_axis(atoms_mass, back, 0)
    for row, (j, _, _) in enumerate(found):
        atoms[j] = (at[row], atoms_mass[row])
    return Masses(shared, atoms)


def _at(latent: Distribution, times: Floats) -> Floats:
    return np.minimum(np.asarray(latent.cumulative_hazard(times)), NEVER)


def _gather(masses: Masses, times: Floats, step: float, n: int) -> list[Kernel]:
    """Sum the sub-cells of the first cell, and put the atoms where they are."""
    middle = 0.5 * (times[:FIRST_CELL] + times[1 : FIRST_CELL + 1]) / step
    found = []
    for smooth, atom in zip(masses.smooth, masses.atoms, strict=True):
        head = smooth[..., :FIRST_CELL]
        mass = np.concatenate([head.sum(axis=-1, keepdims=True), smooth[..., FIRST_CELL:]], axis=-1)
        early = head @ (0.5 - middle)
        atoms = () if atom is None else (_placed(*atom, step, n),)
        found.append(Kernel(mass, early, atoms))
    return found


def _placed(at: Floats, mass: Floats, step: float, n: int) -> Atom:
    seen = at < n * step
    scaled = np.where(seen, at, 0.0) / step
    cell = np.maximum(np.ceil(scaled - 1e-9).astype(np.int64) - 1, 0)
    return Atom(cell, scaled - cell, np.where(seen, mass, 0.0))
