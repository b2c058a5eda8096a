"""Hazard ratios on one side of 1, where all other figures of the same two groups are on the other side.

    sum over events of w_j (dA_1j - h dA_0j) = 0,   w_j = n_0j n_1j / (n_0j + n_1j h)      (Breslow's score)

A : Nelson and Aalen's estimates. The numbers at risk n, and so w, fall with time: by parts, whatever the hazards,

    min A_1(t) / A_0(t) <= h <= max A_1(t) / A_0(t)

So a hazard ratio below 1 has a month of better survival; but that may be another one, and no adjusted ratio needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf, isfinite, isnan

import numpy as np

from calibration.reported.figure import WIDTH, where
from calibration.reported.kinds.kind import Kind
from calibration.reported.kinds.quantiles import NOT_REACHED
from calibration.reported.kinds.summaries import HazardRatio
from calibration.reported.links import Populations
from calibration.reported.percentages import usual_intervals

UNLESS = (
    "possible only if survival crosses at other months, or if the hazard ratio is adjusted (for other differences, for "
    "when treatment began); check `versus` in the source"
)


def doubts(figures: Sequence[Kind], populations: Populations) -> list[str]:
    """Return a sentence on every hazard ratio to which all other figures of its groups are opposite, one clearly."""
    sentences = []
    for ratio in (figure for figure in figures if isinstance(figure, HazardRatio)):
        low, high = (ratio.lower, ratio.upper) if isfinite(ratio.lower) else ratio.range_of("value")
        better = (high < 1.0) - (low > 1.0)
        pairs = list(_pairs(ratio, figures, populations))
        if all(better * one.sign * (_shown(one) - _shown(other)) < 0.0 for one, other in pairs):
            clear = [figure for pair in pairs if _are_apart(*pair) for figure in pair]
            words = "; ".join(figure.in_words() for figure in (ratio, *clear))
            lines = where(populations.cohort.folder, ratio.line, *(figure.line for figure in clear))
            sentences += [f"{lines}: {words}: {UNLESS}"] if clear else []
    return sentences


def _pairs(ratio: HazardRatio, figures: Sequence[Kind], populations: Populations) -> Iterator[tuple[Kind, Kind]]:
    """Yield figures of both groups, of the same event, months and share, that say which group survives for longer."""
    groups: list[dict[object, Kind]] = []
    for name in ratio.populations:
        patients = populations.named(name) | populations.named(ratio.attribute)
        of_group = [figure for figure in figures if _has_direction(figure) and populations.patients(figure) == patients]
        of_event = [figure for figure in of_group if (figure.end_point, figure.since) == (ratio.end_point, ratio.since)]
        columns = ("month", "quantile")
        groups.append({(of.unit_of_figure, of.sign, *map(of.cell, columns)): of for of in of_event})
    yield from ((groups[0][what], groups[1][what]) for what in groups[0] if what in groups[1])


def _has_direction(figure: Kind) -> bool:
    """Return whether more of it is better, or worse, survival from the clock on, however long patients are followed."""
    is_of_all = not figure.state and isnan(figure.landmark) and figure.limit in ("", NOT_REACHED)
    return bool(figure.sign) and is_of_all and not (figure.is_count and isnan(figure.month))


def _shown(figure: Kind) -> float:
    """Return the figure as it is shown; of a count, in percent."""
    return 100.0 * figure.reported / figure.n if figure.is_count else figure.reported


def _are_apart(one: Kind, other: Kind) -> bool:
    """Return whether the 95 % intervals of two figures do not overlap."""
    lows, highs = zip(_interval(one), _interval(other), strict=True)
    return bool(max(lows) > min(highs))


def _interval(figure: Kind) -> tuple[float, float]:
    """Return the 95 % interval that is printed, or that the error or n of a figure gives; without any, no limits."""
    if isfinite(figure.lower):
        return figure.lower, figure.upper if isfinite(figure.upper) else inf
    if isfinite(figure.standard_error):
        half = 0.5 * WIDTH * figure.standard_error
        return _shown(figure) - half, _shown(figure) + half
    if figure.unit_of_figure == "months" or isnan(figure.n):
        return -inf, inf
    ends = usual_intervals(_shown(figure) / 100.0, figure.n)
    return float(np.nanmin(ends)), float(np.nanmax(ends))
