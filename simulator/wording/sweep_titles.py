"""What the figures of a sweep say: the ends of an outcome and where they are, and what does not move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from simulator.analyses.sweep.run import Sweep
from simulator.arrays import Floats
from simulator.wording import intervals, rounding, sweep_axes
from simulator.wording.added import IN_THE_MODEL
from simulator.wording.difference import Difference
from simulator.wording.sweep import between_cells
from simulator.wording.sweep_rows import Displayed, lead

MOST = 2
"""Outcomes that a title names."""


def plane(values: Floats) -> Floats:
    """Return the values over the first two names, at the first value of further names."""
    return values[(slice(None), slice(None)) + (0,) * (values.ndim - 2)] if values.ndim > 2 else values


def moves(sweep: Sweep, outcome: Displayed) -> bool:
    """Return whether an outcome's displayed numbers differ anywhere in the drawn plane."""
    return len({rounding.number(value, outcome.unit) for value in plane(outcome.values(sweep)[0]).ravel()}) > 1


def of_outcome(sweep: Sweep, outcome: Displayed) -> str:
    """Return what the figure of one outcome says: its largest and its smallest number, and where they are."""
    values = plane(outcome.values(sweep)[0])
    if not np.isfinite(values).any():
        return f"{IN_THE_MODEL}, nobody is counted: {outcome.words}"
    if not moves(sweep, outcome):
        number = rounding.number(float(np.nanmax(values)), outcome.unit)
        return f"{IN_THE_MODEL}, {outcome.words}: {_with_unit(number, outcome)} everywhere, whatever varies here"
    most, least = (int(place) for place in (np.nanargmax(values), np.nanargmin(values)))
    difference, kinds = _difference(sweep, outcome, values, most, least), intervals.kinds()
    # A difference has the interval that answers; the ends have their own where none is known.
    ends = ("" if difference else _interval(sweep, outcome, at, kinds) for at in (most, least))
    words = [
        f"{_with_unit(rounding.number(values.flat[at], outcome.unit), outcome)} with {_cell(sweep, values, at)}{end}"
        for at, end in zip((most, least), ends, strict=True)
    ]
    return f"{IN_THE_MODEL}, {outcome.words}: {'; '.join(words)}{difference}"


def _with_unit(number: str, outcome: Displayed) -> str:
    unit = "" if outcome.unit == outcome.label else f" {outcome.unit}"
    return f"{number}{unit}"


def _cell(sweep: Sweep, values: Floats, at: int) -> str:
    places, axes = np.unravel_index(at, values.shape), sweep.grid.axes
    return sweep_axes.cell(
        axes, sweep.scenario.pathway, [axis.values[place] for axis, place in zip(axes, places, strict=False)]
    )


def _interval(sweep: Sweep, outcome: Displayed, at: int, kinds: Iterator[str]) -> str:
    """Return " (95 % interval 4 to 96)" of a cell of the drawn plane; empty where none can be seen."""
    value, lower, upper = (float(plane(column).flat[at]) for column in outcome.values(sweep))
    ends = rounding.interval(lower, upper, outcome.unit, value)
    return f" ({next(kinds)}{ends[0]} to {ends[1]})" if ends else ""


def _difference(sweep: Sweep, outcome: Displayed, values: Floats, most: int, least: int) -> str:
    """Return the difference with its interval, parameter set by parameter set, of the outcome that answers."""
    if outcome != lead(sweep):
        return ""
    difference = _between(sweep, most, least)
    words = "difference" if difference.is_clear else "no clear difference:"
    return f"; {words} {rounding.number(abs(difference.value), 'probability')}{difference.in_brackets}"


def _between(sweep: Sweep, at: int, other: int) -> Difference:
    """Return the difference of the outcome that answers between two cells of the drawn plane."""
    cells = plane(np.arange(len(sweep.grid), dtype=float).reshape(sweep.grid.shape)).ravel()
    return between_cells(sweep, int(cells[at]), int(cells[other]))


def of_outcomes(sweep: Sweep, outcomes: Sequence[Displayed], moving: Sequence[Displayed]) -> str:
    """Return what the figure of several outcomes says: how many of them move, and how far the first ones do."""
    names = " and ".join(sweep_axes.name(axis, sweep.scenario.pathway) for axis in sweep.grid.axes[:2])
    named = []
    for outcome in moving[:MOST]:
        values = plane(outcome.values(sweep)[0])
        low, high = (rounding.number(float(end), outcome.unit) for end in (np.nanmin(values), np.nanmax(values)))
        ends = (int(np.nanargmax(values)), int(np.nanargmin(values)))
        unclear = outcome == lead(sweep) and not _between(sweep, *ends).is_clear
        named.append(f"{outcome.words} {low} to {_with_unit(high, outcome)}{' (no clear difference)' * unclear}")
    count = f"{len(moving)} of {len(outcomes)} outcomes move" if len(outcomes) > 1 else "another outcome moves"
    return f"{IN_THE_MODEL}, {count} with {names}: {', '.join(named)}"


def still(sweep: Sweep, outcomes: Sequence[Displayed]) -> str:
    """Return the outcomes that do not move, with their numbers; empty if there are none."""
    numbers = []
    for outcome in outcomes:
        known = plane(outcome.values(sweep)[0])
        number = rounding.number(float(known[np.isfinite(known)][0]), outcome.unit) if np.isfinite(known).any() else ""
        numbers.append(f"{outcome.words} {_with_unit(number, outcome) if number else 'nobody'}")
    return f" The same everywhere, and not drawn: {'; '.join(numbers)}." if numbers else ""


def meanings(sweep: Sweep) -> str:
    """Return what the varied parameters mean, and their names in a file."""
    parameters, pathway = sweep.scenario.pathway.parameters, sweep.scenario.pathway
    sentences = []
    for axis in sweep.grid.axes[:2]:
        meaning = parameters[axis.key].meaning.partition(";")[0] if axis.key in parameters else ""
        sentences.append(
            f"{sweep_axes.label(axis, pathway).partition(',')[0]} ({axis.name}){meaning and f': {meaning}'}."
        )
    return " ".join(sentences)


def uncertainty(sweep: Sweep) -> str:
    """Return what numbers and intervals are of; that none is shown, with one parameter set."""
    draws = sweep.manifest["draws"]
    return f"means over {intervals.sets(draws)}" if draws > 1 else "one parameter set: uncertainty is not shown"
