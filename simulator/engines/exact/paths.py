"""Path curves: when patients go along a path, whatever their number.

    entries into a node = sum_p c_p P_p

P_p is the convolution of the kernels along a path p, and holds times only; c_p holds the shares and the case mix. Alike
kernels and paths are found once, by value, whichever cells, treatments and policies have them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar, cast

import numpy as np

from simulator.arrays import Floats
from simulator.distributions import Distribution
from simulator.engines.exact.kernels import Grid, kernels
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.measures import (
    InTime,
    Leaving,
    Measure,
    Onward,
    Values,
    added,
    along,
    as_onward,
    come,
    in_time,
    leaving,
    mean,
    of_kernel,
    transformed,
    whole,
)
from simulator.engines.exact.readings import Weights, come_by, come_by_months, months_since, summed_up_to
from simulator.engines.exits import Exit

Kept = TypeVar("Kept")

MOST_BYTES = 2**28
"""Of the transforms of all paths; where there would be more, they are merged in the states."""


MOST_PATHS = 700
"""Paths that are followed faster than merged ones, where few draws fit in memory."""

FEW = 20
"""Months that are read without curves, by as many sums over the lattice."""


class TooManyPaths(Exception):
    """There are more distinct paths than fit in memory."""


class Step(Protocol):
    """The last step of a path, after the paths `before` it."""

    @property
    def before(self) -> tuple[int, ...]: ...

    def measure(self, paths: Paths) -> Measure:
        """Return who goes along the whole path, transformed."""


@dataclass(frozen=True)
class Start:
    """Everybody, at month 0."""

    before: tuple[int, ...] = ()

    def measure(self, paths: Paths) -> Measure:
        return Measure(np.ones((1, 1), dtype=np.complex128))


@dataclass(frozen=True)
class AlongPath:
    """A step that goes on from a path."""

    path: int

    @property
    def before(self) -> tuple[int, ...]:
        return (self.path,)


@dataclass(frozen=True)
class Through(AlongPath):
    """Along a path, then out of a sojourn by one of its exits."""

    law: int
    exit: int

    def measure(self, paths: Paths) -> Measure:
        return along(paths.as_onward(self.path), paths.law_transformed(self.law)[self.exit], paths.lattice)


@dataclass(frozen=True)
class Cut(AlongPath):
    """Along a path up to a month, or after it."""

    months: float
    late: bool

    def measure(self, paths: Paths) -> Measure:
        at = round(self.months / paths.lattice.step)

        def part(values: Floats, edge: int) -> Floats:
            kept = values.copy()
            kept[:, slice(None, edge) if self.late else slice(edge, None)] = 0.0
            return kept

        points, masses, moments = paths.measure_in_time(self.path)
        return transformed(Measure(part(points, at + 1), part(masses, at), part(moments, at)), paths.lattice)


@dataclass(frozen=True)
class Then:
    """Along one path, and then along another, which starts where it ends."""

    path: int
    onward: int

    @property
    def before(self) -> tuple[int, ...]:
        return self.path, self.onward

    def measure(self, paths: Paths) -> Measure:
        return along(paths.as_onward(self.path), paths.as_onward(self.onward), paths.lattice)


@dataclass(frozen=True)
class Sum:
    """Along any of some paths, by a share of patients each, (n_draws or 1,) as bytes."""

    before: tuple[int, ...]
    shares: tuple[bytes, ...]

    def measure(self, paths: Paths) -> Measure:
        shares = (paths.of_rows(np.frombuffer(share))[:, None] for share in self.shares)
        return added(*(paths.measure(path).times(share) for path, share in zip(self.before, shares, strict=True)))


class Paths:
    """Laws and paths on one lattice, of the same draws; each is known by its place.

    repeats : how often models have the draws, in turn, with the same times; what is read of paths is of each once
    in_parts : whether as many draws are read at once as fit, of `of_draws`: then there may be `MOST_PATHS`
    """

    def __init__(
        self, lattice: Lattice, most_bytes: float = MOST_BYTES, repeats: int = 1, in_parts: bool = False
    ) -> None:
        self.lattice, self.most_bytes, self.repeats, self.in_parts = lattice, most_bytes, repeats, in_parts
        self.laws: list[Sequence[Exit]] = []
        self.steps: list[Step] = []
        self._places: dict[Step, int] = {}
        self._laws: dict[tuple[object, ...], int] = {}
        self._measures: dict[int, Measure] = {}
        self._kept: dict[Hashable, object] = {}
        self._n_draws = 1
        self._rows: slice | None = None

    def of_draws(self, rows: slice) -> Paths:
        """Return the same laws and paths of some draws, of which nothing has been read."""
        part = copy(self)
        part._rows, part._measures, part._kept = rows, {}, {}
        return part

    def of_rows(self, values: Values) -> Values:
        """Return what has a row a draw, or one row, of the draws of these paths."""
        return values if self._rows is None or values.ndim == 0 or len(values) == 1 else values[self._rows]

    def law(self, exits: Sequence[Exit]) -> int:
        """Return the place of the law of the exits of a sojourn, in one cell of the case mix."""
        key = tuple((exit.time and exit.time.key, np.asarray(exit.probability).tobytes()) for exit in exits)
        if key not in self._laws:
            self._laws[key] = len(self.laws)
            exits = [replace(exit, time=exit.time and exit.time.with_parameters(self._once)) for exit in exits]
            self.laws.append(exits)
            shapes = ((1, 1, *exit.time.cell_shape) for exit in exits if exit.time is not None)
            self._n_draws = max(self._n_draws, *(shape[-2] for shape in shapes))
        return self._laws[key]

    def _once(self, values: Values) -> Values:
        """Return the rows of draws that are repeated, once; one row where all are alike."""
        if values.ndim < 2:
            return values
        return values[:1] if np.all(values == values[:1]) else values[: len(values) // self.repeats]

    def repeated(self, values: Floats) -> Floats:
        """Return what is read of a path for all draws of a model, (n_draws or 1, ...)."""
        return values if len(values) == 1 or self.repeats == 1 else np.concatenate([values] * self.repeats)

    def law_in_time(self, law: int) -> list[Leaving]:
        """Return who leaves by each exit of a law."""

        def survival(grid: Grid, latent: Distribution) -> Floats:
            return self.once(("survival", grid, latent.key), lambda: grid.survival(latent))

        def make() -> list[Leaving]:
            exits = [replace(x, time=x.time and x.time.with_parameters(self.of_rows)) for x in self.laws[law]]
            in_time = kernels(exits, self.lattice.step, self.lattice.n, survival)
            return [of_kernel(kernel, self.lattice) for kernel in in_time]

        return self.once(("law", law), make)

    def law_transformed(self, law: int) -> list[Onward]:
        """Return the same as what follows."""
        return self.once(
            ("law transformed", law), lambda: [leaving(exit, self.lattice) for exit in self.law_in_time(law)]
        )

    def once(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """Return what was made for a key before, or make it."""
        if key not in self._kept:
            self._kept[key] = make()
        return cast("Kept", self._kept[key])

    def place(self, step: Step) -> int:
        """Return the place of a path, by its last step."""
        if step not in self._places:
            self._places[step] = len(self.steps)
            self.steps.append(step)
        return self._places[step]

    def most_draws(self, most_bytes: float) -> int:
        """Return how many draws may be read at once: of every path its transforms and curves are kept."""
        return max(int(most_bytes / (len(self.steps) * 48 * self.lattice.n)), 1)

    def check_number(self) -> None:
        """Raise TooManyPaths if the transforms of all paths take more memory than they may."""
        n_draws = 1 if self.in_parts else self._n_draws
        most = min(self.most_bytes / (n_draws * self.lattice.n * 16), MOST_PATHS if self.in_parts else np.inf)
        if len(self.steps) > most:
            raise TooManyPaths

    def measure(self, path: int) -> Measure:
        """Return who goes along a path, transformed."""
        missing = [path]
        for place in missing:
            missing += [] if place in self._measures else self.steps[place].before
        # From the start on, for a step has a later place than those before it.
        for place in sorted(set(missing) - self._measures.keys()):
            self._measures[place] = self.steps[place].measure(self)
        return self._measures[path]

    def as_onward(self, path: int) -> Onward:
        """Return who goes along a path, transformed, as what goes on and what follows."""
        return self.once(("onward", path), lambda: as_onward(self.measure(path), self.lattice))

    def measure_in_time(self, path: int) -> InTime:
        """Return who goes along a path, in time, no part missing."""
        return self.once(("in time", path), lambda: whole(in_time(self.measure(path), self.lattice), self.lattice))

    def curve(self, path: int) -> Floats:
        """Return P_p, the probability of having gone along a path by every point, (n_draws or 1, n)."""
        return self.once(("curve", path), lambda: come(self.measure(path), self.lattice))

    def mean(self, path: int) -> Floats:
        """Return the means of a path curve over every cell, (n_draws or 1, n)."""
        return self.once(("mean", path), lambda: mean(self.measure(path), self.lattice))

    def at(self, path: int, months: tuple[float, ...]) -> Floats:
        """Return how many have gone along a path by months, (n_draws or 1, n_months)."""

        def by_curve() -> Floats:
            return come_by(months, self.curve(path), self.lattice.step)

        return self._read(path, months, come_by_months, by_curve)

    def up_to(self, path: int, months: tuple[float, ...]) -> Floats:
        """Return the integral of that from 0 to months, (n_draws or 1, n_months)."""

        def by_curve() -> Floats:
            return summed_up_to(months, self.curve(path), self.mean(path), self.lattice.step)

        return self._read(path, months, months_since, by_curve)

    def _read(
        self, path: int, months: tuple[float, ...], reading: Callable[..., Weights], by_curve: Callable[[], Floats]
    ) -> Floats:
        def make() -> Floats:
            weights = self.once((reading, months), lambda: reading(months, self.lattice))
            return weights.of(self.measure(path))

        return self.once((reading, path, months), by_curve if len(months) > FEW else make)
