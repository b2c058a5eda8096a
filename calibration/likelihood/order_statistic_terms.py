"""The patients of a group below and above the median, as polynomials: parts of a joint order-statistic density.

Marks, anchors and the contribution of a set of patients are defined at the head of `order_statistics`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np
from scipy import special

from simulator.arrays import Floats

TimeFunction = Callable[[Floats], Floats]
"""A cdf or a density: times (...) in months -> (n_rows, ...), one row a parameter draw."""

Polynomials = dict[int, Floats]
"""By the set of marks supplied, as bits: logs of the coefficients, (n_rows, n_nodes, degree + 1)."""


@dataclass(frozen=True)
class Cuts:
    """The places where the reported points of a cohort cut the axis, in months.

    Patients lie in (lowest, below), counted as below the cohort's median, or in (above, highest), or stand at
    one of the marks. Without a median everybody is counted as below.
    """

    lowest: float
    below: float
    above: float
    highest: float
    marks: tuple[float, ...]

    @property
    def all_marks(self) -> int:
        """The set of all marks, as bits."""
        return (1 << len(self.marks)) - 1

    def bit(self, time: float) -> int:
        """The mark that stands at this time, as a bit; 0 for none."""
        return 1 << self.marks.index(time) if time in self.marks else 0

    def counted_below(self, time: float) -> int | None:
        """1 if a patient here counts as below the median, 0 if above or at a mark, None if nobody can be here."""
        if time in self.marks:
            return 0
        if time <= self.below:
            return 1
        return 0 if time >= self.above else None

    def distances(self, time: float) -> tuple[float, float]:
        """How far the median's edges are from a time."""
        return abs(self.below - time), abs(self.above - time)


def node_count(size: int) -> int:
    """Nodes for the gap in the middle of `size` patients, which narrows as 1 / sqrt(size) on u's scale."""
    return 12 + math.ceil(1.5 * math.sqrt(size))


