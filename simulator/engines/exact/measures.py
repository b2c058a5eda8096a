"""How many patients come over time, as a measure on the lattice: on its points, and between them evenly or on a slope.

    within a cell, at u from -1/2 to 1/2 of it:   density = mass + 12 moment u

Two measures after one another, in the transform, with H = (1 + z) / 2 and D = 1 - z, are

    mass = H m m' - D (e m' + m e'),   moment = D (m m' / 12 - 6/5 e e')

for masses m and moments e: the convolution, with its mass and mean in every cell (a projection on linear functions, as
in Cockburn & Shu 1998, SIAM J Numer Anal 35:2440). Where densities are smooth, the error falls with the fourth power of
the step; points shift as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.arrays import Floats
from simulator.engines.exact.kernels import Kernel
from simulator.engines.exact.lattice import Lattice

Values = NDArray[Any]


class Measure(NamedTuple):
    """How many come, (n_draws or 1, n) in time or (n_draws or 1, n_frequencies or 1) transformed; None: nobody.

    points : at each lattice point, month 0 first; masses : in each cell between; moments : masses x how far after the
    middle of their cell, in cells
    """

    points: Values | None = None
    masses: Values | None = None
    moments: Values | None = None

    def times(self, factor: Values) -> Measure:
        """Return the measure times a factor that broadcasts."""
        return self.mapped(lambda part: part * factor)

    def mapped(self, change: Callable[[Values], Values]) -> Measure:
        """Return the measure with its parts changed."""
        return Measure(*(None if part is None else change(part) for part in self))


class Onward(NamedTuple):
    """A measure as what follows, of those who come at the lattice's points, and between them.

    at_start : how many of its first cell are next to the cell's start, (n_draws or 1, 1): `between` has them there
    """

    at_points: Measure
    between: Measure
    at_start: Floats | None = None


class InTime(NamedTuple):
    """A measure in time, (n_draws or 1, n) each."""

    points: Floats
    masses: Floats
    moments: Floats


def added(*measures: Measure) -> Measure:
    """Return the sum of measures."""
    return Measure(*(_sum(*parts) for parts in zip(Measure(), *measures, strict=True)))


def followed(came: Measure, onward: Measure, lattice: Lattice) -> Measure:
    """Return the convolution of two transformed measures: one, and then the other."""
    at_points = _product(came.points, onward.points)
    masses = [_product(came.points, onward.masses), _product(came.masses, onward.points)]
    moments = [_product(came.points, onward.moments), _product(came.moments, onward.points)]
    if came.masses is not None and onward.masses is not None:
        assert came.moments is not None
        assert onward.moments is not None
        both = came.masses * onward.masses
        tilted = came.moments * onward.masses
        tilted += came.masses * onward.moments
        moment = both / 12.0
        moment -= 1.2 * came.moments * onward.moments
        masses.append(np.multiply(both, lattice.halves, out=both) - np.multiply(tilted, lattice.moved, out=tilted))
        moments.append(np.multiply(moment, lattice.moved, out=moment))
    return Measure(at_points, _sum(*masses), _sum(*moments))


def _product(left: Values | None, right: Values | None) -> Values | None:
    return None if left is None or right is None else left * right


def _sum(*parts: Values | None) -> Values | None:
    some = [part for part in parts if part is not None]
    return reduce(np.add, some) if some else None


def transformed(measure: Measure, lattice: Lattice) -> Measure:
    """Return the transform of a measure in time."""
    points = measure.points
    if points is not None:
        # What comes at month 0 is the same at every frequency.
        points = lattice.transform(points) if points[:, 1:].any() else points[:, :1].astype(np.complex128)
    return measure._replace(points=None).mapped(lattice.transform)._replace(points=points)


def in_time(measure: Measure, lattice: Lattice) -> Measure:
    """Return a transformed measure in time."""
    return measure.mapped(lattice.stream)


def whole(measure: Measure, lattice: Lattice) -> InTime:
    """Return a measure in time with no part missing."""
    return InTime(*(np.zeros((1, lattice.n)) if part is None else part for part in measure))


def come(measure: Measure, lattice: Lattice) -> Floats:
    """Return how many of a transformed measure have come by every lattice point, (..., n)."""
    curve = _summed(measure.points, None if measure.masses is None else lattice.z * measure.masses, lattice)
    # Nobody comes between points by month 0, but the transform rounds.
    if measure.points is None:
        curve[..., 0] = 0.0
    elif measure.points.shape[-1] == 1:
        curve[..., 0] = measure.points[..., 0].real
    return curve


def mean(measure: Measure, lattice: Lattice) -> Floats:
    """Return the mean over every cell of how many of a transformed measure have come, (..., n)."""
    if measure.masses is None or measure.moments is None:
        return _summed(measure.points, None, lattice)
    return _summed(measure.points, lattice.halves * measure.masses - lattice.moved * measure.moments, lattice)


def _summed(points: Values | None, later: Values | None, lattice: Lattice) -> Floats:
    """Return cumulative sums; what comes at month 0 is added as it is, for the transform rounds."""
    at_first = points is not None and points.shape[-1] == 1
    later = later if at_first else _sum(points, later)
    summed = np.zeros((1, lattice.n)) if later is None else lattice.summed(later)
    return np.asarray(points.real + summed) if points is not None and at_first else summed


def along(came: Onward, way: Onward, lattice: Lattice) -> Measure:
    """Return the transform of one measure and then another."""
    points, masses, moments = came.at_points
    if came.at_start is None:
        if way.at_points is way.between:
            return followed(came.at_points, way.between, lattice)
        smooth = followed(Measure(None, masses, moments), way.between, lattice)
        return added(followed(Measure(points), way.at_points, lattice), smooth)
    steep = Measure(None, came.at_start, -0.5 * came.at_start)
    parts = [
        (Measure(points), way.at_points),
        (came.between._replace(points=None), way.between),
        # Those next to the start go on as if they came at it, but stay in the cell if they go on at once.
        (Measure(came.at_start), way.at_points._replace(points=None)),
        (steep, Measure(way.at_points.points)),
    ]
    return added(*(followed(*part, lattice) for part in parts))


class Leaving(NamedTuple):
    """Who leaves a sojourn by an exit, in time: at no fixed time, and at fixed times of who enters at points or not.

    at_start : of `smooth`, how many of the first cell are next to its start, (n_draws or 1, 1)
    """

    smooth: Measure
    at_points: Measure
    between: Measure
    at_start: Floats


def of_kernel(kernel: Kernel, lattice: Lattice) -> Leaving:
    """Return who leaves by an exit, in a kernel's one cell of the case mix."""
    now = Measure(np.pad(kernel.now, ((0, 0), (0, lattice.n - 1)))) if kernel.now.any() else Measure()
    later = Measure(None, kernel.mass[:, 0], kernel.moment[:, 0]) if kernel.mass.any() else Measure()
    at_points, between = Measure(), Measure()
    for atom in kernel.atoms:
        at, x = (atom.cell == np.arange(lattice.n)) * atom.mass, atom.place
        inside = x < 1.0 - 1e-9
        at_end = np.roll(at * ~inside, 1, axis=1)
        at_points = added(at_points, Measure(at_end, at * inside, at * inside * (x - 0.5)))
        between = added(between, _shifting(at, x))
    return Leaving(added(now, later), at_points, between, kernel.at_start[:, :1])


