"""The likelihood of medians and ranges that a paper reports of a time: exact joint order-statistic densities.

A cohort of N patients consists of groups; the n_g times of group g are independent with cdf F_g and density
f_g. The paper prints the median, minimum and maximum of the cohort, and the median of some groups. All figures
are functions of the same N times, so they have one joint density; a product of marginals would count patients
twice.

A patient stands at every printed point. The *marks* (minimum, median, maximum) are patients of unknown group,
the *anchors* of a group are the one or two in its middle, and everybody else lies between them. With x
counting the patients below the cohort's median, j patients between two anchors, some of whom supply the marks
in S, contribute

    j! / (j - |S|)!  prod_{s in S} f_g(s)  (p x + q)^(j - |S|)

where p and q are their probabilities to lie below and above it; a group contributes n_g! / (j! j!) f_g(anchors)
times its two sides, and the density is the coefficient of the known number below in the product over groups,
summed over the groups that may supply a mark (for one: David & Nagaraja 2003, Order Statistics, chapter 2).

The median of an even number is the mean of its two middle patients, m - h and m + h with nobody between, so
the density is integrated over h, with Jacobian 2, on pieces where it is smooth. Either of a group's two may
be a mark instead, which fixes h. Reported figures are taken as exact numbers.

Where two figures may be one patient (they are equal, or one is midway between two others that can be its
middle patients) they have no joint density and are refused; so is, as not supported, the median of a group of
two next to the median of an even cohort.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np
from scipy import special

from calibration.likelihood.order_statistic_terms import (
    Cuts,
    TimeFunction,
    group_coefficient,
    group_polynomials,
    node_count,
    product,
    quadrature,
)
from simulator.arrays import Floats
from simulator.errors import InputError


@dataclass(frozen=True)
class TimedGroup:
    """A group of `size` patients, and the median of their times if it is reported, in months."""

    name: str
    size: int
    median: float | None = None


@dataclass(frozen=True)
class ReportedTimes:
    """The figures that a paper reports of a time in a cohort, in months, or None.

    Raises InputError on impossible figures, and on the combinations named at the head of this module.
    """

    groups: tuple[TimedGroup, ...]
    median: float | None = None
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        _check(self)

    @property
    def size(self) -> int:
        """Patients of the whole cohort."""
        return sum(group.size for group in self.groups)

    @property
    def figures(self) -> dict[str, float]:
        """The reported figures by name."""
        whole = {"the median": self.median, "the minimum": self.minimum, "the maximum": self.maximum}
        parts = {f"the median of {group.name}": group.median for group in self.groups}
        return {name: time for name, time in (whole | parts).items() if time is not None}

    def log_density(self, cdf: Mapping[str, TimeFunction], pdf: Mapping[str, TimeFunction]) -> Floats:
        """Log joint density of the reported figures, (n_rows,), one a parameter row.

        cdf, pdf : by group name, of the time of one patient; continuous, with cdf(0) = 0.
        """
        terms = [log_weight + self.log_density_at(cuts, cdf, pdf) for log_weight, cuts in _all_cuts(self)]
        return np.asarray(special.logsumexp(np.stack(terms), axis=0))

    def log_density_at(self, cuts: Cuts, cdf: Mapping[str, TimeFunction], pdf: Mapping[str, TimeFunction]) -> Floats:
        """The same with the middle patients of an even cohort at the edges of the cuts, before integration."""
        up_to_median = self.size if self.median is None else (self.size + 1) // 2
        wanted = up_to_median - sum(mark <= cuts.below for mark in cuts.marks)
        (only,) = self.groups if len(self.groups) == 1 else (None,)
        if only is not None and only.median is None:
            return group_coefficient(only.size, wanted, cuts, cdf[only.name], pdf[only.name])
        parts = [
            group_polynomials(group.size, group.median, cuts, cdf[group.name], pdf[group.name]) for group in self.groups
        ]
        coefficients = reduce(product, parts).get(cuts.all_marks, np.empty((1, 1, 0)))
        if not 0 <= wanted < coefficients.shape[2]:
            return np.full(len(cdf[self.groups[0].name](np.zeros(1))), -np.inf)
        return coefficients[:, 0, wanted]


def _all_cuts(reported: ReportedTimes) -> Iterator[tuple[float, Cuts]]:
    """The cuts to sum over, with log weights: one, or one a place of an even cohort's two middle patients."""
    lowest = 0.0 if reported.minimum is None else reported.minimum
    highest = math.inf if reported.maximum is None else reported.maximum
    extremes = tuple(extreme for extreme in (reported.minimum, reported.maximum) if extreme is not None)
    median = reported.median
    if median is None or reported.size % 2:
        edge = highest if median is None else median
        yield 0.0, Cuts(lowest, edge, edge, highest, extremes if median is None else (median, *extremes))
        return
    # an odd group's middle patient is not between the cohort's two: the integral ends there, or it is one of them
    odd = [group.median for group in reported.groups if group.median is not None and group.size % 2]
    places = [(math.log(2.0), *sorted((end, 2.0 * median - end))) for end in odd]
    furthest = min([median - lowest, highest - median, *(abs(end - median) for end in odd)])
    kinks = _kinks(reported, lowest, highest)
    nodes = 2 * node_count(reported.size) // min(1 + len(kinks), 4)
    for half, weight in zip(*quadrature(furthest, kinks, nodes), strict=True):
        places.append((math.log(2.0 * weight), float(median - half), float(median + half)))
    for log_weight, lower, upper in places:
        if lowest < lower and upper < highest:
            yield log_weight, Cuts(lowest, lower, upper, highest, (lower, upper, *extremes))


