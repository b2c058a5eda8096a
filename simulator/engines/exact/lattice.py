"""Streams of patients on a lattice of equal cells, and their damped Fourier transform.

    X(z_f) = sum_k x[k] r^k exp(-2 pi i f k / n),   r^n = 1e-8

The damping keeps what runs past the end of the lattice from coming round again (Gruebel & Hermesmeier 1999), so no
zero padding is needed, and products of transforms are convolutions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from simulator.arrays import Complex, Floats
from simulator.distributions import Distribution
from simulator.engines.exact.kernels import Kernel
from simulator.engines.model import Model
from simulator.engines.steps import FINEST, FINEST_READ, STEP, divisor, read_off
from simulator.pathway.pathway import reachable

ALIAS = 1e-8


class Passage(NamedTuple):
    """The transforms of leaving a sojourn by one exit.

    now : who leaves at once, (n_draws or 1, n_cells or 1)
    masses : what leaves a cell later, but for atoms; multiplies entries on the cells' edges
    edges : everything that leaves, on the cells' edges, the mean time kept
    at : the later atoms, which multiply the atom of entries at month 0
    shifted : they and who leaves at once, which multiply entries as masses a cell
    """

    now: Floats
    masses: Complex
    edges: Complex
    at: Complex | None
    shifted: Complex | None


class Lattice:
    """n cells of `step` months from 0 on; streams are masses a cell, (n_draws or 1, n_cells or 1, n)."""

    def __init__(self, step: float, horizon: float) -> None:
        from scipy import fft

        self.step = step
        self.n = fft.next_fast_len(max(math.ceil(horizon / step - 1e-9) + 1, 64), real=True)

    @cached_property
    def damping(self) -> Floats:
        return ALIAS ** (np.arange(self.n) / self.n)

    @cached_property
    def z(self) -> Complex:
        """The damped shift by one cell, (n // 2 + 1,)."""
        f = np.arange(self.n // 2 + 1)
        return np.asarray(ALIAS ** (1.0 / self.n) * np.exp(-2j * np.pi * f / self.n), dtype=np.complex128)

    def transform(self, stream: Floats) -> Complex:
        from scipy import fft

        return np.asarray(fft.rfft(stream * self.damping, overwrite_x=True))

    def between(self, edges: Complex) -> Floats:
        """Return the mean over each cell of the cumulative sum of what lies on the edges, mean time kept, (..., n)."""
        return self.summed(edges)

    def stream(self, transformed: Complex) -> Floats:
        from scipy import fft

        if transformed.shape[-1] == 1:
            transformed = np.broadcast_to(transformed, (*transformed.shape[:-1], self.z.size))
        stream = np.asarray(fft.irfft(transformed, self.n))
        stream /= self.damping
        return stream

    @cached_property
    def _inverse(self) -> Floats:
        weights = np.full(self.z.size, 2.0 / self.n)
        weights[0] = 1.0 / self.n
        weights[-1] = 1.0 / self.n if self.n % 2 == 0 else 2.0 / self.n
        return weights

    def first(self, transformed: Complex) -> Floats:
        """Return what lies in the first cell, (n_draws or 1, 1)."""
        # No product of matrices: its threads wait for one another for longer than this takes.
        return np.asarray(np.einsum("...i,i->...", transformed.real, self._inverse))[..., None]

    def turned(self, weights: Floats) -> Floats:
        """Return weights in time, (n, n_sums), as those of transforms' real and imaginary parts by turns."""
        turned = np.fft.rfft(weights / self.damping[:, None], axis=0) * self._inverse[:, None]
        return np.stack([turned.real, turned.imag], axis=1).reshape(-1, weights.shape[1])

    def summed(self, transformed: Complex) -> Floats:
        """Return the cumulative sum of a transformed stream, (..., n)."""
        stream = self.stream(transformed)
        return np.cumsum(stream, axis=-1, out=stream)

    @cached_property
    def halves(self) -> Complex:
        return 0.5 * (1.0 + self.z)

    def on_edges(self, atom: Floats, masses: Complex) -> Complex:
        """Return an atom at month 0 and masses a cell as masses on the cells' edges, each cell's half and half."""
        return np.asarray(atom[..., None] + self.halves * masses)

    @cached_property
    def moved(self) -> Complex:
        return 1.0 - self.z

    def kernel(self, kernel: Kernel) -> Passage:
        """Return an exit's transforms."""
        masses = self.transform(kernel.mass)
        edges = self.halves * masses - self.moved * self.transform(kernel.moment)
        at: Complex | None = None
        shifted: Complex | None = None
        if kernel.now.any():
            shifted = kernel.now[..., None] + 0.0 * self.z
            edges = edges + shifted
        for atom in kernel.atoms:
            moved = atom.mass[..., None] * self.z ** atom.cell[..., None]
            spread = moved * (self.halves + (0.5 - atom.place)[..., None] * self.moved)
            edges = edges + spread
            at, shifted = moved if at is None else at + moved, spread if shifted is None else shifted + spread
        return Passage(kernel.now, masses, edges, at, shifted)

    def split(self, masses: Complex, months: float) -> tuple[Complex, Complex]:
        """Return the part of masses a cell before and after a month."""
        stream = self.stream(masses + 0.0 * self.z)
        early = stream.copy()
        early[..., round(months / self.step) :] = 0.0
        return self.transform(early), self.transform(stream - early)

    def split_edges(self, edges: Complex, atom: Floats, masses: Complex, months: float) -> tuple[Complex, Complex]:
        """Return the part of masses on the cells' edges before and after a month.

        What lies on the very edge is shared so that as many are early as among `masses` a cell and the `atom` at 0.
        """
        at = round(months / self.step)
        stream = self.stream(edges + 0.0 * self.z)
        early = stream.copy()
        early[..., at:] = 0.0
        if at < self.n:
            wanted = atom + self.stream(masses + 0.0 * self.z)[..., :at].sum(axis=-1)
            missing = wanted - early.sum(axis=-1)
            early[..., at] = np.clip(missing, 0.0, np.maximum(stream[..., at], 0.0))
        return self.transform(early), self.transform(stream - early)


def choose_step(models: Sequence[Model], horizon: float, read: Sequence[float] | None = None) -> float:
    """Return a step that resolves every sojourn of models of one pathway: at most a fifth of its interquartile range.

    Months that are read off, and fixed times that follow one another or a steep start, are made whole numbers of steps,
    as far as the finest lattice goes: off the lattice, what happens at one time would be spread over two points.
    read : those months; default: the horizon, the months of survival and the end of the group window
    """
    spreads = []
    for exits in (exits for model in models for exits in model.exits.values()):
        for exit in exits:
            if exit.time is not None and np.all((spread := np.asarray(exit.time.spread())) > 0):
                spreads.append(float(np.min(spread)))
    pathway = models[0].pathway
    if read is None:
        read = [*read_off(pathway, horizon), *([pathway.group_window] if pathway.groups else [])]
    chained = sorted({month for model in models for month in fixed_after_fixed(model) | fixed_after_steep(model)})
    step = STEP / divisor(chained, STEP, int(FINEST * STEP / max(horizon, STEP)))
    step /= divisor(read, step, int(FINEST_READ * step / horizon))
    # Groups are complete at the end of their window only, so the lattice reaches there however short the horizon.
    reach = max(horizon, pathway.group_window) if pathway.groups else horizon
    while spreads and step > min(spreads) / 5 and reach / step < FINEST / 2:
        step /= 2
    return step


def fixed_from_the_start(model: Model) -> set[float]:
    """Return the fixed times of the model's sojourns if many patients may leave one at one instant, or else none."""
    lasting, at_once = _lasting(model)
    begun = reachable([model.pathway.clock_state], at_once)
    months_by_state = {name: {month for month in months if month > 0} for name, months in lasting.items()}
    return (
        set().union(*months_by_state.values())
        if any(months_by_state[name] for name in lasting.keys() & begun)
        else set()
    )


def fixed_after_fixed(model: Model) -> set[float]:
    """Return the fixed times of the model's sojourns if one may follow another at once, and none otherwise."""
    lasting, at_once = _lasting(model)
    ways = model.open_onward
    follows = any(lasting.keys() & reachable(ways[name], at_once) for name in lasting)
    return {month for months in lasting.values() for month in months if month > 0} if follows else set()


def fixed_after_steep(model: Model) -> set[float]:
    """Return the fixed times of the model's sojourns if one may follow many exits next to one instant, or none."""
    lasting, at_once = _lasting(model)
    ways = model.open_onward
    steep = {
        name
        for name, exits in model.exits.items()
        if any(exit.time is not None and exit.time.atom is None and _is_steep(exit.time) for exit in exits)
    }
    begun = reachable(
        [model.pathway.start, model.pathway.clock_state],
        lambda name: ways[name] if name in lasting.keys() | steep else at_once(name),
    )
    follows = any(lasting.keys() & reachable(ways[name], at_once) for name in steep & begun)
    return {month for months in lasting.values() for month in months if month > 0} if follows else set()


def _is_steep(law: Distribution) -> bool:
    """Return whether the hazard of any draw and cell grows without end towards the start: H(t) as t^k, k < 1."""
    early, later = (np.asarray(law.cumulative_hazard(months)) for months in (1e-9, 1e-6))
    return bool(np.any(early > 1.5e-3 * later))


def _lasting(model: Model) -> tuple[dict[str, list[float]], Callable[[str], list[str]]]:
    """Return sojourn -> its fixed times, and where a patient may go on at once from a state."""
    lasting: dict[str, list[float]] = {}
    for name, exits in model.exits.items():
        for exit in exits if name not in model.instant else ():
            if exit.time is not None and exit.time.atom is not None:
                lasting.setdefault(name, []).extend(np.ravel(exit.time.atom).tolist())
    ways = model.open_onward

    def at_once(name: str) -> list[str]:
        return ways[name] if name in model.timeless else []

    return lasting, at_once
