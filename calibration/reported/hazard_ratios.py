"""Hazard ratios on one side of 1, where all other figures of the same two groups are on the other side.

    sum over events of w_j (dA_1j - h dA_0j) = 0,   w_j = n_0j n_1j / (n_0j + n_1j h)      (Breslow's score)

A : Nelson and Aalen's estimates. The numbers at risk n, and so w, fall with time: by parts, whatever the hazards,

    min A_1(t) / A_0(t) <= h <= max A_1(t) / A_0(t)

So a hazard ratio below 1 has a month of better survival; but that may be another one, and no adjusted ratio needs it.
With the groups exchanged the score has the root 1 / h: two ratios of the same groups are one, unless one is adjusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import inf, isfinite, isnan
from pathlib import Path

import numpy as np

from calibration.reported.figure import WIDTH, where
from calibration.reported.kinds.kind import Kind
from calibration.reported.kinds.quantiles import NOT_REACHED
from calibration.reported.kinds.summaries import AtRisk, HazardRatio
from calibration.reported.links import Patients, Populations
from calibration.reported.percentages import usual_intervals

ADJUSTED = "adjusted (for other differences, for when treatment began); check `versus` in the source"
UNLESS = f"possible only if survival crosses at other months, or if the hazard ratio is {ADJUSTED}"
ONE_UNLESS = f"one is not the other, or its inverse where the groups are exchanged: possible only if one is {ADJUSTED}"


def doubts(figures: Sequence[Kind], populations: Populations) -> list[str]:
    """Return a sentence on every two hazard ratios of the same groups that differ, and on opposite figures of one's."""
    ratios = [figure for figure in figures if isinstance(figure, HazardRatio)]
    folder, sentences = populations.cohort.folder, list[str]()
    for one, other in combinations(ratios, 2):
        if _differ(one, other, populations):
            sentences.append(_sentence((one, other), ONE_UNLESS, folder))
    for ratio in ratios:
        low, high = (ratio.lower, ratio.upper) if isfinite(ratio.lower) else ratio.range_of("value")
        better = (high < 1.0) - (low > 1.0)
        pairs = [pair for pair in _pairs(ratio, figures, populations) if _shown(pair[0]) != _shown(pair[1])]
        if all(better * one.sign * (_shown(one) - _shown(other)) < 0.0 for one, other in pairs):
            clear = [figure for pair in pairs if _are_apart(*pair, figures) for figure in pair]
            sentences += [_sentence((ratio, *clear), UNLESS, folder)] if clear else []
    return sentences


def _sentence(figures: Sequence[Kind], unless: str, folder: Path) -> str:
    words = "; ".join(figure.in_words() for figure in figures)
    return f"{where(folder, *(figure.line for figure in figures))}: {words}: {unless}"


def _differ(one: HazardRatio, other: HazardRatio, populations: Populations) -> bool:
    """Return whether two ratios are of one event in the same two groups, and their numbers, as printed, not one."""
    groups, others = (_groups(ratio, populations) for ratio in (one, other))
    if (one.end_point, one.since) != (other.end_point, other.since) or others not in (groups, groups[::-1]):
        return False
    low, high = other.range_of("value")
    lows, highs = zip(one.range_of("value"), (low, high) if others == groups else (1.0 / high, 1.0 / low), strict=True)
    return bool(max(lows) > min(highs) + 1e-9)


def _groups(ratio: HazardRatio, populations: Populations) -> list[Patients]:
    return [populations.named(name) | populations.named(ratio.attribute) for name in ratio.populations]


def _pairs(ratio: HazardRatio, figures: Sequence[Kind], populations: Populations) -> Iterator[tuple[Kind, Kind]]:
    """Yield figures of both groups, of the same event, months and share, that say which group survives for longer."""
    groups: list[dict[object, Kind]] = []
    for patients in _groups(ratio, populations):
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


def _are_apart(one: Kind, other: Kind, figures: Sequence[Kind]) -> bool:
    """Return whether the 95 % intervals of two figures do not overlap."""
    lows, highs = zip(_interval(one, figures), _interval(other, figures), strict=True)
    return bool(max(lows) > min(highs))


def _interval(figure: Kind, figures: Sequence[Kind]) -> tuple[float, float]:
    """Return the 95 % interval that is printed, or that the error or n of a figure gives; without any, no limits."""
    if isfinite(figure.lower):
        return figure.lower, figure.upper if isfinite(figure.upper) else inf
    if isfinite(figure.standard_error):
        half = 0.5 * WIDTH * figure.standard_error
        return _shown(figure) - half, _shown(figure) + half
    n = figure.n if isfinite(figure.n) else _worth(figure, figures)
    if figure.unit_of_figure == "months" or not n > 0.0:
        return -inf, inf
    ends = usual_intervals(_shown(figure) / 100.0, n)
    return float(np.nanmin(ends)), float(np.nanmax(ends))


def _worth(point: Kind, figures: Sequence[Kind]) -> float:
    """Return how many patients a point of a curve is worth: at risk then, or next, by survival, Y / S (Peto 1977)."""
    columns = ("population", "attribute", "from", "end_point", "curve")
    below = [figure for figure in figures if isinstance(figure, AtRisk) and figure.month >= point.month]
    of_point = [figure for figure in below if all(figure.cell(column) == point.cell(column) for column in columns)]
    first = min(of_point, key=lambda figure: figure.month, default=None)
    return 100.0 * first.count / point.value if first and point.value else 0.0