def leaving(exit: Leaving, lattice: Lattice) -> Onward:
    """Return who leaves by an exit as what follows."""
    smooth, at_points, between = (transformed(part, lattice) for part in exit[:3])
    way = _with_start(smooth, exit.at_start)
    return Onward(added(smooth, at_points), added(way.between, between)) if at_points.points is not None else way


def _shifting(at: Floats, x: Floats) -> Measure:
    """Return what shifts by whole cells and a share x of one, (n_draws or 1, 1): its first three moments are kept.

    mass = 6 x (1 - x),   moment = 5 x (1 - x) (2 x - 1),   x - mass / 2 - moment at the cell's end, the rest before
    """
    mass = 6.0 * x * (1.0 - x)
    moment = 5.0 * x * (1.0 - x) * (2.0 * x - 1.0)
    late = x - 0.5 * mass - moment
    points = at * (1.0 - mass - late)
    points[:, 1:] += (at * late)[:, :-1]
    return Measure(points, at * mass, at * moment)


def as_onward(measure: Measure, lattice: Lattice) -> Onward:
    """Return a transformed measure as what follows; where hazards are infinite at the start, much is next to it.

    A density on a slope has its mean in the middle third of a cell, |moment| <= mass / 6. Of a first cell whose mean is
    earlier, -3 moment - mass / 2 is at the start, and the rest on the steepest slope.
    """
    if measure.masses is None or measure.moments is None:
        return Onward(measure, measure)
    mass, moment = lattice.first(measure.masses), lattice.first(measure.moments)
    return _with_start(measure, np.clip(-3.0 * moment - 0.5 * mass, 0.0, np.maximum(mass, 0.0)))


def _with_start(measure: Measure, at_start: Floats) -> Onward:
    """Return a measure as what follows; so many of its first cell, (n_draws or 1, 1), are next to the cell's start."""
    if not at_start.any():
        return Onward(measure, measure)
    return Onward(measure, added(measure, Measure(at_start + 0j, -at_start, 0.5 * at_start)), at_start)
