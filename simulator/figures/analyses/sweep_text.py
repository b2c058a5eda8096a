"""Common parts of a sweep's figures: the drawn plane, its numbers in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulator.analyses.sweep.grid import value_in
from simulator.analyses.sweep.run import Sweep
from simulator.arrays import Floats
from simulator.figures import style, text
from simulator.plain_text import capital
from simulator.wording import rounding
from simulator.wording.sweep_rows import Displayed


def plane(values: Floats) -> Floats:
    """Return the values over the first two names, at the first value of further names."""
    return values[(slice(None), slice(None)) + (0,) * (values.ndim - 2)] if values.ndim > 2 else values


def title(sweep: Sweep) -> str:
    """Return a heading that fits."""
    heading = f"{sweep.scenario.name} by {' and '.join(sweep.grid.names[:2])}"
    fits = text.width(heading, style.TITLE, "bold") < style.WIDTH - 2 * style.MARGIN
    return heading if fits else f"{sweep.scenario.name}, a sweep"


def broken(name: str, inches: float) -> list[str]:
    """Return a name in lines, broken after its dots if it is too long, and cut in its middle if a part is."""
    if text.width(name) <= inches:
        return [name]
    *heads, tail = name.split(".")
    return [text.fitted(part, inches) for part in (*(f"{head}." for head in heads), tail)]


def subtitle(sweep: Sweep) -> str:
    """Return the meaning of the numbers and of the parameters that vary, and the drawn values of further names."""
    draws, parameters = sweep.manifest["draws"], sweep.scenario.pathway.parameters
    sentence = f"All patients; {f'means over {draws} parameter sets' if draws > 1 else 'one parameter set'}."
    varied = [axis for axis in sweep.grid.axes[:2] if axis.table == "set" and axis.key in parameters]
    meanings = [f" {axis.name}: {parameters[axis.key].meaning.partition(';')[0]}." for axis in varied]
    return f"{sentence}{''.join(meanings)}{fixed_sentence(sweep)}"


def marks(sweep: Sweep) -> list[tuple[str, tuple[int, int]]]:
    """Return the cells of the scenario and of today, in words, and their places across and up.

    Neither outside the grid; one if both are the same.
    """
    scenario, axes = sweep.scenario, sweep.grid.axes[:2]
    today = replace(scenario, set={}, scale={}, odds_ratio={}, hazard_ratio={}, marginal_benefit=1.0)
    found: dict[tuple[int, int], str] = {}
    for name, one in ((scenario.name, scenario), ("today", today)):
        values = [value_in(one, axis) for axis in axes]
        across, up = (axis.nearest(value) for axis, value in zip(axes, values, strict=True))
        if across is not None and up is not None:
            labels = ", ".join(axis.label(value) for axis, value in zip(axes, values, strict=True))
            found.setdefault((across, up), f"cell nearest to {name} ({labels})")
    return [(words, cell) for cell, words in found.items()]


def fixed_sentence(sweep: Sweep) -> str:
    """Return the drawn values of further names; empty if there are none."""
    further = [axis.label(axis.values[0]) for axis in sweep.grid.axes[2:]]
    return f" Shown at {', '.join(further)}; sweep.csv has the rest." if further else ""


def ends(sweep: Sweep, outcome: Displayed) -> str:
    """Return the smallest and largest value with their cells: "Alive at 12 months, %: from 31 (...) to 57 (...)."."""
    values = plane(outcome.values(sweep)[0])
    if not np.isfinite(values).any():
        return f"{capital(outcome.label)}: no patients."
    extremes = []
    for place in (int(np.nanargmin(values)), int(np.nanargmax(values))):
        at = np.unravel_index(place, values.shape)
        cell = ", ".join(axis.label(axis.values[index]) for axis, index in zip(sweep.grid.axes, at, strict=False))
        extremes.append(f"{rounding.number(values.flat[place], outcome.unit)} ({cell})")
    return f"{capital(outcome.label)}: from {extremes[0]} to {extremes[1]}."