def quadrature(end: float, kinks: Iterable[float], nodes: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights on each piece of (0, end), denser at its ends (t = 3 u^2 - 2 u^3)."""
    base, base_weights = _roots(nodes)
    u, du = (base + 1.0) / 2.0, base_weights / 2.0
    pieces = list(pairwise(sorted({0.0, end, *(kink for kink in kinks if 0.0 < kink < end)})))
    times = [start + (stop - start) * u**2 * (3.0 - 2.0 * u) for start, stop in pieces]
    weights = [(stop - start) * 6.0 * u * (1.0 - u) * du for start, stop in pieces]
    return np.concatenate(times), np.concatenate(weights)


_roots = lru_cache(maxsize=64)(special.roots_legendre)


def group_polynomials(size: int, median: float | None, cuts: Cuts, cdf: TimeFunction, pdf: TimeFunction) -> Polynomials:
    """The polynomials of one group by the marks that it supplies; `median` None where it is not reported."""
    bounds = _cdf(cdf, np.array([cuts.lowest, cuts.below, cuts.above, cuts.highest]))
    log_marks = _log(pdf(np.array(cuts.marks)))
    if median is None:
        below, above = bounds[:, 1:2] - bounds[:, :1], bounds[:, 3:] - bounds[:, 2:3]
        return _spread(size, below, above, {1 << mark: log_marks[:, mark] for mark in range(len(cuts.marks))})
    total: Polynomials = {}
    for placement in _placements(size, median, cuts):
        for bits, logs in _around(placement, size, cuts, bounds, log_marks, cdf, pdf).items():
            total[bits] = np.logaddexp(total[bits], logs) if bits in total else logs
    return total


def group_coefficient(size: int, below: int, cuts: Cuts, cdf: TimeFunction, pdf: TimeFunction) -> Floats:
    """Log of one coefficient, (n_rows,): a group that supplies all marks and has so many others below the median.

    A group alone needs no other coefficient, and hundreds of patients have hundreds.
    """
    lowest, low, high, highest = _cdf(cdf, np.array([cuts.lowest, cuts.below, cuts.above, cuts.highest])).T
    above = size - len(cuts.marks) - below
    if below < 0 or above < 0:
        return np.full(len(lowest), -np.inf)
    orders = special.gammaln(size + 1) - special.gammaln(below + 1) - special.gammaln(above + 1)
    sides = special.xlogy(below, np.maximum(low - lowest, 0.0)) + special.xlogy(above, np.maximum(highest - high, 0.0))
    return np.asarray(orders + sides + _log(pdf(np.array(cuts.marks))).sum(axis=1))


def product(first: Polynomials, second: Polynomials) -> Polynomials:
    """The products of polynomials at each node, summed over nodes: nobody stands at a mark twice."""
    if not first or not second:
        return {}
    (left, left_scale), (right, right_scale) = _scaled(first), _scaled(second)
    total: Polynomials = {}
    for bits, coefficients in left.items():
        for others, factors in right.items():
            if not bits & others:
                multiplied = _multiply(coefficients, factors)
                total[bits | others] = total.get(bits | others, np.zeros(1)) + multiplied
    return {bits: _log(values) + left_scale + right_scale for bits, values in total.items()}


def _multiply(first: Floats, second: Floats) -> Floats:
    """Coefficients of the product of (n_rows, n_nodes, ...) polynomials, summed over nodes."""
    multiplied = np.zeros((len(first), 1, first.shape[2] + second.shape[2] - 1))
    # a set of patients who all lie on one side of the median is a single power of x
    powers, others = (np.flatnonzero(polynomials.any(axis=(0, 1))) for polynomials in (first, second))
    if len(powers) and len(others):
        low, high = others[0], others[-1] + 1
        for power in powers:
            products = np.einsum("rn,rnj->rj", first[:, :, power], second[:, :, low:high])
            multiplied[:, 0, power + low : power + high] += products
    return multiplied


def _scaled(polynomials: Polynomials) -> tuple[Polynomials, Floats]:
    """The coefficients over the largest of each row, and the log of that, (n_rows, 1, 1)."""
    largest = np.max([logs.max(axis=(1, 2)) for logs in polynomials.values()], axis=0)
    scale = np.where(np.isfinite(largest), largest, 0.0)[:, None, None]
    return {bits: np.exp(logs - scale) for bits, logs in polynomials.items()}, scale


def _spread(size: int, below: Floats, above: Floats, log_marks: Mapping[int, Floats]) -> Polynomials:
    """`size` patients, some at marks, the others below or above the cohort's median.

    below, above : (n_rows, n_nodes) probabilities of each
    log_marks : by bit, log density (n_rows,) of standing there
    """
    below, above = (np.maximum(chance, 0.0)[:, :, None] for chance in (below, above))
    polynomials: Polynomials = {}
    for count in range(min(size, len(log_marks)) + 1):
        rest = size - count
        powers = np.arange(rest + 1)
        orders = special.gammaln(size + 1) - special.gammaln(powers + 1) - special.gammaln(rest - powers + 1)
        logs = orders + special.xlogy(powers, below) + special.xlogy(rest - powers, above)
        for marks in combinations(log_marks, count):
            polynomials[sum(marks)] = logs + sum(log_marks[mark][:, None, None] for mark in marks)
    return polynomials


def _log(values: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))


@dataclass(frozen=True, eq=False)
class _Placement:
    """The places of a group's middle patients: its anchors.

    lower, upper : (n_nodes,) months, equal for an odd group
    counted_below : how many of them lie below the cohort's median
    bits : the marks that they supply
    """

    lower: Floats
    upper: Floats
    log_weight: Floats
    counted_below: int
    bits: int


def _around(
    placement: _Placement,
    size: int,
    cuts: Cuts,
    bounds: Floats,
    log_marks: Floats,
    cdf: TimeFunction,
    pdf: TimeFunction,
) -> Polynomials:
    """A group whose middle patients stand at a placement, summed over its nodes."""
    half = (size - 1) // 2
    lowest, below, above, highest = (bounds[:, edge : edge + 1] for edge in range(4))
    at_lower, at_upper = _cdf(cdf, placement.lower), _cdf(cdf, placement.upper)
    free = [mark for mark in range(len(cuts.marks)) if not placement.bits >> mark & 1]
    before = {1 << mark: log_marks[:, mark] for mark in free if cuts.marks[mark] < placement.lower.max()}
    after = {1 << mark: log_marks[:, mark] for mark in free if cuts.marks[mark] > placement.upper.min()}
    first = _spread(half, np.minimum(at_lower, below) - lowest, at_lower - above, before)
    second = _spread(half, below - at_upper, highest - np.maximum(at_upper, above), after)
    log_anchors = _log(pdf(placement.lower)) + placement.log_weight
    if size % 2 == 0:
        log_anchors = log_anchors + _log(pdf(placement.upper))
    log_anchors = log_anchors + special.gammaln(size + 1) - 2 * special.gammaln(half + 1)
    anchored = {bits: logs + log_anchors[:, :, None] for bits, logs in first.items()}
    counted_above = 2 - size % 2 - placement.bits.bit_count() - placement.counted_below
    padding = ((0, 0), (0, 0), (placement.counted_below, counted_above))
    return {
        bits | placement.bits: np.pad(logs, padding, constant_values=-np.inf)
        for bits, logs in product(anchored, second).items()
    }


def _placements(size: int, median: float, cuts: Cuts) -> Iterator[_Placement]:
    """All places where the middle patients of a group with this median can stand."""
    if size % 2:
        middle = np.array([median])
        if (counted := cuts.counted_below(median)) is not None:
            yield _Placement(middle, middle, np.zeros(1), counted, cuts.bit(median))
        return
    reach = min(median - cuts.lowest, cuts.highest - median)
    for mark in cuts.marks:
        # one of the two is the patient at the mark, so the other's place is known
        other = 2 * median - mark
        counted = cuts.counted_below(other)
        if cuts.lowest < other < cuts.highest and counted is not None:
            lower, upper = np.array([min(mark, other)]), np.array([max(mark, other)])
            yield _Placement(lower, upper, np.full(1, math.log(2.0)), counted, cuts.bit(mark))
    edges = {0.0, reach, *(gap for gap in cuts.distances(median) if gap < reach)}
    for start, stop in pairwise(sorted(edges)):
        half, weight = quadrature(stop - start, (), node_count(size))
        lower, upper = median - start - half, median + start + half
        sides = [cuts.counted_below(float(lower[0])), cuts.counted_below(float(upper[0]))]
        if None not in sides:
            yield _Placement(lower, upper, np.log(2.0 * weight), sides.count(1), 0)


def _cdf(cdf: TimeFunction, times: Floats) -> Floats:
    """The cdf at times (n,), of which some may be infinite: (n_rows, n)."""
    endless = np.isinf(times)
    return np.where(endless, 1.0, cdf(np.where(endless, 0.0, times)))
