"""Streams of patients on a lattice of equal cells, and their damped Fourier transform.

    X(z_f) = sum_k x[k] r^k exp(-2 pi i f k / n),   r^n = 1e-8

The damping keeps what runs past the end of the lattice from coming round again (Gruebel & Hermesmeier 1999), so no
zero padding is needed, and products of transforms are convolutions.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulator.engines.kernels import Kernel
from simulator.model import Model

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

STEP = 0.1
"""Months. Cells are at most this wide, halved while a sojourn of the pathway is too short for them."""
FINEST = 2**16
ALIAS = 1e-8


class Lattice:
    """n cells of `step` months from 0 on; streams are masses a cell, (n_draws or 1, n_cells or 1, n)."""

    def __init__(self, step: float, horizon: float) -> None:
        self.step = step
        self.n = _smooth(max(math.ceil(horizon / step - 1e-9), 64))

    @cached_property
    def damping(self) -> Floats:
        return ALIAS ** (np.arange(self.n) / self.n)

    @cached_property
    def z(self) -> Complex:
        """The damped shift by one cell, (n // 2 + 1,)."""
        f = np.arange(self.n // 2 + 1)
        return np.asarray(ALIAS ** (1.0 / self.n) * np.exp(-2j * np.pi * f / self.n), dtype=np.complex128)

    def transform(self, stream: Floats) -> Complex:
        return np.fft.rfft(stream * self.damping)

    def stream(self, transformed: Complex) -> Floats:
        return np.fft.irfft(transformed, self.n) / self.damping

    @cached_property
    def _halves(self) -> Complex:
        return 0.5 * (1.0 + self.z)

    @cached_property
    def _moved(self) -> Complex:
        return 1.0 - self.z

    def kernel(self, kernel: Kernel) -> tuple[Complex, Complex]:
        """Return an exit's transform as masses a cell, and as masses on the cells' edges that keep the mean time."""
        masses = self.transform(kernel.mass)
        edges = self._halves * masses + kernel.early[..., None] * self._moved
        for atom in kernel.atoms:
            at = self.z ** atom.cell[..., None]
            masses = masses + atom.mass[..., None] * at
            edges = edges + atom.mass[..., None] * at * (
                self._halves + (0.5 - atom.place)[..., None] * self._moved
            )
        return masses, edges

    def split(self, transformed: Complex, months: float) -> tuple[Complex, Complex]:
        """Return a stream's part before and after a month."""
        stream = self.stream(transformed)
        early = stream.copy()
        early[..., round(months / self.step) :] = 0.0
        return self.transform(early), self.transform(stream - early)


def _smooth(n: int) -> int:
    """Return the least even number >= n with no prime factor above 5."""
    best = 1 << (n - 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            candidate = three
            while candidate < n:
                candidate *= 2
            if candidate % 2 == 0:
                best = min(best, candidate)
            three *= 3
        five *= 5
    return best


def choose_step(model: Model, horizon: float) -> float:
    """Return a step that resolves every sojourn of the model: at most a fifth of its interquartile range."""
    spreads = []
    for exits in model.exits.values():
        for each in exits:
            if each.time is not None and np.all((spread := np.asarray(each.time.spread())) > 0):
                spreads.append(float(np.min(spread)))
    step = STEP
    while spreads and step > min(spreads) / 5 and horizon / step < FINEST / 2:
        step /= 2
    return step