def _kinks(reported: ReportedTimes, lowest: float, highest: float) -> list[float]:
    """Half-distances of the cohort's middle patients at which an even group's integral changes its pieces."""
    kinks = []
    for group in reported.groups:
        if reported.median is not None and group.median is not None and group.size % 2 == 0:
            distance = abs(group.median - reported.median)
            reach = min(group.median - lowest, highest - group.median)
            kinks += [distance, abs(distance - reach), distance + reach]
    return kinks


def _check(reported: ReportedTimes) -> None:
    """Refuse figures that no cohort can have, and those whose joint distribution has no density."""
    figures = reported.figures
    if not figures or len({group.name for group in reported.groups}) < len(reported.groups):
        raise InputError("reported times need at least one figure, and groups with names of their own")
    for group in reported.groups:
        if group.size < 1:
            raise InputError("no patients", where=f"group {group.name}", got=group.size, allowed="1 or more")
    for name, time in figures.items():
        if not (math.isfinite(time) and time > 0):
            raise InputError("impossible time", where=name, got=time, allowed="finite months above 0")
    if reported.minimum not in (None, min(figures.values())):
        raise InputError("a median or the maximum lies below the minimum", got=_in_words(figures))
    if reported.maximum not in (None, max(figures.values())):
        raise InputError("a median lies above the maximum", got=_in_words(figures))
    for (name, time), (other, same) in combinations(figures.items(), 2):
        if time == same:
            raise _no_density(f"{name} and {other} may be one patient", time)
    _check_halves(reported)
    if not _possible(reported):
        raise InputError("no cohort can have all these figures", got=_in_words(figures))


def _in_words(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {time:g}" for name, time in figures.items())


def _check_halves(reported: ReportedTimes) -> None:
    """Refuse a median of an even number both of whose middle patients may be at reported points."""
    figures, whole = reported.figures, ("the minimum", "the median", "the maximum")
    medians = {f"the median of {group.name}": group for group in reported.groups if group.median is not None}
    pairs = [name for name, group in medians.items() if group.size == 2]
    ends = {name: [figure for figure in whole if figure in figures] for name in pairs}
    if reported.median is not None and reported.size % 2 == 0:
        if reported.size == 2 and len(figures) > 1:
            raise InputError("the median of two patients leaves no room for another figure", got=_in_words(figures))
        if pairs:
            raise InputError(
                f"{pairs[0]}, of two patients, is not supported next to the median of an even cohort",
                allowed="one of the two medians",
            )
        ends["the median"] = [name for name, group in medians.items() if group.size % 2]
    for name, others in ends.items():
        for one, two in combinations(others, 2):
            if math.isclose(figures[one] + figures[two], 2 * figures[name], rel_tol=1e-9):
                raise _no_density(f"{name} may be that of {one} and {two}", figures[name])


def _no_density(why: str, got: float) -> InputError:
    return InputError(
        f"{why}, whose probability is not a density",
        got=got,
        allowed="one figure fewer, or one moved by less than its rounding",
    )


def _possible(reported: ReportedTimes) -> bool:
    """Whether some cohort has these figures: whether they have a density if every time is exponential."""
    mean = max(reported.figures.values())

    def cdf(times: Floats) -> Floats:
        return -np.expm1(-times / mean)[None]

    def pdf(times: Floats) -> Floats:
        return np.exp(-times / mean)[None] / mean

    names = [group.name for group in reported.groups]
    functions = dict.fromkeys(names, cdf), dict.fromkeys(names, pdf)
    return any(np.isfinite(reported.log_density_at(cuts, *functions)[0]) for _, cuts in _all_cuts(reported))
